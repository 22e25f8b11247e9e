"""After the click: what order lists and e-mails said, messages, and deadlines that passed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base, Created, PrimaryKey, Sha256

#: What somebody who looked can propose; a person decides.
PROPOSALS = ("ordered", "nothing", "unclear", "unreadable")


class PurchaseMailbox(Base):
    """Where a persona's e-mails are: the address sealed, its password by the name of a secret."""

    __tablename__ = "purchase_mailboxes"

    persona_id: Mapped[UUID] = mapped_column(ForeignKey("personas.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    secret: Mapped[str | None] = mapped_column(ForeignKey("secrets.name"))
    set_by: Mapped[str]
    created_at: Mapped[Created]


class PurchaseLook(Base):
    """One look into a shop's order list and a persona's mailbox. Never changed.

    Parameters
    ----------
    why
        ``attempt``: before a new one; ``reconcile``: what came of one was unclear.
    orders
        Orders in the list that could be this purchase's.
    letters
        E-mails that were taken for the purchase's, by SHA-256.
    """

    __tablename__ = "purchase_looks"
    __table_args__ = (
        CheckConstraint("why IN ('attempt', 'reconcile')", name="why"),
        CheckConstraint(
            "proposal IN ('ordered', 'nothing', 'unclear', 'unreadable')", name="proposal"
        ),
    )

    id: Mapped[PrimaryKey]
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), index=True)
    at: Mapped[Created]
    by: Mapped[str]
    why: Mapped[str] = mapped_column(String(16))
    capture_id: Mapped[UUID | None] = mapped_column(ForeignKey("captures.id"))
    orders: Mapped[list[Any]]
    letters: Mapped[list[str]]
    proposal: Mapped[str] = mapped_column(String(16))
    order_number: Mapped[str | None]
    note: Mapped[str]


class PurchaseLetter(Base):
    """An e-mail about a purchase: which exhibit it is, and what stands in it. Never changed.

    Its text is read from the exhibit when it is shown; here is nothing of the buyer's.

    Parameters
    ----------
    kind
        ``confirmation``, ``shipping`` or ``other``.
    found
        Sender, subject, date, order number, tracking, and what the receiving server said of
        where it came from.
    """

    __tablename__ = "purchase_letters"
    __table_args__ = (UniqueConstraint("purchase_id", "sha256"),)

    id: Mapped[PrimaryKey]
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), index=True)
    exhibit_id: Mapped[UUID] = mapped_column(ForeignKey("exhibits.id"))
    sha256: Mapped[Sha256]
    kind: Mapped[str] = mapped_column(String(16))
    found: Mapped[dict[str, Any]]
    added_by: Mapped[str]
    created_at: Mapped[Created]


class PurchaseMessage(Base):
    """What was written to or by the seller, or seen of the delivery. Never changed.

    Parameters
    ----------
    at
        When it was written or seen.
    direction
        ``to_seller``, ``from_seller`` or ``delivery``.
    expected_on
        When the parcel is expected, as was said then.
    """

    __tablename__ = "purchase_messages"
    __table_args__ = (
        CheckConstraint(
            "direction IN ('to_seller', 'from_seller', 'delivery')", name="direction"
        ),
    )  # fmt: skip

    id: Mapped[PrimaryKey]
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), index=True)
    at: Mapped[datetime]
    direction: Mapped[str] = mapped_column(String(16))
    text: Mapped[str]
    expected_on: Mapped[date | None]
    exhibit_id: Mapped[UUID | None] = mapped_column(ForeignKey("exhibits.id"))
    by: Mapped[str]
    created_at: Mapped[Created]


class OverduePurchase(Base):
    """An alarm: a purchase is in a state for longer than it may be.

    It is closed when the purchase is moved on. `event_id` is of the step into that state, so
    that there is one for each time that it was in it.
    """

    __tablename__ = "overdue_purchases"
    __table_args__ = (
        UniqueConstraint("event_id"),
        Index("ix_overdue_purchases_purchase_id_closed_at", "purchase_id", "closed_at"),
    )

    id: Mapped[PrimaryKey]
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("purchase_events.id"))
    state: Mapped[str] = mapped_column(String(24))
    due_at: Mapped[datetime]
    opened_at: Mapped[Created]
    closed_at: Mapped[datetime | None]


class DeadlineCheck(Base):
    """A day, UTC, on which deadlines were looked at."""

    __tablename__ = "deadline_checks"

    day: Mapped[date] = mapped_column(primary_key=True)
    checked_at: Mapped[Created]


class DeadlineRule(Base):
    """How many days a purchase may be in a state, of a marketplace or any; the newest counts."""

    __tablename__ = "deadline_rules"
    __table_args__ = (CheckConstraint("days BETWEEN 1 AND 1000", name="days"),)

    id: Mapped[PrimaryKey]
    state: Mapped[str] = mapped_column(String(24))
    marketplace_id: Mapped[UUID | None] = mapped_column(ForeignKey("marketplaces.id"))
    days: Mapped[int]
    set_by: Mapped[str]
    created_at: Mapped[Created]
