"""Crawls keep what a shop asks for, and end what a shop does not end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from crawler.crawling import watch
from crawler.network import conduct as network
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Brand, Host, Listing, Marketplace, Plan, Shard
from registry.models.base import utcnow
from registry.settings import Settings

ITEM = """<html><body><h1 class=title>Tote {0}</h1><p class=price>€ 40,00</p>
<div class=gallery>{1}</div></body></html>"""


#: A robots.txt that does not come: the connection ends in its place.
CUT = "cut"


#: An address that is another one once it is quoted anew.
SIGNED = "/item/6/x?sig=a~b%7Ec"


class Shop:
    """Items 1 to 6, of which 2 is forbidden and 3 asks to wait once; what was asked, and when."""

    def __init__(self, robots: str, pictures: str = "") -> None:
        self.robots, self.pictures = robots, pictures
        self.asked: list[tuple[float, str, str]] = []
        self.url = ""
        self.busy = True

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for _, path, _ in self.asked]

    @contextmanager
    def open(self) -> Iterator[Shop]:
        """Serve it."""
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_arguments: object) -> None:
                pass

            def answer(self, body: bytes, kind: str = "text/html", **headers: str) -> None:
                self.send_response(int(headers.pop("status", "200")))
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                shop.asked.append((time.time(), self.path, self.headers["User-Agent"]))
                if self.path == "/robots.txt" and shop.robots == CUT:
                    self.close_connection = True
                elif self.path == "/robots.txt":
                    broken = {} if shop.robots else {"status": "500"}
                    self.answer(shop.robots.encode(), "text/plain", **broken)
                elif self.path.startswith("/c/"):
                    paths = [f"/item/{n}/x" for n in range(1, 6)] + [SIGNED]
                    links = "".join(f'<a class="card" href="{path}">x</a>' for path in paths)
                    # Policies and cookies of shops are longer than many a client takes.
                    long = {"Content_Security_Policy": "x" * 20_000}
                    self.answer(f"<html><body>{links}</body></html>".encode(), **long)
                elif self.path.startswith("/item/3/") and shop.busy:
                    shop.busy = False
                    self.answer(b"slow down", status="429", Retry_After="2")
                elif self.path.startswith("/item/"):
                    self.answer(ITEM.format(self.path.split("/")[2], shop.pictures).encode())
                elif self.path == "/endless.jpg":
                    self.stream("image/jpeg", 0.0)
                elif self.path == "/drip.jpg":
                    self.stream("image/jpeg", 0.3)
                elif self.path == "/film.mp4":
                    self.stream("video/mp4", 0.0)
                elif self.path == "/bomb.jpg":
                    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
                    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(30))
                    self.answer(body + packer.flush(), "image/jpeg", Content_Encoding="gzip")
                else:
                    self.answer(b"nothing", status="404")

            def stream(self, kind: str, pause: float) -> None:
                """An answer without an end; as fast as it is taken, or drop by drop."""
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    while True:
                        self.wfile.write(bytes(10) if pause else bytes(1 << 18))
                        time.sleep(pause)
                except OSError:
                    shop.asked.append((time.time(), f"{self.path} cut", ""))

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


def planned(database: Database, url: str, **of_marketplace: object) -> UUID:
    with database.writing() as session:
        plan = Plan(
            name="p",
            brand=Brand(slug="velaro", name="Velaro", owner="V"),
            marketplaces=[Marketplace(name="m", kind="bazaar", url=url, **of_marketplace)],
            queries=[],
            browse=["/c/bags"],
            threshold=0.6,
            max_pages=50,
        )
        session.add(plan)
        session.flush()
        return plan.id


def listings(settings: Settings, database: Database, plan_id: UUID) -> int:
    for _ in watch.watch(settings, database, plan_id):
        pass
    with database.reading() as session:
        return len(session.scalars(select(Listing)).all())


def test_robots_delay_and_retry_after_are_obeyed(settings: Settings, database: Database) -> None:
    robots = "User-agent: *\nCrawl-delay: 0.4\nDisallow: /item/2/\n"
    with Shop(robots).open() as shop:
        plan_id = planned(database, shop.url)
        assert listings(settings, database, plan_id) == 5
    assert not [path for path in shop.paths() if path.startswith("/item/2/")]
    assert shop.paths().count("/item/3/x") == 2
    assert SIGNED in shop.paths()
    said = {agent for _, _, agent in shop.asked}
    assert said == {network.user_agent(settings)}
    pages = [at for at, path, _ in shop.asked if path != "/robots.txt"]
    # A server sees a request a moment after it was sent: now and then a little less apart.
    assert sorted(after - before for before, after in pairwise(pages))[1] >= 0.3
    waited = next(at for at, path, _ in shop.asked if path == "/item/3/x")
    assert not [path for at, path, _ in shop.asked if waited + 0.3 < at < waited + 1.8]
    with database.reading() as session:
        (host,) = session.scalars(select(Host)).all()
        assert host.crawl_delay == 0.4
        assert host.paused_until is not None


@pytest.mark.parametrize(("robots", "said"), [("", "answers 500"), (CUT, "cannot be had (")])
def test_a_robots_txt_that_cannot_be_had_forbids_all(
    settings: Settings, database: Database, robots: str, said: str
) -> None:
    with Shop(robots).open() as shop:
        plan_id = planned(database, shop.url)
        with pytest.raises(TouchstoneError, match=re.escape(f"{said}")):
            listings(settings, database, plan_id)
    assert set(shop.paths()) == {"/robots.txt"}
    with database.reading() as session:
        (shard,) = session.scalars(select(Shard)).all()
    assert shard.stats["errors"] == 1
    (reason,) = shard.stats["fields"]["reasons"]
    assert re.fullmatch(
        rf"robots.txt of 127.0.0.1:\d+ {re.escape(said)}.*nothing else is asked", reason
    )


def test_its_own_team_may_allow_more(settings: Settings, database: Database) -> None:
    with Shop("User-agent: *\nCrawl-delay: 60\nDisallow: /\n").open() as shop:
        plan_id = planned(
            database,
            shop.url,
            robots_ignored_by="Shop team, M. Kuroda",
            robots_why="contract of 2026-03-01",
            robots_at=utcnow(),
            requests_per_second=20.0,
            requests_at_once=2,
        )
        shop.busy = False
        assert listings(settings, database, plan_id) == 6
    assert "/robots.txt" not in shop.paths()
    pages = [at for at, _, _ in shop.asked]
    assert max(pages) - min(pages) >= (len(pages) - 1) / 20 - 0.1


def test_what_has_no_end_is_ended(tmp_path: Path, migrated_file: Path) -> None:
    traps = ("endless.jpg", "drip.jpg", "film.mp4", "bomb.jpg")
    (tmp_path / "none.json").write_text("[]")
    with Shop("User-agent: *").open() as shop:
        made = subprocess.run(
            [
                sys.executable, "-m", "tests.crawler.hostile_crawl", f"sqlite:///{migrated_file}",
                shop.url, "8000", str(tmp_path / "none.json"), "8", *traps, "item/1/x",
            ],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr[-3000:]
        told = json.loads(made.stdout.splitlines()[-1])
        assert told["had"] == [f"{shop.url}item/1/x"]
        why = {url.removeprefix(shop.url): reason for url, reason in told["refused"].items()}
        assert "DownloadCancelled" in why["endless.jpg"]
        assert "DownloadTimeout" in why["drip.jpg"]
        assert "video/mp4" in why["film.mp4"]
        assert "exceeded DOWNLOAD_MAXSIZE" in why["bomb.jpg"]
