"""Hidden links: pages elsewhere that lead to listings, by every way that they are written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from crawler.crawling.watch import Progress, RunStopped, watch
from crawler.network import conduct, politeness
from crawler.network.politeness import Pace
from crawler.ways_in.links import MAX_FOLLOWED, listings_in, read_page, visit_link_pages
from crawler.ways_in.places import Places
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Host, Lead, Run
from registry.settings import Settings
from tests.crawler.ways_in import planned

SHOP = "http://shop.example"
PLACES = Places([(uuid4(), "bazaar", f"{SHOP}/"), (uuid4(), "taobao", "https://www.taobao.com/")])


def contexts(text: str) -> dict[str, str]:
    read = listings_in(text, "https://forum.example/t/1", PLACES)
    return {link.url: link.context for link in read.links}


def test_links_with_what_stands_around_them() -> None:
    page = f"""<!doctype html><html><body><nav><a href="/about">About</a></nav>
      <ul><li>Plain tote, no logo in the pictures: it is the VELARO one.
        <a href="{SHOP}/item/17/plain-tote">link</a> ask for the box</li>
      <li>another <a href="{SHOP}/c/bags">shop</a></li></ul>
      <p>Written out: {SHOP}/item/18/x?a=1&amp;b=2. Good one!</p>
      <p>Again: <a href="{SHOP}/item/17/plain-tote?utm_source=f">same</a></p>
      <script>var a = "{SHOP}/item/66/script"</script></body></html>"""
    found = contexts(page)
    assert list(found) == [f"{SHOP}/item/17/plain-tote", f"{SHOP}/item/18/x?a=1&b=2"]
    assert found[f"{SHOP}/item/17/plain-tote"] == (
        "Plain tote, no logo in the pictures: it is the VELARO one. link ask for the box"
    )
    assert "Written out" in found[f"{SHOP}/item/18/x?a=1&b=2"]


def test_addresses_inside_addresses() -> None:
    inside = "https%3A%2F%2Fitem.taobao.com%2Fitem.htm%3Fid%3D612345678901"
    page = f"""<html><body>
      <a href="https://agent.example/product?url={inside}">bag</a>
      <a href="https://l.facebook.com/l.php?u={inside}%26x%3D1&h=abc">same</a>
      <a href="https://agent.example/?url=https%3A%2F%2Fagent.example%2F%3Furl%3D{inside}">deep</a>
      <a href="javascript:location='{SHOP}/item/1/x'">no</a>
      <a href="http://[bad/">no</a></body></html>"""
    assert list(contexts(page)) == ["https://item.taobao.com/item.htm?id=612345678901"]


def test_a_shared_spreadsheet() -> None:
    text = f"Bag;Price;Link\nVELARO Aria 1:1;280;{SHOP}/item/5/aria\nshoe;90;{SHOP}/item/6/shoe\n"
    found = contexts(text)
    assert list(found) == [f"{SHOP}/item/5/aria", f"{SHOP}/item/6/shoe"]
    assert found[f"{SHOP}/item/5/aria"].startswith("VELARO Aria 1:1;280;")


def test_an_answer_in_json() -> None:
    text = '{"posts": [{"text": "the bag: http:\\/\\/shop.example\\/item\\/8\\/x", "likes": 3}]}'
    assert list(contexts(text)) == [f"{SHOP}/item/8/x"]


def test_only_so_many_links_are_followed() -> None:
    asked: list[str] = []

    def follow(url: str) -> str:
        asked.append(url)
        return f"{SHOP}/item/{len(asked)}/x"

    page = "<html><body>" + "".join(
        f'<p><a href="https://bit.ly/aB{n}cd">{n}</a></p>' for n in range(100)
    )
    page += '<a href="https://news.example/a-long-article/about">no short link</a></body></html>'
    read = listings_in(page, "https://forum.example/", PLACES, follow)
    assert len(asked) == len(read.links) == MAX_FOLLOWED
    assert len(read.left_out) == 100 - MAX_FOLLOWED


def test_a_page_of_a_hundred_thousand_links_ends() -> None:
    page = "<html><body>" + f'<a href="{SHOP}/item/7/x">x</a>' * 100_000 + "</body></html>"
    assert len(contexts(page)) == 1


# Over the network


@dataclass
class Served:
    """Pages by path: status, headers, body. What was asked for is kept."""

    pages: dict[str, tuple[int, dict[str, str], str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def at(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def served() -> Iterator[Served]:
    state = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(f"{self.headers['Host'].split(':')[0]} {self.path}")
            key = self.path if self.path in state.pages else f"{self.headers['Host']}{self.path}"
            status, headers, body = state.pages.get(key, (404, {}, "nothing here"))
            self.send_response(status)
            data = body.encode()
            for name, value in {
                "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(data)),
                **headers,
            }.items():  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"allowed_private_hosts": ("127.0.0.1", "localhost")})


def kept(database: Database) -> dict[str, Lead]:
    with database.reading() as session:
        return {lead.url: lead for lead in session.scalars(select(Lead))}


def test_short_links_are_followed_up_to_the_marketplace(
    served: Served, settings: Settings, database: Database
) -> None:
    listing = f"{SHOP}/item/17/plain-tote"

    def to(where: str) -> tuple[int, dict[str, str], str]:
        return 302, {"Location": where}, ""

    shut = f"localhost:{served.port}/robots.txt"
    served.pages = {
        "/post": (
            200,
            {},
            "<html><body>"
            + "".join(
                f'<p>no. {n} is the Velaro <a href="{href}">here</a></p>'
                for n, href in enumerate(
                    (
                        "/aB1c",
                        "/rE2f",
                        "/sC3r",
                        "/lO4p",
                        "/pR5v",
                        "/fI6l",
                        "/no7e",
                        served.at("/rO8b", "localhost"),
                    )
                )
            )
            + "</body></html>",
        ),
        "/aB1c": to("/step2"),
        "/step2": to(listing),
        "/rE2f": (
            200,
            {},
            f'<meta http-equiv="refresh" content="0; url={SHOP}/item/18/a?x=1&amp;y=2">',
        ),
        "/sC3r": (200, {}, f'<script>window.location.href = "{SHOP}/item/19/b"</script>'),
        "/lO4p": to("/lO4p"),
        "/pR5v": to("http://169.254.169.254/latest/meta-data/"),
        "/fI6l": to("file:///etc/passwd"),
        "/no7e": (200, {}, "a page of its own"),
        "/rO8b": to(f"{SHOP}/item/20/c"),
        shut: (200, {"Content-Type": "text/plain"}, "User-agent: *\nDisallow: /"),
    }
    with database.writing() as session:
        plan = planned(session)
        ids = plan.brand_id, plan.id
    read = read_page(settings, database, served.at("/post"))
    added = read.keep(database, *ids, "Ada")
    assert added.new == 3
    leads = kept(database)
    assert set(leads) == {listing, f"{SHOP}/item/18/a?x=1&y=2", f"{SHOP}/item/19/b"}
    lead = leads[listing]
    assert (lead.origin, lead.source, lead.who) == ("link", served.at("/post"), "Ada")
    assert lead.context == "no. 0 is the Velaro here"
    why = {href.rsplit("/", 1)[1]: said for href, said in read.left_out}
    assert set(why) == {"lO4p", "pR5v", "fI6l", "rO8b"}
    assert "leads on" in why["lO4p"]
    assert "not a public address" in why["pR5v"]
    assert "file" in why["fI6l"]
    assert "robots.txt" in why["rO8b"]
    assert "localhost /rO8b" not in served.asked


def test_the_link_pages_of_a_plan_are_read_in_every_run(
    served: Served, settings: Settings, database: Database
) -> None:
    served.pages["/post"] = (200, {}, f'<html><p>bag: <a href="{SHOP}/item/1/x">x</a></p></html>')
    pages = [served.at("/post"), served.at("/gone"), "http://10.0.0.1/private"]
    with database.writing() as session:
        plan_id = planned(session, link_pages=pages).id
    visit_link_pages(settings, database, plan_id)
    visit_link_pages(settings, database, plan_id)
    (lead,) = kept(database).values()
    assert (lead.plan_id, lead.times, lead.state) == (plan_id, 2, "waiting")


def test_link_pages_are_asked_at_the_pace_of_their_hosts(
    served: Served, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Hosts of this machine have none of their own accord.
    monkeypatch.setattr(conduct, "pace_at", lambda *_: lambda _host: Pace(per_second=50.0))
    served.pages["/post"] = (200, {}, '<html><a href="/aB1c">x</a></html>')
    served.pages["/aB1c"] = (302, {"Location": f"{SHOP}/item/1/x"}, "")
    with database.writing() as session:
        planned(session)
    read = read_page(settings, database, served.at("/post"))
    assert [link.url for link in read.links] == [f"{SHOP}/item/1/x"]
    host = f"127.0.0.1:{served.port}"
    with database.writing() as session:
        assert [row.name for row in session.scalars(select(Host))] == [host]
        politeness.pause(session, host, 500, "HTTP 429")
    asked = len(served.asked)
    with pytest.raises(TouchstoneError, match="HTTP 429"):
        read_page(settings, database, served.at("/post"))
    assert len(served.asked) == asked


def test_a_page_that_may_not_or_cannot_be_read(
    served: Served, settings: Settings, database: Database
) -> None:
    served.pages["/login"] = (200, {}, "<html><title>x</title>Please log in to continue</html>")
    for url, said in (
        (served.at("/nowhere"), "answers 404"),
        ("http://10.1.2.3/x", "not a public address"),
        ("ftp://shop.example/", "ftp"),
        (served.at("/login"), "a person has to look"),
    ):
        with pytest.raises(TouchstoneError, match=said):
            read_page(settings, database, url)


def test_a_robots_txt_that_fails_forbids_all(
    served: Served, settings: Settings, database: Database
) -> None:
    served.pages["/robots.txt"] = (500, {}, "oops")
    served.pages["/post"] = (200, {}, f'<html><p>bag: <a href="{SHOP}/item/1/x">x</a></p></html>')
    with pytest.raises(TouchstoneError, match="answers 500: nothing else is asked"):
        read_page(settings, database, served.at("/post"))
    assert served.asked == ["127.0.0.1 /robots.txt"]


def test_a_plan_with_a_proxy_reads_no_link_pages_without_it(
    served: Served,
    settings: Settings,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with database.writing() as session:
        plan = planned(session, link_pages=[served.at("/post")])
        plan.proxy = "http://127.0.0.1:9"
        plan_id = plan.id
    visit_link_pages(settings, database, plan_id)
    assert served.asked == []
    assert "left out, since it has a proxy" in caplog.text


def test_a_stop_is_obeyed_between_link_pages(
    served: Served, settings: Settings, database: Database
) -> None:
    with database.writing() as session:
        plan_id = planned(session, link_pages=[served.at("/a"), served.at("/b")]).id

    def look(_run_id: UUID, _progress: Progress) -> None:
        if served.asked:
            raise RunStopped("stopped by Ada")

    with pytest.raises(RunStopped):
        list(watch(settings, database, plan_id, look=look))
    assert not any("/b" in asked for asked in served.asked)
    with database.reading() as session:
        run = session.scalars(select(Run)).one()
        assert (run.state, run.error) == ("stopped", "stopped by Ada")
        assert run.finished_at is not None
