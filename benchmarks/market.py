"""A bazaar world as the matchers see it, with the context that `insight` gives from a database.

The truth goes beside each case and into nothing that is judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

import matchers
from bazaar.world import RATES
from insight.sellers import rating_share
from matchers import pictures, relisting
from matchers.assess import assess
from matchers.pictures import Reference, ReferenceIndex
from matchers.price import UnitPrice, asked, comparables, price_reading
from matchers.values import (
    Assessment,
    Brand,
    Comparables,
    Context,
    Listing,
    Picture,
    PictureMatch,
    Rates,
    Seller,
    Term,
)
from registry.brandfile import BrandFile

NOW = datetime(2026, 11, 2, tzinfo=UTC)
DATED = Rates(date(2026, 11, 1), dict(RATES))
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A listing, the brand that it is judged for, what is known around it, and what it is."""

    id: str
    listing: Listing
    brand: Brand
    context: Context
    truth: Row
    #: World and seller: cases of one are no independent witnesses.
    group: str

    def assess(self) -> Assessment:
        """What the shipped model says of it."""
        return assess(self.listing, self.brand, self.context)


def market(folder: Path) -> list[Case]:
    """Every listing of a world, for the brand it is of; what is of none, for each brand.

    Twice over: what others ask for a product, and how many of a seller's listings name the
    brand, follows from a first look without either.
    """
    world = _World(folder)
    first = list(world.cases())
    looks = [case.assess() for case in first]
    known = _asked(first, looks)
    return [replace(case, context=world.context(case, first, looks, known)) for case in first]


class _World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        world, earlier = _read(folder / "world.json"), _read(folder / "earlier.json")
        self.seed: int = world["seed"]
        self.rows: list[Row] = world["listings"]
        self.sellers: dict[str, Row] = earlier["sellers"]
        self.truth: dict[str, Row] = _read(folder / "truth.json")["listings"]
        #: Product or logo of each reference picture, by its SHA-256.
        self.owners: dict[str, str] = {}
        references: list[Reference] = []
        files = sorted((folder / "brand").glob("*.yaml"))
        self.brands = {path.stem: self._brand(path, references) for path in files}
        self.index = ReferenceIndex.build(references)
        self.shown = {row["id"]: self._shown(row, "images") for row in self.rows}
        self.earlier = [
            self._traits(row, self._shown(row, "earlier")) for row in earlier["listings"]
        ]
        self.verdicts = [(row["seller"], row["verdict"]) for row in earlier["listings"]]

    def cases(self) -> Iterator[Case]:
        for row in self.rows:
            truth = self.truth[row["id"]]
            listing = self._listing(row)
            group = f"{self.seed} {row['seller']}"
            for slug in [truth["brand"]] if truth["brand"] else sorted(self.brands):
                context = Context(rates=DATED)
                yield Case(row["id"], listing, self.brands[slug], context, truth, group)

    def context(
        self,
        case: Case,
        cases: Sequence[Case],
        looks: Sequence[Assessment],
        known: Sequence[tuple[str, UnitPrice]],
    ) -> Context:
        """What insight would know around a listing."""
        name = case.listing.seller_id
        assert name is not None
        facts = self.sellers[name]
        own = {p.sha256 for p in case.listing.pictures} - self.owners.keys()
        sharing = {
            other.listing.seller_id for other in cases
            if own & {p.sha256 for p in other.listing.pictures}
        } - {name}  # fmt: skip
        naming = {
            other.id for other, look in zip(cases, looks, strict=True)
            if other.listing.seller_id == name and other.brand is case.brand
            and look.gate != "brand_not_claimed"
        }  # fmt: skip
        said = [verdict for seller, verdict in self.verdicts if seller == name]
        row = next(row for row in self.rows if row["id"] == case.id)
        return Context(
            seller=Seller(
                joined_on=date.fromisoformat(facts["joined"]),
                rating=rating_share(facts["rating"]),
                country=facts["country"],
                listings=len({c.id for c in cases if c.listing.seller_id == name}),
                brand_listings=len(naming),
                counterfeits=said.count("counterfeit"),
                genuines=said.count("genuine"),
                shared_with=len(sharing),
            ),
            comparables=_comparables(known, name),
            rates=DATED,
            relistings=relisting.relistings(
                self._traits(row, case.listing.pictures), self.earlier,
                [p.hash for product in case.brand.products for p in product.pictures],
            ),
        )  # fmt: skip

    def _listing(self, row: Row) -> Listing:
        return Listing(
            title=row["title"],
            description=row["description"],
            price=matchers.Money.parse(f"{row['price']} {row['currency']}"),
            marketplace="bazaar",
            seller_id=row["seller"],
            seller_name=self.sellers[row["seller"]]["name"],
            brand=row["attributes"].get("Brand"),
            condition=row["condition"],
            pictures=self.shown[row["id"]],
            seen_at=NOW,
            matches=tuple(self._matches(row)),
            category=row["category"],
            ships_from=row["ships_from"],
            origin=row["attributes"].get("Country of origin"),
            attributes=tuple(row["attributes"].items()),
        )

    def _matches(self, row: Row) -> Iterator[PictureMatch]:
        for name, picture in zip(row["images"], self.shown[row["id"]], strict=True):
            decoded = pictures.decode((self.folder / "images" / name).read_bytes())
            for found in self.index.search(decoded):
                yield PictureMatch(
                    product_id=self.owners[found.key],
                    listing_sha256=picture.sha256,
                    reference_sha256=found.key,
                    distance=found.distance,
                    view=found.view,
                    kind=found.kind,
                    inliers=found.inliers,
                    confidence=found.confidence,
                    listing_outline=found.listing_outline,
                    reference_outline=found.reference_outline,
                )

    def _shown(self, row: Row, place: str) -> tuple[Picture, ...]:
        return tuple(
            matchers.fingerprint((self.folder / place / name).read_bytes())
            for name in row["images"]
        )

    def _traits(self, row: Row, shown: Sequence[Picture]) -> relisting.Traits:
        facts = self.sellers[row["seller"]]
        return relisting.Traits(
            listing_id=row["id"],
            title=row["title"],
            description=row["description"],
            price=matchers.Money.parse(f"{row['price']} {row['currency']}"),
            hashes=tuple(picture.hash for picture in shown),
            seller_name=facts["name"],
            seller_country=facts["country"],
            seller_joined_on=date.fromisoformat(facts["joined"]),
            verdict=row.get("verdict"),
        )

    def _brand(self, path: Path, references: list[Reference]) -> Brand:
        file = BrandFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        products = []
        for product in file.products:
            known = []
            for name in product.references:
                data = (path.parent / name).read_bytes()
                known.append(matchers.fingerprint(data))
                self.owners[known[-1].sha256] = product.sku
                traits = pictures.traits(pictures.decode(data))
                references.append(Reference(known[-1].sha256, "reference", traits))
            products.append(
                matchers.Product(
                    product.sku, product.name, tuple(product.keywords), product.price_floor,
                    product.list_price, tuple(known), product.nice_class,
                )
            )  # fmt: skip
        return Brand(
            file.brand.slug, file.brand.name, tuple(_terms(file)), tuple(products),
            tuple(
                matchers.Authorisation(
                    seller.marketplace, seller.seller_id,
                    None if seller.products == "all" else frozenset(seller.products),
                    seller.valid_from, seller.valid_until,
                )
                for seller in file.authorised_sellers
            ),
        )  # fmt: skip


