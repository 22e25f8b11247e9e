"""Judging again what an older model or an older matcher judged.

Of each listing and plan the newest snapshot counts, with its newest assessment. Where that rests
on another version of the model, the words, the lexicon, the pictures or the prices than judge
now, a job asks for a new one, as of the day that the listing was seen. The old assessment stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, aliased

from insight.models import running_model
from matchers.assess import versions
from matchers.values import Context
from registry import assessing
from registry.models import Assessment, Snapshot

#: Assessments looked at in one transaction.
PAGE = 500


@dataclass(frozen=True, slots=True)
class Page:
    """What one look found.

    Parameters
    ----------
    seen, outdated
        Newest assessments looked at, and of these the ones by other versions.
    asked
        Jobs made; an outdated one that was asked for already by these versions makes none.
    last
        Where the next look begins; None where there are no more.
    """

    seen: int
    outdated: int
    asked: int
    last: UUID | None


def current_versions(session: Session) -> dict[str, str]:
    """The versions that judge now; the day of exchange rates is none."""
    return versions(running_model(session), Context())


def rejudge_page(
    session: Session,
    now: Mapping[str, str],
    *,
    after: UUID | None = None,
    brand_id: UUID | None = None,
    most: int | None = None,
    ask: bool = True,
) -> Page:
    """Look at the next `PAGE` newest assessments, and ask for those that are outdated.

    Parameters
    ----------
    now
        `current_versions`.
    after
        `Page.last` of the look before.
    most
        Jobs that may be made.
    ask
        False only counts.
    """
    statement = _newest()
    if after is not None:
        statement = statement.where(Assessment.id > after)
    if brand_id is not None:
        statement = statement.where(Assessment.brand_id == brand_id)
    rows = session.scalars(statement.order_by(Assessment.id).limit(PAGE)).all()
    outdated = asked = 0
    last = None
    for row in rows:
        if most is not None and asked >= most:
            break
        last = row.id
        if not _differs(row, now):
            continue
        outdated += 1
        asked += ask and _ask(session, row, now)
    ended = len(rows) < PAGE and (not rows or last == rows[-1].id)
    return Page(len(rows), outdated, asked, None if ended else last)


def _newest() -> Select[Assessment]:
    """The newest assessment of the newest snapshot, of each listing and plan."""
    later, newer = aliased(Snapshot), aliased(Assessment)
    return (
        select(Assessment)
        .join(Snapshot, Snapshot.id == Assessment.snapshot_id)
        .where(
            ~exists().where(later.listing_id == Snapshot.listing_id, later.id > Snapshot.id),
            ~exists().where(
                newer.snapshot_id == Assessment.snapshot_id,
                newer.plan_id == Assessment.plan_id,
                newer.id > Assessment.id,
            ),
        )
    )


def _differs(row: Assessment, now: Mapping[str, str]) -> bool:
    then = row.result.get("versions", {})
    return any(then.get(name) != version for name, version in now.items())


def _ask(session: Session, row: Assessment, now: Mapping[str, str]) -> bool:
    digest = hashlib.sha256(json.dumps(dict(now), sort_keys=True).encode()).hexdigest()[:16]
    seen_at = datetime.fromisoformat(row.inputs["listing"]["seen_at"])
    # The assessment's own id: one asked for twice by the same versions is one job.
    key = f"rejudge:{row.id}:{digest}"
    return assessing.ask(session, row.snapshot_id, row.plan_id, seen_at, key=key)
