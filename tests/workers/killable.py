"""A worker as a process of its own, which says how far it is, so that it can be killed there.

The processes come from a fork server that has imported everything once, or each of the many
that are killed would cost seconds of imports.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest

from purchases import ordering
from purchases.buying.outcome import Outcome
from registry import jobs
from registry.blobs import Blobs, open_blobs
from registry.database import Database
from registry.money import Money
from registry.settings import Settings
from tests.workers.effects import note
from workers.runner import WorkerProcess, serve_until_signalled

#: How long a click takes before and after the order goes out: a window that a kill can hit.
CLICK_SECONDS = 0.3

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


class Handlers:
    """What the killable worker does for each kind of job."""

    def __init__(self, folder: Path, reports: Connection) -> None:
        self._folder = folder
        self._reports = reports
        self._lock = threading.Lock()

    def say(self, mark: str, job_id: UUID | None = None) -> None:
        """Tell the test how far this process is."""
        with self._lock:
            self._reports.send((mark, job_id))

    def effect(self, hold: jobs.Hold, _settings: Settings, _blobs: Blobs) -> None:
        """An effect outside, at least once, and one in the database, exactly once."""
        job_id = hold.claim.job_id
        self.say("claimed", job_id)
        append(self._folder / "outside", job_id)
        time.sleep(0.005 + job_id.int % 30 / 1000)
        with hold.finishing() as session:
            note(session, hold.claim)
            session.flush()
            self.say("written", job_id)
        self.say("ended", job_id)

    def slow(self, hold: jobs.Hold, settings: Settings, _blobs: Blobs) -> None:
        """A job that is in hand for a while."""
        job_id = hold.claim.job_id
        self.say("claimed", job_id)
        time.sleep(settings.lease_seconds / 3)
        try:
            with hold.finishing({"fence": hold.claim.fence}) as session:
                note(session, hold.claim)
        except jobs.LeaseLost:
            self.say("lost", job_id)
            raise
        self.say("ended", job_id)


class Clicker(ordering.Buyer):
    """The buyer of `purchases.ordering` without its browser: intent, click, outcome."""

    handlers: ClassVar[Handlers]
    log: ClassVar[Path]

    async def buy(self) -> Outcome:
        """Order at once."""
        job_id = self.hold.claim.job_id
        self.handlers.say("claimed", job_id)
        await asyncio.to_thread(self._intend)
        self.handlers.say("intended", job_id)
        await asyncio.sleep(CLICK_SECONDS)
        append(self.log, self.purchase_id)
        self.handlers.say("ordered", job_id)
        await asyncio.sleep(CLICK_SECONDS)
        return Outcome("ordered", number="1", total=Money(Decimal(1), "EUR"))


def append(path: Path, job_id: UUID) -> None:
    """Add a line in one write, which a kill cannot tear."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{job_id}\n".encode())
    finally:
        os.close(descriptor)


def appended(path: Path) -> list[UUID]:
    """The lines that `append` wrote."""
    return [UUID(line) for line in path.read_text().splitlines()] if path.exists() else []


def work(settings: Settings, folder: Path, reports: Connection) -> None:
    """Be a worker until SIGTERM or the end of all things."""
    handlers = Handlers(folder, reports)
    Clicker.handlers, Clicker.log = handlers, folder / "orders"
    ordering.Buyer = Clicker  # type: ignore[misc]
    worker = WorkerProcess(
        settings,
        Database(settings.database),
        open_blobs(settings.evidence_store),
        {
            "effect": handlers.effect,
            "slow": handlers.slow,
            "purchase": ordering.purchase_job,
        },
    )
    handlers.say("ready")
    serve_until_signalled(worker)


class Killable:
    """A running worker process, seen from the test."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.reports, theirs = _context.Pipe(duplex=False)
        self.process: Any = _context.Process(
            target=work, args=(settings, folder, theirs), daemon=True
        )
        self.process.start()
        theirs.close()

    def wait_for(self, mark: str, number: int = 1, patience: float = 120.0) -> UUID | None:
        """Wait for a mark to be told so many times; the job of the last one."""
        deadline = time.monotonic() + patience
        while self.reports.poll(max(0.0, deadline - time.monotonic())):
            told, job_id = self.reports.recv()
            if told == mark:
                number -= 1
                if not number:
                    found: UUID | None = job_id
                    return found
        pytest.fail(f"the worker never said {mark!r}")

    def drain(self) -> None:
        """Read what was told, or the pipe fills up and the worker waits for its reader."""
        while self.reports.poll():
            try:
                self.reports.recv()
            except EOFError:
                return

    def kill(self) -> bool:
        """SIGKILL; whether it lived until then."""
        lived = self.process.exitcode is None
        self.process.kill()
        self.process.join()
        self.reports.close()
        return lived

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        while self.process.exitcode is None:
            self.drain()
            self.process.join(0.05)
        code: int = self.process.exitcode
        self.reports.close()
        return code


@contextmanager
def killable(settings: Settings, folder: Path) -> Iterator[Killable]:
    """A worker process that is gone at the end of the block, one way or another."""
    worker = Killable(settings, folder)
    try:
        yield worker
    finally:
        if worker.process.exitcode is None:
            worker.kill()
