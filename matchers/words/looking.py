"""Finding terms in one stretch of text: a token, or a few that may belong together.

What is found here depends on the stretch and the terms only, not on what stands around, so
that it can be kept: most tokens of titles return. `finder` puts the stretches together and
weighs the context.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from matchers.words.chinese import ChineseFinder
from matchers.words.context import is_product_word
from matchers.words.explain import SIGNS, SPACES
from matchers.words.fold import KIND, is_letter, plain
from matchers.words.found import Found, Part, Seen
from matchers.words.index import Index
from matchers.words.joins import are_goods, is_clean, may_be_apart, may_be_joined
from matchers.words.misspellings import Misspellings
from matchers.words.readings import Reading, is_figures, others
from matchers.words.vocabulary import vocabulary

#: Stretches of more letters are read as they stand only, without misspellings.
LONG = 60
#: Signs around a word that are no letters in disguise.
EDGES = ".,;:?()'\"-"


class Looker:
    """Looks for all needles of an index in every reading of a stretch."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.needles = index.needles
        self._misspellings = Misspellings(index)
        self._han = [at for at, needle in enumerate(index.needles) if needle.wordless]
        texts = [index.needles[at].text for at in self._han]
        self._chinese = ChineseFinder(texts) if texts else None

    def look(self, stretch: str, base: Reading) -> Seen:
        """Every needle in a stretch, each form of a term by itself.

        Parameters
        ----------
        base
            The stretch as it stands.
        """
        if stretch.isascii() and stretch.isalnum() and self._is_settled(stretch, base):
            # Most tokens: a word or a number, which a term may be but not hide in.
            size = len(base.text)
            exact = self._index.exact.get(base.text, ())
            whole = [f for at in exact for f in self._whole(stretch, base, base, at, 0, size)]
            whole += self._plurals(stretch, base)
            whole += self._misspellings.dropped(stretch, base)
            return Seen(whole, [], "")
        found = list(self._exactly(stretch, base, base)) if base.text else []
        found += self._plurals(stretch, base)
        found += self._misspellings.dropped(stretch, base)
        leet = ""
        parts: list[Part] = []
        if self._chinese is not None and not base.text.isascii():
            for index, start, end, undone in self._chinese.find(base.text):
                found.append(
                    self._index.found(stretch, base, self._han[index], start, end, (undone,), 1.0)
                )
        if len(base.text) > LONG or self._is_settled(stretch, base):
            return Seen(found, parts, leet)
        if stretch.isascii() and is_figures(stretch):
            return Seen(found, parts, leet)
        found += self._misspellings.masked(stretch, base)
        for reading in others(stretch, base):
            found += self._exactly(stretch, reading, base)
            if reading.kind == "runs" and len(reading.starts) == 1:
                place = self._index.places.get(reading.text)
                if place is not None:
                    parts += self._index.parts(place, reading.text, "repeated letters")
            if reading.kind == "leet":
                leet = reading.text
                if len(reading.starts) == 1 and base.text:
                    found += self._misspellings.find(stretch, reading, [])
        if base.text:
            found += self._misspellings.find(stretch, base, parts)
        return Seen(found, parts, leet)

    def _is_settled(self, stretch: str, base: Reading) -> bool:
        """Whether it is ordinary words only, or figures: nothing is disguised there."""
        if base.text.isdigit():
            return True
        if len(base.starts) > 1 or not stretch.strip(EDGES).isalnum():
            return False
        return stretch.isascii() and vocabulary().has(stretch.strip(EDGES).lower())

    # Exact needles in a reading.

    def _exactly(self, stretch: str, reading: Reading, base: Reading) -> Iterator[Found]:
        words = reading.words()
        for start, end in words:
            for index in self._index.exact.get(reading.text[start:end], ()):
                if not self.needles[index].wordless:
                    yield from self._whole(stretch, reading, base, index, start, end)
            if reading.kind == "runs":
                for index in self._index.runs.get(reading.text[start:end], ()):
                    yield from self._whole(stretch, reading, base, index, start, end)
        if self._index.short and len(words) > 1:
            yield from self._short_apart(stretch, reading, base, words)
        if self._index.short and len(reading.text) > 4 and reading is base:
            yield from self._short_joined(stretch, reading, words)
        if self._index.automaton is None:
            return
        for pattern, start, end in self._index.automaton.find_matches_as_indexes(
            reading.text, overlapping=True
        ):
            whole = start in reading.starts and end in reading.ends
            for index, once in self._index.pattern_owners[pattern]:
                if once and reading.kind != "runs":
                    continue
                needle = self.needles[index]
                if needle.wordless:
                    yield from self._wordless(stretch, reading, index, start, end)
                elif whole:
                    if reading.inner(start, end):
                        yield from self._apart(stretch, reading, base, index, start, end)
                elif not reading.inner(start, end):
                    yield from self._joined(stretch, reading, base, index, start, end)
                elif reading is base and start in reading.starts and not once:
                    yield from self._goods_after(stretch, reading, index, start, end)

    def _whole(
        self, stretch: str, reading: Reading, base: Reading, index: int, start: int, end: int
    ) -> Iterator[Found]:
        """A word that is the needle."""
        needle = self.needles[index]
        known = vocabulary()
        written = stretch[slice(*reading.span(start, end))]
        ordinary = written.isascii() and known.has(plain(written))
        if needle.undone and needle.common and reading is not base:
            return
        if reading.kind == "upside" and len(needle.text) < 4:
            turned = sum(KIND.get(c) == "flipped" for c in written)
            if turned < 2:
                return
        if reading.kind == "leet":
            digits = sum(c.isdigit() for c in written)
            size = len(needle.text)
            if written.isalpha() or written.isdigit() or digits > max(1, size - 2):
                return
            if size == 4 and digits > 1 and not written[0].isalpha():
                return
            if size <= 3 and (size < 3 or digits > 1):
                return
            yield self._index.found(stretch, reading, index, start, end, (), 0.5)
            return
        if reading.kind == "runs":
            if ordinary or (needle.short and len(needle.text) < 3):
                return
            yield self._index.found(stretch, reading, index, start, end, (), 0.25)
            return
        spelt = "".join(filter(is_letter, plain(self._index.terms[needle.term].text)))
        shown = "".join(filter(is_letter, plain(written)))
        if shown != spelt and not needle.undone:
            # Read so only by the classes i/l/1, o/0.
            if (ordinary and shown.isalpha()) or shown.isdigit():
                return
            if needle.short and written.isascii():
                return
            digits = sum(c.isdigit() for c in shown)
            if digits > max(1, len(shown) - 2) or (digits > 1 and shown[0].isdigit()):
                return
            yield self._index.found(stretch, reading, index, start, end, (), 0.5)
            return
        yield self._index.found(stretch, reading, index, start, end, (), 0.0)

    def _plurals(self, stretch: str, base: Reading) -> Iterator[Found]:
        """Words that are a needle's plural: UGGs, Coaches."""
        if not base.text.isascii():
            return
        known = vocabulary()
        for start, end in base.words():
            word = base.text[start:end]
            if len(word) < 4 or word[-1] != "s":
                continue
            ordinary = known.is_word_folded(word)
            for single in (word[:-1], word[:-2]):
                if single != word[:-1] and not word.endswith(("ches", "shes", "xes", "ses", "zes")):
                    continue
                for index in self._index.exact.get(single, ()):
                    needle = self.needles[index]
                    if needle.undone or needle.wordless or len(single) < 3:
                        continue
                    if ordinary and not needle.common:
                        continue  # glass is no plural of Glas
                    bonus = -1.0 if ordinary else 0.0
                    yield self._index.found(stretch, base, index, start, end, (), bonus)

    def _short_apart(
        self, stretch: str, reading: Reading, base: Reading, words: list[tuple[int, int]]
    ) -> Iterator[Found]:
        """A short mark letter by letter: U.G.G."""
        for first in range(len(words)):
            for last in range(first + 1, min(first + 3, len(words))):
                start, end = words[first][0], words[last][1]
                if end - start > 3:
                    break
                for index in self._index.exact.get(reading.text[start:end], ()):
                    if self.needles[index].short:
                        yield from self._apart(stretch, reading, base, index, start, end)

    def _short_joined(
        self, stretch: str, reading: Reading, words: list[tuple[int, int]]
    ) -> Iterator[Found]:
        """A short mark joined to goods: uggboots."""
        for start, end in words:
            word = reading.text[start:end]
            for size in (2, 3):
                if len(word) < size + 3:
                    continue
                for a, b, rest in (
                    (start, start + size, word[size:]),
                    (end - size, end, word[:-size]),
                ):
                    for index in self._index.exact.get(reading.text[a:b], ()):
                        if self.needles[index].short and are_goods(
                            self._index.terms[self.needles[index].term], rest
                        ):
                            if vocabulary().has_folded(word):
                                continue
                            yield self._index.found(
                                stretch, reading, index, a, b, ("joined to another word",), 1.0
                            )

    def _apart(
        self, stretch: str, reading: Reading, base: Reading, index: int, start: int, end: int
    ) -> Iterator[Found]:
        """Words that together are the needle: as the term has them, or pulled apart."""
        needle = self.needles[index]
        inner = reading.inner(start, end)
        cuts = {at - start for at in inner}
        if cuts <= needle.cuts and not (needle.short and reading is not base):
            yield self._index.found(stretch, reading, index, start, end, (), 0.0)
            return
        pieces = [reading.text[a:b] for a, b in pairwise([start, *inner, end])]
        gaps = [stretch[reading.places[at - 1] + 1 : reading.places[at]] for at in inner]
        if any(len(gap) > 8 or "\n" in gap for gap in gaps):
            return
        spaced = any(any(c.isspace() for c in gap) for gap in gaps)
        written = stretch[slice(*reading.span(start, end))]
        if not any(c.isalpha() for c in written) or (needle.undone and not is_clean(pieces)):
            return
        edges = [start, *inner, end]
        shown = [plain(stretch[slice(*reading.span(a, b))]) for a, b in pairwise(edges)]
        if not may_be_apart(needle, pieces, shown, gaps, spaced):
            return
        # One sign or space between all letters is deliberate.
        bonus = 0.75 if max(map(len, pieces)) == 1 or not spaced else 0.25
        if any(ord(c) > 0x2190 for gap in gaps for c in gap):
            bonus = 1.5
        undone = SPACES if all(gap.isspace() for gap in gaps) else SIGNS
        yield self._index.found(stretch, reading, index, start, end, (undone,), bonus)

    def _joined(
        self, stretch: str, reading: Reading, base: Reading, index: int, start: int, end: int
    ) -> Iterator[Found]:
        """A needle inside a longer word."""
        needle = self.needles[index]
        first, last = reading.word(start)
        if last - first > LONG:
            return
        before, after = reading.text[first:start], reading.text[end:last]
        if needle.undone or reading.kind == "upside" or (needle.short and reading is not base):
            return
        if not may_be_joined(needle, reading.kind, before, after):
            return
        written = stretch[slice(*reading.span(start, end))]
        figures = sum(map(str.isdigit, written))
        if figures > 1 and (len(needle.text) < 6 or figures > 3) and not needle.text.isdigit():
            return  # a piece of a model number
        plural = not before and after in ("s", "es")
        undone = () if plural and not reading.kind else ("joined to another word",)
        yield self._index.found(stretch, reading, index, start, end, undone, 0.5)

    def _goods_after(
        self, stretch: str, reading: Reading, index: int, start: int, end: int
    ) -> Iterator[Found]:
        """A mark of several words with goods joined to the last: Louis Vuittonbag."""
        needle = self.needles[index]
        cuts = {at - start for at in reading.inner(start, end)}
        if needle.undone or not cuts <= needle.cuts:
            return
        rest = reading.text[end : reading.word(end - 1)[1]]
        if len(rest) > 2 and is_product_word(rest):
            yield self._index.found(
                stretch, reading, index, start, end, ("joined to another word",), 0.5
            )

    def _wordless(
        self, stretch: str, reading: Reading, index: int, start: int, end: int
    ) -> Iterator[Found]:
        """Characters of a script without spaces, with nothing but signs between them."""
        if reading.kind:
            return
        places = reading.places
        needle = self.needles[index]
        if start and places[start] == places[start - 1]:
            return
        if end < len(places) and places[end] == places[end - 1]:
            return
        gaps = [
            stretch[places[at - 1] + 1 : places[at]]
            for at in range(start + 1, end)
            if places[at] > places[at - 1] + 1
        ]
        gaps = [gap for gap in gaps if any(c not in KIND for c in gap)]
        if any(len(gap) > 4 or "\n" in gap for gap in gaps):
            return
        apart = "。，；：！？,;、" if needle.common else "。，；：！？,;"
        if len(needle.text) == 2 and any(c in apart for gap in gaps for c in gap):
            return
        if "ァ" <= needle.text[0] <= "ヿ" and len(needle.text) <= 3:
            around = reading.text[max(0, start - 1) : start] + reading.text[end : end + 1]
            if any("ァ" <= c <= "ヿ" for c in around):
                return
        undone: tuple[str, ...] = ()
        if gaps:
            undone = (SPACES if all(gap.isspace() for gap in gaps) else SIGNS,)
        yield self._index.found(stretch, reading, index, start, end, undone, 1.5 if gaps else 0.0)
