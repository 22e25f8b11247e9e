"""Page objects: from a page to what it says, in the vocabulary of zyte-common-items.

Structured data (JSON-LD) first where a page has it, then the markup that a marketplace's
subclass names. A field that is not there is None; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import parsel
from web_poet import WebPage, cached_method, field
from zyte_common_items import (
    AdditionalProperty,
    Brand,
    Image,
    Product,
    ProductPage,
)

from crawler.marketplaces import structured
from crawler.marketplaces.facts import SellerFacts, SellerRef
from crawler.marketplaces.prices import read_price
from registry.money import Money

__all__ = ["ListPage", "ListingPage", "SellerFacts", "SellerPage", "SellerRef", "clean"]

MAX_TEXT = 20_000
MAX_ID = 255
MAX_IMAGES = 12
MAX_REVIEWS = 50
MAX_REVIEW_TEXT = 2_000

#: What a link to the terms of shipping and returns says, where a marketplace names no selector.
_TERMS = re.compile(
    r"shipping|delivery|returns?\b|refund|versand|lieferung|r(?:ü|ue)ck(?:gabe|sendung)|widerruf"
    r"|livraison|retours?\b|envíos?|devoluci|spedizion|\bresi\b|verzend|доставк|возврат"
    r"|配送|退货|退換|運費|返品",
    re.IGNORECASE,
)

_GONE = re.compile(r"out\s*of\s*stock|sold\s*out|unavailable|not available|discontinued", re.I)


if TYPE_CHECKING:
    _Page = WebPage[Any]
else:
    # web-poet looks for a page's item class in the first base that is generic.
    _Page = object


class Tree(parsel.Selector):
    """A tree whose attributes are read one by one where a page names one as XML cannot."""

    @property
    def attrib(self) -> dict[str, str]:
        """The attributes of the element that have a name."""
        try:
            return super().attrib
        except ValueError:
            found = {}
            for name in self.root.attrib:
                try:
                    found[name] = self.root.get(name)
                except ValueError:
                    continue
            return found


class AsHtml(_Page):
    """A page that is read as HTML whatever its body looks like."""

    @cached_property
    def selector(self) -> parsel.Selector:
        """The page's tree. Left to itself parsel takes a body that begins with ``{`` for JSON."""
        return Tree(text=self.html, type="html", base_url=str(self.url))


class ListPage(AsHtml, WebPage[Any]):
    """A page that leads to listings: search results, a category."""

    LINKS: ClassVar[str] = "a::attr(href)"
    NEXT: ClassVar[str] = "a[rel=next]::attr(href)"

    def links(self) -> list[str]:
        """Addresses of listings, absolute, in order, each once."""
        found = (absolute(self, link) for link in self.css(self.LINKS).getall())
        return list(dict.fromkeys(link for link in found if link))

    def next_page(self) -> str | None:
        """Address of the next page, None on the last one."""
        link = self.css(self.NEXT).get()
        return absolute(self, link) if link else None


class SellerPage(AsHtml, WebPage[Any]):
    """A seller's own page."""

    NAME: ClassVar[str] = ""
    COUNTRY: ClassVar[str] = ""
    RATING: ClassVar[str] = ""
    JOINED: ClassVar[str] = ""

    def facts(self) -> SellerFacts:
        """What it says; None for what it does not."""
        return SellerFacts(
            name=self._text(self.NAME),
            country=self._text(self.COUNTRY),
            rating=as_number(self._text(self.RATING)),
            joined_on=as_date(self._text(self.JOINED)),
        )

    def _text(self, selector: str) -> str | None:
        return clean(self.css(selector).get()) if selector else None


