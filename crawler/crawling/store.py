"""Storing what a run saw, and the job to assess it in the same transaction."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from crawler.crawling import revisits
from crawler.crawling.frontier import insert_new
from crawler.marketplaces.pages import SellerFacts, SellerRef
from matchers import pictures
from registry import assessing
from registry.database import Database
from registry.models import (
    Assessment,
    Job,
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
#: How exactly it is noted when a seller was seen.
SEEN_EVERY = timedelta(minutes=1)
# Made once: they are asked for each page, and making one takes as long as running it.
_LISTING = select(Listing).where(
    Listing.marketplace_id == bindparam("marketplace_id"),
    Listing.external_id == bindparam("external_id"),
)
_SELLER = select(Seller).where(
    Seller.marketplace_id == bindparam("marketplace_id"),
    Seller.external_id == bindparam("external_id"),
)


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture that a listing showed; either it is known by its hash or there is a fault."""

    url: str
    sha256: str | None
    fault: str | None
    etag: str | None = None
    last_modified: str | None = None
    #: What makes its bytes known (`store_pictures`), if they were fetched just now.
    row: dict[str, Any] | None = None


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
    #: What its page came with, to ask whether it is still the same.
    etag: str | None = None
    last_modified: str | None = None
    page_sha256: str | None = None

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
    store_pictures(session, [picture.row for picture in seen.pictures if picture.row])
    seller = _seller(session, target, seen.seller) if seen.seller else None
    listing = _listing(session, target, seen.external_id)
    if listing is None:
        listing = Listing(
            id=uuid7(),
            marketplace_id=target.marketplace_id,
            external_id=seen.external_id,
            revisits=0,
            changes=0,
            watched_seconds=0.0,
        )
        session.add(listing)
        latest = None
    else:
        latest = _latest(session, listing)
    listing.url, listing.last_seen_at = seen.url, now
    changed = latest is None or not seen.says_nothing_new(latest)
    revisits.visited(session, listing, now, changed=changed)
    # A page is asked whether it is the same only if all of it was had.
    whole = all(picture.fault is None for picture in seen.pictures)
    listing.etag = seen.etag if whole else None
    listing.last_modified = seen.last_modified if whole else None
    listing.page_sha256 = seen.page_sha256 if whole else None
    if latest is None:
        snapshot = _snapshot(session, listing, seller, seen)
        session.add(
            Sighting(
                run_id=target.run_id, listing_id=listing.id, snapshot_id=snapshot.id, seen_at=now
            )
        )
        session.add(_first_assessment(target, snapshot.id, now))
    else:
        snapshot = _snapshot(session, listing, seller, seen) if changed else latest
        _sight(session, target, listing, snapshot, now)
        _have_assessed(session, target, [snapshot.id], now)
    return changed


def store_unchanged(session: Session, target: Target, external_id: str) -> None:
    """Store that a listing's page is the one of last time."""
    now = utcnow()
    listing = _listing(session, target, external_id)
    assert listing is not None, "only a known page is asked whether it is the same"
    snapshot = _latest(session, listing)
    assert snapshot is not None
    listing.last_seen_at = now
    revisits.visited(session, listing, now, changed=False)
    _sight(session, target, listing, snapshot, now)
    _have_assessed(session, target, [snapshot.id], now)


def store_shown(session: Session, target: Target, shown: Sequence[tuple[UUID, UUID]]) -> int:
    """Store that listings were shown by a page of results, and were not due to be visited.

    Parameters
    ----------
    shown
        Listings and their newest snapshots.

    Returns
    -------
    int
        How many of them the run had not seen before.
    """
    now = utcnow()
    rows = [
        {
            "id": uuid7(),
            "run_id": target.run_id,
            "listing_id": listing_id,
            "snapshot_id": snapshot_id,
            "seen_at": now,
        }
        for listing_id, snapshot_id in sorted(shown)
    ]
    new = insert_new(session, Sighting, rows)
    session.execute(
        update(Listing)
        .where(Listing.id.in_([listing_id for listing_id, _ in shown]))
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )
    _have_assessed(session, target, [snapshot_id for _, snapshot_id in shown], now)
    return new


def _listing(session: Session, target: Target, external_id: str) -> Listing | None:
    listing: Listing | None = session.scalar(
        _LISTING, {"marketplace_id": target.marketplace_id, "external_id": external_id}
    )
    return listing


def _latest(session: Session, listing: Listing) -> Snapshot | None:
    snapshot: Snapshot | None = session.scalar(
        select(Snapshot)
        .where(Snapshot.listing_id == listing.id)
        .order_by(Snapshot.id.desc())
        .limit(1)
    )
    return snapshot


