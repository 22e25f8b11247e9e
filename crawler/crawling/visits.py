"""Visits: from a page of the frontier to a request, and from the answer to what is stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from scrapy import Request
from scrapy.http import Response, TextResponse
from scrapy_playwright.page import PageMethod
from scrapy_poet.utils import scrapy_response_to_http_response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.browsing.scrolling import scroll_to_end
from crawler.crawling.frontier import Frontier, Page
from crawler.crawling.galleries import Gallery, Marks, known_pictures
from crawler.crawling.results import Shown, sort_out
from crawler.crawling.revisits import SELLER_EVERY
from crawler.crawling.seeds import results_page
from crawler.crawling.store import (
    Seen,
    Target,
    store_seen,
    store_seller,
    store_shown,
    store_unchanged,
)
from crawler.crawling.writing import Work
from crawler.health.fields import Coverage, listing_fields
from crawler.marketplaces import Definition
from crawler.marketplaces.pages import ListingPage, ListPage, SellerPage, SellerRef
from crawler.marketplaces.reader import Reading
from crawler.marketplaces.site import CardsPage
from crawler.marketplaces.walls import Wall, find_wall
from crawler.queries import yields
from crawler.ways_in import leads
from registry.database import Database
from registry.models import Lead, Seller
from registry.models.base import utcnow

P = TypeVar("P", ListPage, ListingPage, SellerPage)

_GONE = (404, 410)
#: Sellers that are remembered, to spare the database a question for each of their listings.
MAX_SELLERS = 5_000
#: Answers whose page may say that we are shut out.
_REFUSED = (401, 403, 429, 503)


class BrokenOff(Exception):
    """A page that broke off half-way, and should be asked for again."""


@dataclass(slots=True)
class Task:
    """A page under way; `ending` keeps the task that ends it where nobody waits for that."""

    page: Page
    request: Request
    ending: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a page came to: the state of its visit, and what is to be written with it."""

    work: Work
    state: str = "done"
    why: str | None = None


