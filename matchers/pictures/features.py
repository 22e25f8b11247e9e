"""Local features: corners of a picture, each with a short description of what surrounds it.

Corners are found by FAST on an image pyramid, ranked by Harris (as ORB does: Rublee et al.,
2011). What surrounds one is described by histograms of gradients in 4 × 4 cells and eight
directions, turned to the corner's own direction (as SIFT does: Lowe, 2004; square root as
RootSIFT: Arandjelović and Zisserman, 2012). Those 128 numbers are expressed by cosines over
the cells and by harmonics over the directions, which is near to their principal components
for any pictures, so that nothing has to be trained; the first `WIDTH` are kept, a byte each.

Expressed so, the description of the mirrored picture is the same numbers with some signs
changed: `MIRROR`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: Numbers, a byte each, that describe one corner.
WIDTH = 64
#: Corners kept of a reference picture and of a listing's.
REFERENCE_CORNERS = 400
LISTING_CORNERS = 420
#: Longest side in pixels at which corners are sought.
REFERENCE_SIDE = 400
LISTING_SIDE = 560
#: The same for logos, which are small in what shows them: a larger picture, its finer levels only,
#: and corners of strong contrast only, for logos are made to stand out.
FINE_SIDE = 1120
FINE_CORNERS = 800
FINE_LEVELS = 3
FINE_CONTRAST = 34

#: The pyramid: how many levels, and by how much each is smaller than the one before.
LEVELS = 8
STEP = 1.2
#: Grey levels by which a corner stands out, at least.
CONTRAST = 6
_EDGE = 12
_GRID = 20
_SPACING = 1.9
_CELLS = 4
_DIRECTIONS = 8
#: A byte for this much of a unit vector.
_QUANTUM = 1 / 280


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Corners of a picture.

    Parameters
    ----------
    points
        (n, 2) float32: x and y in pixels of the picture that they were found in.
    scales
        (n,) float32: size, 1 for the finest.
    angles
        (n,) float32: direction in radians.
    descriptors
        (n, `WIDTH`) int8.
    """

    points: NDArray[np.float32]
    scales: NDArray[np.float32]
    angles: NDArray[np.float32]
    descriptors: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.points)


def _basis() -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """The first `WIDTH` vectors of the basis (128, WIDTH), and their signs under a mirror."""
    cells = np.arange(_CELLS)
    waves = (
        np.array(
            [np.cos(np.pi * (cells + 0.5) * k / _CELLS) * (1 if k else 0.5**0.5) for k in range(4)]
        )
        * (2 / _CELLS) ** 0.5
    )
    turns = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    rings: list[tuple[int, bool, NDArray[np.float64]]] = [(0, False, np.full(8, 8**-0.5))]
    for k in range(1, 4):
        rings.append((k, False, np.cos(k * turns) / 2))
        rings.append((k, True, np.sin(k * turns) / 2))
    rings.append((4, False, np.cos(4 * turns) * 8**-0.5))
    found = []
    for along in range(4):
        for across in range(4):
            for ring, odd, wave in rings:
                if not (along or across or ring):
                    continue  # the same for all descriptions
                vector = np.einsum("i,j,k->ijk", waves[along], waves[across], wave).ravel()
                sign = (-1 if across % 2 else 1) * (-1 if odd else 1)
                # Low frequencies first: they carry most and survive most.
                found.append((along + across + 0.8 * ring, along, across, ring, odd, vector, sign))
    found.sort(key=lambda entry: entry[:5])
    vectors = np.array([entry[5] for entry in found[:WIDTH]], np.float32).T
    signs = np.array([entry[6] for entry in found[:WIDTH]], np.int8)
    return np.ascontiguousarray(vectors), signs


def _pooling() -> NDArray[np.float32]:
    """How much each place of the patch (all but its rim) gives to each cell: (places, 16)."""
    inner = _GRID - 2
    at = np.arange(inner) + 0.5
    centres = (np.arange(_CELLS) + 0.5) * inner / _CELLS
    reach = inner / _CELLS
    tent = np.clip(1 - np.abs(at[:, None] - centres[None, :]) / reach, 0, None)
    middle = np.exp(-(((at - inner / 2) / (inner / 2)) ** 2) / 2)
    weighted = tent * middle[:, None]
    pooled = np.einsum("xi,yj->xyij", weighted, weighted).reshape(inner * inner, 16)
    return np.asarray(pooled, np.float32)


_BASIS, MIRROR = _basis()
_POOLING = _pooling()
_TURNS = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
_COMPASS = np.stack([np.cos(_TURNS), np.sin(_TURNS)]).astype(np.float32)


