"""Known listings seen again: by need, with conditional requests; gone, changed, back again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from crawler.crawling import revisits, runs
from crawler.crawling.frontier import Page
from crawler.crawling.seeds import seeds
from crawler.crawling.store import Target
from crawler.crawling.watch import Progress, watch
from crawler.marketplaces import KINDS
from crawler.ways_in.leads import Told, add
from crawler.ways_in.places import Places
from registry.database import Database
from registry.models import (
    Absence,
    Alarm,
    Assessment,
    Brand,
    Job,
    Lead,
    Listing,
    Marketplace,
    Plan,
    Run,
    Seller,
    Sighting,
    Snapshot,
    Visit,
)
from registry.models.base import utcnow
from registry.settings import Settings
from tests.crawler.light_shop import LightShop, light_shop

LISTINGS = 60


@pytest.fixture
def shop() -> Iterator[LightShop]:
    with light_shop(LISTINGS, pictures=1) as running:
        yield running


@pytest.fixture
def plan_id(database: Database, shop: LightShop) -> UUID:
    with database.writing() as session:
        plan = Plan(
            name="p",
            brand=Brand(slug="velaro", name="Velaro", owner="V"),
            marketplaces=[Marketplace(name="m", kind="bazaar", url=shop.url)],
            queries=[],
            browse=["/c/bags"],
            threshold=0.6,
            max_pages=5_000,
        )
        session.add(plan)
        session.flush()
        return plan.id


def crawl(
    settings: Settings, database: Database, plan_id: UUID, *, everything: bool = False
) -> Progress:
    *_, last = watch(settings, database, plan_id, everything=everything)
    return last


def overdue(database: Database) -> None:
    with database.writing() as session:
        session.execute(update(Listing).values(next_visit_at=utcnow() - timedelta(seconds=1)))


def count(database: Database, table: type) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def listing(database: Database, number: int) -> Listing:
    with database.reading() as session:
        row = session.scalars(select(Listing).where(Listing.external_id == str(number))).one()
        assert row.absences is not None
        return row


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_what_is_not_due_is_seen_without_a_visit(
    settings: Settings, database: Database, shop: LightShop, plan_id: UUID
) -> None:
    first = crawl(settings, database, plan_id)
    assert (first.listings, first.new, first.errors) == (LISTINGS, LISTINGS, 0)
    cost = shop.asked.total(), shop.bytes_sent
    assert count(database, Seller) == 20

    shop.forget()
    again = crawl(settings, database, plan_id)
    assert (again.listings, again.new, again.unchanged) == (LISTINGS, 0, LISTINGS)
    assert not [path for path in shop.asked if path.startswith(("/item", "/images", "/seller"))]
    assert shop.asked.total() <= 0.15 * cost[0]
    assert count(database, Sighting) == 2 * LISTINGS
    assert count(database, Snapshot) == count(database, Job) == LISTINGS
    assert count(database, Visit) == 0


def test_what_is_due_is_asked_whether_it_changed(
    settings: Settings, database: Database, shop: LightShop, plan_id: UUID
) -> None:
    crawl(settings, database, plan_id)
    cost = shop.bytes_sent
    overdue(database)
    shop.prices[7] = "1,23"
    shop.forget()
    again = crawl(settings, database, plan_id)
    assert (again.listings, again.new, again.unchanged) == (LISTINGS, 1, LISTINGS - 1)
    # The picture of the one that changed is asked for as well, and is the same.
    assert shop.statuses[304] == LISTINGS - 1 + 1
    assert shop.bytes_sent < cost
    seven, eight = listing(database, 7), listing(database, 8)
    assert (seven.revisits, seven.changes) == (1, 1)
    assert (eight.revisits, eight.changes) == (1, 0)
    assert seven.next_visit_at is not None
    assert eight.next_visit_at is not None
    assert seven.next_visit_at < eight.next_visit_at
    with database.reading() as session:
        prices = session.scalars(
            select(Snapshot.amount).where(Snapshot.listing_id == seven.id).order_by(Snapshot.id)
        ).all()
    assert [str(price) for price in prices] == ["17.00", "1.23"]


@pytest.mark.parametrize("token", [False, True], ids=["same page", "a token in it"])
def test_a_shop_without_validators_costs_a_page_and_not_its_pictures_again(
    settings: Settings, database: Database, shop: LightShop, plan_id: UUID, token: bool
) -> None:
    shop.validators, shop.token = False, token
    crawl(settings, database, plan_id)
    overdue(database)
    shop.forget()
    again = crawl(settings, database, plan_id)
    assert (again.new, again.unchanged) == (0, LISTINGS)
    assert shop.statuses[304] == (LISTINGS if token else 0)
    assert sum(n for path, n in shop.asked.items() if path.startswith("/item")) == LISTINGS


def test_everything_is_read_anew_if_a_person_says_so(
    settings: Settings, database: Database, shop: LightShop, plan_id: UUID
) -> None:
    crawl(settings, database, plan_id)
    overdue(database)
    shop.forget()
    again = crawl(settings, database, plan_id, everything=True)
    assert (again.listings, again.unchanged) == (LISTINGS, LISTINGS)
    assert shop.statuses[304] == 0
    assert sum(n for path, n in shop.asked.items() if path.startswith("/images")) == LISTINGS


def test_a_listing_that_is_gone_is_dated_kept_and_may_come_back(
    settings: Settings, database: Database, shop: LightShop, plan_id: UUID
) -> None:
    crawl(settings, database, plan_id)
    shop.gone, shop.hidden, shop.empty = {3}, {3, 4}, {4}
    overdue(database)
    crawl(settings, database, plan_id)
    three, four = listing(database, 3), listing(database, 4)
    assert three.gone_at is not None
    assert (four.gone_at, four.misses) == (None, 1)
    # It is due again at once, though no search shows it. A run that reads no page of a listing
    # says nothing of it.
    crawl(settings, database, plan_id)
    four = listing(database, 4)
    assert (four.gone_at, four.misses) == (None, 1)
    with database.writing() as session:
        soon = utcnow() - timedelta(seconds=1)
        five = update(Listing).where(Listing.external_id == "5")
        session.execute(five.values(next_visit_at=soon))
    crawl(settings, database, plan_id)
    four = listing(database, 4)
    assert (four.gone_at is not None, four.misses) == (True, 2)
    with database.reading() as session:
        said = session.execute(
            select(Listing.external_id, Absence.why, Absence.back_at)
            .join(Listing, Absence.listing_id == Listing.id)
            .order_by(Absence.id)
        ).all()
        ended = session.scalars(select(Run).order_by(Run.id)).all()
    assert [tuple(row) for row in said] == [
        ("3", "HTTP 404", None),
        ("4", "no listing was found at its address, 2 times", None),
    ]
    assert [run.stats.get("gone", 0) for run in ended] == [0, 1, 0, 1]
    assert count(database, Listing) == LISTINGS

    shop.gone, shop.hidden, shop.empty = set(), set(), set()
    crawl(settings, database, plan_id)
    three = listing(database, 3)
    assert (three.gone_at, three.misses) == (None, 0)
    with database.reading() as session:
        back = session.scalars(select(Absence).where(Absence.back_at.is_not(None))).all()
    assert len(back) == 2


def test_a_new_layout_of_a_few_listings_marks_none_gone_and_alarms(
    settings: Settings, database: Database, shop: LightShop, plan_id: UUID
) -> None:
    shop.listings = 4
    crawl(settings, database, plan_id)
    shop.empty = {0, 1, 2, 3}
    for _ in range(2):
        overdue(database)
        crawl(settings, database, plan_id)
    with database.reading() as session:
        alarm = session.scalars(select(Alarm)).one()
        assert (alarm.kind, alarm.page) == ("unread", "listing")
        assert len(alarm.runs) == 2
    # One of them as it was: that the others are shown still counts.
    shop.empty = {1, 2, 3}
    for _ in range(2):
        overdue(database)
        crawl(settings, database, plan_id)
    assert count(database, Absence) == 0
    assert listing(database, 1).misses == 0


def test_a_known_listing_that_a_lead_finds_gone_is_gone(
    settings: Settings, database: Database, shop: LightShop, plan_id: UUID
) -> None:
    crawl(settings, database, plan_id)
    shop.gone, shop.hidden = {3}, {3}
    with database.writing() as session:
        told = [Told(f"{shop.url}item/3/tote", "list")]
        add(session, session.get_one(Plan, plan_id).brand_id, told, Places.watched(session))
    again = crawl(settings, database, plan_id)
    assert again.errors == 0
    assert listing(database, 3).gone_at is not None
    with database.reading() as session:
        assert session.scalars(select(Lead.state)).one() == "gone"


def test_what_is_due_and_leads_leave_most_of_the_budget_to_the_searches(
    database: Database, plan_id: UUID
) -> None:
    with database.writing() as session:
        plan = session.get_one(Plan, plan_id)
        plan.marketplaces.append(Marketplace(name="n", kind="bazaar", url="https://n.example/"))
        plan.browse = [f"/c/{n}" for n in range(9)]
        before = Run(plan_id=plan.id, state="finished")
        session.add(before)
        session.flush()
        for place in plan.marketplaces:
            for number in range(50):
                row = Listing(
                    marketplace_id=place.id, external_id=str(number),
                    url=f"{place.url}item/{number}/x", next_visit_at=utcnow(),
                )  # fmt: skip
                session.add(row)
                session.flush()
                snapshot = Snapshot(
                    listing_id=row.id, content_sha256="0" * 64, title="x", description="",
                    attributes={},
                )  # fmt: skip
                session.add(snapshot)
                session.flush()
                session.add(Sighting(run_id=before.id, listing_id=row.id, snapshot_id=snapshot.id))
            told = [Told(f"{place.url}item/{number}/x", "list") for number in range(100, 150)]
            add(session, plan.brand_id, told, Places.watched(session))
        run = runs.begin(session, plan_id)
        laid = []
        for shard in runs.shards_of(session, run.id):
            target = Target(run.id, plan_id, shard.marketplace_id, "x")
            base, definition = shard.marketplace.url, KINDS["bazaar"]
            laid += seeds(session, definition, base, target, shard, 80, everything=False)[0]
    assert len(having(laid, "lead")) == 80 // 4
    assert len(laid) - len(having(laid, "lead")) - 18 == 80 // 4


def having(pages: list[Page], argument: str) -> list[Page]:
    return [page for page in pages if argument in page.arguments]


def test_risk_and_history_say_when_a_listing_is_due() -> None:
    day = 86_400.0
    lively = revisits.change_rate(10, 9, 10 * day)
    quiet = revisits.change_rate(10, 0, 10 * day)
    new = revisits.change_rate(0, 0, 0.0)
    assert lively > new > quiet > 0
    # A page that changed at every visit: about as often as it was visited, or oftener.
    assert 1 / day < revisits.change_rate(1000, 1000, 1000 * day) < 20 / day

    now = utcnow()
    row = Listing(revisits=3, changes=1, watched_seconds=3 * day)
    times = [
        revisits.next_visit(row, outcome, now) for outcome in ("flag", "abstain", None, "pass")
    ]
    assert times == sorted(times)
    assert times[0] < times[-1]
    row = Listing(revisits=1000, changes=0, watched_seconds=10_000 * day)
    assert revisits.next_visit(row, "pass", now) == now + revisits.LATEST
    row = Listing(revisits=1000, changes=1000, watched_seconds=day)
    assert revisits.next_visit(row, "flag", now) == now + revisits.SOONEST


def test_an_assessment_has_a_listing_visited_sooner(
    settings: Settings, database: Database, shop: LightShop, plan_id: UUID
) -> None:
    crawl(settings, database, plan_id)
    before = listing(database, 5)
    with database.writing() as session:
        row = session.scalars(select(Snapshot).where(Snapshot.listing_id == before.id)).one()
        brand_id = session.scalars(select(Brand.id)).one()
        assessment = Assessment(
            snapshot_id=row.id, plan_id=plan_id, brand_id=brand_id, score=0.9, threshold=0.6,
            outcome="flag", kind="counterfeit", flagged=True, result={}, inputs={},
        )  # fmt: skip
        session.add(assessment)
        session.flush()
        revisits.assessed(session, assessment)
    after = listing(database, 5)
    assert before.next_visit_at is not None
    assert after.next_visit_at is not None
    assert after.next_visit_at < before.next_visit_at
