"""The spider: search and category pages → listings → pictures and sellers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urljoin

import scrapy
import scrapy.signals
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page as BrowserPage
from scrapy import Request
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.request import fingerprint
from scrapy_playwright.page import PageMethod
from twisted.python.failure import Failure

import matchers
from crawler.marketplaces import Definition
from crawler.marketplaces.pages import ListingPage, ListPage, SellerPage, SellerRef
from crawler.marketplaces.site import CardsPage, Reading
from crawler.store import (
    Seen,
    SeenPicture,
    Target,
    store_picture,
    store_seen,
    store_seller,
    storing,
)
from registry.blobs import Blobs
from registry.database import Database

logger = logging.getLogger(__name__)

MAX_SCROLLS = 200
#: Rounds without a new link after which an endless list is taken to have ended.
QUIET_ROUNDS = 6
SCROLL_MILLISECONDS = 150
MAX_SCROLL_SECONDS = 90.0
MAX_CONTENT_SECONDS = 30.0


class PageBusy(Exception):
    """A page that computes without an end. Scrapy would try a TimeoutError again."""


async def scroll_to_end(page: BrowserPage) -> None:
    """Scroll a page of results until it brings nothing new.

    Raises
    ------
    PageBusy
        If the page keeps the browser too busy to answer.
    """
    try:
        async with asyncio.timeout(MAX_SCROLL_SECONDS):
            await _scroll(page)
    except TimeoutError as error:
        raise PageBusy(f"it kept the browser busy for {MAX_SCROLL_SECONDS:.0f} seconds") from error
    _close_later(page)


async def _scroll(page: BrowserPage) -> None:
    links, quiet = -1, 0
    for _ in range(MAX_SCROLLS):
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        await page.wait_for_timeout(SCROLL_MILLISECONDS)
        now = await page.evaluate("document.links.length")
        quiet = quiet + 1 if now == links else 0
        links = now
        if quiet >= QUIET_ROUNDS:
            return


def _close_later(page: BrowserPage) -> None:
    """See to it that a page that does not give its content now goes all the same."""

    async def close() -> None:
        await asyncio.sleep(MAX_CONTENT_SECONDS)
        with contextlib.suppress(PlaywrightError):
            await page.close()

    task = asyncio.get_running_loop().create_task(close())

    def closed(_page: BrowserPage) -> None:
        task.cancel()

    page.on("close", closed)


def _is_whole(response: Response, page: object) -> bool:
    """Whether a page came to its end; data (JSON) has no other sign of it than being read."""
    if isinstance(page, Reading) and page.data is not None:
        return True
    return isinstance(response, TextResponse) and "</html" in response.text[-2000:].lower()


class MarketplaceSpider(scrapy.Spider):
    """One run of one plan. What it sees is stored at once, a transaction a listing."""

    name = "marketplace"

    def __init__(
        self,
        definition: Definition,
        base: str,
        queries: Iterable[str],
        browse: Iterable[str],
        max_pages: int,
        max_browser_minutes: float | None,
        target: Target,
        database: Database,
        blobs: Blobs,
    ) -> None:
        super().__init__()
        self.definition = definition
        self.base = base
        self.queries = list(queries)
        self.browse = list(browse)
        self.max_pages = max_pages
        self.browser_seconds = math.inf if max_browser_minutes is None else 60 * max_browser_minutes
        self.target = target
        self.database = database
        self.blobs = blobs
        self.counts = dict.fromkeys(
            ("pages", "listings", "new", "unchanged", "errors", "walls", "unread"), 0
        )
        self._lists: set[bytes] = set()
        self._seen_ids: set[str] = set()
        self._sellers: set[str] = set()
        self._asked = 0

    async def start(self) -> AsyncIterator[Request]:
        """The search pages and category pages of the plan."""
        self.crawler.signals.connect(self._crashed, signal=scrapy.signals.spider_error)
        for query in self.queries:
            for request in self._ask_results(query, 1):
                yield request
        for path in self.browse:
            for request in self._ask_list(urljoin(self.base, path)):
                yield request

    def _ask_results(self, query: str, number: int) -> Iterable[Request]:
        """A request for a page of results, from 1, if it has an address."""
        try:
            url = self.definition.search_url(self.base, query, number)
        except LookupError:
            return
        browser = self.definition.search_in_browser
        yield from self._ask_list(url, browser=browser, query=query, number=number)

    def _ask_list(self, url: str, *, browser: bool = False, **values: Any) -> Iterable[Request]:
        """A request for a page that leads to listings, once an address."""
        known = fingerprint(Request(url))
        if known in self._lists:
            return
        self._lists.add(known)
        yield from self._ask(url, self.parse_list, browser=browser, **values)

    def _ask(
        self, url: str, callback: Any, *, browser: bool = False, **values: Any
    ) -> Iterable[Request]:
        """A request for a page of this marketplace, if there may be one more."""
        if not self.definition.belongs(url, self.base):
            return  # pages lead elsewhere as well: that is not this marketplace
        if self._asked >= self.max_pages or (browser and self.browser_seconds <= 0):
            return
        self._asked += 1
        meta: dict[str, Any] = {}
        if browser:
            meta = {"playwright": True, "playwright_page_methods": [PageMethod(scroll_to_end)]}
        yield Request(
            url,
            callback=callback,
            errback=self.failed,
            meta=meta,
            cb_kwargs=values,
            # Scrapy would drop a redirect to an address that was asked for, without a word.
            dont_filter=True,
        )

    # Pages

    async def parse_list(
        self, response: Response, page: ListPage, query: str | None = None, number: int = 1
    ) -> AsyncIterator[Request]:
        """A page that leads to listings.

        Parameters
        ----------
        query, number
            What was searched for, and which page of the results this is; None and 1 for a
            page that was come to by a link.
        """
        if "playwright" in response.meta:
            self.browser_seconds -= response.meta.get("download_latency", 0.0)
        if not _is_whole(response, page):
            again = self._again(response)
            if again is not None:
                yield again
                return
        self.counts["pages"] += 1
        links = page.links()
        if not links and not self._is_list(response, page, number):
            return
        for link in links:
            external_id = self.definition.external_id(link)
            if external_id is not None and external_id not in self._seen_ids:
                requests = list(self._ask(link, self.parse_listing, external_id=external_id))
                if requests:
                    self._seen_ids.add(external_id)
                for request in requests:
                    yield request
        next_page = page.next_page()
        if next_page:
            for request in self._ask_list(next_page):
                yield request
        elif links and query is not None:
            for request in self._ask_results(query, number + 1):
                yield request

    def _is_list(self, response: Response, page: ListPage, number: int) -> bool:
        """Whether a page without listings is one, and not a wall or of a layout that is new.

        Else a marketplace that was rebuilt, or that shut us out, would read as one without
        fakes.
        """
        if not isinstance(page, CardsPage):
            return True
        outcome, why = page.outcome()
        if outcome in ("listings", "empty"):
            return True
        # Where pages are counted, the one after the last may be anything but a wall.
        if outcome == "unread" and number > 1:
            return True
        self.counts["unread" if outcome == "unread" else "walls"] += 1
        self._note(response.url, f"{outcome}: {why}" if why else outcome)
        return False

    async def parse_listing(
        self, response: Response, page: ListingPage, external_id: str
    ) -> AsyncIterator[Request]:
        """A listing, with its pictures."""
        if not _is_whole(response, page):
            again = self._again(response)
            if again is not None:
                yield again
            return
        self.counts["pages"] += 1
        item = await page.to_item()
        if not item.name:
            wall = page.wall() if isinstance(page, Reading) else None
            self.counts["walls" if wall else "unread"] += 1
            self._note(
                response.url,
                f"{wall.kind}: {wall.why}" if wall else "no listing can be read in this page",
            )
            return
        pictures = await asyncio.gather(*(self._picture(image.url) for image in item.images or []))
        seller = page.seller()
        seen = Seen(
            external_id=external_id,
            url=response.url,
            title=item.name,
            description=item.description or "",
            price=page.money(),
            availability=item.availability,
            condition=page.condition(),
            brand=item.brand.name if item.brand else None,
            seller=seller,
            ships_from=page.ships_from(),
            attributes={p.name: p.value for p in item.additionalProperties or []},
            pictures=pictures,
        )
        new = await asyncio.to_thread(
            storing, self.database, lambda session: store_seen(session, self.target, seen)
        )
        self.counts["listings"] += 1
        self.counts["new" if new else "unchanged"] += 1
        if seller is not None and seller.url and seller.id not in self._sellers:
            self._sellers.add(seller.id)
            for request in self._ask(seller.url, self.parse_seller, ref=seller):
                yield request

    async def parse_seller(self, response: Response, page: SellerPage, ref: SellerRef) -> None:
        """A seller's page."""
        self.counts["pages"] += 1
        facts = page.facts()

        await asyncio.to_thread(
            storing, self.database, lambda session: store_seller(session, self.target, ref, facts)
        )

    def failed(self, failure: Failure) -> None:
        """A page that could not be had; the others go on."""
        request = getattr(failure, "request", None)
        error = failure.value
        reason = f"HTTP {error.response.status}" if isinstance(error, HttpError) else str(error)
        self._note(request.url if request else "?", reason or type(error).__name__)

    def _again(self, response: Response) -> Request | None:
        """Another try for a page that broke off half-way; None, and an error, if it is hopeless."""
        assert response.request is not None
        again = get_retry_request(response.request, spider=self, reason="the page breaks off")
        if again is None:
            self._note(response.url, "the page breaks off, every time")
        return again

    def _crashed(self, failure: Failure, response: Response) -> None:
        """A page on which our own code failed: said and counted, never passed over."""
        self._note(response.url, f"{type(failure.value).__name__}: {failure.value}")

    def _note(self, url: str, reason: str) -> None:
        self.counts["errors"] += 1
        logger.warning("%s: %s", url, " ".join(reason.split())[:300])

    # Pictures

    async def _picture(self, url: str) -> SeenPicture:
        """Fetch a picture, hash it, keep it; a second try if it came broken or not at all."""
        fault = None
        for _ in range(2):
            try:
                data = await self._download(url)
                sha256 = await asyncio.to_thread(self._keep, data)
                return SeenPicture(url, sha256, None)
            except matchers.PictureError as error:
                fault = str(error)
            except Exception as error:  # any download may fail in any way; the listing stays
                fault = f"{type(error).__name__}: {error}"[:300]
        return SeenPicture(url, None, fault)

    async def _download(self, url: str) -> bytes:
        engine = self.crawler.engine
        assert engine is not None
        response = await engine.download_async(Request(url, meta={"handle_httpstatus_all": True}))
        if response.status != 200:
            raise matchers.PictureError(f"HTTP {response.status}")
        return response.body

    def _keep(self, data: bytes) -> str:
        picture = matchers.fingerprint(data)
        media_type = matchers.media_type(data)
        values = matchers.to_json(picture)
        sha256: str = values.pop("sha256")
        blob = self.blobs.put_bytes(data, "." + media_type.removeprefix("image/"))
        storing(
            self.database,
            lambda session: store_picture(session, sha256, blob, media_type, values),
        )
        return sha256
