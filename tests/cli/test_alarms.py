"""`touchstone alarms` and `touchstone run`."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from console.cli.app import app
from registry.blobs import Blobs
from registry.database import Database
from registry.settings import Settings
from tests.console.seed_health import Health, seed_health

Command = Callable[..., Result]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind will do: what is asked is asked on both by the tests of `crawler.health.judging`."""
    return sqlite_url


@pytest.fixture
def health(database: Database, blobs: Blobs) -> Health:
    return seed_health(database, blobs)


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("TOUCHSTONE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TOUCHSTONE_DATABASE_URL", settings.database)
    monkeypatch.setenv("TOUCHSTONE_EVIDENCE_STORE_URL", settings.evidence_store)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments])

    return run


def test_scripts_are_told_by_the_exit_code(command: Command, health: Health) -> None:
    listed = command("alarms", "list", "--json")
    assert listed.exit_code == 3
    (row,) = json.loads(listed.stdout)
    assert (row["id"], row["state"], row["field"]) == (str(health.alarm), "open", "price")
    assert command("alarms").exit_code == 3
    shown = command("alarms", "show", health.alarm)
    assert "marketplace" in shown.stdout
    assert "--source 1" in shown.stdout
    source = command("alarms", "show", health.alarm, "--source", 1)
    assert "<script>document.title" in source.stdout
    assert command("alarms", "acknowledge", health.alarm, "--by", "Ada").exit_code == 0
    assert command("alarms", "list").exit_code == 0, "somebody has it"
    assert command("alarms", "close", health.alarm, "--note", "mended").exit_code == 0
    assert "No alarm is open" in command("alarms").stdout
    assert command("alarms", "show", uuid4()).exit_code == 1
    assert "is not the id of an alarm" in str(command("alarms", "show", "nope").exception)


def test_runs_on_the_command_line(command: Command, health: Health) -> None:
    listed = json.loads(command("run", "list", "--json").stdout)
    by_id = {row["run"]: row for row in listed}
    assert by_id[str(health.live)]["healthy"] is None
    assert by_id[str(health.ill)]["healthy"] is False
    assert by_id[str(health.well)]["complaints"] == []
    assert "unhealthy: fleamarket" in command("run", "list").stdout
    live = json.loads(command("run", "show", health.live, "--json").stdout)
    assert (live["pages"], live["waiting"], live["walls"]) == (1873, 486, 9)
    assert [shard["state"] for shard in live["shards"]] == ["running", "running", "queued"]
    followed = command("run", "show", health.ill, "--follow", "--json").stdout.splitlines()
    assert json.loads(followed[-1])["flagged"] == 0
