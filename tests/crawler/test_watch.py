"""Runs of the real spider on real servers: all of it seen, nothing repeated, no harm taken."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from crawler.crawling.ahead import Ahead, look_ahead, preflight
from crawler.crawling.watch import Progress, RunStopped, watch
from crawler.network import politeness
from crawler.network.politeness import Pace
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Alarm,
    Brand,
    Host,
    Job,
    Listing,
    Marketplace,
    Plan,
    Run,
    Seller,
    Shard,
    Sighting,
    Snapshot,
    SnapshotPicture,
)
from registry.models.base import utcnow
from registry.settings import Settings
from tests.crawler.light_shop import light_shop
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


def test_a_crawl_that_says_nothing_can_be_stopped(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexec sleep 600\n")
    mute.chmod(0o755)
    plan_id = plan(database, "http://127.0.0.1:9/", browse=("/c/bags",))

    def look(_run_id: UUID, _progress: Progress) -> None:
        raise RunStopped("a person said so")

    monkeypatch.setattr(sys, "executable", str(mute))
    with pytest.raises(RunStopped, match="a person said so"):
        for _ in watch(settings, database, plan_id, look=look):
            pass
    with database.reading() as session:
        assert session.scalars(select(Run.state)).one() == "stopped"


@pytest.mark.parametrize("waits", ["held", "asking"])
def test_a_crawl_that_is_made_to_wait_does_not_stand_still(
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    waits: str,
) -> None:
    monkeypatch.setattr("crawler.crawling.watch.STALLED_SECONDS", 2.0)
    slow = tmp_path / "slow"
    line = json.dumps({"pages": 1, waits: 1})
    slow.write_text(f"#!/bin/sh\nfor n in 1 2 3 4 5 6 7 8; do echo '{line}'; sleep 0.5; done\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    run(settings, database, plan(database, "http://127.0.0.1:9/", browse=("/c/bags",)))
    with database.reading() as session:
        assert session.scalars(select(Run.state)).one() == "finished"


def test_a_run_that_stands_still_is_ended(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.crawling.watch.STALLED_SECONDS", 2.0)
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
        preflight(settings, Ahead("m", "bazaar", url), captures=False)
    assert "\n" not in str(caught.value)
    assert ("does not answer" if status == "dead" else "not a public address") in str(caught.value)


def test_a_place_that_is_dead_does_not_stop_the_others(
    settings: Settings, database: Database, world: Bazaar
) -> None:
    places = [Ahead("m", "bazaar", world.url), Ahead("dead", "bazaar", "http://127.0.0.1:9/")]
    wrong = look_ahead(settings, places, captures=False)
    assert set(wrong) == {"dead"}
    with pytest.raises(TouchstoneError, match="does not answer"):
        look_ahead(settings, places[1:], captures=False)
    plan_id = plan(database, world.url, browse=("/c/bags",))
    with database.writing() as session:
        dead = Marketplace(name="dead", kind="bazaar", url="http://127.0.0.1:9/")
        session.get_one(Plan, plan_id).marketplaces.append(dead)
    with pytest.raises(
        TouchstoneError, match=r"1 of 2 shards failed: marketplace http://127\.0\.0\.1:9/"
    ):
        list(watch(settings, database, plan_id, wrong=wrong))
    with database.reading() as session:
        states = {shard.marketplace.name: shard.state for shard in session.scalars(select(Shard))}
        alarm = session.scalars(select(Alarm)).one()
        assert (alarm.kind, alarm.marketplace.name) == ("errors", "dead")
        assert "does not answer" in alarm.seen
    assert states == {"m": "finished", "dead": "failed"}
    assert count(database, Listing) > 0


def test_preflight_asks_when_its_turn_has_come(
    settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with light_shop(1) as shop:
        host = shop.url.split("/")[2]
        place = Ahead("m", "bazaar", shop.url, pace=Pace(per_second=50.0))
        preflight(settings, place, captures=False)
        assert dict(shop.asked) == {"/robots.txt": 1, "/": 1}
        with database.writing() as session:
            row = session.scalars(select(Host)).one()
            assert row.name == host
            politeness.pause(session, host, 500, "HTTP 429")
        preflight(settings, place, captures=False)
        assert shop.asked.total() == 2, "it wants to be left alone, and the run will wait"
    assert "HTTP 429" in caplog.text


def test_preflight_asks_as_the_plan_says(settings: Settings) -> None:
    came: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append((self.path, self.headers["User-Agent"]))
            self.send_response(200)
            self.end_headers()
            if self.path == "/robots.txt":
                self.wfile.write(b"User-agent: AcmeWatch\nDisallow: /")

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = Ahead("m", "bazaar", f"http://127.0.0.1:{server.server_port}/")
    try:
        preflight(settings, replace(place, user_agent="AcmeWatch/3"), captures=False)
        assert came == [("/robots.txt", "AcmeWatch/3")]
        preflight(settings, replace(place, knock=False), captures=False)
        assert len(came) == 1
        preflight(settings, place, captures=False)
        assert [path for path, _ in came[1:]] == ["/robots.txt", "/"]
        assert all(agent.startswith("Touchstone/") for _, agent in came[1:])
    finally:
        server.shutdown()
        server.server_close()


def test_preflight_judges_the_address_that_it_connects_to(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may lead elsewhere a moment after it was judged (DNS rebinding)."""
    answers = iter(["93.184.216.34"])

    def resolve(_host: str, port: int, *_: object, **__: object) -> list[object]:
        address = next(answers, "127.0.0.2")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with listener() as (forbidden, came):
        port = int(forbidden.rstrip("/").rsplit(":", 1)[1])
        open_port = settings.model_copy(update={"allowed_ports": (port,)})
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with pytest.raises(TouchstoneError, match=r"127\.0\.0\.2 is not a public address"):
            preflight(
                open_port, Ahead("m", "bazaar", f"http://shop.example:{port}/"), captures=False
            )
        monkeypatch.undo()
    assert came == []


def test_preflight_ends_though_the_answer_trickles_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.crawling.ahead.PREFLIGHT_SECONDS", 1.0)
    stop = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not stop.wait(0.1):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        try:
            with pytest.raises(TouchstoneError, match="not all of it came in 1 seconds"):
                preflight(settings, Ahead("m", "bazaar", url), captures=False)
        finally:
            stop.set()
            thread.join()
