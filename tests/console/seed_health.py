"""Runs that go on, that ended well, and that were unhealthy, with alarms and a hostile page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from registry.blobs import Blobs
from registry.database import Database
from registry.models import (
    Alarm,
    AlarmRun,
    Brand,
    Marketplace,
    PageSample,
    Plan,
    Run,
    Shard,
    Visit,
)
from registry.models.base import utcnow

SOURCE = b"""<!doctype html><title>New layout</title>
<script>document.title = "run"; alert(1)</script>
<div class="x9"><h5 class="x1">Velaro Aria Tote</h5><img src=x onerror=alert(2)></div></pre>
"""


@dataclass(frozen=True)
class Health:
    """Ids of what was put in."""

    live: UUID
    well: UUID
    ill: UUID
    alarm: UUID
    closed: UUID
    sample: UUID


def seed_health(database: Database, blobs: Blobs) -> Health:
    with database.writing() as session:
        return _Seeder(session, blobs).put_in()


class _Seeder:
    def __init__(self, session: Session, blobs: Blobs) -> None:
        self.session = session
        self.blobs = blobs
        places = [
            Marketplace(name=name, kind=kind, url=f"https://{name}.example/")
            for name, kind in (
                ("bazaar", "bazaar"),
                ("fleamarket", "ebay"),
                ("north-shop", "oscar"),
            )
        ]
        self.plan = Plan(
            name="velaro-everywhere",
            brand=Brand(slug="velaro-x", name="Velaro", owner="V"),
            marketplaces=places,
            queries=["velaro"],
            browse=[],
            threshold=0.6,
            max_pages=5000,
        )
        session.add(self.plan)
        session.flush()
        self.places = places

    def put_in(self) -> Health:
        live, well, ill = (
            self.run("running", 14),
            self.run("finished", 300),
            self.run("finished", 90),
        )
        course = [
            [t * 3.0, round(t * 31 - 40 * (t % 5 == 4)), max(0, 1300 - t * 14)] for t in range(60)
        ]
        self.shard(live, 0, "running", pages=1829, listings=1490, new=212, waiting=474, pace=course)
        self.shard(live, 1, "running", pages=44, listings=31, walls=9, errors=11, waiting=12,
                   fields={"reasons": {"captcha: <b>are you a robot?</b>": 9, "HTTP 503": 2}},
                   interface="api")  # fmt: skip
        self.shard(live, 2, "queued")
        self.shard(well, 0, "finished", pages=2310, listings=1968, new=88, pace=course)
        self.shard(ill, 1, "finished", pages=61, listings=49, unread=12, errors=12)
        self.shard(ill, 2, "failed", pages=3, error="the marketplace gave no page: <b>refused</b>")
        opened = self.alarm(ill, self.places[1], "field", "listing", "price")
        opened.samples = [
            PageSample(
                kind="listing",
                url="https://fleamarket.example/itm/123456789012?<script>",
                why="without price, currency",
                blob=self.blobs.put_bytes(SOURCE, ".page"),
            )
        ]
        closed = self.alarm(ill, self.places[2], "walls", "", "")
        closed.closed_at, closed.closed_run_id = utcnow(), well.id
        self.session.flush()
        return Health(live.id, well.id, ill.id, opened.id, closed.id, opened.samples[0].id)

    def run(self, state: str, minutes: float) -> Run:
        began = utcnow() - timedelta(minutes=minutes)
        ended = None if state == "running" else began + timedelta(minutes=minutes / 2)
        run = Run(plan=self.plan, state=state, started_at=began, finished_at=ended)
        self.session.add(run)
        self.session.flush()
        return run

    def shard(
        self,
        run: Run,
        place: int,
        state: str,
        waiting: int = 0,
        error: str | None = None,
        **stats: object,
    ) -> None:
        shard = Shard(
            run_id=run.id,
            marketplace_id=self.places[place].id,
            state=state,
            stats=stats,
            error=error,
        )
        self.session.add(shard)
        self.session.flush()
        self.session.add_all(
            Visit(
                run_id=run.id,
                shard_id=shard.id,
                key=f"{place}-{number}",
                kind="listing",
                url=f"https://x.example/{number}",
                rank=1,
            )
            for number in range(waiting)
        )

    def alarm(self, run: Run, place: Marketplace, kind: str, page: str, field: str) -> Alarm:
        seen = {
            "field": "price on 0 of 49 pages of listings",
            "walls": "a wall in the place of 21 of 60 pages",
        }[kind]
        alarm = Alarm(
            marketplace_id=place.id,
            run_id=run.id,
            interface="pages",
            kind=kind,
            page=page,
            field=field,
            expected="price on 98% of pages of listings, as in earlier runs",
            seen=seen,
        )
        alarm.runs.append(AlarmRun(run_id=run.id, seen=seen))
        self.session.add(alarm)
        return alarm
