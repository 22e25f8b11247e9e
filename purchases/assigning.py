"""Who buys it, and as whom: somebody of whom the seller has seen nothing yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from purchases import people, personas
from purchases.proposals import find
from purchases.states import Given, move
from registry import jobs, models
from registry.errors import TouchstoneError
from registry.models import Purchase, Snapshot
from registry.models.base import utcnow
from registry.secrets import Vault

#: While a buyer has something to do with it.
_ON_ITS_WAY = (*personas.OPEN_STATES, "received_sealed", "opened")
#: States in which nothing was bought of the seller, and nothing will be.
_NOTHING_BOUGHT = ("rejected", "failed", "stopped", "rehearsed")


@dataclass(frozen=True, slots=True)
class Choice:
    """A persona that could buy, with what the seller and others have seen of it.

    `hindrance` is why it cannot buy today: its buyer is away or has enough to do, or the
    marketplace does not deliver there. None if nothing is in the way.
    """

    persona: models.Persona
    at_seller: int
    in_all: int
    hindrance: str | None


def assign(
    session: Session,
    vault: Vault,
    purchase_id: UUID,
    by: str,
    *,
    how: Literal["browser", "hand"] = "browser",
    buyer: str | None = None,
    persona: str | None = None,
) -> Purchase:
    """Give an approved purchase to a buyer; by browser, its checkout is run as a job.

    Parameters
    ----------
    buyer, persona
        A buyer's name and a persona's label, where a person chooses; otherwise the persona
        that bought least, and never one that bought of this seller before.

    Raises
    ------
    TouchstoneError
        If nobody fits, the one who was named does not, or the purchase is not approved.
    """
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    chosen = _choose(session, vault, purchase, buyer, persona)
    given = Given(buyer=chosen.person, persona=chosen.id, how=how)
    move(session, purchase, "assigned", by=person, given=given)
    if how == "browser":
        # After the move: a job older than the assignment belongs to an earlier one.
        jobs.enqueue(session, "purchase", {"purchase_id": str(purchase.id)})
        session.flush()
    return purchase


def choices(session: Session, purchase: Purchase) -> list[Choice]:
    """The personas that may buy it, best first; the people of its other offices are left out."""
    taken = {purchase.requested_by, purchase.approved_by}
    bought = _bought(session)
    seller_id = purchase.snapshot.seller_id
    of_seller = {} if seller_id is None else _bought(session, seller_id)
    busy = _busy(session)
    found = [
        Choice(
            row, of_seller.get(row.id, 0), bought.get(row.id, 0), _hindrance(purchase, row, busy)
        )
        for row in personas.everyone(session)
        if row.active
        and row.person.active
        and "buyer" in row.person.roles
        and row.person.name not in taken
    ]
    return sorted(
        found,
        key=lambda one: (
            one.hindrance is not None, one.at_seller, one.in_all, one.persona.label
        ),
    )  # fmt: skip


def _choose(
    session: Session, vault: Vault, purchase: Purchase, buyer: str | None, persona: str | None
) -> models.Persona:
    named = None if buyer is None else people.find(session, buyer)
    if persona is not None:
        row = personas.find(session, persona)
        if named is not None and row.person_id != named.id:
            raise TouchstoneError(f"the persona {row.label} is {row.person.name}'s")
        if not row.active:
            raise TouchstoneError(f"the persona {row.label} is not used any more")
        hindrance = _hindrance(purchase, row, _busy(session))
        if hindrance is not None:
            raise TouchstoneError(f"the persona {row.label} cannot buy it: {hindrance}")
        _not_the_brand(vault, purchase, row)
        return row
    fitting = [
        one
        for one in choices(session, purchase)
        if named is None or one.persona.person_id == named.id
    ]
    if not fitting:
        of = f" of {named.name}" if named else ""
        raise TouchstoneError(
            f"there is no persona{of} to buy with: touchstone persona add, for a buyer who "
            "neither requested nor approved this purchase"
        )
    if fitting[0].hindrance is not None:
        raise TouchstoneError(
            "nobody can buy it now: "
            + "; ".join(f"{one.persona.label}: {one.hindrance}" for one in fitting[:5])
        )
    if fitting[0].at_seller:
        raise TouchstoneError(
            "each persona has bought of this seller before, who could see a pattern: add one, "
            "or name one with --persona"
        )
    row = fitting[0].persona
    _not_the_brand(vault, purchase, row)
    return row


def _busy(session: Session) -> dict[str, int]:
    """How many purchases each buyer has on their way."""
    counted = session.execute(
        select(Purchase.buyer, func.count())
        .where(Purchase.buyer.is_not(None), Purchase.state.in_(_ON_ITS_WAY))
        .group_by(Purchase.buyer)
    )
    return {buyer: number for buyer, number in counted if buyer}


def _hindrance(purchase: Purchase, row: models.Persona, busy: Mapping[str, int]) -> str | None:
    person, delivers_to = row.person, purchase.listing.marketplace.delivers_to
    if person.is_away(utcnow().date()):
        return f"{person.name} is away until {person.away_until}"
    if person.at_once is not None and busy.get(person.name, 0) >= person.at_once:
        return f"{person.name} has {busy[person.name]} purchases on their way"
    if delivers_to is not None and row.country not in delivers_to:
        return f"{purchase.listing.marketplace.name} does not deliver to {row.country}"
    return None


def _bought(session: Session, seller_id: UUID | None = None) -> dict[UUID, int]:
    """How many purchases each persona made, in all or of one seller."""
    wanted = (
        select(Purchase.persona_id, func.count())
        .where(Purchase.persona_id.is_not(None), Purchase.state.not_in(_NOTHING_BOUGHT))
        .group_by(Purchase.persona_id)
    )
    if seller_id is not None:
        wanted = wanted.join(Snapshot, Snapshot.id == Purchase.snapshot_id).where(
            Snapshot.seller_id == seller_id
        )
    return {persona_id: number for persona_id, number in session.execute(wanted) if persona_id}


def _not_the_brand(vault: Vault, purchase: Purchase, row: models.Persona) -> None:
    """Refuse a persona that a seller would take for the brand itself."""
    persona = personas.unsealed(vault, row)
    domain = persona.email.rpartition("@")[2].casefold()
    brand = purchase.brand
    names = {brand.slug.casefold(), re.sub(r"\W", "", brand.name.casefold())}
    owner = brand.owner.casefold()
    if names & set(re.split(r"[.\-]", domain)) or persona.name.casefold() == owner:
        raise TouchstoneError(
            f"the persona {row.label} would show that {brand.name} buys: never the brand's own"
        )
