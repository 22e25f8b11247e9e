"""What people decide, and that there is no way round it."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from purchases import proposals
from purchases.states import WAYS, IllegalMove, move
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment, Job, Purchase, PurchaseEvent
from registry.money import Money
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


def test_approval_names_a_person_and_makes_the_job(database: Database) -> None:
    purchase_id = propose(database)
    for nobody in ("", "  ", "touchstone", "Touchstone", "x" * 300):
        with pytest.raises(TouchstoneError), database.writing() as session:
            proposals.approve(session, purchase_id, nobody)
    with pytest.raises(TouchstoneError, match="USD"), database.writing() as session:
        proposals.approve(session, purchase_id, "Ada", Money.parse("60.00 USD"))
    with database.writing() as session:
        proposals.approve(session, purchase_id, " Ada  Lovelace ", Money.parse("60.00 EUR"))
    with database.writing() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert (purchase.approved_by, str(purchase.limit)) == ("Ada Lovelace", "60.00 EUR")
        (job,) = session.scalars(select(Job))
        assert job.payload == {"purchase_id": str(purchase_id)}
    with pytest.raises(IllegalMove, match="approved"), database.writing() as session:
        proposals.approve(session, purchase_id, "Grace")


def test_rejecting_frees_the_listing(database: Database) -> None:
    purchase_id = propose(database)
    with database.writing() as session:
        proposals.reject(session, purchase_id, "Ada", "our own shop")
    with database.reading() as session:
        events = session.scalars(select(PurchaseEvent).order_by(PurchaseEvent.id)).all()
        assert [(e.actor, e.state, e.note) for e in events] == [
            ("touchstone", "proposed", None),
            ("Ada", "rejected", "our own shop"),
        ]
    with pytest.raises(IllegalMove), database.writing() as session:
        proposals.approve(session, purchase_id, "Ada")


def test_settling_needs_an_unclear_outcome_and_a_number(database: Database) -> None:
    purchase_id = propose(database)
    with pytest.raises(IllegalMove), database.writing() as session:
        proposals.settle(session, purchase_id, "Ada", False)
    with database.writing() as session:
        proposals.approve(session, purchase_id, "Ada")
        purchase = session.get_one(Purchase, purchase_id)
        move(session, purchase, "ordering", actor="t")
        move(session, purchase, "outcome_unclear", actor="t", note="lost")
    with pytest.raises(TouchstoneError, match="number"), database.writing() as session:
        proposals.settle(session, purchase_id, "Ada", True)
    with database.writing() as session:
        proposals.settle(session, purchase_id, "Ada", True, "B-7", "seen in the account")
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert (purchase.state, purchase.order_number) == ("settled", "B-7")


@hypothesis_settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(ways=st.lists(st.sampled_from(sorted(WAYS)), max_size=8))
def test_only_the_drawn_ways_lead_on(database: Database, ways: list[str]) -> None:
    with database.writing() as session:
        purchase = session.scalars(select(Purchase)).first()
        if purchase is None:
            session.rollback()
            propose(database)
            return
        purchase.state = "proposed"
        session.flush()
        for to in ways:
            before = purchase.state
            if to in WAYS[before]:
                move(session, purchase, to, actor="t")
                assert purchase.state == to
            else:
                with pytest.raises(IllegalMove):
                    move(session, purchase, to, actor="t")
                assert purchase.state == before


def test_no_way_leads_back_over_the_click() -> None:
    reached, frontier = set(), {"ordered", "outcome_unclear"}
    while frontier:
        state = frontier.pop()
        reached.add(state)
        frontier |= set(WAYS[state]) - reached
    assert reached == {"ordered", "outcome_unclear", "settled"}
