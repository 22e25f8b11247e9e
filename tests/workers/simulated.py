"""Schedulers as processes of their own under a simulated clock, so that they can be killed.

The clock is eight bytes in a file. The processes come from a fork server that has imported
everything once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from registry.database import Database
from workers.scheduler import Scheduler

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])

#: How often a simulated scheduler looks at the clock, in real seconds.
LOOK_SECONDS = 0.01


class Clock:
    """A clock that a test sets and processes read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def set(self, now: datetime) -> None:
        """Turn the clock; a reader sees it before or after, never in between."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, struct.pack("q", int(now.timestamp())), 0)
        finally:
            os.close(descriptor)

    def __call__(self) -> datetime:
        """The simulated time."""
        (seconds,) = struct.unpack("q", self.path.read_bytes())
        return datetime.fromtimestamp(seconds, UTC)


def schedule(url: str, path: Path) -> None:
    """Be a scheduler under a simulated clock, until it is killed or told to stop."""
    scheduler = Scheduler(Database(url), clock=Clock(path), poll_seconds=LOOK_SECONDS)

    def halt(_number: int, _frame: FrameType | None) -> None:
        scheduler.stop()

    signal.signal(signal.SIGTERM, halt)
    scheduler.start()
    scheduler.join()


class Schedulers:
    """Some scheduler processes, seen from the test."""

    def __init__(self, url: str, clock: Clock, number: int) -> None:
        self._url, self._clock, self._number = url, clock, number
        self._processes: list[Any] = []
        self.kills = 0
        self.fill()

    def fill(self) -> None:
        """Start as many as are missing."""
        while len(self._processes) < self._number:
            process = _context.Process(
                target=schedule, args=(self._url, self._clock.path), daemon=True
            )
            process.start()
            self._processes.append(process)

    def kill(self, which: int) -> None:
        """SIGKILL one."""
        process = self._processes.pop(which % len(self._processes))
        assert process.exitcode is None, "it has ended by itself"
        process.kill()
        process.join()
        self.kills += 1

    def kill_all(self) -> None:
        """SIGKILL every one."""
        while self._processes:
            self.kill(0)

    def end(self) -> list[int]:
        """SIGTERM; their exit codes."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()
        codes = [process.exitcode for process in self._processes]
        self._processes.clear()
        return codes


@contextmanager
def schedulers(url: str, clock: Clock, number: int) -> Iterator[Schedulers]:
    """Scheduler processes that are gone at the end of the block, one way or another."""
    running = Schedulers(url, clock, number)
    try:
        yield running
    finally:
        running.kill_all()
