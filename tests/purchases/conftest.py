"""A listing that was flagged, and shops to buy it from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from registry.database import Database
from registry.models import (
    Assessment,
    Brand,
    Listing,
    Marketplace,
    Plan,
    Seller,
    Snapshot,
)
from registry.settings import Settings
from tests.purchases import staff


@dataclass(frozen=True)
class Shop:
    """A running shop."""

    url: str
    log: Path

    def orders(self) -> int:
        """How many orders it got."""
        return len(self.log.read_text(encoding="utf-8").splitlines())


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Callable[[str], Shop]]:
    """Start shops; they end with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(mode: str) -> Shop:
        log = tmp_path / f"orders-{mode}.log"
        log.touch()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.purchases.shop", str(log), mode],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        return Shop(process.stdout.readline().strip(), log)

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def everybody(database: Database, settings: Settings) -> None:
    """The people of `staff`, with a persona for the buyer."""
    staff.enter(database, settings)


def flagged(
    database: Database, url: str = "http://127.0.0.1:9/", *, mode: str = "automatic"
) -> UUID:
    """A flagged assessment of a listing for 35 euros; its id."""
    with database.writing() as session:
        brand = Brand(slug="velaro", name="Velaro", owner="V")
        market = Marketplace(name="m", kind="bazaar", url=url, mode=mode, mode_by="Ann Admin")
        plan = Plan(
            name="p", brand=brand, marketplaces=[market], queries=["q"], browse=[], threshold=0.6,
            max_pages=9,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        listing = Listing(marketplace_id=market.id, external_id="1", url=f"{url}item/1/tote")
        seller = Seller(marketplace_id=market.id, external_id="s", name="Seller")
        session.add_all([listing, seller])
        session.flush()
        snapshot = Snapshot(
            listing_id=listing.id, seller_id=seller.id, content_sha256="0" * 64, title="Tote",
            description="", amount=Decimal("35.00"), currency="EUR",
        )  # fmt: skip
        session.add(snapshot)
        session.flush()
        assessment = Assessment(
            snapshot_id=snapshot.id, plan_id=plan.id, brand_id=brand.id, score=0.9,
            threshold=0.6, flagged=True, result={"signals": []}, inputs={},
        )  # fmt: skip
        session.add(assessment)
        session.flush()
        return assessment.id
