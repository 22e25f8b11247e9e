"""A case with everything in it: captures, a test purchase, photographs; hostile texts too."""

from __future__ import annotations

import json
import secrets
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from evidence.capturing.exchanges import Exchange
from evidence.custody import cases, handling, ledger
from evidence.packing import wacz, warc
from evidence.signing.signer import Signer, open_signer
from registry.blobs import Blobs, sha256_of
from registry.database import Database
from registry.models import (
    Assessment,
    Brand,
    Capture,
    Listing,
    Marketplace,
    Plan,
    Product,
    Purchase,
    PurchaseEvent,
    Seller,
    Snapshot,
)
from registry.settings import Settings

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
REFERENCE = "VEL-2026-017"

#: The buyer, planted wherever a checkout would show one.
BUYER = {
    "name": "Zebulon Quigglesworth",
    "email": "zebulon.q@postbox.example",
    "line1": "17 Umbrella Mews",
    "city": "London",
    "postcode": "EC1A 1BB",
    "country": "GB",
    "phone": "+44 20 7946 0018",
}

HOSTILE_TITLE = (
    '<script>alert("title")</script><img src=x onerror=alert(1)> </td></table> {{ 7 * 7 }} '
    "\u202egnirtsrever\u202c \x07\u200b 维*拉*罗 高仿 реплика Z"
    "\u0335\u0321\u0322\u0323\u0324\u0325\u0326"
)
HOSTILE_SELLER = '"><svg onload=alert(2)> & Söhne'


@dataclass
class Matter:
    """What was put in."""

    listing_capture: UUID
    hostile_capture: UUID
    checkout_capture: UUID
    purchase: UUID
    #: SHA-256 of each stored file, by the exhibit's number.
    hashes: dict[int, str] = field(default_factory=dict)


