"""The money ledger balances, and no two approvals together overrun a limit."""

from __future__ import annotations

import threading
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from matchers.price import shipped_rates
from purchases import assigning, manual, money, people, personas, proposals
from purchases.people import MACHINE
from purchases.states import Given, move
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment, MoneyPosting, MoneyTransaction, Purchase
from registry.money import Money
from registry.secrets import open_vault
from registry.settings import Settings
from tests.purchases.conftest import flagged


def proposed(database: Database, *prices: str) -> list[UUID]:
    """Purchases of one listing, proposed with limits of these."""
    made = []
    with database.writing() as session:
        first = session.scalars(select(Assessment)).first()
    first_id = flagged(database) if first is None else first.id
    with database.writing() as session:
        first = session.get_one(Assessment, first_id)
        for price in prices:
            again = Assessment(
                snapshot_id=first.snapshot_id, plan_id=first.plan_id, brand_id=first.brand_id,
                score=0.9, threshold=0.6, flagged=True, result={"signals": []}, inputs={},
            )  # fmt: skip
            session.add(again)
            session.flush()
            made.append(proposals._propose(session, again, Money.parse(price), MACHINE).id)
    return made


def approve(database: Database, purchase_id: UUID, limit: str) -> None:
    with database.writing() as session:
        purchase = session.get_one(Purchase, purchase_id)
        purchase.limit_currency = limit[-3:]
        session.flush()
        proposals.approve(session, purchase_id, "Ada Lovelace", Money.parse(limit))


def limit(database: Database, period: str, most: str, **terms: str) -> None:
    with database.writing() as session:
        money.set_limit(
            session, period=period, most=Money.parse(most), by="Finn Finance",
            **terms,
        )  # fmt: skip


def test_reserved_then_paid_for_less_or_in_another_currency(
    database: Database, settings: Settings
) -> None:
    one, two = proposed(database, "35.00 EUR", "35.00 EUR")
    approve(database, one, "55.00 EUR")
    with database.reading() as session:
        assert money.balance(session)["EUR"] == {
            "budget": Decimal("-55.00"), "reserved": Decimal("55.00"), "spent": Decimal("0"),
        }  # fmt: skip
    with database.writing() as session:
        assigning.assign(session, open_vault(settings), one, "Ada Lovelace", how="browser")
        purchase = session.get_one(Purchase, one)
        move(session, purchase, "ordering", by=MACHINE)
        given = Given(order_number="B-1", total=Money.parse("49.99 EUR"))
        move(session, purchase, "ordered", by=MACHINE, given=given)
    for paid, by, ok in (
        ("55.01 EUR", "Bea Buyer", False),
        ("49.99 USD", "Bea Buyer", False),
        ("54.4321 USD", "Finn Finance", True),
    ):
        if ok:
            with database.writing() as session:
                manual.tell(session, one, by, "paid", paid=Money.parse(paid))
        else:
            with pytest.raises(TouchstoneError, match="at most"), database.writing() as session:
                manual.tell(session, one, by, "paid", paid=Money.parse(paid))
    with database.reading() as session:
        found = money.balance(session)
        assert found["USD"]["spent"] == -found["USD"]["budget"] == Decimal("54.4321")
        assert set(found["EUR"].values()) == {Decimal(0)} if "EUR" in found else True
        assert money.faults(session) == []
    approve(database, two, "10.00 EUR")
    with database.writing() as session:
        proposals.reject(session, two, "Ada Lovelace", "no")
    with pytest.raises(TouchstoneError, match="more than was paid"), database.writing() as session:
        manual.tell(
            session, one, "Finn Finance", "verdict", outcome="refunded",
            refunded=Money.parse("55.00 USD"), details={"grounds": "seller gave it back"},
        )  # fmt: skip
    with database.writing() as session:
        manual.tell(
            session, one, "Finn Finance", "verdict", outcome="refunded",
            refunded=Money.parse("54.00 USD"), details={"grounds": "seller gave it back"},
        )  # fmt: skip
    with database.reading() as session:
        assert money.balance(session)["USD"]["spent"] == Decimal("0.4321")
        assert money.faults(session) == []


