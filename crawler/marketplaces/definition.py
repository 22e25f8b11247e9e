"""What a marketplace definition consists of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Protocol
from urllib.parse import quote, quote_plus, urljoin, urlsplit

from crawler.marketplaces.api import Api
from crawler.marketplaces.checkout import Checkout
from crawler.marketplaces.pages import MAX_ID, ListingPage, ListPage, SellerPage


@dataclass(frozen=True, slots=True)
class Tested:
    """When the fixtures of a marketplace were last seen to work, and what they are.

    Parameters
    ----------
    on
        The day on which somebody ran them and they passed.
    pages
        Years of the real pages among them; none where all were made by us after the
        structure of real ones.
    """

    on: date
    pages: tuple[int, ...] = ()


class Slug(Protocol):
    """Writes a query into an address."""

    def __call__(self, query: str, /) -> str: ...


def percent(query: str) -> str:
    """``red%20bag``."""
    return quote(query, safe="")


def plus(query: str) -> str:
    """``red+bag``."""
    return quote_plus(query)


def dashes(query: str) -> str:
    """``red-bag``, as an address that is meant to be read."""
    return quote("-".join(re.findall(r"\w+", query)), safe="-")


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of marketplace.

    Parameters
    ----------
    search
        Path of the search with ``{query}`` in it; empty where there is none for visitors.
    search_in_browser
        Whether the results are only there after JavaScript has run.
    listing_path
        Regular expression for the path of a listing, or for its path and query where the
        path alone does not tell; its group ``id`` is the page's own id.
    further
        The same as `search` for the pages after the first, with ``{page}`` (from 2),
        ``{skip}`` (listings before it) or ``{first}`` (one more); empty where pages link to
        the next.
    page_size
        Listings on a page, for ``{skip}`` and ``{first}``.
    folding
        What in an id is written in two ways, and the way that is kept.
    hosts
        Hosts of the marketplace; None where any shop may be of this kind.
    marks
        What stands in the pages of a shop of this kind on whatever host.
    interfaces
        What is read: ``pages``, ``json`` (the shop's public JSON), ``api`` (with a token).
    api
        The official API.
    tested
        When it was last seen to work.
    promised
        Fields that nearly every listing has, by the names of `crawler.health.fields`: should most
        pages lack one before there is any history, their layout is not the one that is read.
    """

    kind: str
    title: str
    search: str
    search_in_browser: bool
    listing_path: re.Pattern[str]
    list_page: type[ListPage]
    listing_page: type[ListingPage]
    seller_page: type[SellerPage]
    checkout: Checkout | None = None
    further: str = ""
    page_size: int = 0
    slug: Slug = percent
    folding: tuple[str, str] = ("", "")
    hosts: re.Pattern[str] | None = None
    marks: re.Pattern[str] | None = None
    interfaces: tuple[str, ...] = ("pages",)
    api: Api | None = None
    tested: Tested | None = None
    promised: tuple[str, ...] = ("price", "currency", "pictures")

    #: Which of the interfaces this one reads.
    interface: ClassVar[str] = "pages"

    def search_url(self, base: str, query: str, page: int = 1) -> str:
        """The address of a page of results.

        Parameters
        ----------
        page
            From 1.

        Raises
        ------
        LookupError
            If pages after the first have no address of their own: they are linked to.
        """
        template = self.search if page == 1 else self.further
        if not template:
            raise LookupError(f"{self.title} has no address for page {page} of its results")
        skip = (page - 1) * self.page_size
        written = template.format(query=self.slug(query), page=page, skip=skip, first=skip + 1)
        return urljoin(base, written)

    def external_id(self, url: str) -> str | None:
        """The page's own id of a listing, None if the address is of something else."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        match = self.listing_path.search(parts.path)
        if match is None and parts.query:
            match = self.listing_path.search(f"{parts.path}?{parts.query}")
        if match is None:
            return None
        found = next((value for value in match.groupdict().values() if value), None)
        if found and self.folding[0]:
            found = found.replace(*self.folding)
        return found if found and len(found) <= MAX_ID else None

    def belongs(self, url: str, base: str) -> bool:
        """Whether an address is of the marketplace at `base`: its host, or another of its own."""
        try:
            there, here = urlsplit(url), urlsplit(base)
            if there.netloc == here.netloc:
                return True
            names = there.hostname or "", here.hostname or ""
        except ValueError:
            return False
        return self.hosts is not None and all(self.hosts.fullmatch(name) for name in names)

    def visit_url(self, url: str) -> str | None:
        """Where the page at an address is read; None if this interface has no such page."""
        return url

    @property
    def middlewares(self) -> dict[str, int]:
        """Downloader middlewares that its requests need beside those of every run."""
        return {}

    @property
    def scrapy_settings(self) -> dict[str, Any]:
        """What those have to know."""
        return {}

    def supports(self) -> dict[str, bool]:
        """What there is: search, listing, seller, api, checkout."""
        return {
            "search": bool(self.search) and self.list_page is not ListPage,
            "listing": self.listing_page is not ListingPage,
            "seller": self.seller_page is not SellerPage,
            "api": self.api is not None,
            "checkout": self.checkout is not None,
        }
