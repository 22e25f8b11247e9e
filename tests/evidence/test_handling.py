"""What people say that they did with an exhibit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from evidence.custody import cases, handling
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models.base import utcnow
from tests.evidence.custody import Seeded
from tests.evidence.test_cases import on_sqlite, seeded, sqlite_database

__all__ = ["seeded", "sqlite_database"]


@on_sqlite
def test_people_say_what_they_did(database: Database, seeded: Seeded) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with database.writing() as session:
        cases.add_purchase(session, "C-1", seeded.purchase_id, actor="Ada")
        entry = handling.report(
            session,
            reference="C-1",
            event="parcel_received",
            actor="Ada",
            exhibit=1,
            occurred_at=at,
            details={"carrier": "DHL", "tracking": "17", "place": "  Bonn,\n locker 4 "},
        )
        about_case = handling.report(
            session,
            reference="C-1",
            event="corrected",
            actor="Bob",
            details={"corrects": str(entry.seq), "reason": "it was locker 5"},
        )
    said = json.loads(entry.leaf)
    assert said["subject"] == f"purchase:{seeded.purchase_id}"
    assert said["occurred_at"] == "2026-03-01T12:00:00.000000Z"
    assert said["details"] == {
        "carrier": "DHL",
        "case": "C-1",
        "place": "Bonn, locker 4",
        "tracking": "17",
    }
    assert json.loads(about_case.leaf)["details"]["corrects"] == entry.seq


@pytest.mark.parametrize(
    ("event", "details", "said"),
    [
        ("sealed", {}, "none of"),
        ("deleted", {}, "none of"),
        ("handed_over", {"from": "Ada", "to": "Bob"}, "confirmed_by_from, confirmed_by_to"),
        ("parcel_received", {}, "carrier, tracking, place"),
        ("opened", {"place": "Bonn", "seal_intact": " "}, "seal_intact"),
        ("examined", {"method": "UV"}, "findings"),
        ("verdict", {"verdict": "fake", "grounds": "x"}, "a verdict is one of"),
        ("corrected", {"corrects": "17", "reason": "x"}, "no entry about this case"),
        ("corrected", {"corrects": "-1", "reason": "x"}, "no entry about this case"),
        ("viewed", {"Purpose": "x"}, "no name for a detail"),
        ("viewed", {"purpose": "x" * 4001}, "at most 4000"),
    ],
)
def test_incomplete_reports_are_refused(
    sqlite_database: Database, event: str, details: dict[str, str], said: str
) -> None:
    with pytest.raises(TouchstoneError, match=said), sqlite_database.writing() as session:
        handling.report(session, reference="C-1", event=event, actor="Ada", details=details)


def test_times_are_past_and_have_a_zone(sqlite_database: Database) -> None:
    for at, said in (
        (datetime(2026, 1, 1), "needs its zone"),
        (utcnow() + timedelta(days=1), "still to come"),
    ):
        with pytest.raises(TouchstoneError, match=said), sqlite_database.writing() as session:
            handling.report(session, reference="C-1", event="viewed", actor="A", occurred_at=at)
