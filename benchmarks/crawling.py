"""Runs of the spider beside Scrapy alone on the same pages, runs again, and memory.

The first shop costs next to nothing to serve and shows no pictures, so that what is measured
is the crawl: extraction and storing against downloading alone. The second one, the bazaar, has
pictures, which Scrapy alone fetches as well and which only ours hashes and stores.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

from sqlalchemy import func, select, update

from benchmarks.measure import Result, in_turn
from benchmarks.shop import CATEGORIES, shop
from crawler.crawling.watch import watch
from registry.database import Database
from registry.models import Brand, Listing, Marketplace, Plan, Run
from registry.models.base import utcnow
from registry.settings import Settings
from tests.crawler.light_shop import LightShop, light_shop

LISTINGS = 140
LIGHT_LISTINGS = 3_000
#: `TOUCHSTONE_BENCH_PAGES=100000` has the memory measured over so many.
MEMORY_PAGES = int(os.environ.get("TOUCHSTONE_BENCH_PAGES", "10000"))
BAGS = ("/c/bags",)


@dataclass(frozen=True, slots=True)
class House:
    """A database with one plan."""

    settings: Settings
    database: Database
    plan_id: UUID

    def crawl(self) -> int:
        """Run the plan: how many pages were answered."""
        *_, last = watch(self.settings, self.database, self.plan_id)
        return last.pages

    def listings(self) -> int:
        """How many are stored."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Listing)) or 0

    def all_due(self) -> None:
        """As if every listing were due."""
        with self.database.writing() as session:
            session.execute(update(Listing).values(next_visit_at=utcnow() - timedelta(1)))


def house(folder: Path, url: str, browse: Sequence[str], max_pages: int = 500_000) -> House:
    """A new one."""
    settings = Settings(data_dir=folder, allowed_private_hosts=("127.0.0.1",))
    database = Database(settings.database)
    database.migrate()
    with database.writing() as session:
        plan = Plan(
            name="p",
            brand=Brand(slug="velaro", name="Velaro", owner="V"),
            marketplaces=[Marketplace(name="m", kind="bazaar", url=url)],
            queries=[],
            browse=list(browse),
            threshold=0.6,
            max_pages=max_pages,
        )
        session.add(plan)
        session.flush()
        return House(settings, database, plan.id)


def run() -> Iterator[Result]:
    """Everything that the shops have, through their categories."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with light_shop(LIGHT_LISTINGS) as light:
            yield _beside_bare(
                folder / "light", light.url, BAGS, f"{LIGHT_LISTINGS} listings without pictures"
            )
        with shop(folder / "world", LISTINGS) as url:
            yield _beside_bare(
                folder / "bazaar", url, CATEGORIES, f"{LISTINGS} listings with their pictures"
            )
        yield from _again(folder / "again")
        yield memory(folder / "memory", MEMORY_PAGES)


def _beside_bare(folder: Path, url: str, browse: Sequence[str], what: str) -> Result:
    runs = pages = stored = 0
    # Of the processes, in seconds: on a busy machine it says more than what a clock shows.
    cpu: tuple[list[float], list[float]] = [], []

    def ours() -> None:
        nonlocal runs, pages, stored
        runs += 1
        place = house(folder / str(runs), url, browse)
        before = _cpu()
        pages = place.crawl()
        cpu[0].append(_cpu() - before)
        stored = place.listings()
        place.database.close()

    def theirs() -> None:
        before = _cpu()
        command = [sys.executable, "-m", "benchmarks.bare_spider", url, *browse]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        cpu[1].append(_cpu() - before)

    mine, bare, ratio = in_turn(ours, theirs, rounds=3)
    our_cpu, bare_cpu = (1000 * median(seconds) / pages for seconds in cpu)
    return Result(
        f"a crawl of {what}, start included",
        f"{pages / mine:.0f} pages/s, {stored} listings stored, {our_cpu:.1f} ms CPU",
        f"Scrapy alone, nothing kept: {pages / bare:.0f} pages/s, {bare_cpu:.1f} ms CPU",
        f"{100 * bare / mine:.0f} % of its pages a second; {ratio}",
    )


def _again(folder: Path) -> Iterator[Result]:
    """The same shop again: at once, and when everything is due."""
    with light_shop(LIGHT_LISTINGS // 2, pictures=2) as light:
        place = house(folder, light.url, BAGS)
        first = _cost(light, place)
        again = _cost(light, place)
        place.all_due()
        due = _cost(light, place)
        place.database.close()
    told = f"{first[0]} requests, {first[1] >> 10} KB, {first[2]:.1f} s"
    for what, cost in (("at once: nothing is due", again), ("when every listing is due", due)):
        yield Result(
            f"an unchanged marketplace again, {what}",
            f"{cost[0]} requests, {cost[1] >> 10} KB, {cost[2]:.1f} s",
            f"the first time: {told}; 2 pictures a listing",
            f"{100 * cost[0] / first[0]:.0f} % of the requests, {100 * cost[1] / first[1]:.0f} % "
            f"of the bytes, {100 * cost[2] / first[2]:.0f} % of the time, the start left out",
        )


def _cost(light: LightShop, place: House) -> tuple[int, int, float]:
    """Requests, bytes, and seconds from the first page to the last."""
    light.forget()
    place.crawl()
    with place.database.reading() as session:
        newest = select(Run).order_by(Run.id.desc()).limit(1)
        seconds = float(session.scalars(newest).one().stats["seconds"])
    return light.asked.total(), light.bytes_sent, seconds


def memory(folder: Path, pages: int) -> Result:
    """The memory of a crawl, from a tenth of its pages on to the end."""
    with light_shop(pages) as light:
        place = house(folder, light.url, BAGS)
        ended = threading.Event()
        seen: list[tuple[int, int]] = []

        def look() -> None:
            while not ended.wait(1.0):
                if (size := _crawl_memory()) is not None:
                    seen.append((light.asked.total(), size))

        looker = threading.Thread(target=look)
        looker.start()
        began = time.perf_counter()
        try:
            place.crawl()
        finally:
            seconds = time.perf_counter() - began
            ended.set()
            looker.join()
        total = light.asked.total()
        place.database.close()
    tenths = [next((size for at, size in seen if at >= total * n / 10), 0) for n in range(1, 10)]
    last = seen[-1][1]
    return Result(
        f"memory of the crawl process over {total} pages",
        f"{tenths[0]} MB after a tenth, {last} MB at the end ({total / seconds:.0f} pages/s)",
        f"by tenths: {', '.join(map(str, [*tenths, last]))} MB",
        f"{last / tenths[0]:.2f} × what it was after a tenth",
    )


def _crawl_memory() -> int | None:
    """Resident memory of the crawl that this process began, in MB."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if b"\0crawler\0" not in (folder / "cmdline").read_bytes():
                continue
            status = (folder / "status").read_text()
        except OSError:
            continue
        said = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if int(said["PPid"]) == os.getpid() and "VmRSS" in said:
            return int(said["VmRSS"].split()[0]) >> 10
    return None


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
