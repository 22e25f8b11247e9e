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
from crawler.crawling.first_sight import FirstSights
from crawler.crawling.frontier import insert_new
from crawler.marketplaces.pages import SellerFacts, SellerRef
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
# Made once: they are asked again and again, and making one takes as long as running it.
_LISTINGS = select(Listing).where(
    Listing.marketplace_id == bindparam("marketplace_id"),
    Listing.external_id.in_(bindparam("external_ids", expanding=True)),
)
_SELLERS = select(Seller).where(
    Seller.marketplace_id == bindparam("marketplace_id"),
    Seller.external_id.in_(bindparam("external_ids", expanding=True)),
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

    def marks(self) -> dict[str, str | None]:
        """What its page is told by; nothing unless all of it was had, so that it is read again."""
        whole = all(picture.fault is None for picture in self.pictures)
        return {
            "etag": self.etag if whole else None,
            "last_modified": self.last_modified if whole else None,
            "page_sha256": self.page_sha256 if whole else None,
        }

    def said(self) -> dict[str, Any]:
        """What it says, as a snapshot has it."""
        return {
            "content_sha256": self.content_sha256(),
            "title": self.title,
            "description": self.description,
            "amount": self.price.amount if self.price else None,
            "currency": self.price.currency if self.price else None,
            "availability": self.availability,
            "condition": self.condition,
            "brand": self.brand,
            "ships_from": self.ships_from,
            "attributes": dict(self.attributes),
        }

    def picture_rows(self, snapshot_id: UUID) -> list[dict[str, Any]]:
        """The pictures that it showed, as a snapshot has them."""
        return [
            {
                "snapshot_id": snapshot_id,
                "position": position,
                "url": picture.url,
                "sha256": picture.sha256,
                "fault": picture.fault,
                "etag": picture.etag,
                "last_modified": picture.last_modified,
            }
            for position, picture in enumerate(self.pictures)
        ]


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
    """Store one sighting as `store_all` does."""
    return store_all(session, target, [seen])[0]


def store_all(session: Session, target: Target, pages: Sequence[Seen]) -> list[bool]:
    """Store sightings; a snapshot only of a listing that says something new.

    A job to assess it is written then, and where the brand has changed since it was assessed.

    Returns
    -------
    list
        Of each whether it did.
    """
    if not pages:
        return []
    now = utcnow()
    store_pictures(session, [p.row for seen in pages for p in seen.pictures if p.row])
    sellers = _sellers(session, target, [seen.seller for seen in pages if seen.seller], now)
    known = _known(session, target, [seen.external_id for seen in pages])
    first = FirstSights(target, now, lambda snapshot_id: _assessment_key(target, snapshot_id, 0))
    news = []
    for seen in pages:
        listing = known.get(seen.external_id)
        seller = sellers[seen.seller.id] if seen.seller else None
        if listing is None:
            first.add(seen, seller.id if seller else None)
            news.append(True)
        else:
            news.append(_seen_again(session, target, listing, seller, seen, now))
    first.write(session)
    return news


def _seen_again(
    session: Session,
    target: Target,
    listing: Listing,
    seller: Seller | None,
    seen: Seen,
    now: datetime,
) -> bool:
    """Store a sighting of a listing that is known; whether it says something new."""
    latest = _latest(session, listing)
    listing.url, listing.last_seen_at = seen.url, now
    changed = latest is None or not seen.says_nothing_new(latest)
    revisits.visited(session, listing, now, changed=changed)
    for name, mark in seen.marks().items():
        setattr(listing, name, mark)
    if latest is None or changed:
        latest = Snapshot(
            id=uuid7(),
            listing_id=listing.id,
            seller_id=seller.id if seller else None,
            **seen.said(),
        )
        session.add(latest)
        session.add_all(SnapshotPicture(**row) for row in seen.picture_rows(latest.id))
    _sight(session, target, listing, latest, now)
    _have_assessed(session, target, [latest.id], now)
    return changed


def store_unchanged(session: Session, target: Target, external_id: str) -> None:
    """Store that a listing's page is the one of last time."""
    now = utcnow()
    listing = _known(session, target, [external_id])[external_id]
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


def _known(session: Session, target: Target, external_ids: Collection[str]) -> dict[str, Listing]:
    rows = session.scalars(
        _LISTINGS, {"marketplace_id": target.marketplace_id, "external_ids": list(external_ids)}
    )
    return {row.external_id: row for row in rows}


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
    # Counted, as a brand may come back to what it was.
    keys = {
        snapshot_id: _assessment_key(target, snapshot_id, len(before[snapshot_id]))
        for snapshot_id in snapshot_ids
        if before[snapshot_id][-1:] != [target.standing]
    }
    asked = set(session.scalars(select(Job.key).where(Job.key.in_(keys.values()))))
    for snapshot_id, key in keys.items():
        if key not in asked:
            assessing.ask(session, snapshot_id, target.plan_id, now, key=key)


def _assessment_key(target: Target, snapshot_id: UUID, turn: int) -> str:
    return f"assess:{target.plan_id}:{snapshot_id}:{turn}:{target.standing}"


def _sellers(
    session: Session, target: Target, refs: Sequence[SellerRef], now: datetime
) -> dict[str, Seller]:
    """The rows of sellers by their ids, made if need be, as a page names them."""
    # Of one that is new, another page of this transaction may have said so.
    here: dict[str, Seller] = session.info.setdefault("sellers", {})
    unknown = {ref.id for ref in refs} - here.keys()
    if unknown:
        found = session.scalars(
            _SELLERS, {"marketplace_id": target.marketplace_id, "external_ids": sorted(unknown)}
        )
        here |= {seller.external_id: seller for seller in found}
    for ref in refs:
        seller = here.get(ref.id)
        if seller is None:
            seller = here[ref.id] = Seller(
                id=uuid7(), marketplace_id=target.marketplace_id, external_id=ref.id
            )
            session.add(seller)
        seller.name = ref.name or seller.name
        seller.url = ref.url or seller.url
        # Not with each of a thousand listings.
        if seller.last_seen_at is None or now - seller.last_seen_at > SEEN_EVERY:
            seller.last_seen_at = now
    return here


def store_seller(session: Session, target: Target, ref: SellerRef, facts: SellerFacts) -> None:
    """Bring a seller up to what its page says; what it does not say stays as it was."""
    now = utcnow()
    seller = _sellers(session, target, [ref], now)[ref.id]
    seller.name = facts.name or seller.name
    seller.country = facts.country or seller.country
    seller.rating = facts.rating if facts.rating is not None else seller.rating
    seller.joined_on = facts.joined_on or seller.joined_on
    seller.visited_at = now


def store_pictures(session: Session, rows: Collection[dict[str, Any]]) -> None:
    """Make pictures known; those that are known already stay as they are."""
    once = {row["sha256"]: row for row in rows}
    # Listings that show the same pictures would wait for each other in a circle.
    insert_new(session, Picture, [once[sha256] for sha256 in sorted(once)])
