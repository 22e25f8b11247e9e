"""Running plans: the jobs that a schedule asked for, and the run that a person starts.

A due run is laid out as shards, each a job, which workers on any machine take; the last one to
end closes the run. A person's run has the same shards done one after the other. The crawl of
a shard is a process of its own (`crawler.crawling.watch`). Here is what surrounds it: one
run of a plan at a time, opening hours, a stop that is obeyed within seconds, and what became of it.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from types import MappingProxyType
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from crawler.crawling import runs
from crawler.crawling.ahead import look_ahead, to_visit
from crawler.crawling.watch import CrawlFailed, Progress, RunStopped, crawl, watch
from crawler.ways_in.links import visit_link_pages
from registry import jobs, planholds
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import DueRun, Plan, PlanHold, Run, Shard
from registry.models.base import utcnow
from registry.schedule import hours_of
from registry.settings import Settings

logger = logging.getLogger(__name__)

#: How often a run looks whether it must stop.
LOOK_SECONDS = 1.0

#: What has to be told to crawls in this process when it ends.
_live: set[threading.Event] = set()


class BrokenOff(RunStopped):
    """A crawl whose process is to end: another one takes it up."""


def break_off() -> None:
    """End all crawls of this process within seconds; their jobs go back to the outbox."""
    for event in tuple(_live):
        event.set()


def run_now(
    settings: Settings,
    database: Database,
    plan_id: UUID,
    *,
    everything: bool = False,
    wrong: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Progress]:
    """Run a plan at once, because a person says so, and tell how far it is.

    Parameters
    ----------
    everything
        Whether known listings are visited that are not due, and read unchanged or not.
    wrong
        Marketplaces that cannot be watched now, and why, as `look_ahead` gave it.

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
        with _Looking(database, plan_id, holder, None) as looking:
            yield from watch(
                settings, database, plan_id, everything=everything, wrong=wrong, look=looking.look
            )
    finally:
        with database.writing() as session:
            planholds.release(session, plan_id, holder)


# A run that was due


