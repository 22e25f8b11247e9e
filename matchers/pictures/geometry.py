"""Whether a reference is seen in a picture, and where: one geometry, then the pixels.

Every pair of alike corners says by itself where the whole reference would lie: at which size,
turned how far, mirrored or not. The place on which most pairs agree is refined to an affine
transform. Then the listing's picture is brought back by it onto the reference and compared
with it place by place, since a shared room, floor or watermark also agrees on a geometry: what
must be alike is what stands in the middle. Nothing here is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

import cv2
import numpy as np
from numpy.typing import NDArray

from matchers.pictures.features import MIRROR, Features

#: Longest side of the small grey reference that the pixels are compared with.
THUMB_SIDE = 96

_PAIRS = 160
_LEAST_PAIRS = 4
_WINDOW = 9
_NOISE = 12.0

Transform = NDArray[np.float64]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]
_COMPLEX = np.array([1, 1j], np.complex64)


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where a reference lies in a listing's picture.

    Parameters
    ----------
    transform
        (2, 3), from pixels of the reference's working picture to those of the listing's.
    inliers
        Different corners of the reference that agree.
    spread
        The part of the reference that the agreeing corners span.
    residual
        Root mean square of what the agreeing corners are off by, in pixels of the reference's
        working picture. A copy is exact; the same room photographed twice is not.
    central
        Of the corners in the reference's middle that the listing's picture takes in, the part
        that agrees.
    """

    transform: Transform
    inliers: int
    spread: float
    residual: float
    central: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike the pixels are, once laid over each other.

    Parameters
    ----------
    middle
        Mean correlation of small places, −1 to 1, weighted toward the reference's middle and
        toward places with something on them.
    whole
        The same with all places alike.
    agreeing, exact
        The weighted part of the middle whose places correlate: above 0.5, above 0.8.
    best
        Correlation that the better half of all places reaches, by weight.
    overlap
        The part of the reference that lies inside the listing's picture.
    detail
        How much there is to compare, 0 to 1.
    """

    middle: float
    whole: float
    agreeing: float
    exact: float
    best: float
    overlap: float
    detail: float


def pair(listing: NDArray[np.float32], reference: NDArray[np.int8], mirrored: bool) -> Pairs:
    """Corners of both that are each other's best, or nearly: their numbers."""
    other = reference.astype(np.float32)
    if mirrored:
        other = other * MIRROR
    other /= np.linalg.norm(other, axis=1, keepdims=True) + 1e-6
    alike = listing @ other.T
    best = alike.argmax(1)
    rows = np.arange(len(alike))
    value = alike[rows, best]
    mutual = value >= alike.max(0)[best]
    alike[rows, best] = -1
    second = alike.max(1)
    # Distances of unit vectors.
    ratio = np.sqrt(np.clip(1 - value, 1e-6, None) / np.clip(1 - second, 1e-6, None))
    good = (value > 0.6) & (mutual | (ratio < 0.9))
    chosen = np.flatnonzero(good)
    order = np.argsort(ratio[chosen], kind="stable")[:_PAIRS]
    chosen = chosen[order]
    return chosen, best[chosen]


def agreement(
    listing: Features, reference: Features, pairs: Pairs, mirrored: bool, longest: int
) -> NDArray[np.bool_]:
    """Which pairs agree with each pair's own idea of where the whole reference lies: (n, n)."""
    ours, theirs = pairs
    angles = reference.angles[theirs]
    zp = reference.points[theirs] @ _COMPLEX
    if mirrored:
        angles, zp = np.pi - angles, -zp.conj()
    zq = listing.points[ours] @ _COMPLEX
    # As complex numbers: z → a z + b.
    size = listing.scales[ours] / reference.scales[theirs]
    a = (size * np.exp(1j * (listing.angles[ours] - angles))).astype(np.complex64)
    b = zq - a * zp
    off = a[:, None] * zp[None, :]
    off += b[:, None]
    off -= zq[None, :]
    near = off.real**2 + off.imag**2 < (0.06 * longest * size[:, None]) ** 2
    # Sizes within a factor of 1.75, directions within 34°.
    logs = np.log2(size)
    near &= np.abs(logs[:, None] - logs[None, :]) < 0.8
    unit = a / size
    near &= (unit.real[:, None] * unit.real + unit.imag[:, None] * unit.imag) > 0.83
    return np.asarray(near, np.bool_)


