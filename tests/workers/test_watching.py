"""Due runs done by workers: one at a time, stopped at once, and whatever became of them said."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from crawler.crawling.watch import RunStopped
from registry import jobs, planholds
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Brand,
    DueRun,
    Job,
    Listing,
    Marketplace,
    Plan,
    PlanHold,
    Run,
    Shard,
    Visit,
)
from registry.models.base import utcnow
from registry.settings import Settings
from tests.workers.conftest import Place, wait_until
from workers import watching
from workers.scheduler import Scheduler, write_due
from workers.watching import crawl_job, run_now, watch_job

sqlite = pytest.mark.parametrize("parts", [("embedded", "sqlite")], ids=["sqlite"])
both = pytest.mark.parametrize(
    "parts", [("embedded", "sqlite"), ("embedded", "postgresql")], ids=["sqlite", "postgresql"]
)


class Shop:
    """A shop of as many listings as one likes, as slow as one likes."""

    def __init__(self, listings: int | None, seconds: float) -> None:
        self.asked = 0
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.asked += 1
                if self.path == "/robots.txt":
                    self.send_error(404)
                    return
                if self.path != "/":
                    time.sleep(seconds)
                body = shop.page(self.path).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.listings = listings
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def page(self, path: str) -> str:
        """A listing, or a page of links to listings; without a number of them, to a next page."""
        if path.startswith("/item/"):
            text = f'<h1 class="title">Tote {path}</h1><p class="price">€ 12,00</p>'
        else:
            first = int(path.rpartition("=")[2]) if "=" in path else 0
            number = 20 if self.listings is None else self.listings
            items = range(first, first + number)
            text = "".join(f'<a class="card" href="/item/{n}/t">t</a>' for n in items)
            if self.listings is None:
                text += f'<a rel="next" href="/c/bags?from={first + number}">next</a>'
        return f"<!doctype html><html><body>{text}</body></html>"


@contextmanager
def shop(listings: int | None = 6, seconds: float = 0.0) -> Iterator[Shop]:
    running = Shop(listings, seconds)
    thread = threading.Thread(target=running.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.server.shutdown()
        running.server.server_close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Loopback is allowed: the shops are there."""
    return settings.model_copy(
        update={"allowed_private_hosts": ("127.0.0.1",), "lease_seconds": 60.0}
    )


numbers = count()


def put_plan(database: Database, url: str, **changes: object) -> UUID:
    with database.writing() as session:
        name = f"p{next(numbers)}"
        brand = session.scalars(select(Brand)).first() or Brand(slug="v", name="Velaro", owner="V")
        plan = Plan(
            name=name, brand=brand, marketplaces=[Marketplace(name=name, kind="bazaar", url=url)],
            queries=[], threshold=0.6, max_pages=100_000,
            **{
                "browse": ["/c/bags"], "schedule": ["@hourly"],
                "next_due_at": utcnow() - timedelta(minutes=1), **changes,
            },
        )  # fmt: skip
        session.add(plan)
        session.flush()
        return plan.id


def claimed(database: Database, kind: str = "watch") -> jobs.Hold:
    """The next due run's job, or that of its next shard, in hand as a worker has it."""
    with database.writing() as session:
        write_due(session, utcnow())
    with database.writing() as session:
        wanted = select(Job.id).where(Job.state == "queued", Job.kind == kind)
        job_id = session.scalars(wanted.order_by(Job.id).limit(1)).one()
        claim = jobs.claim(session, job_id, "tester", 60)
    assert claim is not None
    return jobs.Hold(database, claim, 60)


def laid_out(database: Database, settings: Settings, blobs: Blobs) -> jobs.Hold:
    """The due run laid out, and the job of its first shard in hand."""
    watch_job(claimed(database), settings, blobs)
    return claimed(database, "crawl")


def due_run(database: Database) -> DueRun:
    with database.reading() as session:
        return session.scalars(select(DueRun)).one()


def runs(database: Database) -> list[Run]:
    with database.reading() as session:
        return list(session.scalars(select(Run).order_by(Run.id)))


def crawls(database: Database, run_id: UUID) -> list[int]:
    """Processes of this machine that crawl for a run."""
    found = []
    with database.reading() as session:
        shards = session.scalars(select(Shard.id).where(Shard.run_id == run_id)).all()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(str(shard_id).encode() in words for shard_id in shards):
                found.append(int(folder.name))
    return found


