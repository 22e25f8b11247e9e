"""Making a world from a seed: sellers, listings, pictures, and the truth about them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import yaml
from PIL import Image

from bazaar import words
from bazaar.brands import BRANDS, KESTRIX, VELARO, Brand, Product, brand_file, plan_file
from bazaar.disguises import disguised
from bazaar.edits import edited, encode
from bazaar.household import THINGS
from bazaar.motifs import Colours
from bazaar.pictures import (
    HOME_SETTINGS,
    PRESS_SETTINGS,
    Gallery,
    Scene,
    render,
    scene_of,
    side_view,
)

#: Kind of listing, and its share of all.
SHARES: Mapping[str, float] = {
    "genuine_authorised": 0.14,
    "genuine_reseller": 0.15,
    "second_hand": 0.11,
    "lookalike": 0.14,
    "open_fake": 0.12,
    "disguised_fake": 0.13,
    "unrelated": 0.21,
}
FAKES = frozenset({"open_fake", "disguised_fake"})
RATES = {"EUR": Decimal(1), "USD": Decimal("1.16"), "CNY": Decimal("8.2")}
#: Things that have nothing to do with the brands: how they are drawn, and what they are.
OTHER_THINGS = {
    "mug": "mug", "lamp": "lamp", "plant": "plant", "chair": "chair", "toy_car": "toy-car",
    "teapot": "teapot", "ball": "ball", "guitar": "guitar", "umbrella": "umbrella",
}  # fmt: skip
FIRST = ("Maison", "Casa", "Blue", "Golden", "North", "Lucky", "Rapid", "Silk", "Urban", "Old")
SECOND = ("Lumière", "Harbour", "Outlet", "Trading", "Boutique", "Store", "Market", "Attic")
PHOTO_SIDE = 640


@dataclass
class Listing:
    """What a page shows of a listing, and beside it, under `truth`, what no page shows."""

    id: str
    title: str
    description: str
    category: str
    price: str
    currency: str
    condition: str
    seller: str
    ships_from: str
    images: list[str]
    attributes: dict[str, str]
    json_ld: bool
    truth: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Press:
    """The maker's own pictures of a product."""

    front: Image.Image
    side: Image.Image


def make(folder: Path, seed: int, listings: int, url: str) -> None:
    """Write a world into a folder; the same seed gives the same bytes."""
    made = _Maker(folder, seed).listings(listings)
    for brand, plan in ((VELARO, "plan.yaml"), (KESTRIX, "plan-kestrix.yaml")):
        made.brand_file(brand)
        _write_yaml(folder / plan, plan_file(brand, url))
    made.write()


