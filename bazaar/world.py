"""Making a world from a seed: sellers, listings, pictures, and the truth about them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import yaml
from PIL import Image

from bazaar import words
from bazaar.brands import BRANDS, KESTRIX, VELARO, Brand, brand_file, plan_file
from bazaar.drafts import Draft, Drafter
from bazaar.edits import encode
from bazaar.sellers import returned, sellers
from bazaar.studio import Studio

#: Kind of listing, and its share of all.
SHARES: Mapping[str, float] = {
    "genuine_authorised": 0.10,
    "genuine_reseller": 0.12,
    "grey_import": 0.05,
    "second_hand": 0.09,
    "quantity_lot": 0.04,
    "accessory": 0.08,
    "lookalike": 0.09,
    "brand_style": 0.03,
    "open_fake": 0.10,
    "disguised_fake": 0.11,
    "quiet_fake": 0.05,
    "relisted_fake": 0.04,
    "unrelated": 0.10,
}
FAKES = frozenset({"open_fake", "disguised_fake", "quiet_fake", "relisted_fake"})
#: What earlier listings were, which people have looked at since.
EARLIER = ("open_fake", "disguised_fake", "quiet_fake", "genuine_reseller", "second_hand")
RATES = {"EUR": Decimal(1), "USD": Decimal("1.16"), "CNY": Decimal("8.2")}


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


def make(folder: Path, seed: int, listings: int, url: str) -> None:
    """Write a world into a folder; the same seed gives the same bytes.

    Beside what the shop serves (`world.json`, `images`) and the truth (`truth.json`) stands
    `earlier.json`: listings that are gone, and what people found when they looked at them.
    """
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
        for name in ("images", "earlier"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.sellers = sellers(self.random)
        self.first = frozenset(self.sellers)
        self.studio = Studio(self.random)
        self.drafter = Drafter(self.random, self.studio, self._of, self._authorised)
        self.earlier: list[Listing] = []
        self.made: list[Listing] = []

    def listings(self, number: int) -> _Maker:
        """Make the listings, in an order that says nothing about them."""
        kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * number))]
        kinds = (kinds + ["unrelated"] * number)[:number]
        ids = [str(i) for i in self.random.sample(range(100_000, 999_999), 2 * number)]
        for at in range(max(3, number // 8)):
            kind = EARLIER[at] if at < 3 else self.random.choice(EARLIER)
            self.earlier.append(self._gone(ids.pop(), kind))
        fakes = [gone for gone in self.earlier if gone.truth["kind"] in FAKES]
        for kind in kinds:
            if kind == "relisted_fake":
                self.made.append(self._again(ids.pop(), self.random.choice(fakes)))
            else:
                self.made.append(self._listing(ids.pop(), self.drafter.draft(kind), "images"))
        self.random.shuffle(self.made)
        return self

    def write(self) -> None:
        """Write what the shop serves, and beside it the truth."""
        shown = [_shown(listing) for listing in self.made]
        hidden = ("role", "ships_from")
        found = {
            name: {key: value for key, value in seller.items() if key not in hidden}
            for name, seller in self.sellers.items()
        }
        there = {listing.seller for listing in self.made}
        _write_json(
            self.folder / "world.json",
            {
                "seed": self.seed,
                "sellers": {k: v for k, v in found.items() if k in self.first | there},
                "listings": shown,
            },
        )
        gone = [{**_shown(g), "verdict": g.truth["verdict"]} for g in self.earlier]
        _write_json(self.folder / "earlier.json", {"sellers": found, "listings": gone})
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
            press = self.studio.press[product.sku]
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

    # Listings

    def _listing(self, identity: str, draft: Draft, place: str) -> Listing:
        dice = self.random
        fill = {
            "brand": draft.written, "line": draft.line, "sort": draft.sort,
            "colour": draft.colour, "lang": draft.language,
        }  # fmt: skip
        title = dice.choice(draft.titles)
        text = " ".join((dice.choice(draft.texts), *draft.more))
        currency = dice.choice(("EUR", "EUR", "EUR", "USD", "CNY"))
        attributes = {
            "Condition": draft.condition.capitalize(),
            "Material": dice.choice(words.SPECS[draft.category]),
        }
        if draft.brand_field:
            attributes["Brand"] = draft.brand_field
        if draft.origin:
            attributes["Country of origin"] = draft.origin
        return Listing(
            id=identity,
            title=words.filled(title, **fill, pieces=draft.pieces),
            description=words.filled(text.strip(), **fill, pieces=draft.pieces),
            category=draft.category,
            price=_price(draft.price, currency),
            currency=currency,
            condition=draft.condition,
            seller=draft.seller,
            ships_from=self.sellers[draft.seller]["ships_from"],
            images=list(self._save(identity, draft.pictures, place)),
            attributes=attributes,
            json_ld=dice.random() < 0.5,
            truth=draft.truth,
        )

    def _gone(self, identity: str, kind: str) -> Listing:
        """A listing of the past. Fakes that were found out: half of the sellers went with them."""
        draft = self.drafter.draft(kind)
        if kind in FAKES and self.random.random() < 0.5:
            old = self.sellers[draft.seller]
            draft.seller = f"s-{len(self.sellers) + 1:04d}"
            self.sellers[draft.seller] = returned(old, len(self.sellers), self.random)
        gone = self._listing(identity, draft, "earlier")
        verdict = "counterfeit" if kind in FAKES else "genuine"
        if kind not in FAKES and self.random.random() < 0.05:
            verdict = "counterfeit"  # people err
        gone.truth["verdict"] = verdict
        return gone

    def _again(self, identity: str, gone: Listing) -> Listing:
        """A fake that was taken down, back under another seller."""
        dice = self.random
        name = f"s-{len(self.sellers) + 1:04d}"
        self.sellers[name] = returned(self.sellers[gone.seller], len(self.sellers), dice)
        pictures = []
        for image in gone.images:
            with Image.open(BytesIO((self.folder / "earlier" / image).read_bytes())) as old:
                side = dice.choice((1.0, 0.8))
                small = old.resize((int(old.width * side), int(old.height * side)))
                pictures.append(encode(small, dice.randrange(55, 85)))
        title = gone.title
        if dice.random() < 0.5:
            title = f"{title} {dice.choice(('2026', 'new', 'hot', '!!', '*'))}"
        return Listing(
            id=identity,
            title=title,
            description=gone.description if dice.random() < 0.7 else gone.description[:40],
            category=gone.category,
            price=_price(float(gone.price) * dice.uniform(0.95, 1.05), "EUR"),
            currency=gone.currency,
            condition=gone.condition,
            seller=name,
            ships_from=gone.ships_from,
            images=list(self._save(identity, pictures, "images")),
            attributes=dict(gone.attributes),
            json_ld=dice.random() < 0.5,
            truth={
                **{k: v for k, v in gone.truth.items() if k != "verdict"},
                "kind": "relisted_fake", "was": gone.id,
            },
        )  # fmt: skip

    def _save(self, identity: str, pictures: list[bytes], place: str) -> Iterator[str]:
        for position, data in enumerate(pictures):
            name = f"{identity}-{position}.jpg"
            (self.folder / place / name).write_bytes(data)
            yield name


def _price(amount: float, currency: str) -> str:
    return str((Decimal(amount) * RATES[currency]).quantize(Decimal("0.01")))


def _shown(listing: Listing) -> dict[str, Any]:
    row = asdict(listing)
    del row["truth"]
    return row


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def _write_yaml(path: Path, value: Any) -> None:
    path.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), encoding="utf-8")
