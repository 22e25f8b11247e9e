"""Chinese marks by their sound, and with one character changed.

Homophones count from three syllables on. Two characters have too many ordinary homophones: such
an alias must be registered as a term of its own (transliteration or nickname). Two syllables
count only where Latin letters stand for one of them: 耐ke.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

import ahocorasick_rs
from rapidfuzz.distance import OSA

from matchers.words.fold import TABLES, is_han
from matchers.words.vocabulary import chinese_words

#: Sounds that many speakers do not tell apart.
_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))
_LATIN = re.compile(r"[a-z]{1,6}")
#: A character of a private area for each sound.
_FIRST = 0xF0000


class _Sounds:
    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.other: dict[str, list[str]] = {}
        self.code: dict[str, str] = {}
        for line in (TABLES / "pinyin.tsv").read_text(encoding="utf-8").splitlines():
            syllable, first, other = line.split("\t")
            sound = self._sound(syllable)
            self.code.setdefault(sound, chr(_FIRST + len(self.code)))
            self.code[syllable] = self.code[sound]
            for c in first:
                self.first[c] = syllable
            for c in other:
                self.other.setdefault(c, []).append(syllable)
        # Folded text has i for l.
        self.folded = {syllable.replace("l", "i"): code for syllable, code in self.code.items()}

    @staticmethod
    def _sound(syllable: str) -> str:
        for careful, lazy in _ALIKE[:3]:
            if syllable.startswith(careful):
                syllable = lazy + syllable[len(careful) :]
        for careful, lazy in _ALIKE[3:]:
            if syllable.endswith(careful):
                syllable = syllable[: -len(careful)] + lazy
        return syllable


@cache
def _sounds() -> _Sounds:
    return _Sounds()


def pinyin_of(word: str) -> list[str]:
    """The syllables of simplified Chinese characters, without tones; empty if one is not known."""
    first = _sounds().first
    syllables = [first.get(c, "") for c in word]
    return syllables if all(syllables) else []


class ChineseFinder:
    """Terms in Chinese characters, by sound and with one character changed.

    Parameters
    ----------
    words
        Simplified; those with other characters are left out.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        sounds = _sounds()
        self._sound_owners: list[int] = []
        patterns: list[str] = []
        self._half_owners: list[tuple[int, int]] = []
        halves: list[str] = []
        for index, word in enumerate(words):
            if len(word) < 2 or not all(map(is_han, word)):
                continue
            syllables = pinyin_of(word)
            if syllables:
                patterns.append("".join(sounds.code[s] for s in syllables))
                self._sound_owners.append(index)
            if len(word) >= 4 and not _ordinary_halves(word):
                middle = len(word) // 2
                halves += [word[:middle], word[middle:]]
                self._half_owners += [(index, 0), (index, middle)]
        self._sounds = ahocorasick_rs.AhoCorasick(patterns) if patterns else None
        self._halves = ahocorasick_rs.AhoCorasick(halves) if halves else None

    def find(self, text: str) -> Iterator[tuple[int, int, int, str]]:
        """Word, start, end, and in words what was undone, for a folded text of letters only."""
        if self._sounds is not None:
            yield from self._by_sound(text)
        if self._halves is not None:
            yield from self._changed(text)

    def _by_sound(self, text: str) -> Iterator[tuple[int, int, int, str]]:
        assert self._sounds is not None
        usual = ""
        for rare in (False, True):
            units, places = _units(text, rare)
            if rare and units == usual:
                return
            usual = units
            for pattern, start, end in self._sounds.find_matches_as_indexes(
                units, overlapping=True
            ):
                index = self._sound_owners[pattern]
                first, last = places[start], places[end]
                written = text[first:last]
                word = self._words[index]
                if written == word:
                    continue
                latin = not all(map(is_han, written))
                if latin:
                    if any(map(is_han, written)):
                        yield index, first, last, "pinyin"
                elif len(word) >= 3 and not _ordinary(written, word):
                    yield index, first, last, "characters of the same sound"

    def _changed(self, text: str) -> Iterator[tuple[int, int, int, str]]:
        """One character dropped, added, changed or swapped, in a word of four or more."""
        assert self._halves is not None
        for pattern, start, _ in self._halves.find_matches_as_indexes(text, overlapping=True):
            index, offset = self._half_owners[pattern]
            word = self._words[index]
            size = len(word)
            # The half stands where it should, or one off; the other half is what was changed.
            best: tuple[int, int, int] | None = None
            for first in {start - offset, start - offset + 1, start - offset - 1}:
                for last in (first + size, first + size - 1, first + size + 1):
                    if first < 0 or last > len(text) or text[first:last] == word:
                        continue
                    window = text[first:last]
                    if not all(map(is_han, window)) or OSA.distance(window, word) != 1:
                        continue
                    if chinese_words().has(window) or word in window:
                        continue
                    rank = (abs(len(window) - size), first, last)
                    best = rank if best is None else min(best, rank)
            if best is not None:
                yield index, best[1], best[2], "a character changed, dropped or added"


def _units(text: str, rare: bool) -> tuple[str, list[int]]:
    """A sound for each character, or for each syllable in Latin letters; and where they begin."""
    sounds = _sounds()
    units: list[str] = []
    places: list[int] = []
    at = 0
    while at < len(text):
        c = text[at]
        places.append(at)
        if c in sounds.first:
            others = sounds.other.get(c) if rare else None
            units.append(sounds.code[others[0] if others else sounds.first[c]])
            at += 1
            continue
        run = _LATIN.match(text, at)
        syllable = run and next(
            (run.group()[:n] for n in range(len(run.group()), 0, -1)
             if run.group()[:n] in sounds.folded), None
        )  # fmt: skip
        units.append(sounds.folded[syllable] if syllable else "\0")
        at += len(syllable) if syllable else 1
    places.append(len(text))
    return "".join(units), places


def _ordinary(written: str, word: str) -> bool:
    """Whether what is written is ordinary words, so that the same sound is chance."""
    known = chinese_words()
    if known.has(written):
        return True
    same = sum(a == b for a, b in zip(written, word, strict=True))
    if same * 2 >= len(word):
        return False
    # Two words beside each other: 阿姨 + 打的.
    return any(
        known.has(written[:cut]) and (cut + 1 == len(written) or known.has(written[cut:]))
        for cut in range(2, len(written))
    )


def _ordinary_halves(word: str) -> bool:
    """Whether a word is two ordinary ones, so that one character makes another thing of it."""
    known = chinese_words()
    return any(known.has(word[:cut]) and known.has(word[cut:]) for cut in range(2, len(word) - 1))
