"""The two invented brands of the bazaar, and what each has registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from bazaar.motifs import Colours
from bazaar.pen import Colour

MOTIFS = {"power-bank": "power_bank", "speaker": "power_stick"}

GOLD = (206, 172, 104)
STEEL = (188, 192, 200)


@dataclass(frozen=True, slots=True)
class Product:
    """One product of a brand.

    Parameters
    ----------
    line
        Its own name, without the brand's.
    sort
        What it is: a name in `bazaar.words.NOUNS`; `motif` is how it is drawn.
    list_price, price_floor
        In EUR.
    """

    sku: str
    line: str
    sort: str
    category: str
    gtin: str
    nice_class: int
    list_price: Decimal
    price_floor: Decimal
    colour: str
    colours: Colours
    pattern: str
    suffix: str

    @property
    def motif(self) -> str:
        """How it is drawn: a name in `bazaar.motifs.GOODS`."""
        return MOTIFS.get(self.sort, self.sort)


@dataclass(frozen=True, slots=True)
class Brand:
    """One brand.

    Parameters
    ----------
    chinese, traditional, cyrillic, pinyin
        Its name in other scripts, as registered or as buyers write it.
    euipo, cnipa
        Numbers of its registered marks, the Latin and the Chinese one.
    homophone
        The Chinese mark with one character swapped for one that sounds the same.
    """

    slug: str
    name: str
    owner: str
    chinese: str
    traditional: str
    homophone: str
    cyrillic: str
    pinyin: str
    euipo: str
    cnipa: str
    nice_classes: tuple[int, ...]
    products: tuple[Product, ...]
    categories: tuple[str, ...]
    queries: tuple[str, ...]


def _gtin(body: str) -> str:
    """A GTIN-13 from its first twelve digits (check digit: GS1 General Specifications, 7.9)."""
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _product(
    sku: str, line: str, suffix: str, sort: str, category: str, body: str, nice_class: int,
    prices: tuple[str, str], colour: str, main: Colour, second: Colour, metal: Colour,
    pattern: str,
) -> Product:  # fmt: skip
    light = (min(255, main[0] + 60), min(255, main[1] + 60), min(255, main[2] + 60))
    dark = (main[0] // 2, main[1] // 2, main[2] // 2)
    return Product(
        sku, line, sort, category, _gtin(body), nice_class, Decimal(prices[0]), Decimal(prices[1]),
        colour, Colours(main, dark, light, metal, second), pattern, suffix,
    )  # fmt: skip


VELARO = Brand(
    slug="velaro",
    name="Velaro",
    owner="Velaro Maison S.A.",
    chinese="维拉罗",
    traditional="維拉羅",
    homophone="唯拉罗",
    cyrillic="Веларо",
    pinyin="weilaluo",
    euipo="018123456",
    cnipa="9876543",
    nice_classes=(14, 18, 25),
    products=(
        _product("VEL-TOTE-01", "Aria", "Tote", "tote", "bags", "400638133393", 18,
                 ("480.00", "310.00"), "cognac",
                 (158, 92, 48), (92, 48, 26), GOLD, "quilted"),
        _product("VEL-CROS-02", "Luma", "Crossbody", "crossbody", "bags", "400638133412", 18,
                 ("390.00", "250.00"), "burgundy",
                 (112, 24, 44), (150, 52, 66), GOLD, "woven"),
        _product("VEL-BACK-03", "Nomade", "Backpack", "backpack", "bags", "400638133420", 18,
                 ("520.00", "340.00"), "olive",
                 (98, 104, 62), (52, 58, 38), STEEL, "striped"),
        _product("VEL-SNEA-04", "Corsa", "Sneaker", "sneaker", "shoes", "400638133454", 25,
                 ("340.00", "220.00"), "cream",
                 (228, 218, 196), (184, 74, 40), STEEL, "plain"),
        _product("VEL-BOOT-05", "Strada", "Boot", "boot", "shoes", "400638133478", 25,
                 ("460.00", "300.00"), "black",
                 (44, 42, 46), (92, 74, 60), GOLD, "striped"),
        _product("VEL-WATC-06", "Meridian", "Watch", "watch", "watches", "400638133500", 14,
                 ("1250.00", "820.00"), "navy",
                 (34, 48, 88), (62, 92, 160), GOLD, "striped"),
    ),
    categories=("bags", "shoes", "watches"),
    queries=("velaro", "веларо", "维拉罗", "aria tote", "meridian watch"),
)  # fmt: skip

KESTRIX = Brand(
    slug="kestrix",
    name="Kestrix",
    owner="Kestrix Audio GmbH",
    chinese="凯斯特",
    traditional="凱斯特",
    homophone="凯思特",
    cyrillic="Кестрикс",
    pinyin="kaisite",
    euipo="018765432",
    cnipa="12345678",
    nice_classes=(9,),
    products=(
        _product("KES-HEAD-01", "Halo", "Headphones", "headphones", "audio", "426012345601", 9,
                 ("299.00", "199.00"), "black",
                 (40, 42, 48), (196, 92, 44), STEEL, "plain"),
        _product("KES-EARB-02", "Pico", "Earbuds", "earbuds", "audio", "426012345618", 9,
                 ("149.00", "95.00"), "white",
                 (232, 232, 228), (64, 120, 150), STEEL, "plain"),
        _product("KES-SPKR-03", "Drum", "Speaker", "speaker", "audio", "426012345625", 9,
                 ("129.00", "80.00"), "green",
                 (46, 92, 78), (214, 198, 150), GOLD, "woven"),
        _product("KES-POWR-04", "Volt 20K", "Power Bank", "power-bank", "power", "426012345632", 9,
                 ("89.00", "55.00"), "navy",
                 (38, 56, 104), (224, 146, 52), STEEL, "striped"),
    ),
    categories=("audio", "power"),
    queries=("kestrix", "кестрикс", "凯斯特", "halo headphones"),
)  # fmt: skip

BRANDS: Sequence[Brand] = (VELARO, KESTRIX)


def brand_file(
    brand: Brand, references: Mapping[str, Sequence[str]], sellers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The registration file of a brand, as its owner would write it.

    Parameters
    ----------
    references
        Names of the reference pictures by SKU, relative to the file.
    sellers
        The entries of `authorised_sellers`.
    """
    return {
        "brand": {
            "slug": brand.slug,
            "name": brand.name,
            "owner": brand.owner,
            "website": f"https://{brand.slug}.example/",
        },
        "marks": [
            {"text": brand.name.upper(), "office": "EUIPO", "number": brand.euipo, "kind": "word",
             "nice_classes": list(brand.nice_classes), "registered_on": date(2012, 5, 4)},
            {"text": brand.chinese, "office": "CNIPA", "number": brand.cnipa, "kind": "word",
             "nice_classes": list(brand.nice_classes[-2:]), "registered_on": date(2015, 1, 1)},
        ],
        "keywords": [brand.slug, brand.cyrillic.casefold(), brand.chinese],
        "products": [
            {
                "sku": product.sku,
                "name": f"{brand.name} {product.line} {product.suffix}",
                "gtin": product.gtin,
                "nice_class": product.nice_class,
                "list_price": f"{product.list_price} EUR",
                "price_floor": f"{product.price_floor} EUR",
                "keywords": [f"{product.line} {product.suffix}".casefold()],
                "references": list(references[product.sku]),
            }
            for product in brand.products
        ],
        "authorised_sellers": list(sellers),
    }  # fmt: skip


def plan_file(brand: Brand, url: str) -> dict[str, Any]:
    """The watch plan for a brand on the bazaar at that address."""
    return {
        "name": f"bazaar-{brand.slug}",
        "brand": brand.slug,
        "marketplace": {"name": "bazaar", "kind": "bazaar", "url": url},
        "queries": list(brand.queries),
        "browse": [f"/c/{category}" for category in brand.categories],
        "threshold": 0.6,
        "max_pages": 2000,
    }
