"""From a flagged listing to an approved purchase: what people decide."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from purchases.states import move
from registry import jobs
from registry.errors import TouchstoneError
from registry.models import Assessment, Purchase, PurchaseEvent
from registry.models.base import utcnow
from registry.money import Money

#: What may come on top of the price for shipping and tax, unless a person says otherwise.
ALLOWANCE = Decimal("1.25")
LEAST_ALLOWANCE = Decimal(20)

SYSTEM = "touchstone"


def propose(
    session: Session, assessment: Assessment, requested_by: str = SYSTEM
) -> Purchase | None:
    """Propose to buy from a flagged listing; it waits for a person.

    Returns
    -------
    Purchase or None
        None if the listing shows no price, or has a purchase that was neither rejected nor
        found to have ordered nothing.
    """
    snapshot = assessment.snapshot
    price = snapshot.price
    if price is None:
        return None
    open_already = session.scalar(
        select(Purchase.id)
        .where(
            Purchase.listing_id == snapshot.listing_id,
            Purchase.state != "rejected",
            or_(Purchase.state != "settled", Purchase.order_number.is_not(None)),
        )
        .limit(1)
    )
    if open_already is not None:
        return None
    most = max(price.amount * ALLOWANCE, price.amount + LEAST_ALLOWANCE)
    purchase = Purchase(
        listing_id=snapshot.listing_id,
        assessment_id=assessment.id,
        limit_amount=most.quantize(Decimal("0.01"), ROUND_UP),
        limit_currency=price.currency,
        requested_by=requested_by,
    )
    session.add(purchase)
    session.flush()
    session.add(PurchaseEvent(purchase_id=purchase.id, actor=requested_by, state="proposed"))
    return purchase


def approve(session: Session, purchase_id: UUID, by: str, limit: Money | None = None) -> Purchase:
    """Approve a proposal, or another try after a rehearsal or a stop before the click.

    The job that runs the checkout is written in the same transaction.

    Raises
    ------
    TouchstoneError
        If there is no such purchase, it is past approval, `by` names nobody, or the limit
        is in another currency than the price.
    """
    purchase = _find(session, purchase_id)
    person = _person(by)
    if person == purchase.requested_by:
        raise TouchstoneError(f"{person} requested this purchase: another person approves it")
    if limit is not None:
        if limit.currency != purchase.limit_currency:
            raise TouchstoneError(
                f"the limit is in {limit.currency}, the price in {purchase.limit_currency}"
            )
        purchase.limit_amount = limit.amount
    if purchase.clicked_at is not None:
        raise TouchstoneError(f"purchase {purchase.id} was ordered already, or may have been")
    move(session, purchase, "approved", actor=person, note=None)
    # Before the job is made: a job older than the approval belongs to an earlier one.
    purchase.approved_by, purchase.approved_at = person, utcnow()
    jobs.enqueue(session, "purchase", {"purchase_id": str(purchase.id)})
    session.flush()
    return purchase


def reject(session: Session, purchase_id: UUID, by: str, note: str = "") -> Purchase:
    """Reject a proposal, or what was stopped before the click.

    Raises
    ------
    TouchstoneError
        If there is no such purchase or it is past that.
    """
    purchase = _find(session, purchase_id)
    move(session, purchase, "rejected", actor=_person(by), note=note or None)
    return purchase


def settle(
    session: Session,
    purchase_id: UUID,
    by: str,
    ordered: bool,
    order_number: str | None = None,
    note: str = "",
) -> Purchase:
    """Settle an unclear outcome by what a person found out. Nothing is clicked again.

    Raises
    ------
    TouchstoneError
        If the outcome is not unclear, or an order is claimed without its number.
    """
    purchase = _find(session, purchase_id)
    if ordered and not order_number:
        raise TouchstoneError("an order has a number: give it, or say that nothing was ordered")
    if order_number and not ordered:
        raise TouchstoneError("an order number was given, but nothing is said to be ordered")
    found = f"ordered, {order_number}" if ordered else "nothing was ordered"
    move(
        session, purchase, "settled", actor=_person(by), note=": ".join(filter(None, (found, note)))
    )
    purchase.order_number = order_number
    session.flush()
    return purchase


def _find(session: Session, purchase_id: UUID) -> Purchase:
    purchase = session.get(Purchase, purchase_id, with_for_update=True)
    if purchase is None:
        raise TouchstoneError(f"there is no purchase {purchase_id}")
    return purchase


def _person(by: str) -> str:
    name = " ".join(by.split())
    if not name or name.casefold() == SYSTEM:
        raise TouchstoneError("a person decides this: give your name")
    if len(name) > 200:
        raise TouchstoneError("that name is too long")
    return name
