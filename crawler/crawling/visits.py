"""Visits: from a page of the frontier to a request, and from the answer to what is stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from scrapy import Request
from scrapy.http import Response, TextResponse
from scrapy_playwright.page import PageMethod
from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.browsing.scrolling import scroll_to_end
from crawler.crawling.effects import BrokenOff, Effect, Unread, as_page, is_whole
from crawler.crawling.frontier import Frontier, Page
from crawler.crawling.galleries import Gallery, Marks, known_pictures
from crawler.crawling.result_pages import ResultPages
from crawler.crawling.revisits import SELLER_EVERY
from crawler.crawling.store import Seen, Target, store_seller, store_unchanged
from crawler.crawling.writing import Work
from crawler.health.fields import Coverage, listing_fields
from crawler.marketplaces import Definition
from crawler.marketplaces.pages import ListingPage, SellerRef
from crawler.marketplaces.reader import Reading
from crawler.marketplaces.walls import find_wall
from crawler.ways_in import leads
from registry.database import Database
from registry.models import Seller
from registry.models.base import utcnow

_GONE = (404, 410)
#: Sellers that are remembered, to spare the database a question for each of their listings.
MAX_SELLERS = 5_000
#: Answers whose page may say that we are shut out.
_REFUSED = (401, 403, 429, 503)


@dataclass(slots=True)
class Task:
    """A page under way; `ending` keeps the task that ends it where nobody waits for that."""

    page: Page
    request: Request
    ending: asyncio.Task[None] | None = None


@dataclass(slots=True)
class PageVisits:
    """Visits to the pages of a marketplace, or to what its definition has in their place."""

    definition: Definition
    base: str
    target: Target
    frontier: Frontier
    coverage: Coverage
    gallery: Gallery
    database: Database
    everything: bool = False
    _results: ResultPages = field(init=False)
    #: The last sellers whose pages were seen to; the frontier knows of all.
    _sellers_asked: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._results = ResultPages(
            self.definition, self.base, self.target, self.frontier, self.coverage, self.everything
        )

    def request(self, page: Page) -> Request | None:
        """The request for a page; None if it cannot be visited this way."""
        there: str | None = page.url
        if page.kind != "list":
            there = self.definition.visit_url(page.url)
        if there is None:
            return None
        meta: dict[str, Any] = {}
        if page.arguments.get("browser"):
            meta = {"playwright": True, "playwright_page_methods": [PageMethod(scroll_to_end)]}
        marks = Marks(page.arguments.get("etag"), page.arguments.get("last_modified"))
        # Scrapy would drop a redirect to an address that was asked for, without a word.
        return Request(there, headers=marks.asking(), meta=meta, dont_filter=True)

    async def read(self, page: Page, response: Response, *, last: bool) -> Effect:
        """Read an answer.

        Parameters
        ----------
        last
            Whether it is not asked for again if it broke off.

        Raises
        ------
        BrokenOff
            If it should be.
        Unread
            If it does not say what it should.
        """
        if response.status >= 400:
            return self._refused(page, response)
        if page.kind == "list":
            return self._results.read(page, response, last=last)
        if page.kind == "seller":
            return self._seller(page, response)
        return await self._listing(page, response, last)

    def lead_waits(self, page: Page, reason: str) -> Sequence[Work]:
        """Have the lead that a page was visited for wait for another run."""
        return self._settling(page, "waiting", reason)

    def _settling(self, page: Page, state: str, note: str | None = None) -> tuple[Work, ...]:
        lead = page.arguments.get("lead")
        if lead is None:
            return ()

        def settle(session: Session) -> dict[str, float]:
            leads.settle(session, UUID(lead), state, note)
            return {}

        return (settle,)

    def _refused(self, page: Page, response: Response) -> Effect:
        """An answer that is an error: the listing is gone, we are shut out, or who knows."""
        why = f"HTTP {response.status}"
        if response.status in _GONE:
            return self._gone(page, why)
        text = response.text if isinstance(response, TextResponse) else ""
        wall = None
        if response.status in _REFUSED:
            wall = find_wall(text, response.url, response.status)
        if wall is not None:
            self.coverage.unread(page.kind, response.url, why, response.body, wall=True)
            why = f"{why}, {wall.kind}: {wall.why}"
        raise Unread(why, wall=wall, answered=wall is not None, works=self.lead_waits(page, why))

    def _gone(self, page: Page, why: str, *, answered: bool = False) -> Effect:
        """A listing that is no more. Of one that we never saw, it is an error."""
        works = self._settling(page, "gone", why)
        if page.kind != "listing" or "listing" not in page.arguments:
            raise Unread(why, answered=answered, works=works)
        return Effect(works, "gone", why)

    # Listings

    async def _listing(self, page: Page, response: Response, last: bool) -> Effect:
        external_id = page.arguments["external_id"]
        sha256 = hashlib.sha256(response.body).hexdigest()
        if response.status == 304 or page.arguments.get("page_sha256") == sha256:
            return self._unchanged(page, external_id)
        said = as_page(self.definition.listing_page, response)
        if not is_whole(response, said):
            if not last:
                raise BrokenOff
            why = "the page breaks off, every time"
            raise Unread(why, answered=False, works=self.lead_waits(page, why))
        name = said.name
        if not name:
            return self._no_listing(page, said, response)
        known: dict[str, Any] = {}
        if "listing" in page.arguments and not self.everything:
            known = await asyncio.to_thread(self._known_pictures, UUID(page.arguments["listing"]))
        pictures = await self.gallery.fetch([image.url for image in said.images or []], known)
        seller, brand = said.seller(), said.brand
        marks = Marks.of(response.headers)
        web = self.definition.interface == "pages"
        seen = Seen(
            external_id=external_id,
            url=response.url if web else page.url,
            title=name,
            description=said.description or "",
            price=said.money(),
            availability=said.availability,
            condition=said.condition(),
            brand=brand.name if brand else None,
            seller=seller,
            ships_from=said.ships_from(),
            attributes={p.name: p.value for p in said.additionalProperties or []},
            pictures=pictures,
            etag=marks.etag,
            last_modified=marks.last_modified,
            page_sha256=sha256,
        )
        self.coverage.saw("listing", listing_fields(seen), response.url, response.body)
        works = self._settling(page, "seen")
        asked = self._seller_page(page, seller)
        if asked is not None:
            works += (partial(self._add_seller, page=asked),)
        return Effect(works, seen=seen)

    def _unchanged(self, page: Page, external_id: str) -> Effect:
        def store(session: Session) -> dict[str, float]:
            store_unchanged(session, self.target, external_id)
            return {"listings": 1, "unchanged": 1, "revalidated": 1}

        return Effect((store, *self._settling(page, "seen")))

    def _no_listing(self, page: Page, said: ListingPage, response: Response) -> Effect:
        """A page without a listing: it is gone, we are shut out, or it cannot be read."""
        wall = (
            said.wall()
            if isinstance(said, Reading)
            else find_wall(response.text, response.url, response.status)
        )
        if wall is not None and wall.kind == "gone":
            return self._gone(page, wall.why, answered=True)
        why = f"{wall.kind}: {wall.why}" if wall else "no listing can be read in this page"
        self.coverage.unread("listing", response.url, why, response.body, wall=wall is not None)
        state = "failed" if wall else "missing"
        raise Unread(why, wall=wall, state=state, works=self.lead_waits(page, why))

    def _known_pictures(self, listing_id: UUID) -> dict[str, Any]:
        with self.database.reading() as session:
            return known_pictures(session, listing_id)

    # Sellers

    def _seller_page(self, page: Page, ref: SellerRef | None) -> Page | None:
        """The page of a listing's seller, if this crawl has not seen to it just now."""
        if ref is None or not ref.url or not self.definition.belongs(ref.url, self.base):
            return None
        if ref.id in self._sellers_asked:
            return None
        self._sellers_asked[ref.id] = None
        if len(self._sellers_asked) > MAX_SELLERS:
            self._sellers_asked.pop(next(iter(self._sellers_asked)))
        arguments = {"id": ref.id, "name": ref.name, "url": ref.url}
        return Page("seller", ref.url, page.rank + 3, ref.id, arguments)

    def _add_seller(self, session: Session, page: Page) -> dict[str, float]:
        """Have a seller's page visited, if it has not been for long."""
        read_at = session.scalar(
            select(Seller.visited_at).where(
                Seller.marketplace_id == self.target.marketplace_id,
                Seller.external_id == page.arguments["id"],
            )
        )
        if read_at is not None and utcnow() - read_at < SELLER_EVERY and not self.everything:
            return {}
        return {"waiting": self.frontier.add(session, [page])}

    def _seller(self, page: Page, response: Response) -> Effect:
        ref = SellerRef(page.arguments["id"], page.arguments["name"], page.arguments["url"])
        facts = as_page(self.definition.seller_page, response).facts()
        self.coverage.saw(
            "seller",
            {
                "name": bool(facts.name),
                "country": bool(facts.country),
                "rating": facts.rating is not None,
                "joined": facts.joined_on is not None,
            },
        )

        def store(session: Session) -> dict[str, float]:
            store_seller(session, self.target, ref, facts)
            return {}

        return Effect((store,))