class _Maker:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.random = Random(seed)
        (folder / "images").mkdir(parents=True, exist_ok=True)
        self.gallery = Gallery()
        self.sellers = _sellers(self.random)
        self.press = {p.sku: self._press(p) for brand in BRANDS for p in brand.products}
        self.made: list[Listing] = []

    def listings(self, number: int) -> _Maker:
        """Make the listings, in an order that says nothing about them."""
        kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * number))]
        kinds = (kinds + ["unrelated"] * number)[:number]
        ids = self.random.sample(range(100_000, 999_999), number)
        self.made = [self._listing(str(i), kind) for i, kind in zip(ids, kinds, strict=True)]
        self.random.shuffle(self.made)
        return self

    def write(self) -> None:
        """Write what the shop serves, and beside it the truth."""
        shown = []
        for listing in self.made:
            row = asdict(listing)
            del row["truth"]
            shown.append(row)
        sellers = {
            name: {key: value for key, value in seller.items() if key != "role"}
            for name, seller in self.sellers.items()
        }
        _write_json(
            self.folder / "world.json",
            {"seed": self.seed, "sellers": sellers, "listings": shown},
        )
        truth = {
            listing.id: {
                **listing.truth,
                "is_fake": listing.truth["kind"] in FAKES,
                "seller": listing.seller,
            }
            for listing in sorted(self.made, key=lambda listing: listing.id)
        }
        _write_json(self.folder / "truth.json", {"seed": self.seed, "listings": truth})

    def brand_file(self, brand: Brand) -> None:
        """Write a brand's registration with its reference pictures."""
        folder = self.folder / "brand"
        (folder / "references").mkdir(parents=True, exist_ok=True)
        references: dict[str, list[str]] = {}
        for product in brand.products:
            press = self.press[product.sku]
            for view, picture in (("front", press.front), ("side", press.side)):
                name = f"references/{product.sku.lower()}-{view}.jpg"
                (folder / name).write_bytes(encode(picture, 92))
                references.setdefault(product.sku, []).append(name)
        until = (None, None, date(2024, 12, 31))
        allowed = [
            {"marketplace": "bazaar", "seller_id": name, "name": self.sellers[name]["name"],
             "products": "all", "from": date(2020, 1, 1), "until": end}
            for name, end in zip(
                [*self._authorised(brand), self._of("expired")[BRANDS.index(brand)]],
                until, strict=True,
            )
        ]  # fmt: skip
        _write_yaml(folder / f"{brand.slug}.yaml", brand_file(brand, references, allowed))

    def _of(self, *roles: str) -> list[str]:
        return [name for name, seller in self.sellers.items() if seller["role"] in roles]

    def _authorised(self, brand: Brand) -> list[str]:
        both = self._of("authorised")
        return both[:2] if brand is VELARO else both[2:]

    # Pictures

    def _press(self, product: Product) -> _Press:
        def candidate() -> Scene:
            return scene_of(
                product.motif, product.colours, self.random, pattern=product.pattern,
                settings=PRESS_SETTINGS,
            )  # fmt: skip

        front = self.gallery.choose(f"{product.sku} front", candidate)
        side = self.gallery.choose(f"{product.sku} side", lambda: side_view(front, self.random))
        return _Press(render(front), render(side))

    def _photo(self, product: Product) -> bytes:
        """Somebody's own photograph of the real thing."""
        scene = self.gallery.choose(
            "photo",
            lambda: scene_of(
                product.motif, product.colours, self.random, pattern=product.pattern,
                settings=HOME_SETTINGS, tidy=False,
            ),
            tries=8,
        )  # fmt: skip
        return encode(render(scene, PHOTO_SIDE))

    def _other(self, motif: str, *, tidy: bool) -> bytes:
        """A picture of something else, in colours of its own."""
        dice = self.random

        def colour() -> tuple[int, int, int]:
            return dice.randrange(30, 235), dice.randrange(30, 235), dice.randrange(30, 235)

        colours = Colours(colour(), colour(), colour(), colour(), colour())
        scene = self.gallery.choose(
            "other", lambda: scene_of(motif, colours, dice, tidy=tidy), tries=8
        )
        return encode(render(scene, PHOTO_SIDE))

    def _fake_pictures(self, product: Product) -> tuple[list[bytes], str]:
        """An open fake shows the maker's picture, that picture edited, or its own goods."""
        how = self.random.random()
        if how < 0.35:
            return [encode(self.press[product.sku].front, 70)], "none"
        if how < 0.8:
            data, name = edited(self.press[product.sku].front, self.random)
            return [data], name
        return [self._photo(product)], "own"

    # Listings

    def _listing(self, identity: str, kind: str) -> Listing:
        dice = self.random
        brand = dice.choice((VELARO, VELARO, KESTRIX))
        product = dice.choice(brand.products)
        press = self.press[product.sku]
        language = words.language(dice)
        truth: dict[str, Any] = {"kind": kind, "brand": brand.slug, "product": product.sku}
        templates, condition, sort = kind, "new", product.sort
        category, written = product.category, _name(brand, language, dice)
        if kind == "genuine_authorised":
            templates, seller = "honest", dice.choice(self._authorised(brand))
            price = float(product.list_price) * dice.uniform(0.85, 1.0)
            pictures = [encode(press.front), encode(press.side)]
        elif kind == "genuine_reseller":
            templates, seller = "honest", dice.choice(self._of("reseller", "expired"))
            price = float(product.price_floor) * dice.uniform(0.92, 1.4)
            own = dice.random() < 0.7
            truth["picture"] = "own" if own else "press"
            pictures = [self._photo(product) if own else encode(press.front, 80)]
        elif kind == "second_hand":
            templates, condition = "used", "used"
            seller = dice.choice(self._of("private"))
            price = float(product.price_floor) * dice.uniform(0.2, 0.7)
            pictures = [self._photo(product)]
        elif kind == "open_fake":
            seller = dice.choice(self._of("faker"))
            price = float(product.list_price) * dice.uniform(0.08, 0.35)
            pictures, truth["edit"] = self._fake_pictures(product)
        elif kind == "disguised_fake":
            written, truth["disguise"] = disguised(brand, language, dice)
            seller = dice.choice(self._of("faker"))
            price = float(product.list_price) * dice.uniform(0.1, 0.45)
            data, truth["edit"] = edited(press.front, dice)
            pictures = [data]
        else:
            templates, written = "nameless", ""
            seller = dice.choice(self._of("shop", "private"))
            truth |= {"brand": None, "product": None}
            if kind == "lookalike":
                price = dice.uniform(20, 120)
                pictures = [self._other(product.motif, tidy=True)]
            else:
                motif = dice.choice(sorted(OTHER_THINGS))
                assert motif in THINGS
                sort, category, price = OTHER_THINGS[motif], "home", dice.uniform(8, 90)
                pictures = [self._other(motif, tidy=dice.random() < 0.5)]
        fill = {
            "brand": written, "line": product.line, "sort": sort, "colour": product.colour,
            "lang": language,
        }  # fmt: skip
        title = dice.choice(words.TITLES[templates][language])
        text = dice.choice(words.TEXTS[templates][language])
        if kind == "unrelated" and dice.random() < 0.5:
            text += " " + dice.choice(words.EXTRAS.get(sort, ("",)))
        currency = dice.choice(("EUR", "EUR", "EUR", "USD", "CNY"))
        attributes = {
            "Condition": condition.capitalize(),
            "Material": dice.choice(words.SPECS[category]),
        }
        if templates in ("honest", "used") or (kind == "open_fake" and dice.random() < 0.5):
            attributes["Brand"] = brand.name
        elif kind == "unrelated":
            attributes["Brand"] = dice.choice(words.OTHER_BRANDS["home"]) or "No brand"
        return Listing(
            id=identity,
            title=words.filled(title, **fill),
            description=words.filled(text.strip(), **fill),
            category=category,
            price=str((Decimal(price) * RATES[currency]).quantize(Decimal("0.01"))),
            currency=currency,
            condition=condition,
            seller=seller,
            ships_from=self.sellers[seller]["country"],
            images=list(self._save(identity, pictures)),
            attributes=attributes,
            json_ld=dice.random() < 0.5,
            truth=truth,
        )

    def _save(self, identity: str, pictures: list[bytes]) -> Iterator[str]:
        for place, data in enumerate(pictures):
            name = f"{identity}-{place}.jpg"
            (self.folder / "images" / name).write_bytes(data)
            yield name


