"""What of an order list and of letters may be a purchase's, and what can be proposed then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.marketplaces.order_lists import Listed
from purchases.buying.checking import is_title
from registry.models import Listing, Purchase
from registry.money import Money


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for.

    Parameters
    ----------
    known
        Order numbers of other purchases at the marketplace.
    total
        What the order was to cost, where that was seen.
    """

    title: str
    since: datetime
    known: frozenset[str]
    total: Money | None


@dataclass(frozen=True, slots=True)
class Found:
    """Orders that may be the purchase's.

    Parameters
    ----------
    these
        Of this thing, since the first attempt, and no other purchase's.
    strange
        The same, but of something else, or it is not shown of what. A list shortens and changes
        titles as it likes, so that these are for a person to look at.
    """

    these: tuple[Listed, ...]
    strange: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What can be proposed to a person, and why."""

    proposal: str
    number: str | None
    note: str


def sought(session: Session, purchase: Purchase, since: datetime) -> Sought:
    """What to look for, for a purchase that was first attempted then."""
    known = session.scalars(
        select(Purchase.order_number)
        .join(Listing, Listing.id == Purchase.listing_id)
        .where(
            Listing.marketplace_id == purchase.listing.marketplace_id,
            Purchase.id != purchase.id,
            Purchase.order_number.is_not(None),
        )
    )
    total = None
    if purchase.order_amount is not None and purchase.order_currency is not None:
        total = Money(purchase.order_amount, purchase.order_currency)
    return Sought(
        title=purchase.snapshot.title,
        since=since,
        known=frozenset(one for one in known if one),
        total=total,
    )


def compare(orders: Sequence[Listed], wanted: Sought) -> Found:
    """Which orders may be it: `lists.read_orders` has left out those from before."""
    unknown = [one for one in orders if one.number not in wanted.known]
    these = tuple(one for one in unknown if one.title and is_title(one.title, wanted.title))
    return Found(these, tuple(one for one in unknown if one not in these))


def propose(
    found: Found | None,
    confirmed: Sequence[str],
    problems: Sequence[str],
    doubts: Sequence[str] = (),
) -> Proposal:
    """What a person is told.

    One number, from the list or from a confirmation, is proposed as ordered; what contradicts
    it makes it unclear. Nothing found is no proof that nothing was ordered.

    Parameters
    ----------
    found
        None where no list was read.
    confirmed
        Order numbers of e-mails that confirm an order of this thing.
    problems
        What could not be read.
    doubts
        What contradicts it.
    """
    these = () if found is None else found.these
    strange = () if found is None else found.strange
    numbers = list(dict.fromkeys([*(one.number for one in these), *confirmed]))
    said = [describe(one) for one in these]
    said += [f"an e-mail confirms order {number}" for number in dict.fromkeys(confirmed)]
    said += [f"not known whose: {describe(one)}" for one in strange]
    note = "; ".join([*said, *doubts, *problems]) or "neither order list nor mailbox shows an order"
    if len(numbers) == 1 and not strange and not doubts:
        return Proposal("ordered", numbers[0], note[:1900])
    if numbers or strange or doubts:
        return Proposal("unclear", None, note[:1900])
    if problems:
        return Proposal("unreadable", None, note[:1900])
    return Proposal("nothing", None, note)


def describe(order: Listed) -> str:
    """An order in a few words."""
    parts = [f"order {order.number}"]
    if order.title:
        parts.append(f"of {order.title[:80]!r}")
    if order.total is not None:
        parts.append(f"for {order.total}")
    if order.at is not None:
        parts.append(f"on {order.at:%Y-%m-%d}")
    return " ".join(parts)


def as_json(order: Listed, wanted: Sought) -> dict[str, Any]:
    """An order as a look keeps it, with what of it fits."""
    fits = [] if order.title is None or not is_title(order.title, wanted.title) else ["title"]
    if order.total is not None and order.total == wanted.total:
        fits.append("total")
    return {
        "number": order.number,
        "title": order.title,
        "total": None if order.total is None else str(order.total),
        "at": None if order.at is None else order.at.isoformat(),
        "status": order.status,
        "fits": fits,
    }
