"""Product photographs without a camera: a drawn thing in a scene, with light and shadow.

A scene is a plain value, and equal scenes give equal pixels at a given size. A scene is chosen
so that its perceptual hash lies away from those of other things: else the pictures of a made-up
marketplace would be more alike than those of a real one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import hypot
from random import Random

import imagehash
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from bazaar.household import THINGS
from bazaar.motifs import GOODS, Colours
from bazaar.pen import Colour, Pen

SIDE = 800
HASH_SIDE = 160
MOTIFS = GOODS | THINGS


@dataclass(frozen=True)
class Scene:
    """Everything that decides a picture.

    Attributes
    ----------
    setting
        Which backdrop: a name of `SETTINGS`.
    scale, turn, squeeze, x, y
        How the thing stands there: its size, degrees, its width as a share, and its place.
    wear
        Number of scratches.
    pattern
        What the thing's fabric shows: a name of `PATTERNS`.
    bend
        How far the thing is from the flat drawing, as a share of its size: a bag stands
        another way in every home, and a camera sees it from another side.
    """

    motif: str
    colours: Colours
    word: str
    pattern: str
    setting: str
    backdrop: tuple[Colour, Colour]
    seed: int
    scale: float = 0.72
    turn: float = 0.0
    squeeze: float = 1.0
    x: float = 0.0
    y: float = 0.0
    mirrored: bool = False
    shadow: float = 0.45
    warmth: float = 0.0
    wear: int = 0
    bend: float = 0.0


def _gradient(side: int, start: Colour, end: Colour, angle: float) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((side * 2, side * 2)).rotate(angle)
    cut = ramp.crop((side // 2, side // 2, side // 2 + side, side // 2 + side))
    return Image.composite(
        Image.new("RGB", (side, side), end), Image.new("RGB", (side, side), start), cut
    )


def _studio(side: int, a: Colour, b: Colour, rng: Random) -> Image.Image:
    return _gradient(side, a, b, rng.choice([0, 35, 90, 140, 180, 215, 270, 320]))


def _spot(side: int, a: Colour, b: Colour, rng: Random) -> Image.Image:
    light = Image.radial_gradient("L").resize((side * 2, side * 2))
    left, top = (int(side * rng.uniform(0.15, 0.85)) for _ in range(2))
    cut = light.crop((left, top, left + side, top + side))
    return Image.composite(
        Image.new("RGB", (side, side), b), Image.new("RGB", (side, side), a), cut
    )


def _table(side: int, a: Colour, b: Colour, rng: Random) -> Image.Image:
    picture = _gradient(side, a, tint(a, rng.uniform(0.7, 1.2)), rng.choice([0, 90, 180]))
    horizon = int(side * rng.uniform(0.45, 0.75))
    picture.paste(_gradient(side, b, tint(b, 0.75), 0), (0, horizon))
    return picture


def _planks(side: int, a: Colour, b: Colour, rng: Random) -> Image.Image:
    picture = Image.new("RGB", (side, side), a)
    draw = ImageDraw.Draw(picture)
    count = rng.randint(4, 7)
    for index in range(count):
        top, bottom = side * index / count, side * (index + 1) / count
        shade = tint(a if rng.random() < 0.6 else b, rng.uniform(0.8, 1.15))
        draw.rectangle((0, top, side, bottom), fill=shade)
        for _ in range(7):
            y = rng.uniform(top, bottom)
            draw.line((0, y, side, y + side * rng.uniform(-0.01, 0.01)), fill=tint(shade, 0.92))
        draw.line((0, top, side, top), fill=tint(a, 0.45), width=max(1, side // 160))
    return picture.rotate(90) if rng.random() < 0.4 else picture


def _cloth(side: int, a: Colour, b: Colour, rng: Random) -> Image.Image:
    picture = Image.new("RGB", (side, side), a)
    draw = ImageDraw.Draw(picture, "RGBA")
    step = side / rng.randint(3, 5)
    for index in range(6):
        start = index * step
        draw.rectangle((start, 0, start + step / 2, side), fill=(*b, 120))
        draw.rectangle((0, start, side, start + step / 2), fill=(*b, 120))
    return picture


def _bokeh(side: int, a: Colour, b: Colour, rng: Random) -> Image.Image:
    picture = _gradient(side, tint(a, 0.6), tint(a, 1.1), rng.choice([0, 90, 180, 270]))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(16):
        x, y, r = rng.uniform(0, side), rng.uniform(0, side), side * rng.uniform(0.04, 0.16)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(*tint(b, rng.uniform(0.8, 1.3)), 110))
    return picture.filter(ImageFilter.GaussianBlur(side / 90))


def _blocks(side: int, a: Colour, b: Colour, rng: Random) -> Image.Image:
    picture = _gradient(side, a, tint(a, 0.8), 90)
    draw = ImageDraw.Draw(picture)
    for _ in range(3):
        x, width = side * rng.uniform(-0.1, 0.7), side * rng.uniform(0.2, 0.5)
        top = side * rng.uniform(0.1, 0.8)
        draw.rectangle((x, top, x + width, side), fill=tint(b, rng.uniform(0.6, 1.25)))
    return picture


def _diagonal(side: int, a: Colour, b: Colour, rng: Random) -> Image.Image:
    picture = _gradient(side, a, tint(a, 0.85), 0)
    at = side * rng.uniform(0.2, 0.8)
    lean = side * rng.uniform(0.2, 0.7)
    ImageDraw.Draw(picture).polygon(
        [(at - lean, 0), (side, 0), (side, side), (at + lean, side)], fill=b
    )
    return picture.transpose(rng.choice([Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180]))


SETTINGS: dict[str, Callable[[int, Colour, Colour, Random], Image.Image]] = {
    "studio": _studio,
    "spot": _spot,
    "table": _table,
    "planks": _planks,
    "cloth": _cloth,
    "bokeh": _bokeh,
    "blocks": _blocks,
    "diagonal": _diagonal,
}
PRESS_SETTINGS = ("studio", "spot", "table", "blocks", "diagonal")
#: Of what people photograph at home.
BEND = (0.07, 0.12)
HOME_SETTINGS = ("planks", "cloth", "bokeh", "table", "spot")


def tint(colour: Colour, factor: float) -> Colour:
    """A colour made darker (below 1) or lighter."""
    red, green, blue = (min(255, max(0, round(value * factor))) for value in colour)
    return red, green, blue


def _pattern(name: str, side: int) -> Image.Image:
    """A grey tile as large as the layer: 255 leaves the fabric's colour alone."""
    tile = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(tile)
    unit = side / 100
    if name == "quilted":
        for offset in range(-100, 200, 9):
            for rise in (100, -100):
                start = 0 if rise > 0 else 100
                draw.line(
                    (offset * unit, start * unit, (offset + 100) * unit, (start + rise) * unit),
                    fill=188, width=max(1, round(unit * 0.8)),
                )  # fmt: skip
    elif name == "striped":
        for x in range(0, 100, 8):
            draw.rectangle((x * unit, 0, (x + 3.2) * unit, side), fill=198)
    elif name == "dotted":
        for row, y in enumerate(range(2, 100, 6)):
            for x in range(2 + 3 * (row % 2), 100, 6):
                draw.ellipse((x * unit, y * unit, (x + 2) * unit, (y + 2) * unit), fill=176)
    elif name == "monogram":
        for row, y in enumerate(range(4, 100, 9)):
            for x in range(4 + 5 * (row % 2), 100, 10):
                points = [(x, y), (x + 1.7, y + 4), (x + 3.4, y)]
                draw.line([(px * unit, py * unit) for px, py in points], fill=168,
                          width=max(1, round(unit * 0.8)))  # fmt: skip
    elif name == "woven":
        for y in range(0, 100, 5):
            for x in range(0, 100, 10):
                left = x + 5 * ((y // 5) % 2)
                draw.rectangle((left * unit, y * unit, (left + 5) * unit, (y + 5) * unit), fill=214)
    return tile


PATTERNS = ("plain", "quilted", "striped", "dotted", "monogram", "woven")


def _grain(side: int, rng: Random) -> Image.Image:
    """Sensor noise around grey, coarse enough to outlive JPEG."""
    small = side // 2
    noise = Image.frombytes("L", (small, small), rng.randbytes(small * small))
    return noise.resize((side, side), Image.Resampling.BILINEAR).point(lambda v: 120 + v // 16)


def _thing(scene: Scene, side: int, rng: Random) -> Image.Image:
    pen = Pen(side)
    MOTIFS[scene.motif](pen, scene.colours, scene.word)
    alpha = pen.layer.getchannel("A")
    colours = pen.layer.convert("RGB")
    if scene.pattern != "plain":
        patterned = ImageChops.multiply(colours, _pattern(scene.pattern, side).convert("RGB"))
        colours.paste(patterned, mask=pen.fabric)
    # Light from the upper left, so that a flat shape looks round.
    light = Image.linear_gradient("L").resize((side, side)).rotate(rng.choice([20, 45, 70]))
    shade = light.point(lambda v: 255 - v // 3)
    colours = ImageChops.multiply(colours, Image.merge("RGB", (shade, shade, shade)))
    if scene.wear:
        draw = ImageDraw.Draw(colours)
        for _ in range(scene.wear):
            x, y = rng.uniform(0.2, 0.8) * side, rng.uniform(0.3, 0.85) * side
            to = (x + rng.uniform(-0.12, 0.12) * side, y + rng.uniform(-0.05, 0.05) * side)
            draw.line((x, y, *to), fill=(226, 218, 204), width=max(1, side // 260))
    colours.putalpha(alpha)
    return colours


def _bent(thing: Image.Image, bend: float, rng: Random) -> Image.Image:
    """The thing through a grid whose knots were pulled about: no flat copy of it any more."""
    cells = 4
    side = thing.width
    step = side / cells
    knots = {
        (x, y): (
            x * step + rng.uniform(-bend, bend) * side, y * step + rng.uniform(-bend, bend) * side
        )
        for x in range(cells + 1)
        for y in range(cells + 1)
    }  # fmt: skip
    mesh = []
    for x in range(cells):
        for y in range(cells):
            box = (int(x * step), int(y * step), int((x + 1) * step), int((y + 1) * step))
            corners = (knots[x, y], knots[x, y + 1], knots[x + 1, y + 1], knots[x + 1, y])
            mesh.append((box, tuple(value for corner in corners for value in corner)))
    return thing.transform(
        thing.size, Image.Transform.MESH, mesh, resample=Image.Resampling.BILINEAR
    )


def render(scene: Scene, side: int = SIDE) -> Image.Image:
    """Draw a scene.

    Parameters
    ----------
    side
        Pixels of the square picture.
    """
    rng = Random(scene.seed)
    picture = SETTINGS[scene.setting](side, *scene.backdrop, rng)
    thing = _thing(scene, side * 2, rng)
    if scene.mirrored:
        thing = thing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if scene.bend:
        thing = _bent(thing, scene.bend, Random(scene.seed))
    height = round(side * scene.scale)
    thing = thing.resize((max(1, round(height * scene.squeeze)), height), Image.Resampling.LANCZOS)
    if scene.turn:
        thing = thing.rotate(scene.turn, resample=Image.Resampling.BICUBIC, expand=True)
    left = round((0.5 + scene.x) * side - thing.width / 2)
    top = round((0.5 + scene.y) * side - thing.height / 2)
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    layer.paste(thing, (left, top))
    cast = ImageChops.offset(layer.getchannel("A"), round(side * 0.025), round(side * 0.035))
    cast = cast.filter(ImageFilter.GaussianBlur(side / 45)).point(lambda v: int(v * scene.shadow))
    picture.paste((18, 16, 20), mask=cast)
    picture.paste(layer.convert("RGB"), mask=layer.getchannel("A"))
    picture = ImageChops.overlay(picture, _grain(side, rng).convert("RGB"))
    if scene.warmth:
        red, green, blue = picture.split()
        warm, cold = 1 + scene.warmth, 1 - scene.warmth
        picture = Image.merge(
            "RGB",
            (red.point(lambda v: min(255, int(v * warm))), green,
             blue.point(lambda v: min(255, int(v * cold)))),
        )  # fmt: skip
        picture = ImageEnhance.Contrast(picture).enhance(1 - abs(scene.warmth) / 2)
    return picture


PALETTES: tuple[Colours, ...] = (
    Colours((150, 84, 46), (84, 44, 26), (236, 214, 180), (206, 170, 92), (196, 60, 44)),
    Colours((34, 36, 44), (14, 15, 20), (198, 200, 206), (190, 192, 198), (214, 168, 60)),
    Colours((156, 28, 44), (92, 14, 28), (248, 222, 214), (214, 182, 106), (40, 44, 66)),
    Colours((38, 84, 120), (20, 46, 74), (214, 230, 240), (196, 200, 206), (232, 120, 52)),
    Colours((58, 102, 76), (30, 60, 44), (226, 236, 214), (204, 176, 100), (240, 196, 70)),
    Colours((232, 222, 204), (160, 138, 108), (252, 250, 244), (176, 150, 90), (120, 60, 60)),
    Colours((226, 160, 172), (170, 94, 110), (255, 240, 240), (220, 196, 150), (90, 60, 100)),
    Colours((112, 92, 156), (62, 48, 96), (234, 226, 246), (200, 202, 210), (250, 200, 90)),
    Colours((236, 180, 64), (158, 104, 22), (255, 246, 214), (120, 120, 126), (38, 60, 96)),
    Colours((238, 238, 240), (70, 74, 82), (255, 255, 255), (186, 188, 194), (30, 140, 150)),
)

BACKDROPS: tuple[tuple[Colour, Colour], ...] = (
    ((246, 244, 240), (206, 200, 192)),
    ((228, 236, 244), (128, 152, 180)),
    ((250, 232, 214), (212, 158, 116)),
    ((64, 68, 78), (24, 26, 32)),
    ((196, 214, 196), (92, 122, 98)),
    ((244, 214, 222), (180, 116, 136)),
    ((178, 138, 100), (110, 76, 50)),
    ((252, 250, 200), (222, 178, 60)),
    ((120, 180, 190), (32, 84, 100)),
    ((210, 206, 226), (98, 88, 140)),
)


def scene_of(
    motif: str,
    colours: Colours,
    rng: Random,
    *,
    word: str = "",
    pattern: str = "plain",
    settings: Iterable[str] = tuple(SETTINGS),
    tidy: bool = True,
) -> Scene:
    """A random scene of a thing.

    Parameters
    ----------
    tidy
        As a photographer would take it; else as a private seller would: aslant, off the
        middle, with the lamp's colour.
    """
    spread = 0.06 if tidy else 0.14
    contrasting = [pair for pair in BACKDROPS if _apart(pair[0], colours.main) > 90]
    return Scene(
        motif=motif,
        colours=colours,
        word=word,
        pattern=pattern,
        setting=rng.choice(tuple(settings)),
        backdrop=rng.choice(contrasting or list(BACKDROPS)),
        seed=rng.getrandbits(48),
        scale=rng.uniform(0.64, 0.86) if tidy else rng.uniform(0.5, 0.95),
        turn=rng.uniform(-4, 4) if tidy else rng.uniform(-28, 28),
        squeeze=rng.uniform(0.92, 1.0) if tidy else rng.uniform(0.7, 1.0),
        x=rng.uniform(-spread, spread),
        y=rng.uniform(-spread / 2, spread / 2),
        # Who photographs the real thing does not get its mirror image.
        mirrored=tidy and rng.random() < 0.5,
        shadow=rng.uniform(0.3, 0.6),
        warmth=0.0 if tidy else rng.uniform(-0.12, 0.18),
        wear=0 if tidy else rng.randrange(9),
        bend=0.0 if tidy else rng.uniform(*BEND),
    )


def side_view(scene: Scene, rng: Random) -> Scene:
    """The same thing turned away from the camera, in another setting."""
    return replace(
        scene,
        setting=rng.choice(PRESS_SETTINGS),
        backdrop=rng.choice([pair for pair in BACKDROPS if pair != scene.backdrop]),
        squeeze=rng.uniform(0.55, 0.7),
        turn=rng.uniform(-10, 10),
        mirrored=not scene.mirrored,
        seed=rng.getrandbits(48),
    )


class Gallery:
    """Chooses scenes whose hashes are apart from those chosen for other things.

    Parameters
    ----------
    distance
        The least Hamming distance between the 64-bit pHashes of two different things.
    """

    def __init__(self, distance: int = 18) -> None:
        self.distance = distance
        self._taken: list[tuple[str, imagehash.ImageHash]] = []

    def choose(self, owner: str, candidates: Callable[[], Scene], tries: int = 60) -> Scene:
        """The first candidate that is apart from everything of other owners.

        After so many tries it is the one that was furthest off.
        """
        best: tuple[int, Scene, imagehash.ImageHash] | None = None
        for _ in range(tries):
            scene = candidates()
            seen = imagehash.phash(render(scene, HASH_SIDE))
            nearest = min((int(seen - h) for o, h in self._taken if o != owner), default=64)
            if best is None or nearest > best[0]:
                best = (nearest, scene, seen)
            if nearest >= self.distance:
                break
        assert best is not None
        self._taken.append((owner, best[2]))
        return best[1]


def _apart(one: Colour, other: Colour) -> float:
    return hypot(*(a - b for a, b in zip(one, other, strict=True)))
