"""A day of five hundred plans: every due run once, whoever lives, dies or is away."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from crawler.crawling import runs
from registry import jobs
from registry.database import Database
from registry.models import Brand, DueRun, Job, Marketplace, Plan
from registry.models.base import utcnow
from registry.planfile import plan_ahead
from registry.schedule import schedule_of
from registry.settings import Settings
from tests.workers.conftest import wait_until
from tests.workers.simulated import Clock, schedulers
from tests.workers.wire import Wire
from workers.scheduler import Scheduler, Ticked, write_due

#: The clocks of Europe are put forward in this night.
START = datetime(2026, 3, 28, 18, tzinfo=UTC)
END = START + timedelta(hours=24)
PLANS = 500
KILLS = 12

Due = dict[UUID, list[datetime]]

both = pytest.mark.parametrize(
    "parts", [("embedded", "sqlite"), ("embedded", "postgresql")], ids=["sqlite", "postgresql"]
)


def put_plans(database: Database, schedules: Iterable[dict[str, object]], now: datetime) -> None:
    with database.writing() as session:
        brand = Brand(slug="velaro", name="Velaro", owner="V")
        place = Marketplace(name="m", kind="bazaar", url="http://127.0.0.1:9/")
        session.add_all([brand, place])
        for number, times in enumerate(schedules):
            plan = Plan(
                name=f"p{number}", brand=brand, marketplaces=[place], queries=["velaro"], browse=[],
                threshold=0.6, max_pages=10,
                **{"schedule": [], "time_zone": "UTC", "opening_hours": [], "jitter": 0, **times},
            )  # fmt: skip
            session.add(plan)
            plan_ahead(plan, now)


def many(number: int) -> list[dict[str, object]]:
    """Schedules of all sorts; by the hour at most, five times a day on average."""
    chance = random.Random("plans")
    zones = ("UTC", "Europe/Berlin", "Asia/Shanghai", "America/St_Johns")
    made: list[dict[str, object]] = []
    for _ in range(number):
        minute, hour = chance.randrange(60), chance.randrange(24)
        schedule = chance.choice(
            [
                ["@hourly"] if chance.random() < 0.2 else ["@daily"],
                [f"{minute} */{chance.choice((3, 4, 6, 8))} * * *"],
                [f"{minute} {hour} * * *", f"{(minute + 31) % 60} {(hour + 7) % 24} * * sat,sun"],
                [f"{minute} 8-18/2 * * sun"],
                [f"{minute} 1-4 * * *"],
            ]
        )
        made.append(
            {
                "schedule": schedule,
                "time_zone": chance.choice(zones),
                "jitter": chance.choice((0, 600)),
                "opening_hours": ["06:00-22:00"] if chance.random() < 0.2 else [],
            }
        )
    return made


def expected(database: Database, start: datetime, end: datetime) -> Due:
    """What is due of each plan after the start, up to the end."""
    due: Due = {}
    with database.reading() as session:
        for plan in session.scalars(select(Plan)):
            schedule = schedule_of(plan)
            assert schedule is not None
            times = due.setdefault(plan.id, [])
            for at in schedule.upcoming(start):
                if at > end:
                    break
                times.append(at)
    return due


def steps(due: Due, end: datetime) -> list[datetime]:
    """Times to set the clock to, so far apart as no plan is due twice between two of them."""
    plans: dict[datetime, set[UUID]] = {}
    for plan_id, times in due.items():
        for at in times:
            plans.setdefault(at, set()).add(plan_id)
    made: list[datetime] = []
    seen: set[UUID] = set()
    last = None
    for at in sorted(plans):
        if last is not None and seen & plans[at]:
            made.append(last)
            seen = set()
        seen |= plans[at]
        last = at
    return [*made, end]


def found(database: Database) -> list[DueRun]:
    with database.reading() as session:
        return list(session.scalars(select(DueRun)))


def all_written(database: Database, now: datetime) -> bool:
    with database.reading() as session:
        return not session.scalar(select(func.count()).where(Plan.next_due_at <= now))


def work_off(database: Database) -> int:
    """Do all jobs, as workers do in time; how many they were."""
    with database.writing() as session:
        session.execute(update(DueRun).where(DueRun.state == "queued").values(state="finished"))
        done = session.scalars(
            update(Job).where(Job.state == "queued").values(state="done").returning(Job.id)
        )
        return len(done.all())


@both
@pytest.mark.parametrize("number", [1, 3])
def test_a_day_of_500_plans_is_due_once_each_in_spite_of_kills(
    database: Database, settings: Settings, tmp_path: Path, number: int
) -> None:
    put_plans(database, many(PLANS), START)
    due = expected(database, START, END)
    turns = steps(due, END)
    chance = random.Random(f"{database.backend} {number}")
    killing = set(chance.sample(range(len(turns)), KILLS))
    clock = Clock(tmp_path / "clock")
    clock.set(START)
    worked = 0
    with schedulers(settings.database, clock, number) as running:
        for place, now in enumerate(turns):
            clock.set(now)
            if place in killing:
                time.sleep(chance.uniform(0, 0.05))
                for _ in range(chance.randint(1, number)):
                    running.kill(chance.randrange(number))
                running.fill()
            wait_until(lambda now=now: all_written(database, now), "the scheduler")  # type: ignore[misc]
            worked += work_off(database)
        assert running.kills >= KILLS

        rows = found(database)
        assert Counter((row.plan_id, row.due_at) for row in rows) == Counter(
            (plan_id, at) for plan_id, times in due.items() for at in times
        )
        assert {row.state for row in rows} == {"finished"}
        assert {row.missed for row in rows} == {0}
        assert worked == len(rows)
        check_jobs(database, rows)

        # All are gone for hours: what was missed is made up once.
        running.kill_all()
        back = END + timedelta(hours=5)
        clock.set(back)
        missed = {plan: times for plan, times in expected(database, END, back).items() if times}
        assert sum(len(times) > 1 for times in missed.values()) > 10
        running.fill()
        wait_until(lambda: all_written(database, back), "the schedulers that are back")
        assert work_off(database) == len(missed)
        late = [row for row in found(database) if row.due_at > END]
        assert {row.plan_id: (row.due_at, row.missed, row.missed_since) for row in late} == {
            plan_id: (times[-1], len(times) - 1, times[0] if len(times) > 1 else None)
            for plan_id, times in missed.items()
        }
        assert len(late) == len(missed)
        assert running.end() == [0] * number


def check_jobs(database: Database, rows: list[DueRun]) -> None:
    """Each run has its own job, which waits for the run's own time."""
    with database.reading() as session:
        jobs = {job.id: job for job in session.scalars(select(Job))}
        plans = {plan.id: plan for plan in session.scalars(select(Plan))}
    assert {row.job_id for row in rows} == set(jobs)
    spread = 0
    for row in rows:
        assert row.job_id is not None
        job = jobs[row.job_id]
        assert job.payload == {"due_run_id": str(row.id)}
        assert job.available_at == row.starts_at
        late = (row.starts_at - row.due_at).total_seconds()
        assert 0 <= late <= plans[row.plan_id].jitter
        spread += late > 0
    assert spread > len(rows) / 4


