"""The database itself refuses to change or delete a ledger entry or a checkpoint."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.database import Database
from registry.models import Checkpoint, LedgerEntry
from registry.models.base import utcnow

TABLES = ("ledger_entries", "checkpoints")


def grown(seq: int, event: str) -> tuple[LedgerEntry, Checkpoint]:
    """An entry, and the checkpoint over it."""
    digest = str(seq) * 64
    entry = LedgerEntry(
        seq=seq,
        leaf="{}",
        leaf_hash=digest,
        event=event,
        subject="capture:x",
        actor="Ada",
        recorded_at=utcnow(),
    )
    return entry, Checkpoint(size=seq + 1, root=digest, note="note", key_id="0" * 64)


@pytest.fixture
def written(database: Database) -> Database:
    """A database with an entry and a checkpoint."""
    with database.writing() as session:
        session.add_all(grown(0, "captured"))
    return database


def rows(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        return [tuple(connection.execute(text(f"SELECT * FROM {t}")).one()) for t in TABLES]


ATTEMPTS = {
    "ledger_entries": [
        "UPDATE ledger_entries SET actor = 'Eve'",
        "UPDATE ledger_entries SET seq = 1",
        "DELETE FROM ledger_entries",
        "DELETE FROM ledger_entries WHERE seq = 0",
        "INSERT INTO ledger_entries SELECT * FROM ledger_entries "
        "ON CONFLICT (seq) DO UPDATE SET actor = 'Eve'",
    ],
    "checkpoints": [
        "UPDATE checkpoints SET note = 'other'",
        "DELETE FROM checkpoints",
        "INSERT INTO checkpoints SELECT * FROM checkpoints "
        "ON CONFLICT (size) DO UPDATE SET root = 'other'",
    ],
}
OF_POSTGRESQL = [
    "TRUNCATE {table}",
    "TRUNCATE {table} CASCADE",
    "WITH gone AS (DELETE FROM {table} RETURNING *) SELECT * FROM gone",
]
OF_SQLITE = [
    "REPLACE INTO {table} SELECT * FROM {table}",
    "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    "UPDATE OR REPLACE {table} SET {column} = {column}",
    "UPDATE OR IGNORE {table} SET {column} = {column}",
]
COLUMNS = {"ledger_entries": "actor", "checkpoints": "note"}


@pytest.mark.parametrize("table", TABLES)
def test_what_is_written_stays(written: Database, table: str) -> None:
    before = rows(written)
    own = OF_SQLITE if written.backend == "sqlite" else OF_POSTGRESQL
    attempts = [a.format(table=table, column=COLUMNS[table]) for a in own]
    # "ON CONFLICT" after SELECT needs a WHERE, or SQLite takes it for a join.
    general = [a.replace(" ON CONFLICT", " WHERE true ON CONFLICT") for a in ATTEMPTS[table]]
    for attempt in attempts + general:
        with (
            pytest.raises(DBAPIError, match=r"append-only|UNIQUE|cannot truncate"),
            written.engine.begin() as connection,
        ):
            connection.execute(text(attempt))
        assert rows(written) == before, attempt


@pytest.mark.parametrize("model", [LedgerEntry, Checkpoint])
def test_the_orm_is_refused_as_well(written: Database, model: type) -> None:
    before = rows(written)
    with pytest.raises(DBAPIError, match="append-only"), written.writing() as session:
        session.delete(session.query(model).one())
    with written.reading() as session:
        row: Any = session.query(model).one()
    setattr(row, COLUMNS[model.__tablename__], "other")  # type: ignore[attr-defined]
    with pytest.raises(DBAPIError, match="append-only"), written.writing() as session:
        session.add(row)
    assert rows(written) == before


def test_new_rows_are_taken(written: Database) -> None:
    with written.writing() as session:
        session.add_all(grown(1, "sealed"))
    with written.reading() as session:
        assert session.query(LedgerEntry).count() == session.query(Checkpoint).count() == 2
