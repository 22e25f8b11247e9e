"""From a listing that was flagged or found counterfeit to others: its seller's, and those alike.

The seller's shop becomes a lead, and so does each listing elsewhere that shows the same pictures.
Those that came later are judged again too: they may be the same offer, come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.network.gate import Forbidden, Gate, gate_of
from crawler.ways_in.leads import Told, add
from crawler.ways_in.places import Places
from insight.brands import brand_values, load_brand
from insight.prints import picture_values
from insight.relistings import known_hashes, pictures_alike
from insight.triage import load_snapshot
from matchers.relisting import SAME_BITS
from registry import assessing, jobs
from registry.blobs import Blobs
from registry.models import Assessment, Listing, Snapshot, SnapshotPicture, Verdict
from registry.models.base import utcnow
from registry.settings import Settings

#: Listings alike that become leads of one listing.
MAX_ALIKE = 50


@dataclass(frozen=True, slots=True)
class Followed:
    """What a listing led to: leads to shops, leads to listings alike, listings judged again."""

    shops: int = 0
    alike: int = 0
    judged_again: int = 0


def follow_job(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
    """Add the leads that a listing gives."""
    names = ("listing_id", "brand_id", "plan_id")
    listing_id, brand_id, plan_id = (UUID(hold.claim.payload[name]) for name in names)
    with hold.database.reading() as session:
        alike = _pictures_alike(session, settings, listing_id, brand_id)
    with hold.writing() as session:
        followed = follow(session, gate_of(settings), listing_id, brand_id, plan_id, alike)
        jobs.finish(session, hold.claim, asdict(followed))


def follow(
    session: Session,
    gate: Gate,
    listing_id: UUID,
    brand_id: UUID,
    plan_id: UUID,
    pictures: Sequence[str],
) -> Followed:
    """Keep a listing's shop, and the listings with some of these pictures, as leads.

    Parameters
    ----------
    pictures
        SHA-256 of those that look like the listing's own.
    """
    places = Places.watched(session)
    newest = _newest(session, listing_id)
    if newest is None:
        return Followed()

    def told(url: str, origin: str) -> Told:
        return Told(url, origin, plan_id=plan_id, from_listing_id=listing_id)

    shops = 0
    seller = newest.seller
    if seller is not None and seller.url and _passes(gate, seller.url):
        shops = add(session, brand_id, [told(seller.url, "seller")], places).new
    others = _unjudged(session, listing_id, brand_id, pictures)
    alike = add(
        session,
        brand_id,
        [told(o.url, "alike") for o in others if _passes(gate, o.url)],
        places,
    )
    again = 0
    for other in others:
        if other.first_seen_at > newest.listing.first_seen_at:
            again += _judge_again(session, other.id, plan_id, listing_id)
    return Followed(shops, alike.new + alike.again, again)


def _passes(gate: Gate, url: str) -> bool:
    try:
        gate.check_form(url)
    except Forbidden:
        return False
    return True


def _newest(session: Session, listing_id: UUID) -> Snapshot | None:
    return session.scalar(
        select(Snapshot)
        .where(Snapshot.listing_id == listing_id)
        .order_by(Snapshot.id.desc())
        .limit(1)
    )


def _pictures_alike(
    session: Session, settings: Settings, listing_id: UUID, brand_id: UUID
) -> list[str]:
    newest = _newest(session, listing_id)
    if newest is None:
        return []
    snapshot = load_snapshot(session, newest.id)
    shown = [picture_values(p.picture) for p in snapshot.pictures if p.picture is not None]
    products = brand_values(load_brand(session, brand_id)).products
    makers = [picture.hash for product in products for picture in product.pictures if picture.hash]
    known = known_hashes(settings.database)
    return pictures_alike(session, known, [p.hash for p in shown], makers, SAME_BITS)


def _unjudged(
    session: Session, listing_id: UUID, brand_id: UUID, pictures: Sequence[str]
) -> Sequence[Listing]:
    """Listings that ever showed one of these pictures, but for those that the brand has flagged
    or people have judged: they need no second visit.
    """
    showing = (
        select(Snapshot.listing_id)
        .join(SnapshotPicture, SnapshotPicture.snapshot_id == Snapshot.id)
        .where(SnapshotPicture.sha256.in_(pictures))
    )
    flagged = (
        select(Snapshot.listing_id)
        .join(Assessment, Assessment.snapshot_id == Snapshot.id)
        .where(Assessment.brand_id == brand_id, Assessment.flagged)
    )
    judged = select(Verdict.listing_id).where(Verdict.brand_id == brand_id)
    return session.scalars(
        select(Listing)
        .where(
            Listing.id.in_(showing),
            Listing.id != listing_id,
            Listing.id.not_in(flagged),
            Listing.id.not_in(judged),
        )
        .order_by(Listing.id.desc())
        .limit(MAX_ALIKE)
    ).all()


def _judge_again(session: Session, listing_id: UUID, plan_id: UUID, like: UUID) -> bool:
    newest = _newest(session, listing_id)
    if newest is None:
        return False
    key = f"assess:alike:{like}:{newest.id}:{plan_id}"
    return assessing.ask(session, newest.id, plan_id, utcnow(), key=key)
