"""Pictures: decoding hostile files within bounds, perceptual hashes, the closest reference."""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Iterable
from io import BytesIO

import imagehash
from PIL import Image, ImageOps, UnidentifiedImageError

from matchers.values import Picture, PictureMatch, Product

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
#: A picture is decoded no larger than this where the format allows (JPEG's DCT scaling).
DECODE_SIZE = (640, 640)

#: Views of a listing's picture that are compared with a reference as a whole, as
#: left, top, right, bottom in parts of the picture: sellers crop, frame and mirror.
_INSETS = {
    "whole": (0.0, 0.0, 1.0, 1.0),
    "inner 92 %": (0.04, 0.04, 0.96, 0.96),
    "inner 84 %": (0.08, 0.08, 0.92, 0.92),
}
#: Views of a reference that are compared with a listing's picture as a whole: what is left
#: of it when a seller cuts.
_CUTS = {
    "cut to 90 %": (0.05, 0.05, 0.95, 0.95),
    "cut to 80 %": (0.1, 0.1, 0.9, 0.9),
    "cut to 70 %": (0.15, 0.15, 0.85, 0.85),
    "cut at the left": (0.15, 0.0, 1.0, 1.0),
    "cut at the right": (0.0, 0.0, 0.85, 1.0),
    "cut at the top": (0.0, 0.15, 1.0, 1.0),
    "cut at the bottom": (0.0, 0.0, 1.0, 0.85),
}
#: Hamming distance of 64-bit pHashes up to which two pictures are taken for one. Chance
#: pairs lie around 32, but eleven views of each pair are compared, so ImageHash's usual 10
#: lets a stranger through now and then; 8 kept all of the bazaar's edits.
MAX_DISTANCE = 8


class PictureError(ValueError):
    """The bytes are no picture that may be decoded; the message says why."""


def media_type(data: bytes) -> str:
    """The media type of a picture, by its bytes.

    Raises
    ------
    PictureError
        If it is none that we take.
    """
    with _open(data) as image:
        return Image.MIME[str(image.format)]


def fingerprint(data: bytes) -> Picture:
    """Decode a picture within bounds and hash it.

    Raises
    ------
    PictureError
        If it is too large, no picture, broken, or of a format that we do not take.
    """
    try:
        with _open(data) as image:
            image.draft("RGB", DECODE_SIZE)
            upright = ImageOps.exif_transpose(image)
            assert upright is not None
            if "A" in upright.getbands() or "transparency" in upright.info:
                shown = upright.convert("RGBA")
                white = Image.new("RGBA", shown.size, "white")
                plain = Image.alpha_composite(white, shown).convert("L")
            else:
                plain = upright.convert("L")
            size = image.size
    except PictureError:
        raise
    except (
        OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError,
        struct.error, IndexError, TypeError, KeyError, ZeroDivisionError, RuntimeError,
    ) as error:  # fmt: skip
        # Pillow's readers answer broken files with all of these.
        raise PictureError(f"broken picture: {type(error).__name__}: {error}"[:200]) from error
    hashes = {name: _phash(_part(plain, box)) for name, box in {**_INSETS, **_CUTS}.items()}
    hashes["mirrored"] = _phash(ImageOps.mirror(plain))
    return Picture(hashlib.sha256(data).hexdigest(), hashes, *size)


def _open(data: bytes) -> Image.Image:
    if len(data) > MAX_BYTES:
        raise PictureError(f"larger than {MAX_BYTES} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError(f"more than {MAX_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        raise PictureError("not a JPEG, PNG, WebP or GIF picture") from error
    except (OSError, SyntaxError, ValueError, struct.error, OverflowError, TypeError) as error:
        raise PictureError(f"broken picture: {type(error).__name__}") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"{width} × {height} is more than {MAX_PIXELS} pixels")
    if min(width, height) < 8:
        raise PictureError(f"{width} × {height} pixels are too few")
    return image


def _part(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    width, height = image.size
    left, top, right, bottom = box
    return image.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )


def _phash(image: Image.Image) -> str:
    return str(imagehash.phash(image))


def closest(pictures: Iterable[Picture], products: Iterable[Product]) -> PictureMatch | None:
    """The reference that is most like any of the listing's pictures, if one is like enough."""
    best: PictureMatch | None = None
    references = [(product, reference) for product in products for reference in product.pictures]
    for shown in pictures:
        for product, reference in references:
            distance, view = _distance(shown, reference)
            if distance <= MAX_DISTANCE and (best is None or distance < best.distance):
                best = PictureMatch(product.id, shown.sha256, reference.sha256, distance, view)
    return best


def _distance(shown: Picture, reference: Picture) -> tuple[int, str]:
    """The least distance over the edits that are looked for, and which edit it was."""
    whole, original = shown.hashes["whole"], reference.hashes["whole"]
    pairs = [(shown.hashes[view], original, _EDIT[view]) for view in _INSETS]
    pairs += [(whole, reference.hashes[view], view) for view in _CUTS]
    pairs.append((shown.hashes["mirrored"], original, "mirrored"))
    return min(((int(a, 16) ^ int(b, 16)).bit_count(), view) for a, b, view in pairs)


_EDIT = {"whole": "as it is", "inner 92 %": "in a frame", "inner 84 %": "in a wide frame"}
