"""A 256-bit perceptual hash of a whole picture.

The signs of its low frequencies: the picture is brought to 64 × 64 grey pixels, and each of
the 16 × 16 lowest coefficients of its discrete cosine transform, without the constant ones,
gives a bit: whether it is above the median of all (Zauner, *Implementation and benchmarking of
perceptual image hash functions*, 2010; the size and the measure of quality are those of PDQ,
Facebook 2019). Recompression, size, blur, brightness, contrast and colour hardly change them.
"""

from __future__ import annotations

import functools
import hashlib
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from matchers.pictures.decode import (
    PictureError,
    decode,
    is_plain_jpeg,
    jpeg_pixels,
    reduction,
)
from matchers.pictures.headers import read_header
from matchers.pictures.rendering import Pixels, is_srgb
from matchers.values import Picture

BITS = 256
#: The hash of a picture that shows nothing to go by. Others have as many ones as zeros.
FLAT = bytes(BITS // 8)
_SIDE = 64
_COEFFICIENTS = 16
#: A side longer than this is first made shorter; below, it is all one matrix product.
_MAX_SIDE = 160
#: Grey levels that the bits' coefficients must reach in the median; less is noise.
MIN_STRENGTH = 0.2


@functools.lru_cache(maxsize=256)
def _basis(side: int) -> NDArray[np.float32]:
    """Rows 1 to 16 of the DCT-II of 64 values that are the means of `side` values."""
    row = np.arange(1, _COEFFICIENTS + 1)[:, None]
    column = np.arange(_SIDE)[None, :]
    dct = np.sqrt(2) / _SIDE * np.cos(np.pi * row * (2 * column + 1) / (2 * _SIDE))
    # Value k of `side` covers k to k + 1, mean j of 64 covers step * j to step * (j + 1).
    step = side / _SIDE
    begins = np.arange(_SIDE)[:, None] * step
    value = np.arange(side)[None, :]
    shared = np.minimum(begins + step, value + 1) - np.maximum(begins, value)
    return np.asarray(dct @ (shared.clip(0) / step), np.float32)


def coefficients(pixels: Pixels) -> NDArray[np.float32]:
    """The (256,) coefficients of (h, w) grey or (h, w, 3) RGB pixels, in grey levels."""
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if max(grey.shape) > _MAX_SIDE:
        grey = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    high, wide = grey.shape
    return np.ravel(_basis(high) @ grey.astype(np.float32) @ _basis(wide).T)


def whole_hash(pixels: Pixels) -> bytes:
    """The hash of (h, w) grey or (h, w, 3) RGB pixels, 32 bytes; `FLAT` if they show nothing."""
    found = coefficients(pixels)
    return FLAT if strength(found) < MIN_STRENGTH else _signs(found)


def _signs(found: NDArray[np.float32]) -> bytes:
    half = BITS // 2
    parted = np.partition(found, (half - 1, half))
    return np.packbits(found > (parted[half - 1] + parted[half]) / 2).tobytes()


def positions(grey: NDArray[np.uint8]) -> list[bytes]:
    """Eight hashes: of the picture's ``rot90`` by 0, 1, 2 and 3 quarters, and of its mirror's.

    A turn or a mirror only transposes the coefficients and changes signs of the odd ones.
    """
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    found = coefficients(np.asarray(small, np.uint8))
    if strength(found) < MIN_STRENGTH:
        return [FLAT] * 8
    odd = np.where(np.arange(1, _COEFFICIENTS + 1) % 2, -1, 1).astype(np.float32)
    hashes = []
    for side in (found.reshape(_COEFFICIENTS, -1), found.reshape(_COEFFICIENTS, -1) * odd):
        for _ in range(4):
            hashes.append(_signs(side.ravel()))
            # rot90: the columns, from the last on, become the rows.
            side = side.T * odd[:, None]
    return hashes


def strength(found: NDArray[np.float32]) -> float:
    """How much there is for a hash to go by: the coefficients' root mean square, grey levels."""
    return math.sqrt(float(found @ found) / BITS)


def hash_file(data: bytes) -> bytes:
    """From a file's bytes to its hash, the fast way: no more is decoded than the hash needs.

    Raises
    ------
    PictureError
        As `decode`.
    """
    return _hash(data)[0]


def _hash(data: bytes) -> tuple[bytes, int, int]:
    """The hash, and the picture's width and height, upright."""
    header = read_header(data)
    if not is_plain_jpeg(header) or not (header.profile == b"" or is_srgb(header.profile)):
        found = decode(data, longest=256)
        return whole_hash(found.pixels), found.width, found.height
    times = reduction(min(header.width, header.height), _SIDE)
    if times == 8 and header.first_pass:
        # At an eighth only the mean of every block counts, and the first pass has it.
        data = data[: header.first_pass] + b"\xff\xd9"
    hashed = whole_hash(jpeg_pixels(data, header, times, grey=True))
    sides = header.width, header.height
    width, height = sides if header.orientation < 5 else sides[::-1]
    return hashed, width, height


def distance(one: bytes, other: bytes) -> int:
    """Bits in which two hashes differ; all of them if either is of a flat picture."""
    if FLAT in (one, other):
        return BITS
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def fingerprint(data: bytes) -> Picture:
    """A picture's fingerprint; `hash` is empty for a flat picture, which is like no other.

    Raises
    ------
    PictureError
        As `decode`.
    """
    hashed, width, height = _hash(data)
    text = "" if hashed == FLAT else hashed.hex()
    return Picture(hashlib.sha256(data).hexdigest(), width, height, text)


__all__ = [
    "BITS",
    "FLAT",
    "PictureError",
    "distance",
    "fingerprint",
    "hash_file",
    "whole_hash",
]
