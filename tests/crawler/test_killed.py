"""A crawl that is killed again and again: nothing is lost, hardly anything is fetched twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from crawler.crawling.watch import watch
from registry.database import Database
from registry.models import Brand, Listing, Marketplace, Plan, Run, Shard, Sighting, Snapshot
from registry.settings import Settings
from tests.crawler.light_shop import LightShop, light_shop

LISTINGS = 5_000
KILLS = 10


def crawls(shard_id: UUID) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(shard_id).encode() in words:
                found.append(int(folder.name))
    return found


class Killer(threading.Thread):
    """Kills the crawl each time that the shop has been asked for another part of its listings."""

    def __init__(self, shop: LightShop, database: Database) -> None:
        super().__init__(daemon=True)
        self._shop = shop
        self._database = database
        self.kills = 0

    def run(self) -> None:
        for kill in range(1, KILLS + 1):
            while self._shop.asked.total() < LISTINGS * kill / (KILLS + 2):
                time.sleep(0.01)
            with self._database.reading() as session:
                shard_id = session.scalars(select(Shard.id)).one()
            victims: list[int] = []
            while not victims:
                victims = crawls(shard_id)
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
                self.kills += 1


def test_ten_kills_lose_nothing_and_repeat_next_to_nothing(
    settings: Settings, database: Database
) -> None:
    with light_shop(LISTINGS) as shop:
        with database.writing() as session:
            plan = Plan(
                name="p",
                brand=Brand(slug="velaro", name="Velaro", owner="V"),
                marketplaces=[Marketplace(name="m", kind="bazaar", url=shop.url)],
                queries=[],
                browse=["/c/bags"],
                threshold=0.6,
                max_pages=100_000,
            )
            session.add(plan)
            session.flush()
            plan_id = plan.id
        killer = Killer(shop, database)
        killer.start()
        *_, last = watch(settings, database, plan_id)
        killer.join(timeout=10)
        asked = {path: n for path, n in shop.asked.items() if path != "/robots.txt"}
    assert killer.kills == KILLS
    assert (last.listings, last.new, last.errors) == (LISTINGS, LISTINGS, 0)
    with database.reading() as session:
        ids = set(session.scalars(select(Listing.external_id)))
        assert ids == {str(number) for number in range(LISTINGS)}
        for table in (Snapshot, Sighting):
            assert session.scalar(select(func.count()).select_from(table)) == LISTINGS
        assert session.scalars(select(Run.state)).all() == ["finished"]
    twice = sum(asked.values()) - len(asked)
    assert twice <= 0.02 * len(asked), f"{twice} of {len(asked)} pages were fetched twice"
