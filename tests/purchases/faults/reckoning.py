"""What the database says of each purchase, held against the shop's own table of orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from evidence.custody import ledger
from evidence.custody.audit import audit
from evidence.signing.signer import open_signer, public_keys
from purchases import money, people, proposals
from purchases.states import Given, move
from registry.database import Database
from registry.models import Capture, Job, Purchase
from registry.money import Money
from registry.settings import Settings

#: Ware → number and total of each order, as the shop has it.
Orders = Mapping[int, Sequence[tuple[str, Decimal]]]


def wrong(database: Database, bought: dict[int, UUID], orders: Orders) -> Iterator[str]:
    """What does not fit: nothing should."""
    with database.reading() as session:
        purchases = {row.id: row for row in session.scalars(select(Purchase))}
        captured = set(session.scalars(select(Capture.purchase_id)))
        lost = and_(Job.kind == "purchase", Job.state != "done")
        ended_badly = session.scalars(select(Job).where(or_(Job.state == "dead", lost))).all()
    yield from (f"job {job.kind} is {job.state}: {job.error}" for job in ended_badly)
    yield from (f"ware {ware} was ordered by nobody" for ware in set(orders) - set(bought))
    if set(purchases) != set(bought.values()):
        yield "there are other purchases than were made"
    for ware, purchase_id in bought.items():
        row = purchases[purchase_id]
        for fault in _wrong_with(row, orders.get(ware, []), row.id in captured):
            yield f"ware {ware}: {fault}; it is {row.state}: {row.note}"


def _wrong_with(
    row: Purchase, orders: Sequence[tuple[str, Decimal]], captured: bool
) -> Iterator[str]:
    if len(orders) > 1:
        yield f"ordered {len(orders)} times"
    if orders and row.clicked_at is None:
        yield "ordered without an intent"
    if row.state == "ordered":
        said = [(row.order_number, row.order_amount)]
        if said != list(orders):
            yield f"said to be ordered as {said}, the shop has {orders}"
        if not captured:
            yield "ordered without evidence"
    elif row.state == "outcome_unclear":
        if row.clicked_at is None or not row.note:
            yield "unclear without an intent or a reason"
    elif row.state == "stopped":
        if orders or row.clicked_at is not None:
            yield "stopped after the intent to order"
    else:
        yield "lost on its way"


def reserved(session: Session) -> Decimal:
    """What the purchases that may cost something may cost, by their limits."""
    open_ = select(Purchase).where(Purchase.state.in_(("ordered", "outcome_unclear")))
    return sum((row.limit_amount for row in session.scalars(open_)), Decimal(0))


def settle(database: Database, bought: dict[int, UUID], orders: Orders) -> None:
    """Have people look into the shop's orders and pay what there is."""
    for ware, purchase_id in bought.items():
        found = orders.get(ware, [])
        with database.writing() as session:
            row = session.get_one(Purchase, purchase_id)
            if row.state == "outcome_unclear":
                number = found[0][0] if found else None
                proposals.settle(
                    session, purchase_id, "Ada Lovelace", bool(found), number, "asked the shop"
                )
                session.refresh(row)
            if row.state == "ordered":
                paid = Given(paid=Money(found[0][1], "EUR"))
                move(session, row, "paid", by=people.find(session, "Finn Finance"), given=paid)


def custody(database: Database, settings: Settings) -> list[str]:
    """What the audit of the custody ledger finds, with a checkpoint over all of it."""
    with database.writing() as session:
        ledger.checkpoint(session, open_signer(settings))
    with database.reading() as session:
        return [str(check) for check in audit(session, public_keys(settings)) if not check.ok]


def accounts(database: Database) -> dict[str, Decimal]:
    """What is in each account, in euros."""
    with database.reading() as session:
        assert money.faults(session) == []
        return money.balance(session)["EUR"]


def states(database: Database) -> Counter[str]:
    """How many purchases came to which end."""
    with database.reading() as session:
        return Counter(session.scalars(select(Purchase.state)))
