"""Deadlines of purchases, and alarms that open once and close when it goes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from purchases import assigning, deadlines, manual, messages, people, proposals
from purchases.states import Given, move
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Assessment,
    DeadlineCheck,
    Listing,
    OverduePurchase,
    Purchase,
    PurchaseMessage,
    Snapshot,
)
from registry.models.base import utcnow
from registry.money import Money
from registry.secrets import open_vault
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.conftest import flagged
from workers.scheduler import Scheduler


@pytest.fixture
def purchase_id(database: Database, settings: Settings) -> UUID:
    return staff.approved_and_assigned(database, settings, flagged(database), by_hand=True)


def in_days(days: float) -> datetime:
    return utcnow() + timedelta(days=days)


def unclear(database: Database, purchase_id: UUID) -> None:
    with database.writing() as session:
        manual.begin(session, purchase_id, "Bea Buyer")
        manual.tell(session, purchase_id, "Bea Buyer", "outcome_unclear", note="the phone died")


def shipped(database: Database, purchase_id: UUID) -> None:
    unclear(database, purchase_id)
    with database.writing() as session:
        proposals.settle(session, purchase_id, "Ada Lovelace", True, "B-1")
        paid = Money.parse("35.00 EUR")
        manual.tell(session, purchase_id, "Bea Buyer", "paid", paid=paid)
        details = {"carrier": "DHL", "tracking": "17"}
        manual.tell(session, purchase_id, "Bea Buyer", "shipped", details=details)


def another(database: Database, settings: Settings, purchase_id: UUID) -> UUID:
    """A purchase of another listing at the same marketplace."""
    with database.writing() as session:
        first = session.get_one(Purchase, purchase_id)
        listing = Listing(
            marketplace_id=first.listing.marketplace_id, external_id="2", url="http://127.0.0.1:9/2"
        )
        session.add(listing)
        session.flush()
        snapshot = Snapshot(
            listing_id=listing.id, seller_id=first.snapshot.seller_id, content_sha256="1" * 64,
            title="Tote", description="", amount=Decimal("35.00"), currency="EUR",
        )  # fmt: skip
        session.add(snapshot)
        session.flush()
        old = first.assessment
        assessment = Assessment(
            snapshot_id=snapshot.id, plan_id=old.plan_id, brand_id=old.brand_id, score=0.9,
            threshold=0.6, flagged=True, result={"signals": []}, inputs={},
        )  # fmt: skip
        session.add(assessment)
        session.flush()
        made = proposals.propose(session, assessment)
        assert made is not None
        proposals.approve(session, made.id, "Ada Lovelace")
        assigning.assign(
            session, open_vault(settings), made.id, "Ada Lovelace", how="hand", persona="P-1"
        )
        return made.id


def test_late_is_what_waits_longer_than_the_state_allows(
    database: Database, purchase_id: UUID
) -> None:
    with database.reading() as session:
        assert deadlines.overdue(session, in_days(2.9)) == {}
        late = deadlines.overdue(session, in_days(3.1))
    assert list(late) == [purchase_id]
    assert (late[purchase_id].state, late[purchase_id].expected) == ("assigned", False)
    with database.writing() as session:
        ada = people.find(session, "Ada Lovelace")
        deadlines.set_rule(session, "assigned", 20, ada, marketplace="m")
        deadlines.set_rule(session, "assigned", 1, ada)
    with database.reading() as session:
        # That of the marketplace counts before that of all, whichever was set last.
        assert deadlines.overdue(session, in_days(19)) == {}
        assert list(deadlines.overdue(session, in_days(21))) == [purchase_id]


@pytest.mark.parametrize(
    ("state", "days", "by", "where", "why"),
    [
        ("closed", 3, "Ada Lovelace", None, "does not wait"),
        ("paid", 0, "Ada Lovelace", None, "1 to 1000"),
        ("paid", 3, "Bea Buyer", None, "may not"),
        ("paid", 3, "Ada Lovelace", "nowhere", "no marketplace"),
    ],
)
def test_rules_that_are_none(
    database: Database, state: str, days: int, by: str, where: str | None, why: str
) -> None:
    with database.writing() as session, pytest.raises(TouchstoneError, match=why):
        deadlines.set_rule(session, state, days, people.find(session, by), where)


def test_an_alarm_opens_once_and_closes_when_it_goes_on(
    database: Database, purchase_id: UUID
) -> None:
    for day, opened in ((1, 0), (4, 1), (4.1, None), (5, 0)):
        with database.writing() as session:
            assert deadlines.check(session, in_days(day)) == opened
    with database.reading() as session:
        assert session.scalars(deadlines.alarmed()).all() == [purchase_id]
    with database.writing() as session:
        manual.begin(session, purchase_id, "Bea Buyer")
    with database.reading() as session:
        assert session.scalars(deadlines.alarmed()).all() == []
    # Another state, and so another alarm.
    with database.writing() as session:
        assert deadlines.check(session, in_days(9)) == 1
    with database.reading() as session:
        kept = session.scalars(select(OverduePurchase).order_by(OverduePurchase.id)).all()
        assert [one.state for one in kept] == ["assigned", "ordering"]
        assert [one.closed_at is None for one in kept] == [False, True]


def test_an_alarm_about_another_state_counts_no_more(database: Database, purchase_id: UUID) -> None:
    late = in_days(4)
    with database.reading() as session:
        late_then = deadlines.overdue(session, late)[purchase_id]
    with database.writing() as session:
        manual.begin(session, purchase_id, "Bea Buyer")
    # As of a scheduler that had looked before the purchase went on, and wrote after it.
    with database.writing() as session:
        session.add(
            OverduePurchase(
                purchase_id=purchase_id, event_id=late_then.event_id, state=late_then.state,
                due_at=late_then.due_at, opened_at=late,
            )
        )  # fmt: skip
    with database.reading() as session:
        assert session.scalars(deadlines.alarmed()).all() == []


def test_two_schedulers_look_once_a_day(database: Database, purchase_id: UUID) -> None:
    late = in_days(4)
    both = [Scheduler(database, clock=lambda: late) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(one._look_after_purchases) for one in both]:
            done.result()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OverduePurchase)) == 1
        assert session.scalar(select(func.count()).select_from(DeadlineCheck)) == 1


def test_the_day_on_which_a_parcel_is_expected_counts(
    database: Database, settings: Settings, purchase_id: UUID
) -> None:
    shipped(database, purchase_id)
    with database.reading() as session:
        assert list(deadlines.overdue(session, in_days(31))) == [purchase_id]
    for wait in (80, 50):
        with database.writing() as session:
            messages.add(
                session, purchase_id, "Bea Buyer", direction="delivery", text="in customs",
                expected_on=in_days(wait).date(),
            )  # fmt: skip
    with database.reading() as session:
        assert deadlines.overdue(session, in_days(52)) == {}
        assert deadlines.overdue(session, in_days(55))[purchase_id].expected


def test_messages_only_grow(database: Database, purchase_id: UUID) -> None:
    def say(by: str = "Bea Buyer", **given: object) -> None:
        given = {"direction": "from_seller", "text": "sent today", **given}
        with database.writing() as session:
            messages.add(session, purchase_id, by, **given)  # type: ignore[arg-type]

    with pytest.raises(TouchstoneError, match="nothing to enter"):
        say()
    with database.writing() as session:
        manual.begin(session, purchase_id, "Bea Buyer")
    with pytest.raises(TouchstoneError, match="not the buyer"):
        say("Ada Lovelace")
    with pytest.raises(TouchstoneError, match="leads the seller on"):
        say(direction="to_seller", text="do you have it with a logo?")
    for wrong in (
        {"direction": "sideways"}, {"text": " "}, {"text": "x" * 2001}, {"text": "\0"},
        {"expected_on": utcnow().date()}, {"at": in_days(1)}, {"file": "00"},
    ):  # fmt: skip
        with pytest.raises(TouchstoneError):
            say(**wrong)
    say()
    say(direction="to_seller", text="When will it come?", not_inducing=True)
    with database.reading() as session:
        rows = session.scalars(select(PurchaseMessage).order_by(PurchaseMessage.id)).all()
        assert [(row.direction, row.by) for row in rows] == [
            ("from_seller", "Bea Buyer"),
            ("to_seller", "Bea Buyer"),
        ]
    with pytest.raises(DBAPIError, match="append-only"), database.writing() as session:
        session.get_one(PurchaseMessage, rows[0].id).text = "never sent"


def test_an_order_is_one_purchase_s(
    database: Database, settings: Settings, purchase_id: UUID
) -> None:
    shipped(database, purchase_id)
    other = another(database, settings, purchase_id)
    unclear(database, other)
    with pytest.raises(TouchstoneError, match="is that of purchase"), database.writing() as session:
        proposals.settle(session, other, "Ada Lovelace", True, "B-1")
    with database.writing() as session:
        proposals.settle(session, other, "Ada Lovelace", True, "B-2")


def test_a_number_that_another_purchase_has_is_unclear_to_the_machine(
    database: Database, settings: Settings, purchase_id: UUID
) -> None:
    other = another(database, settings, purchase_id)
    with database.writing() as session:
        session.execute(update(Purchase).values(how="browser"))
    told = Given(order_number="B-1", total=Money.parse("30.00 EUR"))
    for one in (purchase_id, other):
        with database.writing() as session:
            purchase = session.get_one(Purchase, one)
            move(session, purchase, "ordering", by=people.MACHINE)
            move(session, purchase, "ordered", by=people.MACHINE, given=told)
    with database.reading() as session:
        first, second = (session.get_one(Purchase, one) for one in (purchase_id, other))
        assert (first.state, first.order_number) == ("ordered", "B-1")
        assert (second.state, second.order_number) == ("outcome_unclear", None)
        assert str(purchase_id) in (second.note or "")
        # What was paid for it is still reserved, and what it costs is still known.
        assert second.order_amount == Decimal("30.00")
