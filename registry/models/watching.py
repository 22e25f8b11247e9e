"""What was seen: marketplaces, plans, runs, sellers, listings and their snapshots."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.ext.orderinglist import ordering_list
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, Currency, PrimaryKey, Sha256
from registry.models.brands import Brand, Picture
from registry.money import Money

#: How test purchases are made: up to the ordering click, by a person's click, by the recipe's.
MODES = ("rehearse", "assisted", "automatic")


class Marketplace(Base):
    """A marketplace under watch.

    `mode` is how test purchases are made there. It is set by a person
    (`purchases.modes.set_mode`), never by a plan; all but ``rehearse`` have a name to them.
    """

    __tablename__ = "marketplaces"
    __table_args__ = (
        CheckConstraint("mode IN ('rehearse', 'assisted', 'automatic')", name="mode"),
        CheckConstraint("mode = 'rehearse' OR mode_by IS NOT NULL", name="mode_by"),
    )

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    url: Mapped[str]
    mode: Mapped[str] = mapped_column(String(16), default="rehearse")
    mode_by: Mapped[str | None]
    mode_at: Mapped[datetime | None]
    #: Who of the marketplace's own team said that robots.txt need not be obeyed, and why.
    robots_ignored_by: Mapped[str | None]
    robots_why: Mapped[str | None]
    robots_at: Mapped[datetime | None]
    requests_per_second: Mapped[float | None]
    requests_at_once: Mapped[int | None]
    #: Countries (ISO 3166-1 alpha-2) to which it delivers; None where nobody said.
    delivers_to: Mapped[list[str] | None]
    created_at: Mapped[Created]


class PlanMarketplace(Base):
    """That a plan watches a marketplace, and what it has there otherwise than everywhere.

    None is as the plan says. `interface` is ``pages`` or ``api``; None is what there is.
    """

    __tablename__ = "plan_marketplaces"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"), primary_key=True)
    marketplace_id: Mapped[UUID] = mapped_column(
        ForeignKey("marketplaces.id"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(default=0)
    queries: Mapped[list[str] | None]
    browse: Mapped[list[str] | None]
    depth: Mapped[int | None]
    interface: Mapped[str | None] = mapped_column(String(8))
    languages: Mapped[list[str] | None]

    marketplace: Mapped[Marketplace] = relationship()


def _place(marketplace: Marketplace) -> PlanMarketplace:
    return PlanMarketplace(marketplace=marketplace)


class Plan(Base):
    """A watch plan: which brand, where, by which queries and pages, when, over which score.

    `schedule` has cron expressions, in the zone of `time_zone`; without one, the plan runs
    when somebody says so. `next_due_at` is the next time that a scheduler has to see to.
    `generate` is how many made queries a run asks beside those given, `depth` the most pages of
    results of one, `products` the SKUs meant (none: all), `link_pages` the outside pages whose
    links are followed.
    """

    __tablename__ = "plans"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(64), unique=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    queries: Mapped[list[str]]
    browse: Mapped[list[str]]
    threshold: Mapped[float]
    max_pages: Mapped[int]
    max_browser_minutes: Mapped[float | None]
    schedule: Mapped[list[str]] = mapped_column(default=list)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    jitter: Mapped[int] = mapped_column(default=0)
    opening_hours: Mapped[list[str]] = mapped_column(default=list)
    generate: Mapped[int] = mapped_column(default=0)
    depth: Mapped[int | None]
    products: Mapped[list[str]] = mapped_column(default=list)
    link_pages: Mapped[list[str]] = mapped_column(default=list)
    proxy: Mapped[str | None]
    persona: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str | None]
    next_due_at: Mapped[datetime | None] = mapped_column(index=True)
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[str | None]
    created_at: Mapped[Created]

    brand: Mapped[Brand] = relationship()
    places: Mapped[list[PlanMarketplace]] = relationship(
        cascade="all, delete-orphan",
        order_by=PlanMarketplace.position,
        collection_class=ordering_list("position"),
    )
    marketplaces: AssociationProxy[list[Marketplace]] = association_proxy(
        "places", "marketplace", creator=_place
    )

    def place(self, marketplace_id: UUID) -> PlanMarketplace:
        """What the plan has for one of its marketplaces.

        Raises
        ------
        LookupError
            If it does not watch that one.
        """
        for place in self.places:
            if place.marketplace_id == marketplace_id:
                return place
        raise LookupError(f"plan {self.name} does not watch marketplace {marketplace_id}")


class Run(Base):
    """One run of a plan, the sum of its shards. State: running, finished, failed, stopped.

    `everything` has all listings visited that it comes upon, due or not, and read anew.
    """

    __tablename__ = "runs"

    id: Mapped[PrimaryKey]
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), default="running")
    started_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
    everything: Mapped[bool] = mapped_column(default=False)
    stats: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str | None]

    plan: Mapped[Plan] = relationship()


class Seller(Base):
    """A seller's account on one marketplace."""

    __tablename__ = "sellers"
    __table_args__ = (UniqueConstraint("marketplace_id", "external_id"),)

    id: Mapped[PrimaryKey]
    marketplace_id: Mapped[UUID] = mapped_column(ForeignKey("marketplaces.id"))
    external_id: Mapped[str] = mapped_column(String(255))
    name: Mapped[str | None]
    url: Mapped[str | None]
    country: Mapped[str | None]
    rating: Mapped[float | None]
    joined_on: Mapped[date | None]
    first_seen_at: Mapped[Created]
    last_seen_at: Mapped[Created]
    #: When its own page was read last.
    visited_at: Mapped[datetime | None]


