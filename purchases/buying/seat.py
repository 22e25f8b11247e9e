"""Which browsers of purchases wait for their buyers, and who may take one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from purchases import people
from purchases.states import IllegalMove
from registry.models import Purchase, Takeover


def all_waiting(session: Session) -> dict[UUID, Takeover]:
    """The browsers that wait for their buyers, or that these have, by purchase."""
    rows = session.scalars(
        select(Takeover)
        .where(Takeover.kind == "purchase", Takeover.state.in_(("open", "taken")))
        .order_by(Takeover.id)
    )
    return {row.subject: row for row in rows}


def waiting(session: Session, purchase_id: UUID) -> Takeover | None:
    """The browser of one purchase that waits; None if none does."""
    return all_waiting(session).get(purchase_id)


def check_taker(session: Session, purchase_id: UUID, by: str) -> str:
    """The name of who may take a purchase's browser: its buyer, whose persona is in there.

    Raises
    ------
    TouchstoneError
        If nobody is called so.
    IllegalMove
        If it is somebody else's to buy.
    """
    purchase = session.get_one(Purchase, purchase_id)
    person = people.find(session, by)
    if person.name != purchase.buyer or "buyer" not in person.roles:
        raise IllegalMove(
            f"this purchase is {purchase.buyer}'s to make: its browser shows their persona"
        )
    return person.name
