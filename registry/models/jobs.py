"""The job outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base, Created, PrimaryKey


class Job(Base):
    """A piece of work, written in the transaction of the fact that caused it.

    States: queued, running, done, dead. `fence` grows with every claim; whoever holds an
    older number has lost the job and may not write its outcome.
    """

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_available_at", "state", "available_at"),)

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(64))
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default="queued")
    created_at: Mapped[Created]
    available_at: Mapped[Created]
    handed_over_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    losses: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]
    finished_at: Mapped[datetime | None]
