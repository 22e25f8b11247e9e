"""The spider: visits what the frontier has, has it read and stored, until there is no more."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import scrapy
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.browsing.handover import handover_of
from crawler.crawling.effects import BrokenOff, Unread
from crawler.crawling.frontier import Frontier, Page, Settled, Superseded
from crawler.crawling.galleries import Gallery
from crawler.crawling.pace import Pace
from crawler.crawling.seeds import seeds
from crawler.crawling.store import Seen, Target
from crawler.crawling.visits import PageVisits, Task
from crawler.crawling.writing import Brought, Work, Writer
from crawler.health.fields import Coverage
from crawler.marketplaces import Definition
from crawler.network.downloading import SPENT
from crawler.network.middlewares import turnstile_of
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Shard

logger = logging.getLogger(__name__)

#: Pages under way at once, until what they brought is stored: what a kill costs at the most.
AT_ONCE = 8
#: Pages that are taken from the frontier at a time.
BATCH = 64
#: Tries of a page that breaks off half-way.
TRIES = 4
#: While a person is asked to open a wall, so many more of them in a row, and the rest waits.
WALLS_IN_A_ROW = AT_ONCE
COUNTS = ("pages", "listings", "new", "unchanged", "errors", "walls", "unread")


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may ask for, all of its shards together."""

    pages: int
    browser_seconds: float = math.inf


