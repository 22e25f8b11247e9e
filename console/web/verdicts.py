"""The stored word of the matchers, read back: why an assessment has its score."""

from __future__ import annotations

from dataclasses import dataclass

import matchers
from registry.models import Assessment


@dataclass(frozen=True, slots=True)
class Verdict:
    """The signals of an assessment, and the versions of what they were found with."""

    signals: tuple[matchers.Signal, ...]
    versions: dict[str, str]

    @classmethod
    def of(cls, assessment: Assessment) -> Verdict:
        """Read what was stored with an assessment."""
        stored = matchers.from_json(matchers.Assessment, assessment.result)
        return cls(stored.signals, stored.versions)

    @property
    def spans(self) -> tuple[matchers.Span, ...]:
        """Every place in the listing's text that a signal points at."""
        return tuple(span for signal in self.signals for span in signal.spans)

    @property
    def match(self) -> matchers.PictureMatch | None:
        """The picture match, if there was one."""
        return next((s.picture for s in self.signals if s.picture is not None), None)

    @property
    def reasons(self) -> tuple[matchers.Signal, ...]:
        """The signals that moved the score, those first that moved it most."""
        moved = (signal for signal in self.signals if signal.contribution)
        return tuple(sorted(moved, key=lambda signal: -abs(signal.contribution)))