def _sight(
    session: Session, target: Target, listing: Listing, snapshot: Snapshot, now: datetime
) -> None:
    sighting = session.scalar(
        select(Sighting).where(Sighting.run_id == target.run_id, Sighting.listing_id == listing.id)
    )
    if sighting is None:
        sighting = Sighting(run_id=target.run_id, listing_id=listing.id, seen_at=now)
        session.add(sighting)
    sighting.snapshot_id = snapshot.id


def _have_assessed(
    session: Session, target: Target, snapshot_ids: Collection[UUID], now: datetime
) -> None:
    """Ask for assessments, but of what this plan has judged by what its brand is now."""
    before: defaultdict[UUID, list[str]] = defaultdict(list)
    for snapshot_id, standing in session.execute(
        select(Assessment.snapshot_id, Assessment.inputs["standing"].as_string())
        .where(Assessment.snapshot_id.in_(snapshot_ids), Assessment.plan_id == target.plan_id)
        .order_by(Assessment.id)
    ):
        before[snapshot_id].append(standing)
    for snapshot_id in snapshot_ids:
        made = before[snapshot_id]
        if not made or made[-1] != target.standing:
            # Counted, as a brand may come back to what it was.
            _ask_assessment(session, target, snapshot_id, len(made), now)


def _ask_assessment(
    session: Session, target: Target, snapshot_id: UUID, turn: int, now: datetime
) -> None:
    key = _assessment_key(target, snapshot_id, turn)
    assessing.ask(session, snapshot_id, target.plan_id, now, key=key)


def _assessment_key(target: Target, snapshot_id: UUID, turn: int) -> str:
    return f"assess:{target.plan_id}:{snapshot_id}:{turn}:{target.standing}"


def _first_assessment(target: Target, snapshot_id: UUID, now: datetime) -> Job:
    """The job for a snapshot that is new: nobody can have asked for it, so nobody is asked."""
    return Job(
        kind=assessing.KIND,
        payload=assessing.order(snapshot_id, target.plan_id, now),
        key=_assessment_key(target, snapshot_id, 0),
        available_at=now,
    )


def _snapshot(session: Session, listing: Listing, seller: Seller | None, seen: Seen) -> Snapshot:
    snapshot = Snapshot(
        id=uuid7(),
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
    for position, picture in enumerate(seen.pictures):
        session.add(
            SnapshotPicture(
                snapshot_id=snapshot.id,
                position=position,
                url=picture.url,
                sha256=picture.sha256,
                fault=picture.fault,
                etag=picture.etag,
                last_modified=picture.last_modified,
            )
        )
    return snapshot


def _seller(session: Session, target: Target, ref: SellerRef) -> Seller:
    # Of one that is new, another page of this transaction may have said so.
    here: dict[tuple[UUID, str], Seller] = session.info.setdefault("sellers", {})
    key = (target.marketplace_id, ref.id)
    seller = here.get(key) or session.scalar(
        _SELLER, {"marketplace_id": target.marketplace_id, "external_id": ref.id}
    )
    if seller is None:
        seller = Seller(id=uuid7(), marketplace_id=target.marketplace_id, external_id=ref.id)
        session.add(seller)
    here[key] = seller
    seller.name = ref.name or seller.name
    seller.url = ref.url or seller.url
    now = utcnow()
    # Not with each of a thousand listings.
    if seller.last_seen_at is None or now - seller.last_seen_at > SEEN_EVERY:
        seller.last_seen_at = now
    return seller


def store_seller(session: Session, target: Target, ref: SellerRef, facts: SellerFacts) -> None:
    """Bring a seller up to what its page says; what it does not say stays as it was."""
    seller = _seller(session, target, ref)
    seller.name = facts.name or seller.name
    seller.country = facts.country or seller.country
    seller.rating = facts.rating if facts.rating is not None else seller.rating
    seller.joined_on = facts.joined_on or seller.joined_on
    seller.visited_at = utcnow()


def picture_row(
    sha256: str, blob: str, media_type: str, fingerprint: dict[str, Any]
) -> dict[str, Any]:
    """What is to be stored of a picture."""
    return {
        "sha256": sha256,
        "blob": blob,
        "media_type": media_type,
        "fingerprint": fingerprint,
        "matcher": pictures.VERSION,
        "created_at": utcnow(),
    }


def store_pictures(session: Session, rows: Collection[dict[str, Any]]) -> None:
    """Make pictures known; those that are known already stay as they are."""
    once = {row["sha256"]: row for row in rows}
    # Listings that show the same pictures would wait for each other in a circle.
    insert_new(session, Picture, [once[sha256] for sha256 in sorted(once)])
