"""The queue: flagged listings with all that a person needs to look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

import matchers
from console.web.verdicts import Verdict
from insight.holding import still_holds
from registry.models import (
    Assessment,
    Brand,
    Capture,
    Job,
    Listing,
    Plan,
    Product,
    Purchase,
    Snapshot,
)

Order = Literal["score", "newest", "oldest"]


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which flagged listings, and in what order; the brand by its slug, the plan by name."""

    brand: str | None = None
    plan: str | None = None
    min_score: float | None = None
    order: Order = "score"


@dataclass(frozen=True, slots=True)
class Card:
    """A flagged listing.

    Parameters
    ----------
    capture_job
        The job that captures it, where there is no capture yet.
    changed_since
        Whether the listing has said something else after this assessment.
    """

    assessment: Assessment
    verdict: Verdict
    capture: Capture | None
    capture_job: Job | None
    purchase: Purchase | None
    changed_since: bool

    @property
    def match(self) -> matchers.PictureMatch | None:
        """The picture match, if there was one."""
        return self.verdict.match

    @property
    def listing_picture(self) -> str | None:
        """SHA-256 of the picture that matched, else of the first that could be had."""
        if self.match is not None:
            return self.match.listing_sha256
        shown = (p.sha256 for p in self.assessment.snapshot.pictures if p.sha256 is not None)
        return next(shown, None)

    @property
    def reference_picture(self) -> str | None:
        """SHA-256 of the reference that matched, else of the product's first."""
        if self.match is not None:
            return self.match.reference_sha256
        product = self.assessment.product
        return next((r.sha256 for r in product.references), None) if product else None

    @property
    def share_of_floor(self) -> float | None:
        """The price as a share of the floor; None unless both are in one currency."""
        price = self.assessment.snapshot.price
        floor = self.assessment.product.price_floor if self.assessment.product else None
        if price is None or floor is None or price.currency != floor.currency or not floor.amount:
            return None
        return float(price.amount / floor.amount)


@dataclass(frozen=True, slots=True)
class CardPage:
    """A stretch of the queue; `after` is where the next begins, None at the end."""

    cards: tuple[Card, ...]
    total: int
    after: UUID | None


def queue(
    session: Session, wanted: QueueFilter, *, after: UUID | None = None, limit: int = 20
) -> CardPage:
    """Flagged listings, each once for a brand: by the newest flagged assessment of it.

    Parameters
    ----------
    after
        The assessment behind which to begin. A place in the order, not a count: what is
        flagged meanwhile neither repeats nor hides anything further down.
    """
    flagged = _flagged(wanted)
    total = session.scalar(select(func.count()).select_from(flagged.subquery())) or 0
    stretch = flagged.order_by(*_ordering(wanted.order)).limit(limit + 1)
    if after is not None:
        last = session.get(Assessment, after)
        if last is not None:
            stretch = stretch.where(_behind(last, wanted.order))
    found = session.scalars(
        stretch.options(
            selectinload(Assessment.brand),
            selectinload(Assessment.plan),
            selectinload(Assessment.product).selectinload(Product.references),
            selectinload(Assessment.snapshot).selectinload(Snapshot.seller),
            selectinload(Assessment.snapshot).selectinload(Snapshot.pictures),
            selectinload(Assessment.snapshot)
            .selectinload(Snapshot.listing)
            .selectinload(Listing.marketplace),
        )
    ).all()
    page = found[:limit]
    return CardPage(_cards(session, page), total, page[-1].id if len(found) > limit else None)


def _flagged(wanted: QueueFilter) -> Select[Assessment]:
    newer, newer_snapshot = aliased(Assessment), aliased(Snapshot)
    newer_one = and_(
        newer.flagged,
        newer.brand_id == Assessment.brand_id,
        newer.id > Assessment.id,
        newer_snapshot.listing_id == Snapshot.listing_id,
    )
    flagged = select(Assessment).join(Snapshot, Assessment.snapshot_id == Snapshot.id)
    flagged = flagged.where(Assessment.flagged, still_holds())
    if wanted.brand is not None:
        flagged = flagged.join(Brand, Assessment.brand_id == Brand.id)
        flagged = flagged.where(Brand.slug == wanted.brand)
    if wanted.plan is not None:
        flagged = flagged.join(Plan, Assessment.plan_id == Plan.id).where(Plan.name == wanted.plan)
        newer_one = and_(newer_one, newer.plan_id == Assessment.plan_id)
    if wanted.min_score is not None:
        flagged = flagged.where(Assessment.score >= wanted.min_score)
    return flagged.where(
        ~exists()
        .where(newer.snapshot_id == newer_snapshot.id, newer_one)
        .correlate(Assessment, Snapshot)
    )


def _ordering(order: Order) -> tuple[ColumnElement[Any], ...]:
    if order == "score":
        return Assessment.score.desc(), Assessment.id.desc()
    return (Assessment.id.desc() if order == "newest" else Assessment.id.asc(),)


def _behind(last: Assessment, order: Order) -> ColumnElement[bool]:
    if order == "score":
        return or_(
            Assessment.score < last.score,
            and_(Assessment.score == last.score, Assessment.id < last.id),
        )
    return Assessment.id < last.id if order == "newest" else Assessment.id > last.id


def _cards(session: Session, assessments: Sequence[Assessment]) -> tuple[Card, ...]:
    listings = {a.snapshot.listing_id for a in assessments}
    # Oldest first, so that of several the newest stays. Captures of a checkout belong to
    # their purchase.
    captures = {
        c.listing_id: c
        for c in session.scalars(
            select(Capture)
            .where(Capture.listing_id.in_(listings), Capture.purchase_id.is_(None))
            .order_by(Capture.id)
        )
    }
    purchases = {
        p.listing_id: p
        for p in session.scalars(
            select(Purchase).where(Purchase.listing_id.in_(listings)).order_by(Purchase.id)
        )
    }
    keys = {a.snapshot_id: f"capture:{a.snapshot_id}" for a in assessments}
    jobs = {j.key: j for j in session.scalars(select(Job).where(Job.key.in_(keys.values())))}
    later = aliased(Snapshot)
    changed = set(
        session.scalars(
            select(Snapshot.id).where(
                Snapshot.id.in_(keys),
                exists().where(later.listing_id == Snapshot.listing_id, later.id > Snapshot.id),
            )
        )
    )
    return tuple(
        Card(
            assessment=a,
            verdict=Verdict.of(a),
            capture=captures.get(a.snapshot.listing_id),
            capture_job=jobs.get(keys[a.snapshot_id]),
            purchase=purchases.get(a.snapshot.listing_id),
            changed_since=a.snapshot_id in changed,
        )
        for a in assessments
    )
