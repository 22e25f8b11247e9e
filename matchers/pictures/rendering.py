"""Pillow's part of decoding: any picture file to small, upright sRGB pixels on white.

This file imports nothing of the project, for it is also the program that
`matchers.pictures.sandbox` runs in a child process, by its path: the child loads Pillow and
nothing else. It answers one picture after the other over a socket on its standard input.
"""

from __future__ import annotations

import functools
import resource
import signal
import socket
import struct
import sys
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

MAX_PIXELS = 50_000_000
#: Fewer show nothing that could be compared.
MIN_SIDE = 8
#: A longer strip is no picture of goods, and scaled down nothing is left of its short side.
MAX_RATIO = 50
#: A picture decoded at this part of the wanted size is taken as it is: libraries scale by
#: powers of two while they decode, and the next power costs four times the pixels.
NEAR_ENOUGH = 0.75
MAX_PROFILE = 4_000_000
#: Of an animation that begins with an empty frame, so many more are looked at, and no more
#: pixels than these after the second frame.
MORE_FRAMES = 8
_MORE_PIXELS = 48_000_000
#: Standard deviation of a colour; compression's noise in an empty frame is below it.
_FLAT = 4.0
#: Pillow's readers answer broken files with all of these.
_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, OverflowError, struct.error, IndexError,
    TypeError, KeyError, ZeroDivisionError, RuntimeError, AttributeError, AssertionError,
)  # fmt: skip

#: Of the request: longest side, length of the format's name, length of the file.
REQUEST = struct.Struct("<IBI")
#: Of the answer: 0 for a picture, height and width of the pixels, of the original, frames;
#: or 1 for an error and the length of its message.
ANSWER = struct.Struct("<BIIIII")

Pixels = NDArray[np.uint8]


class PictureError(ValueError):
    """The bytes are no picture that may be decoded; the message says why."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """Pixels (h, w, 3) and what the file said of the whole picture, upright."""

    pixels: Pixels
    width: int
    height: int
    frames: int


def check_size(width: int, height: int) -> None:
    """Refuse a picture by its size, before it is decoded.

    Raises
    ------
    PictureError
        If it is too large, too small, or a strip.
    """
    if width * height > MAX_PIXELS:
        raise PictureError(f"{width} × {height} is more than {MAX_PIXELS} pixels")
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"{width} × {height} pixels are too few")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise PictureError(f"{width} × {height} pixels: too narrow a strip")


def scaled(width: int, height: int, longest: int) -> tuple[int, int]:
    """The size at which the longest side is at most `longest`."""
    part = min(1.0, longest / max(width, height))
    return max(1, round(width * part)), max(1, round(height * part))


def turn(pixels: Pixels, orientation: int) -> Pixels:
    """Pixels upright by the EXIF orientation (CIPA DC-008, tag 0x0112); others than 1 to 8
    leave them as they are."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def render(data: bytes, kind: str, longest: int) -> Rendered:
    """Decode a file of Pillow's format `kind`; of several frames the first that is not empty.

    Raises
    ------
    PictureError
        If it is broken, or too large.
    """
    try:
        with Image.open(BytesIO(data), formats=(kind,)) as image:
            width, height = image.size
            check_size(width, height)
            # Pillow counts a GIF's frames by reading all of them.
            frames = 1 if kind == "GIF" else int(getattr(image, "n_frames", 1))
            orientation = _orientation(image)
            small = scaled(width, height, longest)
            image.draft(image.mode, _asked(small))
            image.load()
            pixels = _rgb(image, small)
            if kind == "GIF" or (frames > 1 and kind != "JPEG"):
                pixels = _with_detail(image, pixels)
            pixels = turn(pixels, orientation)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError(f"broken picture: its header is no {kind} header") from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"more than {MAX_PIXELS} pixels") from error
    except MemoryError as error:
        raise PictureError("it takes more memory than a picture may") from error
    except _BROKEN as error:
        raise PictureError(f"broken picture: {type(error).__name__}: {error}"[:200]) from error
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return Rendered(pixels, width, height, frames)


