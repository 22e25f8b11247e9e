"""The stored word of the matchers, read back: why an assessment has its score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import matchers
from matchers.values import Context, Outline, Seller
from registry.models import Assessment


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, and the area of it that matched.

    Parameters
    ----------
    width, height
        Its pixels, upright; 0 where they are not known, and then nothing is outlined.
    outline
        Corners as parts of width and height.
    """

    sha256: str
    width: int = 0
    height: int = 0
    outline: Outline = ()

    @property
    def points(self) -> str:
        """The outline for an SVG of the picture's own size; empty where there is none."""
        if not (self.width and self.height):
            return ""
        return " ".join(f"{x * self.width:.1f},{y * self.height:.1f}" for x, y in self.outline)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The signals of an assessment, and the versions of what they were found with.

    Parameters
    ----------
    sizes
        Width and height of the pictures that were compared, by SHA-256.
    seller
        What was known of the seller then.
    unreadable
        Why a picture of the listing could not be compared, by SHA-256.
    """

    signals: tuple[matchers.Signal, ...]
    versions: dict[str, str]
    sizes: dict[str, tuple[int, int]]
    seller: Seller | None = None
    unreadable: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, assessment: Assessment) -> Verdict:
        """Read what was stored with an assessment."""
        stored = matchers.from_json(matchers.Assessment, assessment.result)
        kept = assessment.inputs
        # Assessments older than contexts have none.
        around = matchers.from_json(Context, kept["context"]) if "context" in kept else Context()
        return cls(
            stored.signals, stored.versions, _sizes(kept), around.seller, kept.get("faults", {})
        )

    @property
    def spans(self) -> tuple[matchers.Span, ...]:
        """Every place in the listing's text that a signal points at."""
        return tuple(span for signal in self.signals for span in signal.spans)

    @property
    def match(self) -> matchers.PictureMatch | None:
        """The picture match, if there was one."""
        return next((s.picture for s in self.signals if s.picture is not None), None)

    @property
    def shown(self) -> Shown | None:
        """The listing's picture that matched."""
        match = self.match
        return None if match is None else self._shown(match.listing_sha256, match.listing_outline)

    @property
    def reference(self) -> Shown | None:
        """The registered picture that it shows."""
        match = self.match
        if match is None:
            return None
        return self._shown(match.reference_sha256, match.reference_outline)

    def _shown(self, sha256: str, outline: Outline) -> Shown:
        return Shown(sha256, *self.sizes.get(sha256, (0, 0)), outline)

    @property
    def reasons(self) -> tuple[matchers.Signal, ...]:
        """The signals that moved the score, those first that moved it most."""
        moved = (signal for signal in self.signals if signal.contribution)
        return tuple(sorted(moved, key=lambda signal: -abs(signal.contribution)))


def _sizes(inputs: dict[str, Any]) -> dict[str, tuple[int, int]]:
    brand = inputs.get("brand", {})
    pictures = [
        *inputs.get("listing", {}).get("pictures", ()),
        *(p for product in brand.get("products", ()) for p in product["pictures"]),
        *brand.get("logos", ()),
    ]
    return {p["sha256"]: (p["width"], p["height"]) for p in pictures}
