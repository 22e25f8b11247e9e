"""What a buyer tells of a purchase: ordered by hand, paid, shipped, received, opened, sent on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matchers.values import Rates
from purchases import people
from purchases.personas import OPEN_STATES
from purchases.proposals import find
from purchases.states import Given, move
from registry.errors import TouchstoneError
from registry.models import Person, Purchase
from registry.money import Money

#: Where a purchase may be while its buyer has something to do with it.
AT_THE_BUYER = (*OPEN_STATES, "received_sealed", "opened")


def tasks(session: Session, person: Person) -> Sequence[Purchase]:
    """What a buyer was given and has not sent on, oldest first."""
    return session.scalars(
        select(Purchase)
        .where(Purchase.buyer == person.name, Purchase.state.in_(AT_THE_BUYER))
        .order_by(Purchase.id)
    ).all()


def begin(session: Session, purchase_id: UUID, by: str) -> Purchase:
    """Begin to order by hand.

    Raises
    ------
    TouchstoneError
        If it is not this buyer's, or is made in the browser.
    """
    purchase = find(session, purchase_id)
    move(session, purchase, "ordering", by=people.find(session, by))
    return purchase


def tell(
    session: Session,
    purchase_id: UUID,
    by: str,
    to: str,
    *,
    note: str | None = None,
    order_number: str | None = None,
    total: Money | None = None,
    paid: Money | None = None,
    refunded: Money | None = None,
    outcome: str | None = None,
    examiner: str | None = None,
    second_examiner: str | None = None,
    rates: Rates | None = None,
    details: Mapping[str, str] | None = None,
) -> Purchase:
    """Tell that a purchase is a step further; what is wanted for it, the way says.

    Raises
    ------
    TouchstoneError
        If the step is none of this person's, does not follow, or something is missing.
    """
    if to in ("approved", "assigned", "examined", "rejected"):
        raise TouchstoneError(f"a purchase does not become {to} by being told so")
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    if purchase.state == "examined":
        raise TouchstoneError("the verdict is given by the examiner: touchstone exam verdict")
    given = Given(
        note=note,
        order_number=order_number,
        total=total,
        paid=paid,
        refunded=refunded,
        outcome=outcome,
        examiner=None if examiner is None else people.find(session, examiner),
        second_examiner=None if second_examiner is None else people.find(session, second_examiner),
        rates=rates,
        details=details or {},
    )
    move(session, purchase, to, by=person, given=given)
    return purchase
