"""The index finds what comparing with every hash finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matchers.pictures.hashes_index import MAX_RADIUS, HashIndex
from matchers.pictures.whole import FLAT

Bytes = NDArray[np.uint8]
Rows = list[tuple[int, int, int]]


def rows(hits: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]) -> Rows:
    return list(zip(*(column.tolist() for column in hits), strict=True))


def scan(hashes: Bytes, queries: Bytes, radius: int) -> Rows:
    """The plain answer, sorted by query, distance and id."""
    apart = np.bitwise_count(queries[:, None] ^ hashes[None]).sum(axis=2)
    apart[~queries.any(axis=1)] = 999
    apart[:, ~hashes.any(axis=1)] = 999
    found = [(int(q), int(i), int(apart[q, i])) for q, i in np.argwhere(apart <= radius)]
    return sorted(found, key=lambda row: (row[0], row[2], row[1]))


def near(hashes: Bytes, dice: np.random.Generator, bits: NDArray[np.int64]) -> Bytes:
    """Copies of random hashes, each with so many bits turned."""
    turned = np.unpackbits(hashes[dice.integers(0, len(hashes), len(bits))], axis=1)
    for row, count in zip(turned, bits, strict=True):
        row[dice.permutation(256)[:count]] ^= 1
    return np.packbits(turned, axis=1)


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(0, 40), st.integers(0, MAX_RADIUS)
)
def test_it_is_exact(seed: int, count: int, asked: int, radius: int) -> None:
    dice = np.random.default_rng(seed)
    hashes = dice.integers(0, 256, (count, 32), np.uint8)
    # Near-alike ones, the same twice, and flat ones.
    hashes[count // 2 :] = near(hashes[: count // 2 + 1], dice, dice.integers(0, 60, count))[
        : count - count // 2
    ]
    hashes[dice.integers(0, count)] = np.frombuffer(FLAT, np.uint8)
    queries = near(hashes, dice, dice.integers(0, 60, asked))
    index = HashIndex.build(hashes)
    assert rows(index.search(queries, radius)) == scan(hashes, queries, radius)


@pytest.mark.parametrize("radius", range(MAX_RADIUS + 1))
def test_bits_turned_in_the_worst_places_are_found(radius: int) -> None:
    """As evenly over the parts as can be, and all in few parts."""
    dice = np.random.default_rng(radius)
    hashes = dice.integers(0, 256, (200, 32), np.uint8)
    queries = np.unpackbits(hashes[:2], axis=1)
    even = [16 * (turn % 16) + turn // 16 for turn in range(radius)]
    queries[0, even] ^= 1
    queries[1, :radius] ^= 1
    found = rows(HashIndex.build(hashes).search(np.packbits(queries, axis=1), radius))
    assert found == [(0, 0, radius), (1, 1, radius)]


def test_it_agrees_with_faiss(tmp_path: Path) -> None:
    dice = np.random.default_rng(3)
    hashes = dice.integers(0, 256, (20_000, 32), np.uint8)
    queries = near(hashes, dice, dice.integers(0, 60, 100))
    HashIndex.build(hashes).save(tmp_path / "index")
    index = HashIndex.open(tmp_path / "index")
    assert len(index) == 20_000
    flat = faiss.IndexBinaryFlat(256)
    flat.add(hashes)
    limits, distances, ids = flat.range_search(queries, MAX_RADIUS + 1)
    expected = {
        (query, int(ids[at]), int(distances[at]))
        for query in range(len(queries))
        for at in range(limits[query], limits[query + 1])
    }
    found = rows(index.search(queries, MAX_RADIUS))
    assert len(found) == len(expected) > 50
    assert set(found) == expected


def test_nothing_and_nonsense(tmp_path: Path) -> None:
    none = np.empty((0, 32), np.uint8)
    one = np.full((1, 32), 7, np.uint8)
    assert rows(HashIndex.build(none).search(one, 30)) == []
    index = HashIndex.build(one)
    assert rows(index.search(none, 30)) == []
    for radius in (-1, MAX_RADIUS + 1):
        with pytest.raises(ValueError, match="radius"):
            index.search(one, radius)
    shapes: list[NDArray[Any]] = [
        np.zeros((3, 31), np.uint8),
        np.zeros(32, np.uint8),
        np.zeros((3, 32), np.int64),
    ]
    for bad in shapes:
        with pytest.raises(ValueError, match="32 bytes"):
            HashIndex.build(bad)
    index.save(tmp_path)
    np.save(tmp_path / "starts.npy", np.zeros((3, 3), np.uint32))
    with pytest.raises(ValueError, match="no index"):
        HashIndex.open(tmp_path)
    with pytest.raises(OSError, match="No such file"):
        HashIndex.open(tmp_path / "elsewhere")