class Listing(Base):
    """An offer on a marketplace, known by the page's own id.

    `visited_at`, `revisits`, `changes` and `watched_seconds` are its history of visits, from
    which `next_visit_at` follows (`crawler.crawling.revisits`); `etag`, `last_modified` and
    `page_sha256` tell whether its page is the one of last time. `misses` are visits in a row
    that found no listing. `gone_at` is since when it is no more.
    """

    __tablename__ = "listings"
    __table_args__ = (
        UniqueConstraint("marketplace_id", "external_id"),
        Index("ix_listings_marketplace_id_next_visit_at", "marketplace_id", "next_visit_at"),
    )

    id: Mapped[PrimaryKey]
    marketplace_id: Mapped[UUID] = mapped_column(ForeignKey("marketplaces.id"))
    external_id: Mapped[str] = mapped_column(String(255))
    url: Mapped[str]
    first_seen_at: Mapped[Created]
    last_seen_at: Mapped[Created]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    page_sha256: Mapped[Sha256 | None]
    visited_at: Mapped[datetime | None]
    next_visit_at: Mapped[datetime | None]
    revisits: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(default=0)
    watched_seconds: Mapped[float] = mapped_column(default=0.0)
    misses: Mapped[int] = mapped_column(default=0)
    gone_at: Mapped[datetime | None]

    marketplace: Mapped[Marketplace] = relationship()
    absences: Mapped[list[Absence]] = relationship(order_by="Absence.id", viewonly=True)
    snapshots: Mapped[list[Snapshot]] = relationship(
        back_populates="listing", order_by="Snapshot.id"
    )


class Absence(Base):
    """That a listing was gone, by which run and why, and since when it is back, if it is."""

    __tablename__ = "absences"

    id: Mapped[PrimaryKey]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), index=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    why: Mapped[str]
    gone_at: Mapped[Created]
    back_at: Mapped[datetime | None]


class Snapshot(Base):
    """What a listing said. A sighting that finds the same content adds no second one.

    `content_sha256` is over the extracted fields and pictures, not over the page, which
    may carry tokens that change with every visit.
    """

    __tablename__ = "snapshots"

    id: Mapped[PrimaryKey]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), index=True)
    seller_id: Mapped[UUID | None] = mapped_column(ForeignKey("sellers.id"), index=True)
    seen_at: Mapped[Created]
    content_sha256: Mapped[Sha256]
    title: Mapped[str]
    description: Mapped[str]
    amount: Mapped[Decimal | None]
    currency: Mapped[Currency | None]
    availability: Mapped[str | None] = mapped_column(String(32))
    condition: Mapped[str | None] = mapped_column(String(64))
    brand: Mapped[str | None]
    ships_from: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)

    listing: Mapped[Listing] = relationship(back_populates="snapshots")
    seller: Mapped[Seller | None] = relationship()
    pictures: Mapped[list[SnapshotPicture]] = relationship(
        back_populates="snapshot", order_by="SnapshotPicture.position"
    )

    @property
    def price(self) -> Money | None:
        """The price as shown, if one was read."""
        if self.amount is None or self.currency is None:
            return None
        return Money(self.amount, self.currency)


class SnapshotPicture(Base):
    """A picture that a listing showed; `fault` says why its bytes could not be had.

    `etag` and `last_modified` are what its address came with, to ask it whether it changed.
    """

    __tablename__ = "snapshot_pictures"

    snapshot_id: Mapped[UUID] = mapped_column(ForeignKey("snapshots.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    sha256: Mapped[Sha256 | None] = mapped_column(ForeignKey("pictures.sha256"), index=True)
    fault: Mapped[str | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]

    snapshot: Mapped[Snapshot] = relationship(back_populates="pictures")
    picture: Mapped[Picture | None] = relationship()


class Sighting(Base):
    """That a run saw a listing, at a time, saying what a snapshot holds."""

    __tablename__ = "sightings"
    __table_args__ = (UniqueConstraint("run_id", "listing_id"),)

    id: Mapped[PrimaryKey]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), index=True)
    snapshot_id: Mapped[UUID] = mapped_column(ForeignKey("snapshots.id"), index=True)
    seen_at: Mapped[Created]

    snapshot: Mapped[Snapshot] = relationship()
