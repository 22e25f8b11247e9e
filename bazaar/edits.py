"""What sellers of fakes do to a picture before they show it as theirs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Edit = Callable[[Image.Image, random.Random], Image.Image]
#: An edit that puts the picture beside others.
Joint = Callable[[Image.Image, Sequence[Image.Image], random.Random], Image.Image]


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


def _deep_crop(image: Image.Image, dice: random.Random) -> Image.Image:
    """A part of 45 to 65 % of the area, somewhere around the middle."""
    share = dice.uniform(0.45, 0.65) ** 0.5
    width, height = int(image.width * share), int(image.height * share)
    left = int((image.width - width) * dice.uniform(0.25, 0.75))
    top = int((image.height - height) * dice.uniform(0.25, 0.75))
    return image.crop((left, top, left + width, top + height))


def _quarter_turn(image: Image.Image, dice: random.Random) -> Image.Image:
    return image.transpose(dice.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)))


def _banner(image: Image.Image, dice: random.Random) -> Image.Image:
    """A strip of the seller's own under or over it."""
    strip = int(image.height * dice.uniform(0.1, 0.18))
    canvas = Image.new("RGB", (image.width, image.height + strip), dice.choice(_PAINTS))
    at_top = dice.random() < 0.5
    canvas.paste(image, (0, strip if at_top else 0))
    font = ImageFont.load_default(size=strip // 2)
    text = dice.choice(("HOT SALE -70%", "ORIGINAL BOX", "24h SHIPPING", "FACTORY PRICE"))
    top = strip // 5 if at_top else image.height + strip // 5
    ImageDraw.Draw(canvas).text((image.width // 10, top), text, "white", font)
    return canvas


def _sticker(image: Image.Image, dice: random.Random) -> Image.Image:
    """A round sticker over a tenth to a seventh of it."""
    size = int((dice.uniform(0.1, 0.15) * image.width * image.height) ** 0.5)
    left = dice.choice((0, image.width - size))
    top = dice.choice((0, image.height - size))
    out = image.copy()
    pen = ImageDraw.Draw(out)
    pen.ellipse((left, top, left + size, top + size), dice.choice(_PAINTS))
    font = ImageFont.load_default(size=size // 4)
    pen.text(
        (left + size // 5, top + size // 3), dice.choice(("NEW", "TOP", "-50%")), "white", font
    )
    return out


def _screenshot(image: Image.Image, dice: random.Random) -> Image.Image:
    """As a telephone shows it in a shop's app."""
    width, height = 540, 1170
    dark = dice.random() < 0.5
    canvas = Image.new("RGB", (width, height), "#111" if dark else "white")
    pen = ImageDraw.Draw(canvas)
    ink = "white" if dark else "black"
    pen.text((24, 14), f"{dice.randrange(24):02d}:{dice.randrange(60):02d}", ink,
             ImageFont.load_default(size=24))  # fmt: skip
    pen.rectangle((470, 18, 514, 38), outline=ink, width=3)
    top = dice.randrange(100, 240)
    canvas.paste(image.resize((width, width * image.height // image.width)), (0, top))
    for row in range(dice.randrange(3, 6)):
        y = top + width + 40 + row * 60
        pen.rectangle((24, y, dice.randrange(200, 500), y + 24), "#888")
    return canvas


def _contrast(image: Image.Image, dice: random.Random) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(dice.choice((0.65, 1.5)))


def _grey(image: Image.Image, _dice: random.Random) -> Image.Image:
    return ImageOps.grayscale(image).convert("RGB")


def _blur(image: Image.Image, dice: random.Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(dice.uniform(1.0, 2.2)))


def _collage_of_two(
    image: Image.Image, others: Sequence[Image.Image], dice: random.Random
) -> Image.Image:
    return _grid(image, others, dice, 2, 1)


def _collage_of_four(
    image: Image.Image, others: Sequence[Image.Image], dice: random.Random
) -> Image.Image:
    return _grid(image, others, dice, 2, 2)


def _grid(
    image: Image.Image, others: Sequence[Image.Image], dice: random.Random, across: int, down: int
) -> Image.Image:
    cell, gap = 480, dice.choice((0, 8))
    side = cell + gap
    canvas = Image.new("RGB", (across * side - gap, down * side - gap), "white")
    places = [(x, y) for y in range(down) for x in range(across)]
    shown = [image, *dice.choices(others, k=len(places) - 1)]
    dice.shuffle(shown)
    for (x, y), part in zip(places, shown, strict=True):
        canvas.paste(part.resize((cell, cell)), (x * side, y * side))
    return canvas


_PAINTS = ("#b11226", "#123c69", "#1b1b1b", "#e07a00", "#0b6e4f")

EDITS: dict[str, Edit] = {
    "crop": _crop,
    "deep crop": _deep_crop,
    "mirror": _mirror,
    "border": _border,
    "watermark": _watermark,
    "brightness": _bright,
    "contrast": _contrast,
    "grey": _grey,
    "blur": _blur,
    "resize": _small,
    "rotation": _turn,
    "quarter turn": _quarter_turn,
    "banner": _banner,
    "sticker": _sticker,
    "screenshot": _screenshot,
}
JOINT: dict[str, Joint] = {"collage of two": _collage_of_two, "collage of four": _collage_of_four}
#: What every upload form and every honest shop does to a picture.
MILD = ("crop", "border", "watermark", "brightness", "resize", "banner")


def edited(
    image: Image.Image, dice: random.Random, others: Sequence[Image.Image] = ()
) -> tuple[bytes, str]:
    """The picture after one edit and a hard recompression, and the edit's name.

    Parameters
    ----------
    others
        What may stand beside it in a collage; without, it is put into none.
    """
    name = dice.choice(sorted([*EDITS, *(JOINT if others else ())]))
    out = JOINT[name](image, others, dice) if name in JOINT else EDITS[name](image, dice)
    return encode(out, quality=dice.randrange(45, 75)), name


def touched(image: Image.Image, dice: random.Random) -> tuple[bytes, str]:
    """The picture as an honest shop puts it up: as it is, or with a mild edit."""
    if dice.random() < 0.5:
        return encode(image, 80), "none"
    name = dice.choice(MILD)
    return encode(EDITS[name](image, dice), quality=dice.randrange(65, 88)), name
