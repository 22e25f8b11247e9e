"""A crawl process: one shard from the command line, progress as JSON lines.

A reactor runs once in a process, so every crawl has one (`crawler.crawling.watch` starts it).
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import signal
import sys
import threading
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from scrapy.crawler import AsyncCrawlerProcess

from crawler.crawling.spider import AT_ONCE, Budget, MarketplaceSpider
from crawler.crawling.store import Target
from crawler.marketplaces import KINDS
from crawler.marketplaces.interfaces import facing
from crawler.network.conduct import conduct_of, needs_gateway, network_settings
from crawler.network.gate import Gate, gate_of
from crawler.network.gateway import MAX_CRAWL_BYTES, Gateway, open_gateway
from crawler.network.proxies import ProxyServer
from registry.blobs import open_blobs
from registry.database import Database
from registry.models import Shard
from registry.models.base import utcnow
from registry.settings import load_settings
from registry.standing import standing

PROGRESS_SECONDS = 0.5

#: Of Scrapy's settings those that are not about how requests go out (`crawler.network.conduct`).
SETTINGS: dict[str, Any] = {
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "TELNETCONSOLE_ENABLED": False,
    "LOG_LEVEL": "WARNING",
    "LOG_FORMAT": "%(levelname)s %(name)s: %(message)s",
    "AUTOTHROTTLE_START_DELAY": 0.05,
    "AUTOTHROTTLE_TARGET_CONCURRENCY": float(AT_ONCE),
    "CONCURRENT_REQUESTS": 2 * AT_ONCE,
    "CONCURRENT_REQUESTS_PER_DOMAIN": AT_ONCE,
    "DOWNLOAD_DELAY": 0,
    "RETRY_TIMES": 3,
    "RETRY_HTTP_CODES": [429, 500, 502, 503, 504, 408],
    # The listings' own pages have the pictures; in the browser only the links count.
    "PLAYWRIGHT_ABORT_REQUEST": lambda request: request.resource_type in ("image", "media", "font"),
}


def _gateway_thread(gate: Gate, proxy: ProxyServer | None) -> Gateway:
    """A gateway in a thread with a loop of its own, for as long as the process lives.

    The browser starts before Scrapy's loop takes requests, and needs its address then.
    """
    ready: list[Gateway] = []
    up = threading.Event()

    async def serve() -> None:
        async with open_gateway(gate, proxy, MAX_CRAWL_BYTES, records=False) as gateway:
            ready.append(gateway)
            up.set()
            await asyncio.Event().wait()

    threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
    up.wait(timeout=10)
    return ready[0]


def main() -> int:
    """Crawl the shard named on the command line."""
    settings = load_settings()
    database = Database(settings.database)
    with database.writing() as session:
        shard = session.get_one(Shard, UUID(sys.argv[1]))
        run, marketplace = shard.run, shard.marketplace
        plan = run.plan
        place = plan.place(marketplace.id)
        definition = facing(KINDS[marketplace.kind], marketplace.url, place.interface)
        conduct = conduct_of(session, settings, plan, marketplace)
        minutes = plan.max_browser_minutes
        values: dict[str, Any] = {
            "definition": definition,
            "shard": shard,
            "target": Target(
                run.id,
                plan.id,
                marketplace.id,
                standing(session, plan.brand_id, utcnow().date()),
            ),
            "base": marketplace.url,
            "budget": Budget(plan.max_pages, math.inf if minutes is None else 60 * minutes),
            "everything": run.everything,
        }
    browser = definition.search_in_browser and bool(shard.queries)
    gateway = None
    if needs_gateway(conduct, browser=browser):
        gateway = _gateway_thread(gate_of(settings), conduct.proxy)
    network = network_settings(settings, database, conduct, gateway, browser=browser)
    network["DOWNLOADER_MIDDLEWARES"] |= definition.middlewares
    network["TOUCHSTONE_DATABASE"] = lambda: database  # settings are copied deeply
    # A host on a private address that the settings name is the operator's own.
    own = gate_of(settings).allows_host(urlsplit(marketplace.url).hostname or "")
    network["AUTOTHROTTLE_ENABLED"] = not own
    process = AsyncCrawlerProcess({**SETTINGS, **network, **definition.scrapy_settings})
    # Their own chatter about single pages; ours says it once, with the reason.
    for name in ("scrapy", "scrapy-playwright", "scrapy_poet", "asyncio", "tldextract"):
        logging.getLogger(name).setLevel(logging.ERROR)
    crawler = process.create_crawler(MarketplaceSpider)
    process.crawl(crawler, **values, database=database, blobs=open_blobs(settings.evidence_store))
    ended = threading.Event()
    teller = threading.Thread(target=_tell, args=(crawler, ended), daemon=True)
    teller.start()
    process.start()
    ended.set()
    teller.join()
    counts = _counts(crawler)
    spider: Any = crawler.spider
    reason = str(crawler.stats.get_value("finish_reason")) if crawler.stats else "?"
    if spider is None or spider.crash or spider.superseded:
        reason = (spider and spider.crash) or "superseded"
        print(reason, file=sys.stderr)
    # Where other shards had all of its pages, or the budget, there is none left for this one.
    ok = reason == "finished" and (counts.get("pages", 0) > 0 or not counts.get("errors"))
    print(json.dumps({**counts, "done": True, "reason": reason}), flush=True)
    database.close()
    return 0 if ok else 1


def _counts(crawler: Any) -> dict[str, float]:
    return dict(crawler.spider.counts) if crawler.spider is not None else {}


def _tell(crawler: Any, ended: threading.Event) -> None:
    while not ended.wait(PROGRESS_SECONDS):
        try:
            print(json.dumps(_counts(crawler)), flush=True)
        except BrokenPipeError:
            # Whoever began this run was killed, and nobody else would end it. Where it leads a
            # group, as `crawler.crawling.watch` has it, the browser is in there too.
            if os.getpgid(0) == os.getpid():
                os.killpg(os.getpid(), signal.SIGKILL)
            os._exit(1)
