"""Tampering with the custody ledger: each way is found and named, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from evidence.custody import ledger
from evidence.custody.audit import audit
from evidence.signing.signer import open_signer
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Checkpoint, LedgerEntry
from registry.settings import Settings
from tests.evidence.custody import seed
from tests.evidence.test_ledger import append, check, failing, sign


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings; the database only where a test has one of each kind."""
    url = "database_url" if "database_url" in request.fixturenames else "sqlite_url"
    return Settings(
        data_dir=tmp_path / "data",
        database_url=request.getfixturevalue(url),
        operator="tester",
    )


# Tampering. Whoever does this rules the database: the triggers are dropped first.


@pytest.fixture
def signed(sqlite_url: str, settings: Settings) -> Iterator[Database]:
    """Twelve entries in SQLite, with checkpoints at 4 and 9, and a capture among them."""
    database = Database(sqlite_url)
    database.migrate()
    seeded = seed(database)
    subject = f"capture:{seeded.capture_id}"
    append(database, 4)
    sign(database, settings)
    append(database, 4)
    append(database, event="captured", subject=subject)
    sign(database, settings)
    append(database, 2)
    append(database, event="sealed", subject=subject)
    assert failing(check(database, settings)) == set()
    yield database
    database.close()


def drop_triggers(database: Database) -> None:
    with database.engine.begin() as connection:
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).scalars()
        for name in names.all():
            connection.execute(text(f"DROP TRIGGER {name}"))


def tamper(database: Database, *statements: str) -> None:
    drop_triggers(database)
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


