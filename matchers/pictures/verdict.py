"""From evidence to a match: how sure, in what words, and where."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, degrees, exp, log2

import cv2
import numpy as np
from numpy.typing import NDArray

from matchers.pictures.geometry import Likeness, Placement
from matchers.pictures.guided import SecondLook
from matchers.pictures.traits import Kind
from matchers.values import Outline

#: Of the limits and weights.
VERSION = 4

#: Degrees, and the share of an area that passes for all of it.
_STRAIGHT = 3.0
_ALL_OF_IT = 0.86
#: Less of a reference says too little.
_LEAST_OVERLAP = 0.1
#: Found by hash alone: less of the corners in their places is chance.
_LEAST_AGAIN = 0.3
#: From so much of the core on it is the same thing that is seen in the middle.
_SAME_CORE = 0.6
#: Corners that do not agree by chance.
_MANY = 24
#: Of a smaller part than this, or over less of the reference than the next, so many must agree.
_SMALL_PART, _ONE_SPOT, _MORE_THAN_FEW = 0.5, 0.02, 10
#: Corners of a logo that agree, at least.
_LEAST_OF_A_LOGO = 7
#: Bits of 256, and corners, for pictures with next to nothing on them.
_SAME_HASH, _FEW = 20, 8


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for one reference.

    Parameters
    ----------
    placed
        Where; without inliers it comes from the whole hash.
    size, listing_size
        Width and height of both.
    distance
        Hamming distance of the whole hashes, in the best of eight positions.
    alike, again
        Of the pixels and of the corners, once it is known where.
    """

    kind: Kind
    placed: Placement
    size: tuple[int, int]
    listing_size: tuple[int, int]
    distance: int
    alike: Likeness
    again: SecondLook


def confidence(evidence: Evidence) -> float:
    """0 to 1; from 0.5 it is a match.

    A logistic regression over what corners and pixels say. It was fitted on edits of 550
    photographs of clothes, each also held against the others and against its own room with
    another thing in it; its threshold lies a quarter of a unit of log-odds above the surest of
    those. `benchmarks.pictures` reports on other photographs.
    """
    alike, placed, again = evidence.alike, evidence.placed, evidence.again
    if alike.overlap < _LEAST_OVERLAP:
        return 0.0
    if evidence.kind == "logo":
        return _logo(evidence)
    if not placed.inliers and again.middle < _LEAST_AGAIN:
        return _bare(evidence)
    same_core = again.core >= _SAME_CORE
    # A plain thing on a patterned ground: only the ground agrees.
    if alike.exact < 0.25 and again.alike < 0.85 and not (same_core and placed.inliers >= _MANY):
        return 0.0
    # A small part, or one spot, and few corners in it: chance.
    if 0 < placed.inliers < _MORE_THAN_FEW and (
        alike.overlap < _SMALL_PART or placed.spread < _ONE_SPOT
    ):
        return 0.0
    # Corners all around agree and none in the middle, where something else is seen: the room.
    if placed.inliers and placed.central < 0.01 and not same_core:
        return 0.0
    score = (
        0.34 * log2(placed.inliers + 2)
        + 3.21 * alike.exact
        - 0.55 * alike.whole
        - 3.62 * alike.detail
        - 2.45 * min(placed.residual, 4)
        + 4.59 * placed.central
        + 2.57 * again.middle
        + 0.52 * again.whole
        + 1.60 * again.alike
        + 5.32 * again.core
        - 1.26
    )
    return 1 / (1 + exp(-score))


def _bare(evidence: Evidence) -> float:
    """Nothing but the whole hash found it: only with hardly a corner may the pixels decide."""
    alike = evidence.alike
    same = evidence.distance <= _SAME_HASH and alike.exact > 0.9 and alike.best > 0.9
    return 0.8 if same and evidence.again.corners < _FEW and alike.detail > 0.1 else 0.0


def beyond_doubt(evidence: Evidence) -> bool:
    """Whether both are the same picture as a whole: pixels and all corners say so."""
    return (
        evidence.kind == "reference"
        and evidence.alike.best > 0.88
        and evidence.again.middle > 0.93
        and evidence.again.alike > 0.94
    )


