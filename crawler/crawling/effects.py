"""What a visit comes to: the page as an object that reads it, and what is to be written of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from scrapy.http import Response, TextResponse
from web_poet import HttpResponse, HttpResponseHeaders

from crawler.crawling.store import Seen
from crawler.crawling.writing import Work
from crawler.marketplaces.pages import ListingPage, ListPage, SellerPage
from crawler.marketplaces.reader import Reading
from crawler.marketplaces.walls import Wall

P = TypeVar("P", ListPage, ListingPage, SellerPage)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a page came to: the state of its visit, and what is to be written with it.

    Parameters
    ----------
    seen
        The listing that it showed.
    why
        It is gone.
    """

    works: Sequence[Work] = ()
    state: str = "done"
    why: str | None = None
    seen: Seen | None = None


class BrokenOff(Exception):
    """A page that broke off half-way, and should be asked for again."""


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
        works: Sequence[Work] = (),
    ) -> None:
        super().__init__(why)
        self.why = why
        self.wall = wall
        self.state = state
        self.works = works
        self.counts = {"errors": 1}
        if answered:
            self.counts["pages"] = 1
            self.counts["walls" if wall else "unread"] = 1


def as_page(kind: type[P], response: Response) -> P:
    """An answer as the page object that reads it."""
    return kind(
        response=HttpResponse(
            url=response.url,
            body=response.body,
            status=response.status,
            headers=HttpResponseHeaders.from_bytes_dict(response.headers),
        )
    )


def is_whole(response: Response, page: ListPage | ListingPage) -> bool:
    """Whether a page came to its end; data (JSON) has no other sign of it than being read."""
    if isinstance(page, Reading) and page.data is not None:
        return True
    return isinstance(response, TextResponse) and "</html" in page.html[-2000:].lower()