MOVE = "UPDATE ledger_entries SET seq = {} WHERE seq = {}"
TAMPERINGS: dict[str, tuple[list[str], set[str]]] = {
    "a text changed": (
        ["UPDATE ledger_entries SET leaf = replace(leaf, 'Ada', 'Eve') WHERE seq = 2"],
        {"leaves", "columns", "checkpoint roots"},
    ),
    "a text changed after the last checkpoint": (
        ["UPDATE ledger_entries SET leaf = replace(leaf, 'Ada', 'Eve') WHERE seq = 10"],
        {"leaves", "columns"},
    ),
    "a column changed": (
        ["UPDATE ledger_entries SET actor = 'Eve' WHERE seq = 2"],
        {"columns"},
    ),
    "a time changed": (
        ["UPDATE ledger_entries SET recorded_at = '2020-01-01 00:00:00.000000' WHERE seq = 2"],
        {"columns"},
    ),
    "a hash changed": (
        ["UPDATE ledger_entries SET leaf_hash = '00' WHERE seq = 2"],
        {"leaves"},
    ),
    "a text in another form": (
        ["UPDATE ledger_entries SET leaf = leaf || ' ' WHERE seq = 2"],
        {"leaves", "columns", "checkpoint roots"},
    ),
    "no JSON": (
        ["UPDATE ledger_entries SET leaf = '[[[' WHERE seq = 2"],
        {"leaves", "columns", "checkpoint roots"},
    ),
    "an entry gone": (
        ["DELETE FROM ledger_entries WHERE seq = 2"],
        {"sequence", "checkpoint roots"},
    ),
    "the first entry gone": (
        ["DELETE FROM ledger_entries WHERE seq = 0"],
        {"sequence", "checkpoint roots", "checkpoint notes"},
    ),
    "entries swapped": (
        [MOVE.format(-1, 2), MOVE.format(2, 5), MOVE.format(5, -1)],
        {"columns", "checkpoint roots"},
    ),
    "an entry put in between": (
        [
            "INSERT INTO ledger_entries SELECT 100, leaf, leaf_hash, event, subject, actor, "
            "recorded_at FROM ledger_entries WHERE seq = 2"
        ],
        {"sequence", "columns"},
    ),
    "cut off below the last checkpoint": (
        ["DELETE FROM ledger_entries WHERE seq >= 6"],
        {"checkpoint roots", "lines"},
    ),
    "cut off with its checkpoint": (
        ["DELETE FROM ledger_entries WHERE seq >= 6", "DELETE FROM checkpoints WHERE size > 6"],
        {"lines"},
    ),
    "all gone": (
        ["DELETE FROM ledger_entries"],
        {"checkpoint roots", "checkpoint notes", "lines"},
    ),
    "a root changed": (
        ["UPDATE checkpoints SET root = '00' WHERE size = 4"],
        {"checkpoint roots", "checkpoint notes"},
    ),
    "notes swapped": (
        [
            "UPDATE checkpoints SET note = (SELECT c.note FROM checkpoints c "
            "WHERE c.size != checkpoints.size)"
        ],
        {"checkpoint notes"},
    ),
    "a note that is none": (
        ["UPDATE checkpoints SET note = 'x' WHERE size = 4"],
        {"checkpoint notes"},
    ),
    "an unknown key": (
        ["UPDATE checkpoints SET key_id = '00' WHERE size = 4"],
        {"signatures"},
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_tampering_is_named(signed: Database, settings: Settings, how: str) -> None:
    statements, named = TAMPERINGS[how]
    tamper(signed, *statements)
    assert failing(check(signed, settings)) == named


def test_a_replaced_signature_is_named(signed: Database, settings: Settings) -> None:
    with signed.reading() as session:
        row = session.scalars(select(Checkpoint).where(Checkpoint.size == 4)).one()
        other = session.scalars(select(Checkpoint).where(Checkpoint.size == 9)).one()
    note = row.note.rpartition("\n\n")[0] + "\n\n" + other.note.rpartition("\n\n")[2]
    drop_triggers(signed)
    with signed.writing() as session:
        session.execute(update(Checkpoint).where(Checkpoint.size == 4).values(note=note))
    assert failing(check(signed, settings)) == {"signatures"}


def test_a_changed_ledger_is_not_signed(signed: Database, settings: Settings) -> None:
    tamper(signed, "UPDATE ledger_entries SET leaf = leaf || ' ' WHERE seq = 2")
    with pytest.raises(TouchstoneError, match="was changed before entry 9"):
        sign(signed, settings)
    tamper(signed, "DELETE FROM ledger_entries WHERE seq >= 6")
    with pytest.raises(TouchstoneError, match="lacks entry 6"):
        sign(signed, settings)


def rewrite(database: Database, settings: Settings, number: int) -> None:
    """Write the whole ledger anew, checkpoints and all: with our own code, and our own key."""
    with database.reading() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
    drop_triggers(database)
    with database.writing() as session:
        session.execute(text("DELETE FROM ledger_entries"))
        session.execute(text("DELETE FROM checkpoints"))
    for entry in entries[:number]:
        actor = "Eve" if entry.seq == 2 else entry.actor
        append(database, event=entry.event, subject=entry.subject, actor=actor)
    sign(database, settings)


def test_a_note_kept_elsewhere_shows_what_was_rewritten(
    signed: Database, settings: Settings
) -> None:
    with signed.reading() as session:
        notes = session.scalars(select(Checkpoint.note).order_by(Checkpoint.size)).all()
    kept = [(str(number), note) for number, note in enumerate(notes)]
    assert failing(check(signed, settings, *kept)) == set()
    rewrite(signed, settings, 12)
    assert failing(check(signed, settings)) == set(), "nothing in the database shows it"
    assert failing(check(signed, settings, *kept)) == {"kept note 0", "kept note 1"}


def test_a_note_kept_elsewhere_shows_what_was_cut_off(signed: Database, settings: Settings) -> None:
    newest = sign(signed, settings)
    assert newest is not None
    tamper(
        signed,
        "DELETE FROM ledger_entries WHERE seq >= 10",
        "DELETE FROM checkpoints WHERE size > 10",
    )
    assert failing(check(signed, settings)) == set()
    found = check(signed, settings, ("kept", newest.note))["kept note kept"]
    assert not found.ok
    assert "counts 12 entries, the ledger has 10" in found.detail


def test_notes_of_strangers_prove_nothing(
    signed: Database, settings: Settings, tmp_path: Path
) -> None:
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    with signed.reading() as session:
        drawn = ledger.draw(session, open_signer(elsewhere))
    assert drawn is not None
    found = check(signed, settings, ("stranger's", drawn.note), ("broken", "x"))
    assert failing(found) == {"kept note stranger's", "kept note broken"}
    assert "no key" in found["kept note stranger's"].detail


def test_a_capture_without_its_line_is_named(signed: Database, settings: Settings) -> None:
    capture_id: UUID = seed(signed, name="second").capture_id
    found = check(signed, settings)
    assert failing(found) == {"lines"}
    assert str(capture_id) in found["lines"].detail


def test_long_lists_of_faults_are_counted(signed: Database, settings: Settings) -> None:
    tamper(signed, "UPDATE ledger_entries SET actor = 'Eve'")
    assert check(signed, settings)["columns"].detail.endswith("; and 7 more")


def test_progress_is_shown(signed: Database, settings: Settings) -> None:
    shown: list[tuple[int, int]] = []
    with signed.reading() as session:
        audit(session, {}, show=lambda done, total: shown.append((done, total)))
    assert shown[-1] == (12, 12)
