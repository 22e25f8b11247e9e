"""What people decide, and that there is no way round it."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from purchases import proposals
from purchases.people import MACHINE
from purchases.states import Given, IllegalMove, move
from purchases.ways import following
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment, Job, Purchase, PurchaseEvent
from registry.money import Money
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.conftest import flagged


def propose(database: Database) -> UUID:
    assessment_id = flagged(database)
    with database.writing() as session:
        made = proposals.propose(session, session.get_one(Assessment, assessment_id))
        assert made is not None
        return made.id


def test_a_proposal_waits_for_a_person(database: Database) -> None:
    purchase_id = propose(database)
    with database.writing() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert (purchase.state, purchase.limit) == ("proposed", Money(Decimal("55.00"), "EUR"))
        assert session.scalars(select(Job)).all() == []
        # A listing has one open purchase, however often it is flagged.
        assert proposals.propose(session, purchase.assessment) is None


def test_approval_names_a_person_and_assigning_makes_the_job(
    database: Database, settings: Settings
) -> None:
    purchase_id = propose(database)
    for nobody in ("", "  ", "touchstone", "Touchstone", "x" * 300, "Bea Buyer", "Rae Requester"):
        with pytest.raises(TouchstoneError), database.writing() as session:
            proposals.approve(session, purchase_id, nobody)
    with pytest.raises(TouchstoneError, match="USD"), database.writing() as session:
        proposals.approve(session, purchase_id, "Ada Lovelace", Money.parse("60.00 USD"))
    with database.writing() as session:
        proposals.approve(session, purchase_id, " ada  lovelace ", Money.parse("60.00 EUR"))
    with database.writing() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert (purchase.approved_by, str(purchase.limit)) == ("Ada Lovelace", "60.00 EUR")
        assert session.scalars(select(Job)).all() == [], "nobody was given it yet"
    with pytest.raises(IllegalMove, match="approved"), database.writing() as session:
        proposals.approve(session, purchase_id, "Ada Lovelace")
    with database.writing() as session:
        purchase = staff.assign(session, settings, purchase_id)
        assert (purchase.state, purchase.buyer, purchase.how) == (
            "assigned",
            "Bea Buyer",
            "browser",
        )
        (job,) = session.scalars(select(Job))
        assert job.payload == {"purchase_id": str(purchase_id)}


def test_rejecting_frees_the_listing(database: Database) -> None:
    purchase_id = propose(database)
    with database.writing() as session:
        proposals.reject(session, purchase_id, "Ada Lovelace", "our own shop")
    with database.reading() as session:
        events = session.scalars(select(PurchaseEvent).order_by(PurchaseEvent.id)).all()
        assert [(e.actor, e.state, e.note) for e in events] == [
            ("touchstone", "proposed", None),
            ("Ada Lovelace", "rejected", "our own shop"),
        ]
    with pytest.raises(IllegalMove), database.writing() as session:
        proposals.approve(session, purchase_id, "Ada Lovelace")


def test_settling_needs_an_unclear_outcome_and_a_number(
    database: Database, settings: Settings
) -> None:
    purchase_id = propose(database)
    with pytest.raises(IllegalMove), database.writing() as session:
        proposals.settle(session, purchase_id, "Ada Lovelace", False)
    with database.writing() as session:
        proposals.approve(session, purchase_id, "Ada Lovelace")
        purchase = staff.assign(session, settings, purchase_id)
        move(session, purchase, "ordering", by=MACHINE)
        move(session, purchase, "outcome_unclear", by=MACHINE, given=Given(note="lost"))
    with pytest.raises(TouchstoneError, match="number"), database.writing() as session:
        proposals.settle(session, purchase_id, "Ada Lovelace", True)
    with database.writing() as session:
        proposals.settle(session, purchase_id, "Bea Buyer", True, "B-7", "seen in the account")
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert (purchase.state, purchase.order_number) == ("ordered", "B-7")


def test_no_way_leads_back_over_the_click() -> None:
    reached, frontier = set(), {"ordered", "outcome_unclear"}
    while frontier:
        state = frontier.pop()
        reached.add(state)
        frontier |= {way.after for way in following(state)} - reached
    assert not reached & {"proposed", "approved", "assigned", "ordering", "rehearsed", "stopped"}
