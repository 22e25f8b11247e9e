"""All reference pictures in one index; a listing's picture is looked up in it.

Recall first: the listing's corners vote for references that have alike ones
(`matchers.pictures.voting`), and its whole hash in eight positions is held against all. Logos,
which are small in what shows them, are voted for once more by the corners of a finer picture. Then
precision: geometry and pixels, on the few best candidates only (`matchers.pictures.geometry`),
and a verdict (`matchers.pictures.verdict`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from matchers.pictures import verdict
from matchers.pictures.decode import Decoded
from matchers.pictures.features import FINE_CORNERS, WIDTH
from matchers.pictures.geometry import Placement, compare, pair, place
from matchers.pictures.guided import SecondLook, look_again
from matchers.pictures.hashes_index import MAX_RADIUS, HashIndex
from matchers.pictures.seen import Hashes, Place, Seen, View
from matchers.pictures.traits import CORNER, Kind, Traits
from matchers.pictures.verdict import Evidence
from matchers.pictures.voting import Corners, invert
from matchers.pictures.whole import BITS
from matchers.values import Outline

#: Of the index's files.
VERSION = 3

#: Candidates by corners, and by hash, that are looked at.
_CANDIDATES, _BY_HASH = 6, 3
#: The best by corners always is; others from so many votes that agree.
_ALWAYS, _WORTH_IT = 1, 6
#: Fewer agree by chance.
_LEAST_INLIERS = 5
#: Corners of the listing's picture that vote for references.
_VOTERS = 200
#: For logos all do; in so few cells of the inverted file are those searched that are like one.
_LOGO_PROBES = 2
#: Fewer corners than this are searched one by one; of logos, for which more vote, fewer.
_FLAT_BELOW, _LOGOS_FLAT_BELOW = 20_000, 2_000
#: Bits of 256: up to so many a reference is a candidate; up to the other, the pixels may
#: decide at once.
_HASH_LIMIT = MAX_RADIUS
_AT_ONCE = 28
#: The same for a cell of a collage.
_CELL_LIMIT = 31


@dataclass(frozen=True, slots=True)
class Reference:
    """A registered picture; `key` is the caller's."""

    key: str
    kind: Kind
    traits: Traits


@dataclass(frozen=True, slots=True)
class Found:
    """A reference seen in a listing's picture; the fields are `values.PictureMatch`'s."""

    key: str
    kind: Kind
    distance: int
    view: str
    inliers: int
    confidence: float
    listing_outline: Outline
    reference_outline: Outline


