"""An installation at work, for the console to show: hostile texts among honest ones."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

import matchers
from matchers import values
from registry.blobs import Blobs
from registry.database import Database
from registry.models import (
    Assessment,
    Authorisation,
    Brand,
    Capture,
    Listing,
    Mark,
    Marketplace,
    Picture,
    Plan,
    Product,
    Reference,
    Run,
    Seller,
    Sighting,
    Snapshot,
    SnapshotPicture,
)
from tests.console.seed_cases import NOW, seed_jobs, seed_purchases, verdict
from tests.pictures import jpeg

HOSTILE_TITLE = '<script>alert("title")</script><img src=x onerror=alert(1)> Velaro tote replica'
HOSTILE_TEXT = "</dd><script>alert('text')</script> {{ 7 * 7 }} ${7*7} 1:1 \u202egnirtsrever"
HOSTILE_SELLER = '"><svg onload=alert(2)> & Söhne'
HOSTILE_URL = "javascript:alert(document.domain)//bazaar.example/item/6"


TITLES = (
    ("Velaro Aria Tote AAA quality mirror replica, dust bag included", "open", "39.00"),
    ("V.e.l.a.r.o Aria shopper bag top grade with box and papers", "disguised", "64.50"),
    ("维*拉*罗 高仿 托特包 复刻 一比一", "open", "52.80"),
    ("Сумка Веларо Aria реплика премиум", "open", "45.00"),
    ("Vеlаrо Meridian watch, automatic, sapphire glass 1:1 superclone", "disguised", "118.00"),
    ("VELARO Corsa runner sneakers factory outlet overrun stock", "open", "71.20"),
    ("Velarro Corsa laufschuhe neu OVP, Fabrikverkauf", "disguised", "58.00"),
    ("Designer tote like Ve1aro Aria, same factory, unboxed", "disguised", "49.90"),
)
SELLERS = (
    "Bag Heaven Store",
    "lucky_star_88",
    "Магазин Лидер",
    "广州优品箱包",
    "Outlet Kontor Ost",
)


@dataclass
class Seeded:
    """Ids to ask for."""

    hostile_listing: UUID
    changed_listing: UUID
    captures: list[UUID] = field(default_factory=list)
    purchases: dict[str, UUID] = field(default_factory=dict)
    jobs: dict[str, UUID] = field(default_factory=dict)
    pictures: list[str] = field(default_factory=list)
    flagged: int = 0


def seed(
    database: Database,
    blobs: Blobs,
    *,
    bundle: bytes,
    bundle_sha256: str,
    screenshot: bytes,
    flagged: int = 24,
) -> Seeded:
    """Fill an empty database.

    Parameters
    ----------
    bundle
        A sealed bundle for the captures, and the SHA-256 registered for it.
    flagged
        How many listings are flagged for the first brand; the seventh is the hostile one.
    """
    with database.writing() as session:
        return _Seeder(session, blobs).run(bundle, bundle_sha256, screenshot, flagged)


class _Seeder:
    def __init__(self, session: Session, blobs: Blobs) -> None:
        self.session = session
        self.blobs = blobs
        self.dice = random.Random(5)

    def run(self, bundle: bytes, bundle_sha256: str, screenshot: bytes, flagged: int) -> Seeded:
        session = self.session
        velaro = self.brand(
            "velaro",
            "Velaro",
            [
                ("VEL-TOTE-01", "Velaro Aria Tote", "480.00", "310.00"),
                ("VEL-WATCH-02", "Velaro Meridian Watch", "1250.00", "900.00"),
                ("VEL-SHOE-03", "Velaro Corsa Runner", "260.00", "170.00"),
            ],
            first=100,
        )
        kestrix = self.brand(
            "kestrix", "Kestrix", [("KES-HP-01", "Kestrix Halo", "199.00", "140.00")], first=200
        )
        bazaar = Marketplace(name="bazaar", kind="bazaar", url="https://bazaar.example/")
        plans = [
            Plan(
                name=f"bazaar-{brand.slug}",
                brand=brand,
                marketplaces=[bazaar],
                queries=[brand.slug],
                browse=["/c/bags"],
                threshold=0.6,
                max_pages=500,
            )
            for brand in (velaro, kestrix)
        ]
        session.add_all([bazaar, *plans])
        session.flush()
        runs = self.runs(plans)
        sellers = [
            Seller(
                marketplace_id=bazaar.id,
                external_id=f"s-{number:04}",
                name=name,
                url=f"https://bazaar.example/seller/s-{number:04}",
                country="CN",
                rating=4.7,
                joined_on=date(2025, 3, 14),
            )
            for number, name in enumerate([*SELLERS, HOSTILE_SELLER])
        ]
        session.add_all(sellers)
        session.flush()
        assessments = [
            self.flag(number, velaro, plans[0], runs[0], bazaar, sellers)
            for number in range(flagged)
        ]
        honest = self.flag(flagged, velaro, plans[0], runs[0], bazaar, sellers, score=0.21)
        self.flag(flagged + 1, kestrix, plans[1], runs[1], bazaar, sellers, score=0.77)
        changed = self.change(assessments[1], plans[0], runs[1])
        seeded = Seeded(
            hostile_listing=assessments[6].snapshot.listing_id,
            changed_listing=changed.snapshot.listing_id,
            flagged=flagged + 1,
        )
        seeded.purchases = seed_purchases(session, [changed, *assessments[:1], *assessments[2:9]])
        key = self.blobs.put_bytes(bundle, ".wacz")
        shot = self.blobs.put_bytes(screenshot, ".png")
        for number, assessment in enumerate([*assessments[:12], changed]):
            status = "gone" if number == 3 else "complete"
            capture = Capture(
                listing_id=assessment.snapshot.listing_id,
                assessment_id=assessment.id,
                purchase_id=seeded.purchases["ordered"] if number == 2 else None,
                url=assessment.snapshot.listing.url,
                status=status,
                http_status=404 if status == "gone" else 200,
                sha256=bundle_sha256,
                blob=key,
                size=len(bundle),
                screenshot_blob=shot,
                captured_at=NOW + timedelta(minutes=number),
                operator="tester",
            )
            session.add(capture)
            session.flush()
            seeded.captures.append(capture.id)
        seeded.jobs = seed_jobs(session, [*assessments[12:], honest])
        seeded.pictures = [reference.sha256 for p in velaro.products for reference in p.references]
        return seeded

    def picture(self, seed: int, size: int = 400, quality: int = 88) -> str:
        data = _jpeg(seed, size, quality)
        sha256 = hashlib.sha256(data).hexdigest()
        if self.session.get(Picture, sha256) is None:
            self.session.add(
                Picture(
                    sha256=sha256,
                    blob=self.blobs.put_bytes(data, ".jpg"),
                    media_type="image/jpeg",
                    fingerprint={},
                )
            )
            self.session.flush()
        return sha256

    def brand(
        self, slug: str, name: str, products: list[tuple[str, str, str, str]], *, first: int
    ) -> Brand:
        brand = Brand(
            slug=slug,
            name=name,
            owner=f"{name} Maison S.A.",
            website=f"https://{slug}.example/",
            keywords=[slug, "веларо", "维拉罗"],
        )
        brand.marks = [
            Mark(
                text=name.upper(),
                office="EUIPO",
                number="018123456",
                kind="word",
                nice_classes=[14, 18, 25],
                registered_on=date(2012, 5, 4),
            ),
            Mark(
                text="维拉罗", office="CNIPA", number="9876543", kind="word", nice_classes=[18, 25]
            ),
        ]
        brand.authorisations = [
            Authorisation(
                marketplace="bazaar",
                seller_id="s-0900",
                seller_name="Maison Lumière",
                skus=None,
                valid_from=date(2020, 1, 1),
            )
        ]
        for number, (sku, title, price, floor) in enumerate(products):
            shas = [self.picture(first + number * 2 + turn) for turn in range(2)]
            product = Product(
                sku=sku,
                name=title,
                gtin="4006381333931",
                nice_class=18,
                keywords=[title.split()[1].lower()],
                list_amount=Decimal(price),
                list_currency="EUR",
                floor_amount=Decimal(floor),
                floor_currency="EUR",
            )
            product.references = [
                Reference(sha256=sha256, position=turn) for turn, sha256 in enumerate(shas)
            ]
            brand.products.append(product)
        self.session.add(brand)
        self.session.flush()
        return brand

    def runs(self, plans: list[Plan]) -> list[Run]:
        stats = {"pages": 412, "listings": 168, "new": 24, "errors": 3}
        runs = [
            Run(
                plan=plans[0],
                state="finished",
                started_at=NOW - timedelta(days=1),
                finished_at=NOW - timedelta(hours=23),
                stats=stats,
            ),
            Run(plan=plans[1], state="running", started_at=NOW, stats={"pages": 37}),
            Run(
                plan=plans[0],
                state="failed",
                started_at=NOW - timedelta(hours=2),
                finished_at=NOW - timedelta(hours=2),
                error="https://bazaar.example/ does not answer: <b>connection refused</b>",
            ),
        ]
        self.session.add_all(runs)
        self.session.flush()
        return runs

    def flag(
        self,
        number: int,
        brand: Brand,
        plan: Plan,
        run: Run,
        marketplace: Marketplace,
        sellers: list[Seller],
        score: float | None = None,
    ) -> Assessment:
        title, how, price = TITLES[number % len(TITLES)]
        hostile = number == 6
        listing = Listing(
            marketplace=marketplace,
            external_id=f"B-{4200 + number * 7}",
            url=HOSTILE_URL if hostile else f"https://bazaar.example/item/{number}/bag",
            first_seen_at=NOW - timedelta(days=1),
            last_seen_at=NOW,
        )
        self.session.add(listing)
        self.session.flush()
        text = HOSTILE_TEXT if hostile else "New with tags. Ships in 3 days. AAA quality, 1:1."
        snapshot = self.snapshot(
            listing,
            run,
            HOSTILE_TITLE if hostile else title,
            text,
            price,
            sellers[-1] if hostile else sellers[number % len(SELLERS)],
            pictures=[_reference(number), 300 + number],
        )
        figure = score if score is not None else max(0.62, 0.995 - number * 0.013)
        return self.assess(snapshot, brand, plan, number, how, figure)

    def snapshot(
        self,
        listing: Listing,
        run: Run,
        title: str,
        description: str,
        price: str,
        seller: Seller,
        pictures: list[int],
    ) -> Snapshot:
        content = json.dumps([title, description, price, pictures]).encode()
        shas = [self.picture(seed, 400, 35) for seed in pictures]
        snapshot = Snapshot(
            listing=listing,
            seller=seller,
            seen_at=run.started_at + timedelta(minutes=7),
            content_sha256=hashlib.sha256(content).hexdigest(),
            title=title,
            description=description,
            amount=Decimal(price),
            currency="EUR",
            availability="in stock",
            condition="new",
            ships_from="Guangzhou",
            attributes={"Material": "PU <b>leather</b>", "Colour": "sand"},
        )
        snapshot.pictures = [
            SnapshotPicture(
                position=position,
                url=f"https://img.bazaar.example/{seed}.jpg",
                sha256=shas[position],
            )
            for position, seed in enumerate(pictures)
        ]
        snapshot.pictures.append(
            SnapshotPicture(
                position=len(pictures),
                url="https://img.bazaar.example/bomb.png",
                fault="900000000 pixels: too large",
            )
        )
        self.session.add(snapshot)
        self.session.flush()
        self.session.add(
            Sighting(
                run_id=run.id,
                listing_id=listing.id,
                snapshot_id=snapshot.id,
                seen_at=snapshot.seen_at,
            )
        )
        return snapshot

    def assess(
        self, snapshot: Snapshot, brand: Brand, plan: Plan, number: int, how: str, score: float
    ) -> Assessment:
        product = brand.products[number % len(brand.products)]
        distance = self.dice.choice((2, 4, 6, 10))
        assessment = Assessment(
            snapshot=snapshot,
            plan=plan,
            brand=brand,
            product=product,
            score=score,
            threshold=plan.threshold,
            flagged=score >= plan.threshold,
            outcome="flag" if score >= plan.threshold else "pass",
            kind="counterfeit" if score >= plan.threshold else None,
            model_version="2026-11-25",
            result=matchers.to_json(
                verdict(snapshot, product, number, how=how, score=score, distance=distance)
            ),
            inputs=_inputs(snapshot, product),
        )
        self.session.add(assessment)
        self.session.flush()
        return assessment

    def change(self, assessment: Assessment, plan: Plan, run: Run) -> Assessment:
        """The listing says something else the day after, and is flagged again."""
        old = assessment.snapshot
        assert old.seller is not None
        snapshot = self.snapshot(
            old.listing,
            run,
            "Velaro Aria shopper bag top grade with box, replica",
            old.description + " Message me for more colours.",
            "59.00",
            old.seller,
            pictures=[_reference(1), 777],
        )
        return self.assess(snapshot, assessment.brand, plan, 1, "open", 0.971)


def _inputs(snapshot: Snapshot, product: Product) -> dict[str, object]:
    """What the page reads of an assessment's inputs: sizes of pictures, the seller then."""
    size = {"hashes": {}, "width": 400, "height": 400, "hash": ""}
    return {
        "listing": {"pictures": [{"sha256": p.sha256, **size} for p in snapshot.pictures]},
        "brand": {
            "products": [{"pictures": [{"sha256": r.sha256, **size} for r in product.references]}]
        },
        "context": matchers.to_json(
            values.Context(
                values.Seller(
                    joined_on=date(2025, 3, 14),
                    rating=0.94,
                    country="CN",
                    listings=40,
                    brand_listings=31,
                    counterfeits=2,
                    shared_with=3,
                )
            )
        ),
    }


@cache
def _jpeg(seed: int, size: int, quality: int) -> bytes:
    return jpeg(seed, size, quality)


def _reference(number: int) -> int:
    """The seed of the reference picture that a listing's picture is a copy of."""
    return 100 + number % 3 * 2
