"""Running plans: the job that a schedule asked for, and the run that a person starts.

The crawl is a process of its own (`crawler.watch`). Here is what surrounds it: one run of a
plan at a time, opening hours, a stop that is obeyed within seconds, and what became of it.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from crawler.watch import Progress, preflight, watch
from registry import jobs, planholds
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import DueRun, Plan, PlanHold, Run
from registry.models.base import utcnow
from registry.schedule import hours_of
from registry.settings import Settings

logger = logging.getLogger(__name__)

#: How often a run looks whether it must stop, and writes down how far it is.
LOOK_SECONDS = 1.0

#: What has to be told to runs in this process when it ends.
_live: set[threading.Event] = set()


class RunStopped(TouchstoneError):
    """A run that was ended before its end; what it saw is kept."""


class BrokenOff(RunStopped):
    """A run whose process is to end: another one begins it anew."""


def break_off() -> None:
    """End all runs of this process within seconds; their jobs go back to the outbox."""
    for event in tuple(_live):
        event.set()


def run_now(settings: Settings, database: Database, plan_id: UUID) -> Iterator[Progress]:
    """Run a plan at once, because a person says so, and tell how far it is.

    Raises
    ------
    RunStopped
        If somebody stopped it.
    TouchstoneError
        If the plan is running already, or if the run failed.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"
    with database.writing() as session:
        if not planholds.take(session, plan_id, holder):
            name = session.get_one(Plan, plan_id).name
            since = session.get_one(PlanHold, plan_id).since
            raise TouchstoneError(
                f"plan {name} is running since {since:%Y-%m-%d %H:%M} UTC; "
                f"to end that run: touchstone watch stop {name}"
            )
    try:
        yield from _follow(settings, database, plan_id, holder, None)
    finally:
        with database.writing() as session:
            planholds.release(session, plan_id, holder)


def watch_job(hold: jobs.Hold, settings: Settings, _blobs: Blobs) -> None:
    """Do the run that was due.

    A run that fails is noted and not tried again: the plan is due again soon enough. Only
    one whose worker was lost or told to end is begun anew.
    """
    due_run_id = UUID(hold.claim.payload["due_run_id"])
    holder = f"job:{hold.claim.job_id}"
    begun = _begin(hold, due_run_id, holder)
    if begun is None:
        return
    plan_id, closes_at = begun
    run_before = _newest_run(hold.database, plan_id)
    try:
        state, note = _run(hold, settings, plan_id, holder, closes_at)
    except BrokenOff:
        with hold.writing() as session:
            session.get_one(DueRun, due_run_id).state = "queued"
            planholds.release(session, plan_id, holder)
            jobs.give_back(session, hold.claim)
        return
    run_id = _newest_run(hold.database, plan_id)
    with hold.finishing({"state": state}) as session:
        due_run = session.get_one(DueRun, due_run_id)
        due_run.state, due_run.note = state, note
        due_run.run_id = run_id if run_id != run_before else None
        planholds.release(session, plan_id, holder)


def _begin(hold: jobs.Hold, due_run_id: UUID, holder: str) -> tuple[UUID, datetime | None] | None:
    """Take the plan: its id and when it closes. None if there is nothing to do, and the job
    is done.
    """
    with hold.writing() as session:
        due_run = session.get(DueRun, due_run_id, populate_existing=True)
        if due_run is None or due_run.state in ("finished", "stopped", "coalesced"):
            state = "gone" if due_run is None else due_run.state
            jobs.finish(session, hold.claim, {"state": state})
            return None
        plan, now = due_run.plan, utcnow()
        hours = hours_of(plan)
        opens = hours.open_from(now)
        if opens > now:
            _defer(session, due_run, opens)
            jobs.finish(session, hold.claim, {"deferred_to": opens.isoformat()})
            return None
        if not planholds.take(session, plan.id, holder):
            due_run.state = "coalesced"
            due_run.note = "the plan was running when this was to begin"
            jobs.finish(session, hold.claim, {"state": due_run.state})
            return None
        due_run.state = "running"
        return plan.id, hours.closes_after(now)


def _defer(session: Session, due_run: DueRun, opens: datetime) -> None:
    """Have another job do it when the plan's hours begin."""
    due_run.starts_at = opens
    due_run.note = f"waits for its opening hours, {opens:%Y-%m-%d %H:%M} UTC"
    due_run.job_id = jobs.enqueue(
        session,
        "watch",
        {"due_run_id": str(due_run.id)},
        key=f"watch:{due_run.id}:{opens.isoformat()}",
        available_at=opens,
    )


def _run(
    hold: jobs.Hold, settings: Settings, plan_id: UUID, holder: str, closes_at: datetime | None
) -> tuple[str, str | None]:
    """Run the plan to its end: the state it came to, and a word about it."""
    with hold.database.reading() as session:
        plan = session.get_one(Plan, plan_id)
        name, queries = plan.name, bool(plan.queries)
        kind, url = plan.marketplace.kind, plan.marketplace.url
    try:
        preflight(settings, kind, url, queries=queries, captures=False)
        for _ in _follow(settings, hold.database, plan_id, holder, closes_at):
            pass
    except BrokenOff:
        raise
    except RunStopped as error:
        logger.warning("plan %s: %s", name, error)
        return "stopped", str(error)
    except TouchstoneError as error:
        logger.error("plan %s: %s", name, error)
        return "failed", str(error)
    return "finished", None


def _newest_run(database: Database, plan_id: UUID) -> UUID | None:
    with database.reading() as session:
        newest: UUID | None = session.scalar(
            select(Run.id).where(Run.plan_id == plan_id).order_by(Run.id.desc()).limit(1)
        )
        return newest


def _follow(
    settings: Settings,
    database: Database,
    plan_id: UUID,
    holder: str,
    closes_at: datetime | None,
) -> Iterator[Progress]:
    """Crawl, tell how far it is, and look again and again whether it must stop."""
    broken_off = threading.Event()
    _live.add(broken_off)
    looked = -LOOK_SECONDS
    reason = run_id = None
    try:
        # It is a generator, and closing it ends the crawl's whole process group.
        with closing(cast("Generator[Progress]", watch(settings, database, plan_id))) as crawl:
            for progress in crawl:
                run_id = run_id or _newest_run(database, plan_id)
                yield progress
                if broken_off.is_set():
                    reason = "its worker was told to end"
                elif closes_at is not None and utcnow() >= closes_at:
                    reason = "its opening hours are over"
                elif time.monotonic() - looked >= LOOK_SECONDS:
                    reason = _look(database, plan_id, holder, run_id, progress)
                    looked = time.monotonic()
                if reason:
                    break
    finally:
        _live.discard(broken_off)
    if reason:
        with database.writing() as session:
            run = session.get_one(Run, run_id)
            run.state, run.error = "stopped", reason
        stopped = BrokenOff if broken_off.is_set() else RunStopped
        raise stopped(f"{reason}; what was seen until then is kept")


def _look(
    database: Database, plan_id: UUID, holder: str, run_id: UUID | None, progress: Progress
) -> str | None:
    """Say that we live and how far we are; why we must stop, if we must."""
    try:
        with database.writing() as session:
            reason = planholds.still_held(session, plan_id, holder)
            if reason is None:
                session.get_one(Run, run_id).stats = asdict(progress)
            return reason
    except SQLAlchemyError as error:  # an outage: the crawl waits for the database as well
        logger.error("plan %s: %s: %s", plan_id, type(error).__name__, error)
        return None