def _logo(evidence: Evidence) -> float:
    """A logo is small and printed on anything: its corners must be there, pixels agree.

    Weights by a logistic regression over drawn logos in photographs (`benchmarks.picture_logos`,
    those that set it); logos that share their figure or their word with it must not match. The
    threshold lies above the surest of those.
    """
    alike, placed = evidence.alike, evidence.placed
    if alike.overlap < _ALL_OF_IT or placed.inliers < _LEAST_OF_A_LOGO or placed.spread < 0.04:
        return 0.0
    score = 6 * alike.middle + 7.5 * alike.exact + 4 * evidence.again.alike - 13.3
    return 1 / (1 + exp(-score))


def view(evidence: Evidence) -> str:
    """In words, what was done to the reference: ``mirrored, a part of it``."""
    linear = evidence.placed.transform[:, :2]
    words = []
    if np.linalg.det(linear) < 0:
        words.append("mirrored")
        linear = linear * (-1, 1)
    turn = degrees(atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])) % 360
    quarter = round(turn / 90) * 90
    if abs(turn - quarter) <= _STRAIGHT:
        turn = quarter
    if round(turn) % 360:
        words.append(f"turned by {round(turn) if turn <= 180 else round(turn) - 360}°")
    inside, shape = _overlap(evidence)
    width, height = evidence.listing_size
    if evidence.alike.overlap < _ALL_OF_IT:
        words.append("a part of it")
    if inside / (width * height) < _ALL_OF_IT:
        words.append(
            "part of a collage" if _in_a_corner(shape, width, height) else "in a larger picture"
        )
    return ", ".join(words) or "as it is"


def outlines(evidence: Evidence) -> tuple[Outline, Outline]:
    """The area that both pictures share, in the listing's picture and in the reference."""
    _, shape = _overlap(evidence)
    if len(shape) < 3:
        return (), ()
    transform = evidence.placed.transform
    back = (shape - transform[:, 2]) @ np.linalg.inv(transform[:, :2]).T
    # From the reference's upper left, clockwise as the reference has it.
    middle = back.mean(0)
    around = np.arctan2(back[:, 1] - middle[1], back[:, 0] - middle[0])
    order = np.argsort(around, kind="stable")
    return (
        _parts(shape[order], evidence.listing_size),
        _parts(back[order], evidence.size),
    )


def _parts(shape: NDArray[np.float64], size: tuple[int, int]) -> Outline:
    parts = np.clip((shape + 0.5) / size, 0, 1).round(4)
    return tuple((float(x), float(y)) for x, y in parts)


def _overlap(evidence: Evidence) -> tuple[float, NDArray[np.float64]]:
    """Area and corners, in the listing's picture, of what it takes in of the reference."""
    frames = [
        np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64) - 0.5
        for w, h in (evidence.size, evidence.listing_size)
    ]
    transform = evidence.placed.transform
    laid = frames[0] @ transform[:, :2].T + transform[:, 2]
    area, shape = cv2.intersectConvexConvex(
        laid.astype(np.float32), frames[1].astype(np.float32), handleNested=True
    )
    if shape is None or not area:
        return 0.0, np.zeros((0, 2))
    return float(area), shape.reshape(-1, 2).astype(np.float64)


def _in_a_corner(shape: NDArray[np.float64], width: int, height: int) -> bool:
    """Whether an upright rectangle lies in a corner, as a collage's cells do."""
    if len(shape) < 4:
        return False
    near = 0.03 * max(width, height)
    (left, top), (right, bottom) = shape.min(0), shape.max(0)
    upright = cv2.contourArea(shape.astype(np.float32)) > 0.93 * (right - left) * (bottom - top)
    touching = (left < near or right > width - near) and (top < near or bottom > height - near)
    shares = sorted(((right - left) / width, (bottom - top) / height))
    cell = shares[1] < 0.62 or (shares[1] > 0.9 and shares[0] < 0.56)
    return bool(upright and touching and cell)
