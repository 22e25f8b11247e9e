"""Drawings of things that have nothing to do with a brand: what else a marketplace sells."""

from __future__ import annotations

from math import cos, radians, sin

from bazaar.motifs import Colours, Motif
from bazaar.pen import Pen


def mug(pen: Pen, c: Colours, word: str) -> None:
    """A mug with a handle."""
    pen.ring((60, 34, 92, 74), c.dark, 5)
    pen.polygon([(18, 22), (74, 22), (69, 86), (23, 86)], c.main, fabric=True)
    pen.ellipse((23, 82, 69, 91), c.main)
    pen.ellipse((18, 16, 74, 29), c.light)
    pen.ellipse((22, 18, 70, 27), c.dark)
    pen.line([(21, 62), (71, 62)], c.accent, 4)


def lamp(pen: Pen, c: Colours, word: str) -> None:
    """A table lamp with a shade."""
    pen.line([(50, 44), (50, 86)], c.metal, 3.4)
    pen.ellipse((28, 82, 72, 94), c.dark)
    pen.ellipse((38, 60, 62, 78), c.accent)
    pen.polygon([(36, 8), (64, 8), (84, 50), (16, 50)], c.light, fabric=True)
    pen.line([(16, 50), (84, 50)], c.main, 2.4)
    pen.line([(36, 8), (64, 8)], c.main, 2)


def plant(pen: Pen, c: Colours, word: str) -> None:
    """A pot plant with long leaves."""
    for angle in range(-64, 65, 16):
        turn = radians(angle)
        x, y = 50 + 46 * sin(turn), 62 - 50 * cos(turn)
        mid = ((50 + x) / 2 + 5 * cos(turn), (62 + y) / 2 - 6)
        pen.smooth(
            [(48, 64), (mid[0] - 5, mid[1]), (x, y), (mid[0] + 3, mid[1] + 7), (53, 64)],
            (52, 110 + abs(angle), 66),
        )
    pen.polygon([(30, 60), (70, 60), (64, 94), (36, 94)], c.main, fabric=True)
    pen.rect((27, 57, 73, 66), c.dark, radius=1.5)


def chair(pen: Pen, c: Colours, word: str) -> None:
    """A wooden chair, half from the side."""
    for x, top, bottom in ((26, 56, 95), (70, 60, 97), (40, 52, 86), (80, 52, 88)):
        pen.line([(x, top), (x - 2, bottom)], c.dark, 3.2)
    pen.line([(27, 56), (22, 6)], c.dark, 3.6)
    pen.line([(41, 52), (37, 4)], c.dark, 3)
    for y in (10, 20, 30):
        pen.line([(22.5, y + 1), (38, y - 1)], c.main, 4)
    pen.polygon([(24, 58), (72, 62), (84, 52), (40, 49)], c.main, fabric=True)
    pen.polygon([(24, 58), (72, 62), (72, 66), (24, 62)], c.light)


def toy_car(pen: Pen, c: Colours, word: str) -> None:
    """A die-cast model car."""
    pen.smooth(
        [(5, 68), (8, 56), (26, 52), (38, 36), (64, 36), (76, 52), (92, 56), (96, 68), (90, 74),
         (10, 74)],
        c.main,
        fabric=True,
    )  # fmt: skip
    pen.polygon([(31, 52), (40, 40), (50, 40), (50, 52)], c.light)
    pen.polygon([(53, 40), (62, 40), (70, 52), (53, 52)], c.light)
    for x in (26, 74):
        pen.ellipse((x - 11, 63, x + 11, 85), (28, 28, 30))
        pen.ellipse((x - 6, 68, x + 6, 80), c.metal)
    pen.ellipse((88, 58, 95, 64), c.accent)
    pen.line([(10, 66), (90, 66)], c.dark, 1)


def teapot(pen: Pen, c: Colours, word: str) -> None:
    """A round teapot."""
    pen.ring((64, 36, 96, 72), c.dark, 4)
    pen.smooth([(30, 70), (14, 58), (2, 34), (12, 34), (24, 50), (36, 52)], c.dark)
    pen.ellipse((20, 32, 78, 88), c.main, fabric=True)
    pen.smooth([(30, 36), (50, 22), (68, 36), (50, 40)], c.light)
    pen.ellipse((45, 14, 54, 24), c.accent)
    pen.rect((34, 84, 64, 90), c.dark, radius=2)


def book(pen: Pen, c: Colours, word: str) -> None:
    """A standing hardcover book."""
    pen.polygon([(24, 12), (70, 8), (78, 12), (78, 90), (70, 94), (24, 90)], c.light)
    pen.polygon([(22, 10), (68, 6), (68, 94), (22, 90)], c.main, fabric=True)
    pen.polygon([(22, 10), (28, 9.4), (28, 90.6), (22, 90)], c.dark)
    pen.rect((36, 24, 60, 42), c.accent, radius=2)
    for y in (52, 58, 64):
        pen.line([(38, y), (58, y - 0.6)], c.light, 1.4)


def ball(pen: Pen, c: Colours, word: str) -> None:
    """A football."""
    pen.ellipse((12, 12, 88, 88), c.light)
    for ring, count, size in ((0, 1, 11), (29, 5, 9)):
        for index in range(count):
            turn = radians(index * 360 / count - 90)
            x, y = 50 + ring * cos(turn), 50 + ring * sin(turn)
            pen.polygon(
                [(x + size * cos(radians(k * 72) + turn), y + size * sin(radians(k * 72) + turn))
                 for k in range(5)],
                c.dark,
            )  # fmt: skip
    pen.ring((12, 12, 88, 88), c.main, 1.6)


def guitar(pen: Pen, c: Colours, word: str) -> None:
    """A guitar, upright."""
    pen.rect((46, 4, 54, 52), c.dark)
    pen.rect((43, 1, 57, 12), c.dark, radius=2)
    pen.smooth(
        [(50, 44), (66, 44), (68, 56), (64, 62), (78, 76), (70, 94), (50, 97), (30, 94), (22, 76),
         (36, 62), (32, 56), (34, 44)],
        c.main,
        fabric=True,
    )  # fmt: skip
    pen.ellipse((41, 58, 59, 76), c.dark)
    pen.rect((38, 84, 62, 87.5), c.dark, radius=1)
    for x in (47.4, 49.2, 50.9, 52.6):
        pen.line([(x, 8), (x, 85)], c.light, 0.35)


def umbrella(pen: Pen, c: Colours, word: str) -> None:
    """An open umbrella."""
    pen.line([(50, 12), (50, 84)], c.metal, 1.8)
    pen.curve([(50, 82), (50, 94), (60, 94), (60, 86)], c.dark, 3)
    pen.smooth([(6, 54), (12, 30), (30, 14), (50, 9), (70, 14), (88, 30), (94, 54), (79, 48),
                (65, 54), (50, 48), (35, 54), (21, 48)], c.main, fabric=True)  # fmt: skip
    pen.smooth([(50, 9), (35, 54), (50, 48), (65, 54)], c.accent)
    pen.line([(50, 4), (50, 10)], c.metal, 1.6)


THINGS: dict[str, Motif] = {
    "mug": mug,
    "lamp": lamp,
    "plant": plant,
    "chair": chair,
    "toy_car": toy_car,
    "teapot": teapot,
    "book": book,
    "ball": ball,
    "guitar": guitar,
    "umbrella": umbrella,
}
