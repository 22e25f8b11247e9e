"""The schema, and what the column types promise, on both databases."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, StatementError

from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Base, Brand, Mark, Product, Run


def test_migrations_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_is_harmless(database: Database) -> None:
    database.migrate()
    assert database.revision() == database.newest_revision()


def test_a_server_is_not_migrated_behind_peoples_backs(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(TouchstoneError, match="touchstone init"):
        database.ready()
    database.close()


def test_sqlite_is_set_up_as_promised(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    database.ready()
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 30_000
    database.close()


def test_foreign_keys_hold(database: Database) -> None:
    from uuid_utils.compat import uuid7

    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(
            Mark(
                brand_id=uuid7(),
                text="X",
                office="EUIPO",
                number="1",
                kind="word",
                nice_classes=[1],
            )
        )


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cents=st.integers(min_value=0, max_value=10**15))
def test_money_comes_back_to_the_cent(database: Database, cents: int) -> None:
    amount = Decimal(cents) / 100
    with database.writing() as session:
        brand = session.query(Brand).first() or Brand(slug="b", name="B", owner="O")
        session.add(brand)
        product = Product(
            sku=f"s{datetime.now(UTC).timestamp()}-{cents}",
            name="P",
            brand=brand,
            list_amount=amount,
            list_currency="EUR",
        )
        session.add(product)
    with database.reading() as session:
        price = session.get_one(Product, product.id).list_price
    assert price is not None
    assert price.amount == amount
    with database.writing() as session:
        session.delete(session.get_one(Product, product.id))


def test_times_come_back_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    from registry.models.base import UtcDateTime

    there = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=8)))
    column = UtcDateTime()
    dialect = database.engine.dialect
    assert column.process_bind_param(there, dialect) == there.astimezone(UTC)
    naive = datetime(2026, 3, 1, 12)
    with pytest.raises(StatementError, match="without a zone"), database.writing() as session:
        session.execute(insert(Run).values(plan_id=None, started_at=naive))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://x/y", "not SQLite or PostgreSQL"),
        ("nonsense", "not a database URL"),
        ("sqlite://", "needs a file"),
    ],
)
def test_a_wrong_url_is_said_in_one_line(url: str, said: str) -> None:
    with pytest.raises(TouchstoneError, match=said):
        Database(url)


def test_a_dead_server_is_said_in_one_line() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(TouchstoneError, match="cannot use") as caught:
        database.ready()
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"this is not SQLite, not at all" * 100)
    with pytest.raises(TouchstoneError, match="not a database"):
        Database(f"sqlite:///{file}").ready()


def test_a_reader_does_not_wait_for_a_writer(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    database.ready()
    with database.writing() as writer:
        writer.add(Brand(slug="b", name="B", owner="O"))
        writer.flush()
        with database.reading() as reader:
            assert reader.query(Brand).count() == 0
    database.close()
    assert sqlite3.connect(sqlite_url.removeprefix("sqlite:///")).execute(
        "select count(*) from brands"
    ).fetchone() == (1,)
