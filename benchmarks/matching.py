"""Matching, on marketplaces of which the truth is known.

Peers: `imagehash.phash` of whole pictures, the usual open answer; and the rule of thumb that
a listing which names the brand under the price floor is a fake. Each peer gets the threshold
at which it does best without a false alarm.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import imagehash
import yaml
from PIL import Image

import matchers
from bazaar.world import RATES, make
from benchmarks.measure import Result, in_turn
from matchers.score import assess
from registry.brandfile import BrandFile

SEEDS = (101, 102, 103)
LISTINGS = 140
THRESHOLD = 0.6
NOW = datetime(2026, 11, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A listing, what it is, and the brand that it is judged for."""

    listing: matchers.Listing
    brand: matchers.Brand
    truth: dict[str, Any]
    files: tuple[bytes, ...]


def run() -> Iterator[Result]:
    """Pictures, then whole listings, then time."""
    with tempfile.TemporaryDirectory() as folder:
        cases: list[Case] = []
        references: dict[str, list[bytes]] = {}
        for seed in SEEDS:
            world = Path(folder) / str(seed)
            make(world, seed, LISTINGS, "http://127.0.0.1:8765/")
            cases += _cases(world, references)
    yield _pictures(cases, references)
    yield _listings(cases)
    yield _time([data for case in cases[:60] for data in case.files])


def _pictures(cases: list[Case], references: dict[str, list[bytes]]) -> Result:
    """Edited copies of reference pictures found, at no false alarm."""
    copies = [c for c in cases if c.truth.get("edit", "own") != "own"]
    # The authorised, and some resellers, show the reference itself.
    others = [
        c
        for c in cases
        if c.truth.get("edit") == "own"
        or c.truth.get("picture") == "own"
        or c.truth["kind"] in ("lookalike", "second_hand", "unrelated")
    ]

    def ours(case: Case) -> float:
        # The matchers know one threshold: what they do not name is far away.
        found = matchers.pictures.legacy.closest(case.listing.pictures, case.brand.products)
        return found.distance if found else 65

    known = {brand: [_phash(data) for data in pictures] for brand, pictures in references.items()}

    def peer(case: Case) -> float:
        hashes = [_phash(data) for data in case.files]
        return min(a - b for a in hashes for b in known[case.brand.id])

    least_other = min(peer(case) for case in others)
    peer_found = sum(peer(case) < least_other for case in copies)
    ours_found = sum(ours(case) <= 64 for case in copies)
    alarms = sum(ours(case) <= 64 for case in others)
    return Result(
        f"edited copies of reference pictures found, among {len(others)} listings without one",
        f"{ours_found} of {len(copies)}, {alarms} false alarms",
        f"imagehash.phash under {least_other:.0f} bits: {peer_found} of {len(copies)}, 0",
        f"{ours_found / len(copies):.3f} against {peer_found / len(copies):.3f}",
    )


def _listings(cases: list[Case]) -> Result:
    """Fakes found, as a whole."""

    def ours(case: Case) -> bool:
        verdict = assess(case.listing, case.brand)
        return verdict.gate is None and verdict.score >= THRESHOLD

    def peer(case: Case, which: Callable[[list[Decimal]], Decimal]) -> bool:
        text = f"{case.listing.title} {case.listing.description}".casefold()
        named = any(term.text.casefold() in text for term in case.brand.terms)
        floors = [p.price_floor.amount for p in case.brand.products if p.price_floor]
        price = case.listing.price
        assert price is not None
        return named and price.amount / RATES[price.currency] < which(floors)

    # The rule does not know the product; it gets whichever floor of the brand suits it best.
    rules = [_Rates.of(cases, [peer(c, f) for c in cases]) for f in (min, statistics.median, max)]
    mine, theirs = _Rates.of(cases, [ours(c) for c in cases]), max(rules, key=lambda r: r.f1)
    return Result(
        f"fakes found among {len(cases)} listings (seeds {SEEDS[0]} to {SEEDS[-1]})",
        str(mine),
        f"brand named and price under the floor: {theirs}",
        f"F1 {mine.f1:.3f} against {theirs.f1:.3f}",
    )


@dataclass(frozen=True)
class _Rates:
    precision: float
    recall: float

    @classmethod
    def of(cls, cases: list[Case], flagged: list[bool]) -> _Rates:
        fakes = [case.truth["is_fake"] for case in cases]
        hits = sum(f and t for f, t in zip(flagged, fakes, strict=True))
        return cls(hits / max(1, sum(flagged)), hits / sum(fakes))

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)

    def __str__(self) -> str:
        return f"precision {self.precision:.3f}, recall {self.recall:.3f}"


def _time(files: list[bytes]) -> Result:
    """What the further views cost."""
    mine, theirs, ratio = in_turn(
        lambda: [matchers.fingerprint(data) for data in files],
        lambda: [_phash(data) for data in files],
    )
    return Result(
        f"hashing {len(files)} pictures",
        f"{len(files) / mine:.0f} pictures/s, 11 views each",
        f"imagehash.phash, 1 view: {len(files) / theirs:.0f} pictures/s",
        ratio,
    )


def _phash(data: bytes) -> imagehash.ImageHash:
    return imagehash.phash(Image.open(BytesIO(data)))


def _cases(world: Path, references: dict[str, list[bytes]]) -> Iterator[Case]:
    brands = {path.stem: _brand(path, references) for path in (world / "brand").glob("*.yaml")}
    truth = json.loads((world / "truth.json").read_text(encoding="utf-8"))["listings"]
    raw = json.loads((world / "world.json").read_text(encoding="utf-8"))
    for row in raw["listings"]:
        is_so = truth[row["id"]]
        files = tuple((world / "images" / name).read_bytes() for name in row["images"])
        listing = matchers.Listing(
            title=row["title"],
            description=row["description"],
            price=matchers.Money.parse(f"{row['price']} {row['currency']}"),
            marketplace="bazaar",
            seller_id=row["seller"],
            seller_name=raw["sellers"][row["seller"]]["name"],
            brand=row["attributes"].get("Brand"),
            condition=row["condition"],
            pictures=tuple(matchers.fingerprint(data) for data in files),
            seen_at=NOW,
        )
        # What is of neither brand is judged for the first: it must not be flagged for any.
        brand = brands[is_so["brand"] or "velaro"]
        yield Case(listing, brand, is_so, files)


def _brand(path: Path, references: dict[str, list[bytes]]) -> matchers.Brand:
    file = BrandFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    products = []
    known = references.setdefault(file.brand.slug, [])
    for product in file.products:
        pictures = [(path.parent / name).read_bytes() for name in product.references]
        known += pictures
        products.append(
            matchers.Product(
                product.sku, product.name, tuple(product.keywords), product.price_floor,
                product.list_price, tuple(matchers.fingerprint(data) for data in pictures),
            )
        )  # fmt: skip
    return matchers.Brand(
        file.brand.slug,
        file.brand.name,
        tuple(map(matchers.Term, (*(mark.text for mark in file.marks), *file.keywords))),
        tuple(products),
        tuple(
            matchers.Authorisation(
                seller.marketplace,
                seller.seller_id,
                None if seller.products == "all" else frozenset(seller.products),
                seller.valid_from,
                seller.valid_until,
            )
            for seller in file.authorised_sellers
        ),
    )
