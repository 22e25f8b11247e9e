"""A run as the sum of its shards: how it is divided, and how it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from crawler.crawling.revisits import note_gone
from crawler.health import judging as health
from crawler.health.fields import Coverage
from crawler.queries.choosing import queries_of
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Plan, Run, Shard, Visit
from registry.models.base import utcnow

#: Queries and paths of a shard: enough to be worth a process, few enough to be shared out.
SHARD_SIZE = 8
ENDED = ("finished", "failed", "stopped")


def begin(
    session: Session,
    plan_id: UUID,
    *,
    everything: bool = False,
    wrong: Mapping[str, str] = MappingProxyType({}),
) -> Run:
    """Write a run and its shards: for each marketplace, its queries and paths in groups.

    Parameters
    ----------
    wrong
        Marketplaces that cannot be watched now, and why: their shards have failed already.
    """
    plan = session.get_one(Plan, plan_id)
    run = Run(plan_id=plan.id, everything=everything)
    session.add(run)
    session.flush()
    for place in plan.places:
        queries = [asdict(query) for query in queries_of(session, plan, place.marketplace, run.id)]
        browse = plan.browse if place.browse is None else place.browse
        asked = [*(("queries", query) for query in queries), *(("browse", path) for path in browse)]
        # Without any there are leads, and listings that are due.
        groups = [asked[at : at + SHARD_SIZE] for at in range(0, len(asked), SHARD_SIZE)] or [[]]
        error = wrong.get(place.marketplace.name)
        for number, group in enumerate(groups):
            shard = Shard(
                run_id=run.id,
                marketplace_id=place.marketplace_id,
                queries=[what for name, what in group if name == "queries"],
                browse=[what for name, what in group if name == "browse"],
                first=number == 0,
            )
            if error is not None:
                shard.state, shard.error, shard.finished_at = "failed", error, utcnow()
                shard.stats = _one_error(error)
            session.add(shard)
    session.flush()
    return run


def _one_error(reason: str) -> dict[str, Any]:
    """What a shard counts that asked for one page and did not get it."""
    coverage = Coverage()
    coverage.failed(reason)
    return {"errors": 1, "fields": coverage.to_json()}


def shards_of(session: Session, run_id: UUID) -> Sequence[Shard]:
    """The shards of a run, in order."""
    return session.scalars(
        select(Shard)
        .where(Shard.run_id == run_id)
        .order_by(Shard.id)
        .execution_options(populate_existing=True)
    ).all()


def tally(shards: Sequence[Shard]) -> dict[str, Any]:
    """The sum of what shards count."""
    total: Counter[str] = Counter()
    for shard in shards:
        for name, number in shard.stats.items():
            if isinstance(number, int | float) and not isinstance(number, bool):
                total[name] += number  # type: ignore[assignment]
    return dict(total)


def end_shard(session: Session, shard_id: UUID, state: str, error: str | None = None) -> None:
    """End a shard, and with the last one its run; what has ended stays as it is."""
    shard = session.get_one(Shard, shard_id, populate_existing=True)
    # Two shards that end in the same moment would each find the other at work.
    run = session.get_one(Run, shard.run_id, with_for_update=True, populate_existing=True)
    if shard.state not in ENDED:
        shard.state, shard.error, shard.finished_at = state, error, utcnow()
        shard.holder = None
        session.flush()
    shards = shards_of(session, run.id)
    run.stats = tally(shards)
    if run.state == "running" and all(one.state in ENDED for one in shards):
        states = {one.state for one in shards}
        run.state = next(s for s in ("stopped", "failed", "finished") if s in states)
        said = dict.fromkeys(one.error for one in shards if one.error)
        run.error = "; ".join(said) or None
        if run.state == "failed" and (failed := sum(s.state == "failed" for s in shards)) < len(
            shards
        ):
            run.error = f"{failed} of {len(shards)} shards failed: {run.error}"
    session.flush()


def end_all(session: Session, run_id: UUID, state: str, error: str) -> None:
    """End all shards that have not ended, and their run."""
    for shard in shards_of(session, run_id):
        end_shard(session, shard.id, state, error)


def close(database: Database, blobs: Blobs, run_id: UUID) -> bool:
    """Do what is due at the end of a run, if it has ended; twice does no harm.

    Returns
    -------
    bool
        Whether it has ended.
    """
    with database.reading() as session:
        run = session.get_one(Run, run_id)
        if run.state == "running":
            return False
        if run.finished_at is not None:
            return True
    health.examine(database, blobs, run_id)
    with database.writing() as session:
        run = session.get_one(Run, run_id, with_for_update=True)
        if run.finished_at is None:
            gone = note_gone(session, run)
            if gone:
                run.stats = {**run.stats, "gone": gone}
            session.execute(delete(Visit).where(Visit.run_id == run_id))
            run.finished_at = utcnow()
    return True


def begun(session: Session, shard_id: UUID) -> None:
    """Note that a shard is crawled from now on."""
    session.execute(
        update(Shard)
        .where(Shard.id == shard_id, Shard.state == "queued")
        .values(state="running", started_at=utcnow())
    )
