"""A run of the spider, beside Scrapy alone on the same pages and pictures."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.measure import Result, in_turn
from benchmarks.shop import CATEGORIES, shop
from crawler.watch import watch
from registry.database import Database
from registry.models import Brand, Listing, Marketplace, Plan
from registry.settings import Settings

LISTINGS = 140


def run() -> Iterator[Result]:
    """Everything that the shop has, through its categories."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with shop(folder / "world", LISTINGS) as url:
            runs = 0
            seen = 0

            def ours() -> None:
                nonlocal runs, seen
                runs += 1
                seen = _crawl(folder / str(runs), url)

            def theirs() -> None:
                command = [sys.executable, "-m", "benchmarks.bare_spider", url]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

            mine, bare, ratio = in_turn(ours, theirs, rounds=3)
    yield Result(
        f"a crawl of {LISTINGS} listings with their pictures and sellers",
        f"{seen / mine:.1f} listings/s, {seen} stored, pictures hashed, jobs made",
        f"Scrapy alone, nothing kept: {LISTINGS / bare:.1f} listings/s",
        ratio,
    )


def _crawl(folder: Path, url: str) -> int:
    settings = Settings(data_dir=folder, allowed_private_hosts=("127.0.0.1",))
    database = Database(settings.database)
    database.migrate()
    with database.writing() as session:
        plan = Plan(
            name="p",
            brand=Brand(slug="velaro", name="Velaro", owner="V"),
            marketplace=Marketplace(name="m", kind="bazaar", url=url),
            queries=[],
            browse=list(CATEGORIES),
            threshold=0.6,
            max_pages=5000,
        )
        session.add(plan)
        session.flush()
        plan_id = plan.id
    for _ in watch(settings, database, plan_id):
        pass
    with database.reading() as session:
        stored = session.scalar(select(func.count()).select_from(Listing)) or 0
    database.close()
    return stored
