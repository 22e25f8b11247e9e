"""Checkout recipes: data that says how a shop is bought from, step by step.

A recipe is data and not code, so that the one piece of code that may click an ordering
button (`purchases.ordering`) is the same for every shop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Step:
    """A page of the checkout and what is done on it.

    Parameters
    ----------
    path
        Regular expression that the page's path must match, or the shop has changed.
    fills
        CSS selector of a field → name of a field of the buyer's persona.
    selects
        The same for drop-down lists, by the option's value.
    checks
        Radio buttons and boxes to set.
    submit
        What leads to the next page. Never the ordering button.
    guest
        Whether the page comes only where nobody is signed in.
    """

    name: str
    path: str
    submit: str
    fills: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    selects: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    checks: tuple[str, ...] = ()
    guest: bool = False


@dataclass(frozen=True, slots=True)
class OrderList:
    """Where a buyer's account lists its orders, newest first, for whoever is signed in.

    Selectors are CSS as parsel reads it; those of an order's parts are within the order.

    Parameters
    ----------
    path
        Path of the list.
    shown
        Regular expression of the path at which it is really shown: elsewhere, nobody is signed in.
    order, empty
        Selectors of an order, and of what stands there if there is none. A page with neither
        is not the list.
    title
        None where the list does not name what was bought; then `details` leads to a page that
        does, by `details_title`.
    dates
        Formats of `strptime`, or ``iso``.
    following
        Selector of the link to older orders; None if all are on one page.
    """

    path: str
    shown: str
    order: str
    empty: str
    number: str
    title: str | None
    total: str
    date: str
    dates: tuple[str, ...]
    status: str | None = None
    following: str | None = None
    details: str | None = None
    details_title: str | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """Where a guest finds an order by its number and the e-mail address that was given with it.

    What is found is shown as the account's list shows an order, and read by its selectors.

    Parameters
    ----------
    path
        Path of the form, and the only one to which it may be sent.
    shown
        Regular expression of the path at which the order is shown.
    email, number, submit
        Selectors of the form's fields and of its button.
    """

    path: str
    shown: str
    email: str
    number: str
    submit: str


@dataclass(frozen=True, slots=True)
class Letters:
    """What the shop's e-mails about an order look like. Patterns ignore case.

    Parameters
    ----------
    senders
        Domains from which the shop writes, beside its own host.
    confirmed, shipped
        Patterns of a subject: an order was taken, an order is on its way.
    number, tracking, carrier
        Patterns of subject or text, with what is wanted as their first group.
    """

    senders: tuple[str, ...]
    confirmed: str
    number: str
    shipped: str | None = None
    tracking: str | None = None
    carrier: str | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """A whole recipe.

    Parameters
    ----------
    add
        On the listing's page: puts one into the basket.
    basket
        Path of the basket, where the shop does not go there by itself; None if it does.
    steps
        From the basket to the last page before the order.
    review
        Path of that last page; there `total`, `quantity`, `title` are read and
        `order_button` stands.
    title, seller, price
        Selectors on the review page; None where the shop shows none. The price is that of the
        thing alone.
    thanks
        Path of the page that confirms the order, with `order_number` on it.
    decimal
        Decimal separator by currency, where it is not a point.
    orders
        The account's list of orders; None where buyers have no account, or none that lists
        them. Then nothing tells what an earlier attempt ordered, and a person decides.
    look_up
        Where a guest finds an order; None where that is not possible.
    letters
        The shop's e-mails; None where it sends none that can be told.
    """

    add: str
    basket: str | None
    steps: tuple[Step, ...]
    review: str
    total: str
    quantity: str
    title: str
    seller: str | None
    order_button: str
    thanks: str
    order_number: str
    currencies: Mapping[str, str]
    decimal: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    price: str | None = None
    orders: OrderList | None = None
    look_up: LookUp | None = None
    letters: Letters | None = None
