"""The scheduler: what is due becomes a job in the outbox, once, whoever writes it.

Beside plans, it looks after purchases: those that wait for too long, and unclear ones.

A plan's row says when it is due next. The scheduler that locks the row writes the due run,
its job and the next time in one transaction; another one finds a time that lies ahead. So
any number of schedulers may live and die anywhere. APScheduler works out the times
(`registry.cron`), but its scheduler does not run here: it has a store of its own, which two
of them may not share, and would be a second truth beside the outbox.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from purchases import deadlines
from purchases.reconciling.asking import ask_daily
from registry import jobs, planholds
from registry.database import Database
from registry.models import DueRun, Job, Plan
from registry.models.base import utcnow
from registry.schedule import Schedule, schedule_of
from registry.settings import load_settings

logger = logging.getLogger(__name__)

KIND = "watch"
POLL_SECONDS = 1.0
OUTAGE_CAP_SECONDS = 10.0
#: How long a stop waits for the transaction in hand.
FAREWELL_SECONDS = 10.0
#: How often purchases are looked after: what is unclear, and once a day what is late.
PURCHASES_SECONDS = 60.0
#: Plans in one transaction: a kill loses so much work at most, and nobody waits long.
BATCH = 50


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one look at the clock led to: runs begun, and those coalesced with one that runs."""

    started: int = 0
    coalesced: int = 0

    def __add__(self, other: Ticked) -> Ticked:
        return Ticked(self.started + other.started, self.coalesced + other.coalesced)