# One tick


@pytest.fixture
def hourly(database: Database) -> UUID:
    put_plans(database, [{"schedule": ["@hourly"]}], START)
    with database.reading() as session:
        return session.scalars(select(Plan.id)).one()


def tick(database: Database, hours: float) -> Ticked:
    with database.writing() as session:
        return write_due(session, START + timedelta(hours=hours))


@both
def test_a_run_that_is_not_over_stands_for_the_next(database: Database, hourly: UUID) -> None:
    assert tick(database, 1) == Ticked(started=1)
    assert tick(database, 1.5) == Ticked()
    assert tick(database, 2) == Ticked(coalesced=1)
    work_off(database)
    assert tick(database, 3) == Ticked(started=1)
    rows = sorted(found(database), key=lambda row: row.due_at)
    assert [row.state for row in rows] == ["finished", "coalesced", "queued"]
    assert rows[1].job_id is None
    assert "19:00 UTC is not over" in (rows[1].note or "")


@both
def test_a_plan_that_is_put_back_is_not_due_twice(database: Database, hourly: UUID) -> None:
    assert tick(database, 2) == Ticked(started=1)
    work_off(database)
    with database.writing() as session:
        session.get_one(Plan, hourly).next_due_at = START + timedelta(hours=1)
    assert tick(database, 2.5) == Ticked()
    assert tick(database, 4) == Ticked(started=1)
    rows = sorted(found(database), key=lambda row: row.due_at)
    assert [(row.due_at - START).total_seconds() / 3600 for row in rows] == [2, 4]
    assert [row.missed for row in rows] == [1, 1]


@both
def test_a_run_whose_job_died_holds_nobody_up(database: Database, hourly: UUID) -> None:
    assert tick(database, 1) == Ticked(started=1)
    with database.writing() as session:
        session.execute(update(Job).values(state="dead", error="it broke"))
    assert tick(database, 2) == Ticked(started=1)
    first = min(found(database), key=lambda row: row.due_at)
    assert (first.state, first.note) == ("failed", "it broke")


