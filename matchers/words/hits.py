"""A term found in a text."""

from __future__ import annotations

from dataclasses import dataclass

from matchers.values import Term


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found in a text.

    Parameters
    ----------
    term, index
        The term, and its place in the sequence that the finder was given.
    start, end
        Where it stands in the original text.
    matched
        ``text[start:end]``.
    disguise
        In words, what had to be undone to see it; empty for a plain mention.
    compatible
        Whether it is only named as what something fits: *case for iPhone*.
    weak
        Whether it is a short mark or a common word, and nothing around says that it is the mark
        here. Such a hit is for marking in the text; by itself it claims no brand.
    """

    term: Term
    index: int
    start: int
    end: int
    matched: str
    disguise: tuple[str, ...] = ()
    compatible: bool = False
    weak: bool = False
