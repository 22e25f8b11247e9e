"""The corners of all references, and which references a picture's corners vote for.

Nearest neighbours in an inverted file, weighed by how much nearer they are than the rest
(Jégou, Douze and Schmid, *Exploiting descriptor distances for precise image search*, 2011), and
by whether they agree on size and turn (the same, *Hamming embedding and weak geometric
consistency*, 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from matchers.pictures.features import MIRROR, STEP, WIDTH, Features
from matchers.pictures.geometry import agreement
from matchers.pictures.traits import unpack

_NEIGHBOURS = 10
_COUNTED = 256
_LOOKED_AT = 16
_VOTES_LOOKED_AT = 40
_LEAST_SUPPORT = 3
_TURN_BINS, _SIZE_BINS = 12, 8
_TRAINED_ON = 60_000
_SEED = 7
#: Its stubs do not know all that it has.
_FAISS: Any = faiss


@dataclass(frozen=True, slots=True)
class Vote:
    """A reference that may be seen, mirrored or not.

    Parameters
    ----------
    support
        Votes that agree on one geometry.
    weight
        Of the votes that agree on size and turn.
    """

    reference: int
    mirrored: bool
    support: int
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Corners:
    """The corners of all references.

    Parameters
    ----------
    inverted
        faiss index over the descriptors' directions.
    corners, descriptors
        Of all references, one after another.
    owners
        Whose each corner is.
    starts
        Where each reference's corners begin, and the end.
    sizes
        Width and height of each reference's working picture.
    probes
        Cells of the inverted file that are searched for each corner.
    rows
        Of which corner each entry of the inverted file is; None where it holds all in order.
    """

    inverted: Any
    corners: NDArray[np.void]
    descriptors: NDArray[np.int8]
    owners: NDArray[np.int32]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int32]
    probes: int = 5
    rows: NDArray[np.int64] | None = None

    def size(self, reference: int) -> tuple[int, int]:
        """Width and height of a reference's working picture."""
        width, height = self.sizes[reference]
        return int(width), int(height)

    def of(self, reference: int) -> Features:
        """A reference's corners."""
        begin, end = self.starts[reference], self.starts[reference + 1]
        return unpack(self.corners[begin:end], self.descriptors[begin:end])

    def vote(
        self,
        seen: Features,
        vectors: NDArray[np.float32],
        allowed: NDArray[np.bool_] | None,
        voters: int,
        most: int,
    ) -> list[Vote]:
        """The references that a picture's corners speak for, the best first.

        Parameters
        ----------
        seen, vectors
            The picture's corners, and their descriptors as unit vectors.
        allowed
            Of each reference, whether it may be found; None for all.
        voters
            How many corners vote, the best of every tile.
        most
            How many to give.
        """
        count = min(len(seen), voters)
        if not count or not self.inverted.ntotal:
            return []
        queries = np.concatenate([vectors[:count], vectors[:count] * MIRROR])
        near, rows = self._nearest(queries, allowed)
        # How much nearer than the last: what is alike to everything says nothing.
        weight = np.clip(1 - near / (near[:, -1:] + 1e-6), 0, 1)
        weight[rows < 0] = 0
        flat = np.flatnonzero(weight.ravel() > 0.02)
        row, value, query = rows.ravel()[flat], weight.ravel()[flat], flat // rows.shape[1]
        mirrored = query >= count
        query %= count
        side = self.owners[row].astype(np.int64) * 2 + mirrored
        sides = 2 * len(self.sizes)
        plain = np.bincount(side, value, sides)
        few = np.argsort(-plain, kind="stable")[:_COUNTED]
        few = few[plain[few] > 0]
        if not len(few):
            return []
        place_of = np.full(sides, -1, np.int64)
        place_of[few] = np.arange(len(few))
        local = place_of[side]
        kept = local >= 0
        local, row, value, query, mirrored = (
            part[kept] for part in (local, row, value, query, mirrored)
        )
        score = self._consistent(seen, local, row, value, query, mirrored, len(few))
        by_side = np.argsort(local, kind="stable")
        bounds = np.searchsorted(local[by_side], np.arange(len(few) + 1))
        votes = []
        for i in np.argsort(-score, kind="stable")[:_LOOKED_AT].tolist():
            of = by_side[bounds[i] : bounds[i + 1]]
            of = of[np.argsort(-value[of], kind="stable")[:_VOTES_LOOKED_AT]]
            reference, flip = int(few[i] // 2), bool(few[i] % 2)
            pairs = (query[of], row[of] - self.starts[reference])
            support = self._support(seen, reference, pairs, flip)
            if support >= _LEAST_SUPPORT:
                votes.append(Vote(reference, flip, support, float(score[i])))
        votes.sort(key=lambda vote: (-vote.support, -vote.weight))
        return votes[:most]

    def _consistent(
        self,
        seen: Features,
        local: NDArray[np.int64],
        row: NDArray[np.int64],
        value: NDArray[np.float32],
        query: NDArray[np.int64],
        mirrored: NDArray[np.bool_],
        count: int,
    ) -> NDArray[np.float64]:
        """Of each candidate, the weight of the votes that agree on size and turn."""
        corners = self.corners[row]
        theirs = corners["angle"].astype(np.float32) * np.float32(2 * np.pi / 256)
        turn = seen.angles[query] - np.where(mirrored, np.pi - theirs, theirs)
        turn = (turn / (2 * np.pi)) % 1 * _TURN_BINS
        size = np.log2(seen.scales[query]) - corners["level"] * np.log2(STEP)
        size = np.clip(size * 1.25 + _SIZE_BINS / 2, 0, _SIZE_BINS - 1.001)
        best = np.zeros(count * _TURN_BINS * _SIZE_BINS)
        # Bins that overlap by half, so that no vote falls between two.
        for half_turn in (0.0, 0.5):
            for half_size in (0.0, 0.5):
                bins = local * _TURN_BINS + (turn + half_turn).astype(np.int64) % _TURN_BINS
                bins = bins * _SIZE_BINS + (size + half_size).astype(np.int64)
                best = np.maximum(best, np.bincount(bins, value, len(best)))
        return np.asarray(best.reshape(count, -1).max(1), np.float64)

    def _support(
        self,
        seen: Features,
        reference: int,
        pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
        mirrored: bool,
    ) -> int:
        near = agreement(seen, self.of(reference), pairs, mirrored, max(self.size(reference)))
        lines = np.argsort(-near.sum(1), kind="stable")[:2]
        # One corner that is alike to many counts once.
        return max(len(np.unique(pairs[1][near[line]])) for line in lines)

    def _nearest(
        self, queries: NDArray[np.float32], allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        chosen = None
        if allowed is not None:
            entries = np.zeros(len(self.owners), np.bool_)
            for number in np.flatnonzero(allowed):
                entries[self.starts[number] : self.starts[number + 1]] = True
            if self.rows is not None:
                entries = entries[self.rows]
            # A bit for each entry: a set of their numbers costs more than the search.
            chosen = _FAISS.IDSelectorBitmap(np.packbits(entries, bitorder="little"))
        how: Any = None
        if isinstance(self.inverted, _FAISS.IndexIVF):
            how = _FAISS.SearchParametersIVF(nprobe=self.probes, sel=chosen)
        elif chosen is not None:
            how = _FAISS.SearchParameters(sel=chosen)
        count = min(_NEIGHBOURS, self.inverted.ntotal)
        near, rows = self.inverted.search(np.asarray(queries, np.float32), count, params=how)
        near = np.where(rows < 0, np.inf, near)
        if self.rows is not None:
            rows = np.where(rows < 0, rows, self.rows[rows])
        # Where fewer were found, the rest are as far as the furthest.
        furthest = np.where(np.isfinite(near), near, 0).max(1, keepdims=True)
        return np.where(np.isfinite(near), near, furthest), rows


def invert(descriptors: NDArray[np.int8], flat_below: int) -> Any:
    """An inverted file over descriptors: cells of a product of two small codebooks.

    Fewer descriptors than `flat_below` are kept as they are, and searched one by one. The same
    descriptors give the same file.
    """
    count = len(descriptors)
    if count < flat_below:
        flat = _FAISS.IndexFlatL2(WIDTH)
        if count:
            flat.add(directions(descriptors))
        return flat
    bits = 5 if count < 100_000 else 6 if count < 600_000 else 7
    cells = _FAISS.MultiIndexQuantizer(WIDTH, 2, bits)
    inverted = _FAISS.IndexIVFPQFastScan(cells, WIDTH, 4**bits, WIDTH // 2, 4)
    inverted.by_residual = False
    inverted.quantizer_trains_alone = 1
    inverted.own_fields = True
    cells.this.disown()
    dice = np.random.default_rng(_SEED)
    sample = np.sort(dice.choice(count, min(count, _TRAINED_ON), replace=False))
    inverted.train(directions(descriptors[sample]))
    for start in range(0, count, 200_000):
        inverted.add(directions(descriptors[start : start + 200_000]))
    return inverted


def directions(descriptors: NDArray[np.int8]) -> NDArray[np.float32]:
    """Descriptors as unit vectors."""
    floats = np.asarray(descriptors, np.float32)
    floats /= np.linalg.norm(floats, axis=1, keepdims=True) + 1e-6
    return floats
