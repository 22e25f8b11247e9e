"""Pages that lead elsewhere or break off: each listing found is stored or counted as an error."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest
from sqlalchemy import select

from crawler.browsing.sessions import find_login, lock_login, unlock_login
from crawler.crawling.ahead import Ahead, preflight
from crawler.crawling.spider import AT_ONCE, WALLS_IN_A_ROW
from crawler.crawling.watch import Progress, watch
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Listing, Plan, Shard, Snapshot, StoredSession
from registry.models.base import utcnow
from registry.secrets import open_vault
from registry.settings import Settings
from tests.crawler.changing_shop import CAPTCHA
from tests.crawler.test_watch import count, plan, run
from tests.pictures import jpeg

CARDS = "".join(f"<a class=card href=/item/{n}/x>{n}</a>" for n in (1, 2))
#: What a shop answers: a status, headers, a body.
Answer = tuple[int, dict[str, str], bytes]
Shop = Callable[[BaseHTTPRequestHandler, int], Answer | None]


def page(title: str, more: str = "") -> bytes:
    return f"<html><body><h1 class=title>{title}</h1>{more}</body></html>".encode()


def moved(to: str, **headers: str) -> Answer:
    return 302, {"Location": to, **{k.replace("_", "-"): v for k, v in headers.items()}}, b""


@contextmanager
def served(shop: Shop) -> Iterator[str]:
    """A shop with two listings in a category; `shop` answers first, told how often it was asked."""
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            asked[self.path] += 1
            status, headers, body = shop(self, asked[self.path]) or (
                (200, {}, f"<html><body>{CARDS}</body></html>".encode())
                if self.path.startswith("/c/")
                else (200, {}, page(self.path))
            )
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def seen(settings: Settings, database: Database, shop: Shop) -> Progress:
    with served(shop) as url:
        return run(settings, database, plan(database, url, browse=("/c/bags",)))


def test_a_page_that_sets_a_cookie_by_leading_to_itself_is_read(
    settings: Settings, database: Database
) -> None:
    def wall(request: BaseHTTPRequestHandler, _turn: int) -> Answer | None:
        if "seen=1" in (request.headers.get("Cookie") or ""):
            return None
        return moved(request.path, Set_Cookie="seen=1; Path=/")

    found = seen(settings, database, wall)
    assert (found.listings, found.errors) == (2, 0)


def test_two_addresses_that_lead_to_one_page_are_both_stored(
    settings: Settings, database: Database
) -> None:
    def one(request: BaseHTTPRequestHandler, _turn: int) -> Answer | None:
        return moved("/one") if request.path.startswith("/item/") else None

    found = seen(settings, database, one)
    assert (found.listings, found.errors, count(database, Listing)) == (2, 0, 2)


def test_a_loop_of_redirects_is_an_error(settings: Settings, database: Database) -> None:
    def loop(request: BaseHTTPRequestHandler, _turn: int) -> Answer | None:
        return moved(request.path) if request.path.startswith("/item/1/") else None

    found = seen(settings, database, loop)
    assert (found.listings, found.errors) == (1, 1)


def test_lists_that_lead_in_a_circle_are_read_once(settings: Settings, database: Database) -> None:
    def circle(request: BaseHTTPRequestHandler, _turn: int) -> Answer | None:
        if not request.path.startswith("/c/"):
            return None
        to = "/c/bags" if "?" in request.path else "/c/bags?page=2&q=a"
        following = f"<a rel=next href='{to}#top'>next</a>"
        return 200, {}, f"<html><body>{CARDS}{following}</body></html>".encode()

    found = seen(settings, database, circle)
    assert (found.pages, found.listings, found.errors) == (4, 2, 0)


def test_a_page_that_always_breaks_off_is_an_error_and_stores_nothing(
    settings: Settings, database: Database
) -> None:
    def half(request: BaseHTTPRequestHandler, _turn: int) -> Answer | None:
        broken = request.path.startswith("/item/1/")
        return (200, {}, b"<html><body><h1 class=title>To") if broken else None

    found = seen(settings, database, half)
    assert (found.listings, found.errors, count(database, Snapshot)) == (1, 1, 1)


def test_a_picture_whose_connection_breaks_is_fetched_again(
    settings: Settings, database: Database
) -> None:
    def shaky(request: BaseHTTPRequestHandler, turn: int) -> Answer | None:
        if request.path.startswith("/item/1/"):
            return 200, {}, page("Tote", "<div class=gallery><img src=/p.jpg></div>")
        if request.path != "/p.jpg":
            return None
        if turn <= 4:  # as often as a page is tried, and then once more
            request.connection.shutdown(socket.SHUT_RDWR)
        return 200, {"Content-Type": "image/jpeg"}, jpeg(3)

    assert seen(settings, database, shaky).errors == 0
    with database.reading() as session:
        tote = session.scalars(select(Snapshot).where(Snapshot.title == "Tote")).one()
        assert [(p.sha256 is not None, p.fault) for p in tote.pictures] == [(True, None)]


def test_a_browser_costs_its_time_whatever_it_brings(
    settings: Settings, database: Database
) -> None:
    def nothing(request: BaseHTTPRequestHandler, _turn: int) -> Answer | None:
        return (404, {}, b"no") if request.path.startswith(("/search", "/robots")) else None

    with served(nothing) as url, pytest.raises(TouchstoneError, match="no page"):
        run(settings, database, plan(database, url, queries=("a",)))
    with database.reading() as session:
        assert session.scalars(select(Shard.browser_seconds)).one() > 0


def test_behind_a_wall_that_a_person_is_asked_to_open_the_rest_waits(
    settings: Settings, database: Database
) -> None:
    number = 60
    asked: Counter[str] = Counter()

    def walled(request: BaseHTTPRequestHandler, _turn: int) -> Answer | None:
        if request.path.startswith("/c/"):
            cards = "".join(f"<a class=card href=/item/{n}/x>{n}</a>" for n in range(number))
            return 200, {}, f"<html><body>{cards}</body></html>".encode()
        asked["item"] += request.path.startswith("/item/")
        return 200, {}, CAPTCHA.encode()

    with served(walled) as url:
        plan_id = plan(database, url, browse=("/c/bags",))
        with database.writing() as session:
            row = session.get_one(Plan, plan_id)
            row.persona = "mina"
            vault = open_vault(settings)
            login = find_login(session, vault, row.marketplaces[0].id, "mina")
            assert lock_login(session, login.id), "another crawl has a person asked"
        before: list[int] = []

        def look(_run_id: UUID, _progress: Progress) -> None:
            before.append(asked["item"])
            with database.writing() as session:
                if len(before) > 8 and before[-1] and len(set(before[-8:])) == 1:
                    unlock_login(session, login.id, "nobody came")
                else:
                    session.get_one(StoredSession, login.id).updated_at = utcnow()

        for _ in watch(settings, database, plan_id, look=look):
            pass
    waited = max(set(before) - {0}, key=before.count)
    assert waited <= 2 * AT_ONCE + WALLS_IN_A_ROW
    assert asked["item"] == number, "when nobody came, each was asked for as a crawl by nobody does"


@pytest.mark.parametrize("hops", [1, 2])
def test_preflight_refuses_an_address_that_leads_to_another_host(
    settings: Settings, hops: int
) -> None:
    def elsewhere(request: BaseHTTPRequestHandler, turn: int) -> Answer:
        return moved("https://www.shop.example/" if turn == hops else request.path)

    with served(elsewhere) as url, pytest.raises(TouchstoneError) as caught:
        preflight(settings, Ahead("m", "bazaar", url, robots=False), captures=False)
    assert str(caught.value).count("\n") == 0
    assert "leads to https://www.shop.example/" in str(caught.value)


def test_preflight_lets_pass_what_leads_about_on_its_own_host(settings: Settings) -> None:
    def wall(request: BaseHTTPRequestHandler, _turn: int) -> Answer:
        return moved(request.path)

    with served(wall) as url:
        preflight(settings, Ahead("m", "bazaar", url), captures=False)


def test_preflight_refuses_a_browser_that_does_not_start(settings: Settings) -> None:
    broken = settings.model_copy(update={"browser": "/bin/false"})
    with served(lambda *_: None) as url, pytest.raises(TouchstoneError) as caught:
        preflight(broken, Ahead("m", "bazaar", url, searched=True), captures=False)
    assert str(caught.value).startswith("browser: /bin/false does not start")
    assert "\n" not in str(caught.value)
