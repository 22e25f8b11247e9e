"""The needles, indexed: by what they are, by one automaton, by their misspellings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import ahocorasick_rs

from matchers.values import Term
from matchers.words.explain import DELIBERATE, DIGITS, LOOK_ALIKE, characters
from matchers.words.fold import KIND
from matchers.words.found import Found, Part
from matchers.words.needles import Needle
from matchers.words.neighbours import ONE, Neighbours
from matchers.words.readings import Reading
from matchers.words.vocabulary import vocabulary

_REPEATED = re.compile(r"(.)\1+")


class Index:
    """All needles.

    Parameters
    ----------
    terms, needles
        The needles point at the terms.

    Attributes
    ----------
    exact
        Folded text → the needles that it is.
    runs
        The same with repeated letters once, where that is another text.
    automaton, pattern_owners
        Whatever a longer text may hold; and for each pattern its needles, each with whether the
        pattern has repeated letters once. None if there are no such needles.
    neighbours, places, word_owners
        Words that may be misspelt; the place of each; and for each its needles, each with the
        number of the word in a needle of several, or -1 for the whole.
    short
        The texts of short needles.
    """

    def __init__(self, terms: Sequence[Term], needles: Sequence[Needle]) -> None:
        self.terms = terms
        self.needles = needles
        # Tuples, which the collector of garbage need not visit again and again.
        self.exact: dict[str, tuple[int, ...]] = {}
        self.runs: dict[str, tuple[int, ...]] = {}
        patterns: dict[str, tuple[tuple[int, bool], ...]] = {}
        words: dict[str, tuple[tuple[int, int], ...]] = {}
        for index, needle in enumerate(needles):
            text = needle.text
            self.exact[text] = (*self.exact.get(text, ()), index)
            if needle.wordless or len(text) >= 4:
                patterns[text] = (*patterns.get(text, ()), (index, False))
            if needle.wordless:
                continue
            if _REPEATED.search(text):
                once = _REPEATED.sub(r"\1", text)
                if len(once) > 1:
                    self.runs[once] = (*self.runs.get(once, ()), index)
                if len(once) >= 4:
                    patterns[once] = (*patterns.get(once, ()), (index, True))
            words[text] = (*words.get(text, ()), (index, -1))
            if needle.cuts:
                edges = [0, *sorted(needle.cuts), len(text)]
                for number, (a, b) in enumerate(pairwise(edges)):
                    if b - a >= ONE:
                        words[text[a:b]] = (*words.get(text[a:b], ()), (index, number))
        self.anchors = self._anchors()
        self.pattern_owners = list(patterns.values())
        self.automaton = ahocorasick_rs.AhoCorasick(list(patterns)) if patterns else None
        self.word_owners = list(words.values())
        self.places = {word: place for place, word in enumerate(words)}
        self.neighbours = Neighbours(list(words))
        self.short = frozenset(needle.text for needle in needles if needle.short)

    def _anchors(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Rare words of needles of two words: the needles, and which of the two each is."""
        known = vocabulary()
        anchors: dict[str, tuple[tuple[int, int], ...]] = {}
        for index, needle in enumerate(self.needles):
            if len(needle.cuts) != 1 or needle.wordless or needle.undone or len(needle.text) < 8:
                continue
            (cut,) = needle.cuts
            words = needle.text[:cut], needle.text[cut:]
            if min(map(len, words)) < 4:
                continue
            for number, word in enumerate(words):
                if not known.is_common_folded(word):
                    anchors[word] = (*anchors.get(word, ()), (index, number))
        return anchors

    def parts(self, place: int, read: str, undone: str) -> list[Part]:
        """The needles of several words that a word is one of.

        Parameters
        ----------
        place
            The word's among those of `neighbours`.
        """
        return [
            Part(index, number, read, undone)
            for index, number in self.word_owners[place]
            if number >= 0
        ]

    def found(
        self,
        stretch: str,
        reading: Reading,
        index: int,
        start: int,
        end: int,
        undone: tuple[str, ...],
        bonus: float,
    ) -> Found:
        """A needle in a reading of a stretch, with all that was undone to see it.

        Parameters
        ----------
        index
            The needle's place.
        start, end
            In the reading.
        undone, bonus
            What the rule that found it says; the characters and the reading add theirs.
        """
        needle = self.needles[index]
        term = self.terms[needle.term]
        first, last = reading.span(start, end)
        misspelt = not reading.kind and reading.text[start:end] != needle.text
        if misspelt and stretch.isascii() and term.text.isascii():
            return Found(index, first, last, undone, bonus)  # there is no other oddity to look for
        while last < len(stretch) and KIND.get(stretch[last]) in ("mark", "hidden", "bidi", "tag"):
            last += 1
        odd = characters(stretch[first:last], term)
        if reading.kind == "upside":
            odd = tuple(dict.fromkeys((*odd, "mirrored or upside-down letters")))
        if any(kind in DELIBERATE for kind in odd):
            bonus = max(bonus, 1.5)
        said = tuple(dict.fromkeys((*odd, *reading.undone, *needle.undone, *undone)))
        if DIGITS in said and LOOK_ALIKE in said:
            said = tuple(word for word in said if word != LOOK_ALIKE)
        return Found(index, first, last, said, bonus)
