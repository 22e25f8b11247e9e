"""What is due: the runs that a schedule asked for, and who is running a plan."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey
from registry.models.watching import Plan, Run


class DueRun(Base):
    """That a plan was due at a time, and what became of it.

    States: queued, running, finished, failed, stopped; coalesced if the run before was not
    over yet and stands for this one as well. `missed` times that were due while no scheduler
    lived, the first of them at `missed_since`, are made up by this one.
    """

    __tablename__ = "due_runs"
    __table_args__ = (
        UniqueConstraint("plan_id", "due_at"),
        Index("ix_due_runs_plan_id_state", "plan_id", "state"),
    )

    id: Mapped[PrimaryKey]
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"))
    due_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16), default="queued")
    missed: Mapped[int] = mapped_column(default=0)
    missed_since: Mapped[datetime | None]
    job_id: Mapped[UUID | None] = mapped_column(index=True)
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"), index=True)
    note: Mapped[str | None]
    created_at: Mapped[Created]

    plan: Mapped[Plan] = relationship()
    run: Mapped[Run | None] = relationship()


class PlanHold(Base):
    """That somebody is running a plan: one at a time, for as long as they say that they live.

    Whoever runs it looks here whether somebody has asked them to stop.
    """

    __tablename__ = "plan_holds"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"), primary_key=True)
    holder: Mapped[str]
    since: Mapped[Created]
    until: Mapped[datetime]
    stop_requested_at: Mapped[datetime | None]
    stop_requested_by: Mapped[str | None]
