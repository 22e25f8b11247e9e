"""Jobs through the outbox, beside the same messages through Dramatiq alone.

What is paid for is that no job is lost, whatever forgets or dies: rows, claims and ends are
transactions on disk, where Dramatiq's in-memory broker writes nothing at all.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import dramatiq
from dramatiq.brokers.stub import StubBroker

from benchmarks.measure import Result, in_turn
from registry import jobs
from registry.blobs import Blobs, open_blobs
from registry.database import Database
from registry.settings import Settings
from workers.runner import WorkerProcess

JOBS = 400


def run() -> Iterator[Result]:
    """Embedded broker and SQLite, which is the default."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), worker_threads=2)
        database = Database(settings.database)
        database.migrate()
        blobs = open_blobs(settings.evidence_store)
        mine, theirs, ratio = in_turn(lambda: _ours(settings, database, blobs), _theirs, rounds=3)
        database.close()
    yield Result(
        f"{JOBS} empty jobs, enqueued in one transaction and worked off",
        f"{JOBS / mine:.0f} jobs/s, each a row, claimed, ended under its fence",
        f"Dramatiq alone, in memory: {JOBS / theirs:.0f} messages/s",
        ratio,
    )


def _ours(settings: Settings, database: Database, blobs: Blobs) -> None:
    def nothing(hold: jobs.Hold, _settings: Settings, _blobs: Blobs) -> None:
        with hold.finishing():
            pass

    with database.writing() as session:
        for number in range(JOBS):
            jobs.enqueue(session, "nothing", {"n": number})
    worker = WorkerProcess(settings, database, blobs, {"nothing": nothing})
    worker.run_until_idle(lambda _: None)


def _theirs() -> None:
    broker, done = StubBroker(), threading.Semaphore(0)

    @dramatiq.actor(broker=broker)
    def nothing(_number: int) -> None:
        done.release()

    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    for number in range(JOBS):
        nothing.send(number)
    for _ in range(JOBS):
        done.acquire()
    worker.stop()
