"""The pictures of a world: the maker's, sellers' own, stolen ones, and those of other things."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from PIL import Image

from bazaar.brands import BRANDS, Product
from bazaar.edits import edited, encode, touched
from bazaar.motifs import Colours
from bazaar.pictures import (
    BACKDROPS,
    HOME_SETTINGS,
    PRESS_SETTINGS,
    Gallery,
    Scene,
    render,
    scene_of,
    side_view,
)

PHOTO_SIDE = 640
#: Of the stolen pictures, how many show the thing on another background.
CUT_OUT = 0.06


@dataclass(frozen=True)
class Press:
    """The maker's own pictures of a product."""

    scene: Scene
    front: Image.Image
    side: Image.Image


class Studio:
    """Makes every picture of a world, from its dice."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.gallery = Gallery()
        self.press = {p.sku: self._press(p) for brand in BRANDS for p in brand.products}

    def _press(self, product: Product) -> Press:
        def candidate() -> Scene:
            return scene_of(
                product.motif, product.colours, self.dice, pattern=product.pattern,
                settings=PRESS_SETTINGS,
            )  # fmt: skip

        front = self.gallery.choose(f"{product.sku} front", candidate)
        side = self.gallery.choose(f"{product.sku} side", lambda: side_view(front, self.dice))
        return Press(front, render(front), render(side))

    def photo(self, product: Product) -> bytes:
        """Somebody's own photograph of the thing, or of a good copy of it."""
        scene = self.gallery.choose(
            "photo",
            lambda: scene_of(
                product.motif, product.colours, self.dice, pattern=product.pattern,
                settings=HOME_SETTINGS, tidy=False,
            ),
            tries=8,
        )  # fmt: skip
        return encode(render(scene, PHOTO_SIDE))

    def other(self, motif: str, *, tidy: bool) -> bytes:
        """A picture of something else, in colours and of a shape of its own."""
        dice = self.dice

        def colour() -> tuple[int, int, int]:
            return dice.randrange(30, 235), dice.randrange(30, 235), dice.randrange(30, 235)

        colours = Colours(colour(), colour(), colour(), colour(), colour())

        def candidate() -> Scene:
            scene = scene_of(motif, colours, dice, tidy=tidy)
            return replace(scene, bend=dice.uniform(0.1, 0.16))

        scene = self.gallery.choose("other", candidate, tries=8)
        return encode(render(scene, PHOTO_SIDE))

    def stolen(self, product: Product) -> tuple[bytes, str]:
        """A maker's picture, edited; and the edit's name."""
        press = self.press[product.sku]
        if self.dice.random() < CUT_OUT:
            return self._cut_out(press), "other background"
        others = [p.front for sku, p in self.press.items() if sku != product.sku]
        return edited(press.front, self.dice, others)

    def borrowed(self, product: Product) -> tuple[bytes, str]:
        """A maker's picture as an honest shop shows it."""
        return touched(self.press[product.sku].front, self.dice)

    def _cut_out(self, press: Press) -> bytes:
        """The very same view of the thing, in front of something else."""
        scene = replace(
            press.scene,
            setting=self.dice.choice([s for s in HOME_SETTINGS if s != press.scene.setting]),
            backdrop=self.dice.choice([b for b in BACKDROPS if b != press.scene.backdrop]),
        )
        return encode(render(scene), quality=self.dice.randrange(50, 80))
