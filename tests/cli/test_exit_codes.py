"""A job that dies while a command works it off makes the command end with exit code 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from console.cli.app import app
from purchases.proposals import propose
from registry import jobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment, Job
from registry.settings import Settings
from tests.cli.conftest import Touchstone
from tests.purchases import staff
from tests.purchases.conftest import flagged


class Empty(BaseHTTPRequestHandler):
    """A shop that has nothing."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_only_jobs_that_die_meanwhile_count(touchstone: Touchstone, data_dir: Path) -> None:
    assert touchstone("init").code == 0
    database = Database(f"sqlite:///{data_dir / 'touchstone.db'}")
    with database.writing() as session:
        jobs.enqueue(session, "assess", {})  # says nothing about what
        session.execute(update(Job).values(failures=jobs.MAX_FAILURES - 1))
    database.close()
    died = touchstone("work", "--until-idle", "--json")
    assert died.code == 1
    assert died.json == {"queued": 0, "running": 0, "done": 0, "dead": 1}
    assert "touchstone: 1 job has died" in died.err
    assert "touchstone job list --state dead" in died.err
    again = touchstone("work", "--until-idle")
    assert (again.code, again.out) == (0, "")


def test_a_purchase_whose_job_dies(
    shop: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTONE_DATA_DIR", str(data_dir))
    monkeypatch.setenv("TOUCHSTONE_ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setattr(jobs, "BACKOFF_SECONDS", 0.02)

    def touchstone(*arguments: object) -> Any:
        said = CliRunner().invoke(app, [*map(str, arguments), "--json"])
        return said.exception, json.loads(said.stdout) if said.stdout else None

    assert touchstone("init")[0] is None
    database = Database(f"sqlite:///{data_dir / 'touchstone.db'}")
    assessment_id = flagged(database, shop)
    with database.writing() as session:
        proposed = propose(session, session.get_one(Assessment, assessment_id))
        assert proposed is not None
        # Not at the shop, but at a name that there is not.
        proposed.listing.url = "http://nowhere.invalid/"
    staff.enter(database, Settings(data_dir=data_dir))
    database.close()
    assert touchstone("purchase", "approve", proposed.id, "--by", "Ada Lovelace")[0] is None
    error, row = touchstone("purchase", "assign", proposed.id, "--by", "Ada Lovelace")
    assert isinstance(error, TouchstoneError)
    assert "1 job has died" in str(error)
    assert row["state"] == "stopped"
    assert row["note"].startswith("given up: ")
    error, row = touchstone("purchase", "reject", proposed.id, "--by", "Ada Lovelace")
    assert error is None
    assert row["state"] == "rejected"