class MarketplaceSpider(scrapy.Spider):
    """One shard of one run. What a page brought is stored with that it is done."""

    name = "marketplace"

    def __init__(
        self,
        definition: Definition,
        shard: Shard,
        target: Target,
        base: str,
        budget: Budget,
        database: Database,
        blobs: Blobs,
        *,
        everything: bool,
    ) -> None:
        super().__init__()
        self.superseded = False
        self.crash: str | None = None
        self.shard = shard
        self.target = target
        self.base = base
        self.definition = definition
        self.everything = everything
        self._budget = budget
        self._database = database
        self._blobs = blobs
        holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"
        self._frontier = Frontier(target.run_id, shard.id, target.marketplace_id, holder)
        self._coverage = Coverage(shard.stats.get("fields"))
        self._pace = Pace(shard.stats.get("pace"))
        before = {name: n for name, n in shard.stats.items() if isinstance(n, int | float)}
        self._writer = Writer(
            database,
            self._frontier,
            target,
            {
                **dict.fromkeys(COUNTS, 0),
                **before,
                "asked": shard.asked,
                "browser_seconds": shard.browser_seconds,
            },
            self._told,
        )
        self._ready: deque[Page] = deque()
        self._in_hand: dict[UUID, Page] = {}
        self._asking: dict[str, Task] = {}
        self._others: tuple[int, float] = (0, 0.0)
        #: Seconds of the browser that pages under way have cost so far.
        self._spent: dict[UUID, list[float]] = {}
        self._walls = 0

    @property
    def counts(self) -> dict[str, float]:
        """How far the shard is."""
        turnstile = turnstile_of(self.crawler)
        asking = {"asking": 1} if handover_of(self.crawler).asking else {}
        held = {"held": 1} if turnstile.held else {}
        return {**self._writer.counts, "turns": turnstile.turns, **asking, **held}

    def _told(self) -> dict[str, Any]:
        self._pace.note(*(self._writer.counts[name] for name in ("seconds", "pages", "waiting")))
        return {
            "fields": self._coverage.to_json(),
            "interface": self.definition.interface,
            "robots_ignored": self.crawler.settings["TOUCHSTONE_ROBOTS_IGNORED"],
            "pace": self._pace.to_json(),
        }

    # The loop

    async def start(self) -> AsyncIterator[Request]:
        """Do all of it; Scrapy gets no request of its own to order."""
        try:
            await asyncio.to_thread(self._begin)
            gallery = Gallery(self.crawler, self._blobs)
            self._visits = PageVisits(
                self.definition, self.base, self.target, self._frontier, self._coverage, gallery,
                self._database, everything=self.everything,
            )  # fmt: skip
            await self._crawl()
            await asyncio.to_thread(self._coverage.keep, self._blobs, ended=True)
            await self._writer.write(Brought())
        except Superseded as error:
            self.superseded = True
            logger.warning("%s", error)
        except Exception as error:  # said by the process's end, whatever it is
            self.crash = f"{type(error).__name__}: {error}"
            logger.exception("the crawl ends")
        return
        yield

    def _begin(self) -> None:
        with self._database.writing() as session:
            self._frontier.take(session)
            shard = session.get_one(Shard, self.shard.id, populate_existing=True)
            if not shard.taken:
                first, elsewhere = seeds(
                    session, self.definition, self.base, self.target, shard, self._budget.pages,
                    everything=self.everything,
                )  # fmt: skip
                self._frontier.add(session, first)
                self._writer.counts["errors"] += elsewhere
                shard.taken = True
            session.flush()
            self._writer.counts["waiting"] = self._frontier.waiting(session)

    async def _crawl(self) -> None:
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                page = await self._next()
                if page is None and not tasks:
                    if not self._asking:
                        return
                    await asyncio.sleep(0.2)
                    continue
                if page is not None:
                    tasks.add(asyncio.create_task(self._visit(page)))
                if page is None or len(tasks) >= AT_ONCE:
                    done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
        finally:
            for task in tasks:
                task.cancel()

    async def _next(self) -> Page | None:
        """The next page to visit; None while there is none, or the budget is used up."""
        used = self._writer.counts["asked"] + self._others[0] + len(self._in_hand)
        if used >= self._budget.pages:
            return None
        if self._walls >= WALLS_IN_A_ROW and handover_of(self.crawler).asking:
            return None  # all is behind the wall that a person is asked to open
        if not self._ready:
            # A page that is done while we look is not to be had again.
            held = frozenset(self._in_hand)
            self._ready.extend(await asyncio.to_thread(self._pull, held))
        if not self._ready:
            return None
        page = self._ready.popleft()
        assert page.id is not None
        self._in_hand[page.id] = page
        return page

    def _pull(self, held: frozenset[UUID]) -> list[Page]:
        with self._database.reading() as session:
            self._others = self._frontier.used_by_others(session)
            return self._frontier.pull(session, BATCH, held)

    # A page

    async def _visit(self, page: Page) -> None:
        browser = bool(page.arguments.get("browser"))
        spent = self._writer.counts["browser_seconds"] + self._others[1]
        spent += sum(map(sum, self._spent.values()))
        request = self._visits.request(page)
        if request is None or (browser and spent >= self._budget.browser_seconds):
            await self._settle(Settled(page, "skipped"))
            return
        task = Task(page, request)
        request.callback, request.errback = self._opened, self._not_opened
        request.meta["touchstone_page"] = str(page.id)
        if browser:
            assert page.id is not None
            request.meta[SPENT] = self._spent[page.id] = []
        self._asking[str(page.id)] = task
        waits = False
        try:
            for last in (*(False,) * (TRIES - 1), True):
                assert self.crawler.engine is not None
                response = await self.crawler.engine.download_async(request)
                try:
                    waits = await self._read(task, response, last=last)
                    break
                except BrokenOff:
                    continue
        except Superseded:
            raise
        except Exception as error:  # a page may fail in any way; the others go on
            await self._failed(page, str(error) or type(error).__name__)
        finally:
            if not waits:
                self._asking.pop(str(page.id), None)

    async def _read(self, task: Task, response: Response, *, last: bool) -> bool:
        """Read a page and store what it says. True if a person is asked to open it."""
        page = task.page
        try:
            effect = await self._visits.read(page, response, last=last)
        except Unread as unread:
            await self._keep_samples()
            if unread.wall is not None and handover_of(self.crawler).met(
                self.crawler,
                response.request or task.request,
                unread.wall.kind,
                unread.wall.why,
                given_up=lambda: self._given_up(task),
            ):
                self._walls += 1
                await self._writer.write(Brought(counts={"walls": 1}))
                return True
            self._note(page.url, unread.why)
            await self._settle(Settled(page, unread.state), unread.counts, unread.works)
        else:
            self._walls = 0
            await self._keep_samples()
            settled = Settled(page, effect.state, effect.why)
            await self._settle(settled, {"pages": 1}, effect.works, effect.seen)
        return False

    async def _keep_samples(self) -> None:
        """Keep the samples that a page has added, before what it brought is written."""
        if self._coverage.has_samples:
            await asyncio.to_thread(self._coverage.keep, self._blobs)

    async def _settle(
        self,
        settled: Settled,
        counts: Mapping[str, float] = MappingProxyType({}),
        works: Sequence[Work] = (),
        seen: Seen | None = None,
    ) -> None:
        """Write what came of a page, all of it together."""
        page = settled.page
        assert page.id is not None
        spent = {
            "waiting": -1,
            "asked": int(settled.state != "skipped"),
            "browser_seconds": sum(self._spent.get(page.id, ())),
        }
        await self._writer.write(Brought(settled, {**spent, **counts}, works, seen))
        self._in_hand.pop(page.id, None)
        self._spent.pop(page.id, None)

    async def _failed(self, page: Page, reason: str) -> None:
        self._note(page.url, reason)
        works = self._visits.lead_waits(page, reason)
        await self._settle(Settled(page, "failed"), {"errors": 1}, works)

    def _note(self, url: str, reason: str) -> None:
        self._coverage.failed(reason)
        logger.warning("%s: %s", url, " ".join(reason.split())[:300])

    # Pages that a person has opened (`crawler.browsing.handover`)

    async def _opened(self, response: Response) -> None:
        task = self._asking[response.meta["touchstone_page"]]
        try:
            waits = await self._read(task, response, last=True)
        except Superseded:
            raise
        except Exception as error:
            waits = False
            await self._failed(task.page, str(error) or type(error).__name__)
        if not waits:
            self._asking.pop(str(task.page.id), None)

    async def _not_opened(self, failure: Failure) -> None:
        task = self._asking.pop(failure.request.meta["touchstone_page"])  # type: ignore[attr-defined]
        await self._failed(task.page, str(failure.value))

    def _given_up(self, task: Task) -> None:
        async def note() -> None:
            await self._settle(Settled(task.page, "failed"), {"errors": 1})
            self._asking.pop(str(task.page.id), None)

        task.ending = asyncio.create_task(note())
