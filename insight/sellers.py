"""What is known of a seller: its page's facts, its listings, what people said of them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session, aliased

from insight.verdicts import newest_verdicts
from matchers import values
from registry.models import Assessment, Reference, Seller, Snapshot, SnapshotPicture, Verdict

#: A verdict that says fake, whatever the offence is called.
_AGAINST = frozenset({"counterfeit", "trademark_use"})


def seller_facts(
    session: Session,
    seller: Seller | None,
    brand_id: UUID,
    listing_id: UUID,
    picture_sha256s: Collection[str],
) -> values.Seller | None:
    """A seller as the matchers see it, for one of its listings.

    Parameters
    ----------
    picture_sha256s
        The listing's pictures; a registered picture shown as it is says nothing of who
        shares pictures with whom.
    """
    if seller is None:
        return None
    counted = session.scalar(
        select(func.count(distinct(Snapshot.listing_id))).where(Snapshot.seller_id == seller.id)
    )
    of_brand = session.scalar(
        select(func.count(distinct(Snapshot.listing_id)))
        .join(Assessment, Assessment.snapshot_id == Snapshot.id)
        .where(
            Snapshot.seller_id == seller.id,
            Assessment.brand_id == brand_id,
            (Assessment.gate.is_(None)) | (Assessment.gate != "brand_not_claimed"),
        )
    )
    against, genuine = _verdicts(session, seller.id, listing_id)
    return values.Seller(
        joined_on=seller.joined_on,
        rating=rating_share(seller.rating),
        country=seller.country,
        listings=counted or 0,
        brand_listings=of_brand or 0,
        counterfeits=against,
        genuines=genuine,
        shared_with=_sharing(session, seller.id, picture_sha256s),
    )


def rating_share(rating: float | None) -> float | None:
    """A rating as a part of the best there is, by the least scale that holds it.

    Marketplaces rate up to 1, 5, 10 or 100. One that says 4 may mean 4 of 5 or of 100: the
    smaller scale is taken, which is the kinder reading.
    """
    if rating is None or rating < 0:
        return None
    for best in (1, 5, 10, 100):
        if rating <= best:
            return rating / best
    return None


def _verdicts(session: Session, seller_id: UUID, listing_id: UUID) -> tuple[int, int]:
    """How many other listings of the seller people found fake, and how many genuine."""
    judged = select(Verdict.listing_id).join(Assessment, Verdict.assessment_id == Assessment.id)
    listings = session.scalars(
        judged.join(Snapshot, Assessment.snapshot_id == Snapshot.id)
        .where(Snapshot.seller_id == seller_id, Verdict.listing_id != listing_id)
        .distinct()
    ).all()
    said = list(newest_verdicts(session, listings).values())
    return sum(verdict in _AGAINST for verdict in said), said.count("genuine")


def _sharing(session: Session, seller_id: UUID, sha256s: Collection[str]) -> int:
    if not sha256s:
        return 0
    other = aliased(Snapshot)
    return (
        session.scalar(
            select(func.count(distinct(other.seller_id)))
            .join(SnapshotPicture, SnapshotPicture.snapshot_id == other.id)
            .where(
                SnapshotPicture.sha256.in_(sha256s),
                SnapshotPicture.sha256.not_in(select(Reference.sha256)),
                other.seller_id.is_not(None),
                other.seller_id != seller_id,
            )
        )
        or 0
    )
