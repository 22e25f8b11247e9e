"""The goods of the two brands, drawn as seen from the front or from the side.

Each motif draws one thing on a pen, in the colours given, with a word on it or without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, radians, sin

from bazaar.pen import Colour, Pen


@dataclass(frozen=True)
class Colours:
    """A colourway."""

    main: Colour
    dark: Colour
    light: Colour
    metal: Colour
    accent: Colour


Motif = Callable[[Pen, Colours, str], None]


def tote(pen: Pen, c: Colours, word: str) -> None:
    """A wide open bag with two handles."""
    pen.curve([(34, 42), (36, 18), (50, 10), (64, 18), (66, 42)], c.dark, 3.2)
    pen.polygon([(17, 36), (83, 36), (91, 88), (9, 88)], c.main, fabric=True)
    pen.polygon([(17, 36), (83, 36), (84, 43), (16, 43)], c.dark)
    pen.polygon([(10.2, 80), (89.8, 80), (91, 88), (9, 88)], c.dark)
    pen.curve([(30, 46), (33, 24), (50, 17), (67, 24), (70, 46)], c.light, 3.6)
    for x in (30, 70):
        pen.ellipse((x - 2.6, 43.4, x + 2.6, 48.6), c.metal)
    pen.stitches([(15, 46), (9.5, 78)], c.light)
    pen.stitches([(85, 46), (90.5, 78)], c.light)
    pen.rect((43, 52, 57, 60), c.metal, radius=1.5)
    pen.rect((44.5, 53.5, 55.5, 58.5), c.dark, radius=1)
    if word:
        pen.text((50, 70), word, 6.5, c.light)


def crossbody(pen: Pen, c: Colours, word: str) -> None:
    """A small bag with a round flap on a long strap."""
    pen.curve([(20, 52), (14, 30), (30, 8), (58, 4), (84, 20), (80, 52)], c.dark, 2.2)
    pen.rect((18, 46, 82, 88), c.main, radius=9, fabric=True)
    pen.smooth(
        [(18, 52), (20, 46), (50, 44), (80, 46), (82, 52), (78, 66), (50, 75), (22, 66)], c.dark
    )
    pen.stitches([(22, 62), (34, 69), (50, 71.5), (66, 69), (78, 62)], c.light)
    pen.ellipse((44, 64, 56, 76), c.metal)
    pen.ellipse((47, 67, 53, 73), c.accent)
    for x in (20, 80):
        pen.ring((x - 3, 47, x + 3, 53), c.metal, 1.2)
    if word:
        pen.text((50, 55), word, 5.5, c.light)


def backpack(pen: Pen, c: Colours, word: str) -> None:
    """A tall pack with a pocket in front."""
    pen.curve([(42, 14), (44, 5), (56, 5), (58, 14)], c.dark, 2.6)
    pen.curve([(28, 24), (16, 44), (18, 70), (28, 84)], c.dark, 4)
    pen.curve([(72, 24), (84, 44), (82, 70), (72, 84)], c.dark, 4)
    pen.smooth(
        [(27, 30), (34, 14), (50, 10), (66, 14), (73, 30), (76, 82), (68, 92), (32, 92), (24, 82)],
        c.main,
        fabric=True,
    )
    pen.curve([(29, 36), (50, 30), (71, 36)], c.metal, 1)
    pen.smooth([(32, 60), (50, 57), (68, 60), (70, 82), (50, 87), (30, 82)], c.dark)
    pen.curve([(33, 64), (50, 61), (67, 64)], c.metal, 1)
    pen.rect((62, 62, 65, 71), c.accent, radius=1)
    for x in (38, 62):
        pen.line([(x, 36), (x, 57)], c.light, 2.2)
        pen.rect((x - 2.4, 46, x + 2.4, 50), c.metal, radius=0.6)
    if word:
        pen.text((50, 75), word, 6, c.light)


def sneaker(pen: Pen, c: Colours, word: str) -> None:
    """A low running shoe seen from its outside."""
    pen.smooth(
        [(5, 70), (8, 50), (14, 36), (26, 34), (36, 46), (52, 42), (66, 54), (88, 60), (96, 70),
         (92, 76), (50, 77), (8, 77)],
        c.main,
        fabric=True,
    )  # fmt: skip
    pen.smooth([(68, 56), (88, 60), (96, 70), (92, 76), (72, 76), (64, 66)], c.dark)
    pen.smooth([(5, 70), (8, 50), (18, 54), (22, 76), (8, 77)], c.accent)
    pen.smooth([(14, 36), (26, 32), (36, 44), (30, 50), (18, 44)], c.light)
    for index in range(4):
        x = 40 + index * 6.4
        pen.line([(x, 43.5 + index * 2.6), (x + 5, 54 + index * 1.4)], c.light, 1.6)
    pen.curve([(30, 70), (44, 58), (50, 70), (64, 58)], c.light, 2.6)
    pen.smooth(
        [(3, 76), (50, 74), (97, 73), (98, 80), (92, 86), (50, 86), (10, 88), (3, 84)], c.light
    )
    pen.line([(6, 82), (50, 81), (94, 80)], c.accent, 1.2)
    if word:
        pen.text((42, 66), word, 4.4, c.metal)


def boot(pen: Pen, c: Colours, word: str) -> None:
    """An ankle boot with a heel and elastic sides."""
    pen.smooth(
        [(24, 10), (42, 7), (58, 10), (57, 34), (60, 50), (74, 62), (90, 68), (94, 78), (60, 82),
         (26, 80), (22, 60)],
        c.main,
        fabric=True,
    )  # fmt: skip
    pen.polygon([(22, 80), (94, 78), (94, 83), (56, 84), (48, 92), (24, 92)], c.dark)
    pen.smooth([(36, 16), (46, 15), (48, 44), (42, 50), (35, 44)], c.dark)
    for index in range(4):
        x = 37.5 + index * 2.7
        pen.line([(x, 19), (x + 0.4, 43)], c.light, 0.5)
    pen.curve([(24, 14), (42, 11), (58, 14)], c.light, 1.6)
    pen.stitches([(60, 54), (66, 66), (62, 78)], c.light)
    pen.curve([(25, 12), (20, 4), (30, 2), (30, 10)], c.accent, 2)
    if word:
        pen.text((42, 62), word, 4.6, c.metal)


def watch(pen: Pen, c: Colours, word: str) -> None:
    """A round watch on a strap."""
    pen.polygon([(38, 2), (62, 2), (66, 30), (34, 30)], c.main, fabric=True)
    pen.polygon([(34, 70), (66, 70), (61, 98), (39, 98)], c.main, fabric=True)
    pen.rect((76, 46, 83, 54), c.metal, radius=1.4)
    pen.ellipse((22, 22, 78, 78), c.metal)
    pen.ellipse((26, 26, 74, 74), c.dark)
    pen.ellipse((28, 28, 72, 72), c.light)
    for hour in range(12):
        angle = radians(hour * 30)
        near, far = (15.5 if hour % 3 else 13.5), 19.5
        pen.line(
            [(50 + near * sin(angle), 50 - near * cos(angle)),
             (50 + far * sin(angle), 50 - far * cos(angle))],
            c.dark, 0.8 if hour % 3 else 1.7,
        )  # fmt: skip
    pen.ellipse((45, 56, 55, 66), c.accent)
    pen.line([(50, 61), (52.5, 58)], c.light, 0.5)
    pen.line([(50, 50), (40, 41)], c.dark, 1.8)
    pen.line([(50, 50), (59, 36)], c.dark, 1.1)
    pen.ellipse((48.4, 48.4, 51.6, 51.6), c.metal)
    if word:
        pen.text((50, 40), word, 3.6, c.dark)


def headphones(pen: Pen, c: Colours, word: str) -> None:
    """Over-ear headphones from the front."""
    pen.arc((18, 8, 82, 96), 180, 360, c.dark, 7)
    pen.arc((21, 12, 79, 92), 200, 340, c.main, 4)
    for side in (0, 1):
        x = 10 if side == 0 else 70
        pen.rect((x, 44, x + 20, 86), c.main, radius=9, fabric=True)
        inner = x + 13 if side == 0 else x - 3
        pen.rect((inner, 46, inner + 10, 84), c.dark, radius=5)
        pen.ring((x + 3 + 5 * side, 56, x + 12 + 5 * side, 74), c.metal, 0.9)
        pen.ellipse((x + 6 + 5 * side, 61, x + 9.5 + 5 * side, 68), c.accent)
    if word:
        pen.text((50, 11.7), word, 4, c.light)


def earbuds(pen: Pen, c: Colours, word: str) -> None:
    """Two earbuds standing in their open case."""
    pen.smooth([(18, 42), (22, 18), (50, 12), (78, 18), (82, 42), (50, 46)], c.dark)
    pen.smooth([(23, 40), (27, 22), (50, 17), (73, 22), (77, 40), (50, 43)], c.light)
    for x in (36, 64):
        lean = -3 if x < 50 else 3
        pen.line([(x, 50), (x + lean, 34)], c.main, 7)
        pen.ellipse((x + lean - 7, 24, x + lean + 7, 38), c.main, fabric=True)
        pen.ellipse((x + lean - 3, 28, x + lean + 3, 34), c.accent)
    pen.smooth(
        [(16, 50), (50, 46), (84, 50), (86, 74), (74, 88), (50, 91), (26, 88), (14, 74)],
        c.main,
        fabric=True,
    )
    pen.curve([(17, 54), (50, 51), (83, 54)], c.metal, 1)
    pen.ellipse((48, 80, 52, 84), c.accent)
    if word:
        pen.text((50, 69), word, 7, c.dark)


def power_bank(pen: Pen, c: Colours, word: str) -> None:
    """A flat power bank standing upright, with sockets on its top."""
    pen.rect((27, 8, 73, 94), c.dark, radius=7)
    pen.rect((29, 14, 71, 92), c.main, radius=6, fabric=True)
    for x in (34, 46, 58):
        pen.rect((x, 9.4, x + 8, 12.4), c.metal, radius=0.8)
    pen.rect((36, 22, 64, 40), c.dark, radius=3)
    for index in range(4):
        left = 40 + index * 5.6
        pen.rect((left, 27, left + 3.4, 35), c.accent if index < 3 else c.light, radius=0.8)
    pen.polygon([(53, 52), (42, 68), (49, 68), (46, 80), (59, 63), (51.5, 63)], c.light)
    if word:
        pen.text((50, 86), word, 5.4, c.light)


def power_stick(pen: Pen, c: Colours, word: str) -> None:
    """A lipstick-sized power bank lying down, its cable coiled beside it."""
    pen.curve(
        [(16, 44), (6, 34), (14, 20), (32, 16), (46, 24), (40, 36), (26, 34), (28, 22), (56, 14),
         (82, 22)],
        c.dark,
        2.4,
    )  # fmt: skip
    pen.rect((80, 18, 94, 27), c.metal, radius=1.4)
    pen.rect((8, 46, 92, 76), c.main, radius=14, fabric=True)
    pen.rect((8, 46, 30, 76), c.dark, radius=14)
    pen.rect((20, 46, 32, 76), c.metal)
    pen.ellipse((12.5, 57, 20.5, 65), c.light)
    for index in range(3):
        pen.ellipse((76 + index * 4, 59.5, 78.6 + index * 4, 62.1), c.accent)
    if word:
        pen.text((53, 61), word, 8, c.light)


GOODS: dict[str, Motif] = {
    "tote": tote,
    "crossbody": crossbody,
    "backpack": backpack,
    "sneaker": sneaker,
    "boot": boot,
    "watch": watch,
    "headphones": headphones,
    "earbuds": earbuds,
    "power_bank": power_bank,
    "power_stick": power_stick,
}
