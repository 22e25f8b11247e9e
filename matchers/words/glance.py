"""One quick look at a token: could anything be in it at all?

Most tokens of titles are words, numbers and model numbers that hold no term in any reading. To
say so takes look-ups of text only; readings, which know where every letter stands, are built for
the few others. The answer "look properly" may be wrong at the cost of time; the answer "nothing"
is never given where `Looker.look` would find something.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from matchers.words.fold import fold
from matchers.words.index import Index
from matchers.words.joins import may_be_joined
from matchers.words.looking import EDGES, LONG
from matchers.words.misspellings import has_inner_figure, may_be_left, spans, without_plural
from matchers.words.neighbours import LONGEST
from matchers.words.readings import is_drawn, is_figures, shapes, with_signs
from matchers.words.vocabulary import vocabulary

_WORD = re.compile("[a-z0-9]+")
_FIGURE = re.compile("[0-9]")
_RUNS = re.compile(r"(.)\1+")
_LONG_RUNS = re.compile(r"(.)\1{2,}")


@dataclass(frozen=True, slots=True)
class Glanced:
    """A token with nothing in it, read as it stands.

    Parameters
    ----------
    words
        Folded.
    leet
        Its letters with digits and signs as letters; empty where that is not plausible.
    """

    words: list[str]
    leet: str


class Glance:
    """Quick looks for the needles of an index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known = vocabulary()

    def __call__(self, token: str) -> Glanced | None:
        """What is known of an ASCII token with nothing in it; None for one to look at properly."""
        if "*" in token:
            return None  # may hide a letter
        folded = fold(token)
        words = [folded] if folded.isalnum() else _WORD.findall(folded)
        text = words[0] if len(words) == 1 else "".join(words)
        if not text or text.isdigit():
            return None if self._exactly(words, text) else Glanced(words, "")
        spelt = token.strip(EDGES).lower()
        if self._known.has(spelt):
            if self._known.is_rare(spelt) and self._index.neighbours.may_be_left(text):
                return None
            if spelt == token.lower():
                exact = self._index.exact
                if text in exact or (
                    text[-1] == "s" and (text[:-1] in exact or text[:-2] in exact)
                ):
                    return None
                return Glanced(words, "")
            return None if self._exactly(words, text, joined=True) else Glanced(words, "")
        if self._exactly(words, text, joined=True):
            return None
        if len(text) > LONG or is_figures(token):
            return Glanced(words, "")
        return self._disguised(token, folded, words, text)

    def _exactly(
        self, words: list[str], text: str, *, kind: str = "", joined: bool = False
    ) -> bool:
        """Whether a needle may be in a reading.

        Parameters
        ----------
        kind
            The reading's.
        joined
            Whether a short needle may be joined to goods in it.
        """
        index = self._index
        exact, short = index.exact, index.short
        for word in words:
            if word in exact or (kind == "runs" and word in index.runs):
                return True
            if word[-1] == "s" and (word[:-1] in exact or word[:-2] in exact):
                return True
        if (
            index.automaton is not None
            and index.automaton.find_matches_as_indexes(text)
            and self._held(words, text, kind)
        ):
            return True
        if not short:
            return False
        if joined:
            for word in words:
                if len(word) > 4 and not short.isdisjoint(
                    (word[:2], word[:3], word[-2:], word[-3:])
                ):
                    return True
        for first in range(len(words) - 1):
            if len(words[first]) < 3 and not short.isdisjoint(
                (words[first] + words[first + 1], "".join(words[first : first + 3]))
            ):
                return True
        return False

    def _held(self, words: list[str], text: str, kind: str) -> bool:
        """Whether one of the needles that a text holds may be meant: most are there by chance."""
        index = self._index
        assert index.automaton is not None
        if len(text) > LONG:
            return True
        starts = list(accumulate(map(len, words), initial=0))
        for pattern, start, end in index.automaton.find_matches_as_indexes(text, overlapping=True):
            number = bisect_right(starts, start) - 1
            first, last = starts[number], starts[number + 1]
            if end > last or (start == first and end == last):
                # Over several words, or a word itself; goods may be joined to the last of several.
                if start == first and (
                    end in starts
                    or any(index.needles[at].cuts for at, _ in index.pattern_owners[pattern])
                ):
                    return True
                continue
            before, after = text[first:start], text[end:last]
            for at, once in index.pattern_owners[pattern]:
                needle = index.needles[at]
                if (kind == "runs" or not once) and may_be_joined(needle, kind, before, after):
                    return True
        return False

    def _disguised(self, token: str, folded: str, words: list[str], text: str) -> Glanced | None:
        readings = [] if _FIGURE.search(token) else [(words, text)]
        leet = ""
        unknown: list[str] = []
        if not token.isalpha():
            if is_drawn(token):
                return None
            for other in self._others(token, folded, words, text):
                leet = other[1]
                if self._exactly(*other, kind="leet"):
                    return None
                if len(other[0]) == 1 and self._may_be_misspelt(leet, 1 if len(leet) < 8 else 2):
                    unknown.append(leet)
                readings.append(other)
        for others, letters in readings:
            if _RUNS.search(letters) and self._repeated(others):
                return None
        spelt = words if folded == token else _WORD.findall(token.lower())
        for start, end in spans(words):
            word = "".join(words[start:end])
            as_spelt = spelt[start] if end == start + 1 else ""
            if self._may_be_misspelt(word, 0, as_spelt):
                unknown.append(word)
        if unknown and self._misspelt(unknown):
            return None
        return Glanced(words, leet if leet != text else "")

    def _others(
        self, token: str, folded: str, words: list[str], text: str
    ) -> Iterator[tuple[list[str], str]]:
        """The token with digits and signs as letters: words, and all together."""
        seen = {(text, len(words))}
        for read in with_signs(token, folded):
            others = _WORD.findall(read)
            letters = "".join(others)
            if (letters, len(others)) not in seen:
                seen.add((letters, len(others)))
                yield others, letters

    def _repeated(self, words: list[str]) -> bool:
        """Whether a needle may be there where repeated letters are read once, or twice."""
        for pattern, kept in ((_RUNS, r"\1"), (_LONG_RUNS, r"\1\1")):
            shorter = [pattern.sub(kept, word) for word in words]
            if shorter != words and (
                self._exactly(shorter, "".join(shorter), kind="runs")
                or (len(shorter) == 1 and shorter[0] in self._index.places)
            ):
                return True
        return False

    def _may_be_misspelt(self, word: str, figures: int, spelt: str = "") -> bool:
        """Whether a word is none that is known.

        Parameters
        ----------
        figures
            So many digits may be letters in it.
        spelt
            The word before it was folded, where it is one.
        """
        if not 3 <= len(word) <= LONGEST:
            return False
        if not figures and _FIGURE.search(word) and not has_inner_figure(word):
            return False
        known = self._known
        if spelt.isalpha():
            if not (known.has(spelt) or known.has(spelt.removesuffix("s"))):
                return True
            return may_be_left(spelt)
        return not (known.has_folded(word) or known.has_folded(word.removesuffix("s")))

    def _misspelt(self, words: list[str]) -> bool:
        """Whether one of several words may be a misspelt needle."""
        exact = self._index.exact
        for word in words:
            if word[::-1] in exact or not exact.keys().isdisjoint(shapes(word)):
                return True
            if "es" in word and not exact.keys().isdisjoint(without_plural(word)):
                return True
        return self._index.neighbours.any_near(words)
