"""A second look at a placement: does the listing's picture show what the reference has there?

Once it is known where the reference lies, its corners need not be found in the listing's
picture any more: each is described at the place where it must be, and held against what the
reference has (guided matching: Hartley and Zisserman, *Multiple View Geometry*, chapter 4). A
copy shows nearly all of them. The same room with another thing in it does not, nor does a
thing that only has some details alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, log

import numpy as np

from matchers.pictures.features import LEVELS, MIRROR, STEP, Features, Scales, describe
from matchers.pictures.geometry import Transform

#: The reference's corners that are looked for, the most distinctive of every tile first.
_MOST = 120
#: Cosine of two descriptions from which they are the same corner.
_SAME = 0.8
#: Corners that are taken as not there for certain, so that a few say little.
_DOUBT = 4.0
#: How fast corners away from the middle cease to be of the core.
_INNER = 6.0


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What part of the reference's corners is there, of those that should be.

    Parameters
    ----------
    middle
        The part, weighed toward the reference's middle.
    whole
        The same with all corners alike.
    alike
        Mean cosine of the descriptions, weighed toward the middle.
    corners
        How many were looked for.
    core
        `middle` of the innermost only, where a thing cut out of its picture still is itself.
    """

    middle: float
    whole: float
    alike: float
    corners: int
    core: float


NOTHING = SecondLook(0.0, 0.0, 0.0, 0, 0.0)


def look_again(
    listing: Scales,
    reference: Features,
    transform: Transform,
    mirrored: bool,
    size: tuple[int, int],
) -> SecondLook:
    """Hold the reference's corners against what lies there in the listing's picture.

    Parameters
    ----------
    transform
        (2, 3), from pixels of the reference's working picture to those of the listing's.
    size
        Width and height of the reference's working picture.
    """
    height, width = listing.gray.shape
    linear = transform[:, :2]
    scale = abs(float(np.linalg.det(linear))) ** 0.5
    at = reference.points @ linear.T + transform[:, 2]
    levels = np.rint(np.log(reference.scales * scale) / log(STEP))
    fits = (levels >= -1) & (levels <= LEVELS)
    there = np.flatnonzero(
        fits & (at >= 6).all(1) & (at <= (width - 7, height - 7)).all(1)
    )[:_MOST]  # fmt: skip
    if not len(there):
        return NOTHING
    upright = linear * (-1, 1) if mirrored else linear
    turn = atan2(upright[1, 0] - upright[0, 1], upright[0, 0] + upright[1, 1])
    angles = reference.angles[there]
    rows = np.zeros((len(there), 5), np.float32)
    rows[:, :2] = at[there]
    rows[:, 2] = np.clip(levels[there], 0, LEVELS - 1)
    rows[:, 3] = turn + (np.pi - angles if mirrored else angles)
    seen = describe(listing, rows).descriptors.astype(np.float32)
    wanted = reference.descriptors[there].astype(np.float32)
    if mirrored:
        wanted = wanted * MIRROR
    norms = np.linalg.norm(seen, axis=1) * np.linalg.norm(wanted, axis=1) + 1e-6
    alike = (seen * wanted).sum(1) / norms
    away = (reference.points[there] / size - 0.5) * 2
    far = (away * away).sum(1)
    weight, inner = np.exp(-1.6 * far), np.exp(-_INNER * far)
    same = alike > _SAME
    # As many as count in full.
    count = inner.sum() ** 2 / (inner * inner).sum()
    return SecondLook(
        middle=float((weight * same).sum() / (weight.sum() + _DOUBT * weight.mean())),
        whole=float(same.sum() / (len(there) + _DOUBT)),
        alike=float((weight * alike).sum() / weight.sum()),
        corners=len(there),
        core=float((inner * same).sum() / inner.sum() * count / (count + _DOUBT)),
    )
