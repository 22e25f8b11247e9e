"""From a flagged listing, or one that was drawn, to an approved purchase: what people decide."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from evidence.custody.cases import find_case
from matchers.values import Rates
from purchases import people
from purchases.people import MACHINE, Machine
from purchases.states import Given, move
from registry.errors import TouchstoneError
from registry.models import (
    Assessment,
    Brand,
    FrameListing,
    Person,
    Purchase,
    PurchaseEvent,
    SampleFrame,
    Snapshot,
)
from registry.money import Money

#: What may come on top of the price for shipping and tax, unless a person says otherwise.
ALLOWANCE = Decimal("1.25")
LEAST_ALLOWANCE = Decimal(20)


def propose(
    session: Session, assessment: Assessment, by: Person | Machine = MACHINE
) -> Purchase | None:
    """Propose to buy from a flagged listing, on suspicion; it waits for a person.

    Returns
    -------
    Purchase or None
        None if the listing shows no price, or has a purchase on suspicion that was neither
        rejected nor found to have ordered nothing; nor is anything proposed twice for the same
        assessment.
    """
    snapshot = assessment.snapshot
    if snapshot.price is None:
        return None
    open_already = session.scalar(
        select(Purchase.id)
        .where(
            Purchase.arm == "suspicion",
            or_(
                Purchase.assessment_id == assessment.id,
                and_(
                    Purchase.listing_id == snapshot.listing_id,
                    Purchase.state.not_in(("rejected", "failed")),
                ),
            ),
        )
        .limit(1)
    )
    if open_already is not None:
        return None
    return _propose(session, assessment, snapshot.price, by)


def propose_drawn(session: Session, frame_id: UUID, by: str) -> list[Purchase]:
    """Propose to buy each listing of a drawn sample that has no purchase of it yet.

    Each keeps the place at which it was drawn and the probability that it had. What cannot
    be bought stays in the sample: nothing is put in its place.

    Raises
    ------
    TouchstoneError
        If the frame is not drawn from, is not of one brand, or the person is no requester.
    """
    person = _requester(session, by)
    frame = session.get(SampleFrame, frame_id)
    if frame is None or frame.seed is None:
        raise TouchstoneError(f"there is no drawn sample {frame_id}: touchstone sample draw")
    brand = session.scalar(select(Brand).where(Brand.slug == frame.terms["brand"]))
    if brand is None:
        raise TouchstoneError(
            "the frame is not of one brand, so there is nobody to examine what is bought: "
            "touchstone sample freeze --brand"
        )
    rows = session.scalars(
        select(FrameListing)
        .where(
            FrameListing.frame_id == frame_id,
            FrameListing.drawn.is_not(None),
            FrameListing.listing_id.not_in(
                select(Purchase.listing_id).where(Purchase.frame_id == frame_id)
            ),
        )
        .order_by(FrameListing.stratum, FrameListing.drawn)
    ).all()
    made = []
    for row in rows:
        assessment = session.scalar(
            select(Assessment)
            .join(Snapshot, Snapshot.id == Assessment.snapshot_id)
            .where(Snapshot.listing_id == row.listing_id, Assessment.brand_id == brand.id)
            .order_by(Assessment.id.desc())
            .limit(1)
        )
        price = None if assessment is None else assessment.snapshot.price
        if assessment is not None and price is not None:
            made.append(_propose(session, assessment, price, person, row))
    return made


def _propose(
    session: Session,
    assessment: Assessment,
    price: Money,
    by: Person | Machine,
    drawn: FrameListing | None = None,
) -> Purchase:
    snapshot = assessment.snapshot
    most = max(price.amount * ALLOWANCE, price.amount + LEAST_ALLOWANCE)
    purchase = Purchase(
        listing_id=snapshot.listing_id,
        assessment_id=assessment.id,
        snapshot_id=snapshot.id,
        brand_id=assessment.brand_id,
        arm="suspicion" if drawn is None else "random",
        frame_id=None if drawn is None else drawn.frame_id,
        place=None if drawn is None else drawn.drawn,
        probability=None if drawn is None else drawn.probability,
        limit_amount=most.quantize(Decimal("0.01"), ROUND_UP),
        limit_currency=price.currency,
        requested_by=by.name,
    )
    session.add(purchase)
    session.flush()
    session.add(PurchaseEvent(purchase_id=purchase.id, actor=by.name, state="proposed", details={}))
    session.flush()
    return purchase


def request(session: Session, assessment_id: UUID, by: str) -> Purchase:
    """Propose a purchase that a person wants.

    Raises
    ------
    TouchstoneError
        If the person is no requester, or the listing has no price or a purchase already.
    """
    person = _requester(session, by)
    assessment = session.get(Assessment, assessment_id)
    if assessment is None:
        raise TouchstoneError(f"there is no assessment {assessment_id}: touchstone queue --json")
    made = propose(session, assessment, person)
    if made is None:
        raise TouchstoneError("the listing shows no price, or has a purchase already")
    return made


def approve(
    session: Session,
    purchase_id: UUID,
    by: str,
    limit: Money | None = None,
    *,
    rates: Rates | None = None,
    case: str | None = None,
) -> Purchase:
    """Approve a proposal, or another try after a rehearsal or a stop; the money is reserved.

    Parameters
    ----------
    limit
        The most that it may cost in all; None: as it was proposed.
    rates
        Exchange rates for limits in other currencies; None: the table that ships.
    case
        The case that it belongs to, if there is one already.

    Raises
    ------
    TouchstoneError
        If there is no such purchase, it is past approval, the person may not approve it, or
        a limit would be overrun.
    """
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    if case is not None:
        purchase.case_id = find_case(session, case).id
        session.flush()
    given = Given(limit=limit or purchase.limit, rates=rates)
    move(session, purchase, "approved", by=person, given=given)
    return purchase


def reject(session: Session, purchase_id: UUID, by: str, note: str = "") -> Purchase:
    """Reject a proposal, or what was stopped before the click.

    Raises
    ------
    TouchstoneError
        If there is no such purchase, it is past that, or the person may not.
    """
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    move(session, purchase, "rejected", by=person, given=Given(note=note))
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
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    if ordered and not order_number:
        raise TouchstoneError("an order has a number: give it, or say that nothing was ordered")
    if order_number and not ordered:
        raise TouchstoneError("an order number was given, but nothing is said to be ordered")
    found = f"ordered, {order_number}" if ordered else "nothing was ordered"
    note = ": ".join(filter(None, (found, note)))
    to = "ordered" if ordered else "failed"
    move(session, purchase, to, by=person, given=Given(note=note, order_number=order_number))
    return purchase


def find(session: Session, purchase_id: UUID) -> Purchase:
    """A purchase, locked until the transaction ends.

    Raises
    ------
    TouchstoneError
        If there is none.
    """
    purchase = session.get(Purchase, purchase_id, with_for_update=True)
    if purchase is None:
        raise TouchstoneError(f"there is no purchase {purchase_id}")
    return purchase


def _requester(session: Session, by: str) -> Person:
    person = people.find(session, by)
    if "requester" not in person.roles:
        raise TouchstoneError(f"{person.name} may not request purchases: that takes the role")
    return person
