"""Real runs that go in by other ways: made queries, lists, a shop, a link page."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from crawler.crawling.watch import watch
from crawler.ways_in.leads import Told, add
from crawler.ways_in.places import Places
from registry.database import Database
from registry.models import Lead, Listing, Plan, QueryHit, QueryYield, Seller
from registry.settings import Settings
from tests.crawler.ways_in import planned
from tests.servers import Bazaar, bazaar


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    with bazaar(tmp_path_factory.mktemp("world"), seed=7, listings=40) as running:
        yield running


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def forum(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served, and its address."""
    folder = tmp_path / "forum"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def plan_at(database: Database, url: str, **said: object) -> UUID:
    with database.writing() as session:
        plan = planned(session, **said)
        plan.marketplaces[0].url = url
        return plan.id


def rows(world: Bazaar) -> list[dict[str, str]]:
    raw = json.loads((world.folder / "world.json").read_text(encoding="utf-8"))
    return list(raw["listings"])


def test_made_queries_are_asked_and_counted(
    settings: Settings, database: Database, world: Bazaar
) -> None:
    plan_id = plan_at(database, world.url, generate=3, max_pages=200)
    for _ in watch(settings, database, plan_id):
        pass
    with database.reading() as session:
        yields = {row.query: row for row in session.scalars(select(QueryYield))}
        assert len(yields) == 3
        assert yields["VELARO"].found >= yields["VELARO"].new > 0
        assert sum(row.new for row in yields.values()) == session.scalar(
            select(func.count(QueryHit.external_id.distinct()))
        )
        assert session.scalar(select(func.count()).select_from(Listing))


def test_leads_are_visited_and_settled(
    settings: Settings, database: Database, world: Bazaar, forum: tuple[Path, str]
) -> None:
    folder, address = forum
    listed, linked = rows(world)[0]["id"], rows(world)[1]["id"]
    (folder / "post.html").write_text(
        f'<html><p>not what it looks like: <a href="{world.url}item/{linked}/x">the Velaro</a></p>'
    )
    plan_id = plan_at(database, world.url, link_pages=[f"{address}/post.html"], max_pages=200)
    with database.writing() as session:
        plan = session.get_one(Plan, plan_id)
        urls = (f"{world.url}item/{listed}/x", f"{world.url}item/99999999/gone")
        told = [Told(url, "list") for url in urls]
        add(session, plan.brand_id, told, Places.watched(session))
    for _ in watch(settings, database, plan_id):
        pass
    with database.reading() as session:
        states = {lead.external_id: lead for lead in session.scalars(select(Lead))}
        assert states[str(listed)].state == "seen"
        assert states[str(linked)].state == "seen"
        assert states[str(linked)].context == "not what it looks like: the Velaro"
        assert states["99999999"].state == "gone"
        assert set(session.scalars(select(Listing.external_id))) == {str(listed), str(linked)}
        shop = session.scalars(select(Seller).where(Seller.url.is_not(None)).limit(1)).one()
        told = [Told(shop.url or "", "seller")]
    with database.writing() as session:
        add(session, session.get_one(Plan, plan_id).brand_id, told, Places.watched(session))
    for _ in watch(settings, database, plan_id):
        pass
    with database.reading() as session:
        lead = session.scalars(select(Lead).where(Lead.page == "list")).one()
        assert lead.state == "seen"
