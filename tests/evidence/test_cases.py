"""Cases: exhibits, holds, retention, deletion, and what people say they did."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from console.cli.app import app
from evidence.custody import cases, retention
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Case, Exhibit, LedgerEntry
from tests.evidence.custody import Seeded, seed

#: For what no database has a part in.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LONG = date(2099, 12, 31)


@pytest.fixture
def seeded(database: Database, blobs: Blobs) -> Seeded:
    """A capture, a purchase, and an open case C-1."""
    made = seed(database, blobs)
    with database.writing() as session:
        cases.open_case(session, reference="C-1", title="Totes", actor="Ada", brand="first")
    return made


def entries(database: Database, event: str) -> list[dict[str, Any]]:
    with database.reading() as session:
        wanted = select(LedgerEntry.leaf).where(LedgerEntry.event == event)
        return [json.loads(leaf) for leaf in session.scalars(wanted.order_by(LedgerEntry.seq))]


def stored(blobs: Blobs, key: str | None) -> bool:
    assert key is not None
    try:
        blobs.open(key).close()
    except FileNotFoundError:
        return False
    return True


def add_file(database: Database, blobs: Blobs, path: Path, case: str = "C-1") -> Exhibit:
    kept = cases.store_file(blobs, path)
    with database.writing() as session:
        return cases.add_file(session, blobs, case, kept, actor="Ada")


# Cases and exhibits


def test_a_case_with_exhibits_of_each_kind(
    database: Database, blobs: Blobs, seeded: Seeded, tmp_path: Path
) -> None:
    photo = tmp_path / "parcel.jpg"
    photo.write_bytes(b"picture")
    with database.writing() as session:
        capture = cases.add_capture(session, "C-1", seeded.capture_id, actor="Ada")
        cases.add_purchase(session, "C-1", seeded.purchase_id, actor="Bob")
    file = add_file(database, blobs, photo)
    with database.reading() as session:
        case = cases.find_case(session, "C-1")
        shown = [(e.number, e.kind, e.media_type) for e in case.exhibits]
        subjects = cases.subjects(case)
    assert shown == [
        (1, "capture", "application/wacz"),
        (2, "purchase", "application/json"),
        (3, "capture", "application/wacz"),  # came with the purchase
        (4, "file", "image/jpeg"),
    ]
    assert subjects == [
        f"case:{case.id}",
        f"capture:{seeded.capture_id}",
        f"purchase:{seeded.purchase_id}",
        f"capture:{seeded.purchase_capture_id}",
        f"exhibit:{file.id}",
    ]
    assert file.sha256 == hashlib.sha256(b"picture").hexdigest()
    assert (file.size, file.sensitive, file.added_by) == (7, False, "Ada")
    assert stored(blobs, file.blob)
    said = entries(database, "exhibit_added")
    assert [(e["subject"], e["actor"]) for e in said] == [
        (subjects[1], "Ada"),
        (subjects[2], "Bob"),
        (subjects[3], "Bob"),
        (subjects[4], "Ada"),
    ]
    assert said[3]["details"] == {
        "case": "C-1",
        "number": 4,
        "name": "parcel.jpg",
        "sha256": file.sha256,
        "size": 7,
    }
    assert capture.number == 1
    opened = entries(database, "case_opened")[0]
    assert opened["details"] == {"reference": "C-1", "title": "Totes", "retain_until": None}


@on_sqlite
def test_nothing_is_an_exhibit_twice(
    database: Database, blobs: Blobs, seeded: Seeded, tmp_path: Path
) -> None:
    photo = tmp_path / "parcel.jpg"
    photo.write_bytes(b"picture")
    add_file(database, blobs, photo)
    with database.writing() as session:
        cases.add_capture(session, "C-1", seeded.capture_id, actor="Ada")
        cases.add_purchase(session, "C-1", seeded.purchase_id, actor="Ada")
    with pytest.raises(TouchstoneError, match="exhibit 1 of case C-1 already"):
        add_file(database, blobs, photo)
    with pytest.raises(TouchstoneError, match="exhibit 2"), database.writing() as session:
        cases.add_capture(session, "C-1", seeded.capture_id, actor="Ada")
    with pytest.raises(TouchstoneError, match="exhibit 3"), database.writing() as session:
        cases.add_purchase(session, "C-1", seeded.purchase_id, actor="Ada")


@pytest.mark.parametrize("reference", ["", "../x", "a/b", "-x", "x" * 65, "a b", "名"])
def test_a_reference_is_fit_for_a_folder(sqlite_database: Database, reference: str) -> None:
    with (
        pytest.raises(TouchstoneError, match="no reference"),
        sqlite_database.writing() as session,
    ):
        cases.open_case(session, reference=reference, title="T", actor="Ada")


@on_sqlite
def test_what_is_missing_is_said(database: Database, seeded: Seeded) -> None:
    nothing = UUID(int=0)
    for do, said in (
        (lambda s: cases.open_case(s, reference="C-1", title="T", actor="A"), "a case C-1 already"),
        (lambda s: cases.open_case(s, reference="C-2", title="", actor="A", brand="x"), "no br"),
        (lambda s: cases.open_case(s, reference="C-2", title="T", actor=""), "name of who"),
        (lambda s: cases.add_capture(s, "C-2", seeded.capture_id, actor="A"), "no case C-2"),
        (lambda s: cases.add_capture(s, "C-1", nothing, actor="A"), "no capture"),
        (lambda s: cases.add_purchase(s, "C-1", nothing, actor="A"), "no purchase"),
        (lambda s: retention.delete(s, nothing, actor="A", reason="x"), "no capture or file"),
        (lambda s: retention.delete(s, seeded.capture_id, actor="A", reason=" "), "reason"),
        (lambda s: retention.set_hold(s, "C-1", actor="A", reason=""), "reason"),
        (lambda s: retention.release_hold(s, "C-1", actor="A", reason="x"), "not on hold"),
    ):  # fmt: skip
        with pytest.raises(TouchstoneError, match=said), database.writing() as session:
            do(session)
    with database.reading() as session:
        assert [case.reference for case in session.scalars(select(Case))] == ["C-1"]


def test_only_whole_files_of_a_bounded_size_are_taken(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.blobs import open_blobs

    blobs = open_blobs((tmp_path / "blobs").as_uri())
    monkeypatch.setattr(cases, "MAX_FILE_BYTES", 5)
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(b"123456")
    os.mkfifo(tmp_path / "pipe")
    for name, said in (
        ("empty", "0 bytes"),
        ("large", "6 bytes"),
        ("pipe", "no such file"),
        ("missing", "no such file"),
        ("blobs/..", "no such file"),
    ):
        with pytest.raises(TouchstoneError, match=said):
            cases.store_file(blobs, tmp_path / name)
    (tmp_path / "small").write_bytes(b"12345")
    kept = cases.store_file(blobs, tmp_path / "small", name="../\x1b[31m../a\n.html")
    assert kept.name == "..[31m..a.html"


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A case in SQLite, for what no database has a part in."""
    database = Database(sqlite_url)
    database.migrate()
    with database.writing() as session:
        cases.open_case(session, reference="C-1", title="Totes", actor="Ada")
    yield database
    database.close()