def _name(brand: Brand, language: str, dice: Random) -> str:
    """The brand's name as honest sellers write it in a language."""
    if language == "zh":
        return dice.choice((brand.name, brand.chinese))
    if language == "ru":
        return dice.choice((brand.name, brand.cyrillic))
    return brand.name


def _sellers(dice: Random) -> dict[str, dict[str, Any]]:
    roles = ["authorised"] * 4 + ["expired"] * 2 + ["reseller"] * 6 + ["private"] * 5
    roles += ["faker"] * 7 + ["shop"] * 8
    sellers: dict[str, dict[str, Any]] = {}
    for number, role in enumerate(roles, 1):
        joined = date(2026, 10, 1) - timedelta(days=dice.randrange(60, 4000))
        chinese = role == "faker" and dice.random() < 0.6
        sellers[f"s-{number:04d}"] = {
            "name": f"{dice.choice(FIRST)} {dice.choice(SECOND)} {number}",
            "country": "CN" if chinese else dice.choice(("DE", "FR", "GB", "IT", "NL", "US")),
            "rating": round(dice.uniform(3.6, 5.0), 1),
            "joined": joined.isoformat(),
            "role": role,
        }
    return sellers


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def _write_yaml(path: Path, value: Any) -> None:
    path.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), encoding="utf-8")
