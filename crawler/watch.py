"""Watching by a plan: a look beforehand, then its shards, each crawled in a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit
from uuid import UUID

from crawler import runs
from crawler.browser import launches
from crawler.gate import Forbidden, gate_of
from crawler.links import visit_link_pages
from crawler.marketplaces import KINDS
from crawler.marketplaces.interfaces import facing
from registry.blobs import open_blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Plan, Run
from registry.settings import Settings

MIN_FREE_BYTES = 64 << 20
PREFLIGHT_SECONDS = 15
PREFLIGHT_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
#: Far more than a page may take with all its tries: a run that stands still so long is ended.
STALLED_SECONDS = 600.0
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


def to_visit(plan: Plan) -> list[tuple[str, str, bool]]:
    """What `preflight` has to look at before a run: kind, address, whether it is searched.

    A marketplace that is read by its API is not knocked at: what the token is worth, the run
    will see.

    Raises
    ------
    TouchstoneError
        If an API is asked for and there is no token.
    """
    found = []
    for place in plan.places:
        market = place.marketplace
        if facing(KINDS[market.kind], market.url, place.interface).interface == "pages":
            queries = plan.queries if place.queries is None else place.queries
            found.append((market.kind, market.url, bool(queries) or plan.generate > 0))
    return found


def preflight(settings: Settings, kind: str, url: str, *, queries: bool, captures: bool) -> None:
    """Make sure, before anything is written, that a run can begin.

    Parameters
    ----------
    queries
        Whether the plan searches, which some marketplaces answer only to a browser.
    captures
        Whether what is flagged will be captured by this process, in a browser.

    Raises
    ------
    TouchstoneError
        If the marketplace may not be visited, does not answer or leads to another host, if
        the browser that is needed is missing or does not start, or if the disk is all but
        full.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    if free < MIN_FREE_BYTES:
        raise TouchstoneError(
            f"disk: {free >> 20} MB are free in {settings.data_dir}, a run needs at least "
            f"{MIN_FREE_BYTES >> 20}: free some space, or move the data directory"
        )
    try:
        gate_of(settings).check(url)
    except Forbidden as forbidden:
        raise TouchstoneError(f"marketplace {forbidden}") from forbidden
    if captures or (queries and KINDS[kind].search_in_browser):
        launches(settings.browser)
    here = url
    for _ in range(PREFLIGHT_REDIRECTS):
        status, there = _knock(here)
        # A busy answer to one knock says little; the run itself is patient.
        if status >= 500 and status != 503:
            raise TouchstoneError(f"marketplace {url} answers {status}: is it the right address?")
        if there is None:
            return
        if urlsplit(there).netloc != urlsplit(url).netloc:
            # The run stays on the host of the plan, and would see nothing.
            where = " ".join(there.split())[:200]
            raise TouchstoneError(f"marketplace {url} leads to {where}: name that in the plan")
        here = there


def _knock(url: str) -> tuple[int, str | None]:
    """The status of an address and where it leads, if elsewhere.

    Raises
    ------
    TouchstoneError
        If it does not answer.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    secure = parts.scheme == "https"
    make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = make(host, port, timeout=PREFLIGHT_SECONDS)
    try:
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("GET", path, headers={"User-Agent": "Touchstone/0.1"})
        response = connection.getresponse()
        link = response.getheader("Location") if response.status in REDIRECTS else None
        return response.status, urljoin(url, link) if link else None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise TouchstoneError(f"marketplace {url} does not answer: {reason}") from error
    finally:
        connection.close()


def watch(
    settings: Settings,
    database: Database,
    plan_id: UUID,
    *,
    everything: bool = False,
    look: Look = lambda _run_id, _progress: None,
) -> Iterator[Progress]:
    """Run a plan, one shard after the other, and tell how far it is.

    Parameters
    ----------
    everything
        Whether known listings are visited that are not due, and read unchanged or not.
    look
        Called again and again; ends the run by `RunStopped`.

    Raises
    ------
    RunStopped
        If it was stopped.
    TouchstoneError
        If the run failed; what it saw until then is kept.
    """
    visit_link_pages(settings, database, plan_id)
    with database.writing() as session:
        run_id = runs.begin(session, plan_id, everything=everything).id
        shard_ids = [shard.id for shard in runs.shards_of(session, run_id)]
    state, error = "failed", "the crawl was interrupted"
    try:
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
            text=True,
            # Its browser dies with it: the whole group is ended.
            start_new_session=True,
        )
        moved_at = time.monotonic()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                try:
                    counts = json.loads(line)
                except ValueError:
                    continue  # something in there prints; it is not ours
                if counts != last or counts.get("asking"):
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
