"""A crawl that is killed again and again: nothing is lost, hardly anything is fetched twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from crawler.crawling import runs
from crawler.crawling.watch import _environment, watch
from registry.blobs import open_blobs
from registry.database import Database
from registry.models import Brand, Listing, Marketplace, Plan, Run, Shard, Sighting, Snapshot
from registry.settings import Settings
from tests.crawler.light_shop import LightShop, html, light_shop

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


def planned(database: Database, url: str) -> UUID:
    with database.writing() as session:
        plan = Plan(
            name="p",
            brand=Brand(slug="velaro", name="Velaro", owner="V"),
            marketplaces=[Marketplace(name="m", kind="bazaar", url=url)],
            queries=[],
            browse=["/c/bags"],
            threshold=0.6,
            max_pages=100_000,
        )
        session.add(plan)
        session.flush()
        return plan.id


def test_ten_kills_lose_nothing_and_repeat_next_to_nothing(
    settings: Settings, database: Database
) -> None:
    with light_shop(LISTINGS) as shop:
        plan_id = planned(database, shop.url)
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


def test_a_page_that_cannot_be_read_is_kept_though_the_crawl_is_killed(
    settings: Settings, database: Database
) -> None:
    with light_shop(200, empty=set(range(200)), seconds=0.05) as shop:
        plan_id = planned(database, shop.url)
        with database.writing() as session:
            run_id = runs.begin(session, plan_id).id
            (shard,) = runs.shards_of(session, run_id)
        command = [sys.executable, "-m", "crawler", str(shard.id)]
        with subprocess.Popen(
            command, env={**os.environ, **_environment(settings)}, stdout=subprocess.DEVNULL
        ) as crawl:
            while shop.asked.total() < 60:
                assert crawl.poll() is None
                time.sleep(0.01)
            crawl.kill()
    with database.reading() as session:
        said = session.get_one(Shard, shard.id).stats["fields"]
    assert 0 < said["kinds"]["listing"]["unread"] < 200
    samples = [one for one in said["samples"] if one["kind"] == "listing"]
    assert [one["why"] for one in samples] == ["no listing can be read in this page"] * 2
    with open_blobs(settings.evidence_store).open(samples[0]["blob"]) as stream:
        assert stream.read() == html("<p>Hello</p>")