class Scheduler(threading.Thread):
    """One thread that writes what is due into the outbox, until it is stopped.

    Parameters
    ----------
    clock
        Tells the time, in UTC.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = utcnow,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        super().__init__(name="scheduler", daemon=True)
        self._database = database
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._halt = threading.Event()
        self._purchases_at: datetime | None = None

    def run(self) -> None:
        """Look at the clock until `stop`; an outage of the database is waited out."""
        outages, pause = 0, 0.0
        ready = False
        while not self._halt.wait(pause):
            try:
                if not ready:
                    self._database.ready()
                    ready = True
                self.tick()
                self._look_after_purchases()
                outages, pause = 0, self._poll_seconds
            except Exception as error:  # whatever it is, plans must go on when it is over
                outages += 1
                pause = min(OUTAGE_CAP_SECONDS, self._poll_seconds * 2**outages)
                message = " ".join(str(error).split())[:300]
                logger.error(
                    "scheduler: %s: %s; again in %.1f s", type(error).__name__, message, pause
                )

    def stop(self) -> None:
        """Begin nothing any more."""
        self._halt.set()

    def tick(self) -> Ticked:
        """Write all that is due now."""
        done = Ticked()
        while not self._halt.is_set():
            now = self._clock()
            with self._database.reading() as session:
                # Nobody else is kept from writing for a mere look.
                if not session.scalar(select(func.count()).where(_due(now))):
                    break
            with self._database.writing() as session:
                batch = write_due(session, now)
            done += batch
            if batch == Ticked():
                break  # in the hands of other schedulers, or nothing after all
        if done != Ticked():
            logger.info("%d runs are due, %d more coalesced", done.started, done.coalesced)
        return done

    def _look_after_purchases(self) -> None:
        """Have unclear purchases looked into, and open alarms for those that are late."""
        now, last = self._clock(), self._purchases_at
        if last is not None and (now - last).total_seconds() < PURCHASES_SECONDS:
            return
        with self._database.writing() as session:
            late = deadlines.check(session, now)
            asked = ask_daily(session, now)
        self._purchases_at = now
        if late or asked:
            logger.info("%d purchases became late, %d are looked into", late or 0, asked)


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(Plan.next_due_at <= now, Plan.paused_at.is_(None))


def write_due(session: Session, now: datetime, batch: int = BATCH) -> Ticked:
    """Write what is due of some plans: their runs, the jobs, and when they are due next.

    Parameters
    ----------
    session
        A write transaction. Plans that another one has locked are left to it.
    """
    plans = session.scalars(
        select(Plan)
        .where(_due(now))
        .order_by(Plan.next_due_at, Plan.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    plan_ids = [plan.id for plan in plans]
    active, written = _active(session, plan_ids), _written(session, plan_ids)
    rows: list[dict[str, Any]] = []
    times: dict[UUID, datetime | None] = {}
    for plan in plans:
        schedule, first = _schedule(plan, now), plan.next_due_at
        if schedule is None or first is None:
            times[plan.id] = None
            continue
        if plan.id in written and first <= written[plan.id]:
            # Planned anew by a machine whose clock is slow.
            first = schedule.next_after(written[plan.id])
            if first > now:
                times[plan.id] = first
                continue
        row = _due_run(plan, schedule, first, now)
        times[plan.id] = schedule.next_after(row["due_at"])
        before = active.get(plan.id)
        if before is None:
            row["job_id"] = jobs.enqueue(
                session,
                KIND,
                {"due_run_id": str(row["id"])},
                key=f"{KIND}:{plan.id}:{row['due_at'].isoformat()}",
                available_at=row["starts_at"],
            )
        else:
            row["state"] = "coalesced"
            row["note"] = f"the run that was due at {before:%Y-%m-%d %H:%M} UTC is not over"
        rows.append(row)
    # Written together: at noon, thousands of plans may be due.
    if rows:
        session.execute(insert(DueRun), rows)
    for plan in plans:
        plan.next_due_at = times[plan.id]
    session.flush()
    started = sum(row["state"] == "queued" for row in rows)
    return Ticked(started, len(rows) - started)


def _schedule(plan: Plan, now: datetime) -> Schedule | None:
    """The schedule of a plan. One that cannot be read, such as that of a zone which this
    machine does not know, pauses its plan: it must not keep the others waiting.
    """
    try:
        return schedule_of(plan)
    except ValueError as error:
        logger.error("plan %s is paused: %s", plan.name, error)
        plan.paused_at, plan.paused_by = now, f"the scheduler: {error}"
        return None


def _due_run(plan: Plan, schedule: Schedule, first: datetime, now: datetime) -> dict[str, Any]:
    """The run of a plan that is due: the last one, which makes up for those before it."""
    last, missed = schedule.missed(first, now)
    if missed:
        logger.warning("plan %s: due %d times unseen; made up once", plan.name, missed)
    return {
        "id": uuid7(),
        "plan_id": plan.id,
        "due_at": last,
        "starts_at": schedule.start_of(plan.id, last),
        "state": "queued",
        "missed": missed,
        "missed_since": first if missed else None,
        "job_id": None,
        "note": None,
    }


def _active(session: Session, plan_ids: list[UUID]) -> dict[UUID, datetime]:
    """Plans with a run that waits or goes on, and when it was due.

    One whose job is dead is over, and is noted as failed.
    """
    rows: Any = session.execute(
        select(DueRun, Job.state, Job.error)
        .outerjoin(Job, Job.id == DueRun.job_id)
        .where(DueRun.plan_id.in_(plan_ids), DueRun.state.in_(("queued", "running")))
    )
    rows = rows.all()
    at_work = planholds.at_work(session, [due_run.run_id for due_run, _, _ in rows])
    active: dict[UUID, datetime] = {}
    for due_run, job_state, error in rows:
        if job_state in ("queued", "running") or due_run.run_id in at_work:
            active[due_run.plan_id] = due_run.due_at
        else:
            due_run.state, due_run.note = "failed", error or "its job is gone"
    return active


def _written(session: Session, plan_ids: list[UUID]) -> dict[UUID, datetime]:
    """Up to when the runs of plans are written."""
    rows = session.execute(
        select(DueRun.plan_id, func.max(DueRun.due_at))
        .where(DueRun.plan_id.in_(plan_ids))
        .group_by(DueRun.plan_id)
    )
    return {plan_id: due_at for plan_id, due_at in rows}  # noqa: C416 - rows are not pairs to mypy


def main() -> int:
    """Be a scheduler until SIGTERM or SIGINT."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    database = Database(load_settings().database)
    try:
        serve_until_signalled(Scheduler(database))
    finally:
        database.close()
    return 0


def serve_until_signalled(scheduler: Scheduler) -> None:
    """Schedule until SIGTERM or SIGINT; a transaction in hand is finished."""
    halted = threading.Event()

    def halt(_number: int, _frame: FrameType | None) -> None:
        scheduler.stop()
        halted.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, halt)
    logger.info("scheduling")
    scheduler.start()
    halted.wait()
    # A database that does not answer does not hold us: what is not committed is not written.
    scheduler.join(FAREWELL_SECONDS)
    logger.info("stopped")


if __name__ == "__main__":
    sys.exit(main())
