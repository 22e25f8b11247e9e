"""Picture files to pixels, whatever they are: hostile files end in one error, within bounds.

JPEGs, nearly all that marketplaces show, are decoded at half, quarter or eighth size by their
DCT (OpenCV, which hands libjpeg-turbo the scale and is faster at it than Pillow); the other
formats by Pillow. What is risky or slow is decoded in a child process
(`matchers.pictures.sandbox`): this module may start one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from matchers.pictures.headers import (
    CUT_OFF,
    FORMATS,
    MAX_BYTES,
    Header,
    media_type,
    read_header,
)
from matchers.pictures.rendering import (
    MAX_PIXELS,
    NEAR_ENOUGH,
    PictureError,
    Pixels,
    is_srgb,
    render,
    scaled,
    to_srgb,
    turn,
)
from matchers.pictures.sandbox import render_apart

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Decoded", "PictureError", "decode", "media_type"]

#: As large as the finest look at a picture (`matchers.pictures.features.FINE_SIDE`) wants it.
LONGEST = 1120
#: Larger ones that cannot be scaled while they are decoded are decoded in the child.
_MAX_PIXELS_HERE = 16_000_000
#: Pixels times passes over them that a JPEG may take here; a photograph of 4 megapixels in
#: the usual ten passes does.
_MAX_WORK_HERE = 60_000_000
_WORK_OF_A_SCAN = 50_000
#: Part of a cut JPEG's rows that may be missing. Decoders fill them with this grey.
_MISSING = 0.1
_FILLING = 128
_COLOUR = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_GREY = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture's pixels.

    Parameters
    ----------
    pixels
        (h, w, 3) bytes, RGB in sRGB, upright, on white; of an animation the first
        frame, or the first that shows something.
    width, height
        Pixels of the original, upright.
    frames
        How many pictures the file has.
    """

    pixels: Pixels
    width: int
    height: int
    media_type: str
    frames: int


def decode(data: bytes, longest: int = LONGEST) -> Decoded:
    """Decode a picture so that its longest side is at most `longest` pixels.

    A JPEG may come out at down to three quarters of `longest` where its DCT gives that size
    at a quarter of the cost. Nothing is enlarged.

    Raises
    ------
    PictureError
        If it is too large, no picture, broken or cut off, of a format that we do not take, or
        took the decoder too much time or memory.
    """
    header = read_header(data)
    if is_plain_jpeg(header):
        return _decode_jpeg(data, header, longest)
    if data[12:16] == b"VP8 " and header.media_type == "image/webp" and not is_risky(header):
        # Nothing but a lossy picture, as shops send it: OpenCV takes half of Pillow's time.
        pixels = _colour(_fitted(_opencv(data, cv2.IMREAD_COLOR), longest))
        return Decoded(pixels, header.width, header.height, header.media_type, 1)
    if header.cut:
        if not header.first_pass:
            raise PictureError(CUT_OFF)
        data = _ended(data, header)
    kind = FORMATS[header.media_type]
    found = (render_apart if is_risky(header) else render)(data, kind, longest)
    return Decoded(
        found.pixels, found.width, found.height, header.media_type, header.frames or found.frames
    )


def is_risky(header: Header) -> bool:
    """Whether a file is to be decoded in the child: a young decoder, or much work."""
    pixels = header.width * header.height
    if header.media_type == "image/jpeg":
        return header.scans > 1 and header.scans * (pixels + _WORK_OF_A_SCAN) > _MAX_WORK_HERE
    return not pixels or pixels > _MAX_PIXELS_HERE


def is_plain_jpeg(header: Header) -> bool:
    """Whether OpenCV may decode it here: no CMYK, no heap of scans."""
    return (
        header.media_type == "image/jpeg"
        and header.components in (1, 3)
        and not is_risky(header)
    )  # fmt: skip


def jpeg_pixels(data: bytes, header: Header, reduction: int, *, grey: bool) -> Pixels:
    """A plain JPEG at 1, 1/2, 1/4 or 1/8 of its size, upright: (h, w) grey or (h, w, 3) RGB.

    Raises
    ------
    PictureError
        If it is broken, or more than a small part of it is cut off.
    """
    if header.cut:
        data = _ended(data, header)
    pixels = _opencv(data, (_GREY if grey else _COLOUR)[reduction])
    if header.cut and not header.first_pass and _filled(pixels) > _MISSING * len(pixels):
        raise PictureError(CUT_OFF)
    return turn(pixels if grey else _colour(pixels), header.orientation)


def _ended(data: bytes, header: Header) -> bytes:
    """A cut JPEG with an end, as browsers show it: what its passes lack stays as it is."""
    return data[: header.cut] + b"\xff\xd9"


def _filled(pixels: Pixels) -> int:
    """How many rows at the bottom, as stored, the decoder had no data for."""
    rows = (pixels != _FILLING).reshape(len(pixels), -1).any(1)[::-1]
    return int(rows.argmax()) if rows.any() else len(rows)


def _opencv(data: bytes, flags: int) -> Pixels:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise PictureError(f"broken picture: {error.err or error}"[:200]) from error
    if pixels is None:
        raise PictureError("broken picture: its data cannot be decoded")
    return np.asarray(pixels, np.uint8)


def _colour(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _fitted(pixels: Pixels, longest: int) -> Pixels:
    high, wide = pixels.shape[:2]
    size = scaled(wide, high, longest)
    if size == (wide, high):
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def reduction(side: int, wanted: float) -> int:
    """The strongest scale at which a JPEG's side stays at least `wanted`."""
    return next((times for times in (8, 4, 2) if side >= times * wanted), 1)


def _decode_jpeg(data: bytes, header: Header, longest: int) -> Decoded:
    times = reduction(max(header.width, header.height), NEAR_ENOUGH * longest)
    pixels = _fitted(jpeg_pixels(data, header, times, grey=False), longest)
    if header.profile and not is_srgb(header.profile) and header.components == 3:
        pixels = np.asarray(to_srgb(Image.fromarray(pixels), header.profile))
    width, height = header.width, header.height
    if header.orientation >= 5:
        width, height = height, width
    return Decoded(pixels, width, height, header.media_type, 1)
