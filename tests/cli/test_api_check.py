"""`touchstone marketplace check` by an official interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli.app import app
from registry.database import Database
from registry.errors import TouchstoneError
from tests.crawler.apis import TOKEN, Apis, serving

HERE = (
    "marketplace",
    "check",
    "ebay",
    "https://www.ebay.de/",
    "--interface",
    "api",
    "--query",
    "v",
)
ITEM = "https://www.ebay.de/itm/110000000003"


@pytest.fixture
def apis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Apis]:
    monkeypatch.setenv("TOUCHSTONE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TOUCHSTONE_ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    database = Database(f"sqlite:///{tmp_path / 'touchstone.db'}")
    database.migrate()
    database.close()
    with serving() as served:
        monkeypatch.setenv("TOUCHSTONE_EBAY_API", served.url)
        yield served


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_search_and_a_listing(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_EBAY_TOKEN", TOKEN)
    results, listing = json.loads(run(*HERE, "--json").stdout)["pages"]
    assert len(results["listings"]) == 5
    assert (listing["title"], listing["price"]) == ("Velaro Aria Tote 1", "19.90")
    assert listing["seller"]["id"] == "bluestore"
    group = run("marketplace", "check", "ebay", ITEM, "--interface", "api", "--json")
    assert json.loads(group.stdout)["pages"][0]["title"] == "Velaro Aria Tote 3"
    assert "/robots.txt" not in apis.calls()


def test_what_is_wrong_with_a_token_is_said(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    for token, said in ((None, "no token: set TOUCHSTONE_EBAY_TOKEN"), ("old", "expired: set")):
        if token is not None:
            monkeypatch.setenv("TOUCHSTONE_EBAY_TOKEN", token)
        failed = run(*HERE)
        assert isinstance(failed.exception, TouchstoneError)
        assert said in str(failed.exception)


def test_an_application_has_its_token_made(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_EBAY_APP_ID", "the-id")
    monkeypatch.setenv("TOUCHSTONE_EBAY_APP_SECRET", "the-secret")
    made = run(*HERE)
    assert made.exit_code == 0
    assert "the-secret" not in made.output
    monkeypatch.setenv("TOUCHSTONE_EBAY_APP_ID", "another")
    failed = run(*HERE)
    assert "production keyset" in str(failed.exception)