class ListingPage(AsHtml, ProductPage):
    """A listing. Subclasses name the marketplace's markup by CSS selectors."""

    TITLE: ClassVar[str] = "h1::text"
    PRICE: ClassVar[str] = ""
    AVAILABILITY: ClassVar[str] = ""
    DESCRIPTION: ClassVar[str] = ""
    IMAGES: ClassVar[str] = ""
    SELLER: ClassVar[str] = ""
    SELLER_ID: ClassVar[re.Pattern[str]] = re.compile(r"/seller/(?P<id>[^/?#]+)")
    SHIPS_FROM: ClassVar[str] = ""
    ATTRIBUTES: ClassVar[str] = "table tr"
    #: Controls that choose a variant: drop-down lists, radio buttons, buttons that send nothing.
    VARIANTS: ClassVar[str] = ""
    #: Links to the terms of shipping and returns; found by their words if empty.
    TERMS: ClassVar[str] = ""
    #: Each review that the page shows, and the link to the page with more of them.
    REVIEW: ClassVar[str] = ""
    REVIEWS_LINK: ClassVar[str] = ""
    #: Currency signs of this marketplace, longest first where one holds another.
    CURRENCIES: ClassVar[Mapping[str, str]] = {"€": "EUR", "£": "GBP", "US $": "USD", "$": "USD"}
    DECIMAL: ClassVar[Mapping[str, str]] = {"EUR": ","}

    @cached_property
    def _data(self) -> Mapping[str, Any]:
        """The page's schema.org Product, empty if it has none."""
        return structured.product(self.html, str(self.response.url))

    @cached_property
    def _offer(self) -> Mapping[str, Any]:
        return structured.offer(self._data)

    @field
    def name(self) -> str | None:
        """The whole title."""
        return _string(self._data.get("name")) or self._text(self.TITLE)

    @field
    def description(self) -> str | None:
        """The seller's text."""
        said = _string(self._data.get("description"))
        if said or not self.DESCRIPTION:
            return said
        return clean(" ".join(self.css(self.DESCRIPTION).getall()))

    def money(self) -> Money | None:
        """The price, None if there is none that can be read with certainty."""
        return structured.price(self._offer) or self.shown_money()

    def shown_money(self) -> Money | None:
        """The price in the page's markup, which follows a choice where its data does not."""
        text = clean(" ".join(self.css(self.PRICE).getall())) if self.PRICE else None
        return read_price(text, self.CURRENCIES, self.DECIMAL) if text else None

    @field
    def price(self) -> str | None:
        """The amount, as zyte-common-items writes it."""
        money = self.money()
        return str(money.amount) if money else None

    @field
    def currency(self) -> str | None:
        """ISO 4217."""
        money = self.money()
        return money.currency if money else None

    @field
    def availability(self) -> str | None:
        """``InStock``, ``OutOfStock``, ``PreOrder`` or ``BackOrder``."""
        said = structured.availability(self._offer.get("availability"))
        shown = self._text(self.AVAILABILITY)
        if said or not shown:
            return said
        return "OutOfStock" if _GONE.search(shown) else "InStock"

    @field
    def images(self) -> list[Image] | None:
        """Pictures, largest first as the page orders them."""
        links = [clean(link) for link in structured.links(self._data.get("image"))]
        links += self.css(self.IMAGES).getall() if self.IMAGES else []
        found = dict.fromkeys(absolute(self, link) for link in links if link)
        return [Image(url=url) for url in found if url][:MAX_IMAGES] or None

    @field
    def brand(self) -> Brand | None:
        """The brand that the listing claims in its data."""
        text = _string(structured.name_of(self._data.get("brand")))
        if not text:
            attributes = {k.casefold(): v for k, v in self._attributes()}
            text = attributes.get("brand")
        return Brand(name=text) if text else None

    @field
    def additionalProperties(self) -> list[AdditionalProperty] | None:
        """The table of attributes."""
        return [AdditionalProperty(name=k, value=v) for k, v in self._attributes()] or None

    def seller(self) -> SellerRef | None:
        """Who sells it."""
        link = self.css(self.SELLER) if self.SELLER else None
        if link:
            href = link.attrib.get("href", "")
            match = self.SELLER_ID.search(href)
            name = clean(link.css("::text").get())
            seller_id = clean(match["id"]) if match else None
            if seller_id:
                return SellerRef(seller_id[:MAX_ID], name, absolute(self, href))
        name = _string(structured.name_of(self._offer.get("seller")))
        return SellerRef(f"name:{name}"[:MAX_ID], name, None) if name else None

    def condition(self) -> str | None:
        """``new``, ``used`` or what the page says."""
        said = _string(self._data.get("itemCondition") or self._offer.get("itemCondition"))
        if not said:
            attributes = {k.casefold(): v for k, v in self._attributes()}
            said = attributes.get("condition") or attributes.get("zustand")
        if not said:
            return None
        word = said.rsplit("/", 1)[-1].removesuffix("Condition").casefold()
        return word[:64]

    def ships_from(self) -> str | None:
        """Where it is sent from."""
        return self._text(self.SHIPS_FROM) or dict(self._attributes()).get("Ships from")

    def terms(self) -> list[str]:
        """Addresses of the terms of shipping and returns, absolute, each once."""
        if self.TERMS:
            links = self.css(self.TERMS).getall()
        else:
            links = [
                link.attrib.get("href", "")
                for link in self.css("a[href]")
                if _TERMS.search(" ".join(link.css("::text").getall())[:100])
            ]
        found = (absolute(self, link) for link in links)
        return list(dict.fromkeys(link for link in found if link))

    def reviews(self) -> list[str]:
        """The reviews that the page shows, as text."""
        shown = self.css(self.REVIEW) if self.REVIEW else []
        texts = (clean(" ".join(review.css("::text").getall())) for review in shown)
        return [text[:MAX_REVIEW_TEXT] for text in texts if text][:MAX_REVIEWS]

    def reviews_link(self) -> str | None:
        """Address of the page with more reviews."""
        link = self.css(self.REVIEWS_LINK).get() if self.REVIEWS_LINK else None
        return absolute(self, link) if link else None

    @cached_method
    def _attributes(self) -> list[tuple[str, str]]:
        found = []
        for row in self.css(self.ATTRIBUTES):
            name = clean(" ".join(row.css("th ::text, th::text").getall()))
            value = clean(" ".join(row.css("td ::text, td::text").getall()))
            if name and value:
                found.append((name[:100], value[:500]))
        return found[:60]

    def _text(self, selector: str) -> str | None:
        return clean(self.css(selector).get()) if selector else None

    async def to_item(self) -> Product:
        """The listing as a zyte-common-items Product."""
        item: Product = await super().to_item()
        return item


def clean(text: str | None) -> str | None:
    """Text with its blanks folded; None if it is empty.

    NULs and lone surrogates, which JSON can write and no database takes, are gone.
    """
    if text is None:
        return None
    text = text.replace("\0", "").encode("utf-8", "ignore").decode()
    return " ".join(text.split())[:MAX_TEXT] or None


def _string(value: Any) -> str | None:
    """Clean text out of structured data, where anything may stand."""
    return clean(structured.text(value))


def as_number(text: str | None) -> float | None:
    """The first number of a text."""
    match = re.search(r"\d+(?:\.\d+)?", text or "")
    return float(match.group()) if match else None


def as_date(text: str | None) -> date | None:
    """A date as ISO 8601 writes it."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def absolute(page: WebPage[Any], link: str) -> str | None:
    """A link as an absolute address; None if it is none, such as ``http://[``."""
    try:
        return str(page.urljoin(link))
    except ValueError:
        return None
