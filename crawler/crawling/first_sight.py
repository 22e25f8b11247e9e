"""Listings that were not known: their rows, of all pages of a transaction inserted together.

Most pages of a first crawl bring one. As objects of the ORM, one after the other, their rows
would take as long to write as the pages take to download.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from crawler.crawling import revisits
from registry import assessing
from registry.models import Job, Listing, Sighting, Snapshot, SnapshotPicture

if TYPE_CHECKING:
    from crawler.crawling.store import Seen, Target

# In the order in which they refer to one another; made once, as making one takes as long as
# running it.
_TABLES = (Listing, Snapshot, SnapshotPicture, Sighting, Job)
_INSERTS = [(table.__name__, insert(table.__table__)) for table in _TABLES]  # type: ignore[arg-type]


class FirstSights:
    """Rows of listings that are new, of one transaction.

    Parameters
    ----------
    key
        Of the job that assesses a snapshot for the first time.
    """

    def __init__(self, target: Target, now: datetime, key: Callable[[UUID], str]) -> None:
        self._target = target
        self._now = now
        self._key = key
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in _INSERTS}

    def add(self, seen: Seen, seller_id: UUID | None) -> None:
        """Add a listing, with its snapshot, the sighting, and the job to assess it."""
        now, target, rows = self._now, self._target, self._rows
        listing_id, snapshot_id = uuid7(), uuid7()
        rows["Listing"].append(
            {
                "id": listing_id,
                "marketplace_id": target.marketplace_id,
                "external_id": seen.external_id,
                "url": seen.url,
                "first_seen_at": now,
                "last_seen_at": now,
                "visited_at": now,
                "next_visit_at": revisits.second_visit(now),
                **seen.marks(),
            }
        )
        rows["Snapshot"].append(
            {
                "id": snapshot_id,
                "listing_id": listing_id,
                "seller_id": seller_id,
                "seen_at": now,
                **seen.said(),
            }
        )
        rows["SnapshotPicture"] += seen.picture_rows(snapshot_id)
        rows["Sighting"].append(
            {
                "id": uuid7(),
                "run_id": target.run_id,
                "listing_id": listing_id,
                "snapshot_id": snapshot_id,
                "seen_at": now,
            }
        )
        # It is new: nobody can have asked for this, so nobody is asked whether he has.
        rows["Job"].append(
            {
                "id": uuid7(),
                "kind": assessing.KIND,
                "payload": assessing.order(snapshot_id, target.plan_id, now),
                "key": self._key(snapshot_id),
                "created_at": now,
                "available_at": now,
            }
        )

    def write(self, session: Session) -> None:
        """Insert them, behind what the session has to write.

        Raises
        ------
        IntegrityError
            If another was quicker with one of the listings.
        """
        if not self._rows["Listing"]:
            return
        session.flush()  # their sellers may be new
        # Runs that find the same listings would wait for each other in a circle.
        self._rows["Listing"].sort(key=lambda row: str(row["external_id"]))
        connection = session.connection()
        for name, statement in _INSERTS:
            if rows := self._rows[name]:
                connection.execute(statement, rows)
