"""What a marketplace definition consists of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from crawler.marketplaces.checkout import Checkout
from crawler.marketplaces.pages import MAX_ID, ListingPage, ListPage, SellerPage


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of marketplace.

    Parameters
    ----------
    search
        Path of the search with ``{query}`` in it.
    search_in_browser
        Whether the results are only there after JavaScript has run.
    listing_path
        Regular expression for the path of a listing; its group ``id`` is the page's own id.
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

    def search_url(self, base: str, query: str) -> str:
        """The address of the first page of results."""
        return urljoin(base, self.search.format(query=quote(query, safe="")))

    def external_id(self, url: str) -> str | None:
        """The page's own id of a listing, None if the address is of something else."""
        match = self.listing_path.search(urlsplit(url).path)
        return match["id"] if match and len(match["id"]) <= MAX_ID else None
