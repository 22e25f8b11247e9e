"""Rows of a small shop, for the tests of this room."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from insight.prints import fingerprinted
from registry.blobs import Blobs
from registry.models import (
    Assessment,
    Listing,
    Marketplace,
    Picture,
    Plan,
    Seller,
    Snapshot,
    SnapshotPicture,
)
from registry.models.base import utcnow


def picture(session: Session, blobs: Blobs, data: bytes) -> str:
    """A stored picture; its SHA-256."""
    found = fingerprinted(data)
    if session.get(Picture, found.sha256) is None:
        session.add(
            Picture(
                sha256=found.sha256,
                blob=blobs.put_bytes(data, found.suffix),
                media_type=found.media_type,
                fingerprint=found.fingerprint,
                matcher=found.matcher,
                traits=found.traits,
            )
        )
        session.flush()
    return found.sha256


def snapshot(
    session: Session,
    market: Marketplace,
    sha256: str,
    *,
    external_id: str = "1",
    seller: str = "s",
    seen: datetime | None = None,
    **said: Any,
) -> UUID:
    """A listing that shows a picture, and another that could not be had; its snapshot's id."""
    seen = seen or utcnow()
    by = session.scalar(
        select(Seller).where(Seller.marketplace_id == market.id, Seller.external_id == seller)
    )
    if by is None:
        by = Seller(marketplace_id=market.id, external_id=seller, name=seller.upper())
        session.add(by)
    listing = Listing(
        marketplace_id=market.id,
        external_id=external_id,
        url=f"https://shop.example/{external_id}",
        first_seen_at=seen,
        last_seen_at=seen,
    )
    session.add(listing)
    session.flush()
    row = Snapshot(
        listing_id=listing.id, seller_id=by.id, content_sha256="0" * 64,
        **{"title": "V3LARO Aria Tote 1:1 replica", "description": "", "amount": Decimal(35),
           "currency": "EUR", **said},
    )  # fmt: skip
    row.pictures = [
        SnapshotPicture(position=0, url="u", sha256=sha256),
        SnapshotPicture(position=1, url="v", sha256=None, fault="HTTP 404"),
    ]
    session.add(row)
    session.flush()
    return row.id


def assessment(session: Session, snapshot_id: UUID, plan: Plan, **said: Any) -> Assessment:
    """An assessment as it is stored, without the matchers' word."""
    row = Assessment(
        snapshot_id=snapshot_id,
        plan_id=plan.id,
        brand_id=plan.brand_id,
        **{"score": 0.5, "threshold": 0.6, "flagged": False, "result": {"signals": []},
           "inputs": {}, "model_version": "m", **said},
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def days_ago(number: int) -> datetime:
    """A time before now."""
    return utcnow() - timedelta(days=number)
