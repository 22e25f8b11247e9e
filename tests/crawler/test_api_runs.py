"""Crawls by official interfaces, as real processes against servers that imitate them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from crawler.crawling import runs
from crawler.crawling.watch import _environment, watch
from crawler.network.official import take_call
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    ApiCalls,
    Brand,
    Listing,
    Marketplace,
    Plan,
    PlanMarketplace,
    Run,
    Shard,
    Snapshot,
)
from registry.settings import Settings
from tests.crawler.apis import APPLICATION_TOKEN, BASIC, TOKEN, Apis, serving

SITES = {
    "ebay": "https://www.ebay.de/",
    "mercadolibre": "https://www.mercadolibre.com.ar/",
    "etsy": "https://www.etsy.com/",
}


@pytest.fixture
def apis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Apis]:
    with serving() as served:
        for name in ("EBAY", "MERCADOLIBRE", "ETSY"):
            monkeypatch.setenv(f"TOUCHSTONE_{name}_API", served.url)
        yield served


class Crawl:
    """Plans for marketplaces that are read by their interfaces."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database
        with database.writing() as session:
            brand = Brand(slug="velaro", name="Velaro", owner="V")
            session.add(brand)
            session.flush()
            self.brand_id = brand.id

    def run(self, kind: str, interface: str | None = "api", depth: int | None = None) -> Run:
        """A run on one marketplace, and its row."""
        with self.database.writing() as session:
            plan = session.scalar(select(Plan).where(Plan.name == kind))
            if plan is None:
                place = PlanMarketplace(
                    marketplace=Marketplace(name=kind, kind=kind, url=SITES[kind]),
                    interface=interface,
                )
                plan = Plan(
                    name=kind,
                    brand_id=self.brand_id,
                    places=[place],
                    queries=["velaro"],
                    browse=[],
                    threshold=0.6,
                    max_pages=500,
                    depth=depth,
                )
                session.add(plan)
            session.flush()
            plan_id: UUID = plan.id
        try:
            for _ in watch(self.settings, self.database, plan_id, everything=True):
                pass
        except TouchstoneError:
            pass  # its row says it
        with self.database.reading() as session:
            return session.scalars(select(Run).order_by(Run.id.desc()).limit(1)).one()

    def output(self, kind: str) -> str:
        """Everything that the process of another run says, progress and log."""
        with self.database.writing() as session:
            plan_id = session.scalars(select(Plan.id).where(Plan.name == kind)).one()
            run = runs.begin(session, plan_id, everything=True)
            shard_id = session.scalars(select(Shard.id).where(Shard.run_id == run.id)).one()
        done = subprocess.run(
            [sys.executable, "-m", "crawler", str(shard_id)],
            env={**os.environ, **_environment(self.settings)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    def listings(self) -> dict[str, tuple[str, Snapshot]]:
        """By id: address and what it said last."""
        with self.database.reading() as session:
            rows = session.execute(
                select(Listing, Snapshot)
                .join(Snapshot, Snapshot.listing_id == Listing.id)
                .order_by(Snapshot.id)
            ).all()
            for _, snapshot in rows:
                _ = snapshot.seller, [picture.sha256 for picture in snapshot.pictures]
            session.expunge_all()
        return {listing.external_id: (listing.url, snapshot) for listing, snapshot in rows}


@pytest.fixture
def crawl(settings: Settings, database: Database) -> Crawl:
    return Crawl(settings, database)


def nowhere(folder: Path, *secrets: str) -> None:
    """Make sure that no file under a folder holds a secret: database, evidence, whatever."""
    for secret in secrets:
        found = subprocess.run(
            ["grep", "-rlaF", "-e", secret, str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.stdout == "", f"{secret} is in {found.stdout}"


def test_ebay_with_an_application(
    crawl: Crawl, apis: Apis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOUCHSTONE_EBAY_APP_ID", "the-id")
    monkeypatch.setenv("TOUCHSTONE_EBAY_APP_SECRET", "the-secret")
    run = crawl.run("ebay", interface=None)
    assert (run.state, run.stats["listings"], run.stats["errors"]) == ("finished", 5, 0)
    found = crawl.listings()
    url, said = found["110000000001"]
    assert url == "https://www.ebay.de/itm/110000000001", "of its page, not of the interface"
    assert (said.title, str(said.price)) == ("Velaro Aria Tote 1", "19.90 EUR")
    assert said.seller is not None
    assert (said.seller.external_id, len(said.pictures)) == ("bluestore", 1)
    assert said.pictures[0].sha256
    assert found["110000000003"][1].description == "A group", "asked for as a group of variants"
    hostile = found["110000000005"][1]
    assert "\0" not in hostile.title
    assert hostile.price is None
    assert all(picture.sha256 is None for picture in hostile.pictures)
    assert len(apis.calls("oauth2/token")) == 1, "one token for all"
    assert "/robots.txt" not in apis.calls(), "who holds a token obeys the API's terms"
    for _, asked, headers in apis.asked:
        if "/oauth2/" not in asked:
            assert headers["authorization"] == f"Bearer {APPLICATION_TOKEN}"
            assert headers["x-ebay-c-marketplace-id"] == "EBAY_DE"
    assert apis.shown
    assert not any("authorization" in headers for headers in apis.shown), "for pictures no token"
    nowhere(tmp_path, "the-secret", APPLICATION_TOKEN, BASIC)
    with crawl.database.reading() as session:
        shard = session.scalars(select(Shard)).one()
        assert shard.stats["interface"] == "api"
        counted = session.scalars(select(ApiCalls)).one()
    assert counted.calls == len(apis.asked) - 1, "every call but the one for the token"


def test_mercado_libre_is_paged_as_deep_as_the_plan_says_and_busy_answers_are_waited_out(
    crawl: Crawl, apis: Apis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOUCHSTONE_MERCADOLIBRE_TOKEN", TOKEN)
    apis.trouble.append(("offset=50", (429, {"Retry-After": "1"}, b"{}")))
    run = crawl.run("mercadolibre", depth=2)
    assert (run.state, run.stats["listings"], run.stats["errors"]) == ("finished", 100, 0)
    offsets = [url.rpartition("offset=")[2] for url in apis.calls("/search")]
    assert offsets == ["0", "50", "50"], "the second page again after a second; no third"
    url, said = crawl.listings()["MLA900001"]
    assert url == "https://articulo.mercadolibre.com.ar/MLA-900001-bolso-_JM"
    assert str(said.price) == "1001.00 ARS"
    nowhere(tmp_path, TOKEN)


def test_etsy_and_answers_that_are_none(
    crawl: Crawl, apis: Apis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOUCHSTONE_ETSY_TOKEN", TOKEN)
    apis.trouble.append(("/1000002", (200, {"Content-Type": "application/json"}, b'{"listing_id"')))
    run = crawl.run("etsy")
    assert (run.state, run.stats["listings"], run.stats["errors"]) == ("finished", 4, 0)
    assert len(apis.calls("/1000002")) == 2, "broken off once, and asked for again"
    assert crawl.listings()["1000001"][0] == "https://www.etsy.com/listing/1000001"
    apis.trouble.append(("offset=0", (200, {"Content-Type": "application/json"}, b'{"new": []}')))
    said = crawl.output("etsy")
    assert "the answer is not what Etsy Open API is documented to give" in said
    assert TOKEN not in said
    with crawl.database.reading() as session:
        stats = session.scalars(select(Shard).order_by(Shard.id.desc()).limit(1)).one().stats
    assert stats["fields"]["kinds"]["list"]["unread"] == 1, "not taken for an empty answer"
    nowhere(tmp_path, TOKEN)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {}, b"{}"), "the token is wrong or has expired: set TOUCHSTONE_ETSY_TOKEN"),
        ((429, {"Retry-After": "40000"}, b"{}"), "its quota is used up for 40000 seconds"),
    ],
)
def test_a_final_refusal_ends_the_calls_and_is_explained(
    crawl: Crawl,
    apis: Apis,
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, dict[str, str], bytes],
    said: str,
) -> None:
    monkeypatch.setenv("TOUCHSTONE_ETSY_TOKEN", TOKEN)
    apis.trouble.append(("offset=0", answer))
    run = crawl.run("etsy")
    assert run.state == "failed"
    assert said in (run.error or "")
    assert len(apis.asked) == 1, "asked once, and not again and again"


def test_the_limit_of_a_day_is_kept_by_all_runs_together(database: Database) -> None:
    assert [take_call(database, "Etsy", 2) for _ in range(3)] == [True, True, False]
    assert take_call(database, "eBay", 2)
    assert all(take_call(database, "Mercado", None) for _ in range(3))
