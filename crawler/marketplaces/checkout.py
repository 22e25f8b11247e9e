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
    """

    name: str
    path: str
    submit: str
    fills: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    selects: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    checks: tuple[str, ...] = ()


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
    title, seller
        Selectors on the review page; None where the shop shows none.
    thanks
        Path of the page that confirms the order, with `order_number` on it.
    decimal
        Decimal separator by currency, where it is not a point.
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
