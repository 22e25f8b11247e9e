"""What came of it: assessments and captures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey, Sha256
from registry.models.brands import Brand, Product
from registry.models.watching import Listing, Plan, Snapshot

if TYPE_CHECKING:
    from registry.models.custody import Stamp


class Assessment(Base):
    """A score with its reasons. It queues a listing for people; it accuses nobody.

    `inputs` holds the values that the matchers were given, so that the figure can be
    worked out again.

    Parameters
    ----------
    outcome
        The model's word: ``flag``, ``abstain`` (a person looks) or ``pass``.
    flagged
        Whether it leads to a capture and a proposal: outcome ``flag``, and over the plan's
        threshold.
    kind
        What it seems to be: ``counterfeit``, ``trademark_use``, ``grey_import``,
        ``price_breach``; None where it passed.
    model_version
        Of the model that gave the figure; None for assessments older than models.
    """

    __tablename__ = "assessments"
    __table_args__ = (
        Index("ix_assessments_flagged_score", "flagged", "score"),
        Index("ix_assessments_outcome_score", "outcome", "score"),
    )

    id: Mapped[PrimaryKey]
    snapshot_id: Mapped[UUID] = mapped_column(ForeignKey("snapshots.id"), index=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"), index=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("products.id"))
    score: Mapped[float]
    threshold: Mapped[float]
    flagged: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(8), default="pass")
    kind: Mapped[str | None] = mapped_column(String(16))
    model_version: Mapped[str | None] = mapped_column(String(64))
    gate: Mapped[str | None] = mapped_column(String(32))
    result: Mapped[dict[str, Any]]
    inputs: Mapped[dict[str, Any]]
    created_at: Mapped[Created]

    snapshot: Mapped[Snapshot] = relationship()
    plan: Mapped[Plan] = relationship()
    brand: Mapped[Brand] = relationship()
    product: Mapped[Product | None] = relationship()


class Capture(Base):
    """A sealed evidence bundle (WACZ), kept under its own SHA-256.

    `exchanges` counts the requests recorded, `incomplete` those without their whole answer.
    Once deleted, its row stays with its hash, and its blob is gone.
    """

    __tablename__ = "captures"

    id: Mapped[PrimaryKey]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), index=True)
    assessment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessments.id"), index=True)
    purchase_id: Mapped[UUID | None] = mapped_column(ForeignKey("purchases.id"), index=True)
    url: Mapped[str]
    status: Mapped[str] = mapped_column(String(16))
    http_status: Mapped[int | None]
    sha256: Mapped[Sha256]
    blob: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    archive_sha256: Mapped[Sha256 | None]
    key_id: Mapped[Sha256 | None]
    exchanges: Mapped[int] = mapped_column(default=0)
    incomplete: Mapped[int] = mapped_column(default=0)
    screenshot_blob: Mapped[str | None]
    captured_at: Mapped[Created]
    operator: Mapped[str]
    deleted_at: Mapped[datetime | None]

    listing: Mapped[Listing] = relationship()
    stamps: Mapped[list[Stamp]] = relationship(back_populates="capture", order_by="Stamp.id")
