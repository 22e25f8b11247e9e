"""The finder: a text's stretches, looked at by themselves and put together."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rapidfuzz.distance import OSA

from matchers.values import Term
from matchers.words.context import is_product_word
from matchers.words.fold import KIND
from matchers.words.found import Found, Part
from matchers.words.glance import Glance
from matchers.words.hits import Hit
from matchers.words.index import Index
from matchers.words.looking import Looker
from matchers.words.needles import needles
from matchers.words.neighbours import allowed
from matchers.words.readings import as_it_stands
from matchers.words.vocabulary import vocabulary
from matchers.words.weighing import Weigher

#: Tokens kept with what was found in them; all are forgotten when there are more.
_KEPT = 200_000
#: Longer tokens are looked at each time.
_LONG_TOKEN = 48
#: A match over several tokens may hold so many.
_MOST_TOKENS = 24
#: Places in one text where several tokens are looked at together.
_MOST_STRETCHES = 400
_TOKEN = re.compile(r"\S+")
#: What a token has, so that texts of tokens that have nothing are done soon.
_FOUND, _LEET, _PARTS, _SMALL, _TURNED, _ANCHOR = 1, 2, 4, 8, 16, 32


@dataclass(slots=True)
class _Token:
    """What is known of a token wherever it stands.

    Parameters
    ----------
    text
        Folded, letters only.
    leet
        The same with digits and signs for letters, where that is another.
    starts, ends
        Places in `text` where words begin and end.
    """

    text: str
    leet: str
    starts: Collection[int]
    ends: Collection[int]
    wordless: bool
    small: bool
    turned: bool
    found: list[Found]
    parts: list[Part]
    flags: int = field(init=False)

    def __post_init__(self) -> None:
        self.flags = (
            (_FOUND if self.found else 0)
            | (_LEET if self.leet else 0)
            | (_PARTS if self.parts else 0)
            | (_SMALL if self.small else 0)
            | (_TURNED if self.turned else 0)
        )


class TermFinder:
    """Finds terms in any script, plain or disguised.

    What is found of one term does not depend on the others. Safe to share between threads.

    Parameters
    ----------
    terms
        Of one brand or of all; the cost of finding hardly grows with their number.

    Raises
    ------
    ValueError
        A term has fewer than two letters or digits, or more than 200 characters.
    """

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = tuple(terms)
        self._needles = needles(self._terms)
        self._index = Index(self._terms, self._needles)
        self._looker = Looker(self._index)
        self._glance = Glance(self._index)
        self._wordless = any(needle.wordless for needle in self._needles)
        self._tokens: dict[str, _Token] = {}
        self._weigher = Weigher(self._terms, self._needles)

    def find(self, text: str, *, category: str | None = None, context: str = "") -> list[Hit]:
        """Every term in a text, in order.

        Parameters
        ----------
        text
            A listing's title, description, brand …
        category
            The marketplace's, in words: tells short marks and common words from others.
        context
            Other text of the same listing, for the same: the title for a description.

        Returns
        -------
        list of Hit
            In order of their place; hits of one term do not overlap, those of several may.
        """
        tokens = text.split()
        get = self._tokens.get
        known = [get(token) or self._know(token) for token in tokens]
        flags = 0
        for each in known:
            flags |= each.flags
        found = self._across(text, known, flags) if len(tokens) > 1 else []
        if flags & _FOUND:
            for match, token in zip(_TOKEN.finditer(text), known, strict=True):
                if token.found:
                    start = match.start()
                    found += [(start, each) for each in token.found]
        if not found:
            return []
        return self._weigher.hits(text, found, category, context)

    # Over several tokens.

    def _across(self, text: str, known: list[_Token], flags: int) -> list[tuple[int, Found]]:
        stretches: set[tuple[int, int]] = set()
        automaton = self._index.automaton
        if automaton is not None:
            texts = [token.text for token in known]
            matches = automaton.find_matches_as_indexes("".join(texts), overlapping=True)
            if matches:
                sizes = list(accumulate(map(len, texts), initial=0))
            for _, start, end in matches:
                first = bisect_right(sizes, start) - 1
                # Most of those over several tokens begin amid a word.
                if end > sizes[first + 1] and (
                    start == sizes[first]
                    or len(known[first].starts) > 1
                    or (self._wordless and known[first].wordless)
                ):
                    self._add(stretches, known, sizes, first, start, end)
            if flags & _LEET:
                read = [token.leet or token.text for token in known]
                sizes = list(accumulate(map(len, read), initial=0))
                for _, start, end in automaton.find_matches_as_indexes(
                    "".join(read), overlapping=True
                ):
                    first = bisect_right(sizes, start) - 1
                    last = bisect_right(sizes, end - 1) - 1
                    if first < last and start == sizes[first] and end == sizes[last + 1]:
                        stretches.add((first, last))
        if flags & _TURNED or (flags & _SMALL and len(known) > 2):
            self._spaced(stretches, known)
        found = self._looked_at(text, stretches) if stretches else []
        if flags & _PARTS:
            found += self._misspelt_in_part(text, known)
        if flags & _ANCHOR:
            found += self._misspelt_beside(text, known)
        return found

    def _add(
        self,
        stretches: set[tuple[int, int]],
        known: list[_Token],
        sizes: list[int],
        first: int,
        start: int,
        end: int,
    ) -> None:
        """A match over several tokens, if it begins and ends with words."""
        last = bisect_right(sizes, end - 1) - 1
        if last - first >= _MOST_TOKENS:
            return
        if not (self._wordless and known[first].wordless):
            if start - sizes[first] not in known[first].starts:
                return
            if end - sizes[last] not in known[last].ends and not (
                is_product_word(known[last].text[end - sizes[last] :])
            ):
                return
        stretches.add((first, last))

    @staticmethod
    def _spaced(stretches: set[tuple[int, int]], known: list[_Token]) -> None:
        """Rows of three or more tokens of a letter or two: V E L A R O; of turned words."""
        turned = [place for place, token in enumerate(known) if token.turned]
        if len(turned) > 1 and turned[-1] - turned[0] < _MOST_TOKENS:
            stretches.add((turned[0], turned[-1]))
        if [token.small for token in known].count(True) < 3:
            return
        row = 0
        for place, token in enumerate([*known, None]):
            if token is not None and token.small:
                row += 1
                continue
            if row >= 3:
                stretches.update(
                    (first, min(first + _MOST_TOKENS, place) - 1)
                    for first in range(place - row, place, _MOST_TOKENS // 2)
                )
            row = 0

    def _looked_at(self, text: str, stretches: set[tuple[int, int]]) -> list[tuple[int, Found]]:
        places = [match.span() for match in _TOKEN.finditer(text)]
        found = []
        for first, last in sorted(stretches)[:_MOST_STRETCHES]:
            start, end = places[first][0], places[last][1]
            if end - start > 400:
                continue
            stretch = text[start:end]
            token = self._tokens.get(stretch) or self._know(stretch)
            blanks = [match.start() for match in re.finditer(r"\s", stretch)]
            found += [
                (start, each)
                for each in token.found
                if any(each.start < blank < each.end for blank in blanks)
            ]
        return found

    def _misspelt_in_part(self, text: str, known: list[_Token]) -> list[tuple[int, Found]]:
        """Marks of several words, one of them misspelt."""
        places = [match.span() for match in _TOKEN.finditer(text)]
        found = []
        for place, token in enumerate(known):
            for part in token.parts:
                needle = self._needles[part.needle]
                first, last = place - part.number, place - part.number + len(needle.cuts)
                if first < 0 or last >= len(known):
                    continue
                written = "".join(
                    part.read if at == place else known[at].text for at in range(first, last + 1)
                )
                if OSA.distance(written, needle.text) > allowed(len(needle.text)):
                    continue
                start, end = places[first][0], places[last][1]
                found.append((start, Found(part.needle, 0, end - start, (part.undone,), -0.25)))
        return found

    def _misspelt_beside(self, text: str, known: list[_Token]) -> list[tuple[int, Found]]:
        """Marks of two words, one of them with a letter amiss: Luis Vuitton, Michael Korss.

        A first name may be another name; a last one that is a word of its own is no mark.
        """
        found = []
        words = vocabulary()
        places: list[tuple[int, int]] = []
        for at, token in enumerate(known):
            if not token.flags & _ANCHOR:
                continue
            for index, number in self._index.anchors[token.text]:
                beside = at - 1 if number else at + 1
                if not 0 <= beside < len(known):
                    continue
                other, needle = known[beside].text, self._needles[index].text
                size = len(token.text)
                own = needle[:-size] if number else needle[size:]
                if other[:1] != own[0] or not 3 < len(other) < len(own) + 2:
                    continue
                if other == own or OSA.distance(other, own, score_cutoff=1) > 1:
                    continue
                if not number and words.has_folded(other):
                    continue
                places = places or [match.span() for match in _TOKEN.finditer(text)]
                start, end = places[min(at, beside)][0], places[max(at, beside)][1]
                said = ("misspelt in one word",)
                found.append((start, Found(index, 0, end - start, said, -0.25)))
        return found

    # What is known of a token.

    def _know(self, token: str) -> _Token:
        made = self._glanced(token) if token.isascii() else None
        if made is None:
            made = self._looked_into(token)
        if made.text in self._index.anchors:
            made.flags |= _ANCHOR
        if len(token) <= _LONG_TOKEN:
            if len(self._tokens) >= _KEPT:
                self._tokens.clear()
            self._tokens[token] = made
        return made

    def _glanced(self, token: str) -> _Token | None:
        """Most tokens: nothing is in them."""
        glanced = self._glance(token)
        if glanced is None:
            return None
        words = glanced.words
        sizes = list(accumulate(map(len, words), initial=0))
        return _Token(
            words[0] if len(words) == 1 else "".join(words),
            glanced.leet,
            sizes[:-1],
            sizes[1:],
            False,
            len(token) <= 2 or sizes[-1] in (1, 2),
            False,
            [],
            [],
        )

    def _looked_into(self, token: str) -> _Token:
        base = as_it_stands(token)
        seen = self._looker.look(token, base)
        return _Token(
            base.text,
            seen.leet if seen.leet != base.text else "",
            base.starts,
            base.ends,
            not base.text.isascii(),
            # A letter, two at most, or a sign that may stand for one.
            len(token) <= 2 or len(base.text) in (1, 2),
            not token.isascii() and any(KIND.get(c) == "flipped" for c in token),
            self._weigher.best(seen.found),
            seen.parts,
        )