@contextmanager
def at_work(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> Iterator[threading.Thread]:
    """The job in a thread, as a worker does it, and the crawl seen to have begun."""

    def work() -> None:
        with contextlib.suppress(jobs.LeaseLost):
            crawl_job(hold, settings, blobs)

    worker = threading.Thread(target=work)
    worker.start()

    def begun() -> bool:
        made = runs(hold.database)
        return bool(made) and made[-1].stats.get("listings", 0) > 0

    try:
        wait_until(begun, "a listing")
        yield worker
    finally:
        watching.break_off()
        worker.join()


@both
def test_what_is_due_is_crawled_by_a_worker(place: Place) -> None:
    with shop(6) as running:
        plan_id = put_plan(place.database, running.url)
        scheduler = Scheduler(place.database, poll_seconds=0.05)
        scheduler.start()
        with place.working({"watch": watch_job, "crawl": crawl_job}):
            wait_until(lambda: bool(place.jobs()), "the job")
            # The crawl leaves jobs of its own, to assess what it saw: they are others' work.
            wait_until(lambda: due_run(place.database).state == "finished", "the end of the run")
        scheduler.stop()
        scheduler.join()
    row = due_run(place.database)
    (run,) = runs(place.database)
    assert (row.state, row.run_id, row.note) == ("finished", run.id, None)
    assert (run.state, run.plan_id, run.stats["listings"]) == ("finished", plan_id, 6)
    with place.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Listing)) == 6
        assert session.scalars(select(PlanHold)).all() == []


