"""Alarms of runs in the database: opened, confirmed, closed, and what people say of them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from crawler.health.fields import Coverage
from crawler.health.judging import examine
from insight import random_check
from registry import alarms
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Alarm,
    Brand,
    Listing,
    Marketplace,
    PageSample,
    Plan,
    Run,
    Shard,
    Sighting,
    Snapshot,
)
from registry.models.base import utcnow


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


class House:
    """Two plans on one marketplace, whose runs are made up by their figures."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self.database = database
        self.blobs = blobs
        with database.writing() as session:
            place = Marketplace(name="m", kind="bazaar", url="https://m.example/")
            brand = Brand(slug="velaro", name="Velaro", owner="V")
            plans = [
                Plan(name=name, brand=brand, marketplaces=[place], queries=["velaro"], browse=[],
                     threshold=0.6, max_pages=1000)
                for name in ("bags", "shoes")
            ]  # fmt: skip
            session.add_all(plans)
            session.flush()
            self.place = place.id
            self.plans = [plan.id for plan in plans]

    def run(
        self,
        listings: int = 40,
        missing: str | None = None,
        *,
        plan: int = 0,
        interface: str = "pages",
        results: bool = True,
        walls: int = 0,
        unread: int = 0,
    ) -> list[tuple[str, str]]:
        """A run that has ended: what is wrong with it, as kinds and fields."""
        coverage = Coverage()
        for number in range(3):
            links = {"links": results}
            coverage.saw("list", links, f"https://m.example/c/{number}", b"<p>list</p>")
        for number in range(listings):
            values = {"price": True, "currency": True, "pictures": True, "seller": True}
            if missing is not None:
                values[missing] = False
            url = f"https://m.example/item/{number}"
            coverage.saw("listing", values, url, f"<p>{number} {missing}</p>".encode())
        for number in range(walls + unread):
            page = f"<h1>{number}</h1>".encode()
            coverage.unread("listing", "https://m.example/x", "captcha", page, wall=number < walls)
        coverage.keep(self.blobs)
        stats = {
            "pages": 3 + listings,
            "listings": listings,
            "errors": walls + unread,
            "walls": walls,
            "unread": unread,
            "interface": interface,
            "fields": coverage.to_json(),
        }
        with self.database.writing() as session:
            run = Run(plan_id=self.plans[plan], state="finished", finished_at=utcnow())
            session.add(run)
            session.flush()
            self.last = run.id
            session.add(
                Shard(run_id=run.id, marketplace_id=self.place, state="finished", stats=stats)
            )
        found = examine(self.database, self.blobs, self.last)
        return [(alarm.kind, alarm.field) for alarm in found]

    def open(self) -> list[Alarm]:
        with self.database.reading() as session:
            found = list(alarms.newest(session, closed=False, limit=10))
            session.expunge_all()
            return found


@pytest.fixture
def house(database: Database, blobs: Blobs) -> House:
    return House(database, blobs)


