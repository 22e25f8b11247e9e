"""What is known of a purchase since its order, and which purchases wait for too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.web.queries.purchases import PURCHASE_PARTS
from purchases import mail, messages
from purchases.deadlines import Deadline, deadlines, overdue
from purchases.personas import OPEN_STATES
from purchases.reconciling import asking
from registry.models import Person, Purchase, PurchaseLetter, PurchaseLook, PurchaseMessage
from registry.models.base import utcnow

#: Looks that are shown; all of them are in `purchase show --json`.
LOOKS = 5


@dataclass(frozen=True, slots=True)
class After:
    """What order list, mailbox, seller and carrier said of a purchase.

    Parameters
    ----------
    for_buyer
        Whether its buyer reads it, who sees what was written to them.
    may_read
        Whether the reader is shown the e-mails themselves.
    may_look
        Whether there is something to look for.
    may_tell
        Whether there is something to enter from seller or carrier.
    tracking
        Carrier and tracking number that an e-mail of the shop names, if any.
    """

    deadline: Deadline | None
    late: bool
    looks: Sequence[PurchaseLook]
    letters: Sequence[PurchaseLetter]
    messages: Sequence[PurchaseMessage]
    tracking: dict[str, str]
    for_buyer: bool
    may_read: bool
    may_look: bool
    may_tell: bool

    @property
    def proposal(self) -> PurchaseLook | None:
        """The newest look, which a person settles by."""
        return self.looks[0] if self.looks else None


def purchase_after(session: Session, purchase: Purchase, *, for_buyer: bool = False) -> After:
    """What is known of a purchase since its order."""
    key = purchase.id
    due = deadlines(session, [key]).get(key)
    letters = session.scalars(
        select(PurchaseLetter).where(PurchaseLetter.purchase_id == key).order_by(PurchaseLetter.id)
    ).all()
    return After(
        deadline=due,
        late=due is not None and due.overdue(utcnow()),
        looks=session.scalars(
            select(PurchaseLook)
            .where(PurchaseLook.purchase_id == key)
            .order_by(PurchaseLook.id.desc())
            .limit(LOOKS)
        ).all(),
        letters=letters,
        messages=session.scalars(
            select(PurchaseMessage)
            .where(PurchaseMessage.purchase_id == key)
            .order_by(PurchaseMessage.id)
        ).all(),
        tracking=mail.tracking_of(letters, purchase),
        for_buyer=for_buyer,
        may_read=for_buyer and purchase.state in OPEN_STATES,
        may_look=purchase.state in asking.STATES,
        may_tell=purchase.state in messages.STATES,
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Purchases that wait for a person: unclear ones, and those that are late."""

    purchases: Sequence[Purchase]
    late: dict[UUID, Deadline]
    looks: dict[UUID, PurchaseLook]


def purchases_waiting(session: Session, reader: Person | None) -> Waiting:
    """Purchases of which it is unclear what came, or that are late; oldest first.

    What `reader` examines is left out: it tells where the thing came from.
    """
    late = overdue(session)
    wanted = (
        select(Purchase)
        .where(or_(Purchase.state == asking.UNCLEAR, Purchase.id.in_(late)))
        .order_by(Purchase.id)
        .options(*PURCHASE_PARTS)
    )
    found = [
        one
        for one in session.scalars(wanted)
        if reader is None or reader.name not in (one.examiner, one.second_examiner)
    ]
    looks = session.scalars(
        select(PurchaseLook)
        .where(PurchaseLook.purchase_id.in_([one.id for one in found]))
        .order_by(PurchaseLook.id)
    )
    return Waiting(found, late, {look.purchase_id: look for look in looks})