def _with_detail(image: Image.Image, first: Pixels) -> Pixels:
    """The first frame, or where that is empty the next that is not, of a bounded number."""
    if not _is_flat(first):
        return first
    high, wide = first.shape[:2]
    size = image.size
    most = min(MORE_FRAMES, max(1, _MORE_PIXELS // (size[0] * size[1])))
    try:
        for number in range(1, most + 1):
            image.seek(number)
            if image.size != size:
                break
            image.load()
            pixels = _rgb(image, (wide, high))
            if not _is_flat(pixels):
                return pixels
    except _BROKEN:
        pass  # no more frames, or broken ones: the first is what there is
    return first


def _is_flat(pixels: Pixels) -> bool:
    return float(pixels.std(axis=(0, 1)).max()) < _FLAT


def _asked(size: tuple[int, int]) -> tuple[int, int]:
    return max(1, int(size[0] * NEAR_ENOUGH)), max(1, int(size[1] * NEAR_ENOUGH))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:
        # Hostile or broken metadata costs the orientation, not the picture.
        return 1


def _rgb(image: Image.Image, size: tuple[int, int]) -> Pixels:
    """The loaded image at no more than `size`, in sRGB, on white."""
    size = min(size[0], image.width), min(size[1], image.height)
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
        # `convert` would clip: of 16 bits, the upper eight are the picture.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode == "I":
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        # Scaled with the colours multiplied by alpha: what is invisible must not bleed.
        layer = _resize(image.convert("RGBA").convert("RGBa"), size)
        quads = np.asarray(layer).astype(np.uint16)
        whitened = np.minimum(quads[..., :3] + (255 - quads[..., 3:]), 255).astype(np.uint8)
        image = Image.fromarray(whitened)
    elif image.mode in ("L", "CMYK", "RGB"):
        image = _resize(image, size)
    else:
        image = _resize(image.convert("RGB"), size)
    return np.asarray(to_srgb(image, profile))


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """An L, RGB or CMYK image in sRGB by its ICC profile; a bad profile is ignored."""
    if isinstance(profile, bytes) and not is_srgb(profile):
        transform = _transform(profile, image.mode)
        if transform is not None:
            done: Image.Image | None = ImageCms.applyTransform(image, transform)
            if done is not None:
                return done
    return image.convert("RGB")


def is_srgb(profile: bytes) -> bool:
    """Whether a profile says that it is sRGB, or is none worth reading."""
    if not 128 <= len(profile) <= MAX_PROFILE:
        return True
    if profile[16:20] != b"RGB ":
        return False
    # The description is Latin-1 in version 2 and UTF-16 in version 4.
    return b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile


@functools.lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


# The child


def serve(memory: int, seconds: int) -> None:
    """Answer requests on the socket that is standard input until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = socket.socket(fileno=0)
    import pillow_heif  # loaded before the limits: its libraries want address space

    pillow_heif.register_heif_opener(thumbnails=False)
    Image.init()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_AS, memory)
    while head := _receive(line, REQUEST.size):
        longest, name, length = REQUEST.unpack(head)
        body = _receive(line, name + length)
        # The limit is on the process, which has had pictures before this one.
        spent = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(spent.ru_utime + spent.ru_stime) + 1 + seconds)
        line.sendall(_answer(body[name:], body[:name].decode(), longest))


def _limit(what: int, value: int) -> None:
    """Lower a limit; one that is lower by the system's own setting stays."""
    hard = resource.getrlimit(what)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(what, (value, hard))


def _answer(data: bytes, kind: str, longest: int) -> bytes:
    try:
        found = render(data, kind, longest)
    except PictureError as error:
        message = str(error).encode()[:1000]
        return ANSWER.pack(1, len(message), 0, 0, 0, 0) + message
    height, width = found.pixels.shape[:2]
    head = ANSWER.pack(0, height, width, found.height, found.width, found.frames)
    return head + found.pixels.tobytes()


def _receive(line: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or none if the other side has gone."""
    parts = bytearray(size)
    view, have = memoryview(parts), 0
    while have < size:
        got = line.recv_into(view[have:])
        if not got:
            return b""
        have += got
    return bytes(parts)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
