"""Pages that lead to listings: judged, their listings sorted out, the page after them found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from scrapy.http import Response
from sqlalchemy.orm import Session

from crawler.crawling.effects import BrokenOff, Effect, Unread, as_page, is_whole
from crawler.crawling.frontier import Frontier, Page
from crawler.crawling.results import Shown, sort_out
from crawler.crawling.seeds import results_page
from crawler.crawling.store import Target, store_shown
from crawler.health.fields import Coverage
from crawler.marketplaces import Definition
from crawler.marketplaces.pages import ListPage
from crawler.marketplaces.site import CardsPage
from crawler.marketplaces.walls import Wall
from crawler.queries import yields
from crawler.ways_in import leads
from registry.models import Lead


@dataclass(frozen=True, slots=True)
class ResultPages:
    """Search results and categories of one crawl.

    Parameters
    ----------
    everything
        Whether known listings are visited that are not due.
    """

    definition: Definition
    base: str
    target: Target
    frontier: Frontier
    coverage: Coverage
    everything: bool

    def read(self, page: Page, response: Response, *, last: bool) -> Effect:
        """Read one.

        Raises
        ------
        BrokenOff, Unread
            As `crawler.crawling.visits.PageVisits.read`.
        """
        found = as_page(self.definition.list_page, response)
        if not is_whole(response, found) and not last:
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

        return Effect((store,))

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
