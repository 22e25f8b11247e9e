"""A listing's picture, made ready for looking up: corners, sizes, hashes of the whole and of parts.

A collage's cells are hashed each by itself: a plain thing in a quarter of a picture has too few
corners to be found by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from matchers.pictures.decode import Decoded
from matchers.pictures.features import (
    CONTRAST,
    FINE_CONTRAST,
    FINE_CORNERS,
    FINE_LEVELS,
    FINE_SIDE,
    LEVELS,
    LISTING_CORNERS,
    LISTING_SIDE,
    Features,
    Scales,
    describe,
    detect,
)
from matchers.pictures.geometry import Transform, pyramid
from matchers.pictures.traits import greyed, shrink
from matchers.pictures.voting import directions
from matchers.pictures.whole import positions

#: Of collages of two and of four: left, top, width and height in parts of the whole.
_CELLS = (
    (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 0.5, 1.0), (0.0, 0.0, 1.0, 0.5), (0.0, 0.5, 1.0, 0.5),
    (0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 0.5, 0.5), (0.0, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5),
)  # fmt: skip
#: Smaller cells show nothing.
_LEAST_CELL = 48


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the listing's picture, and how it is held.

    Parameters
    ----------
    left, top, width, height
        In pixels of the working picture.
    position
        The picture's ``rot90(position % 4)``, from 4 on of its mirror, is upright.
    """

    left: float
    top: float
    width: float
    height: float
    position: int

    @property
    def mirrored(self) -> bool:
        """Whether it is the mirrored picture."""
        return self.position >= 4

    def transform(self, size: tuple[int, int]) -> Transform:
        """From pixels of a whole reference of that size to those of the listing's picture."""
        right, bottom = self.left + self.width, self.top + self.height
        grid = np.array(
            [[[self.left, self.top], [right, self.top]],
             [[self.left, bottom], [right, bottom]]], float,
        )  # fmt: skip
        if self.mirrored:
            grid = grid[:, ::-1]
        grid = np.rot90(grid, self.position % 4)
        origin = grid[0, 0]
        linear = np.column_stack([(grid[0, 1] - origin) / size[0], (grid[1, 0] - origin) / size[1]])
        return np.column_stack([linear, origin + linear @ (0.5, 0.5) - 0.5])


@dataclass(frozen=True, slots=True, eq=False)
class Hashes:
    """Hashes (n, 4) with the place of each."""

    rows: NDArray[np.uint64]
    places: list[Place]

    @classmethod
    def of(cls, grey: NDArray[np.uint8], parts: tuple[tuple[float, ...], ...]) -> Hashes:
        """Of parts of a picture, in all eight positions."""
        high, wide = grey.shape
        found: list[bytes] = []
        places: list[Place] = []
        for left, top, width, height in parts:
            x, y = round(left * wide), round(top * high)
            cell = grey[y : y + round(height * high), x : x + round(width * wide)]
            if min(cell.shape) < _LEAST_CELL:
                continue
            found += positions(cell)
            frame = (left * wide, top * high, width * wide, height * high)
            places += [Place(*frame, position) for position in range(8)]
        return cls(np.frombuffer(b"".join(found), np.uint64).reshape(-1, 4), places)


class View:
    """A grey picture at one size, with its corners; all but the pixels when first asked for.

    Parameters
    ----------
    most, levels, contrast
        As of `matchers.pictures.features.detect`.
    """

    def __init__(
        self,
        grey: NDArray[np.uint8],
        most: int,
        levels: int = LEVELS,
        contrast: int = CONTRAST,
    ) -> None:
        self.grey = grey
        self.scales = Scales(grey)
        self._wanted = most, levels, contrast

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.grey.shape[1], self.grey.shape[0]

    @cached_property
    def features(self) -> Features:
        """Its corners."""
        return describe(self.scales, detect(self.grey, *self._wanted))

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """Their descriptions as unit vectors."""
        return directions(self.features.descriptors)

    @cached_property
    def levels(self) -> list[NDArray[np.uint8]]:
        """The picture at half, a quarter … of its size."""
        return pyramid(self.grey)


class Seen:
    """A listing's picture; all of it is made when it is first asked for."""

    def __init__(self, decoded: Decoded) -> None:
        self._grey = greyed(decoded)
        self.view = View(shrink(self._grey, LISTING_SIDE), LISTING_CORNERS)

    @cached_property
    def fine(self) -> View:
        """As logos are sought in it: larger, if need be enlarged up to twice."""
        high, wide = self._grey.shape
        scale = min(2.0, FINE_SIDE / max(high, wide))
        grey = self._grey
        if scale > 1:
            grey = np.asarray(cv2.resize(grey, (round(wide * scale), round(high * scale))))
        return View(shrink(grey, FINE_SIDE), FINE_CORNERS, FINE_LEVELS, FINE_CONTRAST)

    @cached_property
    def whole(self) -> Hashes:
        """Of the whole picture."""
        return Hashes.of(self.view.grey, ((0.0, 0.0, 1.0, 1.0),))

    @cached_property
    def cells(self) -> Hashes:
        """Of what would be the cells of a collage."""
        return Hashes.of(self.view.grey, _CELLS)
