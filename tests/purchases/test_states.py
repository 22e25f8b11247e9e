"""Illegal ways through the states and the offices: none succeeds, by code or by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from evidence.custody.ledger import record
from purchases import money, people, proposals
from purchases.people import MACHINE
from purchases.states import Given, IllegalMove, move
from purchases.ways import STATES, WAYS, Way
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Assessment,
    Case,
    Examination,
    Exhibit,
    LedgerEntry,
    Person,
    Persona,
    Purchase,
    PurchaseEvent,
    PurchaseFile,
)
from registry.money import Money
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.conftest import flagged

BY_WAY = {(way.before, way.after): way for way in WAYS}
ACTORS = (*staff.STAFF, "touchstone")
#: Who may go a way here, where Bea buys, Eve examines and Ada approves.
ONLY = {
    "approver": {"Ada Lovelace"},
    "buyer": {"Bea Buyer"},
    "examiner": {"Eve Examiner"},
    "finance": {"Finn Finance"},
    "administrator": {"Ann Admin"},
}


def allowed(way: Way, how: str | None) -> set[str]:
    """Who may go a way, as a reader of the table would say."""
    if way.machine and how == "browser":
        return {"touchstone"}
    people_ = {name for office in way.offices for name in ONLY[office]}
    return people_ if not way.machine or how == "hand" else set()


class Life(RuleBasedStateMachine):
    """One purchase, and everybody trying everything with it."""

    database: Database
    settings: Settings

    @initialize(by_hand=st.booleans())
    def propose(self, by_hand: bool) -> None:
        self.how = "hand" if by_hand else "browser"
        with self.database.writing() as session:
            first = session.scalars(select(Assessment)).first()
            assert first is not None
            again = Assessment(
                snapshot_id=first.snapshot_id, plan_id=first.plan_id, brand_id=first.brand_id,
                score=0.9, threshold=0.6, flagged=True, result={"signals": []}, inputs={},
            )  # fmt: skip
            session.add(again)
            session.flush()
            # Straight to the row: a listing has one purchase that is open, and these are many.
            made = proposals._propose(session, again, Money.parse("35.00 EUR"), MACHINE)
            self.purchase_id = made.id
            self.persona = session.scalars(select(Persona.id)).one()
        self.state = "proposed"
        self.given_how: str | None = None

    @rule(to=st.sampled_from(STATES), name=st.sampled_from(ACTORS), whole=st.booleans())
    def try_it(self, to: str, name: str, whole: bool) -> None:
        way = BY_WAY.get((self.state, to))
        self._try(to, name, whole, way)

    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """A way that there is, by somebody who may: or nothing long would ever happen."""
        ways = [
            (way, name)
            for way in WAYS
            if way.before == self.state
            for name in sorted(allowed(way, self.given_how))
        ]
        if ways:
            way, name = data.draw(st.sampled_from(ways))
            self._try(way.after, name, True, way)

    def _try(self, to: str, name: str, whole: bool, way: Way | None) -> None:
        with self.database.writing() as session:
            purchase = session.get_one(Purchase, self.purchase_id)
            by = MACHINE if name == "touchstone" else people.find(session, name)
            given = self._given(session, way) if way is not None and whole else Given()
            wants = way is not None and bool(way.needs or way.says)
            if way is not None and whole:
                self._files(session, purchase, way)
            good = way is not None and name in allowed(way, self.given_how) and (whole or not wants)
            if good and not whole and way is not None and way.files and name != "touchstone":
                good = False
            if good:
                move(session, purchase, to, by=by, given=given)
                self.state = to
                if to == "assigned":
                    self.given_how = self.how
                if to == "approved":
                    self.given_how = None
            else:
                with pytest.raises(TouchstoneError), session.begin_nested():
                    move(session, purchase, to, by=by, given=given)
                session.expire_all()

    def _given(self, session: Any, way: Way) -> Given:
        def who(name: str) -> Person:
            return people.find(session, name)

        wanted: dict[str, Any] = {
            "note": "why", "limit": Money.parse("55.00 EUR"), "buyer": who("Bea Buyer"),
            "persona": self.persona, "how": self.how, "order_number": "B-1",
            "total": Money.parse("49.00 EUR"), "paid": Money.parse("48.90 EUR"),
            "examiner": who("Eve Examiner"), "outcome": way.outcomes[0] if way.outcomes else None,
        }  # fmt: skip
        return Given(
            **{name: wanted[name] for name in way.needs}, details=dict.fromkeys(way.says, "x")
        )

    def _files(self, session: Any, purchase: Purchase, way: Way) -> None:
        for kind in way.files:
            case = session.scalars(select(Case)).first()
            number = len(session.scalars(select(Exhibit.id)).all()) + 1
            exhibit = Exhibit(
                case_id=case.id, number=number, kind="file", name="f", added_by="Bea Buyer",
            )  # fmt: skip
            session.add(exhibit)
            session.flush()
            session.add(
                PurchaseFile(
                    exhibit_id=exhibit.id, purchase_id=purchase.id, kind=kind, sha256="0" * 64,
                    taken={}, added_by="Bea Buyer",
                )
            )  # fmt: skip
        if way.before == "sent_to_examiner" and not purchase.examinations:
            session.add(
                Examination(
                    purchase_id=purchase.id, examiner="Eve Examiner", method="eye", form=[],
                    outcome="genuine", reasons="r",
                )
            )  # fmt: skip
        session.flush()

    @invariant()
    def all_agree(self) -> None:
        if not hasattr(self, "purchase_id"):
            return
        with self.database.reading() as session:
            purchase = session.get_one(Purchase, self.purchase_id)
            assert purchase.state == self.state
            went = [event.state for event in purchase.events]
            assert went[-1] == self.state
            assert all(pair in BY_WAY for pair in pairwise(went))
            assert money.faults(session) == []
            told = session.scalars(
                select(LedgerEntry.seq).where(LedgerEntry.subject == f"purchase:{purchase.id}")
            ).all()
            entered = [p for p in pairwise(went) if BY_WAY[p].event]
            assert len(told) == len(entered)
            held = money._reserved(session, purchase.id).get("EUR", 0)
            holds = {"approved", "assigned", "ordering", "outcome_unclear", "ordered"}
            assert held == (550_000 if self.state in holds else 0)


@pytest.fixture
def one_case(database: Database, settings: Settings) -> None:
    flagged(database)
    with database.writing() as session:
        session.add(Case(reference="C-1", title="t", opened_by="Ada"))


@pytest.mark.usefixtures("one_case")
def test_nobody_finds_another_way(database: Database, settings: Settings) -> None:
    class Ours(Life):
        pass

    Ours.database, Ours.settings = database, settings
    run_state_machine_as_test(
        Ours,
        settings=hypothesis_settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_database_refuses_ways_that_there_are_not(
    database: Database, settings: Settings
) -> None:
    """Whoever writes the row itself is told so: each pair of states that no way joins."""
    assessment_id = flagged(database)
    with database.writing() as session:
        made = proposals.propose(session, session.get_one(Assessment, assessment_id))
        assert made is not None
        first = session.get_one(Assessment, assessment_id)
        rows = {}
        for state in STATES:
            purchase = Purchase(
                listing_id=made.listing_id, assessment_id=first.id, snapshot_id=made.snapshot_id,
                brand_id=made.brand_id, state=state, limit_amount=made.limit_amount,
                limit_currency="EUR", requested_by="touchstone",
            )  # fmt: skip
            again = Assessment(
                snapshot_id=first.snapshot_id, plan_id=first.plan_id, brand_id=first.brand_id,
                score=0.9, threshold=0.6, flagged=True, result={}, inputs={},
            )  # fmt: skip
            session.add(again)
            session.flush()
            purchase.assessment_id = again.id
            session.add(purchase)
            session.flush()
            rows[state] = purchase.id
    with database.engine.connect() as connection:
        for before, purchase_id in rows.items():
            for after in STATES:
                change = update(Purchase).where(Purchase.id == purchase_id).values(state=after)
                with _undone(connection):
                    if (before, after) in BY_WAY or before == after:
                        connection.execute(change)
                    else:
                        with pytest.raises(DBAPIError, match="no such way"):
                            connection.execute(change)


@contextmanager
def _undone(connection: Any) -> Iterator[None]:
    with connection.begin() as transaction:
        yield
        transaction.rollback()


@pytest.mark.parametrize(
    "values",
    [
        {"arm": "random"},
        {"arm": "other"},
        {"place": 1},
        {"probability": 0.5},
        {"state": "settled"},
        {"outcome": "nice"},
        {"approved_by": "touchstone"},
        {"buyer": "touchstone"},
        {"approved_by": "A", "buyer": "A"},
        {"approved_by": "A", "buyer": "B", "examiner": "B"},
        {"approved_by": "A", "buyer": "B", "examiner": "C", "second_examiner": "C"},
    ],
    ids=str,
)
def test_the_database_refuses_mixed_arms_and_double_offices(
    database: Database, values: dict[str, Any]
) -> None:
    assessment_id = flagged(database)
    with database.writing() as session:
        assert proposals.propose(session, session.get_one(Assessment, assessment_id))
    with pytest.raises(DBAPIError), database.writing() as session:
        session.execute(update(Purchase).values(**values))


@pytest.mark.parametrize("table", ["purchase_events", "money_transactions", "money_postings"])
def test_what_happened_is_not_rewritten(database: Database, settings: Settings, table: str) -> None:
    staff.approved_and_assigned(database, settings, flagged(database))
    for change in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
        with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
            connection.execute(text(change))


def test_roles_count_as_the_database_has_them(database: Database, settings: Settings) -> None:
    assessment_id = flagged(database)
    with database.writing() as session:
        made = proposals.propose(session, session.get_one(Assessment, assessment_id))
        assert made is not None
        purchase_id = made.id
    with database.reading() as session:
        forged = people.find(session, "Eve Examiner")
    forged.roles = ["approver"]
    limit = Given(limit=Money.parse("55.00 EUR"))
    with database.writing() as session:
        purchase = session.get_one(Purchase, purchase_id)
        with pytest.raises(IllegalMove):
            move(session, purchase, "approved", by=forged, given=limit)
    with database.writing() as session:
        people.change(session, "Ada Lovelace", active=False)
    with pytest.raises(TouchstoneError, match="no longer"), database.writing() as session:
        proposals.approve(session, purchase_id, "Ada Lovelace")


def test_whoever_requested_it_neither_approves_nor_buys(
    database: Database, settings: Settings
) -> None:
    assessment_id = flagged(database)
    with database.writing() as session:
        people.change(session, "Ada Lovelace", roles=["requester", "approver", "buyer"])
        people.add(session, "Cy", ["approver", "buyer"])
        purchase_id = proposals.request(session, assessment_id, "Ada Lovelace").id
    with pytest.raises(IllegalMove, match="requester"), database.writing() as session:
        proposals.approve(session, purchase_id, "ADA LOVELACE")
    with database.writing() as session:
        proposals.approve(session, purchase_id, "Cy")
    for name in ("Ada Lovelace", "Cy"):
        with database.writing() as session:
            purchase = session.get_one(Purchase, purchase_id)
            persona = session.scalars(select(Persona.id)).one()
            given = Given(buyer=people.find(session, name), persona=persona, how="hand")
            by = people.find(session, "Cy")
            with pytest.raises(IllegalMove):
                move(session, purchase, "assigned", by=by, given=given)


def test_only_one_function_changes_a_state() -> None:
    """No other code of the house writes the column."""
    for folder in ("purchases", "console", "workers", "insight", "evidence"):
        for path in Path(folder).rglob("*.py"):
            code = path.read_text(encoding="utf-8")
            assert "purchase.state =" not in code.replace("purchase.state ==", ""), path
            assert path == Path("purchases/states.py") or "update(Purchase)" not in code, path
            if "update(models.Purchase)" in code:
                assert "clicked_at=utcnow()" in code
                assert ".values(state" not in code


def test_the_names_that_the_checks_need(database: Database) -> None:
    """What is recorded of a purchase in the ledger is an event that the ledger knows."""
    with database.writing() as session:
        for event in {way.event for way in WAYS if way.event}:
            record(session, event=event, subject=f"purchase:{UUID(int=0)}", actor="x")
        assert session.scalars(select(PurchaseEvent)).all() == []
