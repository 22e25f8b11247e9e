"""From what was found to hits: of overlapping finds the best, and what the context says of each."""

from __future__ import annotations

from collections.abc import Sequence

from matchers.values import Term
from matchers.words import context as around
from matchers.words.fold import is_han, letters, plain
from matchers.words.found import Found
from matchers.words.hits import Hit
from matchers.words.needles import Needle

#: So many hits of one term in one text are enough.
_ENOUGH = 100


class Weigher:
    """Weighs finds.

    Parameters
    ----------
    terms, needles
        The needles point at the terms, the finds at the needles.
    """

    def __init__(self, terms: Sequence[Term], needles: Sequence[Needle]) -> None:
        self._terms = terms
        self._needles = needles
        self._plain: dict[int, tuple[str, frozenset[str]]] = {}

    def best(self, found: list[Found]) -> list[Found]:
        """Of overlapping finds of one term the plainest, then the longest."""
        if len(found) < 2:
            return found
        terms: dict[int, list[Found]] = {}
        for each in found:
            terms.setdefault(self._needles[each.needle].term, []).append(each)
        return [each for mine in terms.values() for each in _apart(mine)]

    def hits(
        self,
        text: str,
        found: list[tuple[int, Found]],
        category: str | None,
        context: str,
    ) -> list[Hit]:
        """The finds that are marks in a text, in the order of their places.

        Parameters
        ----------
        found
            Each with the place where its stretch begins.
        category, context
            As `TermFinder.find` takes them.
        """
        compatible: dict[tuple[int, int], bool] = {}
        hits = []
        for each in self.best([each.moved(start) for start, each in found]):
            span = each.start, each.end
            if span not in compatible:
                compatible[span] = around.is_compatible(text, *span)
            hit = self._hit(text, each, compatible[span], category, context)
            if hit is not None:
                hits.append(hit)
        hits.sort(key=lambda hit: (hit.start, hit.end, hit.index))
        return hits

    def _hit(
        self, text: str, found: Found, compatible: bool, category: str | None, context: str
    ) -> Hit | None:
        needle = self._needles[found.needle]
        term = self._terms[needle.term]
        weak = False
        if needle.undone and needle.common:
            if not any(map(is_han, text[max(0, found.start - 40) : found.end + 40])):
                return None
        elif found.doubtful or not needle.strong:
            weight = found.bonus + self._evidence(text, found, needle, category, context)
            if weight <= around.NOTHING and not compatible:
                return None
            weak = weight < around.MARK
        return Hit(
            term,
            needle.term,
            found.start,
            found.end,
            text[found.start : found.end],
            found.undone,
            compatible,
            weak,
        )

    def _evidence(
        self, text: str, found: Found, needle: Needle, category: str | None, context: str
    ) -> float:
        term = self._terms[needle.term]
        own = self._plain.get(needle.term)
        if own is None:
            own = plain(term.text), frozenset(map(letters, term.product_words))
            self._plain[needle.term] = own
        return around.evidence(
            text,
            found.start,
            found.end,
            word=own[0],
            nice=term.nice_classes,
            product_words=own[1],
            category=category,
            context=context,
        )


def _apart(found: list[Found]) -> list[Found]:
    """Of finds of one term those that do not overlap a better one."""
    if len(found) < 2:
        return found
    kept: list[Found] = []
    for each in sorted(found, key=_rank):
        if not any(each.start < other.end and other.start < each.end for other in kept):
            kept.append(each)
            if len(kept) == _ENOUGH:
                break
    return kept


def _rank(found: Found) -> tuple[bool, bool, int, int, int, tuple[str, ...]]:
    return (
        bool(found.undone),
        found.bonus < 0,  # a misspelling
        len(found.undone),
        found.start - found.end,
        found.start,
        found.undone,
    )
