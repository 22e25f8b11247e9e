"""What is kept of a reference picture: enough to find it again, not enough to see it.

A whole hash, a small grey picture and the local features: at most 40 KB, in one versioned
block of bytes that a database can hold.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from matchers.pictures.decode import Decoded
from matchers.pictures.features import (
    LEVELS,
    REFERENCE_CORNERS,
    REFERENCE_SIDE,
    STEP,
    WIDTH,
    Features,
    features,
)
from matchers.pictures.geometry import THUMB_SIDE
from matchers.pictures.whole import whole_hash

#: Of the bytes' layout and of how features are made: other traits cannot be compared.
VERSION = 2

Kind = Literal["reference", "logo"]

_MAGIC = b"TsPt"
_HEAD = struct.Struct("<4sBIIHHHBB32s")
#: A corner: place in 64ths of a pixel, level of the pyramid, direction in 256ths of a turn.
CORNER = np.dtype([("x", "<u2"), ("y", "<u2"), ("level", "u1"), ("angle", "u1")])


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What is kept of a reference.

    Parameters
    ----------
    width, height
        Pixels of the original, upright.
    size
        Width and height of the working picture in which the corners lie.
    whole
        256-bit hash (`matchers.pictures.whole`).
    thumb
        (h, w) uint8: small and grey.
    corners
        (n,) of `CORNER`.
    descriptors
        (n, `WIDTH`) int8.
    """

    width: int
    height: int
    size: tuple[int, int]
    whole: bytes
    thumb: NDArray[np.uint8]
    corners: NDArray[np.void]
    descriptors: NDArray[np.int8]

    def to_bytes(self) -> bytes:
        """One block of bytes, which `from_bytes` reads."""
        head = _HEAD.pack(
            _MAGIC, VERSION, self.width, self.height, *self.size, len(self.corners),
            self.thumb.shape[1], self.thumb.shape[0], self.whole,
        )  # fmt: skip
        return b"".join(
            (head, self.thumb.tobytes(), self.corners.tobytes(), self.descriptors.tobytes())
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Traits:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ValueError
            If the bytes are something else, of another version, cut short or out of range.
        """
        if len(data) < _HEAD.size or data[:4] != _MAGIC:
            raise ValueError("these bytes are not a picture's traits")
        _, version, width, height, w, h, count, tw, th, whole = _HEAD.unpack_from(data)
        if version != VERSION:
            raise ValueError(f"traits of version {version}; this program reads {VERSION}")
        if not (width and height and 0 < w <= REFERENCE_SIDE and 0 < h <= REFERENCE_SIDE):
            raise ValueError(f"a picture of {width} × {height} pixels, worked on at {w} × {h}")
        if not (0 < tw <= THUMB_SIDE and 0 < th <= THUMB_SIDE and count <= REFERENCE_CORNERS):
            raise ValueError(f"{count} corners and a small picture of {tw} × {th} pixels")
        row = CORNER.itemsize + WIDTH
        wanted = _HEAD.size + tw * th + count * row
        if len(data) != wanted:
            raise ValueError(f"traits of {len(data)} bytes; they should be {wanted}")
        at = _HEAD.size
        thumb = np.frombuffer(data, np.uint8, tw * th, at).reshape(th, tw)
        at += tw * th
        corners = np.frombuffer(data, CORNER, count, at)
        at += count * CORNER.itemsize
        descriptors = np.frombuffer(data, np.int8, count * WIDTH, at).reshape(count, WIDTH)
        if count and (
            corners["level"].max() >= LEVELS
            or corners["x"].max() > w * 64
            or corners["y"].max() > h * 64
        ):
            raise ValueError("a corner lies outside the picture")
        return cls(width, height, (w, h), whole, thumb, corners, descriptors)


def unpack(corners: NDArray[np.void], descriptors: NDArray[np.int8]) -> Features:
    """Corners as they are kept, as `Features`."""
    return Features(
        points=np.stack([corners["x"], corners["y"]], axis=1).astype(np.float32) / np.float32(64),
        scales=STEP ** corners["level"].astype(np.float32),
        angles=corners["angle"].astype(np.float32) * np.float32(2 * np.pi / 256),
        descriptors=descriptors,
    )


def traits(decoded: Decoded) -> Traits:
    """What is kept of a reference picture or a logo; deterministic."""
    grey = greyed(decoded)
    work = shrink(grey, REFERENCE_SIDE)
    found = features(work, REFERENCE_CORNERS)
    corners = np.zeros(len(found), CORNER)
    corners["x"], corners["y"] = np.rint(np.clip(found.points, 0, 1023) * 64).T
    corners["level"] = np.rint(np.log(found.scales) / np.log(STEP))
    corners["angle"] = np.rint(found.angles * (256 / (2 * np.pi))).astype(np.int64) % 256
    return Traits(
        width=decoded.width,
        height=decoded.height,
        size=(work.shape[1], work.shape[0]),
        whole=whole_hash(grey),
        thumb=shrink(work, THUMB_SIDE),
        corners=corners,
        descriptors=found.descriptors,
    )


def greyed(decoded: Decoded) -> NDArray[np.uint8]:
    """A picture's grey pixels."""
    return np.asarray(cv2.cvtColor(decoded.pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def shrink(grey: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """The picture with no side above `longest`; never enlarged."""
    height, width = grey.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return grey
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
