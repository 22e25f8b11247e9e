"""Of one listing: pictures at full size, each variant's price, seller, terms, reviews."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evidence.verifying import verify
from tests.evidence.visits import Made, visit
from tests.servers import Bazaar, bazaar


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    with bazaar(tmp_path_factory.mktemp("shop") / "world", seed=5, listings=9) as shop:
        yield shop


def rows(shop: Bazaar) -> list[dict[str, Any]]:
    world = json.loads((shop.folder / "world.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = world["listings"]
    return found


def made(shop: Bazaar, row: dict[str, Any], folder: Path) -> Made:
    return visit(f"{shop.url}item/{row['id']}/x", folder, kind="bazaar")


@pytest.mark.parametrize("kind", [0, 1], ids=["drop-down", "buttons"])
def test_a_listing_with_all_that_belongs_to_it(shop: Bazaar, tmp_path: Path, kind: int) -> None:
    row = next(row for row in rows(shop) if int(row["id"]) % 3 == kind)
    capture = made(shop, row, tmp_path / "visit")
    assert capture.capture.status == "complete"
    assert verify(capture.capture.sealed.path).ok
    said = json.loads(capture.read("extra/listing.json"))
    assert said["name"] == row["title"]
    assert Decimal(said["price"]) == Decimal(row["price"])
    # The first choice is what the listing costs; each other one costs more.
    prices = [Decimal(variant["price"]) for variant in said["variants"]]
    assert prices[0] == Decimal(row["price"])
    assert len(prices) > 1
    assert prices == sorted(set(prices))
    assert len({json.dumps(variant["choice"]) for variant in said["variants"]}) == len(prices)
    # The gallery shows small pictures; the large ones were had.
    about = capture.about
    log = json.loads(capture.read("extra/exchanges.har"))["log"]["entries"]
    had = {entry["request"]["url"] for entry in log if entry["response"]["status"] == 200}
    assert {f"{shop.url}images/{name}" for name in row["images"]} <= had
    visited = {place["what"]: place["status"] for place in about["visited"]}
    assert {"seller": "complete", "terms": "complete"}.items() <= visited.items()
    steps = [shown["name"].split("-", 1)[1] for shown in about["shown"]]
    assert steps[0] == "listing"
    assert {"variant-1", "variant-2", "seller", "terms"} <= set(steps)
    for shown in about["shown"]:
        for name in ("screenshots/{}.png", "dom/{}.html", "text/{}.txt"):
            assert name.format(shown["name"]) in capture.names
    assert "pdf/01-listing.pdf" in capture.names
    # What stands for the whole is the listing, not the last page that was visited.
    assert capture.capture.sealed.screenshot.name == "01-listing.png"
    # Nothing was bought on the way.
    assert not shop.orders()


def test_reviews_are_read_and_visited(shop: Bazaar, tmp_path: Path) -> None:
    for number, row in enumerate(rows(shop)):
        capture = made(shop, row, tmp_path / str(number))
        said = json.loads(capture.read("extra/listing.json"))
        if said["reviews"]:
            assert "reviews" in {place["what"] for place in capture.about["visited"]}
            return
    pytest.fail("no listing has a review")
