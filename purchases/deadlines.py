"""How long a purchase may be in a state, and alarms about those that are there for longer.

The limits are days, from the step into the state. For a parcel that is on its way, the day on
which it is expected counts instead, as the buyer last told it. Alarms are looked after once a
day by the scheduler; what is shown to people is worked out at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from registry.errors import TouchstoneError
from registry.models import (
    DeadlineCheck,
    DeadlineRule,
    Listing,
    Marketplace,
    OverduePurchase,
    Person,
    Purchase,
    PurchaseEvent,
    PurchaseMessage,
)
from registry.models.base import utcnow

#: Days that a purchase may wait in a state, unless a rule says otherwise.
DAYS: Mapping[str, int] = MappingProxyType(
    {
        "proposed": 30,
        "approved": 7,
        "assigned": 3,
        "ordering": 1,
        "rehearsed": 14,
        "stopped": 14,
        "outcome_unclear": 2,
        "ordered": 7,
        "paid": 14,
        "shipped": 30,
        "received_sealed": 7,
        "opened": 7,
        "sent_to_examiner": 21,
        "examined": 7,
        "verdict": 30,
    }
)
#: Days after the one on which a parcel was expected.
GRACE_DAYS = 3


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when a purchase should have left the state that it is in.

    Parameters
    ----------
    event_id
        The step into that state.
    expected
        Whether the day on which the parcel is expected counts.
    """

    purchase_id: UUID
    event_id: UUID
    state: str
    since: datetime
    due_at: datetime
    expected: bool

    def overdue(self, now: datetime) -> bool:
        """Whether that is past."""
        return self.due_at < now


def deadlines(session: Session, only: Sequence[UUID] | None = None) -> dict[UUID, Deadline]:
    """The deadlines of purchases that wait in a state, by purchase.

    Parameters
    ----------
    only
        Of these purchases; all of them by default.
    """
    waiting = select(Purchase.id).where(Purchase.state.in_(DAYS))
    if only is not None:
        waiting = waiting.where(Purchase.id.in_(only))
    wanted = (
        select(Purchase, Listing.marketplace_id)
        .join(Listing, Listing.id == Purchase.listing_id)
        .where(Purchase.id.in_(waiting))
    )
    entered = _entered(session, waiting)
    rules, expected = _rules(session), _expected(session)
    found = {}
    for purchase, marketplace_id in session.execute(wanted):
        state, event = purchase.state, entered.get(purchase.id)
        if event is None or event.state != state:
            continue
        days = rules.get((state, marketplace_id), rules.get((state, None), DAYS[state]))
        due, arrives = event.at + timedelta(days=days), expected.get(purchase.id)
        if state == "shipped" and arrives is not None:
            last = arrives + timedelta(days=GRACE_DAYS)
            due = datetime.combine(last, time(23, 59, 59), UTC)
        found[purchase.id] = Deadline(
            purchase.id, event.id, state, event.at, due, state == "shipped" and arrives is not None
        )
    return found


def _entered(session: Session, waiting: Select[UUID]) -> dict[UUID, PurchaseEvent]:
    """The step of each purchase into its last state; other things are noted while it is in it."""
    steps: dict[UUID, PurchaseEvent] = {}
    for event in session.scalars(
        select(PurchaseEvent)
        .where(PurchaseEvent.purchase_id.in_(waiting))
        .order_by(PurchaseEvent.id)
    ):
        before = steps.get(event.purchase_id)
        if before is None or before.state != event.state:
            steps[event.purchase_id] = event
    return steps


def overdue(session: Session, now: datetime | None = None) -> dict[UUID, Deadline]:
    """The purchases that are in a state for longer than they may be."""
    now = now or utcnow()
    return {key: one for key, one in deadlines(session).items() if one.overdue(now)}


def _rules(session: Session) -> dict[tuple[str, UUID | None], int]:
    rows = session.scalars(select(DeadlineRule).order_by(DeadlineRule.id))
    return {(row.state, row.marketplace_id): row.days for row in rows}


def _expected(session: Session) -> dict[UUID, date]:
    """When parcels are expected, as was told last."""
    rows = session.execute(
        select(PurchaseMessage.purchase_id, PurchaseMessage.expected_on)
        .where(PurchaseMessage.expected_on.is_not(None))
        .order_by(PurchaseMessage.id)
    )
    return {purchase_id: day for purchase_id, day in rows if day is not None}


def set_rule(
    session: Session, state: str, days: int, by: Person, marketplace: str | None = None
) -> DeadlineRule:
    """Set for how many days a purchase may be in a state, everywhere or at a marketplace.

    Raises
    ------
    TouchstoneError
        If there is no such state or marketplace, the days are none, or the person may not.
    """
    if not {"administrator", "approver"} & set(by.roles):
        raise TouchstoneError(f"{by.name} may not set deadlines: an administrator or approver does")
    if state not in DAYS:
        raise TouchstoneError(
            f"a purchase does not wait as {state!r}; it does as {', '.join(DAYS)}"
        )
    if not 1 <= days <= 1000:
        raise TouchstoneError("a deadline is 1 to 1000 days")
    where = None
    if marketplace is not None:
        where = session.scalar(select(Marketplace).where(Marketplace.name == marketplace))
        if where is None:
            raise TouchstoneError(f"there is no marketplace {marketplace}: see marketplace list")
    rule = DeadlineRule(
        state=state, days=days, set_by=by.name, marketplace_id=None if where is None else where.id
    )
    session.add(rule)
    session.flush()
    return rule


# Alarms


def check(session: Session, now: datetime) -> int | None:
    """Open alarms for what became overdue, once for each day however many ask.

    Parameters
    ----------
    session
        A write transaction, in which the day is taken: whoever else takes it waits, and finds
        it taken.

    Returns
    -------
    int or None
        How many were opened; None if this day was looked at already.
    """
    day = now.astimezone(UTC).date()
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    taken = session.scalars(
        insert(DeadlineCheck)
        .values(day=day, checked_at=now)
        .on_conflict_do_nothing()
        .returning(DeadlineCheck.day)
    ).all()
    if not taken:
        # Whoever has it keeps the others waiting, also for what follows in the transaction.
        session.get_one(DeadlineCheck, day, with_for_update=True)
        return None
    late = overdue(session, now)
    known = set(
        session.scalars(
            select(OverduePurchase.event_id).where(
                OverduePurchase.event_id.in_([one.event_id for one in late.values()])
            )
        )
    )
    new = [one for one in late.values() if one.event_id not in known]
    session.add_all(
        OverduePurchase(
            purchase_id=one.purchase_id,
            event_id=one.event_id,
            state=one.state,
            due_at=one.due_at,
            opened_at=now,
        )
        for one in new
    )
    session.flush()
    return len(new)


def moved_on(session: Session, purchase: Purchase) -> None:
    """Close the alarms of a purchase that has left the state which they are about."""
    session.execute(
        update(OverduePurchase)
        .where(OverduePurchase.purchase_id == purchase.id, OverduePurchase.closed_at.is_(None))
        .values(closed_at=utcnow())
    )


def alarmed() -> Select[UUID]:
    """The purchases of which an alarm is open, about the state that they are in.

    One that goes on while a scheduler looks gets its alarm after it has left the state.
    """
    return (
        select(OverduePurchase.purchase_id)
        .join(Purchase, Purchase.id == OverduePurchase.purchase_id)
        .where(OverduePurchase.closed_at.is_(None), OverduePurchase.state == Purchase.state)
    )
