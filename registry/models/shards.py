"""How a run is done: its shards, and the pages that each still has to visit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey
from registry.models.watching import Marketplace, Run


class Shard(Base):
    """A part of a run: one marketplace, some of its queries and paths, one crawl at a time.

    State: queued, running, finished, failed, stopped. `holder` is the crawl that has it, and
    the fence: what another one wants to write is refused. `asked` and `browser_seconds` are
    what it has used of the plan's budget, `taken` whether its first pages are in the frontier.
    """

    __tablename__ = "shards"
    __table_args__ = (Index("ix_shards_run_id_state", "run_id", "state"),)

    id: Mapped[PrimaryKey]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    marketplace_id: Mapped[UUID] = mapped_column(ForeignKey("marketplaces.id"), index=True)
    queries: Mapped[list[Any]] = mapped_column(default=list)
    browse: Mapped[list[str]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    first: Mapped[bool] = mapped_column(default=False)
    taken: Mapped[bool] = mapped_column(default=False)
    asked: Mapped[int] = mapped_column(default=0)
    browser_seconds: Mapped[float] = mapped_column(default=0.0)
    stats: Mapped[dict[str, Any]] = mapped_column(default=dict)
    job_id: Mapped[UUID | None]
    holder: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    run: Mapped[Run] = relationship()
    marketplace: Mapped[Marketplace] = relationship()


class Visit(Base):
    """A page that a run has to visit, or has visited. The rows go when the run has ended.

    Parameters
    ----------
    key
        What makes two addresses the same page; unique in a run, whichever shard found it.
    kind
        ``list``, ``listing`` or ``seller``.
    state
        waiting, done, failed, skipped; of a listing also gone (its page says so) and missing (no
        listing was found there).
    rank
        Lower goes first.
    """

    __tablename__ = "visits"
    __table_args__ = (
        UniqueConstraint("run_id", "key"),
        Index("ix_visits_shard_id_state_rank_id", "shard_id", "state", "rank", "id"),
    )

    id: Mapped[PrimaryKey]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    shard_id: Mapped[UUID] = mapped_column(ForeignKey("shards.id"))
    key: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(8))
    url: Mapped[str]
    rank: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
