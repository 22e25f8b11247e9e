"""Watching by a plan: its shards, each crawled in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from crawler.crawling import runs
from crawler.ways_in.links import visit_link_pages
from registry.blobs import open_blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Run
from registry.settings import Settings

#: Far more than a page may take with all its tries: a run that stands still so long is ended.
STALLED_SECONDS = 600.0
#: So often is looked whether a run must stop, whatever its crawl does.
SILENT_SECONDS = 1.0
#: A crawl that is killed is taken up again so often.
MAX_LOSSES = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    pages: int = 0
    listings: int = 0
    new: int = 0
    unchanged: int = 0
    errors: int = 0


class RunStopped(TouchstoneError):
    """A run that was ended before its end; what it saw is kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; what was seen until then is kept")
        self.reason = reason


class CrawlFailed(TouchstoneError):
    """A crawl that came to nothing; what it saw until then is kept."""


#: Told how far a run is; raises `RunStopped` if it must end.
Look = Callable[[UUID, Progress], None]


def watch(
    settings: Settings,
    database: Database,
    plan_id: UUID,
    *,
    everything: bool = False,
    wrong: Mapping[str, str] = MappingProxyType({}),
    look: Look = lambda _run_id, _progress: None,
) -> Iterator[Progress]:
    """Run a plan, one shard after the other, and tell how far it is.

    Parameters
    ----------
    everything
        Whether known listings are visited that are not due, and read unchanged or not.
    wrong
        Marketplaces that cannot be watched now, and why (`crawler.crawling.ahead`).
    look
        Called again and again; ends the run by `RunStopped`.

    Raises
    ------
    RunStopped
        If it was stopped.
    TouchstoneError
        If the run failed; what it saw until then is kept.
    """
    with database.writing() as session:
        run_id = runs.begin(session, plan_id, everything=everything, wrong=wrong).id
        shards = runs.shards_of(session, run_id)
        shard_ids = [shard.id for shard in shards if shard.state not in runs.ENDED]
    state, error = "failed", "the crawl was interrupted"
    try:
        visit_link_pages(settings, database, plan_id, lambda: look(run_id, Progress()))
        for shard_id in shard_ids:
            with database.reading() as session:
                before = runs.tally(runs.shards_of(session, run_id))
            try:
                # It is a generator, and closing it ends the crawl's whole process group.
                with closing(crawl(settings, database, shard_id)) as crawling:
                    for counts in crawling:
                        progress = _progress(before, counts)
                        yield progress
                        look(run_id, progress)
            except CrawlFailed as failed:
                with database.writing() as session:
                    runs.end_shard(session, shard_id, "failed", str(failed))
            else:
                with database.writing() as session:
                    runs.end_shard(session, shard_id, "finished")
        error = ""
    except RunStopped as stopped:
        state, error = "stopped", stopped.reason
        raise
    finally:
        if error:
            with database.writing() as session:
                runs.end_all(session, run_id, state, error)
        runs.close(database, open_blobs(settings.evidence_store), run_id)
    with database.reading() as session:
        run = session.get_one(Run, run_id)
        yield _progress({}, run.stats)
        if run.state == "failed":
            raise TouchstoneError(f"watch: {run.error}; what was seen until then is kept")


def crawl(settings: Settings, database: Database, shard_id: UUID) -> Generator[dict[str, Any]]:
    """Crawl a shard in a process of its own, and tell its counts; taken up again if killed.

    Raises
    ------
    CrawlFailed
        If it came to nothing, or was killed too often.
    """
    with database.writing() as session:
        runs.begun(session, shard_id)
    for _ in range(MAX_LOSSES):
        code, error = yield from _crawl_once(settings, shard_id)
        if code >= 0:
            if error:
                raise CrawlFailed(error)
            return
    raise CrawlFailed(f"its process was killed {MAX_LOSSES} times")


def _crawl_once(
    settings: Settings, shard_id: UUID
) -> Generator[dict[str, Any], None, tuple[int, str]]:
    """One process: its exit code, negative for a signal, and what went wrong."""
    last: dict[str, Any] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "crawler", str(shard_id)],
            env={**os.environ, **_environment(settings)},
            stdout=subprocess.PIPE,
            stderr=log,
            # Its browser dies with it: the whole group is ended.
            start_new_session=True,
        )
        moved_at = time.monotonic()
        try:
            for line in _lines(process):
                try:
                    counts = last if line is None else json.loads(line)
                except ValueError:
                    continue  # something in there prints; it is not ours
                # It moves as well while a person is asked, or a host's own pace has it wait.
                waits = counts.get("asking") or counts.get("held")
                if counts != last or (line is not None and waits):
                    last, moved_at = counts, time.monotonic()
                elif time.monotonic() - moved_at > STALLED_SECONDS:
                    return 1, f"no page, good or bad, in {STALLED_SECONDS:.0f} seconds"
                yield last
            code = process.wait()
            log.seek(0)
            return code, _error(code, last, log.read())
        finally:
            # Whatever of its group is left: a browser outlives a crawl that was killed.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes | None]:
    """What a process prints, line by line; None for each second in which it does not."""
    assert process.stdout is not None
    pipe, rest = process.stdout.fileno(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(SILENT_SECONDS):
                yield None
                continue
            chunk = os.read(pipe, 1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines


def _environment(settings: Settings) -> dict[str, str]:
    """The settings in force, for the child: they may have come from anywhere."""
    said: dict[str, Any] = {
        "DATA_DIR": settings.data_dir,
        "DATABASE_URL": settings.database,
        "EVIDENCE_STORE_URL": settings.evidence_store,
        "ALLOWED_PRIVATE_HOSTS": ",".join(settings.allowed_private_hosts),
        "ALLOWED_PORTS": ",".join(map(str, settings.allowed_ports)),
        "REQUESTS_PER_SECOND": settings.requests_per_second,
        "REQUESTS_AT_ONCE": settings.requests_at_once,
        "TAKEOVER_BIND": settings.takeover_bind,
        "BROWSER": settings.browser,
        "SECRETS_KEY": settings.secrets_key,
        "USER_AGENT_URL": settings.user_agent_url,
    }
    return {f"TOUCHSTONE_{name}": str(value) for name, value in said.items() if value is not None}


def _progress(before: dict[str, Any], counts: dict[str, Any]) -> Progress:
    names = ("pages", "listings", "new", "unchanged", "errors")
    return Progress(**{n: int(before.get(n, 0) + counts.get(n, 0)) for n in names})


def _error(code: int, last: dict[str, Any], log: str) -> str:
    if code == 0:
        return ""
    lines = [line for line in log.strip().splitlines() if line.strip()]
    detail = lines[-1] if lines else f"it ended with code {code}"
    if last.get("done") and not last.get("pages"):
        return f"the marketplace gave no page: {detail}"
    return detail
