"""Runs of the real spider on real servers: all of it seen, nothing repeated, no harm taken."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from crawler.watch import Progress, preflight, watch
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Brand,
    Job,
    Listing,
    Marketplace,
    Plan,
    Run,
    Seller,
    Sighting,
    Snapshot,
    SnapshotPicture,
)
from registry.models.base import utcnow
from registry.settings import Settings
from tests.servers import Bazaar, bazaar


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    with bazaar(tmp_path_factory.mktemp("world"), seed=5, listings=40) as running:
        yield running


def plan(
    database: Database,
    url: str,
    *,
    queries: tuple[str, ...] = (),
    browse: tuple[str, ...] = (),
    max_pages: int = 500,
) -> UUID:
    with database.writing() as session:
        row = Plan(
            name="p",
            brand=Brand(slug="velaro", name="Velaro", owner="V"),
            marketplaces=[Marketplace(name="m", kind="bazaar", url=url)],
            queries=list(queries),
            browse=list(browse),
            threshold=0.6,
            max_pages=max_pages,
        )
        session.add(row)
        session.flush()
        return row.id


def run(settings: Settings, database: Database, plan_id: UUID) -> Progress:
    """Run a plan to its end: the last progress that it told."""
    *_, last = watch(settings, database, plan_id)
    return last


def count(database: Database, table: type) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


CATEGORIES = tuple(f"/c/{name}" for name in ("bags", "shoes", "watches", "audio", "power", "home"))


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_categories_are_seen_whole_and_again_without_a_copy(
    settings: Settings, database: Database, world: Bazaar
) -> None:
    plan_id = plan(database, world.url, browse=CATEGORIES)
    first = run(settings, database, plan_id)
    assert first.errors == 0
    assert first.listings == first.new == count(database, Listing) == len(world.truth())
    assert count(database, Snapshot) == count(database, Job) == first.listings
    sellers = count(database, Seller)
    assert sellers > 3
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(Seller.joined_on.is_not(None))) == sellers

    again = run(settings, database, plan_id)
    assert (again.new, again.unchanged) == (0, first.listings)
    assert count(database, Snapshot) == count(database, Job) == first.listings
    assert count(database, Sighting) == 2 * first.listings
    with database.reading() as session:
        assert set(session.scalars(select(Run.state))) == {"finished"}


def test_what_is_stored_is_what_the_shop_has(
    settings: Settings, database: Database, world: Bazaar
) -> None:
    run(settings, database, plan(database, world.url, browse=CATEGORIES))
    raw = json.loads((world.folder / "world.json").read_text(encoding="utf-8"))
    rows = {row["id"]: row for row in raw["listings"]}
    with database.reading() as session:
        for snapshot in session.scalars(select(Snapshot)):
            row = rows[snapshot.listing.external_id]
            assert snapshot.title == " ".join(row["title"].split())
            assert snapshot.description == " ".join(row["description"].split())
            assert str(snapshot.price) == f"{row['price']} {row['currency']}"
            assert snapshot.ships_from == row["ships_from"]
            assert snapshot.seller is not None
            assert snapshot.seller.name == raw["sellers"][row["seller"]]["name"]
            assert len(snapshot.pictures) == len(row["images"])
            assert all(picture.sha256 for picture in snapshot.pictures)


def test_a_changed_listing_gets_one_more_snapshot(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with bazaar(tmp_path / "world", seed=6, listings=12) as shop:
        plan_id = plan(database, shop.url, browse=CATEGORIES)
        seen = run(settings, database, plan_id).listings
        world_file = shop.folder / "world.json"
        changed = json.loads(world_file.read_text(encoding="utf-8"))
        changed["listings"][0]["price"] = "1.23"
        port = int(shop.url.rstrip("/").rsplit(":", 1)[1])
    world_file.write_text(json.dumps(changed), encoding="utf-8")
    command = [sys.executable, "-m", "bazaar", "serve", str(world_file.parent)]
    server = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    with database.writing() as session:
        session.execute(update(Listing).values(next_visit_at=utcnow()))
    try:
        assert server.stdout is not None
        server.stdout.readline()
        again = run(settings, database, plan_id)
    finally:
        server.terminate()
        server.wait(timeout=10)
    assert (again.new, again.unchanged) == (1, seen - 1)
    assert count(database, Snapshot) == count(database, Job) == seen + 1
    with database.reading() as session:
        listing = session.scalars(
            select(Listing).where(Listing.external_id == changed["listings"][0]["id"])
        ).one()
        prices = session.scalars(
            select(Snapshot.amount).where(Snapshot.listing_id == listing.id).order_by(Snapshot.id)
        ).all()
    assert len(prices) == 2
    assert str(prices[-1]) == "1.23"


def test_a_search_that_scrolls_for_ever_is_read_to_its_end(
    settings: Settings, database: Database, world: Bazaar
) -> None:
    seen = run(settings, database, plan(database, world.url, queries=("a",)))
    raw = json.loads((world.folder / "world.json").read_text(encoding="utf-8"))
    holding = [
        row
        for row in raw["listings"]
        if "a"
        in f"{row['title']} {row['description']} {' '.join(row['attributes'].values())}".lower()
    ]
    assert len(holding) > 24, "the search must have more than two batches"
    assert seen.listings >= len(holding)


def test_a_bad_day_costs_no_listing(settings: Settings, database: Database, tmp_path: Path) -> None:
    faults = "slow=0.05,status_429=0.1,status_503=0.1,broken_markup=0.1,broken_image=0.1"
    with bazaar(tmp_path / "world", seed=8, listings=30, faults=faults) as shop:
        seen = run(settings, database, plan(database, shop.url, browse=CATEGORIES))
        assert seen.listings == len(shop.truth())
    with database.reading() as session:
        pictures = session.scalars(select(SnapshotPicture)).all()
    assert sum(1 for picture in pictures if picture.sha256) == len(pictures)


def test_faults_that_stay_are_noted_and_the_rest_goes_on(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with bazaar(
        tmp_path / "world", seed=8, listings=30, faults="giant_image=0.4,redirect_loop=0.2"
    ) as shop:
        seen = run(settings, database, plan(database, shop.url, browse=CATEGORIES))
        assert seen.listings + seen.errors >= 15
    with database.reading() as session:
        assert {row.state for row in session.scalars(select(Run))} == {"finished"}


def test_max_pages_is_a_bound(settings: Settings, database: Database, world: Bazaar) -> None:
    seen = run(settings, database, plan(database, world.url, browse=CATEGORIES, max_pages=10))
    assert seen.pages == 10


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """A port of loopback where nobody may go, and who came all the same."""
    came: list[str] = []
    server = socket.create_server(("127.0.0.2", 0))

    def watch_door() -> None:
        while True:
            try:
                connection, address = server.accept()
            except OSError:
                return
            came.append(str(address))
            connection.close()

    threading.Thread(target=watch_door, daemon=True).start()
    try:
        yield f"http://127.0.0.2:{server.getsockname()[1]}/", came
    finally:
        server.close()


def test_a_hostile_marketplace_does_no_harm(settings: Settings, database: Database) -> None:
    with listener() as (forbidden, came):
        command = [sys.executable, "-m", "tests.crawler.hostile", forbidden]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            seen = run(settings, database, plan(database, url, browse=("/c/bags",)))
        finally:
            server.kill()
            server.wait()
    assert came == []
    with database.reading() as session:
        found = {listing.external_id for listing in session.scalars(select(Listing))}
        snapshot = session.scalars(
            select(Snapshot).join(Listing).where(Listing.external_id == "1")
        ).one()
        pictures = {picture.url: picture for picture in snapshot.pictures}
    # Two honest ones; the deep and the oddly encoded may be read too.
    assert {"1", "2"} <= found <= {"1", "2", "17", "18"}
    assert seen.errors >= 6
    good = {picture.url for picture in pictures.values() if picture.sha256}
    assert good == {f"{url}images/good.jpg"}
    assert all(picture.fault for picture in pictures.values() if picture.url not in good)


def test_a_run_that_stands_still_is_ended(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.watch.STALLED_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:  # it takes connections, and that is all
        plan_id = plan(database, f"http://127.0.0.1:{mute.getsockname()[1]}/", browse=("/c/bags",))
        with pytest.raises(TouchstoneError, match="no page, good or bad, in 2 seconds"):
            run(settings, database, plan_id)
    with database.reading() as session:
        ended = session.scalars(select(Run)).one()
    assert (ended.state, ended.error) == ("failed", "no page, good or bad, in 2 seconds")
    assert ended.finished_at is not None


@pytest.mark.parametrize("status", ["dead", "forbidden"])
def test_preflight_refuses_in_one_line(settings: Settings, status: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/" if status == "dead" else "http://127.0.0.3/"
    with pytest.raises(TouchstoneError) as caught:
        preflight(settings, "bazaar", url, queries=False, captures=False)
    assert "\n" not in str(caught.value)
    assert ("does not answer" if status == "dead" else "not a public address") in str(caught.value)
