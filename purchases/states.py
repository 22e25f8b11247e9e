"""The states of a purchase and the ways between them; there is no other way."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import update
from sqlalchemy.orm import Session

from registry.errors import TouchstoneError
from registry.models import Purchase, PurchaseEvent

#: What may follow what. `approved` after `ordering` is a new try, which is only possible
#: before the click; after it the outcome is known, or unclear and settled by a person.
WAYS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "proposed": frozenset({"approved", "rejected"}),
        "approved": frozenset({"ordering", "stopped", "rejected"}),
        "ordering": frozenset({"rehearsed", "stopped", "ordered", "outcome_unclear"}),
        "outcome_unclear": frozenset({"settled"}),
        "rehearsed": frozenset({"approved"}),
        "stopped": frozenset({"approved", "rejected"}),
        "rejected": frozenset(),
        "ordered": frozenset(),
        "settled": frozenset(),
    }
)


class IllegalMove(TouchstoneError):
    """The purchase is not in a state from which this may follow."""


def move(
    session: Session, purchase: Purchase, to: str, *, actor: str, note: str | None = None
) -> None:
    """Bring a purchase into another state and write down who did it.

    The state is compared in the database, not in memory: of two who move it at once, one
    comes too late.

    Raises
    ------
    IllegalMove
        If that state may not follow, or somebody else was quicker.
    """
    seen = purchase.state
    if to not in WAYS[seen]:
        raise IllegalMove(f"purchase {purchase.id} is {seen}: it cannot become {to}")
    moved = session.scalars(
        update(Purchase)
        .where(Purchase.id == purchase.id, Purchase.state == seen)
        .values(state=to, note=note)
        .returning(Purchase.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not moved:
        raise IllegalMove(f"purchase {purchase.id} is no longer {seen}: look again")
    session.refresh(purchase)
    session.add(PurchaseEvent(purchase_id=purchase.id, actor=actor, state=to, note=note))
    session.flush()
