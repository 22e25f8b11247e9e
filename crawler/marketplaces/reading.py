"""Reading one page, of whatever marketplace: for the live check and for saved pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from web_poet import HttpResponse

from crawler.marketplaces import KINDS, addresses
from crawler.marketplaces.definition import Definition
from crawler.marketplaces.facts import Card, SellerRef
from crawler.marketplaces.pages import ListingPage, ListPage
from crawler.marketplaces.reader import Reading
from crawler.marketplaces.schema_org import ShopListingPage
from crawler.marketplaces.site import CardsPage, SitePage
from registry.errors import TouchstoneError
from registry.money import Money

MAX_BYTES = 12 << 20
#: Where a saved page does not say where it came from.
NOWHERE = "https://unknown.invalid/"
#: So many cards make a page of results of one that does not say that it is a product's.
MANY = 6
Kind = Literal["listing", "results"]
_HOSTS = re.compile("|".join(f"(?:{d.hosts.pattern})" for d in KINDS.values() if d.hosts))


class Unreadable(TouchstoneError):
    """A page that cannot be read at all: too large, of no known kind, from no address."""


@dataclass(frozen=True, slots=True)
class PageRead:
    """What was read of a page.

    Attributes
    ----------
    outcome
        ``listing``, ``listings``, ``empty``, ``captcha``, ``login``, ``blocked``, ``gone``
        or ``unread``: nothing was found, and nothing says why.
    why
        The reason of an outcome that is neither ``listing`` nor ``listings``.
    money, money_to
        The price, of a range the lowest; the end of the range.
    """

    kind: str
    url: str
    outcome: str
    why: str = ""
    title: str | None = None
    money: Money | None = None
    money_to: Money | None = None
    availability: str | None = None
    images: tuple[str, ...] = ()
    seller: SellerRef | None = None
    brand: str | None = None
    condition: str | None = None
    ships_from: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    cards: tuple[Card, ...] = ()
    next_page: str | None = None


def address_of(body: bytes) -> str | None:
    """The address that a saved page says it has: its canonical link, else ``og:url``.

    Without either, the front page of the marketplace or shop that it names most often.
    """
    return addresses.said(body) or addresses.marketplace_of(body, _HOSTS)


def identify(url: str, body: bytes = b"") -> Definition:
    """The kind of marketplace of a page: by its host, by its platform's marks, else any shop.

    Parameters
    ----------
    url
        Its address, an archive's, or that of a file: then what the page says of itself counts.
    """
    try:
        host = urlsplit(_came_from(url, body)).hostname or ""
    except ValueError:
        host = ""
    for definition in KINDS.values():
        if definition.hosts is not None and definition.hosts.fullmatch(host):
            if definition.kind == "taobao" and "tmall" in host:
                continue
            return definition
    page = body[:2_000_000].decode("utf-8", "replace")
    for definition in KINDS.values():
        if definition.marks is not None and definition.marks.search(page):
            return definition
    return KINDS["schema.org"]


def _came_from(url: str, body: bytes) -> str:
    """The address of a page: the one that is given, unless it is a file's or nobody's."""
    url = addresses.original(url)
    if addresses.stands(url):
        return url
    if url.startswith(("http://", "https://")):
        return addresses.said(body) or url
    return address_of(body) or url or NOWHERE


def read_page(
    body: bytes,
    url: str | None = None,
    *,
    kind: str | None = None,
    what: Kind | None = None,
    status: int = 200,
    content_type: str | None = None,
) -> PageRead:
    """Read a page as what it is.

    Parameters
    ----------
    url
        Where it came from; by default what the page says itself.
    kind
        Of marketplace; by default told from the address and the page.
    what
        Whether it is a listing or a page of results; by default by its address, else by
        what is found in it.

    Raises
    ------
    Unreadable
        If it is larger than any page, or the address or the kind is none.
    """
    if len(body) > MAX_BYTES:
        raise Unreadable(
            f"{url or 'the page'}: {len(body)} bytes, more than the {MAX_BYTES} that are read"
        )
    address = _came_from(url or "", body)
    try:
        urlsplit(address)
    except ValueError as error:
        raise Unreadable(f"{address[:200]} is no address: {error}") from error
    if kind is not None and kind not in KINDS:
        raise Unreadable(f"there is no kind {kind!r}; see marketplace list")
    definition = KINDS[kind] if kind else identify(address, body)
    headers = {"content-type": content_type} if content_type else {}
    response = HttpResponse(address, body=body, status=status, headers=headers)
    if what == "listing":
        return read_listing(definition, response)
    if what == "results":
        return read_results(definition, response)
    listing = read_listing(definition, response)
    results = read_results(definition, response)
    is_listing = listing.outcome == "listing" and listing.money is not None
    if definition.hosts is not None:
        if definition.external_id(address) is not None:
            return listing if listing.outcome != "unread" or not results.cards else results
        if is_listing and (len(results.cards) < 3 or listing.seller):
            return listing
        return results
    page = definition.listing_page(response=response)
    about = page.about_product() if isinstance(page, ShopListingPage) else None
    if about is False and results.cards:
        return results
    if is_listing and (about or len(results.cards) < MANY):
        return listing
    if about and listing.outcome == "listing":
        return listing
    return results if results.cards or results.outcome == "empty" else listing


def read_listing(definition: Definition, response: HttpResponse) -> PageRead:
    """Read a response as a listing."""
    page: ListingPage = definition.listing_page(response=response)
    name, money, images = page.name, page.money(), page.images or []
    brand = page.brand
    if name and (money or images):
        outcome, why = "listing", ""
    else:
        wall = page.wall() if isinstance(page, Reading) else None
        outcome = wall.kind if wall else "unread"
        why = (
            wall.why if wall else "no title with a price or a picture: the layout may have changed"
        )
    return PageRead(
        kind=definition.kind,
        url=str(response.url),
        outcome=outcome,
        why=why,
        title=name,
        money=money,
        money_to=page.money_to() if isinstance(page, SitePage) else None,
        availability=page.availability,
        images=tuple(image.url for image in images),
        seller=page.seller(),
        brand=brand.name if brand else None,
        condition=page.condition(),
        ships_from=page.ships_from(),
        attributes={p.name: p.value for p in page.additionalProperties or []},
    )


def read_results(definition: Definition, response: HttpResponse) -> PageRead:
    """Read a response as a page of results."""
    page: ListPage = definition.list_page(response=response)
    if isinstance(page, CardsPage):
        outcome, why = page.outcome()
        cards = page.cards
    else:
        cards = tuple(Card(link) for link in page.links())
        outcome, why = ("listings", "") if cards else ("unread", "no link to a listing")
    return PageRead(
        kind=definition.kind,
        url=str(response.url),
        outcome=outcome,
        why="" if outcome == "listings" else why,
        cards=cards,
        next_page=page.next_page(),
    )
