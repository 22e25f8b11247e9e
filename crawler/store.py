"""Storing what a run saw: one transaction a listing, and the job to assess it in the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crawler.marketplaces.pages import SellerFacts, SellerRef
from registry import jobs
from registry.database import Database
from registry.models import (
    Listing,
    Picture,
    Seller,
    Sighting,
    Snapshot,
    SnapshotPicture,
)
from registry.models.base import utcnow
from registry.money import Money

TRIES = 8
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture that a listing showed; either it is known by its hash or there is a fault."""

    url: str
    sha256: str | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a run read of a listing."""

    external_id: str
    url: str
    title: str
    description: str
    price: Money | None
    availability: str | None
    condition: str | None
    brand: str | None
    seller: SellerRef | None
    ships_from: str | None
    attributes: dict[str, str]
    pictures: Sequence[SeenPicture]

    def content_sha256(self) -> str:
        """A hash over what the listing says, not over its page.

        Pictures count by their bytes: an address that changes with every visit is no news,
        and neither is a picture that could not be fetched this time.
        """
        said: list[Any] = [
            self.title,
            self.description,
            str(self.price),
            self.availability,
            self.condition,
            self.brand,
            self.seller.id if self.seller else None,
            self.ships_from,
            sorted(self.attributes.items()),
            [picture.sha256 for picture in self.pictures if picture.sha256],
        ]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Target:
    """The run for which things are stored."""

    run_id: UUID
    plan_id: UUID
    marketplace_id: UUID


def storing(database: Database, work: Callable[[Session], T]) -> T:
    """Do something in a transaction; again, if another was quicker.

    Two listings of a seller that is new may be stored in the same moment, here or by
    another run; then one of the two finds the seller taken, and the second time finds it.
    """
    for _ in range(TRIES - 1):
        with contextlib.suppress(IntegrityError), database.writing() as session:
            return work(session)
    with database.writing() as session:
        return work(session)


def store_seen(session: Session, target: Target, seen: Seen) -> bool:
    """Store a sighting; a snapshot and a job only if the listing says something new.

    Returns
    -------
    bool
        Whether it did.
    """
    now = utcnow()
    seller = _seller(session, target, seen.seller) if seen.seller else None
    listing = session.scalar(
        select(Listing).where(
            Listing.marketplace_id == target.marketplace_id,
            Listing.external_id == seen.external_id,
        )
    )
    if listing is None:
        listing = Listing(marketplace_id=target.marketplace_id, external_id=seen.external_id)
        session.add(listing)
    listing.url, listing.last_seen_at = seen.url, now
    session.flush()
    latest = session.scalar(
        select(Snapshot)
        .where(Snapshot.listing_id == listing.id)
        .order_by(Snapshot.id.desc())
        .limit(1)
    )
    content = seen.content_sha256()
    snapshot = latest
    changed = latest is None or latest.content_sha256 != content
    if snapshot is None or changed:
        snapshot = _snapshot(session, listing, seller, seen, content)
    sighting = session.scalar(
        select(Sighting).where(Sighting.run_id == target.run_id, Sighting.listing_id == listing.id)
    )
    if sighting is None:
        sighting = Sighting(run_id=target.run_id, listing_id=listing.id, seen_at=now)
        session.add(sighting)
    sighting.snapshot_id = snapshot.id
    # Another plan may have brought the snapshot in: each plan has it assessed once.
    jobs.enqueue(
        session,
        "assess",
        {"snapshot_id": str(snapshot.id), "plan_id": str(target.plan_id)},
        key=f"assess:{target.plan_id}:{snapshot.id}",
    )
    return changed


def _snapshot(
    session: Session, listing: Listing, seller: Seller | None, seen: Seen, content: str
) -> Snapshot:
    snapshot = Snapshot(
        listing_id=listing.id,
        seller_id=seller.id if seller else None,
        content_sha256=content,
        title=seen.title,
        description=seen.description,
        amount=seen.price.amount if seen.price else None,
        currency=seen.price.currency if seen.price else None,
        availability=seen.availability,
        condition=seen.condition,
        brand=seen.brand,
        ships_from=seen.ships_from,
        attributes=dict(seen.attributes),
    )
    session.add(snapshot)
    session.flush()
    for position, picture in enumerate(seen.pictures):
        session.add(
            SnapshotPicture(
                snapshot_id=snapshot.id,
                position=position,
                url=picture.url,
                sha256=picture.sha256,
                fault=picture.fault,
            )
        )
    session.flush()
    return snapshot


def _seller(session: Session, target: Target, ref: SellerRef) -> Seller:
    seller = session.scalar(
        select(Seller).where(
            Seller.marketplace_id == target.marketplace_id, Seller.external_id == ref.id
        )
    )
    if seller is None:
        seller = Seller(marketplace_id=target.marketplace_id, external_id=ref.id)
        session.add(seller)
    seller.name = ref.name or seller.name
    seller.url = ref.url or seller.url
    seller.last_seen_at = utcnow()
    session.flush()
    return seller


def store_seller(session: Session, target: Target, ref: SellerRef, facts: SellerFacts) -> None:
    """Bring a seller up to what its page says; what it does not say stays as it was."""
    seller = _seller(session, target, ref)
    seller.name = facts.name or seller.name
    seller.country = facts.country or seller.country
    seller.rating = facts.rating if facts.rating is not None else seller.rating
    seller.joined_on = facts.joined_on or seller.joined_on


def store_picture(
    session: Session, sha256: str, blob: str, media_type: str, fingerprint: dict[str, Any]
) -> None:
    """Make a picture known; one that is known already stays as it is."""
    if session.get(Picture, sha256) is None:
        session.add(
            Picture(sha256=sha256, blob=blob, media_type=media_type, fingerprint=fingerprint)
        )
