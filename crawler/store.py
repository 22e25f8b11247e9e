"""Storing what a run saw: one transaction a listing, and the job to assess it in the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crawler.marketplaces.pages import SellerFacts, SellerRef
from matchers import pictures
from registry import jobs
from registry.database import Database
from registry.models import (
    Assessment,
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

    def says_nothing_new(self, before: Snapshot) -> bool:
        """Whether a snapshot holds all of this, as far as the pictures could be had."""
        if self.content_sha256() == before.content_sha256:
            return True
        known = [picture.sha256 for picture in before.pictures if picture.sha256]
        had = [picture.sha256 for picture in self.pictures if picture.sha256]
        return (
            len(had) < len(self.pictures) == len(before.pictures)
            and Counter(had) <= Counter(known)
            and self.content_sha256(known) == before.content_sha256
        )

    def content_sha256(self, pictures: Sequence[str] | None = None) -> str:
        """A hash over what the listing says, not over its page.

        Pictures count by their bytes: an address that changes with every visit is no news.

        Parameters
        ----------
        pictures
            Hashes to put in the place of those that could be fetched this time.
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
            [p.sha256 for p in self.pictures if p.sha256] if pictures is None else list(pictures),
        ]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Target:
    """The run for which things are stored; `standing` is its brand's (`registry.standing`)."""

    run_id: UUID
    plan_id: UUID
    marketplace_id: UUID
    standing: str


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
    """Store a sighting; a snapshot only if the listing says something new.

    A job to assess it is written then, and where the brand has changed since it was assessed.

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
    snapshot = latest
    changed = latest is None or not seen.says_nothing_new(latest)
    if snapshot is None or changed:
        snapshot = _snapshot(session, listing, seller, seen)
    sighting = session.scalar(
        select(Sighting).where(Sighting.run_id == target.run_id, Sighting.listing_id == listing.id)
    )
    if sighting is None:
        sighting = Sighting(run_id=target.run_id, listing_id=listing.id, seen_at=now)
        session.add(sighting)
    sighting.snapshot_id = snapshot.id
    _have_assessed(session, target, snapshot, now)
    return changed


def _have_assessed(session: Session, target: Target, snapshot: Snapshot, now: datetime) -> None:
    """Ask for an assessment, unless this plan has one by what its brand is now."""
    before = (Assessment.snapshot_id == snapshot.id, Assessment.plan_id == target.plan_id)
    newest = session.scalar(
        select(Assessment.inputs["standing"].as_string())
        .where(*before)
        .order_by(Assessment.id.desc())
        .limit(1)
    )
    if newest == target.standing:
        return
    # Counted, as a brand may come back to what it was.
    turn = session.scalar(select(func.count()).select_from(Assessment).where(*before))
    jobs.enqueue(
        session,
        "assess",
        {
            "snapshot_id": str(snapshot.id),
            "plan_id": str(target.plan_id),
            "seen_at": now.isoformat(),
        },
        key=f"assess:{target.plan_id}:{snapshot.id}:{turn}:{target.standing}",
    )


def _snapshot(session: Session, listing: Listing, seller: Seller | None, seen: Seen) -> Snapshot:
    snapshot = Snapshot(
        listing_id=listing.id,
        seller_id=seller.id if seller else None,
        content_sha256=seen.content_sha256(),
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
            Picture(
                sha256=sha256,
                blob=blob,
                media_type=media_type,
                fingerprint=fingerprint,
                matcher=pictures.VERSION,
            )
        )
