"""Reading the list of orders of a buyer's account: what is there, or that it cannot be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from parsel import Selector

from crawler.marketplaces.checkout import Checkout, OrderList
from crawler.marketplaces.pages import clean
from crawler.marketplaces.prices import read_price
from registry.money import Money


class Unreadable(Exception):
    """The list is not there, or not as the recipe knows it: it proves nothing."""


class NotSignedIn(Unreadable):
    """The shop shows something else to whoever is not signed in."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An order as an account shows it.

    Parameters
    ----------
    title, total, at
        None where they are not shown, or cannot be read.
    details
        Address of a page that says more.
    """

    number: str
    title: str | None
    total: Money | None
    at: datetime | None
    status: str | None
    details: str | None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of a list, newest order first, and where the older ones are."""

    orders: tuple[Listed, ...]
    following: str | None


def read_page(html: str, url: str, recipe: Checkout) -> OrderPage:
    """Read a page of the list.

    Raises
    ------
    Unreadable
        If it is another page, or shows orders without their numbers.
    """
    orders = recipe.orders
    assert orders is not None
    path = urlsplit(url).path
    if not re.search(orders.shown, path):
        raise NotSignedIn(f"the order list leads to {path[:200]}: nobody is signed in there")
    page = Selector(html)
    rows = page.css(orders.order)
    if not rows and not page.css(orders.empty):
        raise Unreadable("the page has no order, and does not say that there is none")
    following = None
    if orders.following is not None:
        following = _same_host(url, page.css(orders.following).get())
    return OrderPage(tuple(_read(row, url, recipe, orders) for row in rows), following)


def read_title(html: str, orders: OrderList) -> str | None:
    """What was ordered, from the page of an order; None if it was not one thing."""
    assert orders.details_title is not None
    titles = {_text(one) for one in Selector(html).css(orders.details_title)} - {None}
    return titles.pop() if len(titles) == 1 else None


def _read(row: Selector, url: str, recipe: Checkout, orders: OrderList) -> Listed:
    number = _field(row, orders.number)
    if number is None or len(number) > 100:
        raise Unreadable("an order has no number")
    details = None
    if orders.details is not None:
        details = _same_host(url, row.css(orders.details).get())
    return Listed(
        number=number,
        title=None if orders.title is None else _field(row, orders.title),
        total=read_price(_field(row, orders.total) or "", recipe.currencies, recipe.decimal),
        at=_date(_field(row, orders.date) or "", orders.dates),
        status=None if orders.status is None else _field(row, orders.status),
        details=details,
    )


def _field(row: Selector, css: str) -> str | None:
    found = row.css(css)
    if not found:
        return None
    return clean(found[0].get()) if "::" in css else _text(found[0])


def _text(element: Selector) -> str | None:
    return clean(element.xpath("string()").get())


def _date(text: str, formats: tuple[str, ...]) -> datetime | None:
    """When that was; as if the shop's clock were in UTC, unless it says."""
    # As Django writes it: "1:30 p.m.", "noon", "Sept. 3".
    plain = text.replace("a.m.", "AM").replace("p.m.", "PM").replace("Sept.", "Sep")
    plain = plain.replace("midnight", "12 AM").replace("noon", "12 PM").replace(". ", " ")
    for one in formats:
        try:
            at = datetime.fromisoformat(text) if one == "iso" else datetime.strptime(plain, one)
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None


def _same_host(url: str, link: str | None) -> str | None:
    """A link as an address, unless it leads to another host: the login is for this one."""
    if not link:
        return None
    try:
        there = urljoin(url, link)
        return there if urlsplit(there).netloc == urlsplit(url).netloc else None
    except ValueError:
        return None
