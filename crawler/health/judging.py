"""Judging a run that has ended: alarms opened, confirmed and closed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.health.fields import Coverage
from crawler.health.symptoms import (
    LEAST_RUNS,
    OF_A_PLAN,
    Figures,
    Finding,
    PageCounts,
    look,
)
from crawler.marketplaces import KINDS
from registry.alarms import unhealthy
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Alarm, AlarmRun, Marketplace, PageSample, Run, Shard
from registry.models.base import utcnow

__all__ = ["examine", "judge", "unhealthy"]

logger = logging.getLogger(__name__)

#: Runs that are looked back on, of any plan and of the same: not all of them went by the same
#: interface.
RUNS_BACK = 30

_Key = tuple[str, str, str]


def examine(database: Database, blobs: Blobs, run_id: UUID) -> list[Alarm]:
    """Judge a run, and let samples go that no alarm asks for.

    Returns
    -------
    list[Alarm]
        What is wrong with the run; detached.
    """
    with database.writing() as session:
        alarms = judge(session, run_id)
        session.flush()
        kept = {sample.blob for alarm in alarms for sample in alarm.samples}
        shards = session.scalars(select(Shard).where(Shard.run_id == run_id))
        spare = {sample["blob"] for shard in shards for sample in _samples(shard)} - kept
        # The same page may be the sample of an earlier alarm.
        spare -= set(session.scalars(select(PageSample.blob).where(PageSample.blob.in_(spare))))
        session.expunge_all()
    for blob in spare:
        blobs.delete(blob)
    return alarms


def judge(session: Session, run_id: UUID) -> list[Alarm]:
    """Judge a run whose shards have ended, in a write transaction of its own.

    Returns
    -------
    list[Alarm]
        What is wrong with it: alarms that it opened, and those that it confirmed.
    """
    run = session.get_one(Run, run_id)
    grouped: dict[tuple[UUID, str], list[Shard]] = defaultdict(list)
    for shard in session.scalars(select(Shard).where(Shard.run_id == run_id).order_by(Shard.id)):
        grouped[shard.marketplace_id, _interface(shard)].append(shard)
    return [
        alarm
        for (marketplace_id, interface), shards in grouped.items()
        for alarm in _judge(session, run, marketplace_id, interface, shards)
    ]


def _judge(
    session: Session, run: Run, marketplace_id: UUID, interface: str, shards: Sequence[Shard]
) -> list[Alarm]:
    # Two runs that end in the same moment would each open the alarm.
    marketplace = session.get_one(Marketplace, marketplace_id, with_for_update=True)
    before, same_plan, accepted = _before(session, run, marketplace_id, interface)
    promised = KINDS[marketplace.kind].promised
    findings = look(_figures(run, shards), before, same_plan, promised)
    alarms = session.scalars(
        select(Alarm).where(
            Alarm.marketplace_id == marketplace_id,
            Alarm.interface == interface,
            Alarm.closed_at.is_(None),
        )
    ).all()
    wrong = []
    for finding in findings:
        plan_id = run.plan_id if finding.kind in OF_A_PLAN else None
        key = _key(finding)
        known = next((a for a in alarms if _key(a) == key and a.plan_id == plan_id), None)
        if finding.well:
            if known is not None and not (finding.few and known.run.plan_id != run.plan_id):
                _well_again(known, run)
        elif known is not None:
            if session.get(AlarmRun, (known.id, run.id)) is None:
                session.add(AlarmRun(alarm_id=known.id, run_id=run.id, seen=finding.seen))
            logger.warning("%s: still: %s (alarm %s)", marketplace.name, finding.seen, known.id)
            wrong.append(known)
        elif key not in accepted:
            wrong.append(_opened(session, run, marketplace, interface, plan_id, finding, shards))
    return wrong


def _opened(
    session: Session,
    run: Run,
    marketplace: Marketplace,
    interface: str,
    plan_id: UUID | None,
    finding: Finding,
    shards: Sequence[Shard],
) -> Alarm:
    alarm = Alarm(
        marketplace_id=marketplace.id,
        plan_id=plan_id,
        run_id=run.id,
        interface=interface,
        kind=finding.kind,
        page=finding.page,
        field=finding.field,
        expected=finding.expected,
        seen=finding.seen,
    )
    alarm.runs.append(AlarmRun(run_id=run.id, seen=finding.seen))
    alarm.samples.extend(
        PageSample(kind=one["kind"], url=one["url"], why=one["why"], blob=one["blob"])
        for shard in shards
        for one in _samples(shard)
        if finding.page in ("", one["kind"])
    )
    session.add(alarm)
    session.flush()
    logger.error(
        "%s: unhealthy: %s (expected: %s); touchstone alarms show %s",
        marketplace.name,
        finding.seen,
        finding.expected,
        alarm.id,
    )
    return alarm


def _well_again(alarm: Alarm, run: Run) -> None:
    alarm.closed_at, alarm.closed_run_id = utcnow(), run.id
    logger.warning("alarm %s is over: the run of %s is well again", alarm.id, run.started_at)


def _before(
    session: Session, run: Run, marketplace_id: UUID, interface: str
) -> tuple[list[Figures], list[Figures], set[_Key]]:
    """Healthy runs before, oldest first, those of the same plan, and what is accepted.

    What a person said is to be usual from now on makes the runs before it no history, and is
    no symptom until there are enough runs since.
    """
    usual = session.scalars(
        select(Alarm)
        .where(
            Alarm.marketplace_id == marketplace_id,
            Alarm.interface == interface,
            Alarm.usual.is_(True),
        )
        .order_by(Alarm.run_id)
    ).all()
    ill = (
        select(AlarmRun.run_id)
        .join(Alarm, Alarm.id == AlarmRun.alarm_id)
        .where(Alarm.marketplace_id == marketplace_id, Alarm.usual.is_(False))
    )
    healthy = (
        select(Run)
        .where(
            Run.id.in_(select(Shard.run_id).where(Shard.marketplace_id == marketplace_id)),
            Run.id < run.id,
            Run.state != "running",
            Run.id.not_in(ill),
        )
        .order_by(Run.id.desc())
        .limit(RUNS_BACK)
    )
    if usual:
        healthy = healthy.where(Run.id >= usual[-1].run_id)
    # Where many plans watch one marketplace, this plan's own runs lie far back.
    own = healthy.where(Run.plan_id == run.plan_id)
    found = [*session.scalars(healthy), *session.scalars(own)]
    runs = {one.id: one for one in sorted(found, key=lambda one: one.id)}
    shards: dict[UUID, list[Shard]] = {run_id: [] for run_id in runs}
    for shard in session.scalars(
        select(Shard).where(Shard.run_id.in_(runs), Shard.marketplace_id == marketplace_id)
    ):
        if _interface(shard) == interface:
            shards[shard.run_id].append(shard)
    figures = {run_id: _figures(runs[run_id], each) for run_id, each in shards.items() if each}
    young = len(figures) < LEAST_RUNS
    return (
        list(figures.values()),
        [each for run_id, each in figures.items() if runs[run_id].plan_id == run.plan_id],
        {_key(alarm) for alarm in usual} if young else set(),
    )


def _figures(run: Run, shards: Iterable[Shard]) -> Figures:
    every = list(shards)
    coverage = Coverage()
    for shard in every:
        coverage.add(shard.stats.get("fields") or {})

    def total(name: str) -> int:
        return sum(int(shard.stats.get(name, 0)) for shard in every)

    said = coverage.to_json()
    known = all("found" in shard.stats for shard in every)
    return Figures(
        kinds={
            kind: PageCounts(
                counts["read"],
                counts["unread"],
                counts["walls"],
                {name: (filled, of) for name, (filled, of) in counts["fields"].items()},
            )
            for kind, counts in said["kinds"].items()
        },
        listings=total("listings"),
        new=total("new"),
        # Pages that came and could not be read are counted among the errors as well.
        errors=max(0, total("errors") - total("walls") - total("unread")),
        found=total("found") if known else None,
        why=next(iter(said["reasons"]), ""),
        revalidated=total("revalidated"),
        asked=sum(len(shard.queries) + len(shard.browse) for shard in every),
        whole=run.state == "finished" and all(shard.state == "finished" for shard in every),
    )


def _key(one: Alarm | Finding) -> _Key:
    return one.kind, one.page, one.field


def _interface(shard: Shard) -> str:
    return str(shard.stats.get("interface", "pages"))


def _samples(shard: Shard) -> list[dict[str, Any]]:
    samples: list[dict[str, Any]] = (shard.stats.get("fields") or {}).get("samples", [])
    return samples
