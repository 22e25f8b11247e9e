"""The job outbox: work is a row in the same transaction as the fact that caused it.

The row is the truth; a broker only carries its id. A worker claims the row, holds a lease
on it under a fencing number, and writes the outcome together with the effects of the work
in one transaction, which is refused if the number is no longer the newest. So a broker may
forget, a message may come twice and a worker may die anywhere, and the job still ends once.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Job
from registry.models.base import utcnow

#: Errors after which a job is dead, and losses of its worker after which it is.
#: Losses have a bound of their own: a job that kills its worker must not go round for ever,
#: but a worker may also be killed through no fault of the job's.
MAX_FAILURES = 5
MAX_LOSSES = 20

#: Seconds before the first retry; doubled with every failure, up to the cap.
BACKOFF_SECONDS = 2.0
BACKOFF_CAP_SECONDS = 900.0


class LeaseLost(Exception):
    """Another worker may have the job: nothing that this one did may be written."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on a job.

    Parameters
    ----------
    fence
        The fencing number; grows with every claim of the job.
    """

    job_id: UUID
    kind: str
    payload: dict[str, Any]
    fence: int
    failures: int

    @property
    def last_try(self) -> bool:
        """Whether one more error makes the job dead."""
        return self.failures + 1 >= MAX_FAILURES


def enqueue(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    key: str | None = None,
    available_at: datetime | None = None,
) -> UUID | None:
    """Write a job into the caller's transaction.

    Parameters
    ----------
    key
        What makes two requests the same work. A key that was used before adds no second
        job, whatever became of the first.
    available_at
        When it may be worked off; None is now.

    Returns
    -------
    UUID or None
        The job's id; None if the key was there already.
    """
    if key is not None and session.scalar(select(Job.id).where(Job.key == key)) is not None:
        return None
    job = Job(kind=kind, payload=payload, key=key, available_at=available_at or utcnow())
    session.add(job)
    session.flush()
    return job.id


# Handing over to the broker


def awaiting_handover(
    session: Session, kinds: Collection[str], window: int = 100
) -> Sequence[tuple[UUID, str]]:
    """Ids and kinds of the jobs that are due and not with the broker, oldest first.

    Parameters
    ----------
    window
        At most so many jobs of a kind are with the broker unclaimed. The rest wait here,
        or a long queue would be handed over again and again by the sweeper.
    """
    now = utcnow()
    counted = session.execute(
        select(Job.kind, func.count())
        .where(Job.state == "queued", Job.handed_over_at.is_not(None))
        .group_by(Job.kind)
    )
    waiting = {kind: number for kind, number in counted}  # noqa: C416 - rows are not pairs to mypy
    due: list[tuple[UUID, str]] = []
    for kind in kinds:
        room = window - waiting.get(kind, 0)
        if room <= 0:
            continue
        ids = session.scalars(
            select(Job.id)
            .where(
                Job.kind == kind,
                Job.state == "queued",
                Job.handed_over_at.is_(None),
                Job.available_at <= now,
            )
            .order_by(Job.available_at, Job.id)
            .limit(room)
        )
        due += [(job_id, kind) for job_id in ids]
    return due


def mark_handed_over(session: Session, job_ids: Sequence[UUID]) -> None:
    """Note that the broker has taken these."""
    session.execute(
        update(Job)
        .where(Job.id.in_(job_ids), Job.state == "queued")
        .values(handed_over_at=utcnow())
    )


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: messages forgotten by the broker, jobs whose worker fell silent.

    Parameters
    ----------
    dead
        Ids and kinds of those that are not tried again.
    """

    forgotten: int
    lost: int
    dead: Sequence[tuple[UUID, str]]


def sweep(session: Session, handover_seconds: float) -> Swept:
    """Put back what no worker has claimed and what no worker holds any longer.

    Parameters
    ----------
    handover_seconds
        How long a message may wait at the broker before it is taken for forgotten. Too
        short a time costs messages that come twice, never work that is done twice.
    """
    now = utcnow()
    forgotten = _count(
        session,
        and_(
            Job.state == "queued",
            Job.handed_over_at.is_not(None),
            Job.handed_over_at <= now - timedelta(seconds=handover_seconds),
        ),
        handed_over_at=None,
    )
    silent = and_(Job.state == "running", Job.lease_until <= now)
    ended = session.execute(
        update(Job)
        .where(silent, Job.losses + 1 >= MAX_LOSSES)
        .values(
            state="dead",
            losses=Job.losses + 1,
            error=f"its worker was lost {MAX_LOSSES} times",
            lease_until=None,
            finished_at=now,
        )
        .returning(Job.id, Job.kind)
        .execution_options(synchronize_session=False)
    )
    dead = [(row.id, row.kind) for row in ended]
    lost = _count(
        session,
        silent,
        state="queued",
        losses=Job.losses + 1,
        handed_over_at=None,
        lease_until=None,
        available_at=now,
    )
    return Swept(forgotten, lost, dead)


