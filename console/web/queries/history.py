"""The history of one listing: what it said, when it was seen, how it was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from console.web.changes import Changes, changes
from console.web.queries.purchases import PURCHASE_PARTS, is_blind_to
from console.web.verdicts import Verdict
from insight.verdicts import of_listings
from registry.models import (
    Assessment,
    Capture,
    Listing,
    Person,
    Product,
    Purchase,
    Run,
    Sighting,
    Snapshot,
)
from registry.models import Verdict as Said

#: So many of the newest are shown; a listing under watch is seen every day.
SIGHTINGS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Version:
    """A snapshot, what changed in it since the one before, and how it was judged."""

    snapshot: Snapshot
    changes: Changes | None
    assessments: tuple[tuple[Assessment, Verdict], ...]
    sightings: int

    @property
    def verdict(self) -> Verdict | None:
        """The newest one."""
        return self.assessments[0][1] if self.assessments else None


@dataclass(frozen=True, slots=True)
class History:
    """A listing with everything known of it, newest first."""

    listing: Listing
    versions: tuple[Version, ...]
    sightings: Sequence[Sighting]
    sighting_runs: dict[UUID, Run]
    sightings_total: int
    captures: Sequence[Capture]
    purchases: Sequence[Purchase]
    said: Sequence[Said]


def listing_history(
    session: Session, listing_id: UUID, *, reader: Person | None = None
) -> History | None:
    """Everything known of a listing; None if there is no such listing."""
    listing = session.get(
        Listing,
        listing_id,
        options=[
            selectinload(Listing.marketplace),
            selectinload(Listing.absences),
            selectinload(Listing.snapshots).selectinload(Snapshot.seller),
            selectinload(Listing.snapshots).selectinload(Snapshot.pictures),
        ],
    )
    if listing is None:
        return None
    sightings = session.scalars(
        select(Sighting)
        .where(Sighting.listing_id == listing_id)
        .order_by(Sighting.id.desc())
        .limit(SIGHTINGS_SHOWN)
    ).all()
    runs = session.scalars(
        select(Run)
        .where(Run.id.in_({sighting.run_id for sighting in sightings}))
        .options(selectinload(Run.plan))
    )
    versions = _versions(session, listing)
    return History(
        listing=listing,
        versions=versions,
        sightings=sightings,
        sighting_runs={run.id: run for run in runs},
        sightings_total=sum(version.sightings for version in versions),
        captures=session.scalars(
            select(Capture).where(Capture.listing_id == listing_id).order_by(Capture.id.desc())
        ).all(),
        purchases=[
            purchase
            for purchase in session.scalars(
                select(Purchase)
                .where(Purchase.listing_id == listing_id)
                .order_by(Purchase.id.desc())
                .options(*PURCHASE_PARTS)
            )
            if not is_blind_to(purchase, reader)
        ],
        said=of_listings(session, [listing_id]),
    )


def _versions(session: Session, listing: Listing) -> tuple[Version, ...]:
    judged: dict[UUID, list[tuple[Assessment, Verdict]]] = {}
    for assessment in session.scalars(
        select(Assessment)
        .where(Assessment.snapshot_id.in_([s.id for s in listing.snapshots]))
        .order_by(Assessment.id.desc())
        .options(
            selectinload(Assessment.brand),
            selectinload(Assessment.plan),
            selectinload(Assessment.product).selectinload(Product.references),
        )
    ):
        judged.setdefault(assessment.snapshot_id, []).append((assessment, Verdict.of(assessment)))
    counted = session.execute(
        select(Sighting.snapshot_id, func.count())
        .where(Sighting.listing_id == listing.id)
        .group_by(Sighting.snapshot_id)
    )
    seen = {snapshot_id: number for snapshot_id, number in counted}  # noqa: C416 - as in jobs
    versions = []
    before: Snapshot | None = None
    for snapshot in listing.snapshots:
        versions.append(
            Version(
                snapshot=snapshot,
                changes=changes(before, snapshot) if before is not None else None,
                assessments=tuple(judged.get(snapshot.id, ())),
                sightings=seen.get(snapshot.id, 0),
            )
        )
        before = snapshot
    return tuple(reversed(versions))
