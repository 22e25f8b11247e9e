"""Misspelt terms: a letter dropped, added, changed, swapped; letters that look like two; backwards.

Only words that no dictionary has are looked at; and what is left of a term without one letter may
be a rare word, or three letters, if the context says that it is the mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matchers.words.context import is_product_word
from matchers.words.fold import classes, plain
from matchers.words.found import Found, Part
from matchers.words.index import Index
from matchers.words.neighbours import LONGEST, ONE, SWAPPED, TWO
from matchers.words.readings import Reading, backwards, shapes
from matchers.words.vocabulary import short_list, vocabulary

#: Rare words that sellers use every day.
_TRADE = short_list("trade")
#: How much a rare word speaks against the mark: where a mark stands, or its goods, outweigh that.
_RARE = -1.25
_LETTERS = "abcdefghijkmnopqrstuvwxyz"  # folded: i is l, too


class Misspellings:
    """Terms within an edit or two of a word."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def find(self, stretch: str, reading: Reading, parts: list[Part]) -> Iterator[Found]:
        """Misspelt needles; words of longer ones are added to `parts`."""
        words = reading.words()
        for first, last in spans([reading.text[start:end] for start, end in words]):
            start, end = words[first][0], words[last - 1][1]
            word = reading.text[start:end]
            if not self._may_be_misspelt(stretch, reading, start, end):
                continue
            for place, distance in self._index.neighbours.near(word):
                if distance:
                    yield from self._near(stretch, reading, place, distance, start, end)
                if len(words) == 1 and distance:
                    parts += self._index.parts(place, word, "misspelt in one word")
            for shown in shapes(word):
                for index in self._index.exact.get(shown, ()):
                    if len(shown) >= 4 and not self._index.needles[index].wordless:
                        yield self._index.found(
                            stretch, reading, index, start, end, ("letters that look alike",), 0.0
                        )
            for shorter in without_plural(word):
                for index in self._index.exact.get(shorter, ()):
                    if self._index.needles[index].strong and not reading.kind:
                        yield self._index.found(
                            stretch, reading, index, start, end, ("letters added",), -0.25
                        )
            if len(word) >= ONE and not reading.kind:
                for index in self._index.exact.get(backwards(word), ()):
                    if backwards(word) != word and self._index.needles[index].strong:
                        yield self._index.found(
                            stretch, reading, index, start, end, ("letters from the end",), 0.0
                        )

    def dropped(self, stretch: str, base: Reading) -> Iterator[Found]:
        """Needles without one letter where a rare word is left, or three letters: Velar, Nke."""
        if len(base.starts) != 1 or not stretch.isascii():
            return
        written = stretch[slice(*base.span(0, len(base.text)))]
        spelt = written.lower()
        if not (written.isalpha() and may_be_left(spelt)):
            return
        for place, distance in self._index.neighbours.near(base.text):
            for index, part in self._index.word_owners[place] if distance == 1 else ():
                needle = self._index.needles[index]
                own = self._index.terms[needle.term].text.lower()
                # As it is spelt: igo is no Lego.
                if part < 0 and not needle.undone and _is_left(spelt, own):
                    found = self._index.found(
                        stretch, base, index, 0, len(base.text), ("a letter dropped",), _RARE
                    )
                    yield found._replace(doubtful=True)

    def masked(self, stretch: str, base: Reading) -> Iterator[Found]:
        """Needles with one letter behind an asterisk: N*ke, Ad*das."""
        if stretch.count("*") != 1:
            return
        place = stretch.index("*")
        at = sum(letter < place for letter in base.places)
        if not 0 < at < len(base.text) or len(base.starts) != 2 or at not in base.starts:
            return
        for letter in _LETTERS:
            for index in self._index.exact.get(base.text[:at] + letter + base.text[at:], ()):
                if self._index.needles[index].wordless or len(base.text) < 3:
                    continue
                yield self._index.found(
                    stretch, base, index, 0, len(base.text), ("a letter hidden by a sign",), 1.5
                )

    def _may_be_misspelt(self, stretch: str, reading: Reading, start: int, end: int) -> bool:
        word = reading.text[start:end]
        if not 3 <= len(word) <= LONGEST:
            return False
        written = stretch[slice(*reading.span(start, end))]
        if not written.isalpha():
            figures = sum(map(str.isdigit, written))
            if reading.kind and figures > (1 if len(word) < 8 else 2):
                return False
            if figures and not reading.kind and not has_inner_figure(written):
                return False
        known = vocabulary()
        as_read = bool(reading.kind) or not written.isalpha()
        if as_read and (known.has_folded(word) or known.has_folded(word.removesuffix("s"))):
            return False
        spelt = plain(written)
        # As it is spelt: lncome is no income.
        if known.has(spelt) or known.has(spelt.removesuffix("s").removesuffix("'")):
            return False
        return not known.is_compound(word)

    def _near(
        self, stretch: str, reading: Reading, place: int, distance: int, start: int, end: int
    ) -> Iterator[Found]:
        word = reading.text[start:end]
        for index, part in self._index.word_owners[place]:
            needle = self._index.needles[index]
            if part >= 0 or needle.short or (needle.undone and needle.common):
                continue
            size = len(needle.text)
            swapped = len(word) == size and sorted(word) == sorted(needle.text)
            doubtful = size == 4 and not swapped
            if doubtful and (len(word) < 4 or reading.kind or not needle.strong):
                continue
            if needle.undone and (size < 7 or distance > 1):
                continue
            if distance > 1 and (word[0] != needle.text[0] or size < TWO or not word.isalpha()):
                continue
            # boto3 is no Botox: digits for letters and a misspelling are much in a short word.
            if reading.kind == "leet" and (distance > 1 or (size <= ONE and len(word) <= size)):
                continue
            if needle.common and size < 5 and not swapped:
                continue
            said = (_edit(len(word) - size, swapped, distance),)
            found = self._index.found(stretch, reading, index, start, end, said, -0.25)
            yield found._replace(bonus=-1.0, doubtful=True) if doubtful else found


