"""What sellers of fakes do to a picture before they show it as theirs."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

Edit = Callable[[Image.Image, random.Random], Image.Image]


def encode(image: Image.Image, quality: int = 88) -> bytes:
    """The picture as a JPEG file."""
    buffer = BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _crop(image: Image.Image, dice: random.Random) -> Image.Image:
    part = dice.uniform(0.06, 0.13)
    width, height = image.size
    return image.crop(
        (int(part * width), int(part * height), int((1 - part) * width), int((1 - part) * height))
    )


def _mirror(image: Image.Image, _dice: random.Random) -> Image.Image:
    return ImageOps.mirror(image)


def _border(image: Image.Image, dice: random.Random) -> Image.Image:
    colour = dice.choice(("white", "black", "#c22", "#eec"))
    return ImageOps.expand(image, dice.randrange(20, 50), colour)


def _watermark(image: Image.Image, dice: random.Random) -> Image.Image:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    font = ImageFont.load_default(size=54)
    text = dice.choice(("TOP SHOP", "BEST PRICE", "wechat: lux888", "FREE SHIPPING"))
    pen.text((dice.randrange(20, 200), dice.randrange(300, 700)), text, (255, 255, 255, 190), font)
    return Image.alpha_composite(image.convert("RGBA"), layer)


def _bright(image: Image.Image, dice: random.Random) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(dice.choice((0.7, 1.3)))


def _small(image: Image.Image, dice: random.Random) -> Image.Image:
    side = dice.randrange(240, 420)
    return image.resize((side, side))


def _turn(image: Image.Image, dice: random.Random) -> Image.Image:
    return image.rotate(dice.uniform(-3, 3), resample=Image.Resampling.BICUBIC, fillcolor="white")


EDITS: dict[str, Edit] = {
    "crop": _crop,
    "mirror": _mirror,
    "border": _border,
    "watermark": _watermark,
    "brightness": _bright,
    "resize": _small,
    "rotation": _turn,
}


def edited(image: Image.Image, dice: random.Random) -> tuple[bytes, str]:
    """The picture after one edit and a hard recompression, and the edit's name."""
    name = dice.choice(sorted(EDITS))
    return encode(EDITS[name](image, dice), quality=dice.randrange(45, 75)), name
