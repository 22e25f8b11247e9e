"""The queue: flagged listings, and those to look at, with all that a person needs for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

import matchers
from console.web.verdicts import Shown, Verdict
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
from registry.models import Verdict as Said

Order = Literal["score", "newest", "oldest"]
#: ``flag``: flagged; ``abstain``: a person should look; ``judged``: one did.
Tab = Literal["flag", "abstain", "judged"]
TABS: tuple[Tab, ...] = ("flag", "abstain", "judged")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which listings, and in what order; the brand by its slug, the plan by name."""

    brand: str | None = None
    plan: str | None = None
    min_score: float | None = None
    order: Order = "score"
    tab: Tab = "flag"
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A flagged listing.

    Parameters
    ----------
    capture_job
        The job that captures it, where there is no capture yet.
    changed_since
        Whether the listing has said something else after this assessment.
    said
        The newest verdict of a person on the listing for this brand.
    """

    assessment: Assessment
    verdict: Verdict
    capture: Capture | None
    capture_job: Job | None
    purchase: Purchase | None
    changed_since: bool
    said: Said | None = None

    @property
    def match(self) -> matchers.PictureMatch | None:
        """The picture match, if there was one."""
        return self.verdict.match

    @property
    def listing_picture(self) -> Shown | None:
        """The picture that matched, else the first that could be had."""
        if self.match is not None:
            return self.verdict.shown
        found = (p.sha256 for p in self.assessment.snapshot.pictures if p.sha256 is not None)
        return next((Shown(sha256) for sha256 in found), None)

    @property
    def reference_picture(self) -> Shown | None:
        """The reference that matched, else the product's first."""
        if self.match is not None:
            return self.verdict.reference
        product = self.assessment.product
        return next((Shown(r.sha256) for r in product.references), None) if product else None

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
    """Listings of a tab, each once for a brand: by the newest assessment that put it there.

    Parameters
    ----------
    after
        The assessment behind which to begin. A place in the order, not a count: what is
        flagged meanwhile neither repeats nor hides anything further down.
    """
    flagged = _listed(wanted)
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


def tally(session: Session, wanted: QueueFilter) -> dict[Tab, int]:
    """How many listings are in each tab, by the same filters."""
    return {
        tab: session.scalar(
            select(func.count()).select_from(_listed(replace(wanted, tab=tab)).subquery())
        )
        or 0
        for tab in TABS
    }


def _listed(wanted: QueueFilter) -> Select[Assessment]:
    newer, newer_snapshot = aliased(Assessment), aliased(Snapshot)
    newer_one = and_(
        _of_tab(newer, wanted.tab),
        newer.brand_id == Assessment.brand_id,
        newer.id > Assessment.id,
        newer_snapshot.listing_id == Snapshot.listing_id,
    )
    listed = select(Assessment).join(Snapshot, Assessment.snapshot_id == Snapshot.id)
    judged = _judged()
    listed = listed.where(
        _of_tab(Assessment, wanted.tab),
        still_holds(),
        judged if wanted.tab == "judged" else ~judged,
    )
    if wanted.brand is not None:
        listed = listed.join(Brand, Assessment.brand_id == Brand.id)
        listed = listed.where(Brand.slug == wanted.brand)
    if wanted.plan is not None:
        listed = listed.join(Plan, Assessment.plan_id == Plan.id).where(Plan.name == wanted.plan)
        newer_one = and_(newer_one, newer.plan_id == Assessment.plan_id)
    if wanted.kind is not None:
        listed = listed.where(Assessment.kind == wanted.kind)
    if wanted.min_score is not None:
        listed = listed.where(Assessment.score >= wanted.min_score)
    return listed.where(
        ~exists()
        .where(newer.snapshot_id == newer_snapshot.id, newer_one)
        .correlate(Assessment, Snapshot)
    )


def _of_tab(table: Any, tab: Tab) -> ColumnElement[bool]:
    """Which assessments belong there; what is over the model's limit and under the plan's is
    one more for a person to look at."""
    if tab == "flag":
        return cast(ColumnElement[bool], table.flagged)
    if tab == "abstain":
        return and_(~table.flagged, table.outcome != "pass")
    return cast(ColumnElement[bool], table.outcome != "pass")


def _judged() -> ColumnElement[bool]:
    """Whether a person has said what it is, of what it says now. Unclear is no answer."""
    before = aliased(Assessment)
    return (
        exists()
        .where(
            Said.listing_id == Snapshot.listing_id,
            Said.brand_id == Assessment.brand_id,
            Said.verdict != "unclear",
            Said.assessment_id == before.id,
            or_(before.id >= Assessment.id, before.snapshot_id == Assessment.snapshot_id),
        )
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
    verdicts = {
        (v.listing_id, v.brand_id): v
        for v in session.scalars(
            select(Said).where(Said.listing_id.in_(listings)).order_by(Said.id)
        )
    }
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
            said=verdicts.get((a.snapshot.listing_id, a.brand_id)),
        )
        for a in assessments
    )