def _count(session: Session, where: ColumnElement[bool], **values: Any) -> int:
    ids = session.scalars(
        update(Job)
        .where(where)
        .values(**values)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return len(ids.all())


# Working


def claim(session: Session, job_id: UUID, worker: str, lease_seconds: float) -> Claim | None:
    """Take a due job; None if it is done, dead, not due or in other hands."""
    now = utcnow()
    row = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state == "queued", Job.available_at <= now)
        .values(
            state="running",
            claimed_by=worker,
            fence=Job.fence + 1,
            lease_until=now + timedelta(seconds=lease_seconds),
        )
        .returning(Job.id, Job.kind, Job.payload, Job.fence, Job.failures)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if row is None else Claim(row.id, row.kind, row.payload, row.fence, row.failures)


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(Job.id == claim.job_id, Job.fence == claim.fence, Job.state == "running")


def extend(session: Session, claim: Claim, lease_seconds: float) -> None:
    """Say that the worker is alive.

    Raises
    ------
    LeaseLost
        If the job is in other hands.
    """
    if not _count(session, _held(claim), lease_until=utcnow() + timedelta(seconds=lease_seconds)):
        raise LeaseLost(f"job {claim.job_id}, fence {claim.fence}")


def finish(session: Session, claim: Claim, result: dict[str, Any] | None = None) -> None:
    """End the job, in the transaction that holds the effects of the work.

    Raises
    ------
    LeaseLost
        If the job is in other hands; the caller's transaction must be rolled back.
    """
    if not _count(
        session,
        _held(claim),
        state="done",
        result=result,
        error=None,
        lease_until=None,
        finished_at=utcnow(),
    ):
        raise LeaseLost(f"job {claim.job_id}, fence {claim.fence}")


def fail(session: Session, claim: Claim, error: str, *, final: bool = False) -> bool:
    """Note an error: the job is tried again later, or is dead after the last try.

    Parameters
    ----------
    final
        Whether another try cannot help.

    Returns
    -------
    bool
        Whether the job is dead now.
    """
    dead = final or claim.last_try
    now = utcnow()
    if dead:
        _count(
            session,
            _held(claim),
            state="dead",
            failures=Job.failures + 1,
            error=error,
            lease_until=None,
            finished_at=now,
        )
    else:
        pause = min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2**claim.failures)
        _count(
            session,
            _held(claim),
            state="queued",
            failures=Job.failures + 1,
            error=error,
            lease_until=None,
            handed_over_at=None,
            # Spread, so that what failed together does not come back together.
            available_at=now + timedelta(seconds=pause * random.uniform(0.75, 1.25)),
        )
    return dead


def give_back(session: Session, claim: Claim) -> None:
    """Put a job back that was not finished before its worker stopped; no try is counted."""
    _count(
        session,
        _held(claim),
        state="queued",
        lease_until=None,
        handed_over_at=None,
        available_at=utcnow(),
    )


def requeue(session: Session, job_id: UUID) -> None:
    """A person gives a dead job another round.

    Raises
    ------
    TouchstoneError
        If there is no such job or it is not dead.
    """
    state = session.scalar(select(Job.state).where(Job.id == job_id))
    if state is None:
        raise TouchstoneError(f"there is no job {job_id}")
    if state != "dead":
        raise TouchstoneError(f"job {job_id} is {state}: only a dead job can be requeued")
    _count(
        session,
        and_(Job.id == job_id, Job.state == "dead"),
        state="queued",
        failures=0,
        losses=0,
        handed_over_at=None,
        available_at=utcnow(),
        finished_at=None,
    )


def tally(session: Session) -> dict[str, int]:
    """How many jobs are in each state."""
    counted = session.execute(select(Job.state, func.count()).group_by(Job.state))
    states = dict.fromkeys(("queued", "running", "done", "dead"), 0)
    for state, number in counted:
        states[state] = number
    return states


@dataclass(frozen=True, slots=True)
class Hold:
    """A claimed job in the hands of the code that does the work.

    Long work runs outside any transaction; every write goes through here, so that nothing
    is written by a worker that has lost the job.
    """

    database: Database
    claim: Claim
    lease_seconds: float

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction in the midst of the work.

        Raises
        ------
        LeaseLost
            If the job is in other hands.
        """
        with self.database.writing() as session:
            extend(session, self.claim, self.lease_seconds)
            yield session

    @contextmanager
    def finishing(self, result: dict[str, Any] | None = None) -> Iterator[Session]:
        """The transaction that holds the effects of the work and ends the job.

        Raises
        ------
        LeaseLost
            If the job is in other hands.
        """
        with self.writing() as session:
            yield session
            finish(session, self.claim, result)
