"""One person, one office in a purchase: over all its tries, and whatever roles they have."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from purchases import assigning, people, personas, proposals
from purchases.states import Given, IllegalMove, move
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Purchase
from registry.models.base import utcnow
from registry.money import Money
from registry.secrets import open_vault
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.conftest import flagged


def test_a_buyer_is_under_the_limit_whatever_else_they_are(
    database: Database, settings: Settings
) -> None:
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database), by_hand=True)
    with database.writing() as session:
        people.change(session, "Bea Buyer", roles=["buyer", "finance"])
        purchase = session.get_one(Purchase, purchase_id)
        session.execute(
            update(Purchase).values(
                order_number="B-1", order_amount=Decimal(50), order_currency="EUR"
            )
        )
        for state in ("ordering", "ordered"):
            session.execute(update(Purchase).values(state=state))
    over = Given(paid=Money.parse("9999.00 EUR"))
    for name, fits in (("Bea Buyer", False), ("Finn Finance", True)):
        with database.writing() as session:
            purchase = session.get_one(Purchase, purchase_id)
            person = people.find(session, name)
            if fits:
                move(session, purchase, "paid", by=person, given=over)
                continue
            with pytest.raises(TouchstoneError, match="at most"):
                move(session, purchase, "paid", by=person, given=over)


def test_who_was_buyer_or_approver_before_is_not_blind_to_it(
    database: Database, settings: Settings
) -> None:
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database), by_hand=True)
    vault = open_vault(settings)
    with database.writing() as session:
        people.change(session, "Bea Buyer", roles=["buyer", "examiner"])
        people.change(session, "Ada Lovelace", roles=["approver", "examiner"])
        people.add(session, "Grace Hopper", ["approver"])
        ben = people.add(session, "Ben Buyer", ["buyer"])
        personas.add(session, vault, ben, "P-2", personas.EXAMPLE)
        purchase = session.get_one(Purchase, purchase_id)
        bea = people.find(session, "Bea Buyer")
        move(session, purchase, "ordering", by=bea)
        move(session, purchase, "stopped", by=bea, given=Given(note="sold out"))
    with database.writing() as session:
        proposals.approve(session, purchase_id, "Grace Hopper")
        assigning.assign(session, vault, purchase_id, "Grace Hopper", how="hand", buyer="Ben Buyer")
        for state in ("ordering", "ordered", "paid", "shipped", "received_sealed", "opened"):
            session.execute(update(Purchase).values(state=state))
    details = {"method": "courier", "place": "B", "seal": "1"}
    for name, office in (("Bea Buyer", "buyer"), ("Ada Lovelace", "approver")):
        with database.writing() as session:
            purchase = session.get_one(Purchase, purchase_id)
            given = Given(examiner=people.find(session, name), details=details)
            ben = people.find(session, "Ben Buyer")
            with pytest.raises(IllegalMove, match=f"{name} is {office}"):
                move(session, purchase, "sent_to_examiner", by=ben, given=given)


def test_a_click_that_was_written_stays_written(database: Database, settings: Settings) -> None:
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database))
    with database.writing() as session:
        session.execute(update(Purchase).values(clicked_at=utcnow()))
    for again in (None, utcnow()):
        with pytest.raises(DBAPIError, match="stays written"), database.writing() as session:
            session.execute(
                update(Purchase).where(Purchase.id == purchase_id).values(clicked_at=again)
            )
