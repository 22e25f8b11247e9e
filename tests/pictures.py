"""Pictures for tests, drawn here."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import pillow_heif
from PIL import Image, ImageDraw


def draw(seed: int, size: int = 400) -> Image.Image:
    """A picture of random shapes: the same for the same seed, unlike for another."""
    dice = random.Random(seed)

    def colour() -> tuple[int, int, int]:
        return dice.randrange(256), dice.randrange(256), dice.randrange(256)

    picture = Image.new("RGB", (size, size), colour())
    pen = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y = dice.randrange(size), dice.randrange(size)
        w, h = dice.randrange(size // 8, size // 2), dice.randrange(size // 8, size // 2)
        shape = dice.choice((pen.rectangle, pen.ellipse))
        shape((x, y, x + w, y + h), fill=colour())
    return picture


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """An image as a file."""
    buffer = BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(image).save(buffer, **options)
    else:
        image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(seed: int, size: int = 400, quality: int = 88) -> bytes:
    """A drawn picture as a JPEG file."""
    return encoded(draw(seed, size), quality=quality)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png_bomb(width: int, height: int, *extra: bytes, lines: bytes = b"\0") -> bytes:
    """A PNG of a few bytes that claims to be of any size; `extra` chunks stand in between."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", head),
            *extra,
            png_chunk(b"IDAT", zlib.compress(lines)),
            png_chunk(b"IEND", b""),
        ]
    )


def scan_bomb(size: int, scans: int) -> bytes:
    """A progressive JPEG whose last pass is repeated."""
    data = encoded(draw(1, size), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]
