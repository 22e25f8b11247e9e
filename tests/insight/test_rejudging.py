"""Judging again what older versions judged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from insight.rejudging import current_versions, rejudge_page
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Job, Plan, Snapshot
from registry.models.base import utcnow
from tests.insight.shop import assessment
from tests.insight.test_triage import stored

SEEN = (utcnow() - timedelta(days=9)).isoformat()


def judged_by(database: Database, ids: tuple[Any, Any], **versions: str) -> UUID:
    with database.writing() as session:
        plan = session.get_one(Plan, ids[1])
        result = {"signals": [], "versions": {**current_versions(session), **versions}}
        inputs = {"listing": {"seen_at": SEEN}}
        return assessment(session, ids[0], plan, result=result, inputs=inputs).id


def asked(database: Database, **how: Any) -> tuple[int, int, int]:
    with database.writing() as session:
        page = rejudge_page(session, current_versions(session), **how)
    assert page.last is None or how.get("most")
    return page.seen, page.outdated, page.asked


def test_what_an_older_model_judged_is_asked_for_once(database: Database, blobs: Blobs) -> None:
    ids = stored(database, blobs)
    judged_by(database, ids, model="older")
    assert asked(database, ask=False) == (1, 1, 0)
    assert asked(database) == (1, 1, 1)
    assert asked(database) == (1, 1, 0)
    with database.reading() as session:
        (job,) = session.scalars(select(Job))
        assert job.kind == "assess"
        # Who is authorised is a matter of the day on which it was seen.
        assert job.payload["seen_at"] == SEEN
        assert UUID(job.payload["snapshot_id"]) == ids[0]


def test_only_the_newest_assessment_of_the_newest_snapshot_counts(
    database: Database, blobs: Blobs
) -> None:
    ids = stored(database, blobs)
    judged_by(database, ids, words="older")
    judged_by(database, ids)  # already judged anew
    assert asked(database) == (1, 0, 0)
    with database.writing() as session:
        before = session.get_one(Snapshot, ids[0])
        session.add(
            Snapshot(
                listing_id=before.listing_id, seller_id=before.seller_id, title="Now a tote",
                content_sha256="1" * 64, description="",
            )
        )  # fmt: skip
    # The newest snapshot has no assessment yet: its own job is on the way.
    assert asked(database) == (0, 0, 0)


def test_so_many_at_a_time(database: Database, blobs: Blobs) -> None:
    ids = stored(database, blobs)
    with database.writing() as session:
        plan = session.get_one(Plan, ids[1])
        other = Plan(
            name="q", brand=plan.brand, marketplaces=list(plan.marketplaces), queries=["q"],
            browse=[], threshold=0.6, max_pages=9,
        )  # fmt: skip
        session.add(other)
        session.flush()
        other_id = other.id
    judged_by(database, ids, model="older")
    judged_by(database, (ids[0], other_id), model="older")
    assert asked(database, most=1) == (2, 1, 1)
    assert asked(database) == (2, 2, 1)
