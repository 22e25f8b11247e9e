"""Pictures for tests, drawn here."""

from __future__ import annotations

import random
from io import BytesIO

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


def jpeg(seed: int, size: int = 400, quality: int = 88) -> bytes:
    """The same as a JPEG file."""
    buffer = BytesIO()
    draw(seed, size).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
