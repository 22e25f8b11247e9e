"""A worker that captures, as a process of its own that can be killed, and what it leaves behind."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from evidence.jobs import capture_job
from registry import jobs
from registry.blobs import open_blobs
from registry.database import Database
from registry.models import Assessment, Brand, Listing, Marketplace, Plan, Snapshot
from registry.settings import Settings
from tests.pictures import jpeg
from workers.runner import WorkerProcess, serve_until_signalled

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])

PICTURE = jpeg(3, 60)


def _work(settings: Settings, temporary: Path) -> None:
    os.environ["TMPDIR"] = str(temporary)
    tempfile.tempdir = None
    # As many captures at once as a larger machine makes: each kill meets all of them.
    os.cpu_count = lambda: settings.worker_threads
    worker = WorkerProcess(
        settings,
        Database(settings.database),
        open_blobs(settings.evidence_store),
        {"capture": capture_job},
    )
    serve_until_signalled(worker)


def start(settings: Settings, temporary: Path) -> Any:
    """Start a worker; a `multiprocessing.Process`."""
    process = _context.Process(target=_work, args=(settings, temporary), daemon=True)
    process.start()
    return process


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and these in turn."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    left = [pid]
    while left:
        for child in children.get(left.pop(), []):
            found.add(child)
            left.append(child)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those of them that still run; one that only waits for its parent does not."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in ("Z", "X"):
            found.add(pid)
    return found


def flag(database: Database, url: str, number: int, first: int = 0) -> set[UUID]:
    """Flagged listings of a shop, each with its job; the ids of their assessments."""
    made = set()
    with database.writing() as session:
        plan = session.scalar(select(Plan))
        if plan is None:
            plan = Plan(
                name="p", brand=Brand(slug="velaro", name="Velaro", owner="V"),
                marketplaces=[Marketplace(name="m", kind="bazaar", url=url)],
                queries=["q"], browse=[], threshold=0.6, max_pages=9,
            )  # fmt: skip
            session.add(plan)
            session.flush()
        for place in range(first, first + number):
            listing = Listing(
                marketplace_id=plan.marketplaces[0].id,
                external_id=str(place),
                url=f"{url}/item/{place}/tote",
            )
            session.add(listing)
            session.flush()
            snapshot = Snapshot(
                listing_id=listing.id, content_sha256=f"{place:064x}", title="Tote", description=""
            )
            session.add(snapshot)
            session.flush()
            assessment = Assessment(
                snapshot_id=snapshot.id, plan_id=plan.id, brand_id=plan.brand_id, score=0.9,
                threshold=0.6, flagged=True, result={"signals": []}, inputs={},
            )  # fmt: skip
            session.add(assessment)
            session.flush()
            jobs.enqueue(session, "capture", {"assessment_id": str(assessment.id)})
            made.add(assessment.id)
    return made


@contextmanager
def tiny_shop() -> Iterator[str]:
    """Listings of one picture each; the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            page = (
                f"<!doctype html><title>Tote</title><h1 class=title>Tote {self.path}</h1>"
                "<p class=price>€ 39,00</p><img src=/picture.jpg>"
            ).encode()
            picture = self.path.endswith(".jpg")
            body = PICTURE if picture else page
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg" if picture else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
