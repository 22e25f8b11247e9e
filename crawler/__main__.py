"""`python -m crawler RUN_ID`: one run in a process of its own, progress as JSON lines.

A reactor runs once in a process, so every run has one (`crawler.watch` starts it).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from typing import Any
from uuid import UUID

from scrapy.crawler import AsyncCrawlerProcess
from url_matcher import Patterns
from web_poet import ApplyRule

from crawler.browser import CONTEXT_OPTIONS, find_chromium, launch_options
from crawler.gate import Gate
from crawler.gateway import Gateway, open_gateway
from crawler.marketplaces import KINDS, Definition
from crawler.marketplaces.pages import ListingPage, ListPage, SellerPage
from crawler.spider import MarketplaceSpider
from crawler.store import Target
from registry.blobs import open_blobs
from registry.database import Database
from registry.models import Run
from registry.models.base import utcnow
from registry.settings import Settings, load_settings
from registry.standing import standing

PROGRESS_SECONDS = 0.5


def scrapy_settings(
    settings: Settings, definition: Definition, gateway: Gateway | None
) -> dict[str, Any]:
    """Scrapy's settings for one run.

    Parameters
    ----------
    gateway
        For the browser's connections; None where no page needs a browser.
    """
    pages = (
        (definition.list_page, ListPage),
        (definition.listing_page, ListingPage),
        (definition.seller_page, SellerPage),
    )
    # They hold for every address and never for the same page object; the registry wants
    # priorities that differ all the same.
    rules = [
        ApplyRule(Patterns(include=[""], priority=500 + place), use=use, instead_of=instead)
        for place, (use, instead) in enumerate(pages)
        if use is not instead
    ]
    chosen: dict[str, Any] = {
        "ADDONS": {"scrapy_poet.Addon": 300},
        "SCRAPY_POET_RULES": rules,
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "%(levelname)s %(name)s: %(message)s",
        "USER_AGENT": "Touchstone/0.1 (brand protection; obeys robots.txt)",
        "ROBOTSTXT_OBEY": True,
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_START_DELAY": 0.05,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": 8.0,
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_TIMEOUT": 30,
        "DOWNLOAD_MAXSIZE": 12 << 20,
        "DOWNLOAD_WARNSIZE": 0,
        "REDIRECT_MAX_TIMES": 5,
        "RETRY_TIMES": 3,
        "RETRY_HTTP_CODES": [429, 500, 502, 503, 504, 408],
        "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": list(settings.allowed_private_hosts),
        "TWISTED_DNS_RESOLVER": "crawler.middlewares.GateResolver",
        "DOWNLOADER_MIDDLEWARES": {
            "crawler.middlewares.GateMiddleware": 50,
            "crawler.middlewares.RetryAfterMiddleware": 560,
        },
    }
    if gateway is not None:
        handler = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
        chosen |= {
            "DOWNLOAD_HANDLERS": {"http": handler, "https": handler},
            "PLAYWRIGHT_LAUNCH_OPTIONS": {
                "executable_path": str(find_chromium(settings.browser)),
                **launch_options(gateway.url),
            },
            "PLAYWRIGHT_CONTEXTS": {"default": dict(CONTEXT_OPTIONS)},
            "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": 2,
            "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": 30_000,
            # The listings' own pages have the pictures; here only the links count.
            "PLAYWRIGHT_ABORT_REQUEST": _heavy,
        }
    return chosen


def _heavy(request: Any) -> bool:
    return request.resource_type in ("image", "media", "font")


def _gateway_thread(gate: Gate) -> Gateway:
    """A gateway in a thread with a loop of its own, for as long as the process lives.

    The browser starts before Scrapy's loop takes requests, and needs its address then.
    """
    ready: list[Gateway] = []
    up = threading.Event()

    async def serve() -> None:
        async with open_gateway(gate) as gateway:
            ready.append(gateway)
            up.set()
            await asyncio.Event().wait()

    threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
    up.wait(timeout=10)
    return ready[0]


def main() -> int:
    """Run the crawl of the run named on the command line."""
    settings = load_settings()
    database = Database(settings.database)
    with database.reading() as session:
        run = session.get_one(Run, UUID(sys.argv[1]))
        plan, marketplace = run.plan, run.plan.marketplace
        definition = KINDS[marketplace.kind]
        values: dict[str, Any] = {
            "definition": definition,
            "base": marketplace.url,
            "queries": plan.queries,
            "browse": plan.browse,
            "max_pages": plan.max_pages,
            "max_browser_minutes": plan.max_browser_minutes,
            "target": Target(
                run.id,
                plan.id,
                marketplace.id,
                standing(session, plan.brand_id, utcnow().date()),
            ),
        }
    needs_browser = definition.search_in_browser and bool(values["queries"])
    gateway = _gateway_thread(Gate(settings.allowed_private_hosts)) if needs_browser else None
    process = AsyncCrawlerProcess(scrapy_settings(settings, definition, gateway))
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
    reason = str(crawler.stats.get_value("finish_reason")) if crawler.stats else "?"
    ok = reason == "finished" and counts.get("pages", 0) > 0
    print(json.dumps({**counts, "done": True, "reason": reason}), flush=True)
    database.close()
    return 0 if ok else 1


def _counts(crawler: Any) -> dict[str, int]:
    return dict(crawler.spider.counts) if crawler.spider is not None else {}


def _tell(crawler: Any, ended: threading.Event) -> None:
    while not ended.wait(PROGRESS_SECONDS):
        try:
            print(json.dumps(_counts(crawler)), flush=True)
        except BrokenPipeError:
            # Whoever began this run was killed, and nobody else would end it. Where it leads a
            # group, as `crawler.watch` has it, the browser is in there too.
            if os.getpgid(0) == os.getpid():
                os.killpg(os.getpid(), signal.SIGKILL)
            os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