def place(
    listing: Features,
    reference: Features,
    pairs: Pairs,
    mirrored: bool,
    size: tuple[int, int],
    listing_size: tuple[int, int],
) -> Placement | None:
    """The geometry on which most pairs agree, or None if there is no plausible one.

    Parameters
    ----------
    size, listing_size
        Width and height of the reference's working picture, and of the listing's.
    """
    ours, theirs = pairs
    if len(ours) < _LEAST_PAIRS:
        return None
    longest = max(size)
    near = agreement(listing, reference, pairs, mirrored, longest)
    support = near.sum(1)
    q = listing.points[ours].astype(np.float64)
    p = reference.points[theirs].astype(np.float64)
    best: tuple[Transform, NDArray[np.bool_]] | None = None
    for seed in np.argsort(-support, kind="stable")[:3]:
        if support[seed] < _LEAST_PAIRS:
            break
        grown = listing.scales[ours[seed]] / reference.scales[theirs[seed]]
        refined = _refine(q, p, near[seed], float(grown) * longest)
        if refined is not None and (best is None or refined[1].sum() > best[1].sum()):
            best = refined
            if refined[1].sum() > 0.9 * support[seed]:
                break
    if best is None or not _plausible(best[0], mirrored):
        return None
    transform, inside = best
    cells = np.unique((p[inside] // (longest / 100)).astype(np.int64) @ (1, 1000))
    hull = cv2.convexHull(p[inside].astype(np.float32))
    off = p[inside] @ transform[:, :2].T + transform[:, 2] - q[inside]
    scale = abs(float(np.linalg.det(transform[:, :2]))) ** 0.5
    return Placement(
        transform,
        len(cells),
        float(cv2.contourArea(hull)) / (size[0] * size[1]),
        float(np.sqrt((off * off).sum(1).mean())) / scale,
        _central(reference, np.unique(theirs[inside]), transform, size, listing_size),
    )


def _central(
    reference: Features,
    agreeing: NDArray[np.intp],
    transform: Transform,
    size: tuple[int, int],
    listing_size: tuple[int, int],
) -> float:
    points = reference.points.astype(np.float64)
    away = (points / size - 0.5) / (0.34, 0.38)
    seen = points @ transform[:, :2].T + transform[:, 2]
    middle = ((away * away).sum(1) < 1) & (seen >= 0).all(1) & (seen < listing_size).all(1)
    return float(middle[agreeing].sum()) / max(12, int(middle.sum()))


def _refine(
    q: NDArray[np.float64], p: NDArray[np.float64], inside: NDArray[np.bool_], reach: float
) -> tuple[Transform, NDArray[np.bool_]] | None:
    """Least squares over the pairs that agree, again with those that then do."""
    design = np.column_stack([p, np.ones(len(p))])
    transform = np.zeros((2, 3))
    for share in (0.035, 0.02, 0.012):
        if inside.sum() < _LEAST_PAIRS:
            return None
        centre = p[inside].mean(0)
        # Few pairs, or pairs in a line, fix a similarity only.
        if inside.sum() >= 8:
            kept = design[inside]
            try:
                # Pairs in a line have no solution.
                transform = np.linalg.solve(kept.T @ kept, kept.T @ q[inside]).T
            except np.linalg.LinAlgError:
                return None
        else:
            fitted = _similarity(p[inside], q[inside], centre)
            if fitted is None:
                return None
            transform = fitted
        off = design @ transform.T - q
        inside = (off * off).sum(1) < max(2.5, share * reach) ** 2
    if inside.sum() < _LEAST_PAIRS:
        return None
    return transform, inside


def _similarity(
    p: NDArray[np.float64], q: NDArray[np.float64], centre: NDArray[np.float64]
) -> Transform | None:
    """The best similarity, mirrored or not: Umeyama, 1991."""
    target = q.mean(0)
    x, y = p - centre, q - target
    u, s, vt = np.linalg.svd(y.T @ x)
    spread = (x**2).sum()
    if spread < 1e-6:
        return None
    # Both handednesses fit; the pairs' own angles have chosen already, so keep the data's.
    turn = u @ vt
    scale = s.sum() / spread
    linear = scale * turn
    return np.column_stack([linear, target - linear @ centre])


def _plausible(transform: Transform, mirrored: bool) -> bool:
    linear = transform[:, :2]
    large, small = np.linalg.svd(linear, compute_uv=False)
    return bool(
        (np.linalg.det(linear) < 0) == mirrored
        and small > 0.08
        and large < 8
        and large < 1.7 * small
    )


def pyramid(gray: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The picture at half, a quarter … of its size."""
    levels = [gray]
    while max(levels[-1].shape) > THUMB_SIDE and len(levels) < 6:
        levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.uint8))
    return levels


def compare(
    levels: list[NDArray[np.uint8]], thumb: NDArray[np.uint8], transform: Transform
) -> Likeness:
    """Compare the pixels.

    Parameters
    ----------
    levels
        Of the listing's grey picture, by `pyramid`.
    thumb
        The small grey reference.
    transform
        (2, 3), from pixels of `thumb` to those of the listing's picture.
    """
    height, width = thumb.shape
    scale = abs(float(np.linalg.det(transform[:, :2]))) ** 0.5
    level = min(len(levels) - 1, max(0, ceil(log2(max(scale, 1e-3)) - 0.7)))
    shrunk = transform / 2**level
    source = levels[level]
    seen = cv2.warpAffine(
        source, shrunk, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    inside = cv2.warpAffine(
        np.full(source.shape, 255, np.uint8), shrunk, (width, height),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    one = cv2.GaussianBlur(thumb, (0, 0), 1.0).astype(np.float32)
    two = cv2.GaussianBlur(seen, (0, 0), 1.0).astype(np.float32)
    box = (_WINDOW, _WINDOW)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(values, box, borderType=cv2.BORDER_REFLECT), np.float32)

    m1, m2 = mean(one), mean(two)
    v1 = np.maximum(mean(one * one) - m1 * m1, 0)
    v2 = np.maximum(mean(two * two) - m2 * m2, 0)
    correlation = (mean(one * two) - m1 * m2) / np.sqrt((v1 + _NOISE) * (v2 + _NOISE))
    known = cv2.erode(inside, np.ones(box, np.uint8), borderValue=255) > 0
    overlap = float((inside > 0).mean())
    if not known.any():
        return Likeness(0, 0, 0, 0, 0, overlap, 0)
    texture = np.sqrt(np.maximum(v1, v2))
    weight = np.minimum(texture, 24) / 24 * known
    y = (np.arange(height) + 0.5) / height * 2 - 1
    x = (np.arange(width) + 0.5) / width * 2 - 1
    middle = weight * np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) * 1.6)
    total, central = float(weight.sum()), float(middle.sum())
    if total < 1e-3 or central < 1e-3:
        return Likeness(0, 0, 0, 0, 0, overlap, 0)
    return Likeness(
        middle=float((middle * correlation).sum() / central),
        whole=float((weight * correlation).sum() / total),
        agreeing=float((middle * (correlation > 0.5)).sum() / central),
        exact=float((middle * (correlation > 0.8)).sum() / central),
        best=_weighted_median(correlation, weight),
        overlap=overlap,
        detail=total / float(known.sum()),
    )


def _weighted_median(values: NDArray[np.floating], weights: NDArray[np.floating]) -> float:
    histogram = np.bincount(
        np.clip((values.ravel() + 1) * 50, 0, 100).astype(np.int64), weights.ravel(), 101
    )
    running = np.cumsum(histogram)
    return float(np.searchsorted(running, running[-1] / 2)) / 50 - 1
