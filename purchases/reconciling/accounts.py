"""Who attempted a purchase before, under which accounts, and what they could have ordered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from crawler.browsing.sessions import Login
from crawler.marketplaces import KINDS
from crawler.marketplaces.checkout import Checkout
from registry.models import Persona, Purchase, PurchaseEvent, StoredSession
from registry.secrets import Vault


@dataclass(frozen=True, slots=True)
class Account:
    """A persona that attempted the purchase, and its login at the shop.

    Parameters
    ----------
    login
        None where it buys as a guest, or must log in again.
    state
        Of the stored login; None where there is none.
    since
        When a login was first kept.
    """

    label: str
    persona_id: UUID
    login: Login | None
    state: str | None
    since: datetime | None

    @property
    def logged_out(self) -> bool:
        """Whether it has an account and cannot use it now."""
        return self.state is not None and self.login is None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What came before: when it began, and in whose names.

    Parameters
    ----------
    reviewed_at
        When an attempt last went to the page with the ordering button; None if none did since
        it was last approved, by somebody who could know.
    """

    since: datetime
    accounts: tuple[Account, ...]
    reviewed_at: datetime | None

    @property
    def as_guest(self) -> bool:
        """Whether one of them stood before the button without the account that it has now."""
        return self.reviewed_at is not None and any(
            one.since is None or one.since > self.reviewed_at for one in self.accounts
        )


def earlier_attempts(
    session: Session, vault: Vault, purchase: Purchase, *, again: bool
) -> Earlier | None:
    """What came before the attempt that goes on; None if it is the first.

    An attempt at the same listing that came to nothing by a person's word, and was proposed
    anew, counts: that person may have been wrong. So does one that stood before the ordering
    button and was rejected then: nobody said what came of it.

    Parameters
    ----------
    again
        Whether the attempt that goes on was begun before, by a worker that was lost.

    Raises
    ------
    SecretsError
        If a login cannot be opened.
    """
    rejected = and_(Purchase.state == "rejected", Purchase.reviewed_at.is_not(None))
    before = session.execute(
        select(Purchase.id, Purchase.state, Purchase.reviewed_at).where(
            Purchase.listing_id == purchase.listing_id,
            Purchase.id != purchase.id,
            or_(Purchase.state == "failed", rejected),
        )
    ).all()
    events = session.scalars(
        select(PurchaseEvent)
        .where(
            PurchaseEvent.purchase_id.in_([purchase.id, *(one.id for one in before)]),
            PurchaseEvent.state.in_(("assigned", "ordering")),
        )
        .order_by(PurchaseEvent.id)
    ).all()
    began = [event.at for event in events if event.state == "ordering"]
    if not began or (len(began) == 1 and not again):
        return None
    # Kept with each assignment since there are order lists; of older ones, the last is known.
    ids = [
        UUID(event.details["persona_id"])
        for event in events
        if event.state == "assigned" and "persona_id" in event.details
    ]
    if purchase.persona_id is not None:
        ids.append(purchase.persona_id)
    reviewed, approved = purchase.reviewed_at, purchase.approved_at
    if reviewed is not None and approved is not None and reviewed < approved:
        reviewed = None  # a person has looked since, and approved it again
    own = [e for e in events if e.state == "ordering" and e.purchase_id == purchase.id]
    if len(own) < 2:
        # Who approved this one was told of no attempt yet: its own first one stops, and tells.
        unsaid = [one.reviewed_at for one in before if one.state == "rejected"]
        reviewed = max([*unsaid, *([reviewed] if reviewed else [])], default=None)
    return Earlier(
        since=min(began),
        accounts=tuple(account_of(session, vault, purchase, one) for one in dict.fromkeys(ids)),
        reviewed_at=reviewed,
    )


def account_of(session: Session, vault: Vault, purchase: Purchase, persona_id: UUID) -> Account:
    """A persona's account at the marketplace of a purchase.

    Raises
    ------
    SecretsError
        If its login cannot be opened.
    """
    persona = session.get_one(Persona, persona_id)
    marketplace_id = purchase.listing.marketplace_id
    row = session.scalar(
        select(StoredSession).where(
            StoredSession.marketplace_id == marketplace_id,
            StoredSession.persona == persona.label,
            StoredSession.sealed.is_not(None),
        )
    )
    if row is None or row.sealed is None:
        return Account(persona.label, persona_id, None, None, None)
    if row.state != "ok":
        return Account(persona.label, persona_id, None, row.state, row.created_at)
    storage = json.loads(vault.open(row.sealed, context=f"session:{row.id}"))
    login = Login(row.id, marketplace_id, persona.label, row.state, storage, row.updated_at)
    return Account(persona.label, persona_id, login, row.state, row.created_at)


def recipe_of(kind: str) -> Checkout | None:
    """How a kind of marketplace is bought from; None if there is no recipe."""
    definition = KINDS.get(kind)
    return None if definition is None else definition.checkout