def watch_job(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
    """Lay out the run that was due, as shards for workers to take.

    A run that cannot begin is noted and not tried again: the plan is due again soon enough.
    """
    due_run_id = UUID(hold.claim.payload["due_run_id"])
    plan_id, wrong, error = _look_ahead(hold.database, settings, due_run_id)
    if plan_id is not None:
        visit_link_pages(settings, hold.database, plan_id)
    with hold.finishing({}) as session:
        due_run = session.get(DueRun, due_run_id, populate_existing=True)
        if due_run is None or due_run.state != "queued":
            return
        opens = hours_of(due_run.plan).open_from(utcnow())
        if opens > utcnow():
            _defer(session, due_run, opens)
        elif error:
            logger.error("plan %s: %s", due_run.plan.name, error)
            due_run.state, due_run.note = "failed", error
        else:
            _lay_out(session, due_run, wrong)


def _look_ahead(
    database: Database, settings: Settings, due_run_id: UUID
) -> tuple[UUID | None, dict[str, str], str | None]:
    """Look at the marketplaces of a run that can begin.

    Returns
    -------
    tuple
        Its plan, those of its marketplaces that cannot be watched now, and why; and why the run
        cannot begin at all.
    """
    try:
        with database.reading() as session:
            due_run = session.get(DueRun, due_run_id)
            if due_run is None or due_run.state != "queued":
                return None, {}, None
            plan, now = due_run.plan, utcnow()
            if hours_of(plan).open_from(now) > now:
                return None, {}, None
            if planholds.is_held(session, plan.id, _holder_of(due_run_id)):
                return None, {}, None
            places = to_visit(plan)
        wrong = look_ahead(settings, places, captures=False)
    except TouchstoneError as error:
        return None, {}, str(error)
    for name, why in wrong.items():
        logger.error("plan %s: %s is left out: %s", plan.name, name, why)
    return plan.id, wrong, None


def _lay_out(session: Session, due_run: DueRun, wrong: Mapping[str, str]) -> None:
    """Write the run, its shards and their jobs, and hold the plan for it."""
    if not planholds.take(session, due_run.plan_id, _holder_of(due_run.id)):
        due_run.state = "coalesced"
        due_run.note = "the plan was running when this was to begin"
        return
    run = runs.begin(session, due_run.plan_id, wrong=wrong)
    due_run.state, due_run.run_id = "running", run.id
    for shard in runs.shards_of(session, run.id):
        if shard.state in runs.ENDED:
            continue
        shard.job_id = jobs.enqueue(
            session, "crawl", {"shard_id": str(shard.id)}, key=f"crawl:{shard.id}"
        )


def _holder_of(due_run_id: UUID) -> str:
    return f"{planholds.DUE}{due_run_id}"


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


def crawl_job(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
    """Crawl a shard; whoever ends the last one of a run closes the run.

    A shard whose worker is lost is taken up by the next one where it was.
    """
    database, shard_id = hold.database, UUID(hold.claim.payload["shard_id"])
    with database.reading() as session:
        shard = session.get_one(Shard, shard_id)
        run_id, plan, state = shard.run_id, shard.run.plan, shard.state
        over = shard.run.state != "running"
        due_run_id = session.scalar(select(DueRun.id).where(DueRun.run_id == run_id))
        now = utcnow()
        hours = hours_of(plan)
        closes_at = hours.closes_after(now) if hours.open_from(now) <= now else now
    if state not in runs.ENDED and not over and due_run_id is not None:
        holder = _holder_of(due_run_id)
        try:
            state, error = _crawled(hold, settings, shard_id, plan, run_id, holder, closes_at)
        except BrokenOff:
            with hold.writing() as session:
                session.get_one(Shard, shard_id).state = "queued"
                jobs.give_back(session, hold.claim)
            return
        with hold.writing() as session:
            runs.end_shard(session, shard_id, state, error)
    ended = runs.close(database, blobs, run_id)
    with hold.finishing({"state": state}) as session:
        due_run = session.get(DueRun, due_run_id) if due_run_id else None
        if ended and due_run is not None and due_run.state == "running":
            run = session.get_one(Run, run_id)
            due_run.state, due_run.note = run.state, run.error
            planholds.release(session, plan.id, _holder_of(due_run.id))


def _crawled(
    hold: jobs.Hold,
    settings: Settings,
    shard_id: UUID,
    plan: Plan,
    run_id: UUID,
    holder: str,
    closes_at: datetime | None,
) -> tuple[str, str | None]:
    """Crawl a shard to its end: the state it came to, and a word about it."""
    try:
        with (
            _Looking(hold.database, plan.id, holder, closes_at) as looking,
            closing(crawl(settings, hold.database, shard_id)) as crawling,
        ):
            looking.look(run_id)
            for _ in crawling:
                looking.look(run_id)
    except BrokenOff:
        raise
    except RunStopped as stopped:
        logger.warning("plan %s: %s", plan.name, stopped)
        return "stopped", stopped.reason
    except CrawlFailed as error:
        logger.error("plan %s: %s", plan.name, error)
        return "failed", str(error)
    return "finished", None


class _Looking:
    """Looks again and again whether a crawl must stop, says that it lives, sums up its run."""

    def __init__(
        self, database: Database, plan_id: UUID, holder: str, closes_at: datetime | None
    ) -> None:
        self._database = database
        self._plan_id = plan_id
        self._holder = holder
        self._closes_at = closes_at
        self._broken_off = threading.Event()
        self._looked = -LOOK_SECONDS

    def __enter__(self) -> _Looking:
        _live.add(self._broken_off)
        return self

    def __exit__(self, *_: object) -> None:
        _live.discard(self._broken_off)

    def look(self, run_id: UUID, _progress: Progress | None = None) -> None:
        """Go on, or not.

        Raises
        ------
        RunStopped
            If it must stop, with the reason for a person to read.
        """
        if self._broken_off.is_set():
            raise BrokenOff("its worker was told to end")
        if self._closes_at is not None and utcnow() >= self._closes_at:
            raise RunStopped("its opening hours are over")
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        try:
            with self._database.writing() as session:
                reason = planholds.still_held(session, self._plan_id, self._holder)
                if reason is None:
                    run = session.get_one(Run, run_id)
                    run.stats = runs.tally(runs.shards_of(session, run_id))
        except SQLAlchemyError as error:  # an outage: the crawl waits for the database as well
            logger.error("plan %s: %s: %s", self._plan_id, type(error).__name__, error)
            return
        if reason:
            raise RunStopped(reason)
