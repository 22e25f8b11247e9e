"""Misspellings: which terms are one or two edits from a word, without comparing with each.

Two words within k edits of each other share a form with at most k letters deleted from each
(deletion neighbourhoods, as in SymSpell). Of every term only 64-bit hashes of these forms are
kept, in one sorted array; a table of flags tells most words at once that nothing is there.
Candidates are compared by optimal string alignment, so a clash of hashes costs time, no error.
"""

from __future__ import annotations

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
        by_length: dict[int, list[int]] = {}
        for index, word in enumerate(words):
            if SWAPPED <= len(word) <= LONGEST:
                by_length.setdefault(len(word), []).append(index)
        # A key is a hash with the word's place for its last bits: sorting moves one array only.
        self._place = np.uint64((1 << max(1, len(words)).bit_length()) - 1)
        keys: list[NDArray[np.uint64]] = []
        for length, indices in by_length.items():
            block = _hashes([words[index] for index in indices], length) & ~self._place
            block |= np.array(indices, dtype=np.uint64)
            keys.append(block.ravel())
        self._keys = np.concatenate(keys) if keys else np.empty(0, np.uint64)
        self._keys.sort()
        bits = max(16, int(4 * len(self._keys)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._filter = np.zeros(1 << bits, dtype=np.bool_)
        self._filter[self._keys >> self._shift] = True
        self._kept: dict[str, list[tuple[int, int]]] = {}
        # The same for words too short for two edits: a few slices cost less than an array.
        self._short = {
            form for word in words if SWAPPED <= len(word) <= _SHORT + 1 for form in _forms(word)
        }

    def near(self, word: str) -> list[tuple[int, int]]:
        """Places of the words within the edits allowed, with their distance, nearest first."""
        if not SWAPPED - 1 <= len(word) <= LONGEST:
            return []
        if len(word) <= _SHORT and self._short.isdisjoint(_forms(word)):
            return []
        known = self._kept.get(word)
        if known is None:
            known = self._compared(word)
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[word] = known
        return known

    def _compared(self, word: str) -> list[tuple[int, int]]:
        keys = self._held([word])
        if not len(keys):
            return []
        first = self._keys.searchsorted(keys & ~self._place)
        last = self._keys.searchsorted(keys | self._place, side="right")
        candidates = {
            place
            for start, end in zip(first.tolist(), last.tolist(), strict=True)
            for place in (self._keys[start:end] & self._place).tolist()
        }
        found = []
        for candidate in candidates:
            other = self._words[candidate]
            limit = allowed(len(other))
            distance = OSA.distance(word, other, score_cutoff=limit)
            if distance <= limit:
                found.append((distance, candidate))
        return [(candidate, distance) for distance, candidate in sorted(found)]

    def any_near(self, words: Iterable[str]) -> bool:
        """Whether `near` gives anything for one of several words."""
        groups: dict[int, list[str]] = {}
        for word in words:
            if len(word) <= _SHORT:
                if not self._short.isdisjoint(_forms(word)) and self.near(word):
                    return True
            elif len(word) <= LONGEST:
                groups.setdefault(len(word), []).append(word)
        return any(
            len(self._held(group)) and any(map(self.near, group)) for group in groups.values()
        )

    def _held(self, words: Sequence[str]) -> NDArray[np.uint64]:
        """Hashes of the forms of words of one length that are forms of words here, too."""
        length = len(words[0])
        joined = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32)
        codes = joined.astype(np.uint64).reshape(len(words), length)
        keys: NDArray[np.uint64] = (codes @ _weights(length)).ravel()
        keys = keys[self._filter[keys >> self._shift]]
        if not len(keys):
            return keys
        first = self._keys.searchsorted(keys & ~self._place)
        nearest = self._keys[np.minimum(first, len(self._keys) - 1)]
        held: NDArray[np.uint64] = keys[(nearest ^ keys) <= self._place]
        return held


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
