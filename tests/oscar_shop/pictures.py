"""Drawn product pictures: two shapes on plain backgrounds, different enough to hash apart."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageDraw, ImageEnhance

SIZE = 480
"""Width and height of every picture, in pixels."""


def ordinary(random: Random) -> Image.Image:
    """Draw a bag or a box of drawn lots: RGB, `SIZE` square."""
    return random.choice((_bag, _box))(random)


def aria_tote() -> Image.Image:
    """Draw the genuine Velaro Aria Tote: the reference picture, always the same."""
    return _bag(Random("Velaro Aria Tote"))


def copied(picture: Image.Image, random: Random) -> Image.Image:
    """Edit a picture as a copyist does: a slight crop, brightness and a mark in a corner."""
    inset = random.randint(2, 8)
    copy = picture.crop((inset, inset, SIZE - inset, SIZE - inset)).resize((SIZE, SIZE))
    copy = ImageEnhance.Brightness(copy).enhance(random.uniform(0.92, 1.08))
    ImageDraw.Draw(copy).text((12, SIZE - 24), f"SALE {random.randint(10, 70)}%", fill="white")
    return copy


def _colour(random: Random, low: int, high: int) -> tuple[int, int, int]:
    return random.randint(low, high), random.randint(low, high), random.randint(low, high)


def _ground(random: Random) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", (SIZE, SIZE), _colour(random, 170, 250))
    draw = ImageDraw.Draw(picture)
    floor = random.randint(SIZE // 2, SIZE - 40)
    draw.rectangle((0, floor, SIZE, SIZE), fill=_colour(random, 110, 200))
    return picture, draw


def _stripes(draw: ImageDraw.ImageDraw, random: Random, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    for _ in range(random.randint(2, 6)):
        ink = _colour(random, 0, 255)
        if random.random() < 0.5:
            x = random.randint(left, right - 20)
            draw.rectangle((x, top, min(right, x + random.randint(8, 60)), bottom), fill=ink)
        else:
            y = random.randint(top, bottom - 20)
            draw.rectangle((left, y, right, min(bottom, y + random.randint(8, 60))), fill=ink)


def _bag(random: Random) -> Image.Image:
    picture, draw = _ground(random)
    left, right = random.randint(40, 150), SIZE - random.randint(40, 150)
    top, bottom = random.randint(150, 240), SIZE - random.randint(30, 100)
    arch = random.randint(60, 130)
    ink = _colour(random, 10, 150)
    draw.arc(
        (left + 50, top - arch, right - 50, top + arch),
        180,
        360,
        fill=ink,
        width=random.randint(8, 22),
    )
    flare = random.randint(-30, 30)
    draw.polygon(
        [(left, top), (right, top), (right + flare, bottom), (left - flare, bottom)], fill=ink
    )
    inner = max(0, -flare)
    _stripes(draw, random, (left + inner, top, right - inner, bottom))
    x, y = random.randint(left + 20, right - 60), random.randint(top + 10, bottom - 60)
    draw.ellipse((x, y, x + random.randint(24, 60), y + random.randint(24, 60)), fill="gold")
    return picture


def _box(random: Random) -> Image.Image:
    picture, draw = _ground(random)
    left, top = random.randint(30, 160), random.randint(40, 200)
    right, bottom = SIZE - random.randint(30, 160), SIZE - random.randint(30, 150)
    draw.rounded_rectangle(
        (left, top, right, bottom), radius=random.randint(0, 90), fill=_colour(random, 10, 180)
    )
    _stripes(draw, random, (left + 30, top + 30, right - 30, bottom - 30))
    for _ in range(random.randint(1, 4)):
        x, y = random.randint(left, right), random.randint(top, bottom)
        reach = random.randint(15, 70)
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_colour(random, 0, 255))
    return picture
