"""What is offered, kind by kind, honest and not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bazaar import offers, words
from bazaar.brands import KESTRIX, VELARO, Brand, Product
from bazaar.disguises import disguised, mistyped
from bazaar.edits import encode
from bazaar.household import THINGS
from bazaar.studio import Studio

#: Things that have nothing to do with the brands: how they are drawn, and what they are.
OTHER_THINGS = {
    "mug": "mug", "lamp": "lamp", "plant": "plant", "chair": "chair", "toy_car": "toy-car",
    "teapot": "teapot", "ball": "ball", "guitar": "guitar", "umbrella": "umbrella",
}  # fmt: skip
#: Where the brands say that their goods are made.
MADE_IN = {"velaro": "Italy", "kestrix": "Malaysia"}


@dataclass
class Draft:
    """A listing before its texts are filled in.

    Parameters
    ----------
    titles, texts
        Templates to choose from.
    written
        The brand word as this seller writes it; empty for none.
    price
        In EUR, for all pieces together.
    brand_field
        What the attribute for the brand says; None for no such attribute.
    truth
        What no page shows.
    """

    titles: Sequence[str]
    texts: Sequence[str]
    written: str
    seller: str
    price: float
    pictures: list[bytes]
    truth: dict[str, Any]
    brand_field: str | None
    sort: str
    category: str
    line: str
    colour: str
    language: str
    condition: str = "new"
    pieces: int = 1
    origin: str | None = None
    more: list[str] = field(default_factory=list)


class Drafter:
    """Drafts listings of every kind.

    Parameters
    ----------
    of
        Gives the ids of the sellers of some roles.
    authorised
        Gives the ids of the sellers that a brand allows.
    """

    def __init__(
        self,
        dice: Random,
        studio: Studio,
        of: Callable[..., list[str]],
        authorised: Callable[[Brand], list[str]],
    ) -> None:
        self.dice = dice
        self.studio = studio
        self.of = of
        self.authorised = authorised
        #: Pictures that fakers hand on to each other, by product.
        self.ring: dict[str, list[tuple[bytes, str]]] = {}

    def draft(self, kind: str, brand: Brand | None = None) -> Draft:
        """A listing of a kind, of a brand and product by chance."""
        brand = brand or self.dice.choice((VELARO, VELARO, KESTRIX))
        product = self.dice.choice(brand.products)
        draft = self._plain(kind, brand, product)
        _KINDS[kind](self, draft, brand, product)
        return draft

    def _plain(self, kind: str, brand: Brand, product: Product) -> Draft:
        language = words.language(self.dice)
        return Draft(
            titles=words.TITLES["honest"][language], texts=words.TEXTS["honest"][language],
            written=name_in(brand, language, self.dice), seller="", price=0.0, pictures=[],
            truth={"kind": kind, "brand": brand.slug, "product": product.sku},
            brand_field=brand.name, sort=product.sort, category=product.category,
            line=product.line, colour=product.colour, language=language,
            origin=MADE_IN[brand.slug] if self.dice.random() < 0.4 else None,
        )  # fmt: skip

    def _templates(self, draft: Draft, name: str) -> None:
        draft.titles = words.TITLES[name][draft.language]
        draft.texts = words.TEXTS[name][draft.language]

    # Honest

    def _authorised(self, draft: Draft, brand: Brand, product: Product) -> None:
        draft.seller = self.dice.choice(self.authorised(brand))
        draft.price = float(product.list_price) * self.dice.uniform(0.85, 1.0)
        press = self.studio.press[product.sku]
        draft.pictures = [encode(press.front), encode(press.side)]

    def _reseller(self, draft: Draft, brand: Brand, product: Product) -> None:
        draft.seller = self.dice.choice(self.of("reseller", "expired"))
        draft.price = float(product.price_floor) * self.dice.uniform(0.92, 1.4)
        if self.dice.random() < 0.15:
            draft.price = float(product.price_floor) * self.dice.uniform(0.6, 0.9)
            draft.more.append(self.dice.choice(offers.CLEARANCE[draft.language]))
        self._honest_picture(draft, product)

    def _honest_picture(self, draft: Draft, product: Product, own: float = 0.6) -> None:
        if self.dice.random() < own:
            draft.pictures, draft.truth["picture"] = [self.studio.photo(product)], "own"
        else:
            data, draft.truth["touch"] = self.studio.borrowed(product)
            draft.pictures, draft.truth["picture"] = [data], "press"

    def _import(self, draft: Draft, brand: Brand, product: Product) -> None:
        draft.seller = self.dice.choice(self.of("importer"))
        draft.texts = offers.IMPORTS[draft.language]
        draft.price = float(product.price_floor) * self.dice.uniform(0.7, 1.1)
        self._honest_picture(draft, product, own=0.4)

    def _used(self, draft: Draft, brand: Brand, product: Product) -> None:
        self._templates(draft, "used")
        draft.condition = "used"
        draft.seller = self.dice.choice(self.of("private"))
        draft.price = float(product.price_floor) * self.dice.uniform(0.2, 0.7)
        draft.pictures, draft.truth["picture"] = [self.studio.photo(product)], "own"
        if self.dice.random() < 0.06 and draft.written == brand.name:
            draft.written, draft.truth["typo"] = mistyped(brand, self.dice), True

    def _lot(self, draft: Draft, brand: Brand, product: Product) -> None:
        draft.titles = offers.LOTS[draft.language]
        draft.seller = self.dice.choice(self.of("reseller"))
        draft.pieces = self.dice.choice((2, 3, 5, 10))
        draft.price = float(product.price_floor) * self.dice.uniform(0.9, 1.2) * draft.pieces
        self._honest_picture(draft, product)

    def _accessory(self, draft: Draft, brand: Brand, product: Product) -> None:
        draft.truth |= {"product": None}
        draft.brand_field, draft.origin = "No brand", None
        draft.seller = self.dice.choice(self.of("shop", "private"))
        if self.dice.random() < 0.5:
            draft.titles = words.COMPATIBLE[draft.language]
            draft.texts = words.TEXTS["nameless"][draft.language]
            draft.sort = "strap"
            draft.price = self.dice.uniform(6, 35)
        else:
            draft.titles = offers.PARTS[draft.language]
            draft.texts = words.TEXTS["used"][draft.language][-1:]
            draft.brand_field, draft.condition = brand.name, "used"
            draft.price = self.dice.uniform(5, 60)
        draft.pictures = [self.studio.other(product.motif, tidy=self.dice.random() < 0.5)]
        draft.truth["picture"] = "own"

    def _lookalike(self, draft: Draft, brand: Brand, product: Product) -> None:
        self._nameless(draft)
        draft.price = self.dice.uniform(20, 120)
        draft.pictures = [self.studio.other(product.motif, tidy=True)]

    def _unrelated(self, draft: Draft, brand: Brand, product: Product) -> None:
        self._nameless(draft)
        motif = self.dice.choice(sorted(OTHER_THINGS))
        assert motif in THINGS
        draft.sort, draft.category = OTHER_THINGS[motif], "home"
        draft.price = self.dice.uniform(8, 90)
        draft.pictures = [self.studio.other(motif, tidy=self.dice.random() < 0.5)]
        draft.brand_field = self.dice.choice(words.OTHER_BRANDS["home"]) or "No brand"
        if self.dice.random() < 0.5:
            draft.more.append(self.dice.choice(words.EXTRAS.get(draft.sort, ("",))))

    def _nameless(self, draft: Draft) -> None:
        self._templates(draft, "nameless")
        draft.written, draft.brand_field, draft.origin = "", None, None
        draft.truth |= {"brand": None, "product": None}
        draft.seller = self.dice.choice(self.of("shop", "private"))

    # Not honest

    def _style(self, draft: Draft, brand: Brand, product: Product) -> None:
        """Goods of their own with somebody else's mark in the title: no fake, but a use of it."""
        self._lookalike(draft, brand, product)
        draft.truth |= {"brand": brand.slug, "infringes": True}
        draft.titles, draft.written = offers.STYLES[draft.language], brand.name
        draft.seller = self.dice.choice(self.of("maker"))

    def _faker(self, draft: Draft, product: Product, low: float, high: float) -> None:
        draft.seller = self.dice.choice(self.of("faker"))
        draft.price = float(product.list_price) * self.dice.uniform(low, high)

    def _stolen(self, draft: Draft, product: Product) -> None:
        """An edited picture of the maker's, at times one that another faker shows too."""
        ring = self.ring.setdefault(product.sku, [])
        if ring and self.dice.random() < 0.3:
            data, draft.truth["edit"] = self.dice.choice(ring)
            draft.truth["shared"] = True
        else:
            data, draft.truth["edit"] = self.studio.stolen(product)
            ring.append((data, draft.truth["edit"]))
        draft.pictures = [data]

    def _open(self, draft: Draft, brand: Brand, product: Product) -> None:
        self._templates(draft, "open_fake")
        self._faker(draft, product, 0.08, 0.35)
        how = self.dice.random()
        if how < 0.3:
            draft.pictures = [encode(self.studio.press[product.sku].front, 70)]
            draft.truth["edit"] = "none"
        elif how < 0.8:
            self._stolen(draft, product)
        else:
            draft.pictures, draft.truth["edit"] = [self.studio.photo(product)], "own"
        if self.dice.random() < 0.5:
            draft.brand_field = None

    def _disguised(self, draft: Draft, brand: Brand, product: Product) -> None:
        self._templates(draft, "disguised_fake")
        draft.written, draft.truth["disguise"] = disguised(brand, draft.language, self.dice)
        self._faker(draft, product, 0.1, 0.45)
        self._stolen(draft, product)
        draft.brand_field = None

    def _quiet(self, draft: Draft, brand: Brand, product: Product) -> None:
        """Says nothing odd: the plain name, a stolen picture, a price that cannot be."""
        draft.texts = offers.QUIET[draft.language]
        self._faker(draft, product, 0.07, 0.28)
        self._stolen(draft, product)
        if self.dice.random() < 0.3:
            draft.brand_field = None


def name_in(brand: Brand, language: str, dice: Random) -> str:
    """The brand's name as honest sellers write it in a language."""
    if language == "zh":
        return dice.choice((brand.name, brand.chinese))
    if language == "ru":
        return dice.choice((brand.name, brand.cyrillic))
    return brand.name


_KINDS: dict[str, Callable[[Drafter, Draft, Brand, Product], None]] = {
    "genuine_authorised": Drafter._authorised,
    "genuine_reseller": Drafter._reseller,
    "grey_import": Drafter._import,
    "second_hand": Drafter._used,
    "quantity_lot": Drafter._lot,
    "accessory": Drafter._accessory,
    "lookalike": Drafter._lookalike,
    "unrelated": Drafter._unrelated,
    "brand_style": Drafter._style,
    "open_fake": Drafter._open,
    "disguised_fake": Drafter._disguised,
    "quiet_fake": Drafter._quiet,
}