def make_matter(
    database: Database, blobs: Blobs, settings: Settings, *, tall: int = 2_600
) -> Matter:
    """Fill an empty database with one case of six exhibits.

    1 a listing's capture, 2 a hostile one's, 3 a purchase, 4 its checkout's capture, 5 a
    photograph, 6 a sensitive photograph.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return _Maker(database, blobs, settings, folder, tall).run()


def photograph(seed: int, *, width: int = 1600, height: int = 1200) -> Image.Image:
    """Something to look at."""
    image = Image.new("RGB", (width, height), (200 - seed * 20, 180, 120 + seed * 15))
    draw = ImageDraw.Draw(image)
    for step in range(0, max(width, height), 80):
        draw.rectangle((step, step // 2, step + 40, step // 2 + 30), fill=(40, 60 + seed * 30, 90))
    draw.text((40, 40), f"photograph {seed}", fill="black", font_size=48)
    return image


class _Maker:
    def __init__(
        self, database: Database, blobs: Blobs, settings: Settings, folder: Path, tall: int
    ) -> None:
        self.database, self.blobs, self.settings = database, blobs, settings
        self.folder = folder
        self.tall = tall
        self.signer = open_signer(settings)

    def run(self) -> Matter:
        with self.database.writing() as session:
            brand = Brand(slug="velaro", name="Velaro", owner="Velaro Maison S.A.")
            brand.products.append(
                Product(
                    sku="VEL-TOTE-01", name="Velaro Aria Tote", list_amount=Decimal("480.00"),
                    list_currency="EUR", floor_amount=Decimal("310.00"), floor_currency="EUR",
                )
            )  # fmt: skip
            market = Marketplace(name="bazaar", kind="bazaar", url="https://bazaar.example/")
            plan = Plan(
                name="bazaar-velaro", brand=brand, marketplaces=[market], queries=["velaro"],
                browse=[], threshold=0.6, max_pages=9,
            )  # fmt: skip
            session.add(plan)
            session.flush()
            plain = self._assessment(
                session, plan, "B-4200", "Velaro Aria Tote AAA quality mirror replica",
                "Bag Heaven Store",
            )  # fmt: skip
            hostile = self._assessment(
                session, plan, "B-4242", HOSTILE_TITLE + " longlonglong" * 400, HOSTILE_SELLER
            )
            first = self._capture(plain, "the listing")
            second = self._capture(hostile, HOSTILE_TITLE, gaps=3)
            purchase = self._purchase(session, plain)
            checkout = self._capture(plain, "Checkout", buyer=True)
            checkout.purchase_id = purchase.id
            checkout.assessment_id = None
            captures = [first, second, checkout]
            session.add_all(captures)
            session.flush()
            for capture in captures:
                self._enter(session, capture)
            cases.open_case(
                session, reference=REFERENCE, title="Copies of the Aria Tote, autumn 2026",
                actor="Ada Lovelace", brand="velaro",
            )  # fmt: skip
            cases.add_capture(session, REFERENCE, first.id, actor="Ada Lovelace")
            cases.add_capture(
                session, REFERENCE, second.id, actor="Ada Lovelace", name="<b>Hostile</b> listing"
            )
            cases.add_purchase(session, REFERENCE, purchase.id, actor="Ada Lovelace")
        for number in (5, 6):
            path = self.folder / ("parcel outside.jpg" if number == 5 else "label.jpg")
            image = photograph(number)
            if number == 6:
                image.getexif()[0x010E] = " ".join(BUYER.values())
            image.save(path, quality=85, exif=image.getexif())
            stored = cases.store_file(self.blobs, path)
            with self.database.writing() as session:
                cases.add_file(
                    session, self.blobs, REFERENCE, stored, actor="Grace Hopper",
                    sensitive=number == 6,
                )  # fmt: skip
        with self.database.writing() as session:
            handling.report(
                session, reference=REFERENCE, event="parcel_received", actor="Grace Hopper",
                exhibit=5, occurred_at=NOW + timedelta(hours=3),
                details={
                    "carrier": "DHL", "tracking": "JJD0002 1234 5678", "place": "Bonn, mail room",
                    "condition": "seal intact, one corner dented",
                },
            )  # fmt: skip
            handling.report(
                session, reference=REFERENCE, event="handed_over", actor="Grace Hopper",
                exhibit=5, occurred_at=NOW + timedelta(hours=26),
                details={
                    "from": "Grace Hopper", "to": "Dr. Lise Meitner (laboratory)",
                    "confirmed_by_from": "signed the book", "confirmed_by_to": "signed, bag 17",
                    "method": "by hand", "purpose": "examination",
                },
            )  # fmt: skip
        return Matter(
            first.id, second.id, checkout.id, purchase.id,
            {1: first.sha256, 2: second.sha256, 4: checkout.sha256},
        )  # fmt: skip

    def _assessment(
        self, session: Session, plan: Plan, external_id: str, title: str, seller: str
    ) -> Assessment:
        listing = Listing(
            marketplace_id=plan.marketplaces[0].id, external_id=external_id,
            url=f"https://bazaar.example/item/{external_id}?ref=search",
        )  # fmt: skip
        sold_by = Seller(
            marketplace_id=plan.marketplaces[0].id, external_id=f"s-{external_id}", name=seller
        )
        session.add_all([listing, sold_by])
        session.flush()
        snapshot = Snapshot(
            listing_id=listing.id, seller_id=sold_by.id, content_sha256="0" * 64, title=title,
            description="New with tags. 1:1, dust bag included. Ships in 3 days.",
            amount=Decimal("39.00"), currency="EUR", condition="new", ships_from="Guangzhou",
            seen_at=NOW - timedelta(hours=2),
        )  # fmt: skip
        session.add(snapshot)
        session.flush()
        reasons = [
            ("picture_match", 2.4, "A picture is the registered one (4 of 64 bits differ)."),
            ("lexicon", 1.9, "'replica': a word by which copies are sold (severity 4 of 4)."),
            ("price_under_floor", 1.4, "The price, 39.00 EUR, is 13% of the floor of 310.00 EUR."),
            ("seller_unknown", -0.3, "The seller is not on the brand's list."),
        ]  # fmt: skip
        assessment = Assessment(
            snapshot_id=snapshot.id, plan_id=plan.id, brand_id=plan.brand.id,
            product_id=plan.brand.products[0].id, score=0.97, threshold=0.6, flagged=True,
            result={
                "signals": [{"name": n, "contribution": c, "reason": r} for n, c, r in reasons]
            },
            inputs={},
        )  # fmt: skip
        session.add(assessment)
        session.flush()
        return assessment

    def _purchase(self, session: Session, assessment: Assessment) -> Purchase:
        purchase = Purchase(
            listing_id=assessment.snapshot.listing_id, assessment_id=assessment.id,
            snapshot_id=assessment.snapshot_id, brand_id=assessment.brand_id, state="ordered",
            limit_amount=Decimal("80.00"), limit_currency="EUR", requested_by="touchstone",
            approved_by="Ada Lovelace", approved_at=NOW, clicked_at=NOW + timedelta(minutes=2),
            order_number="B-100017", order_amount=Decimal("44.90"), order_currency="EUR",
            note=f"ships to {BUYER['name']}, {BUYER['line1']}",
        )  # fmt: skip
        states = ("proposed", "approved", "ordering", "ordered")
        purchase.events = [
            PurchaseEvent(
                actor="Ada Lovelace" if state == "approved" else "touchstone", state=state,
                at=NOW + timedelta(seconds=40 * number),
                note=f"a mail went to {BUYER['email'].upper()}" if state == "ordered" else None,
            )
            for number, state in enumerate(states)
        ]  # fmt: skip
        session.add(purchase)
        session.flush()
        return purchase

    def _capture(
        self, assessment: Assessment, title: str, *, gaps: int = 0, buyer: bool = False
    ) -> Capture:
        url = assessment.snapshot.listing.url
        work = Path(tempfile.mkdtemp(dir=self.folder))
        path, screenshot, archive = make_wacz(
            work, url, title, self.signer, gaps=gaps, buyer=buyer, tall=self.tall
        )
        return Capture(
            listing_id=assessment.snapshot.listing_id, assessment_id=assessment.id, url=url,
            status="complete", http_status=200, sha256=sha256_of(path),
            blob=self.blobs.put_file(path, ".wacz"),
            size=path.stat().st_size, archive_sha256=sha256_of(archive),
            key_id=self.signer.key_id, exchanges=1 + gaps, incomplete=gaps,
            screenshot_blob=self.blobs.put_file(screenshot, ".png"), captured_at=NOW,
            operator="tester",
        )  # fmt: skip

    def _enter(self, session: Session, row: Capture) -> None:
        for event, details in (
            ("captured", {"url": row.url, "status": row.status}),
            ("sealed", {
                "sha256": row.sha256, "archive_sha256": row.archive_sha256, "size": row.size,
                "key_id": row.key_id,
            }),
        ):  # fmt: skip
            ledger.record(
                session, event=event, subject=f"capture:{row.id}", actor="tester",
                occurred_at=row.captured_at, details=details,
            )  # fmt: skip


def make_wacz(
    folder: Path,
    url: str,
    title: str,
    signer: Signer,
    *,
    gaps: int,
    buyer: bool,
    tall: int,
) -> tuple[Path, Path, Path]:
    """A sealed bundle, its screenshot and its archive, made by the code that makes real ones."""
    parts = folder / "package"
    for name in ("archive", "indexes", "extra", "screenshots", "dom"):
        (parts / name).mkdir(parents=True)
    who = " ".join(BUYER.values()) if buyer else ""
    body = folder / "body"
    body.write_text(f"<h1>{title}</h1> € 39,00 {who} {secrets.token_hex(8)}", encoding="utf-8")
    posted = who.encode()
    exchange = Exchange(url, "POST", NOW, {"Accept": "*/*"}, posted, "Document", body=body)
    headers = {"Content-Type": "text/html"}
    exchange.response = {"status": 200, "statusText": "OK", "headers": headers}
    archive = parts / "archive" / "data.warc.gz"
    warc.write_warc(archive, {"software": "test"}, [exchange])
    warc.write_index(archive, parts / "indexes")
    about = {
        "operator": "tester", "why": "assessment: score 0.970 over 0.600",
        "software": "touchstone 0.1.0", "commit": "f2d8cb6ec9c62ed3ec16788d14450e7c3001b094",
        "browser": "Chrome/141.0.7390.54", "viewport": {"width": 1280, "height": 900},
        "locale": "en-GB", "time_zone": "Europe/Berlin",
        "command_line": ["--headless", "--disable-quic", "--proxy-server=socks5://127.0.0.1:1"],
        "clean": {"fresh_profile": True, "extensions": [], "cookies": 0},
        "exit_address": "not asked: no address is configured",
        "incomplete": [
            {"url": f"https://bazaar.example/big/{n}.jpg", "truncated": "length", "error": None}
            for n in range(gaps)
        ],
    }  # fmt: skip
    (parts / "extra" / "capture.json").write_text(json.dumps(about))
    (parts / "dom" / "01-page.html").write_text(f"<p>{who}</p>")
    shot = parts / "screenshots" / "01-page.png"
    image = Image.new("RGB", (1280, tall), "white")
    image.paste(photograph(2, width=560, height=700), (40, 120))
    draw = ImageDraw.Draw(image)
    draw.text((640, 120), "Velaro Aria Tote AAA\n39.00 EUR", fill="black", font_size=40)
    for line in range(900, tall - 40, 46):
        draw.text((40, line), "New with tags. Mirror quality. " * 3, fill="#444", font_size=20)
    if buyer:
        draw.text((640, 400), who, fill="black", font_size=20)
    image.save(shot)
    target = folder / "bundle.wacz"
    page = wacz.Page(uuid7(), url, NOW, "A page", f"Velaro {who}")
    wacz.pack(
        parts, target, pages=[page], software="touchstone 0.1.0", created=NOW, title="A page",
        signer=signer,
    )  # fmt: skip
    return target, shot, archive


def buyers(database: Database) -> dict[UUID, dict[str, str]]:
    """Who bought: in every purchase the same."""
    with database.reading() as session:
        return dict.fromkeys(session.scalars(select(Purchase.id)), BUYER)