class ReferenceIndex:
    """An index over references; build it, save it, open it in many processes.

    Searching changes nothing: threads may share one.
    """

    def __init__(
        self,
        parts: dict[str, NDArray[Any]],
        keys: list[str],
        inverted: Any,
        inverted_logos: Any,
        hashes: HashIndex,
    ) -> None:
        self._parts = parts
        self._keys = keys
        self._hashes = hashes
        self._corners = Corners(
            inverted,
            corners=parts["corners"],
            descriptors=parts["descriptors"],
            owners=parts["owners"],
            starts=parts["starts"],
            sizes=parts["sizes"],
        )
        self._logos = replace(
            self._corners, inverted=inverted_logos, probes=_LOGO_PROBES, rows=parts["logo_rows"]
        )

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keys(self) -> Sequence[str]:
        """Of all references, in the order in which they were added."""
        return self._keys

    @classmethod
    def build(cls, items: Iterable[Reference]) -> ReferenceIndex:
        """An index in memory, the same for the same references in the same order."""
        keys, logos, sizes, originals, hashes = [], [], [], [], []
        corners, descriptors, thumbs, shapes = [], [], [], []
        for item in items:
            kept = item.traits
            keys.append(item.key)
            logos.append(item.kind == "logo")
            sizes.append(kept.size)
            originals.append((kept.width, kept.height))
            hashes.append(kept.whole)
            corners.append(kept.corners)
            descriptors.append(kept.descriptors)
            thumbs.append(kept.thumb.ravel())
            shapes.append(kept.thumb.shape)
        counts = np.array([len(c) for c in corners], np.int64)
        parts: dict[str, NDArray[Any]] = {
            "logos": np.array(logos, np.bool_),
            "sizes": np.array(sizes, np.int32).reshape(-1, 2),
            "originals": np.array(originals, np.int64).reshape(-1, 2),
            "corners": np.concatenate([np.zeros(0, CORNER), *corners]),
            "descriptors": np.concatenate([np.zeros((0, WIDTH), np.int8), *descriptors]),
            "owners": np.repeat(np.arange(len(keys), dtype=np.int32), counts),
            "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            "thumbs": np.concatenate([np.zeros(0, np.uint8), *thumbs]),
            "shapes": np.array(shapes, np.int32).reshape(-1, 2),
            "thumb_starts": np.concatenate([[0], np.cumsum([len(t) for t in thumbs])]).astype(
                np.int64
            ),
        }
        parts["logo_rows"] = np.flatnonzero(parts["logos"][parts["owners"]])
        rows = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32)
        return cls(
            parts,
            keys,
            invert(parts["descriptors"], _FLAT_BELOW),
            invert(parts["descriptors"][parts["logo_rows"]], _LOGOS_FLAT_BELOW),
            HashIndex.build(rows),
        )

    def save(self, folder: Path) -> None:
        """Write the index to a folder, which is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in self._parts.items():
            np.save(folder / f"{name}.npy", part, allow_pickle=False)
        faiss.write_index(self._corners.inverted, str(folder / "corners.faiss"))
        faiss.write_index(self._logos.inverted, str(folder / "logos.faiss"))
        self._hashes.save(folder / "hashes")
        about = {"version": VERSION, "keys": self._keys}
        (folder / "index.json").write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> ReferenceIndex:
        """Open a saved index; its parts are mapped into memory, so processes share them.

        Raises
        ------
        ValueError
            If the folder holds none, or one of another version.
        """
        try:
            about = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise ValueError(f"{folder} holds no picture index: {problem}") from problem
        if about.get("version") != VERSION:
            raise ValueError(
                f"{folder} holds an index of version {about.get('version')}; this program "
                f"reads {VERSION}: build it anew"
            )
        parts = {
            # As plain arrays: a mapped one makes a copy of its class for every step.
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in _PARTS
        }
        inverted, logos = (
            faiss.read_index(str(folder / name), faiss.IO_FLAG_MMAP)
            for name in ("corners.faiss", "logos.faiss")
        )
        return cls(parts, about["keys"], inverted, logos, HashIndex.open(folder / "hashes"))

    def search(
        self,
        decoded: Decoded,
        keys: frozenset[str] | None = None,
        candidates: Collection[str] = (),
    ) -> list[Found]:
        """The references seen in a picture, the surest first.

        Parameters
        ----------
        keys
            Only these references; None for all.
        candidates
            References that other means suggest. They are looked at closely as well, and are
            found only if geometry and pixels say so.
        """
        found = []
        for reference, evidence in self.weigh(decoded, keys, candidates):
            confidence = verdict.confidence(evidence)
            if confidence < 0.5:
                continue
            found.append(self._found(reference, evidence, confidence))
        return sorted(found, key=lambda f: (-f.confidence, -f.inliers, f.key))

    def weigh(
        self,
        decoded: Decoded,
        keys: frozenset[str] | None = None,
        candidates: Collection[str] = (),
    ) -> Iterator[tuple[int, Evidence]]:
        """The evidence for every candidate, before it is judged; for setting thresholds."""
        if not self._keys:
            return
        allowed = None
        if keys is not None:
            allowed = np.zeros(len(self._keys), np.bool_)
            allowed[[self._numbers[key] for key in keys if key in self._numbers]] = True
            if not allowed.any():
                return
        seen = Seen(decoded)
        best: dict[int, Evidence] = {}
        for reference, held, distance in self._near(seen.whole, _HASH_LIMIT, allowed):
            best[reference] = self._by_hash(seen, reference, held, distance)
        # The whole picture is one reference, hardly changed: no corners are needed.
        whole = {
            reference: evidence
            for reference, evidence in best.items()
            if evidence.distance <= _AT_ONCE and verdict.beyond_doubt(evidence)
        }
        if whole:
            yield from whole.items()
            return
        for reference, cell, _ in self._near(seen.cells, _CELL_LIMIT, allowed):
            if reference not in best:
                whole_bits = self._distance(seen, reference)
                best[reference] = self._by_hash(seen, reference, cell, whole_bits)
        sides = self._voted(self._corners, seen.view, allowed, _VOTERS)
        for key in set(candidates):
            number = self._numbers.get(key)
            if number is not None and (allowed is None or allowed[number]):
                sides += [(number, False), (number, True)]
        looks = [(seen.view, *side) for side in dict.fromkeys(sides)]
        logos = self._parts["logos"] if allowed is None else self._parts["logos"] & allowed
        if logos.any():
            sides = self._voted(self._logos, seen.fine, allowed, FINE_CORNERS)
            looks += [(seen.fine, *side) for side in sides]
        for view, reference, mirrored in looks:
            weighed = self._by_corners(seen, view, reference, mirrored)
            if weighed is not None:
                _keep(best, reference, weighed)
        yield from best.items()

    def _voted(
        self, corners: Corners, view: View, allowed: NDArray[np.bool_] | None, voters: int
    ) -> list[tuple[int, bool]]:
        """The references that a view's corners speak for, and whether mirrored."""
        voted = corners.vote(view.features, view.vectors, allowed, voters, _CANDIDATES)
        return [
            (vote.reference, vote.mirrored)
            for rank, vote in enumerate(voted)
            if rank < _ALWAYS or vote.support >= _WORTH_IT
        ]

    def _near(
        self, hashes: Hashes, limit: int, allowed: NDArray[np.bool_] | None
    ) -> Iterator[tuple[int, Place, int]]:
        """The nearest by hash, each where it is nearest: number, place, bits."""
        rows, numbers, bits = self._hashes.search(hashes.rows.view(np.uint8), limit)
        given: set[int] = set()
        for hit in np.lexsort((rows, numbers, bits)):
            number = int(numbers[hit])
            if number in given or (allowed is not None and not allowed[number]):
                continue
            if len(given) == _BY_HASH:
                return
            given.add(number)
            yield number, hashes.places[int(rows[hit])], int(bits[hit])

    def _distance(self, seen: Seen, reference: int) -> int:
        """Between the whole hashes, in the best of eight positions; a flat one is far from all."""
        theirs = self._hashes.codes[reference]
        ours = seen.whole.rows[seen.whole.rows.any(1)]
        if not theirs.any() or not len(ours):
            return BITS
        return int(np.bitwise_count(ours ^ theirs).sum(1, dtype=np.int64).min())

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {key: number for number, key in enumerate(self._keys)}

    def _by_corners(
        self, seen: Seen, view: View, reference: int, mirrored: bool
    ) -> Evidence | None:
        theirs = self._corners.of(reference)
        size = self._corners.size(reference)
        pairs = pair(view.vectors, theirs.descriptors, mirrored)
        placed = place(view.features, theirs, pairs, mirrored, size, view.size)
        if placed is None or placed.inliers < _LEAST_INLIERS:
            return None
        again = look_again(view.scales, theirs, placed.transform, mirrored, size)
        return self._evidence(view, reference, placed, self._distance(seen, reference), again)

    def _by_hash(self, seen: Seen, reference: int, held: Place, distance: int) -> Evidence:
        theirs = self._corners.of(reference)
        size = self._corners.size(reference)
        transform = held.transform(size)
        again = look_again(seen.view.scales, theirs, transform, held.mirrored, size)
        placed = Placement(transform, 0, 0, 0, 0)
        return self._evidence(seen.view, reference, placed, distance, again)

    def _evidence(
        self,
        view: View,
        reference: int,
        placed: Placement,
        distance: int,
        again: SecondLook,
    ) -> Evidence:
        height, width = self._parts["shapes"][reference]
        begin = self._parts["thumb_starts"][reference]
        thumb = np.asarray(self._parts["thumbs"][begin : begin + height * width])
        size = self._corners.size(reference)
        zoom = np.array(
            [[size[0] / width, 0, size[0] / width / 2 - 0.5],
             [0, size[1] / height, size[1] / height / 2 - 0.5], [0, 0, 1]]
        )  # fmt: skip
        alike = compare(view.levels, thumb.reshape(height, width), placed.transform @ zoom)
        return Evidence(
            kind="logo" if self._parts["logos"][reference] else "reference",
            placed=placed,
            size=size,
            listing_size=view.size,
            distance=distance,
            alike=alike,
            again=again,
        )

    def _found(self, reference: int, evidence: Evidence, confidence: float) -> Found:
        listing, own = verdict.outlines(evidence)
        return Found(
            key=self._keys[reference],
            kind=evidence.kind,
            distance=evidence.distance,
            view=verdict.view(evidence),
            inliers=evidence.placed.inliers,
            confidence=confidence,
            listing_outline=listing,
            reference_outline=own,
        )


_PARTS = (
    "logos", "sizes", "originals", "corners", "descriptors", "owners", "starts",
    "thumbs", "shapes", "thumb_starts", "logo_rows",
)  # fmt: skip


def _keep(best: dict[int, Evidence], reference: int, evidence: Evidence) -> None:
    before = best.get(reference)
    if before is None or verdict.confidence(evidence) > verdict.confidence(before):
        best[reference] = evidence
