"""Schedules and the random check from the command line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from console.cli.app import app
from registry import planholds
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Brand, DueRun, Listing, Plan, Run, Sighting, Snapshot
from registry.models.base import utcnow

PLAN = """
name: {name}
brand: velaro
marketplace: {{name: m, kind: bazaar, url: "http://shop.example/"}}
browse: [/c/bags]
{more}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An installation with a brand, and plans with and without a schedule."""
    monkeypatch.setenv("TOUCHSTONE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TOUCHSTONE_OPERATOR", "Ada")
    (tmp_path / "data").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'data' / 'touchstone.db'}")
    database.migrate()
    with database.writing() as session:
        session.add(Brand(slug="velaro", name="Velaro", owner="V"))
    times = 'schedule: "30 9 * * mon-fri"\ntime_zone: Asia/Kathmandu\njitter: 600'
    for name, more in (("often", times), ("never", "")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(PLAN.format(name=name, more=more))
        said("plan", "add", path)
    yield database
    database.close()


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def said(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    text: str = result.stdout
    return text


def told(*words: object) -> Any:
    return json.loads(said(*words, "--json"))


def refused(*words: object) -> str:
    result = run(*words)
    assert isinstance(result.exception, TouchstoneError), result.output
    return str(result.exception)


def test_when_plans_run(house: Database) -> None:
    (row,) = told("schedule", "list")
    assert (row["plan"], row["state"], row["last_started_at"]) == ("often", "scheduled", None)
    coming = told("schedule", "preview", "often", "--count", 6)
    assert len(coming) == 6
    assert datetime.fromisoformat(coming[0]["due_at"]) == datetime.fromisoformat(row["next_due_at"])
    for one in coming:
        at = datetime.fromisoformat(one["due_at"])
        assert (at.astimezone(UTC).hour, at.minute) == (3, 45)
        assert one["due_local"].endswith("T09:30:00+05:45")
        assert at.astimezone(ZoneInfo("Asia/Kathmandu")).weekday() < 5
        begins = datetime.fromisoformat(one["starts_at"])
        assert timedelta(0) <= begins - at <= timedelta(minutes=10)
    assert "09:30:00 +0545" in said("schedule", "preview", "often")
    assert "no schedule" in refused("schedule", "preview", "never")
    assert "no plan 'other'" in refused("schedule", "preview", "other")


def test_pausing_and_resuming(house: Database) -> None:
    assert told("schedule", "pause", "often") == {"paused": ["often"]}
    (row,) = told("schedule", "list")
    assert (row["state"], row["next_due_at"], row["note"]) == ("paused", None, "paused by Ada")
    assert "paused" in said("schedule", "preview", "often")
    resumed = told("schedule", "resume", "--all")["resumed"]
    assert [one["plan"] for one in resumed] == ["often"]
    assert datetime.fromisoformat(resumed[0]["next_due_at"]) > utcnow()
    assert told("schedule", "resume", "--all") == {"resumed": []}
    assert "no schedule" in refused("schedule", "pause", "never")
    assert refused("schedule", "pause") == "name one plan, or give --all"
    assert refused("schedule", "pause", "often", "--all") == "name one plan, or give --all"


def test_stopping(house: Database) -> None:
    with house.writing() as session:
        plans = {plan.name: plan.id for plan in session.scalars(select(Plan))}
        assert planholds.take(session, plans["never"], "somebody")
        session.add(DueRun(plan_id=plans["often"], due_at=utcnow(), starts_at=utcnow()))
    assert told("schedule", "list")[0]["state"] == "waiting"
    assert told("watch", "stop", "often") == {"stopping": [], "called_off": 1}
    assert told("watch", "stop", "--all") == {"stopping": ["never"], "called_off": 0}
    with house.writing() as session:
        assert planholds.still_held(session, plans["never"], "somebody") == "stopped by Ada"
    assert refused("watch", "stop") == "name one plan, or give --all"


def test_watch_takes_a_plan_or_a_command(house: Database) -> None:
    assert "no plan 'other'" in refused("watch", "other")
    assert "no plan 'other'" in refused("watch", "--no-work", "other")
    assert "no plan 'stop'" in refused("watch", "run", "stop")
    assert "stop" in said("watch", "--help")


def test_the_random_check(house: Database) -> None:
    assert told("sample", "show") == []
    assert "no listing was seen" in refused("sample", "freeze", "--size", 5, "--days", 2)
    with house.writing() as session:
        plan = session.scalars(select(Plan).where(Plan.name == "often")).one()
        made = Run(plan_id=plan.id, state="finished")
        session.add(made)
        session.flush()
        for number in range(40):
            listing = Listing(
                marketplace_id=plan.marketplaces[0].id,
                external_id=str(number),
                url=f"http://s/{number}",
            )
            session.add(listing)
            session.flush()
            snapshot = Snapshot(
                listing_id=listing.id, content_sha256="0" * 64, title="t", description=""
            )
            session.add(snapshot)
            session.flush()
            session.add(Sighting(run_id=made.id, listing_id=listing.id, snapshot_id=snapshot.id))
    frame = told("sample", "freeze", "--size", 5, "--days", 2, "--brand", "velaro")
    assert (frame["listings"], frame["size"], frame["seed"]) == (40, 5, None)
    text = said("sample", "show", frame["id"], "--canonical")
    assert hashlib.sha256(text.encode()).hexdigest() == frame["sha256"]
    drawn = told("sample", "draw", frame["id"], "--seed", "04 11 23", "--source", "a lottery")
    assert len(drawn["sample"]) == 5
    shown = told("sample", "show", frame["id"][:20])
    assert {one["listing"] for one in shown["sample"]} == set(drawn["sample"])
    assert {one["probability"] for one in shown["sample"]} == {5 / 40}
    assert all(check["ok"] for check in told("sample", "verify", frame["id"]))
    assert "can choose" in refused("sample", "draw", frame["id"], "--seed", "2", "--source", "s")
    with house.writing() as session:
        session.connection().exec_driver_sql("UPDATE frame_listings SET stratum = 'x'")
    assert run("sample", "verify", frame["id"]).exit_code == 1
    assert "FAIL frame" in run("sample", "verify", frame["id"]).stdout
    assert "no day" in refused("sample", "freeze", "--size", 5, "--since", "yesterday")
    assert "either --since or --days" in refused("sample", "freeze", "--size", 5)
    assert "no frame begins" in refused("sample", "show", "ffff")
