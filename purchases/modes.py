"""How test purchases are made at a marketplace, and which administrator said so."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from evidence.custody import ledger
from purchases import people
from purchases.states import IllegalMove
from registry.errors import TouchstoneError
from registry.models import MODES, Marketplace
from registry.models.base import utcnow


def set_mode(session: Session, name: str, mode: str, by: str) -> Marketplace:
    """Say how test purchases are made at a marketplace, in a write transaction.

    Anybody may take a marketplace back to rehearsals. Letting one order, by a person's click or
    by the recipe's, takes an administrator. The ledger keeps who said what.

    Parameters
    ----------
    mode
        ``rehearse``: up to the ordering click; ``assisted``: a person makes it in the live
        browser; ``automatic``: the recipe makes it.

    Raises
    ------
    TouchstoneError
        If there is no such marketplace, mode or person.
    IllegalMove
        If the person is no administrator.
    """
    if mode not in MODES:
        raise TouchstoneError(f"there is no mode {mode!r}; there are: {', '.join(MODES)}")
    person = people.find(session, by)
    if mode != "rehearse" and "administrator" not in person.roles:
        raise IllegalMove(f"{person.name} may not let it order: that takes an administrator")
    marketplace = session.scalar(
        select(Marketplace).where(Marketplace.name == name).with_for_update()
    )
    if marketplace is None:
        raise TouchstoneError(f"there is no marketplace {name!r}; see marketplace list")
    before, marketplace.mode = marketplace.mode, mode
    marketplace.mode_by, marketplace.mode_at = person.name, utcnow()
    session.flush()
    ledger.record(
        session,
        event="mode_set",
        subject=f"marketplace:{marketplace.id}",
        actor=person.name,
        details={"name": marketplace.name, "url": marketplace.url, "before": before, "mode": mode},
    )
    return marketplace
