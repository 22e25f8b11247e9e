"""Holding pages against what was approved: the listing as it was, and the order as it would be."""

from __future__ import annotations

import re
from decimal import Decimal

from playwright.async_api import Page
from web_poet import HttpResponse

from crawler.marketplaces import KINDS
from crawler.marketplaces.pages import clean
from crawler.marketplaces.prices import read_price
from crawler.marketplaces.reading import read_listing
from purchases.buying.reasons import Stopped
from purchases.buying.wanted import Wanted
from registry.money import Money

#: So much may a price have risen since the listing was seen; more is another offer.
PRICE_SHARE = Decimal("0.05")
#: Of a title that ends in an ellipsis, so many characters must be there, or half.
LEAST_TITLE = 20

_ELLIPSIS = re.compile(r"\s*(?:…|\.{3,})$")


def check_listing(body: str, url: str, wanted: Wanted, accepted: Money | None = None) -> None:
    """Hold the listing's page against what it said when it was proposed.

    What cannot be read of it is not compared: the review page decides.

    Parameters
    ----------
    accepted
        A price that a person has looked at and gone on with.

    Raises
    ------
    Stopped
        If it is sold out, has another price or currency, or is another seller's.
    """
    response = HttpResponse(url, body=body.encode(errors="replace"), encoding="utf-8")
    read = read_listing(KINDS[wanted.kind], response)
    if read.outcome != "listing":
        return
    if read.availability == "OutOfStock":
        raise Stopped("out_of_stock", "the listing says that it is sold out")
    seller = read.seller.name if read.seller is not None else None
    if seller and wanted.seller and seller != wanted.seller:
        said = f"the listing is {seller!r}'s now, not {wanted.seller!r}'s"
        raise Stopped("other_seller", said)
    if read.money is not None:
        check_price(read.money, wanted, accepted)


def check_price(now: Money, wanted: Wanted, accepted: Money | None = None) -> None:
    """Compare the price of the thing itself with the one that was seen when it was proposed.

    Raises
    ------
    Stopped
        If it rose by more than `PRICE_SHARE`, or is in another currency.
    """
    before = wanted.price
    if before is None or now == accepted:
        return
    if now.currency != before.currency:
        raise Stopped("currency_changed", f"the price was {before}, it is {now} now")
    if now.amount > before.amount * (1 + PRICE_SHARE):
        raise PriceChanged(before, now)


class PriceChanged(Stopped):
    """The price rose.

    Attributes
    ----------
    now
        What a person accepts who goes on with it.
    """

    def __init__(self, before: Money, now: Money) -> None:
        super().__init__("price_changed", f"the price was {before}, it is {now} now")
        self.now = now


async def check_review(page: Page, wanted: Wanted, accepted: Money | None = None) -> Money:
    """Hold the last page before the order against what was approved, all of it.

    Returns
    -------
    Money
        The total that the order would cost.

    Raises
    ------
    Stopped
        If the thing, the seller, the quantity, the price or the total is another.
    """
    recipe = wanted.recipe
    things = await page.locator(recipe.title).count()
    if things != 1:
        raise Stopped("several_items", f"the order would hold {things} things instead of one")
    shown = await _read(page, recipe.title)
    if shown is None or not is_title(shown, wanted.title):
        raise Stopped("other_item", f"the basket holds {shown!r}, not {wanted.title!r}")
    if recipe.seller is not None and wanted.seller is not None:
        sold_by = await _read(page, recipe.seller)
        if sold_by != wanted.seller:
            said = f"it is sold by {sold_by!r} now, not by {wanted.seller!r}"
            raise Stopped("other_seller", said)
    quantity = re.search(r"\d+", await _read(page, recipe.quantity) or "")
    if quantity is None or quantity.group() != "1":
        raise Stopped("quantity", "the quantity is not one")
    if recipe.price is not None:
        check_price(await _money(page, recipe.price, wanted, "price"), wanted, accepted)
    total = await _money(page, recipe.total, wanted, "total")
    limit = wanted.limit
    if total.currency != limit.currency:
        raise Stopped("currency_changed", f"the total is {total}, the limit {limit}")
    if total.amount > limit.amount:
        raise Stopped("over_limit", f"the total of {total} is over the limit of {limit}")
    if await page.locator(recipe.order_button).count() != 1:
        raise Stopped("page_changed", "there is not exactly one ordering button")
    return total


async def _money(page: Page, selector: str, wanted: Wanted, what: str) -> Money:
    text = await _read(page, selector)
    found = read_price(text or "", wanted.recipe.currencies, wanted.recipe.decimal)
    if found is None:
        raise Stopped("page_changed", f"the {what} cannot be read: {text!r}")
    return found


async def _read(page: Page, selector: str) -> str | None:
    found = page.locator(selector)
    if await found.count() == 0:
        return None
    return clean(await found.first.inner_text())


def is_title(shown: str, title: str) -> bool:
    """Whether what a basket shows is the title that was seen, whole or shortened as shops do."""
    seen, shown = " ".join(title.split()), " ".join(shown.split())
    start = _ELLIPSIS.sub("", shown)
    least = max(1, min(LEAST_TITLE, len(seen) // 2))
    return shown == seen or (start != shown and len(start) >= least and seen.startswith(start))
