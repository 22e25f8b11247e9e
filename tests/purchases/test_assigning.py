"""Who buys: somebody who is there, has not too much to do, and lives where it is delivered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from purchases import assigning, people, personas, proposals
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment, Purchase
from registry.models.base import utcnow
from registry.secrets import open_vault
from registry.settings import Settings
from tests.purchases.conftest import flagged

BEA = "Bea Buyer"


@pytest.fixture
def approved(database: Database) -> UUID:
    """An approved purchase; Bea lives in Great Britain."""
    assessment_id = flagged(database)
    with database.writing() as session:
        made = proposals.propose(session, session.get_one(Assessment, assessment_id))
        assert made is not None
        proposals.approve(session, made.id, "Ada Lovelace")
        return made.id


def away(session: Session, purchase: Purchase) -> None:
    today = utcnow().date()
    people.set_away(session, BEA, today, today + timedelta(days=3))


def abroad(session: Session, purchase: Purchase) -> None:
    purchase.listing.marketplace.delivers_to = ["AT", "DE"]


@pytest.mark.parametrize(
    ("hinder", "said"),
    [(away, "is away until"), (abroad, "does not deliver to GB")],
)
def test_what_is_in_the_way_is_said(
    database: Database,
    settings: Settings,
    approved: UUID,
    hinder: Callable[[Session, Purchase], None],
    said: str,
) -> None:
    vault = open_vault(settings)
    with database.writing() as session:
        hinder(session, session.get_one(Purchase, approved))
    for persona in (None, "P-1"):
        with pytest.raises(TouchstoneError, match=said), database.writing() as session:
            assigning.assign(session, vault, approved, "Ada Lovelace", persona=persona)
    # Somebody else, of another country, can.
    with database.writing() as session:
        people.add(session, "Ben Buyer", ["buyer"])
        other = personas.EXAMPLE.model_copy(update={"country": "DE"})
        personas.add(session, vault, people.find(session, "Ben Buyer"), "P-2", other)
    with database.writing() as session:
        purchase = assigning.assign(session, vault, approved, "Ada Lovelace", how="hand")
        assert purchase.buyer == "Ben Buyer"


def test_nobody_gets_more_than_they_can_do(
    database: Database, settings: Settings, approved: UUID
) -> None:
    vault = open_vault(settings)
    with database.writing() as session:
        people.set_at_once(session, BEA, 1)
        assigning.assign(session, vault, approved, "Ada Lovelace", how="hand")
    other = flagged_again(database, approved)
    with pytest.raises(TouchstoneError, match="has 1 purchases"), database.writing() as session:
        assigning.assign(session, vault, other, "Ada Lovelace", how="hand")
    with database.writing() as session:
        people.set_at_once(session, BEA, None)
        people.set_away(session, BEA, None, None)
    # Nothing is in the way now but that the seller knows the persona, which a person may overrule.
    with database.writing() as session:
        done = assigning.assign(session, vault, other, "Ada Lovelace", how="hand", persona="P-1")
        assert done.buyer == BEA


def flagged_again(database: Database, purchase_id: UUID) -> UUID:
    """Another approved purchase of the same listing."""
    with database.writing() as session:
        bought = session.get_one(Purchase, purchase_id)
        first, limit = bought.assessment, bought.limit
        again = Assessment(
            snapshot_id=first.snapshot_id, plan_id=first.plan_id, brand_id=first.brand_id,
            score=0.9, threshold=0.6, flagged=True, result={"signals": []}, inputs={},
        )  # fmt: skip
        session.add(again)
        session.flush()
        made = proposals._propose(session, again, limit, people.MACHINE)
        proposals.approve(session, made.id, "Ada Lovelace")
        return made.id


def test_days_that_make_no_sense_are_refused(database: Database) -> None:
    today = utcnow().date()
    for since, until in ((today, None), (None, today), (today, today - timedelta(days=1))):
        with pytest.raises(TouchstoneError, match="first day"), database.writing() as session:
            people.set_away(session, BEA, since, until)
    with pytest.raises(TouchstoneError, match="one or more"), database.writing() as session:
        people.set_at_once(session, BEA, 0)