def may_be_left(word: str) -> bool:
    """Whether a word as it is spelt may be all that is left of a mark, and few people use it."""
    known = vocabulary()
    single = word.removesuffix("s")
    if len(word) == SWAPPED - 1:
        return not (known.has(word) or known.has(single))
    rare = word if known.has(word) else single
    return known.is_rare(rare) and not (rare in _TRADE or is_product_word(classes(rare)))


def _is_left(word: str, term: str) -> bool:
    """Whether a term without one of its letters is the word."""
    return len(term) == len(word) + 1 and any(
        term[:at] + term[at + 1 :] == word for at in range(len(term))
    )


def has_inner_figure(word: str) -> bool:
    """Whether one digit stands inside a longer word: p1mpers, but no model number."""
    figures = [at for at, c in enumerate(word) if c.isdigit()]
    return len(word) >= 7 and len(figures) == 1 and 0 < figures[0] < len(word) - 1


def without_plural(word: str) -> Iterator[str]:
    """A word without an *es* that was put into it, of five letters or more."""
    if len(word) >= ONE + 2:
        for at in range(1, len(word) - 1):
            if word.startswith("es", at):
                yield word[:at] + word[at + 2 :]


def spans(words: Sequence[str]) -> list[tuple[int, int]]:
    """Each word, and a few words together that are not all ordinary: first, and behind the last."""
    found = [(at, at + 1) for at in range(len(words))]
    if 1 < len(words) <= 4:
        known = vocabulary()
        if not all(known.is_common_folded(word) for word in words):
            found.append((0, len(words)))
    return found


def _edit(longer: int, swapped: bool, distance: int) -> str:
    if distance > 1:
        return "misspelt in two letters"
    if longer:
        return "a letter dropped" if longer < 0 else "a letter added"
    return "letters swapped" if swapped else "a letter changed"