# The command line


def test_a_case_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_DATA_DIR", str(tmp_path / "data"))
    for name in ("DATABASE_URL", "EVIDENCE_STORE_URL", "BROKER_URL"):
        monkeypatch.delenv(f"TOUCHSTONE_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letter.txt").write_text("letter")
    note = tmp_path / "note.txt"

    def run(*arguments: object) -> Any:
        said = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
        assert said.exit_code == 0, said.output
        return json.loads(said.stdout)

    def refused(*arguments: object) -> str:
        said = CliRunner().invoke(app, [*map(str, arguments)])
        assert isinstance(said.exception, TouchstoneError), said.output
        return str(said.exception)

    run("case", "open", "C-1", "--title", "Totes", "--by", "Ada")
    file = run("case", "file", "C-1", "letter.txt", "--by", "Ada", "--sensitive")
    run("case", "hold", "C-1", "--by", "Ada", "--reason", "suit")
    delete_it = ("evidence", "delete", file["id"], "--by", "Ada", "--reason", "old")
    assert "on hold" in refused(*delete_it)
    verdict = ("case", "event", "C-1", "verdict", "--exhibit", "1", "--by", "Ada")
    assert "grounds" in refused(*verdict, "--detail", "verdict=genuine")
    run(*verdict, "--detail", "verdict=genuine", "--detail", "grounds=a=b",
        "--at", "2026-03-01T12:00+01:00")  # fmt: skip
    assert run("ledger", "checkpoint", "--out", note)["size"] == 4
    run("case", "release", "C-1", "--by", "Ada", "--reason", "settled")
    run("case", "retain", "C-1", "2020-01-01", "--by", "Ada")
    deleted = run(*delete_it)
    assert deleted["sha256"] == file["sha256"]
    assert not list((tmp_path / "data" / "evidence").rglob("*.bin"))
    shown = run("case", "show", "C-1")
    assert shown["exhibits"][0]["deleted_at"]
    assert run("case", "list")[0]["exhibits"] == 1

    listed = run("ledger", "list", "--subject", f"exhibit:{file['id']}")
    assert [e["event"] for e in listed] == ["deleted", "verdict", "exhibit_added"]
    assert run("ledger", "verify", "--against", note)["ok"]
    proof = CliRunner().invoke(app, ["ledger", "prove", f"exhibit:{file['id']}"])
    proved = json.loads(proof.stdout)
    assert [e["seq"] for e in proved["entries"]] == [1, 3]
    assert proved["not_covered"] == [6]
    assert "came after" in refused("ledger", "prove", "6")
    assert "has no entry" in refused("ledger", "prove", "99")
    note.write_text("x")
    wrong = CliRunner().invoke(app, ["ledger", "verify", "--against", str(note)])
    assert wrong.exit_code == 1
    assert "NOT intact" in wrong.stdout