def test_a_field_that_vanishes_alarms_with_a_sample_and_is_over_by_itself(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    assert [house.run() for _ in range(3)] == [[], [], []]
    with caplog.at_level(logging.WARNING, "crawler.health.judging"):
        assert house.run(missing="seller") == [("field", "seller")]
    ill = house.last
    assert "m: unhealthy: seller on 0 of 40" in caplog.text
    (alarm,) = house.open()
    assert "100% of pages of listings" in alarm.expected
    (sample,) = alarm.samples
    with house.blobs.open(sample.blob) as stream:
        assert stream.read() == b"<p>0 seller</p>"
    assert house.run(missing="seller", plan=1) == [("field", "seller")]
    assert len(house.open()[0].runs) == 2, "confirmed by another plan's run, not opened twice"
    with house.database.reading() as session:
        assert alarms.unhealthy(session, ill) == {house.place}
        assert alarms.complaints(session, [ill])[ill] == ["m: seller on 0 of 40 pages of listings"]
    assert house.run() == []
    assert house.open() == []
    with house.database.reading() as session:
        closed = session.scalars(select(Alarm)).one()
        assert (closed.closed_run_id, closed.closed_by) == (house.last, None)
        assert alarms.unhealthy(session, ill) == {house.place}, "it stays no evidence"
        assert alarms.unhealthy(session, house.last) == set()
    assert house.run(missing="seller") == [("field", "seller")]
    with house.database.reading() as session:
        assert len(session.scalars(select(Alarm)).all()) == 2, "it opens anew"


def test_the_first_run_is_judged_by_what_the_definition_promises(house: House) -> None:
    assert house.run(missing="price") == [("field", "price")]
    assert house.run(missing="seller", plan=1) == [], "nobody promised a seller"


def test_walls_and_unread_pages_are_told_apart(house: House) -> None:
    for _ in range(3):
        house.run()
    assert house.run(20, walls=20) == [("walls", "")]
    assert house.run(20, unread=20) == [("unread", "")]
    (alarm,) = house.open()
    assert len(alarm.samples) == 2
    assert house.run() == []


def test_results_that_are_empty_alarm_only_the_plan_that_found_some(house: House) -> None:
    for _ in range(3):
        house.run()
    assert house.run(0, results=False) == [("empty", ""), ("found", "")]
    assert {alarm.plan_id for alarm in house.open()} == {house.plans[0]}
    assert house.run(8, plan=1) == []
    assert len(house.open()) == 2, "another plan's run says nothing of this one's queries"
    assert house.run() == []
    assert house.open() == []


def test_the_two_interfaces_have_histories_of_their_own(house: House) -> None:
    for _ in range(3):
        house.run()
    assert house.run(missing="seller", interface="api") == []


def test_samples_that_nobody_asks_for_are_let_go(house: House, database: Database) -> None:
    house.run(missing="seller")
    with database.reading() as session:
        shard = session.scalars(select(Shard)).one()
        (sample,) = shard.stats["fields"]["samples"]
        assert session.scalars(select(PageSample)).all() == []
    with pytest.raises(FileNotFoundError):
        house.blobs.open(sample["blob"])


def test_a_person_may_say_that_it_is_usual_from_now_on(house: House, database: Database) -> None:
    for _ in range(4):
        house.run()
    assert house.run(missing="seller") == [("field", "seller")]
    (alarm,) = house.open()
    with database.writing() as session:
        assert alarms.acknowledge(session, alarm.id, "Ada").acknowledged_by == "Ada"
        assert alarms.acknowledge(session, alarm.id, "Bob").acknowledged_by == "Ada"
        alarms.close(session, alarm.id, "Ada", "mended")
    assert house.run(missing="seller") == [("field", "seller")], "it was not"
    (alarm,) = house.open()
    with database.writing() as session:
        alarms.close(session, alarm.id, "Ada", "no names for visitors any more", usual=True)
    for _ in range(6):
        assert house.run(missing="seller") == []
    assert house.run(missing="price") == [("field", "price")], "all else is watched as before"
    with database.writing() as session, pytest.raises(TouchstoneError, match="was closed"):
        alarms.close(session, alarm.id, "Ada", "again")
    with database.writing() as session, pytest.raises(TouchstoneError, match="wants a note"):
        alarms.close(session, house.open()[0].id, "Ada", "  ")


def test_a_frame_of_the_random_check_says_where_it_was_blind(
    house: House, database: Database
) -> None:
    def freeze() -> dict[str, Any]:
        with database.writing() as session:
            return random_check.freeze(
                session,
                since=utcnow() - timedelta(days=1),
                until=utcnow(),
                size=1,
                actor="tester",
                brand="velaro",
            ).terms

    house.run()
    _sight(house, house.last)
    assert "blind" not in freeze()
    house.run(missing="price", plan=1)
    ill = house.last
    assert freeze()["blind"] == [["m", str(ill)]]


def _sight(house: House, run_id: UUID) -> None:
    with house.database.writing() as session:
        listing = Listing(marketplace_id=house.place, external_id="1", url="https://m.example/1")
        session.add(listing)
        session.flush()
        snapshot = Snapshot(
            listing_id=listing.id, content_sha256="0" * 64, title="t", description=""
        )
        session.add(snapshot)
        session.flush()
        session.add(Sighting(run_id=run_id, listing_id=listing.id, snapshot_id=snapshot.id))
