"""Registered logos in sellers' larger photographs: how many are found at which share of the width.

Logos are drawn by our code, in four manners, and put into photographs (drawn scenes where there
are none) as a label or printed on what is there, turned by up to 12°, seen a little aslant, with
a camera's noise and blur, in a JPEG of 800 pixels. Negatives are the same with logos that are
not registered: some of their own, some that share their figure or their word with a registered
one. Each picture is looked up among all registered logos and reference photographs.

The verdict on logos was set with those of `TUNING`; what is reported uses others, in the
photographs that set nothing (`benchmarks.picture_sets`).

`python -m benchmarks.picture_logos --each 60 --negatives 1000`
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi, sin
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.measure import Result, interval
from benchmarks.picture_sets import FIT, SEED, SET, drawn, jpeg, photographs, picture_of
from matchers.pictures import Reference, ReferenceIndex, decode, traits

#: Shares of the picture's width that the logo takes.
SHARES = (0.5, 0.35, 0.25, 0.2, 0.15)
REGISTERED = 40
#: Where the seeds of logos begin: those that the verdict was set with, and those reported.
TUNING, REPORTED = 0, 1000
#: Of the listing's picture, in pixels.
SIDE = 800
#: References beside the logos.
PHOTOGRAPHS = 60

_LETTERS = "ABCDEFGHKLMNOPRSTVXYZ"
_WIDTH, _HEIGHT = 480, 360


@dataclass(frozen=True, slots=True)
class Logo:
    """A made-up logo: its figure and its word may each be shared with another one."""

    manner: int
    figure: int
    word: int

    @classmethod
    def of(cls, seed: int) -> Logo:
        """The logo of a seed, unlike those of others."""
        return cls(seed % 4, seed, seed)

    def sibling(self, seed: int) -> Logo:
        """One that shares its figure or its word, where it has both."""
        if self.manner in (1, 2):
            return Logo(self.manner, seed, seed)
        return Logo(self.manner, self.figure, seed) if seed % 2 else Logo(
            self.manner, seed, self.word
        )  # fmt: skip

    def draw(self) -> Image.Image:
        """As it is registered: on white."""
        dice = Random(f"figure {self.figure}")
        ink = _ink(dice)
        sheet = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
        if self.manner == 0:  # a figure over a word
            _figure(sheet, dice, (140, 15, 340, 215), ink)
            _write(sheet, self.word, (60, 235, 420, 340), ink)
        elif self.manner == 1:  # a word alone
            sheet = Image.new("RGB", (_WIDTH, 170), "white")
            _write(sheet, self.word, (20, 20, _WIDTH - 20, 150), _ink(Random(self.word)))
        elif self.manner == 2:  # a figure alone
            sheet = Image.new("RGB", (_HEIGHT, _HEIGHT), "white")
            _figure(sheet, dice, (25, 25, _HEIGHT - 25, _HEIGHT - 25), ink)
        else:  # a filled badge with a figure and a word
            sheet = Image.new("RGB", (_WIDTH, 260), "white")
            pen = ImageDraw.Draw(sheet)
            pen.rounded_rectangle((8, 8, _WIDTH - 8, 252), dice.choice([12, 60, 120]), ink)
            _figure(sheet, dice, (45, 60, 185, 200), (255, 255, 255))
            _write(sheet, self.word, (200, 75, 440, 185), (255, 255, 255), ink)
        return sheet


def _ink(dice: Random) -> tuple[int, int, int]:
    return dice.randrange(110), dice.randrange(110), dice.randrange(110)


def _figure(
    sheet: Image.Image,
    dice: Random,
    box: tuple[int, int, int, int],
    ink: tuple[int, int, int],
) -> None:
    """Some strokes, polygons and rings within a box."""
    pen = ImageDraw.Draw(sheet)
    left, top, right, bottom = box
    x, y, reach = (left + right) / 2, (top + bottom) / 2, (right - left) / 2
    points = dice.randint(5, 8)
    turn = dice.uniform(0, pi)
    star = [
        (
            x + cos(turn + 2 * pi * n / points) * reach * far,
            y + sin(turn + 2 * pi * n / points) * reach * far,
        )
        for n in range(points)
        for far in [dice.uniform(0.35, 1.0)]
    ]
    width = round(reach * dice.uniform(0.07, 0.14))
    if dice.random() < 0.6:
        pen.polygon(star, fill=ink)
    else:
        pen.line([*star, star[0]], fill=ink, width=width, joint="curve")
    for _ in range(dice.randint(1, 3)):
        at_x, at_y = (c + dice.uniform(-0.5, 0.5) * reach for c in (x, y))
        size = reach * dice.uniform(0.15, 0.5)
        ring = (at_x - size, at_y - size, at_x + size, at_y + size)
        pen.ellipse(ring, outline=dice.choice([ink, (200, 60, 50), (230, 180, 40)]), width=width)
    if dice.random() < 0.5:
        pen.rectangle(box, outline=ink, width=width)


def _write(
    sheet: Image.Image,
    word: int,
    box: tuple[int, int, int, int],
    ink: tuple[int, int, int],
    ground: tuple[int, int, int] = (255, 255, 255),
) -> None:
    """A made-up word that fills a box, in a hand of its own."""
    dice = Random(f"word {word}")
    text = "".join(dice.choices(_LETTERS, k=dice.randint(4, 8)))
    if dice.random() < 0.4:
        text = text.capitalize()
    font = ImageFont.load_default(120)
    stroke = dice.choice([0, 0, 3, 6])
    probe = ImageDraw.Draw(Image.new("L", (1, 1)))
    size = probe.textbbox((0, 0), text, font=font, stroke_width=stroke)
    layer = Image.new("L", (int(size[2] + 40), int(size[3] + 30)), 0)
    ImageDraw.Draw(layer).text((10, 5), text, 255, font=font, stroke_width=stroke)
    shear = dice.choice([0, 0, 0.25, -0.15])
    layer = layer.transform(
        layer.size, Image.Transform.AFFINE, (1, shear, -shear * layer.height / 2, 0, 1, 0),
        Image.Resampling.BICUBIC,
    )  # fmt: skip
    layer = layer.crop(layer.getbbox()).resize((box[2] - box[0], box[3] - box[1]))
    sheet.paste(Image.composite(Image.new("RGB", layer.size, ink),
                                Image.new("RGB", layer.size, ground), layer), box[:2])  # fmt: skip


def put(picture: Image.Image, logo: Image.Image, share: float, dice: Random) -> bytes:
    """A photograph with a logo of so much of its width, as a listing would show it."""
    width = SIDE
    scene = picture.resize((width, round(picture.height * width / picture.width)))
    pixels = np.asarray(scene, np.float32)
    wide = share * width
    high = wide * logo.height / logo.width
    angle = np.deg2rad(dice.uniform(-12, 12))
    reach = 0.5 * (abs(np.cos(angle)) * wide + abs(np.sin(angle)) * high) + 6
    rise = 0.5 * (abs(np.sin(angle)) * wide + abs(np.cos(angle)) * high) + 6
    x = dice.uniform(min(reach, width / 2), max(width - reach, width / 2))
    y = dice.uniform(min(rise, scene.height / 2), max(scene.height - rise, scene.height / 2))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (wide / 2, high / 2)
    turned = corners @ np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    ) + (x, y)
    turned += [[dice.uniform(-0.02, 0.02) * wide for _ in range(2)] for _ in range(4)]
    # Halved first while it is far too large, so that nothing aliases.
    small = logo.resize((max(8, round(2 * wide)), max(8, round(2 * high))), Image.Resampling.BOX)
    source = np.array(
        [(0, 0), (small.width, 0), (small.width, small.height), (0, small.height)], np.float32
    )
    laid = cv2.getPerspectiveTransform(source - 0.5, turned.astype(np.float32) - 0.5)
    size = (width * 2, scene.height * 2)
    double = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]) @ laid
    sheet = cv2.warpPerspective(
        np.asarray(small, np.float32), double, size, borderValue=(255, 255, 255)
    )
    covered = cv2.warpPerspective(np.full(small.size[::-1], 1, np.float32), double, size)
    inked = np.asarray(cv2.resize(sheet, scene.size, interpolation=cv2.INTER_AREA), np.float32)
    mask = np.asarray(cv2.resize(covered, scene.size, interpolation=cv2.INTER_AREA))[..., None]
    ground = float((pixels * mask).sum() / mask.sum() / 3)
    if ground > 120 and dice.random() < 0.5:
        # Printed on what is there.
        pixels = np.asarray(pixels * (1 - mask * (1 - inked / 255)), np.float32)
    else:
        paper = np.array([dice.uniform(0.82, 1) for _ in range(3)], np.float32)
        pixels = np.asarray(pixels * (1 - mask) + inked * paper * mask, np.float32)
    return jpeg(_photographed(pixels, dice), dice.randint(75, 92))


def _photographed(pixels: NDArray[np.float32], dice: Random) -> Image.Image:
    pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), dice.uniform(0.5, 1.0)), np.float32)
    pixels = (pixels - 128) * dice.uniform(0.75, 1.15) + 128 * dice.uniform(0.8, 1.15)
    noise = np.random.default_rng(dice.getrandbits(32))
    noisy: NDArray[np.float64] = pixels + noise.normal(0, dice.uniform(1, 4), pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def scenes(tuning: bool) -> list[Image.Image]:
    """What the logos are put into."""
    files = [path.read_bytes() for path in photographs()]
    if not files:
        return [picture_of(named.data) for named in drawn(120, SEED + tuning)]
    return [picture_of(data) for data in (files[: FIT + SET] if tuning else files[FIT + SET :])]


def index_of(first: int, others: list[Image.Image]) -> ReferenceIndex:
    """Registered logos by their numbers, and reference photographs."""
    logos = [
        Reference(str(n), "logo", traits(decode(jpeg(Logo.of(first + n).draw(), 95))))
        for n in range(REGISTERED)
    ]
    beside = [
        Reference(f"p{n}", "reference", traits(decode(jpeg(picture))))
        for n, picture in enumerate(others[:PHOTOGRAPHS])
    ]
    return ReferenceIndex.build([*logos, *beside])


def shown(
    each: int, negatives: int, tuning: bool, pictures: list[Image.Image]
) -> Iterator[tuple[str, float, int, bytes]]:
    """Kind, share, the logo that is seen or −1, and the file."""
    first = TUNING if tuning else REPORTED
    for share in SHARES:
        dice = Random(f"{SEED} {share} {tuning}")
        for n in range(each):
            logo = Logo.of(first + n % REGISTERED).draw()
            yield "logo", share, n % REGISTERED, put(dice.choice(pictures), logo, share, dice)
    dice = Random(f"{SEED} {tuning}")
    for n in range(negatives):
        mine = Logo.of(first + n % REGISTERED)
        kind = ("sibling", "other logo", "no logo")[n % 3]
        other = mine.sibling(first + 500 + n) if kind == "sibling" else Logo.of(first + 500 + n)
        share = dice.choice(SHARES)
        picture = dice.choice(pictures)
        if kind == "no logo":
            scene = picture.resize((SIDE, round(picture.height * SIDE / picture.width)))
            yield kind, 0.0, -1, jpeg(_photographed(np.asarray(scene, np.float32), dice))
        else:
            yield kind, share, -1, put(picture, other.draw(), share, dice)


def run(each: int = 40, negatives: int = 300) -> Iterator[Result]:
    """Recall by share of the width, and false matches."""
    pictures = scenes(tuning=False)
    beside, behind = pictures[:PHOTOGRAPHS], pictures[PHOTOGRAPHS:]
    index = index_of(REPORTED, beside)
    counts: dict[tuple[str, float], list[int]] = {}
    false = {"logo": [0, 0], "sibling": [0, 0], "other logo": [0, 0], "no logo": [0, 0]}
    for kind, share, truth, data in shown(each, negatives, False, behind):
        keys = {found.key for found in index.search(decode(data))}
        false[kind][0] += bool(keys - {str(truth)})
        false[kind][1] += 1
        if kind == "logo":
            counts.setdefault((kind, share), []).append(str(truth) in keys)
    for (_, share), hits in counts.items():
        low, high = interval(sum(hits), len(hits))
        yield Result(
            f"a logo over {share:.0%} of the width, found",
            f"{sum(hits) / len(hits):.2f} ({low:.2f} to {high:.2f}, n = {len(hits)})",
            "",
            f"{REGISTERED} logos and {len(beside)} photographs registered",
        )
    for kind, (wrong, asked) in false.items():
        if not asked:
            continue
        low, high = interval(wrong, asked)
        yield Result(
            f"false matches, pictures with {kind}", f"{wrong} of {asked} (below {high:.4f})", "", ""
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.picture_logos", description=__doc__)
    parser.add_argument("--each", type=int, default=40, help="pictures of each share")
    parser.add_argument("--negatives", type=int, default=300)
    words = parser.parse_args()
    for result in run(words.each, words.negatives):
        print(f"| {result.what} | {result.ours} | {result.peer} | {result.verdict} |", flush=True)


if __name__ == "__main__":
    main()