def detect(
    gray: NDArray[np.uint8], most: int, levels: int = LEVELS, contrast: int = CONTRAST
) -> NDArray[np.float32]:
    """Corners as rows of x, y, level, angle, response; spread over the picture.

    So that no part of a collage stays empty, the best of every tile come first.

    Parameters
    ----------
    most
        How many to keep.
    levels
        Of the pyramid, the finest so many.
    contrast
        Grey levels by which a corner stands out, at least.
    """
    height, width = gray.shape
    if min(height, width) < 2 * _EDGE + 8:
        return np.zeros((0, 5), np.float32)
    finder = cv2.ORB.create(
        nfeatures=3 * most, scaleFactor=STEP, nlevels=levels, edgeThreshold=_EDGE,
        patchSize=31, fastThreshold=contrast,
    )  # fmt: skip
    corners = finder.detect(gray, None)
    if not corners:
        return np.zeros((0, 5), np.float32)
    rows = np.array([(*c.pt, c.octave, c.angle, c.response) for c in corners], np.float32)
    rows[:, 3] = np.deg2rad(rows[:, 3])
    tiles = (rows[:, 0] * (8 / width)).astype(np.int32) * 8 + (rows[:, 1] * (8 / height)).astype(
        np.int32
    )
    order = np.lexsort((-rows[:, 4], tiles))
    rows, tiles = rows[order], tiles[order]
    first = np.searchsorted(tiles, tiles)
    rank = np.arange(len(rows)) - first
    keep = np.lexsort((-rows[:, 4], rank))[:most]
    return rows[keep]


class Scales:
    """A grey picture at the sizes of the pyramid, each smoothed, made when first asked for."""

    def __init__(self, gray: NDArray[np.uint8]) -> None:
        self.gray = gray
        self._levels: dict[int, NDArray[np.uint8]] = {}

    def at(self, level: int) -> NDArray[np.uint8]:
        """The picture at one level, 0 for its own size."""
        if level not in self._levels:
            height, width = self.gray.shape
            scale = STEP**level
            size = (max(1, round(width / scale)), max(1, round(height / scale)))
            picture = self.gray
            if level:
                picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
            self._levels[level] = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.2), np.uint8)
        return self._levels[level]


def describe(scales: Scales, rows: NDArray[np.float32]) -> Features:
    """Corners with their descriptions.

    Parameters
    ----------
    scales
        The picture.
    rows
        (n, 5) as `detect` gives them; the response is not used.
    """
    offsets = (np.arange(_GRID, dtype=np.float32) - (_GRID - 1) / 2) * _SPACING
    along, across = np.meshgrid(offsets, offsets, indexing="ij")
    patches = np.empty((len(rows), _GRID, _GRID), np.float32)
    levels = rows[:, 2].astype(np.int32)
    cosines, sines = np.cos(rows[:, 3]), np.sin(rows[:, 3])
    for level in np.unique(levels):
        of = np.flatnonzero(levels == level)
        scale = float(STEP ** int(level))
        picture = scales.at(int(level))
        x = (rows[of, 0] + 0.5) / scale - 0.5
        y = (rows[of, 1] + 0.5) / scale - 0.5
        c, s = cosines[of, None, None], sines[of, None, None]
        map_x = x[:, None, None] + c * along - s * across
        map_y = y[:, None, None] + s * along + c * across
        patches[of] = cv2.remap(
            picture, map_x.reshape(len(of), -1), map_y.reshape(len(of), -1), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).reshape(len(of), _GRID, _GRID)  # fmt: skip
    return Features(
        points=np.ascontiguousarray(rows[:, :2]),
        scales=(STEP**levels).astype(np.float32),
        angles=rows[:, 3].copy(),
        descriptors=_describe(patches),
    )


def _describe(patches: NDArray[np.float32]) -> NDArray[np.int8]:
    du = (patches[:, 2:, 1:-1] - patches[:, :-2, 1:-1]).reshape(-1, (_GRID - 2) ** 2)
    dv = (patches[:, 1:-1, 2:] - patches[:, 1:-1, :-2]).reshape(-1, (_GRID - 2) ** 2)
    sums = np.empty((len(patches), _DIRECTIONS, 16), np.float32)
    half = _DIRECTIONS // 2
    all_u, all_v = du @ _POOLING, dv @ _POOLING
    for k in range(half):
        toward = du * _COMPASS[0, k]
        toward += dv * _COMPASS[1, k]
        np.maximum(toward, 0, out=toward)
        sums[:, k] = toward @ _POOLING
        # Both directions of a line together are all of it, and pooling is linear.
        sums[:, k + half] = sums[:, k] - (all_u * _COMPASS[0, k] + all_v * _COMPASS[1, k])
    # Of what rounding leaves below nothing there is no root.
    np.maximum(sums, 0, out=sums)
    histograms = sums.transpose(0, 2, 1).reshape(len(patches), 128)
    histograms = histograms / (np.linalg.norm(histograms, axis=1, keepdims=True) + 1e-6)
    histograms = np.sqrt(np.minimum(histograms, 0.25))
    kept = histograms @ _BASIS
    kept /= np.linalg.norm(kept, axis=1, keepdims=True) + 1e-6
    return np.asarray(np.clip(np.rint(kept / _QUANTUM), -127, 127), np.int8)


def features(gray: NDArray[np.uint8], most: int) -> Features:
    """The corners of a grey picture, described.

    Parameters
    ----------
    gray
        (height, width) uint8.
    most
        How many to keep.
    """
    return describe(Scales(gray), detect(gray, most))
