"""Alarms about what is read of marketplaces: which are open, and what people say of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from registry.errors import TouchstoneError
from registry.models import Alarm, AlarmRun, Marketplace, Plan, Run
from registry.models.base import utcnow


def count_waiting(session: Session) -> int:
    """How many alarms are open that nobody has taken on."""
    waiting = Alarm.closed_at.is_(None), Alarm.acknowledged_at.is_(None)
    return session.scalar(select(func.count()).where(*waiting)) or 0


def newest(session: Session, *, closed: bool, limit: int) -> Sequence[Alarm]:
    """Alarms, those that are open first, then the newest.

    Parameters
    ----------
    closed
        Whether those that are closed are among them.
    """
    wanted = (
        select(Alarm)
        .order_by(Alarm.closed_at.is_not(None), Alarm.id.desc())
        .limit(limit)
        .options(
            joinedload(Alarm.marketplace),
            joinedload(Alarm.plan),
            joinedload(Alarm.run).joinedload(Run.plan),
            selectinload(Alarm.runs),
            selectinload(Alarm.samples),
        )
    )
    return session.scalars(wanted if closed else wanted.where(Alarm.closed_at.is_(None))).all()


def unhealthy(session: Session, run_id: UUID) -> set[UUID]:
    """The marketplaces on which a run is no evidence that something is not there."""
    return set(
        session.scalars(
            select(Alarm.marketplace_id).join(Alarm.runs).where(AlarmRun.run_id == run_id)
        )
    )


def complaints(session: Session, run_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """What was wrong with runs, by run; a healthy one is not in it."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for run_id, marketplace, seen in session.execute(
        select(AlarmRun.run_id, Marketplace.name, AlarmRun.seen)
        .join(Alarm, Alarm.id == AlarmRun.alarm_id)
        .join(Marketplace, Marketplace.id == Alarm.marketplace_id)
        .where(AlarmRun.run_id.in_(run_ids))
        .order_by(AlarmRun.alarm_id)
    ):
        found[run_id].append(f"{marketplace}: {seen}")
    return dict(found)


def gaps(
    session: Session,
    since: datetime,
    until: datetime,
    brand_id: UUID | None,
    marketplaces: Collection[str],
) -> list[tuple[str, UUID]]:
    """Runs of a window that did not see what was there: marketplace and run, in order."""
    wanted = (
        select(Marketplace.name, AlarmRun.run_id)
        .distinct()
        .select_from(AlarmRun)
        .join(Alarm, Alarm.id == AlarmRun.alarm_id)
        .join(Marketplace, Marketplace.id == Alarm.marketplace_id)
        .join(Run, Run.id == AlarmRun.run_id)
        .where(Run.started_at < until, func.coalesce(Run.finished_at, Run.started_at) >= since)
    )
    if brand_id is not None:
        wanted = wanted.join(Plan, Plan.id == Run.plan_id).where(Plan.brand_id == brand_id)
    if marketplaces:
        wanted = wanted.where(Marketplace.name.in_(marketplaces))
    return sorted((name, run_id) for name, run_id in session.execute(wanted))


def acknowledge(session: Session, alarm_id: UUID, by: str) -> Alarm:
    """Say who has taken an alarm on. The first who does stays.

    Raises
    ------
    TouchstoneError
        If there is no such alarm, or nobody's name.
    """
    alarm = _taken(session, alarm_id, by)
    if alarm.acknowledged_at is None:
        alarm.acknowledged_at, alarm.acknowledged_by = utcnow(), by
    return alarm


def close(session: Session, alarm_id: UUID, by: str, note: str, *, usual: bool = False) -> Alarm:
    """Close an alarm by a person's word.

    Parameters
    ----------
    usual
        It is to be like this from now on: what was usual before counts no more.

    Raises
    ------
    TouchstoneError
        If it is closed already, or without a name and a note.
    """
    alarm = _taken(session, alarm_id, by)
    if alarm.closed_at is not None:
        raise TouchstoneError(f"alarm {alarm.id} was closed on {alarm.closed_at:%Y-%m-%d %H:%M}")
    if not note.strip():
        raise TouchstoneError("closing an alarm wants a note: what was found, and what was done")
    alarm.closed_at, alarm.closed_by = utcnow(), by
    alarm.note, alarm.usual = note.strip(), usual
    return alarm


def _taken(session: Session, alarm_id: UUID, by: str) -> Alarm:
    if not by.strip():
        raise TouchstoneError("an alarm is seen to by somebody with a name")
    alarm = session.get(Alarm, alarm_id, with_for_update=True)
    if alarm is None:
        raise TouchstoneError(f"there is no alarm {alarm_id}: see touchstone alarms list")
    return alarm