@both
def test_a_run_is_stopped_within_seconds_and_keeps_what_it_saw(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    with shop(None, seconds=0.2) as running:
        plan_id = put_plan(database, running.url)
        hold = laid_out(database, settings, blobs)
        with at_work(hold, settings, blobs) as worker:
            (run,) = runs(database)
            assert crawls(database, run.id)
            with database.writing() as session:
                stopped = planholds.stop(session, "Ada", plan_id)
            assert len(stopped.running) == 1
            worker.join(timeout=30)
            assert not worker.is_alive()
            assert crawls(database, run.id) == []
    row, (run,) = due_run(database), runs(database)
    assert (row.state, run.state, run.error) == ("stopped", "stopped", "stopped by Ada")
    assert run.finished_at is not None
    told = run.stats["listings"]
    with database.reading() as session:
        # What a run tells is half a second old.
        assert (session.scalar(select(func.count()).select_from(Listing)) or 0) >= told > 0
        assert session.get_one(Job, hold.claim.job_id).state == "done"
        assert session.scalars(select(PlanHold)).all() == []


@sqlite
def test_a_worker_that_is_told_to_end_gives_the_shard_back(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    with shop(None, seconds=0.2) as running:
        plan_id = put_plan(database, running.url)
        hold = laid_out(database, settings, blobs)
        with at_work(hold, settings, blobs) as worker:
            (run,) = runs(database)
            watching.break_off()
            worker.join(timeout=30)
            assert not worker.is_alive()
            assert crawls(database, run.id) == []
        with database.writing() as session:
            job = session.get_one(Job, hold.claim.job_id)
            assert (job.state, job.failures, job.losses) == ("queued", 0, 0)
            (shard,) = session.scalars(select(Shard))
            assert shard.state == "queued"
            # It waits for a worker, and nobody may begin another run meanwhile.
            session.execute(update(PlanHold).values(until=utcnow() - timedelta(hours=1)))
            assert not planholds.take(session, plan_id, "somebody else")
    (run,) = runs(database)
    assert (due_run(database).state, run.state) == ("running", "running")


@sqlite
def test_another_worker_takes_a_shard_up_where_it_was(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    with shop(150, seconds=0.05) as running:
        put_plan(database, running.url)
        with at_work(laid_out(database, settings, blobs), settings, blobs) as worker:
            watching.break_off()
            worker.join(timeout=30)
        (run,) = runs(database)
        assert 0 < run.stats["listings"] < 150
        crawl_job(claimed(database, "crawl"), settings, blobs)
        asked = running.asked
    (run,) = runs(database)
    assert (run.state, run.stats["listings"], run.stats["errors"]) == ("finished", 150, 0)
    knock, robots, results = 2, 2, 1
    # What was under way is fetched again, and nothing else.
    assert asked <= knock + robots + results + 150 + 8
    assert due_run(database).state == "finished"


@both
def test_shards_are_shared_out_and_the_last_one_ends_the_run(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    with shop(30) as one, shop(12) as two:
        plan_id = put_plan(database, one.url, browse=[f"/c/{n}" for n in range(10)])
        with database.writing() as session:
            plan = session.get_one(Plan, plan_id)
            plan.marketplaces.append(Marketplace(name="two", kind="bazaar", url=two.url))
        watch_job(claimed(database), settings, blobs)
        holds = [claimed(database, "crawl") for _ in range(4)]
        with database.reading() as session:
            shards = session.scalars(select(Shard).order_by(Shard.id)).all()
            assert [(len(s.browse), s.first) for s in shards] == [
                (8, True), (2, False), (8, True), (2, False),
            ]  # fmt: skip
        workers = [
            threading.Thread(target=crawl_job, args=(hold, settings, blobs)) for hold in holds
        ]
        for worker in workers[:3]:
            worker.start()
        for worker in workers[:3]:
            worker.join()
        (run,) = runs(database)
        assert (run.state, run.finished_at, due_run(database).state) == ("running", None, "running")
        workers[3].start()
        workers[3].join()
        asked = [running.asked for running in (one, two)]
    (run,) = runs(database)
    assert (run.state, due_run(database).state, run.stats["errors"]) == ("finished", "finished", 0)
    # All paths show the same listings, and none was asked for twice.
    assert run.stats["listings"] == 42
    knock, robots = 2, 2
    assert asked == [10 + 30 + knock + robots, 10 + 12 + knock + robots]
    with database.reading() as session:
        assert {shard.state for shard in session.scalars(select(Shard))} == {"finished"}
        assert session.scalars(select(Visit)).all() == []
        assert session.scalars(select(PlanHold)).all() == []


@sqlite
def test_a_crawl_that_lost_its_shard_writes_nothing_more(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    with shop(None, seconds=0.2) as running:
        put_plan(database, running.url)
        hold = laid_out(database, settings, blobs)
        with at_work(hold, settings, blobs) as worker:
            (run,) = runs(database)
            with database.writing() as session:
                # As the next worker's crawl does after a lease was lost.
                session.execute(update(Shard).values(holder="another"))
                before = session.scalar(select(func.count()).select_from(Listing))
                session.execute(update(Job).values(fence=Job.fence + 1))
            worker.join(timeout=30)
            assert not worker.is_alive()
            assert crawls(database, run.id) == []
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Listing)) == before
        (shard,) = session.scalars(select(Shard))
        assert (shard.state, shard.holder) == ("running", "another")


@both
def test_a_run_that_fails_is_noted_and_not_tried_again(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    with shop() as gone:
        pass
    put_plan(database, gone.url)
    hold = claimed(database)
    watch_job(hold, settings, blobs)
    row = due_run(database)
    assert row.state == "failed"
    assert "does not answer" in (row.note or "")
    assert row.run_id is None
    with database.reading() as session:
        assert session.get_one(Job, hold.claim.job_id).state == "done"


@sqlite
def test_a_marketplace_that_is_dead_leaves_the_others_to_the_workers(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    with shop() as running:
        plan_id = put_plan(database, running.url)
        with database.writing() as session:
            dead = Marketplace(name="dead", kind="bazaar", url="http://127.0.0.1:9/")
            session.get_one(Plan, plan_id).marketplaces.append(dead)
        crawl_job(laid_out(database, settings, blobs), settings, blobs)
    row, (run,) = due_run(database), runs(database)
    assert (row.state, run.state, run.stats["listings"]) == ("failed", "failed", 6)
    assert "1 of 2 shards failed: marketplace http://127.0.0.1:9/: " in (run.error or "")
    with database.reading() as session:
        assert session.scalars(select(Job).where(Job.kind == "crawl")).one().state == "done"
        assert session.scalars(select(PlanHold)).all() == []


@sqlite
def test_a_crawl_that_fails_is_noted_with_its_run(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    with shop() as running:
        put_plan(database, running.url, browse=["http://elsewhere.example/c"])
        crawl_job(laid_out(database, settings, blobs), settings, blobs)
    row, (run,) = due_run(database), runs(database)
    assert (row.state, row.run_id, run.state) == ("failed", run.id, "failed")
    assert run.error
    assert run.error in (row.note or "")


@both
def test_a_plan_that_is_running_is_not_run_twice(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    plan_id = put_plan(database, "http://127.0.0.1:9/")
    with database.writing() as session:
        assert planholds.take(session, plan_id, "somebody")
        assert not planholds.take(session, plan_id, "somebody else")
    with pytest.raises(TouchstoneError, match="is running since"):
        next(run_now(settings, database, plan_id))
    watch_job(claimed(database), settings, blobs)
    assert due_run(database).state == "coalesced"
    assert runs(database) == []
    # Who has said nothing for long is gone.
    with database.writing() as session:
        session.execute(update(PlanHold).values(until=utcnow() - timedelta(seconds=1)))
        assert planholds.take(session, plan_id, "somebody else")
        assert planholds.still_held(session, plan_id, "somebody") is not None
        planholds.release(session, plan_id, "somebody")
        assert planholds.still_held(session, plan_id, "somebody else") is None


@both
def test_what_waits_is_called_off(database: Database, settings: Settings, blobs: Blobs) -> None:
    put_plan(database, "http://127.0.0.1:9/")
    hold = claimed(database)
    with database.writing() as session:
        stopped = planholds.stop(session, "Ada")
    assert (list(stopped.running), stopped.waiting) == ([], 1)
    watch_job(hold, settings, blobs)
    row = due_run(database)
    assert (row.state, row.note) == ("stopped", "stopped by Ada before it began")
    assert runs(database) == []


def closed_now(now: datetime) -> str:
    """Opening hours of two hours, six hours from now; UTC."""
    opens = now + timedelta(hours=6)
    return f"{opens:%H}:00-{(opens + timedelta(hours=2)):%H}:00"


@both
def test_outside_its_hours_a_run_waits_for_them(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    put_plan(database, "http://127.0.0.1:9/", opening_hours=[closed_now(utcnow())])
    # It was due while they were open, and its worker comes only now.
    with database.writing() as session:
        plan = session.scalars(select(Plan)).one()
        row = DueRun(plan_id=plan.id, due_at=utcnow(), starts_at=utcnow())
        plan.next_due_at = None
        session.add(row)
        session.flush()
        row.job_id = jobs.enqueue(session, "watch", {"due_run_id": str(row.id)})
    hold = claimed(database)
    watch_job(hold, settings, blobs)
    row = due_run(database)
    assert row.state == "queued"
    assert row.starts_at > utcnow() + timedelta(hours=4)
    assert "waits for its opening hours" in (row.note or "")
    with database.reading() as session:
        assert session.get_one(Job, hold.claim.job_id).state == "done"
        later = session.get_one(Job, row.job_id)
    assert (later.state, later.available_at) == ("queued", row.starts_at)
    assert later.payload == hold.claim.payload


@sqlite
def test_a_person_runs_a_plan_and_another_stops_it(database: Database, settings: Settings) -> None:
    with shop(None, seconds=0.2) as running:
        plan_id = put_plan(database, running.url)
        progress = run_now(settings, database, plan_id)
        while not next(progress).pages:
            pass
        with database.writing() as session:
            planholds.stop(session, "Ada")
        with pytest.raises(RunStopped, match="stopped by Ada"):
            list(progress)
    (run,) = runs(database)
    assert (run.state, run.error) == ("stopped", "stopped by Ada")
    assert crawls(database, run.id) == []
    with database.reading() as session:
        assert session.scalars(select(PlanHold)).all() == []


@sqlite
def test_a_run_ends_with_its_opening_hours(
    database: Database, settings: Settings, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(None, seconds=0.2) as running:
        put_plan(database, running.url, opening_hours=["00:00-12:00"])
        noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
        # The clock that the plan's hours are held against stands just before they end.
        now = [noon - timedelta(minutes=1)]
        monkeypatch.setattr(watching, "utcnow", lambda: now[0])
        hold = laid_out(database, settings, blobs)
        with at_work(hold, settings, blobs) as worker:
            now[0] = noon
            worker.join(timeout=30)
            assert not worker.is_alive()
    row, (run,) = due_run(database), runs(database)
    assert (row.state, run.state, run.error) == ("stopped", "stopped", "its opening hours are over")
    assert crawls(database, run.id) == []


@sqlite
def test_a_crawl_does_not_outlive_who_began_it(database: Database, settings: Settings) -> None:
    with shop(None, seconds=0.2) as running:
        plan_id = put_plan(database, running.url)
        code = (
            "import sys; from uuid import UUID; from registry.database import Database; "
            "from registry.settings import load_settings; from workers.watching import run_now; "
            "s = load_settings(); list(run_now(s, Database(s.database), UUID(sys.argv[1])))"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(plan_id)],
            env={
                **os.environ,
                "TOUCHSTONE_DATA_DIR": str(settings.data_dir),
                "TOUCHSTONE_DATABASE_URL": settings.database,
                "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            },
        )
        try:
            wait_until(lambda: bool(runs(database)) and bool(runs(database)[-1].stats), "a page")
        finally:
            process.kill()
            process.wait()
        (run,) = runs(database)
        wait_until(lambda: not crawls(database, run.id), "the end of the crawl")
    assert run.state == "running"
    with database.writing() as session:
        # Nobody has said so yet; whoever takes the plan next does, and need not wait.
        assert planholds.take(session, plan_id, "the next")
    assert runs(database)[0].state == "failed"


@sqlite
def test_a_process_that_was_killed_holds_nothing(database: Database) -> None:
    plan_id = put_plan(database, "http://127.0.0.1:9/")
    lost = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = f"{socket.gethostname()}:{lost.pid}:x"
    try:
        with database.writing() as session:
            assert planholds.take(session, plan_id, holder)
        with database.writing() as session:
            assert not planholds.take(session, plan_id, "elsewhere:1:y")
    finally:
        lost.kill()
        lost.wait()
    with database.writing() as session:
        assert planholds.take(session, plan_id, "elsewhere:1:y")
        assert not planholds.take(session, plan_id, "elsewhere:1:z")
