"""Who may let a marketplace order, and that it is kept."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from purchases.modes import set_mode
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import LedgerEntry, Marketplace
from tests.purchases.conftest import flagged
from tests.purchases.staff import STAFF


def mode_of(database: Database) -> tuple[str, str | None]:
    with database.reading() as session:
        row = session.scalars(select(Marketplace)).one()
        return row.mode, row.mode_by


@pytest.mark.parametrize("mode", ["assisted", "automatic"])
@pytest.mark.parametrize("name", [*STAFF, "touchstone", "", "Nobody"])
def test_only_an_administrator_lets_it_order(database: Database, mode: str, name: str) -> None:
    flagged(database, mode="rehearse")
    before = mode_of(database)
    if name == "Ann Admin":
        with database.writing() as session:
            set_mode(session, "m", mode, name)
        assert mode_of(database) == (mode, name)
        return
    with pytest.raises(TouchstoneError), database.writing() as session:
        set_mode(session, "m", mode, name)
    assert mode_of(database) == before


def test_anybody_takes_it_back_and_the_ledger_keeps_who_said_what(database: Database) -> None:
    flagged(database, mode="rehearse")
    for mode, by in (("automatic", "ann  ADMIN"), ("rehearse", "Rae Requester")):
        with database.writing() as session:
            set_mode(session, "m", mode, by)
    with database.reading() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
        said = [json.loads(entry.leaf) for entry in entries]
        market = session.scalars(select(Marketplace)).one()
    assert [(one["event"], one["actor"]) for one in said] == [
        ("mode_set", "Ann Admin"), ("mode_set", "Rae Requester"),
    ]  # fmt: skip
    assert {one["subject"] for one in said} == {f"marketplace:{market.id}"}
    assert [(one["details"]["before"], one["details"]["mode"]) for one in said] == [
        ("rehearse", "automatic"), ("automatic", "rehearse"),
    ]  # fmt: skip


def test_what_is_none_is_refused(database: Database) -> None:
    flagged(database, mode="rehearse")
    for name, mode in (("m", "on"), ("nope", "automatic")):
        with pytest.raises(TouchstoneError, match="there is no"), database.writing() as session:
            set_mode(session, name, mode, "Ann Admin")


@pytest.mark.parametrize("values", [{"mode": "automatic", "mode_by": None}, {"mode": "on"}])
def test_nor_by_the_database(database: Database, values: dict[str, str | None]) -> None:
    flagged(database, mode="rehearse")
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(update(Marketplace).values(**values))