@both
def test_a_run_whose_shards_wait_for_workers_is_not_over(database: Database, hourly: UUID) -> None:
    assert tick(database, 1) == Ticked(started=1)
    with database.writing() as session:
        session.execute(update(Job).values(state="done"))
        run = runs.begin(session, hourly)
        (shard,) = runs.shards_of(session, run.id)
        shard.job_id = jobs.enqueue(session, "crawl", {"shard_id": str(shard.id)})
        session.execute(update(DueRun).values(state="running", run_id=run.id))
    assert tick(database, 2) == Ticked(coalesced=1)
    with database.writing() as session:
        session.execute(update(Job).values(state="dead"))
    assert tick(database, 3) == Ticked(started=1)


@both
def test_a_plan_that_cannot_be_read_does_not_hold_up_the_others(
    database: Database, hourly: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    with database.writing() as session:
        other = session.get_one(Plan, hourly)
        session.add(
            Plan(
                name="broken", brand_id=other.brand_id, marketplaces=list(other.marketplaces),
                queries=[], browse=["/"], threshold=0.6, max_pages=1, schedule=["@hourly"],
                time_zone="Mars/Olympus", next_due_at=START,
            )
        )  # fmt: skip
    assert tick(database, 1) == Ticked(started=1)
    with database.reading() as session:
        broken = session.scalars(select(Plan).where(Plan.name == "broken")).one()
    assert broken.next_due_at is None
    assert "Mars/Olympus" in (broken.paused_by or "")
    assert "plan broken is paused" in caplog.text


@both
def test_a_paused_plan_is_not_due(database: Database, hourly: UUID) -> None:
    with database.writing() as session:
        session.get_one(Plan, hourly).paused_at = START
    assert tick(database, 5) == Ticked()


@both
def test_an_outage_of_the_database_is_waited_out(
    database: Database, hourly: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [True]
    reading = database.reading

    def away() -> object:
        if broken[0]:
            raise ConnectionError("the database is away")
        return reading()

    monkeypatch.setattr(database, "reading", away)
    scheduler = Scheduler(database, clock=lambda: START + timedelta(hours=1), poll_seconds=0.01)
    scheduler.start()
    time.sleep(0.1)
    assert scheduler.is_alive()
    broken[0] = False
    wait_until(lambda: len(found(database)) == 1, "the run")
    scheduler.stop()
    scheduler.join()


# The process


def start(settings: Settings, **changes: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TOUCHSTONE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "workers.scheduler"],
        env={**clean, "TOUCHSTONE_DATABASE_URL": settings.database, **changes},
        stderr=subprocess.PIPE,
        text=True,
    )


def say(process: subprocess.Popen[str], word: str) -> str:
    """Read what a process logs, up to a word."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return line
    pytest.fail(f"the scheduler never said {word!r}")


@both
def test_the_process_schedules_until_it_is_told_to_stop(
    database: Database, settings: Settings
) -> None:
    put_plans(database, [{"schedule": ["@hourly"]}], utcnow() - timedelta(hours=3))
    process = start(settings)
    try:
        assert "plan p0: due" in say(process, "made up once")
        wait_until(lambda: len(found(database)) == 1, "the run")
        process.send_signal(signal.SIGTERM)
        assert "stopped" in say(process, "stopped")
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()
    (row,) = found(database)
    assert row.missed in (2, 3)  # an hour may have ended meanwhile


@pytest.mark.parametrize("parts", [("embedded", "postgresql")], ids="+".join)
def test_a_database_that_goes_away_and_comes_back(database: Database, settings: Settings) -> None:
    parts = urlsplit(settings.database)
    wire = Wire(parts.hostname or "127.0.0.1", parts.port or 5432)
    user = parts.netloc.rpartition("@")[0]
    url = parts._replace(netloc=f"{user}@127.0.0.1:{wire.port}").geturl()
    put_plans(database, [{"schedule": ["@hourly"]}], utcnow() - timedelta(hours=1))
    process = start(settings, TOUCHSTONE_DATABASE_URL=url)
    try:
        assert "again in" in say(process, "scheduler: ")
        wire.mend()
        wait_until(lambda: len(found(database)) == 1, "the run")
        wire.cut()
        say(process, "again in")
        with database.writing() as session:
            row = session.scalars(select(DueRun)).one()
            session.scalars(select(Plan)).one().next_due_at = row.due_at
            row.due_at -= timedelta(hours=5)
            row.state = "finished"
        wire.mend()
        wait_until(lambda: len(found(database)) == 2, "the run after the outage")
        process.terminate()
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()
        wire.flow()
        wire.cut()
