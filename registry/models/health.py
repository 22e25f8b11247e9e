"""Health of watching: alarms about a marketplace, and the pages that gave rise to them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey
from registry.models.watching import Marketplace, Plan, Run


class Alarm(Base):
    """That something is wrong with what is read of a marketplace, first seen in `run_id`.

    `plan_id` stands only where it is about what one plan finds. `page` is the kind of page, and
    `field` the field, where it is about one. It is closed by a run in which all is well again,
    or by a person, and opens anew, as another row, if it comes back. `usual` says that by that
    person's word it is to be like this from now on.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        Index(
            "ix_alarms_open",
            "marketplace_id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    marketplace_id: Mapped[UUID] = mapped_column(ForeignKey("marketplaces.id"), index=True)
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("plans.id"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    interface: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(16))
    page: Mapped[str] = mapped_column(String(8))
    field: Mapped[str] = mapped_column(String(32))
    expected: Mapped[str]
    seen: Mapped[str]
    opened_at: Mapped[Created]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    closed_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    usual: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None]

    marketplace: Mapped[Marketplace] = relationship()
    plan: Mapped[Plan | None] = relationship()
    run: Mapped[Run] = relationship(foreign_keys=run_id)
    runs: Mapped[list[AlarmRun]] = relationship(
        back_populates="alarm", order_by="AlarmRun.run_id.desc()"
    )
    samples: Mapped[list[PageSample]] = relationship(
        back_populates="alarm", order_by="PageSample.id"
    )


class AlarmRun(Base):
    """A run that showed what an alarm is about: it is no evidence that something is not there."""

    __tablename__ = "alarm_runs"

    alarm_id: Mapped[UUID] = mapped_column(ForeignKey("alarms.id"), primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"), primary_key=True, index=True)
    seen: Mapped[str]

    alarm: Mapped[Alarm] = relationship(back_populates="runs")
    run: Mapped[Run] = relationship()


class PageSample(Base):
    """A page as it came, for whoever mends the page objects. It is hostile: never rendered."""

    __tablename__ = "page_samples"

    id: Mapped[PrimaryKey]
    alarm_id: Mapped[UUID] = mapped_column(ForeignKey("alarms.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    url: Mapped[str]
    why: Mapped[str]
    blob: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[Created]

    alarm: Mapped[Alarm] = relationship(back_populates="samples")


class ApiCalls(Base):
    """How many calls of an official interface were made in a day, UTC."""

    __tablename__ = "api_calls"

    api: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    calls: Mapped[int]
