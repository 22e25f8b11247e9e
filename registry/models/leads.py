"""Ways in besides the search: leads, tips from outside, and what each query has yielded."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey, Sha256
from registry.models.brands import Brand
from registry.models.watching import Listing, Marketplace, Plan

#: Where a lead may come from, by which of them go first when a run has room for some only.
ORIGINS = ("tip", "link", "alike", "seller", "list")


class Lead(Base):
    """An address that somebody or something says is worth a visit.

    One row per brand and address, however often it is named: `times` counts. States: waiting,
    taken by `run_id`, seen, gone, refused by a person. `page` is ``listing``, or ``list`` for
    a page that leads to listings, such as a seller's shop. Without a marketplace it waits until
    one is watched that takes it; `kind` is the definition that knows its host, if any.
    `context` is what stood around the address where it was found, and `source` is that place.
    """

    __tablename__ = "leads"
    __table_args__ = (
        UniqueConstraint("brand_id", "key"),
        Index("ix_leads_marketplace_id_external_id", "marketplace_id", "external_id"),
        Index("ix_leads_marketplace_id_state", "marketplace_id", "state", "rank", "id"),
    )

    id: Mapped[PrimaryKey]
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("plans.id"), index=True)
    marketplace_id: Mapped[UUID | None] = mapped_column(ForeignKey("marketplaces.id"))
    kind: Mapped[str | None] = mapped_column(String(64))
    url: Mapped[str]
    external_id: Mapped[str | None] = mapped_column(String(255))
    page: Mapped[str] = mapped_column(String(8), default="listing")
    key: Mapped[Sha256]
    origin: Mapped[str] = mapped_column(String(8))
    rank: Mapped[int]
    from_listing_id: Mapped[UUID | None] = mapped_column(ForeignKey("listings.id"), index=True)
    source: Mapped[str | None]
    context: Mapped[str | None]
    note: Mapped[str | None]
    who: Mapped[str | None]
    times: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(8), default="waiting", index=True)
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"), index=True)
    created_at: Mapped[Created]
    changed_at: Mapped[Created]

    @property
    def why_waiting(self) -> str | None:
        """Why nobody can visit it yet; None if somebody can."""
        if self.marketplace_id is not None:
            return None
        if self.kind is None:
            return "no marketplace under watch has this host, and no kind knows it"
        return f"it looks like {self.kind}, which is not under watch: a plan can name it"

    brand: Mapped[Brand] = relationship()
    plan: Mapped[Plan | None] = relationship()
    marketplace: Mapped[Marketplace | None] = relationship()
    from_listing: Mapped[Listing | None] = relationship()


class Tip(Base):
    """What somebody outside told us, as they wrote it. State: new, accepted, refused."""

    __tablename__ = "tips"

    id: Mapped[PrimaryKey]
    url: Mapped[str]
    text: Mapped[str]
    contact: Mapped[str | None]
    state: Mapped[str] = mapped_column(String(8), default="new", index=True)
    reason: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("leads.id"))
    created_at: Mapped[Created]

    lead: Mapped[Lead | None] = relationship()


class QueryYield(Base):
    """What a query brought in one run on one marketplace.

    `found` are the listings on its pages of results; `new` those of them that no query of the
    plan had brought before.
    """

    __tablename__ = "query_yields"
    __table_args__ = (
        UniqueConstraint("run_id", "marketplace_id", "query"),
        Index("ix_query_yields_plan_id_marketplace_id", "plan_id", "marketplace_id"),
    )

    id: Mapped[PrimaryKey]
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"))
    marketplace_id: Mapped[UUID] = mapped_column(ForeignKey("marketplaces.id"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    query: Mapped[str] = mapped_column(String(500))
    pages: Mapped[int] = mapped_column(default=0)
    found: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Created]


class QueryHit(Base):
    """That a query of a plan brought a listing, first in `first_run_id` and last in `run_id`."""

    __tablename__ = "query_hits"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"), primary_key=True)
    marketplace_id: Mapped[UUID] = mapped_column(ForeignKey("marketplaces.id"), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    query: Mapped[str] = mapped_column(String(500), primary_key=True)
    first_run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
