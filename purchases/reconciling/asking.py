"""Asking for a look into what came of purchases: by a person now, by the scheduler once a day."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from purchases import people
from purchases.people import MACHINE
from registry import jobs
from registry.errors import TouchstoneError
from registry.models import Job, Listing, Person, Persona, Purchase, PurchaseMailbox, StoredSession

KIND = "reconcile"
UNCLEAR = "outcome_unclear"
#: While there may be e-mails about it.
STATES = (UNCLEAR, "ordered", "paid", "shipped")


def ask(session: Session, purchase_id: UUID, by: str) -> UUID:
    """Have somebody's purchase looked into now; the job's id, whoever asked for it first.

    Raises
    ------
    TouchstoneError
        If there is nothing to look for, or the person has no part in it.
    """
    purchase = session.get(Purchase, purchase_id, with_for_update=True)
    if purchase is None:
        raise TouchstoneError(f"there is no purchase {purchase_id}")
    if purchase.state not in STATES:
        raise TouchstoneError(f"purchase {purchase_id} is {purchase.state}: nothing is unclear")
    person = people.find(session, by)
    if not _may_ask(purchase, person):
        raise TouchstoneError(f"{person.name} has no part in this purchase")
    # One that runs may have looked already.
    queued = session.scalar(
        select(Job.id)
        .where(
            Job.kind == KIND,
            Job.state == "queued",
            Job.payload["purchase_id"].as_string() == str(purchase_id),
        )
        .limit(1)
    )
    if queued is not None:
        return queued
    payload = {"purchase_id": str(purchase_id), "by": person.name}
    made = jobs.enqueue(session, KIND, payload)
    assert made is not None
    return made


def unclear(session: Session, by: str) -> list[UUID]:
    """The purchases somebody may ask after that may be ordered or not, oldest first.

    Raises
    ------
    TouchstoneError
        If there is no such person.
    """
    person = people.find(session, by)
    wanted = select(Purchase).where(Purchase.state == UNCLEAR).order_by(Purchase.id)
    return [one.id for one in session.scalars(wanted) if _may_ask(one, person)]


def ask_daily(session: Session, now: datetime) -> int:
    """Have each purchase looked into once a day where there is anything to look into.

    Returns
    -------
    int
        How many jobs were written; the same day, none again.
    """
    box = exists().where(PurchaseMailbox.persona_id == Purchase.persona_id)
    login = exists().where(
        StoredSession.persona == Persona.label,
        Persona.id == Purchase.persona_id,
        StoredSession.marketplace_id == Listing.marketplace_id,
        Listing.id == Purchase.listing_id,
        StoredSession.sealed.is_not(None),
    )
    wanted = select(Purchase.id).where(
        Purchase.state.in_(STATES), box | (login & (Purchase.state == UNCLEAR))
    )
    made = [
        jobs.enqueue(
            session,
            KIND,
            {"purchase_id": str(purchase_id), "by": MACHINE.name},
            key=f"{KIND}:{purchase_id}:{now:%Y-%m-%d}",
        )
        for purchase_id in session.scalars(wanted.order_by(Purchase.id)).all()
    ]
    return sum(one is not None for one in made)


def _may_ask(purchase: Purchase, person: Person) -> bool:
    own = person.name in (purchase.buyer, purchase.approved_by)
    return own or bool({"administrator", "approver"} & set(person.roles))
