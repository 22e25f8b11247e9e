"""Storing sightings, by many at once, on both databases."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from threading import Barrier
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from crawler.crawling.hashing import picture_row
from crawler.crawling.store import (
    Seen,
    SeenPicture,
    Target,
    store_pictures,
    store_seen,
    store_seller,
    storing,
)
from crawler.marketplaces.pages import SellerFacts, SellerRef
from registry.database import Database
from registry.models import (
    Assessment,
    Brand,
    Job,
    Listing,
    Marketplace,
    Plan,
    Run,
    Seller,
    Sighting,
    Snapshot,
)
from registry.money import Money

SEEN = Seen(
    external_id="1",
    url="https://shop.example/item/1/x",
    title="Tote",
    description="",
    price=Money(Decimal("40.00"), "EUR"),
    availability="InStock",
    condition=None,
    brand=None,
    seller=SellerRef("s", "Seller", None),
    ships_from=None,
    attributes={"Colour": "red"},
    pictures=(SeenPicture("https://shop.example/1.jpg", None, "HTTP 404"),),
)

both = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


def target(database: Database) -> Target:
    with database.writing() as session:
        plan = Plan(
            name="p",
            brand=Brand(slug="velaro", name="Velaro", owner="V"),
            marketplaces=[Marketplace(name="m", kind="bazaar", url="https://shop.example/")],
            queries=[], browse=[], threshold=0.6, max_pages=9,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        run = Run(plan_id=plan.id)
        session.add(run)
        session.flush()
        return Target(run.id, plan.id, plan.marketplaces[0].id, standing="a")


def counts(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Listing, Seller, Snapshot, Sighting, Job)
        }


@both
def test_many_listings_of_one_new_seller_at_once(database: Database) -> None:
    where, hands, rounds = target(database), 8, 5
    barrier = Barrier(hands)

    def store(number: int) -> None:
        for turn in range(rounds):
            barrier.wait()
            seen = dataclasses.replace(
                SEEN, external_id=f"{turn}-{number}", seller=SellerRef(f"s{turn}", "S", None)
            )
            storing(database, partial(store_seen, target=where, seen=seen))

    with ThreadPoolExecutor(hands) as pool:
        list(pool.map(store, range(hands)))
    all_of_them = hands * rounds
    assert counts(database) == {
        "listings": all_of_them,
        "sellers": rounds,
        "snapshots": all_of_them,
        "sightings": all_of_them,
        "jobs": all_of_them,
    }


@both
def test_the_same_listing_by_many_at_once_is_stored_once(database: Database) -> None:
    where, hands = target(database), 8
    barrier = Barrier(hands)

    def store(_: int) -> bool:
        barrier.wait()
        return storing(database, lambda session: store_seen(session, where, SEEN))

    with ThreadPoolExecutor(hands) as pool:
        assert sum(pool.map(store, range(hands))) == 1
    assert set(counts(database).values()) == {1}


@both
def test_a_sellers_page_fills_in_what_it_says(database: Database) -> None:
    where, ref = target(database), SellerRef("s", "Seller", "https://shop.example/seller/s")
    storing(database, lambda session: store_seen(session, where, SEEN))
    for facts in (SellerFacts("Seller", "FR", 4.5, None), SellerFacts(None, None, None, None)):
        storing(database, partial(store_seller, target=where, ref=ref, facts=facts))
    with database.reading() as session:
        seller = session.scalars(select(Seller)).one()
        assert (seller.name, seller.country, seller.rating) == ("Seller", "FR", 4.5)


CHANGES: list[dict[str, object]] = [
    {"title": "Tote!"},
    {"description": "x"},
    {"price": Money(Decimal("39.99"), "EUR")},
    {"price": None},
    {"availability": "OutOfStock"},
    {"condition": "used"},
    {"brand": "Velaro"},
    {"seller": None},
    {"ships_from": "CN"},
    {"attributes": {}},
    {"pictures": (SeenPicture("u", "0" * 64, None),)},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_any_change_in_what_it_says_is_news(change: dict[str, object]) -> None:
    changed = dataclasses.replace(SEEN, **change)  # type: ignore[arg-type]
    assert changed.content_sha256() != SEEN.content_sha256()


@given(st.text(), st.text())
def test_addresses_of_pages_and_pictures_are_no_news(url: str, picture: str) -> None:
    moved = dataclasses.replace(SEEN, url=url, pictures=(SeenPicture(picture, None, "slow"),))
    assert moved.content_sha256() == SEEN.content_sha256()


def test_an_unknown_run_is_an_error_and_writes_nothing(database: Database) -> None:
    from sqlalchemy.exc import IntegrityError

    where = target(database)
    lost = dataclasses.replace(where, run_id=UUID(int=1))
    with pytest.raises(IntegrityError):
        storing(database, lambda session: store_seen(session, lost, SEEN))
    assert set(counts(database).values()) == {0}


def picture(place: int, sha256: str | None) -> SeenPicture:
    return SeenPicture(f"https://shop.example/{place}.jpg", sha256, None if sha256 else "slow")


A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.mark.parametrize(
    ("now", "more", "news"),
    [
        ((None, B), {}, False),
        ((A, None), {}, False),
        ((None, None), {}, False),
        ((A, B), {}, False),
        ((B, A), {}, True),
        ((C, None), {}, True),
        ((A, A, None), {}, True),
        ((A,), {}, True),
        ((None,), {}, True),
        ((None, B), {"title": "Tote!"}, True),
        ((None, B), {"price": None}, True),
    ],
)
def test_a_picture_that_could_not_be_fetched_now_is_no_news(
    database: Database, now: tuple[str | None, ...], more: dict[str, object], news: bool
) -> None:
    where = target(database)

    def store(*hashes: str | None, **changes: object) -> bool:
        pictures = tuple(picture(place, sha256) for place, sha256 in enumerate(hashes))
        seen = dataclasses.replace(SEEN, pictures=pictures, **changes)  # type: ignore[arg-type]
        return storing(database, partial(store_seen, target=where, seen=seen))

    with database.writing() as session:
        for sha256 in (A, B, C):
            store_pictures(session, [picture_row(sha256, "b", "image/jpeg", {})])
    assert store(A, B)
    assert store(*now, **more) is news
    assert counts(database)["snapshots"] == 1 + news


@both
def test_a_listing_is_assessed_again_whenever_the_brand_has_changed(database: Database) -> None:
    where = target(database)

    def seen_by(standing: str) -> int:
        """See it once more; how many jobs there are."""
        now = dataclasses.replace(where, standing=standing)
        storing(database, partial(store_seen, target=now, seen=SEEN))
        return counts(database)["jobs"]

    def assessed(standing: str) -> None:
        with database.writing() as session:
            snapshot, plan = session.scalars(select(Snapshot)).one(), session.scalars(select(Plan))
            row = plan.one()
            session.add(
                Assessment(
                    snapshot_id=snapshot.id, plan_id=row.id, brand_id=row.brand_id, score=0,
                    threshold=0.6, flagged=False, result={}, inputs={"standing": standing},
                )
            )  # fmt: skip

    assert [seen_by("a"), seen_by("a")] == [1, 1]
    assessed("a")
    assert seen_by("a") == 1
    assert [seen_by("b"), seen_by("b")] == [2, 2]
    assessed("b")
    assert seen_by("b") == 2
    assert seen_by("a") == 3, "it is what it was, but not what was judged by last"
