"""Misspellings: which terms are one or two edits from a word, without comparing with each.

Two words within k edits of each other share a form with at most k letters deleted from each
(deletion neighbourhoods, as in SymSpell). Of every term only 64-bit hashes of these forms are
kept, in one sorted array; a table of flags tells most words at once that nothing is there.
Candidates are compared by optimal string alignment, so a clash of hashes costs time, no error.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

#: From how many letters on words may be misspelt at all, by one edit, and by two.
SWAPPED, ONE, TWO = 4, 5, 9
#: Longer words are no marks.
LONGEST = 40
#: Shorter than every word that may be two edits from a term.
_SHORT = TWO - 3
#: Answers kept: a glance asks first, then whoever looks properly.
_KEPT = 1024
_ONES = (1 << 64) - 1
_BASE = 0x9E3779B97F4A7C15
_POWERS = np.array([pow(_BASE, power, 1 << 64) for power in range(LONGEST + 4)], dtype=np.uint64)


def allowed(length: int) -> int:
    """Edits allowed in a term of so many letters."""
    return 2 if length >= TWO else 1 if length >= SWAPPED else 0


class Neighbours:
    """Words by their deletion neighbourhoods.

    Parameters
    ----------
    words
        Folded words; those shorter than four letters or longer than 40 are left out.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        # A key is a hash with the word's place for its last bits: sorting moves one array only.
        self._place = (1 << max(1, len(words)).bit_length()) - 1
        keys = _sorted_keys(words, self._place)
        bits = max(16, int(4 * len(keys)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._filter = np.zeros(1 << bits, dtype=np.bool_)
        self._filter[keys >> self._shift] = True
        # Where the keys with the same first bits begin: what is searched is in one or two lines of
        # the processor's cache, where halving all of them again and again reads many.
        first_bits = bits - 5
        self._first_shift = 64 - first_bits
        starts = np.full((1 << first_bits) + 1, len(keys), np.uint32)
        firsts = np.arange(1 << first_bits, dtype=np.uint64) << np.uint64(self._first_shift)
        starts[:-1] = keys.searchsorted(firsts)
        self._keys, self._starts = keys.data, starts.data
        # Words too short for two edits are near few terms, and a few slices cost less than arrays.
        self._short: dict[str, tuple[int, ...]] = {}
        for index, word in enumerate(words):
            if SWAPPED <= len(word) <= _SHORT + 1:
                place = (index,)  # one for all forms
                for form in set(_forms(word)):
                    others = self._short.get(form)
                    self._short[form] = place if others is None else others + place
        self._kept: dict[str, list[tuple[int, int]]] = {}

    def near(self, word: str) -> list[tuple[int, int]]:
        """Places of the words within the edits allowed, with their distance, nearest first."""
        if not SWAPPED - 1 <= len(word) <= LONGEST:
            return []
        known = self._kept.get(word)
        if known is not None:
            return known
        candidates = self._sharing(word)
        if not candidates:
            return []
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        known = self._kept[word] = self._compared(word, candidates)
        return known

    def any_near(self, words: Iterable[str]) -> bool:
        """Whether `near` gives anything for one of several words."""
        return any(map(self.near, words))

    def may_be_left(self, word: str) -> bool:
        """Whether a word may be all that is left of one here that lost a letter."""
        if len(word) <= _SHORT:
            return word in self._short
        if len(word) > LONGEST:
            return False
        key = _codes(word) @ _POWERS[2 : 2 + len(word)]
        return bool(self._filter[key >> self._shift])

    def _compared(self, word: str, candidates: Iterable[int]) -> list[tuple[int, int]]:
        found = []
        for candidate in candidates:
            other = self._words[candidate]
            limit = allowed(len(other))
            distance = OSA.distance(word, other, score_cutoff=limit)
            if distance <= limit:
                found.append((distance, candidate))
        return [(candidate, distance) for distance, candidate in sorted(found)]

    def _sharing(self, word: str) -> set[int]:
        """Places of the words that share a form with a word, and a few whose hashes clash."""
        if len(word) <= _SHORT:
            forms, short = _forms(word), self._short
            if short.keys().isdisjoint(forms):
                return set()
            return {place for form in forms if form in short for place in short[form]}
        hashes: NDArray[np.uint64] = _codes(word) @ _weights(len(word))
        keys, last_bits = self._keys, self._place
        found: set[int] = set()
        for key in hashes[self._filter[hashes >> self._shift]].tolist():
            bucket = key >> self._first_shift
            end = self._starts[bucket + 1]
            at = bisect_left(keys, key & ~last_bits, self._starts[bucket], end)
            while at < end and keys[at] ^ key <= last_bits:
                found.add(keys[at] & last_bits)
                at += 1
        return found


def _sorted_keys(words: Sequence[str], place: int) -> NDArray[np.uint64]:
    """The hashes of all forms of all words that a longer word than `_SHORT` may be near.

    Parameters
    ----------
    place
        The last bits, which are the word's place.
    """
    by_length: dict[int, list[int]] = {}
    for index, word in enumerate(words):
        if _SHORT <= len(word) <= LONGEST:
            by_length.setdefault(len(word), []).append(index)
    keys = [np.empty(0, np.uint64)]
    for length, indices in by_length.items():
        block = _hashes([words[index] for index in indices], length) & np.uint64(_ONES ^ place)
        block |= np.array(indices, dtype=np.uint64)
        keys.append(block.ravel())
    joined = np.concatenate(keys)
    joined.sort()
    return joined


def _codes(word: str) -> NDArray[np.uint64]:
    return np.frombuffer(word.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)


def _hashes(words: Sequence[str], length: int) -> NDArray[np.uint64]:
    """Hashes of all forms of words of one length: shape (forms, words).

    The hash of a form is the sum of its letters, each times a power of its place. With the sums
    of all beginnings for places shifted by none, one and two, a form takes two or three of them.
    """
    joined = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32)
    codes = joined.reshape(len(words), length).astype(np.uint64).T
    sums: list[Any] = []
    for shift in range(3):
        powers = _POWERS[2 - shift : 2 - shift + length]
        sums.append(
            np.concatenate(
                [np.zeros((1, len(words)), np.uint64), np.cumsum(codes * powers[:, None], axis=0)]
            )
        )
    none, one, two = sums
    forms = [none[length]]
    for i in range(length):
        forms.append(none[i] + one[length] - one[i + 1])
    if allowed(length) > 1:
        for i, j in combinations(range(length), 2):
            forms.append(none[i] + one[j] - one[i + 1] + two[length] - two[j + 1])
    return np.stack(forms)


def _forms(word: str) -> list[str]:
    """A word, and it without each of its letters."""
    return [word, *[word[:at] + word[at + 1 :] for at in range(len(word))]]


@cache
def _weights(length: int) -> NDArray[np.uint64]:
    """What each letter of a word counts in the hash of each of its forms: (letters, forms)."""
    deletions = 2 if length > _SHORT else 1
    forms = [dropped for count in range(deletions + 1)
             for dropped in combinations(range(length), count)]  # fmt: skip
    weights = np.zeros((len(forms), length), np.uint64)
    for row, dropped in zip(weights, forms, strict=True):
        kept = [at for at in range(length) if at not in dropped]
        row[kept] = _POWERS[2 : 2 + len(kept)]
    return np.ascontiguousarray(weights.T)
