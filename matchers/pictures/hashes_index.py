"""Look-up among very many 256-bit hashes: all within a radius, exactly.

Multi-index hashing (Norouzi, Punjani and Fleet, *Fast exact search in Hamming space with
multi-index hashing*, 2014): of the 16 parts of 16 bits of two hashes that differ in fewer than
48 bits, one differs in at most two bits. Every part has a table from its value to the hashes
that have it; the values near the query's are looked up, and what is found is compared in full.
"""

from __future__ import annotations

import functools
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matchers.pictures.whole import BITS, FLAT

#: Beyond, so many values are near that comparing all hashes is quicker.
MAX_RADIUS = 47
_PARTS = BITS // 16
_VALUES = 1 << 16
#: Queries looked up at a time, so that memory stays small.
_QUERIES = 16
_FILES = ("codes", "order", "starts")

Hits = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@functools.cache
def _masks(flips: int) -> NDArray[np.uint16]:
    """All values of 16 bits with at most so many ones, those with fewest first."""
    return np.array(
        [sum(1 << bit for bit in some) for ones in range(flips + 1)
         for some in combinations(range(16), ones)],
        np.uint16,
    )  # fmt: skip


class HashIndex:
    """An index over hashes; build it, save it, open it in many processes.

    Searching changes nothing: threads may share one.
    """

    def __init__(
        self, codes: NDArray[np.uint64], order: NDArray[np.uint32], starts: NDArray[np.uint32]
    ) -> None:
        if codes.shape[1:] != (4,) or starts.shape != (_PARTS, _VALUES + 1) or (
            order.ndim != 2 or len(order) != _PARTS or order.shape[1] > len(codes)
        ):  # fmt: skip
            raise ValueError("no index of 256-bit hashes")
        # Plain arrays: of memory-mapped ones NumPy makes a copy of the class for every step.
        self._codes, self._order, self._starts = map(np.asarray, (codes, order, starts))
        offsets = np.arange(_PARTS, dtype=np.int64)[:, None]
        self._first_start = offsets * (_VALUES + 1)
        self._first_order = offsets * order.shape[1]

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def codes(self) -> NDArray[np.uint64]:
        """The hashes, (n, 4), by id."""
        return self._codes

    @classmethod
    def build(cls, hashes: NDArray[np.uint8]) -> HashIndex:
        """An index over (n, 32) bytes; the hashes' ids are their rows.

        Flat hashes (`matchers.pictures.whole.FLAT`) keep their ids, and are never found.
        """
        codes = _codes(hashes)
        kept = np.flatnonzero(codes.any(axis=1)).astype(np.uint32)
        parts = codes.view(np.uint16)[kept]
        order = np.empty((_PARTS, len(kept)), np.uint32)
        starts = np.zeros((_PARTS, _VALUES + 1), np.uint32)
        for part in range(_PARTS):
            values = parts[:, part]
            order[part] = kept[np.argsort(values, kind="stable")]
            starts[part, 1:] = np.cumsum(np.bincount(values, minlength=_VALUES))
        return cls(codes, order, starts)

    def save(self, folder: Path) -> None:
        """Write it to an empty or new folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            np.save(folder / f"{name}.npy", getattr(self, f"_{name}"))

    @classmethod
    def open(cls, folder: Path) -> HashIndex:
        """Map what `save` wrote into memory; processes share the pages.

        Raises
        ------
        OSError
            If it cannot be read.
        ValueError
            If it is no such index.
        """
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in _FILES))

    def search(self, queries: NDArray[np.uint8], radius: int) -> Hits:
        """All hashes that differ from a query in at most `radius` bits.

        Returns
        -------
        tuple
            Of each hit the query's row, the hash's id and the distance in bits; by query,
            distance and id. A flat query has none.

        Raises
        ------
        ValueError
            If the radius is above `MAX_RADIUS`, or the queries are not (q, 32) bytes.
        """
        if not 0 <= radius <= MAX_RADIUS:
            raise ValueError(f"a radius is 0 to {MAX_RADIUS} bits")
        wanted = _codes(queries)
        some = np.flatnonzero(wanted.any(axis=1))
        found = [
            self._near(wanted, some[at : at + _QUERIES], radius)
            for at in range(0, len(some), _QUERIES)
        ]
        if not found:
            return (np.empty(0, np.int64),) * 3
        query, ids, distance = (np.concatenate(column) for column in zip(*found, strict=True))
        sorted_ = np.lexsort((ids, distance, query))
        return query[sorted_], ids[sorted_], distance[sorted_]

    def _near(self, wanted: NDArray[np.uint64], rows: NDArray[np.int64], radius: int) -> Hits:
        # Were each of the first parts off by more than `flips` bits, and each of the others
        # by as many at least, the whole would be off by more than the radius.
        flips, more = divmod(radius, _PARTS)
        begins, counts = self._ranges(wanted[rows], slice(0, more + 1), flips)
        if flips and more + 1 < _PARTS:
            others = self._ranges(wanted[rows], slice(more + 1, None), flips - 1)
            begins = np.concatenate([begins, others[0]], axis=1)
            counts = np.concatenate([counts, others[1]], axis=1)
        per_query = counts.sum(axis=1)
        counts = counts.ravel()
        first = begins.ravel() - (np.cumsum(counts) - counts)
        # `take` is five times as fast as indexing with an array, on rows.
        ids = self._order.ravel().take(np.repeat(first, counts) + np.arange(counts.sum()))
        ids = ids.astype(np.int64)
        query = np.repeat(rows, per_query)
        distance = _ones(self._codes.take(ids, axis=0) ^ wanted.take(query, axis=0))
        hit = np.flatnonzero(distance <= radius)
        # A hash is found once for every part that is near.
        hit = hit[np.unique(query[hit] * len(self) + ids[hit], return_index=True)[1]]
        return query[hit], ids[hit], distance[hit].astype(np.int64)

    def _ranges(
        self, wanted: NDArray[np.uint64], parts: slice, flips: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where in `order` stand the hashes of which a part is near, and how many each."""
        values = wanted.view(np.uint16)[:, parts, None] ^ _masks(flips)
        places = values + self._first_start[parts]
        starts = self._starts.ravel()
        begins = starts[places].astype(np.int64)
        counts = starts[places + 1] - begins
        begins += self._first_order[parts]
        return begins.reshape(len(wanted), -1), counts.reshape(len(wanted), -1)


def _codes(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    if hashes.ndim != 2 or hashes.shape[1] != len(FLAT) or hashes.dtype != np.uint8:
        raise ValueError("hashes are rows of 32 bytes")
    return np.ascontiguousarray(hashes).view("<u8")


def _ones(codes: NDArray[np.uint64]) -> NDArray[np.uint16]:
    counts = np.bitwise_count(codes)
    # Of four columns of at most 64 each the sum may reach 256.
    total: NDArray[np.uint16] = counts[:, 0].astype(np.uint16)
    for column in (1, 2, 3):
        total += counts[:, column]
    return total
