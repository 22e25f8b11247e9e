"""How far a run is, for the terminal and for the pages: one view of its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from crawler.crawling.pace import Point, points, rate, seconds_left
from insight.holding import still_holds
from registry import alarms
from registry.errors import TouchstoneError
from registry.models import Assessment, Run, Shard, Sighting, Snapshot, Visit
from registry.models.base import utcnow

#: States in which there is nothing more to come.
ENDED = frozenset(("finished", "failed", "stopped"))


@dataclass(frozen=True, slots=True)
class Part:
    """How far a shard is, or a run as the sum of its shards."""

    pages: int = 0
    listings: int = 0
    new: int = 0
    unchanged: int = 0
    gone: int = 0
    errors: int = 0
    walls: int = 0
    waiting: int = 0
    #: Pages a second of late, and how long what waits may take; None where nobody can say.
    rate: float | None = None
    seconds_left: float | None = None

    @property
    def share(self) -> float:
        """What was visited of all that is known to be there to visit."""
        return self.pages / (self.pages + self.waiting) if self.pages else 0.0

    @property
    def left(self) -> str:
        """The time that is left, in words."""
        return in_words(self.seconds_left)


@dataclass(frozen=True, slots=True)
class ShardView:
    """One shard of a run."""

    id: UUID
    marketplace: str
    interface: str
    #: Who of the marketplace's team lets us pass over robots.txt, and why.
    robots_ignored: str | None
    state: str
    error: str | None
    part: Part
    course: tuple[Point, ...]
    #: The commonest reasons of its errors, and how often each came.
    reasons: tuple[tuple[str, int], ...]

    def spark(self, width: float, height: float) -> str:
        """Its speed over time as the points of an SVG line; empty where there is none yet."""
        speeds = [
            (later[0], (later[1] - earlier[1]) / (later[0] - earlier[0]))
            for earlier, later in zip(self.course, self.course[1:], strict=False)
            if later[0] > earlier[0]
        ]
        if len(speeds) < 2:
            return ""
        start, end = speeds[0][0], speeds[-1][0]
        top = max(speed for _, speed in speeds) or 1.0
        return " ".join(
            f"{(at - start) / (end - start) * width:.1f},{height - speed / top * height:.1f}"
            for at, speed in speeds
        )


@dataclass(frozen=True, slots=True)
class RunView:
    """A run: its sum, its shards, what came of it, and what was wrong with it."""

    id: UUID
    plan: str
    brand: str
    marketplaces: tuple[str, ...]
    state: str
    started_at: datetime
    finished_at: datetime | None
    error: str | None
    total: Part
    shards: tuple[ShardView, ...]
    complaints: tuple[str, ...]
    flagged: int | None

    @property
    def live(self) -> bool:
        """Whether there is more to come."""
        return self.state not in ENDED

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return ((self.finished_at or utcnow()) - self.started_at).total_seconds()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run": self.id,
            "plan": self.plan,
            "brand": self.brand,
            "marketplaces": list(self.marketplaces),
            "state": self.state,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "seconds": round(self.seconds, 1),
            **_numbers(self.total),
            "flagged": self.flagged,
            "healthy": None if self.live else not self.complaints,
            "complaints": list(self.complaints),
            "error": self.error,
            "shards": [
                {
                    "shard": shard.id,
                    "marketplace": shard.marketplace,
                    "interface": shard.interface,
                    "robots_ignored": shard.robots_ignored,
                    "state": shard.state,
                    **_numbers(shard.part),
                    "error": shard.error,
                    "reasons": dict(shard.reasons),
                }
                for shard in self.shards
            ],
        }


def run_view(session: Session, run_id: UUID) -> RunView:
    """A run as it is now, with what was flagged of what it saw.

    Raises
    ------
    TouchstoneError
        If there is none of that id.
    """
    run = session.get(Run, run_id)
    if run is None:
        raise TouchstoneError(f"there is no run {run_id}: see touchstone run list")
    return _views(session, [run], flagged=True)[0]


def newest_runs(session: Session, *, limit: int) -> list[RunView]:
    """The newest runs. What was flagged is counted for one run only: see `run_view`."""
    runs = session.scalars(
        select(Run).order_by(Run.id.desc()).limit(limit).options(joinedload(Run.plan))
    ).all()
    return _views(session, runs, flagged=False)


def _views(session: Session, runs: Collection[Run], *, flagged: bool) -> list[RunView]:
    ids = [run.id for run in runs]
    complaints = alarms.complaints(session, ids)
    # The rows of visits go when a run has ended: what still waits then was given up.
    waiting: dict[UUID, int] = dict(
        session.execute(
            select(Visit.shard_id, func.count())
            .where(Visit.run_id.in_(ids), Visit.state == "waiting")
            .group_by(Visit.shard_id)
        ).all()
    )
    shards: dict[UUID, list[ShardView]] = defaultdict(list)
    for shard in session.scalars(
        select(Shard)
        .where(Shard.run_id.in_(ids))
        .order_by(Shard.id)
        .options(joinedload(Shard.marketplace))
    ):
        shards[shard.run_id].append(_shard_view(shard, waiting.get(shard.id, 0)))
    return [
        RunView(
            id=run.id,
            plan=run.plan.name,
            brand=run.plan.brand.name,
            marketplaces=tuple(one.name for one in run.plan.marketplaces),
            state=run.state,
            started_at=run.started_at,
            finished_at=run.finished_at,
            error=run.error,
            total=_sum(run, shards[run.id]),
            shards=tuple(shards[run.id]),
            complaints=tuple(complaints.get(run.id, ())),
            flagged=_flagged(session, run) if flagged else None,
        )
        for run in runs
    ]


def _shard_view(shard: Shard, waiting: int) -> ShardView:
    course = points(shard.stats.get("pace"))
    live = shard.state == "running"
    part = Part(
        **_counts(shard.stats),
        waiting=waiting if shard.state not in ENDED else 0,
        rate=rate(course) if live else None,
        seconds_left=seconds_left(course, waiting) if live else None,
    )
    return ShardView(
        id=shard.id,
        marketplace=shard.marketplace.name,
        interface=str(shard.stats.get("interface", "pages")),
        robots_ignored=shard.stats.get("robots_ignored"),
        state=shard.state,
        error=shard.error,
        part=part,
        course=tuple(course),
        reasons=tuple((shard.stats.get("fields") or {}).get("reasons", {}).items()),
    )


def _sum(run: Run, shards: Collection[ShardView]) -> Part:
    if not shards:  # a run from before there were any
        return Part(**_counts(run.stats))
    running = [shard.part for shard in shards if shard.state == "running"]
    rates = [part.rate for part in running if part.rate is not None]
    lefts = [part.seconds_left for part in running]
    # Shards run side by side. Of one that waits for a worker nobody knows how large it is.
    known = None not in lefts and not any(shard.state == "queued" for shard in shards)
    sums = {name: sum(getattr(s.part, name) for s in shards) for name in (*_COUNTED, "waiting")}
    return Part(
        **sums,
        rate=sum(rates) if rates else None,
        seconds_left=max((left for left in lefts if left is not None), default=None)
        if known
        else None,
    )


_COUNTED = ("pages", "listings", "new", "unchanged", "gone", "errors", "walls")


def _counts(stats: dict[str, Any]) -> dict[str, int]:
    return {name: int(stats.get(name, 0)) for name in _COUNTED}


def _numbers(part: Part) -> dict[str, Any]:
    return {
        **{name: getattr(part, name) for name in (*_COUNTED, "waiting")},
        "pages_per_second": None if part.rate is None else round(part.rate, 2),
        "seconds_left": None if part.seconds_left is None else round(part.seconds_left),
    }


def _flagged(session: Session, run: Run) -> int:
    """Listings that the run saw and that the plan has flagged."""
    return (
        session.scalar(
            select(func.count(Sighting.listing_id.distinct()))
            .select_from(Sighting)
            .join(Snapshot, Snapshot.id == Sighting.snapshot_id)
            .join(Assessment, Assessment.snapshot_id == Snapshot.id)
            .where(
                Sighting.run_id == run.id,
                Assessment.plan_id == run.plan_id,
                Assessment.flagged,
                still_holds(),
            )
        )
        or 0
    )


def in_words(seconds: float | None) -> str:
    """A time that is left as people say it; what nobody knows is said to be unknown."""
    if seconds is None:
        return "unknown"
    if seconds < 45:
        return "less than a minute"
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.0f} h"
