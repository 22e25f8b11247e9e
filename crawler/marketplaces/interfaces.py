"""Which interface a marketplace is read by: its pages, or its official API in their stead.

`facing` gives a definition by either. Listings keep the address and the id of their page, so
that both ways meet in one listing; only what is asked for is an address of the API.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from crawler.marketplaces.api import Api, Results, address
from crawler.marketplaces.definition import Definition
from crawler.marketplaces.facts import Card, Facts
from crawler.marketplaces.site import CardsPage, Outcome, SitePage
from registry.errors import TouchstoneError


class ApiListPage(CardsPage):
    """An answer with results."""

    API: ClassVar[Api]

    @cached_property
    def _results(self) -> Results:
        return self.API.read_search(self.data)

    def own_cards(self) -> tuple[Card, ...]:
        """The listings' own pages."""
        return self._results.cards

    def next_page(self) -> str | None:
        """The same question further on, until as many were answered as there are."""
        url = str(self.response.url)
        said = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        offset = int(said.get("offset", "0")) + self.API.page_size
        total = self._results.total
        if not self.cards or offset > self.API.last_offset:
            return None
        if total is not None and offset >= total:
            return None
        return address(url.partition("?")[0], **{**said, "offset": offset})

    def outcome(self) -> tuple[Outcome, str]:
        """What the answer is. Nothing found is said by its total, else it is not understood."""
        if self.cards:
            return "listings", f"{len(self.cards)} listings"
        if self._results.total is not None:
            return "empty", f"of {self._results.total} listings none is here"
        return "unread", f"the answer is not what {self.API.name} is documented to give"


class ApiListingPage(SitePage):
    """An answer with one listing."""

    API: ClassVar[Api]
    SOURCES = ("own",)

    def own(self) -> Facts:
        """What the answer says."""
        return self.API.read_listing(self.data)


@dataclass(frozen=True, kw_only=True)
class ApiDefinition(Definition):
    """A kind of marketplace, read by its API on the market of one country."""

    interface: ClassVar[str] = "api"
    source: Api
    host: str
    market: str

    def search_url(self, base: str, query: str, page: int = 1) -> str:
        """The address of the first page of results; answers tell the next.

        Raises
        ------
        LookupError
            For any page but the first.
        """
        if page != 1:
            raise LookupError(f"{self.source.name}: pages after the first follow from the answers")
        return self.source.search_url(self.host, query, page, self.market)

    def belongs(self, url: str, base: str) -> bool:
        """Whether it is of the API, or a page of the marketplace whatever its country."""
        try:
            parts = urlsplit(url)
            name = parts.hostname or ""
        except ValueError:
            return False
        return (
            f"{parts.scheme}://{parts.netloc}" == self.host
            or parts.netloc == urlsplit(base).netloc
            or (self.hosts is not None and self.hosts.fullmatch(name) is not None)
        )

    def visit_url(self, url: str) -> str | None:
        """Where a listing is answered for; None for all else, such as a seller's page."""
        external_id = self.external_id(url)
        return None if external_id is None else self.source.listing_url(self.host, external_id)

    @property
    def middlewares(self) -> dict[str, int]:
        """They add the token, count the calls and say what a refusal means."""
        return {"crawler.network.official.ApiManners": 60, "crawler.network.official.ApiCalls": 570}

    @property
    def scrapy_settings(self) -> dict[str, Any]:
        """Not the token: settings are printed here and there."""
        return {"TOUCHSTONE_API": self.kind, "TOUCHSTONE_API_MARKET": self.market}


def facing(definition: Definition, base: str, interface: str | None) -> Definition:
    """A definition by the interface that is to be read.

    Parameters
    ----------
    base
        The marketplace's address, which tells the country.
    interface
        ``pages`` or ``api``; None: the API where there is one and a token for it is set.

    Raises
    ------
    TouchstoneError
        If there is no such interface, or no token for the API that is asked for.
    """
    if interface not in (None, "pages", "api"):
        raise TouchstoneError(f"interface {interface!r}: it is either pages or api")
    source = definition.api
    if interface == "pages" or (interface is None and (source is None or not source.is_ready())):
        return definition
    if source is None:
        raise TouchstoneError(
            f"{definition.title} has no API that is known here: watch the pages instead "
            "(interface: pages)"
        )
    source.demand()
    values = {field.name: getattr(definition, field.name) for field in fields(definition)}
    values |= {
        "search_in_browser": False,
        "list_page": type("AnsweredList", (ApiListPage,), {"API": source}),
        "listing_page": type("AnsweredListing", (ApiListingPage,), {"API": source}),
    }
    return ApiDefinition(**values, source=source, host=source.host(), market=market_of(base))


def market_of(base: str) -> str:
    """The country of a marketplace's address, ISO 3166: ``US`` where the address tells none."""
    last = (urlsplit(base).hostname or "").rpartition(".")[2].upper()
    return {"UK": "GB"}.get(last, last) if len(last) == 2 and last.isalpha() else "US"
