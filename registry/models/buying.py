"""Test purchases: what was decided, bought, received, examined, and found."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, Currency, PrimaryKey, Sha256
from registry.models.brands import Brand, Product
from registry.models.cases import Assessment
from registry.models.watching import Listing, Snapshot
from registry.money import Money

#: What an examined purchase can turn out to be, and how one ends that never came.
OUTCOMES = (
    "genuine",
    "counterfeit",
    "other_infringement",
    "inconclusive",
    "not_delivered",
    "refunded",
)

_ARMS = """(arm = 'suspicion' AND frame_id IS NULL AND place IS NULL AND probability IS NULL) OR
 (arm = 'random' AND frame_id IS NOT NULL AND place IS NOT NULL AND probability IS NOT NULL)"""

#: Four different people, as far as they are known yet.
_APART = """(requested_by <> approved_by OR approved_by IS NULL) AND
 (buyer IS NULL OR (buyer <> requested_by AND buyer <> approved_by)) AND
 (examiner IS NULL OR (examiner <> requested_by AND examiner <> approved_by
 AND examiner <> buyer)) AND
 (second_examiner IS NULL OR (second_examiner <> requested_by AND second_examiner <> approved_by
 AND second_examiner <> buyer AND second_examiner <> examiner))"""


class Purchase(Base):
    """A test purchase. Its state is changed by `purchases.states.move` and by nothing else.

    At most one ordering click: `clicked_at` is written before it.

    Parameters
    ----------
    arm
        ``suspicion``: proposed for what the assessment says; ``random``: drawn from a frozen
        frame, at a place in the sample and with a probability. Estimates use the latter alone.
    assessment_id, snapshot_id
        How the listing was judged and what it said when it was proposed.
    how
        ``browser`` or ``hand``.
    reviewed_at
        When an attempt last went to the page with the ordering button.
    """

    __tablename__ = "purchases"
    __table_args__ = (
        Index(
            "ix_purchases_suspicion",
            "assessment_id",
            unique=True,
            sqlite_where=text("arm = 'suspicion'"),
            postgresql_where=text("arm = 'suspicion'"),
        ),
        UniqueConstraint("frame_id", "listing_id"),
        ForeignKeyConstraint(
            ["frame_id", "listing_id"], ["frame_listings.frame_id", "frame_listings.listing_id"]
        ),
        CheckConstraint(_ARMS, name="arm"),
        CheckConstraint(_APART, name="apart"),
        # And the states and outcomes that there are: in migration 0009, with the trigger that
        # knows the ways between them.
    )

    id: Mapped[PrimaryKey]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), index=True)
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id"))
    snapshot_id: Mapped[UUID] = mapped_column(ForeignKey("snapshots.id"))
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    arm: Mapped[str] = mapped_column(String(16), default="suspicion")
    frame_id: Mapped[UUID | None]
    place: Mapped[int | None]
    probability: Mapped[float | None]
    state: Mapped[str] = mapped_column(String(24), default="proposed", index=True)
    limit_amount: Mapped[Decimal]
    limit_currency: Mapped[Currency]
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    requested_by: Mapped[str]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    buyer: Mapped[str | None]
    persona_id: Mapped[UUID | None] = mapped_column(ForeignKey("personas.id"), index=True)
    how: Mapped[str | None] = mapped_column(String(8))
    assigned_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    clicked_at: Mapped[datetime | None]
    order_number: Mapped[str | None]
    order_amount: Mapped[Decimal | None]
    order_currency: Mapped[Currency | None]
    examiner: Mapped[str | None]
    second_examiner: Mapped[str | None]
    outcome: Mapped[str | None] = mapped_column(String(24))
    note: Mapped[str | None]
    created_at: Mapped[Created]

    listing: Mapped[Listing] = relationship()
    assessment: Mapped[Assessment] = relationship()
    snapshot: Mapped[Snapshot] = relationship()
    brand: Mapped[Brand] = relationship()
    events: Mapped[list[PurchaseEvent]] = relationship(
        back_populates="purchase", order_by="PurchaseEvent.id"
    )
    files: Mapped[list[PurchaseFile]] = relationship(order_by="PurchaseFile.exhibit_id")
    examinations: Mapped[list[Examination]] = relationship(order_by="Examination.id")

    @property
    def limit(self) -> Money:
        """The most that may be paid, shipping and tax included."""
        return Money(self.limit_amount, self.limit_currency)


class PurchaseEvent(Base):
    """A step in the life of a purchase: who did what, when. Never changed, never deleted.

    `details` is what was said on the way; what of it may stand in the ledger stands there.
    """

    __tablename__ = "purchase_events"

    id: Mapped[PrimaryKey]
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), index=True)
    at: Mapped[Created]
    actor: Mapped[str]
    state: Mapped[str] = mapped_column(String(24))
    note: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)

    purchase: Mapped[Purchase] = relationship(back_populates="events")


class PurchaseFile(Base):
    """A photograph, video or paper of a purchase: which exhibit of its case it is, and of what.

    Parameters
    ----------
    kind
        Of `purchases.states.FILES`.
    sent_sha256
        The hash that was worked out where the file came from, before it was sent.
    taken
        When and where the picture says that it was taken (EXIF); the file itself is as it came.
    """

    __tablename__ = "purchase_files"

    exhibit_id: Mapped[UUID] = mapped_column(ForeignKey("exhibits.id"), primary_key=True)
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[Sha256]
    sent_sha256: Mapped[Sha256 | None]
    taken: Mapped[dict[str, Any]]
    added_by: Mapped[str]
    created_at: Mapped[Created]


class Feature(Base):
    """What an examiner looks for: how the genuine product is made, or what gives a fake away.

    `product_id` None: of all products of the brand.
    """

    __tablename__ = "features"
    __table_args__ = (CheckConstraint("kind IN ('genuine', 'tell')", name="kind"),)

    id: Mapped[PrimaryKey]
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("products.id"))
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str]
    added_by: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Created]

    product: Mapped[Product | None] = relationship()


class ExaminationRule(Base):
    """How many examine what is bought of a brand, apart from each other; one if none is set."""

    __tablename__ = "examination_rules"
    __table_args__ = (CheckConstraint("examiners IN (1, 2)", name="examiners"),)

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    examiners: Mapped[int]
    set_by: Mapped[str]


class Examination(Base):
    """What one examiner found on one purchase, not knowing score or arm. Never changed.

    `form` has each feature that was asked for with its answer.
    """

    __tablename__ = "examinations"
    __table_args__ = (UniqueConstraint("purchase_id", "examiner"),)

    id: Mapped[PrimaryKey]
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), index=True)
    examiner: Mapped[str]
    method: Mapped[str]
    form: Mapped[list[Any]]
    outcome: Mapped[str] = mapped_column(String(24))
    reasons: Mapped[str]
    created_at: Mapped[Created]
