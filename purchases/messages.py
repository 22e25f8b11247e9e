"""What was written to the seller and by them, and how the parcel fares: a log that only grows.

Nobody here writes to a seller. Who does, elsewhere, enters it; a message that leads the seller
on would spoil the purchase as evidence, so that `to_seller` is entered with the word that it
does not.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from purchases import people
from purchases.proposals import find
from purchases.states import MAX_DETAIL, IllegalMove
from registry.errors import TouchstoneError
from registry.models import PurchaseFile, PurchaseMessage
from registry.models.base import utcnow

DIRECTIONS = ("to_seller", "from_seller", "delivery")
#: Between order and examination: before, and after, nobody writes about it.
STATES = ("ordering", "outcome_unclear", "ordered", "paid", "shipped", "received_sealed", "opened")
INDUCING = (
    "Ask for nothing that is not offered, and write nothing that leads the seller on: no wish "
    "for a brand, a logo or a better copy"
)


def add(
    session: Session,
    purchase_id: UUID,
    by: str,
    *,
    direction: str,
    text: str,
    at: datetime | None = None,
    expected_on: date | None = None,
    file: str | None = None,
    not_inducing: bool = False,
) -> PurchaseMessage:
    """Enter a message or what was seen of the delivery.

    Parameters
    ----------
    at
        When it was written or seen; None is now.
    expected_on
        When the parcel is expected now; with ``delivery``.
    file
        SHA-256 of a file of the purchase that shows it, or the first digits of it.
    not_inducing
        That what was written to the seller asks for nothing that was not offered.

    Raises
    ------
    TouchstoneError
        If the purchase is not this person's to buy, it is not the time for it, or something
        does not fit.
    """
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    if person.name != purchase.buyer and "administrator" not in person.roles:
        raise IllegalMove(f"{person.name} is not the buyer of this purchase")
    if purchase.state not in STATES:
        raise IllegalMove(f"purchase {purchase.id} is {purchase.state}: there is nothing to enter")
    if direction not in DIRECTIONS:
        raise TouchstoneError(f"a message is one of: {', '.join(DIRECTIONS)}")
    if direction == "to_seller" and not not_inducing:
        raise TouchstoneError(f"{INDUCING}. Say that it does not (--not-inducing)")
    if expected_on is not None and direction != "delivery":
        raise TouchstoneError("when the parcel is expected belongs to: delivery")
    text = "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
    if not text or len(text) > MAX_DETAIL or "\x00" in text:
        raise TouchstoneError(f"a message has 1 to {MAX_DETAIL} characters; add a file instead")
    now = utcnow()
    if at is not None and (at.tzinfo is None or at > now):
        raise TouchstoneError("when it was written lies in the past, and is given with its zone")
    row = PurchaseMessage(
        purchase_id=purchase.id,
        at=at or now,
        direction=direction,
        text=text,
        expected_on=expected_on,
        exhibit_id=None if file is None else _exhibit(purchase.files, file),
        by=person.name,
    )
    session.add(row)
    session.flush()
    return row


def _exhibit(files: list[PurchaseFile], start: str) -> UUID:
    found = [one.exhibit_id for one in files if start and one.sha256.startswith(start.lower())]
    if len(found) != 1:
        raise TouchstoneError(f"{start[:64]!r} is not the SHA-256 of one file of this purchase")
    return found[0]
