"""What was found in one stretch of text, before the context is weighed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Found(NamedTuple):
    """A needle in a stretch.

    Parameters
    ----------
    needle
        Its place among the needles.
    start, end
        In the stretch.
    undone
        In words; empty for a plain mention.
    bonus
        How much the way it is written speaks for the mark (a hidden character) or against it
        (a misspelling), where it is a short or common word.
    doubtful
        Whether a mark that needs no context otherwise needs it, written so.
    """

    needle: int
    start: int
    end: int
    undone: tuple[str, ...]
    bonus: float
    doubtful: bool = False

    def moved(self, by: int) -> Found:
        """The same in a text where the stretch begins at a place."""
        return Found(
            self.needle, self.start + by, self.end + by, self.undone, self.bonus, self.doubtful
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One word of a needle of several.

    Parameters
    ----------
    number
        Which word of the needle.
    read
        What the stretch is read as there.
    """

    needle: int
    number: int
    read: str
    undone: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a stretch holds.

    Parameters
    ----------
    parts
        Words of needles of several words that are here, disguised.
    leet
        The stretch with letters for digits and signs; empty where that is not plausible.
    """

    found: list[Found]
    parts: list[Part]
    leet: str
