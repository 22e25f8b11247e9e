"""Crawls by real processes of a shop that changes: the alarm comes in that very run."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import func, select

from console.progress import run_view
from crawler.crawling.watch import watch
from registry import alarms
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Brand, Listing, Marketplace, Plan, Run
from registry.settings import Settings
from tests.crawler.changing_shop import Shop, serving


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serving() as served:
        yield served


class Watch:
    """A plan for the shop, run again and again."""

    def __init__(self, settings: Settings, database: Database, shop: Shop) -> None:
        self.settings, self.database = settings, database
        with database.writing() as session:
            plan = Plan(
                name="bags",
                brand=Brand(slug="velaro", name="Velaro", owner="V"),
                marketplaces=[Marketplace(name="shop", kind="woocommerce", url=shop.url + "/")],
                queries=[],
                browse=["/bags/"],
                threshold=0.6,
                max_pages=200,
            )
            session.add(plan)
            session.flush()
            self.plan_id: UUID = plan.id

    def run(self) -> list[str]:
        """A run, every page of it read: what was wrong with it."""
        try:
            for _ in watch(self.settings, self.database, self.plan_id, everything=True):
                pass
        except TouchstoneError as error:  # a run that saw nothing fails besides
            print(error)
        with self.database.reading() as session:
            self.last = session.scalars(select(Run).order_by(Run.id.desc()).limit(1)).one().id
            return list(run_view(session, self.last).complaints)

    def open(self) -> list[tuple[str, str, str]]:
        with self.database.reading() as session:
            found = alarms.newest(session, closed=False, limit=20)
            return sorted((alarm.kind, alarm.page, alarm.field) for alarm in found)

    def samples(self, blobs: Blobs) -> list[str]:
        """The sources that the open alarms kept."""
        with self.database.reading() as session:
            keys = [
                sample.blob
                for alarm in alarms.newest(session, closed=False, limit=20)
                for sample in alarm.samples
            ]
        sources = []
        for key in keys:
            with blobs.open(key) as stream:
                sources.append(stream.read().decode())
        return sources

    def gone(self) -> int:
        with self.database.reading() as session:
            wanted = select(func.count()).where(Listing.gone_at.is_not(None))
            return session.scalar(wanted) or 0


def test_each_change_alarms_in_one_run_and_healthy_variation_does_not(
    settings: Settings, database: Database, blobs: Blobs, shop: Shop
) -> None:
    watch = Watch(settings, database, shop)
    shop.sellers = 6  # a field that was always rare
    assert watch.run() == []
    assert watch.run() == []
    shop.listings, shop.sellers = 16, 9
    assert watch.run() == [], "fewer listings, and a rare field a little rarer"
    shop.listings, shop.sellers = 20, 6

    shop.layout = "priceless"
    assert watch.run() == [
        "shop: currency on 0 of 20 pages of listings",
        "shop: price on 0 of 20 pages of listings",
    ]
    assert all("product_title" in source for source in watch.samples(blobs))
    assert watch.samples(blobs)

    shop.layout = "new"
    gone = watch.gone()
    assert "shop: none of 1 page of results could be read" in watch.run()
    assert ("unread", "list", "") in watch.open()
    assert any('class="g7x"' in source for source in watch.samples(blobs))

    shop.layout = "walls"
    assert any("wall" in said for said in watch.run())
    assert ("walls", "", "") in watch.open()
    assert any("not a robot" in source for source in watch.samples(blobs))

    shop.layout = "empty"
    assert "shop: 0 of 1 page of results led to a listing" in watch.run()
    assert ("empty", "list", "") in watch.open()
    assert watch.gone() == gone, "a run that was blind marks nothing as gone"

    shop.layout = "well"
    assert watch.run() == []
    assert watch.open() == [], "all is well again, and all alarms are over by themselves"
