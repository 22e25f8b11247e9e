"""Watching by a plan: a look beforehand, then a run in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit
from uuid import UUID

from crawler.browser import launches
from crawler.gate import Forbidden, Gate
from crawler.marketplaces import KINDS
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Run
from registry.models.base import utcnow
from registry.settings import Settings

MIN_FREE_BYTES = 64 << 20
PREFLIGHT_SECONDS = 15
PREFLIGHT_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
#: Far more than a page may take with all its tries: a run that stands still so long is ended.
STALLED_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    pages: int = 0
    listings: int = 0
    new: int = 0
    unchanged: int = 0
    errors: int = 0


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
        Gate(settings.allowed_private_hosts).check(url)
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


def watch(settings: Settings, database: Database, plan_id: UUID) -> Iterator[Progress]:
    """Run a plan and tell how far it is.

    Raises
    ------
    TouchstoneError
        If the run failed; what it saw until then is kept.
    """
    with database.writing() as session:
        run = Run(plan_id=plan_id)
        session.add(run)
        session.flush()
        run_id = run.id
    last: dict[str, Any] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "crawler", str(run_id)],
            env={**os.environ, **_environment(settings)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Its browser dies with it: the whole group is ended.
            start_new_session=True,
        )
        error = "the crawl was interrupted"
        moved_at = time.monotonic()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                try:
                    counts = json.loads(line)
                except ValueError:
                    continue  # something in there prints; it is not ours
                if counts != last:
                    last, moved_at = counts, time.monotonic()
                elif time.monotonic() - moved_at > STALLED_SECONDS:
                    error = f"no page, good or bad, in {STALLED_SECONDS:.0f} seconds"
                    break
                yield _progress(last)
            else:
                code = process.wait()
                log.seek(0)
                error = _error(code, last, log.read())
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            with database.writing() as session:
                ended = session.get_one(Run, run_id)
                ended.finished_at = utcnow()
                ended.state = "failed" if error else "finished"
                ended.error = error or None
                ended.stats = last
    if error:
        raise TouchstoneError(f"watch: {error}; what was seen until then is kept")


def _environment(settings: Settings) -> dict[str, str]:
    """The settings in force, for the child: they may have come from anywhere."""
    return {
        "TOUCHSTONE_DATA_DIR": str(settings.data_dir),
        "TOUCHSTONE_DATABASE_URL": settings.database,
        "TOUCHSTONE_EVIDENCE_STORE_URL": settings.evidence_store,
        "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": ",".join(settings.allowed_private_hosts),
        **({"TOUCHSTONE_BROWSER": settings.browser} if settings.browser else {}),
    }


def _progress(counts: dict[str, Any]) -> Progress:
    names = ("pages", "listings", "new", "unchanged", "errors")
    return Progress(**{name: int(counts.get(name, 0)) for name in names})


def _error(code: int, last: dict[str, Any], log: str) -> str:
    if code == 0:
        return ""
    lines = [line for line in log.strip().splitlines() if line.strip()]
    detail = lines[-1] if lines else f"it ended with code {code}"
    if last.get("done") and not last.get("pages"):
        return f"the marketplace gave no page: {detail}"
    return detail
