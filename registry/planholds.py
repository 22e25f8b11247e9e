"""Who is running a plan: one at a time, whoever started it, and how they are told to stop.

A hold is a lease. Whoever has one says again and again that they live, and finds out by the
same words whether somebody wants them to stop.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from registry.models import DueRun, Job, Plan, PlanHold, Run, Shard, Visit
from registry.models.base import utcnow

#: A holder silent for so long is gone.
HOLD_SECONDS = 60.0
#: How the holder begins that is a due run: it holds its plan for as long as it has shards whose
#: jobs are alive, though all of them may wait for a worker.
DUE = "due:"


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop came upon: names of plans that are running, and how many runs waited."""

    running: Sequence[str]
    waiting: int


def take(session: Session, plan_id: UUID, holder: str) -> bool:
    """Take a plan, in a write transaction; False while somebody else runs it.

    Runs of the plan that no one ended are noted as failed: whoever made them is gone.

    Parameters
    ----------
    holder
        The same words take it again, for the one who comes back after a loss. A process that
        holds it as ``host:pid:…`` loses it when it ends, however it ends.
    """
    # On PostgreSQL, two who find no hold would both write one.
    session.execute(select(Plan.id).where(Plan.id == plan_id).with_for_update())
    hold = session.get(PlanHold, plan_id, populate_existing=True)
    now = utcnow()
    if is_held(session, plan_id, holder):
        return False
    if hold is None:
        hold = PlanHold(plan_id=plan_id)
        session.add(hold)
    hold.holder, hold.since = holder, now
    hold.until = now + timedelta(seconds=HOLD_SECONDS)
    hold.stop_requested_at = hold.stop_requested_by = None
    lost: dict[str, Any] = {
        "state": "failed",
        "error": "whoever ran it was lost",
        "finished_at": now,
    }
    runs = session.scalars(
        update(Run)
        .where(Run.plan_id == plan_id, Run.state == "running")
        .values(**lost)
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(
        update(Shard)
        .where(Shard.run_id.in_(runs), Shard.state.in_(("queued", "running")))
        .values(**lost, holder=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Visit).where(Visit.run_id.in_(runs)))
    session.flush()
    return True


def is_held(session: Session, plan_id: UUID, holder: str) -> bool:
    """Whether somebody other than `holder` runs a plan, and lives."""
    hold = session.get(PlanHold, plan_id, populate_existing=True)
    if hold is None or hold.holder == holder:
        return False
    if hold.holder.startswith(DUE):
        due_run = session.get(DueRun, UUID(hold.holder.removeprefix(DUE)))
        return due_run is not None and due_run.run_id in at_work(session, [due_run.run_id])
    return hold.until > utcnow() and not _is_dead(hold.holder)


def at_work(session: Session, run_ids: Collection[UUID | None]) -> set[UUID]:
    """Those of some runs that have a shard whose job waits or goes on."""
    return set(
        session.scalars(
            select(Shard.run_id)
            .join(Job, Job.id == Shard.job_id)
            .where(Shard.run_id.in_(run_ids), Job.state.in_(("queued", "running")))
        )
    )


def _is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that is no more: nobody waits for it."""
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    return False


def still_held(session: Session, plan_id: UUID, holder: str) -> str | None:
    """Say that the holder lives; why they must stop, if they must.

    Returns
    -------
    str or None
        A reason, for a person to read.
    """
    hold = session.get(PlanHold, plan_id, populate_existing=True)
    if hold is None or hold.holder != holder:
        return "somebody else runs this plan now"
    if hold.stop_requested_at is not None:
        return f"stopped by {hold.stop_requested_by}"
    hold.until = utcnow() + timedelta(seconds=HOLD_SECONDS)
    return None


def release(session: Session, plan_id: UUID, holder: str) -> None:
    """Give a plan free, if it is still the holder's."""
    hold = session.get(PlanHold, plan_id, populate_existing=True)
    if hold is not None and hold.holder == holder:
        session.delete(hold)


def stop(session: Session, by: str, plan_id: UUID | None = None) -> Stopped:
    """Ask whoever runs a plan to stop, and call off what is due and has not begun.

    Parameters
    ----------
    plan_id
        None is every plan.
    """
    now = utcnow()
    held = select(PlanHold).where(or_(PlanHold.until > now, PlanHold.holder.startswith(DUE)))
    waiting = update(DueRun).where(DueRun.state == "queued")
    if plan_id is not None:
        held = held.where(PlanHold.plan_id == plan_id)
        waiting = waiting.where(DueRun.plan_id == plan_id)
    running: list[UUID] = []
    for hold in session.scalars(held):
        hold.stop_requested_at, hold.stop_requested_by = now, by
        running.append(hold.plan_id)
    called_off = session.scalars(
        waiting.values(state="stopped", note=f"stopped by {by} before it began")
        .returning(DueRun.id)
        .execution_options(synchronize_session=False)
    ).all()
    names = session.scalars(select(Plan.name).where(Plan.id.in_(running)).order_by(Plan.name))
    return Stopped(names.all(), len(called_off))
