"""The random check: frames of listings seen, frozen, and the samples drawn from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base, Created, PrimaryKey, Sha256


class SampleFrame(Base):
    """All listings seen in a window, as they were counted, and the one sample of them.

    `terms` is what was asked for and `strata` what came of it: for each stratum its name, how
    many listings it has and how many of them are drawn. `sha256` is over the canonical text
    of the whole frame, `sample_sha256` over that of the sample.
    """

    __tablename__ = "sample_frames"

    id: Mapped[PrimaryKey]
    terms: Mapped[dict[str, Any]]
    strata: Mapped[list[Any]]
    listings: Mapped[int]
    size: Mapped[int]
    sha256: Mapped[Sha256]
    frozen_by: Mapped[str]
    frozen_at: Mapped[Created]
    seed: Mapped[str | None]
    seed_source: Mapped[str | None]
    sample_sha256: Mapped[Sha256 | None]
    drawn_by: Mapped[str | None]
    drawn_at: Mapped[datetime | None]


class FrameListing(Base):
    """A listing in a frame, with the probability with which it is drawn.

    `drawn` is its place in the sample, from 1 on within its stratum; None if it is not in it.
    """

    __tablename__ = "frame_listings"
    __table_args__ = (Index("ix_frame_listings_frame_id_drawn", "frame_id", "drawn"),)

    frame_id: Mapped[UUID] = mapped_column(ForeignKey("sample_frames.id"), primary_key=True)
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), primary_key=True)
    stratum: Mapped[str]
    probability: Mapped[float]
    drawn: Mapped[int | None]