def test_limits_of_every_kind(database: Database) -> None:
    one, two, three = proposed(database, "35.00 EUR", "35.00 EUR", "35.00 EUR")
    limit(database, "purchase", "60.00 EUR")
    with pytest.raises(money.LimitReached, match="one purchase"):
        approve(database, one, "60.01 EUR")
    limit(database, "month", "100.00 EUR", brand="velaro")
    approve(database, one, "60.00 EUR")
    with pytest.raises(money.LimitReached, match=r"a month, brand velaro has 40\.00 EUR left"):
        approve(database, two, "40.01 EUR")
    with database.writing() as session:
        month = money.use_of_limits(session, shipped_rates(), "2020-01")
        assert [used.used for used in month] == [Decimal(0), Decimal(0)]
    limit(database, "ever", "45.00 USD", marketplace="m", only_currency="USD")
    with pytest.raises(money.LimitReached, match="in USD"):
        approve(database, two, "45.01 USD")
    # The month's limit is in euros: dollars count at the rate of the day.
    rate = shipped_rates().per_euro["USD"]
    with pytest.raises(money.LimitReached, match="rates of"):
        approve(database, two, f"{(40 * rate).quantize(Decimal('0.01')) + 1} USD")
    approve(database, two, "40.00 USD")
    limit(database, "month", "2000.00 EUR", brand="velaro")
    approve(database, three, "60.00 EUR")


def test_a_currency_without_a_rate_is_refused_where_a_limit_needs_it(database: Database) -> None:
    (one,) = proposed(database, "35.00 EUR")
    limit(database, "month", "100.00 EUR")
    with pytest.raises(TouchstoneError, match="rates file"):
        approve(database, one, "35.00 MRU")


def test_two_approvals_at_once_do_not_overrun_a_limit(database: Database) -> None:
    wanted = proposed(database, *["35.00 EUR"] * 6)
    limit(database, "month", "100.00 EUR")
    start = threading.Barrier(len(wanted))
    went: list[bool] = []

    def run(purchase_id: UUID) -> None:
        start.wait()
        try:
            with database.writing() as session:
                proposals.approve(session, purchase_id, "Ada Lovelace", Money.parse("30.00 EUR"))
            went.append(True)
        except money.LimitReached:
            went.append(False)

    threads = [threading.Thread(target=run, args=(one,)) for one in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(went) == [False] * 3 + [True] * 3
    with database.reading() as session:
        assert money.balance(session)["EUR"]["reserved"] == Decimal("90.00")
        assert money.faults(session) == []


amounts = st.decimals(Decimal("0.0001"), Decimal("9999.9999"), places=4)


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(amounts, amounts, st.sampled_from("rsp")), min_size=1, max_size=4))
def test_whatever_happens_it_balances(
    database: Database, settings: Settings, steps: list[tuple[Decimal, Decimal, str]]
) -> None:
    with database.reading() as session:
        before = money.balance(session).get("EUR", {"spent": Decimal(0)})["spent"]
    spent = before
    for reserved, paid, end in steps:
        (one,) = proposed(database, "35.00 EUR")
        approve(database, one, f"{reserved} EUR")
        with database.writing() as session:
            if end == "r":
                proposals.reject(session, one, "Ada Lovelace")
                continue
            persona = personas.find(session, "P-1")
            given = Given(
                buyer=people.find(session, "Bea Buyer"), persona=persona.id, how="browser"
            )
            purchase = session.get_one(Purchase, one)
            move(
                session, purchase, "assigned", by=people.find(session, "Ada Lovelace"), given=given
            )
            move(session, purchase, "ordering", by=MACHINE)
            if end == "s":
                move(session, purchase, "stopped", by=MACHINE, given=Given(note="x"))
                continue
            total = Given(order_number=str(one), total=purchase.limit)
            move(session, purchase, "ordered", by=MACHINE, given=total)
            manual.tell(session, one, "Finn Finance", "paid", paid=Money(paid, "EUR"))
            spent += paid
    with database.reading() as session:
        assert money.faults(session) == []
        found = money.balance(session).get("EUR", {"spent": Decimal(0), "reserved": Decimal(0)})
        assert found["spent"] == spent
        assert found["reserved"] == 0
        uneven = session.execute(
            select(MoneyTransaction.id, func.sum(MoneyPosting.units))
            .join(MoneyPosting)
            .group_by(MoneyTransaction.id)
            .having(func.sum(MoneyPosting.units) != 0)
        )
        assert uneven.all() == []
