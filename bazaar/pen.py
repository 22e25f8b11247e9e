"""A drawing layer in units of a hundredth of its side, which also remembers what is fabric.

Drawings are the same at every size, so that a small one can be hashed before the large one is
made.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


class Pen:
    """Draws shapes on a transparent layer.

    Parameters
    ----------
    side
        Pixels of the square layer; its coordinates go from 0 to 100.

    Attributes
    ----------
    layer
        RGBA, what was drawn.
    fabric
        L, 255 where the topmost shape takes the product's pattern.
    """

    def __init__(self, side: int) -> None:
        self.scale = side / 100
        self.layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        self.fabric = Image.new("L", (side, side), 0)
        self._draw = ImageDraw.Draw(self.layer)
        self._mask = ImageDraw.Draw(self.fabric)

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    def _box(self, box: Box) -> Box:
        x0, y0, x1, y1 = (value * self.scale for value in box)
        return x0, y0, x1, y1

    def _width(self, width: float) -> int:
        return max(1, round(width * self.scale))

    def polygon(self, points: Sequence[Point], fill: Colour, *, fabric: bool = False) -> None:
        """A filled polygon."""
        self._draw.polygon(self._points(points), fill=fill)
        self._mask.polygon(self._points(points), fill=255 if fabric else 0)

    def smooth(self, points: Sequence[Point], fill: Colour, *, fabric: bool = False) -> None:
        """A filled closed curve through the points."""
        self.polygon(spline(points, closed=True), fill, fabric=fabric)

    def rect(self, box: Box, fill: Colour, *, radius: float = 0, fabric: bool = False) -> None:
        """A filled rectangle with round corners."""
        radius *= self.scale
        self._draw.rounded_rectangle(self._box(box), radius, fill=fill)
        self._mask.rounded_rectangle(self._box(box), radius, fill=255 if fabric else 0)

    def ellipse(self, box: Box, fill: Colour, *, fabric: bool = False) -> None:
        """A filled ellipse."""
        self._draw.ellipse(self._box(box), fill=fill)
        self._mask.ellipse(self._box(box), fill=255 if fabric else 0)

    def ring(self, box: Box, colour: Colour, width: float) -> None:
        """An ellipse's outline."""
        self._draw.ellipse(self._box(box), outline=colour, width=self._width(width))
        self._mask.ellipse(self._box(box), outline=0, width=self._width(width))

    def arc(self, box: Box, start: float, end: float, colour: Colour, width: float) -> None:
        """A part of an ellipse's outline; degrees clockwise from three o'clock."""
        self._draw.arc(self._box(box), start, end, fill=colour, width=self._width(width))

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """A line through the points, with round joints and ends."""
        wide = self._width(width)
        placed = self._points(points)
        self._draw.line(placed, fill=colour, width=wide, joint="curve")
        for x, y in (placed[0], placed[-1]):
            half = wide / 2
            self._draw.ellipse((x - half, y - half, x + half, y + half), fill=colour)

    def curve(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """A smooth open line through the points."""
        self.line(spline(points, closed=False), colour, width)

    def stitches(self, points: Sequence[Point], colour: Colour, width: float = 0.45) -> None:
        """A dashed seam along a smooth open line."""
        path = spline(points, closed=False, steps=10)
        for start, end in zip(path[::2], path[1::2], strict=False):
            self.line([start, end], colour, width)

    def text(self, centre: Point, words: str, size: float, colour: Colour) -> None:
        """Words centred at a point; Latin letters, digits and signs only."""
        font = ImageFont.load_default(size=size * self.scale)
        x, y = self._points([centre])[0]
        self._draw.text((x, y), words, font=font, fill=colour, anchor="mm")


def spline(points: Sequence[Point], *, closed: bool, steps: int = 8) -> list[Point]:
    """Points on the uniform Catmull-Rom curve through the given ones."""
    count = len(points)
    path: list[Point] = []
    for index in range(count if closed else count - 1):
        if closed:
            around = [points[(index + offset) % count] for offset in (-1, 0, 1, 2)]
        else:
            around = [points[min(max(index + offset, 0), count - 1)] for offset in (-1, 0, 1, 2)]
        for step in range(steps):
            path.append(_between(around, step / steps))
    if not closed:
        path.append(points[-1])
    return path


def _between(around: Sequence[Point], t: float) -> Point:
    def one(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t * t
            + (3 * b - a - 3 * c + d) * t * t * t
        )

    (ax, ay), (bx, by), (cx, cy), (dx, dy) = around
    return one(ax, bx, cx, dx), one(ay, by, cy, dy)