def _terms(file: BrandFile) -> Iterator[Term]:
    """The words that the brand claims, each once, as `insight.brands` reads them."""
    classes = frozenset(number for mark in file.marks for number in mark.nice_classes)
    goods = tuple(file.product_words)
    seen: set[str] = set()
    terms = [Term(mark.text, "mark", classes, goods) for mark in file.marks]
    terms += [
        Term(text, "nickname" if text.isascii() else "transliteration", classes, goods)
        for text in file.keywords
    ]
    terms += [Term(product.name, "product") for product in file.products]
    for term in terms:
        if term.text.casefold() not in seen:
            seen.add(term.text.casefold())
            yield term


def _asked(cases: Sequence[Case], looks: Sequence[Assessment]) -> list[tuple[str, UnitPrice]]:
    """Who asks what for which product, in EUR; those that were flagged are no measure of it."""
    found = []
    for case, look in zip(cases, looks, strict=True):
        product = next((p for p in case.brand.products if p.id == look.product_id), None)
        if product is None or look.outcome == "flag":
            continue
        reading = price_reading(case.listing, product, case.context)
        unit = asked(case.listing, reading, "EUR", case.context.rates)
        if unit is not None:
            found.append((product.id, unit))
    return found


def _comparables(known: Sequence[tuple[str, UnitPrice]], but: str) -> tuple[Comparables, ...]:
    """What others than one seller ask, for every product that enough of them sell."""
    ids = sorted({product_id for product_id, _ in known})
    found = (
        comparables(
            (u for p, u in known if p == product_id and u.seller_id != but), product_id, "EUR"
        )
        for product_id in ids
    )
    return tuple(one for one in found if one is not None)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
