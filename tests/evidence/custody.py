"""A marketplace with one listing, one capture of it and one test purchase, as rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from registry.blobs import Blobs
from registry.database import Database
from registry.models import (
    Assessment,
    Brand,
    Capture,
    Listing,
    Marketplace,
    Plan,
    Purchase,
    Snapshot,
)


@dataclass(frozen=True)
class Seeded:
    """The ids of what was made."""

    capture_id: UUID
    purchase_id: UUID
    purchase_capture_id: UUID


def seed(database: Database, blobs: Blobs | None = None, *, name: str = "first") -> Seeded:
    """Add rows; with a blob store, the captures have bytes in it."""

    def put(data: str, suffix: str) -> str:
        return blobs.put_bytes(data.encode(), suffix) if blobs else f"00/{name}{suffix}"

    with database.writing() as session:
        brand = Brand(slug=name, name=name, owner="Owner")
        marketplace = Marketplace(name=name, kind="bazaar", url="http://shop.example/")
        session.add_all([brand, marketplace])
        session.flush()
        plan = Plan(
            name=name,
            brand_id=brand.id,
            marketplaces=[marketplace],
            queries=[],
            browse=[],
            threshold=0.5,
            max_pages=1,
        )
        listing = Listing(
            marketplace_id=marketplace.id, external_id="1", url="http://shop.example/item/1"
        )
        session.add_all([plan, listing])
        session.flush()
        snapshot = Snapshot(
            listing_id=listing.id, content_sha256="0" * 64, title="Tote", description=""
        )
        session.add(snapshot)
        session.flush()
        assessment = Assessment(
            snapshot_id=snapshot.id,
            plan_id=plan.id,
            brand_id=brand.id,
            score=0.9,
            threshold=0.5,
            flagged=True,
            result={},
            inputs={},
        )
        session.add(assessment)
        session.flush()
        purchase = Purchase(
            listing_id=listing.id,
            assessment_id=assessment.id,
            snapshot_id=assessment.snapshot_id,
            brand_id=assessment.brand_id,
            limit_amount=Decimal(80),
            limit_currency="EUR",
            requested_by="touchstone",
        )
        session.add(purchase)
        session.flush()
        captures = [
            Capture(
                listing_id=listing.id,
                purchase_id=bought,
                url=listing.url,
                status="complete",
                http_status=200,
                sha256=hashlib.sha256(f"{name} {number}".encode()).hexdigest(),
                blob=put(f"{name} {number}", ".wacz"),
                size=len(f"{name} {number}"),
                screenshot_blob=put("the same picture", ".png"),
                key_id="0" * 64 if bought is None else None,
                operator="tester",
            )
            for number, bought in enumerate((None, purchase.id))
        ]
        session.add_all(captures)
        session.flush()
        return Seeded(captures[0].id, purchase.id, captures[1].id)
