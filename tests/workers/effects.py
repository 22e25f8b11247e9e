"""What the jobs of these tests leave behind, and where it is counted."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Table, Uuid, insert, select
from sqlalchemy.orm import Session

from registry import jobs
from registry.database import Database

metadata = MetaData()

#: One row for each finish of a job. No constraint keeps a second one out: it must show.
effects = Table(
    "test_effects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", Uuid, nullable=False),
    Column("fence", Integer, nullable=False),
)


def note(session: Session, claim: jobs.Claim) -> None:
    """Write a job's effect into the transaction that finishes it."""
    session.execute(insert(effects).values(job_id=claim.job_id, fence=claim.fence))


def noted(database: Database) -> Counter[UUID]:
    """How often each job's effect is there."""
    with database.reading() as session:
        return Counter(session.scalars(select(effects.c.job_id)))
