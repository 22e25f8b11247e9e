"""Which assessments still hold: a listing may be judged again when its brand has changed."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlalchemy.orm import aliased

from registry.models import Assessment, Snapshot


def still_holds() -> ColumnElement[bool]:
    """A condition on assessments joined to their snapshots: no newer one takes their place.

    The newest of a plan for a snapshot counts. One that found the seller authorised ends
    what was said of the listing before it for that brand, of earlier snapshots too.
    """
    newer, snapshot = aliased(Assessment), aliased(Snapshot)
    again = and_(newer.snapshot_id == Assessment.snapshot_id, newer.plan_id == Assessment.plan_id)
    allowed = and_(newer.gate == "authorised_seller", newer.brand_id == Assessment.brand_id)
    return ~(
        exists()
        .where(
            snapshot.listing_id == Snapshot.listing_id,
            newer.snapshot_id == snapshot.id,
            newer.id > Assessment.id,
            or_(again, allowed),
        )
        .correlate(Assessment, Snapshot)
    )
