"""When a known listing is visited again: by how likely it has changed, and by risk.

Changes of pages are taken for a Poisson process. Its rate is estimated from visits at which a
change was noticed or not, several changes between two visits counting as one: Cho and
Garcia-Molina, "Estimating frequency of change", ACM TOIT 3(3), 2003, their estimator
-log((n - X + 0.5) / (n + 0.5)) / I for n visits at intervals I, X of which found a change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from registry.alarms import unhealthy
from registry.models import Absence, Assessment, Listing, Run, Shard, Sighting, Snapshot, Visit
from registry.models.base import utcnow

#: Before anything is known of a listing: as if it had been watched for so long, and a visit had
#: found half a change.
PRIOR_SECONDS = 7 * 86_400.0
SOONEST = timedelta(hours=6)
LATEST = timedelta(days=30)
#: A listing that is gone may come back: it is looked for ever more rarely.
GONE_SOONEST, GONE_LATEST = timedelta(days=3), timedelta(days=60)
#: A seller's own page.
SELLER_EVERY = timedelta(days=7)
#: How likely a change must be before a visit is due, by the newest assessment.
LIKELY = {"flag": 0.1, "abstain": 0.2, "pass": 0.5}
UNJUDGED = 0.3
#: Visits in a row that find no listing after which it is gone.
MISSES = 2
#: So much of the budget may go to listings that no search brought up.
DUE_SHARE = 4


def change_rate(revisits: int, changes: int, watched_seconds: float) -> float:
    """Changes a second that a listing's history makes likely; never quite zero.

    Parameters
    ----------
    revisits, changes
        Visits after the first, and at how many of them something was new.
    watched_seconds
        From the first visit to the last.
    """
    visits = revisits + 1
    noticed = changes + 0.5
    interval = (watched_seconds + PRIOR_SECONDS) / visits
    return -math.log((visits - noticed + 0.5) / (visits + 0.5)) / interval


def next_visit(listing: Listing, outcome: str | None, visited_at: datetime) -> datetime:
    """When a listing is due again after a visit.

    Parameters
    ----------
    outcome
        Of its newest assessment; None if it has none.
    """
    likely = UNJUDGED if outcome is None else LIKELY.get(outcome, UNJUDGED)
    return visited_at + _wait(
        change_rate(listing.revisits, listing.changes, listing.watched_seconds), likely
    )


def second_visit(visited_at: datetime) -> datetime:
    """When a listing is due that was found for the first time."""
    return visited_at + _wait(change_rate(0, 0, 0.0), UNJUDGED)


def _wait(rate: float, likely: float) -> timedelta:
    """How long until a change is as likely as that."""
    return min(LATEST, max(SOONEST, timedelta(seconds=-math.log1p(-likely) / rate)))


def visited(session: Session, listing: Listing, now: datetime, *, changed: bool) -> None:
    """Note a visit that found a listing, and when the next one is due."""
    if listing.visited_at is not None:
        listing.revisits += 1
        listing.changes += changed
        listing.watched_seconds += max(0.0, (now - listing.visited_at).total_seconds())
    listing.visited_at, listing.misses = now, 0
    come_back(session, listing, now)
    outcome = _newest_outcome(session, listing.id) if listing.revisits else None
    listing.next_visit_at = next_visit(listing, outcome, now)


def assessed(session: Session, assessment: Assessment) -> None:
    """Have a listing visited as soon as its new assessment asks for."""
    snapshot = session.get_one(Snapshot, assessment.snapshot_id)
    listing = session.get_one(Listing, snapshot.listing_id)
    if listing.visited_at is not None and listing.gone_at is None:
        listing.next_visit_at = next_visit(listing, assessment.outcome, listing.visited_at)


def come_back(session: Session, listing: Listing, now: datetime) -> None:
    """Take note that a listing is there, which may have been gone."""
    if listing.gone_at is None:
        return
    listing.gone_at = None
    session.execute(
        update(Absence)
        .where(Absence.listing_id == listing.id, Absence.back_at.is_(None))
        .values(back_at=now)
    )


def _newest_outcome(session: Session, listing_id: UUID) -> str | None:
    outcome: str | None = session.scalar(
        select(Assessment.outcome)
        .join(Snapshot, Assessment.snapshot_id == Snapshot.id)
        .where(Snapshot.listing_id == listing_id)
        .order_by(Assessment.id.desc())
        .limit(1)
    )
    return outcome


def due(session: Session, plan_id: UUID, marketplace_id: UUID, limit: int) -> Sequence[Listing]:
    """Listings that a plan has seen before and that are due, the longest overdue first."""
    by_plan: ColumnElement[bool] = (
        select(Sighting.id)
        .join(Run, Sighting.run_id == Run.id)
        .where(Sighting.listing_id == Listing.id, Run.plan_id == plan_id)
        .exists()
    )
    return session.scalars(
        select(Listing)
        .where(
            Listing.marketplace_id == marketplace_id,
            Listing.next_visit_at <= utcnow(),
            by_plan,
        )
        .order_by(Listing.next_visit_at)
        .limit(limit)
    ).all()


def note_gone(session: Session, run: Run) -> int:
    """Note which listings a run that has finished found gone; how many they are.

    Where a marketplace as a whole is not well, that a listing was not found says nothing. That
    nothing can be read in its page says nothing either, if nothing could be read in any, or if
    results showed the listing meanwhile: then the pages have another layout.
    """
    if run.state != "finished":
        return 0
    not_believed = unhealthy(session, run.id)
    now, number = utcnow(), 0
    read = set(
        session.scalars(
            select(Shard.marketplace_id)
            .join(Visit, Visit.shard_id == Shard.id)
            .where(Visit.run_id == run.id, Visit.kind == "listing", Visit.state == "done")
            .distinct()
        )
    )
    found = session.execute(
        select(Visit.state, Visit.arguments).where(
            Visit.run_id == run.id, Visit.kind == "listing", Visit.state.in_(("gone", "missing"))
        )
    ).all()
    for state, arguments in found:
        known = arguments.get("listing")
        listing = session.get(Listing, UUID(known)) if known else None
        if listing is None or listing.marketplace_id in not_believed:
            continue
        if state == "missing" and (
            listing.marketplace_id not in read or listing.last_seen_at >= run.started_at
        ):
            continue
        listing.misses += 1
        if state == "missing" and listing.misses < MISSES:
            continue
        if listing.gone_at is None:
            listing.gone_at = now
            why = arguments.get("why") or "its page is gone"
            if state == "missing":
                why = f"no listing was found at its address, {listing.misses} times"
            session.add(Absence(listing_id=listing.id, run_id=run.id, why=why, gone_at=now))
            number += 1
        since = now - listing.gone_at
        listing.next_visit_at = now + min(GONE_LATEST, max(GONE_SOONEST, since))
    return number