class Unread(Exception):
    """A page that did not say what it should.

    Parameters
    ----------
    wall
        What stands in its place, if that is known.
    answered
        Whether there was a page at all.
    """

    def __init__(
        self,
        why: str,
        *,
        wall: Wall | None = None,
        state: str = "failed",
        answered: bool = True,
        work: Work | None = None,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.wall = wall
        self.state = state
        self.work = work
        self.counts = {"errors": 1}
        if answered:
            self.counts["pages"] = 1
            self.counts["walls" if wall else "unread"] = 1


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
    _kinds: dict[str, Any] = field(init=False)
    #: The last sellers whose pages were seen to; the frontier knows of all.
    _sellers_asked: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kinds = {"list": self._list, "listing": self._listing, "seller": self._seller}

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
        effect: Effect = await self._kinds[page.kind](page, response, last)
        return effect

    def lead_waits(self, page: Page, reason: str) -> Work | None:
        """Have the lead that a page was visited for wait for another run."""
        return self._settling(page, "waiting", reason)

    def _settling(self, page: Page, state: str, note: str | None = None) -> Work | None:
        lead = page.arguments.get("lead")
        if lead is None:
            return None

        def settle(session: Session) -> dict[str, float]:
            leads.settle(session, UUID(lead), state, note)
            return {}

        return settle

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
        raise Unread(why, wall=wall, answered=wall is not None, work=self.lead_waits(page, why))

    def _gone(self, page: Page, why: str, *, answered: bool = False) -> Effect:
        """A listing that is no more. Of one that we never saw, it is an error."""
        work = self._settling(page, "gone", why)
        if page.kind != "listing" or "listing" not in page.arguments:
            raise Unread(why, answered=answered, work=work)
        return Effect(work or _nothing, "gone", why)

    # Pages that lead to listings

    async def _list(self, page: Page, response: Response, last: bool) -> Effect:
        found = _object(self.definition.list_page, response)
        if not _is_whole(response, found) and not last:
            raise BrokenOff
        number = int(page.arguments.get("number", 1))
        counted = bool(page.arguments.get("counted"))
        links = found.links()
        self._judge(found, links, response, counted and number > 1)
        shown = self._shown(found, links)
        following = self._following(page, found, bool(links), number)
        query = page.arguments.get("query")
        lead = page.arguments.get("lead")

        def store(session: Session) -> dict[str, float]:
            target = self.target
            if query is not None:
                yields.found(
                    session, target.plan_id, target.marketplace_id, target.run_id, query, shown
                )
            if lead is not None:
                row = session.get_one(Lead, UUID(lead))
                leads.add_found(session, row, [(s.url, i) for i, s in shown.items()])
                leads.settle(session, row.id, "seen")
                return {}
            rank = page.rank + 1
            visits, seen = sort_out(session, target, shown, rank, everything=self.everything)
            further = self.frontier.add(session, following)
            new = self.frontier.add(session, visits)
            again = store_shown(session, target, seen) if seen else 0
            return {
                "waiting": further + new,
                "found": new + again,
                "listings": again,
                "unchanged": again,
            }

        return Effect(store)

    def _judge(
        self, page: ListPage, links: Sequence[str], response: Response, lenient: bool
    ) -> None:
        """Make sure that a page is one of results, and not a wall or of a layout that is new.

        Else a marketplace that was rebuilt, or that shut us out, would read as one without
        fakes.

        Parameters
        ----------
        lenient
            Where pages are counted, the one after the last may be anything but a wall.
        """
        url, body = response.url, response.body
        if not links and isinstance(page, CardsPage):
            outcome, why = page.outcome()
            wall = None
            if outcome != "listings" and outcome != "empty" and outcome != "unread":
                wall = Wall(outcome, why)
            if wall is not None or (outcome == "unread" and not lenient):
                self.coverage.unread("list", url, why or outcome, body, wall=wall is not None)
                raise Unread(f"{outcome}: {why}" if why else outcome, wall=wall)
        self.coverage.saw("list", {} if lenient else {"links": bool(links)}, url, body)

    def _shown(self, page: ListPage, links: Sequence[str]) -> dict[str, Shown]:
        cards = {card.url: card for card in page.cards} if isinstance(page, CardsPage) else {}
        found: dict[str, Shown] = {}
        for link in links:
            external_id = self.definition.external_id(link)
            # Pages lead elsewhere as well: that is not this marketplace.
            if external_id is not None and self.definition.belongs(link, self.base):
                money = cards[link].money if link in cards else None
                found.setdefault(external_id, Shown(link, external_id, money))
        return found

    def _following(self, page: Page, found: ListPage, links: bool, number: int) -> list[Page]:
        """The page after a page of results."""
        query, depth = page.arguments.get("query"), page.arguments.get("depth")
        rank = page.rank + 1
        if "lead" in page.arguments or (depth is not None and number >= depth):
            return []
        next_page = found.next_page()
        if next_page:
            if not self.definition.belongs(next_page, self.base):
                return []
            arguments = {"query": query, "depth": depth, "number": number + 1}
            return [Page("list", next_page, rank, arguments=arguments)]
        if links and query is not None:
            asked = {"query": query, "depth": depth}
            return list(results_page(self.definition, self.base, asked, number + 1, rank))
        return []

    # Listings

    async def _listing(self, page: Page, response: Response, last: bool) -> Effect:
        external_id = page.arguments["external_id"]
        sha256 = hashlib.sha256(response.body).hexdigest()
        if response.status == 304 or page.arguments.get("page_sha256") == sha256:
            return Effect(self._unchanged(page, external_id))
        said = _object(self.definition.listing_page, response)
        if not _is_whole(response, said):
            if not last:
                raise BrokenOff
            why = "the page breaks off, every time"
            raise Unread(why, answered=False, work=self.lead_waits(page, why))
        item = await said.to_item()
        if not item.name:
            return self._no_listing(page, said, response)
        known: dict[str, Any] = {}
        if "listing" in page.arguments and not self.everything:
            known = await asyncio.to_thread(self._known_pictures, UUID(page.arguments["listing"]))
        pictures = await self.gallery.fetch([image.url for image in item.images or []], known)
        seller = said.seller()
        marks = Marks.of(response.headers)
        web = self.definition.interface == "pages"
        seen = Seen(
            external_id=external_id,
            url=response.url if web else page.url,
            title=item.name,
            description=item.description or "",
            price=said.money(),
            availability=item.availability,
            condition=said.condition(),
            brand=item.brand.name if item.brand else None,
            seller=seller,
            ships_from=said.ships_from(),
            attributes={p.name: p.value for p in item.additionalProperties or []},
            pictures=pictures,
            etag=marks.etag,
            last_modified=marks.last_modified,
            page_sha256=sha256,
        )
        self.coverage.saw("listing", listing_fields(seen), response.url, response.body)
        settled = self._settling(page, "seen")
        asked = self._seller_page(page, seller)

        def store(session: Session) -> dict[str, float]:
            waiting = self._add_seller(session, asked) if asked is not None else 0
            new = store_seen(session, self.target, seen)
            if settled is not None:
                settled(session)
            return {"listings": 1, "new" if new else "unchanged": 1, "waiting": waiting}

        return Effect(store)

    def _unchanged(self, page: Page, external_id: str) -> Work:
        settled = self._settling(page, "seen")

        def store(session: Session) -> dict[str, float]:
            store_unchanged(session, self.target, external_id)
            if settled is not None:
                settled(session)
            return {"listings": 1, "unchanged": 1, "revalidated": 1}

        return store

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
        raise Unread(why, wall=wall, state=state, work=self.lead_waits(page, why))

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

    def _add_seller(self, session: Session, page: Page) -> int:
        """Have a seller's page visited, if it has not been for long."""
        read_at = session.scalar(
            select(Seller.visited_at).where(
                Seller.marketplace_id == self.target.marketplace_id,
                Seller.external_id == page.arguments["id"],
            )
        )
        if read_at is not None and utcnow() - read_at < SELLER_EVERY and not self.everything:
            return 0
        return self.frontier.add(session, [page])

    async def _seller(self, page: Page, response: Response, _last: bool) -> Effect:
        ref = SellerRef(page.arguments["id"], page.arguments["name"], page.arguments["url"])
        facts = _object(self.definition.seller_page, response).facts()
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

        return Effect(store)


def _object(kind: type[P], response: Response) -> P:
    return kind(response=scrapy_response_to_http_response(response))


def _nothing(_session: Session) -> dict[str, float]:
    return {}


def _is_whole(response: Response, page: object) -> bool:
    """Whether a page came to its end; data (JSON) has no other sign of it than being read."""
    if isinstance(page, Reading) and page.data is not None:
        return True
    return isinstance(response, TextResponse) and "</html" in response.text[-2000:].lower()
