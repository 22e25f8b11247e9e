"""What people said of listings, and the models that learned from it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey
from registry.models.brands import Brand
from registry.models.cases import Assessment
from registry.models.watching import Listing

#: What a person may say of a listing. Only the first two can lead to an accusation.
VERDICTS = (
    "counterfeit",
    "trademark_use",
    "grey_import",
    "price_breach",
    "genuine",
    "unclear",
)


class Verdict(Base):
    """What a named person said of a listing, for a brand.

    A second thought is a second row: of a listing and a brand the newest counts, and none is
    changed or taken away.

    Parameters
    ----------
    verdict
        One of `VERDICTS`.
    model_version
        Of the model whose figure the person had before them.
    """

    __tablename__ = "verdicts"
    __table_args__ = (Index("ix_verdicts_listing_id_brand_id", "listing_id", "brand_id"),)

    id: Mapped[PrimaryKey]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"))
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id"), index=True)
    verdict: Mapped[str] = mapped_column(String(16))
    by: Mapped[str]
    note: Mapped[str | None]
    model_version: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[Created]

    listing: Mapped[Listing] = relationship()
    brand: Mapped[Brand] = relationship()
    assessment: Mapped[Assessment] = relationship()


class LearnedModel(Base):
    """A model learned from verdicts, with the report of its trial; one at most is active.

    Where none is, the model that ships with the matchers judges.
    """

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("version"),)

    id: Mapped[PrimaryKey]
    version: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Created]
