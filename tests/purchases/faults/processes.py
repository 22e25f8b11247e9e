"""Workers as `python -m workers` runs them, with shorter waits; whose connection it is; browsers.

The processes come from a fork server that has imported everything once, or each of the many
that are killed would cost seconds of imports.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.capturing import recorder
from purchases.buying import outcome, walking
from registry import jobs
from registry.blobs import open_blobs
from registry.database import Database
from registry.settings import Settings
from workers.runner import WorkerProcess, serve_until_signalled

#: How long a page of the checkout and the outcome are waited for here; the shop's `HANG_SECONDS`
#: are longer and its `SLOW_SECONDS` shorter.
STEP_SECONDS = 8.0
OUTCOME_SECONDS = 8.0

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


def work(settings: Settings) -> None:
    """Be a worker until SIGTERM or the end of all things."""
    walking.STEP_MILLISECONDS = int(STEP_SECONDS * 1000)
    outcome.OUTCOME_SECONDS = OUTCOME_SECONDS
    recorder.QUIET_SECONDS = 1.0
    jobs.BACKOFF_SECONDS = 0.2
    database = Database(settings.database)
    database.ready()
    serve_until_signalled(WorkerProcess(settings, database, open_blobs(settings.evidence_store)))


class Workers:
    """So many worker processes; whoever dies is followed by another.

    Attributes
    ----------
    died
        How many were killed so far.
    """

    def __init__(self, settings: Settings, number: int) -> None:
        self._settings = settings
        self._running: list[Any] = [self._start() for _ in range(number)]
        self.died = 0

    def _start(self) -> Any:
        process = _context.Process(target=work, args=(self._settings,), daemon=True)
        process.start()
        return process

    def tend(self) -> None:
        """Put another in the place of each that died.

        Raises
        ------
        AssertionError
            If one ended of itself.
        """
        for place, process in enumerate(self._running):
            if process.exitcode is not None:
                assert process.exitcode == -signal.SIGKILL, "a worker ended that nobody killed"
                self.died += 1
                self._running[place] = self._start()

    def end(self) -> list[int]:
        """SIGTERM to all; their exit codes."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.join(60)
        return [process.exitcode for process in self._running]

    def close(self) -> None:
        """End them, whatever they do."""
        for process in self._running:
            process.kill()
            process.join()


def owner(port: int) -> int | None:
    """The process that has the TCP connection from this port of 127.0.0.1 (Linux)."""
    address = f"0100007F:{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == address:
            return _holder(f"socket:[{fields[9]}]")
    return None


def _holder(socket: str) -> int | None:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                for descriptor in (folder / "fd").iterdir():
                    with contextlib.suppress(OSError):
                        if str(descriptor.readlink()) == socket:
                            return int(folder.name)
    return None


def browsers(pid: int) -> list[int]:
    """The Chromium processes under a worker that are no child of another Chromium."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    names: dict[int, str] = {}
    for child, name, parent in _processes():
        children[parent].append(child)
        names[child] = name
    found, waiting = [], [pid]
    while waiting:
        for child in children[waiting.pop()]:
            if "chrom" in names[child]:
                found.append(child)
            else:
                waiting.append(child)
    return found


def _processes() -> Iterator[tuple[int, str, int]]:
    """Each process: its number, name and parent."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                number, _, rest = (folder / "stat").read_text().partition(" (")
                name, _, fields = rest.rpartition(") ")
                if fields[0] != "Z":
                    yield int(number), name, int(fields.split()[1])


def kill(pid: int) -> bool:
    """SIGKILL; whether it was there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def left(pids: set[int], seconds: float) -> set[int]:
    """Which of some processes live on after so long; it is not waited longer than needed."""
    deadline = time.monotonic() + seconds
    while alive := pids & {pid for pid, _, _ in _processes()}:
        if time.monotonic() > deadline:
            return alive
        time.sleep(0.1)
    return set()
