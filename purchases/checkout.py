"""Walking through a checkout by its recipe, up to the page with the ordering button."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from crawler.marketplaces.checkout import Checkout, Step
from crawler.marketplaces.pages import clean
from crawler.marketplaces.prices import read_price
from evidence.capturing.recorder import Recorder
from registry.money import Money

STEP_MILLISECONDS = 20_000
#: Of a title that ends in an ellipsis, so many characters must be there, or half.
LEAST_TITLE = 20

_ELLIPSIS = re.compile(r"\s*(?:…|\.{3,})$")


class Stopped(Exception):
    """Something is not as expected: a person looks before anything goes on."""


class Walk:
    """One way through a shop's checkout in one page of the browser.

    Parameters
    ----------
    persona
        Fields that the recipe's steps may ask for.
    """

    def __init__(
        self, page: Page, recorder: Recorder, recipe: Checkout, persona: Mapping[str, str]
    ) -> None:
        self.page = page
        self.recorder = recorder
        self.recipe = recipe
        self.persona = persona

    async def to_review(self, url: str) -> None:
        """From the listing to the last page before the order, with a capture at each step.

        Raises
        ------
        Stopped
            If a page is not the expected one, or lacks what the recipe names.
        """
        await self.page.goto(url, timeout=STEP_MILLISECONDS)
        await self.recorder.step("listing")
        await self._click("listing", self.recipe.add)
        if self.recipe.basket is not None:
            await self.page.goto(urljoin(url, self.recipe.basket), timeout=STEP_MILLISECONDS)
        for step in self.recipe.steps:
            self._expect(step.name, step.path)
            await self._fill(step)
            await self.recorder.step(step.name)
            await self._click(step.name, step.submit)
        self._expect("review", self.recipe.review)
        await self.recorder.step("review")

    async def check(self, title: str, seller: str | None, limit: Money) -> Money:
        """Hold the review page against what was approved.

        Returns
        -------
        Money
            The total that the order would cost.

        Raises
        ------
        Stopped
            If the thing, the seller, the quantity or the total is another.
        """
        things = await self.page.locator(self.recipe.title).count()
        if things != 1:
            raise Stopped(f"the order would hold {things} things instead of one")
        shown = await self._read(self.recipe.title)
        if shown is None or not _is_title(shown, title):
            raise Stopped(f"the basket holds {shown!r}, not {title!r}")
        if self.recipe.seller is not None and seller is not None:
            sold_by = await self._read(self.recipe.seller)
            if sold_by != seller:
                raise Stopped(f"it is sold by {sold_by!r} now, not by {seller!r}")
        quantity = re.search(r"\d+", await self._read(self.recipe.quantity) or "")
        if quantity is None or quantity.group() != "1":
            raise Stopped("the quantity is not one")
        text = await self._read(self.recipe.total)
        total = read_price(text or "", self.recipe.currencies, self.recipe.decimal)
        if total is None:
            raise Stopped(f"the total cannot be read: {text!r}")
        if total.currency != limit.currency:
            raise Stopped(f"the total is {total}, the limit {limit}")
        if total.amount > limit.amount:
            raise Stopped(f"the total of {total} is over the limit of {limit}")
        if await self.page.locator(self.recipe.order_button).count() != 1:
            raise Stopped("there is not exactly one ordering button")
        return total

    async def order_number(self) -> str | None:
        """The number on the page that confirms the order; None on any other page.

        Raises
        ------
        playwright.async_api.Error
            If it is that page, and shows no number in time.
        """
        if not re.search(self.recipe.thanks, urlsplit(self.page.url).path):
            return None
        # Waited for: the page may be slow, and an order that was confirmed is not unclear.
        found = self.page.locator(self.recipe.order_number).first
        return clean(await found.inner_text(timeout=STEP_MILLISECONDS))

    async def _read(self, selector: str) -> str | None:
        found = self.page.locator(selector)
        if await found.count() == 0:
            return None
        return clean(await found.first.inner_text())

    def _expect(self, name: str, path: str) -> None:
        now = urlsplit(self.page.url).path
        if not re.search(path, now):
            raise Stopped(f"step {name!r}: this is {now}, which the recipe does not know")

    async def _fill(self, step: Step) -> None:
        try:
            for selector, name in step.fills.items():
                await self.page.fill(selector, self.persona[name], timeout=STEP_MILLISECONDS)
            for selector, name in step.selects.items():
                await self.page.select_option(
                    selector, self.persona[name], timeout=STEP_MILLISECONDS
                )
            for selector in step.checks:
                await self.page.check(selector, timeout=STEP_MILLISECONDS)
        except PlaywrightError as error:
            raise Stopped(f"step {step.name!r}: {_first_line(error)}") from error

    async def _click(self, name: str, selector: str) -> None:
        """Click what leads to another page and wait for that page."""
        try:
            async with self.page.expect_navigation(timeout=STEP_MILLISECONDS):
                await self.page.click(selector, timeout=STEP_MILLISECONDS)
        except PlaywrightError as error:
            raise Stopped(f"step {name!r}: {_first_line(error)}") from error


def _is_title(shown: str, title: str) -> bool:
    """Whether what a basket shows is the title that was seen, whole or shortened as shops do."""
    seen, shown = " ".join(title.split()), " ".join(shown.split())
    start = _ELLIPSIS.sub("", shown)
    least = max(1, min(LEAST_TITLE, len(seen) // 2))
    return shown == seen or (start != shown and len(start) >= least and seen.startswith(start))


def _first_line(error: PlaywrightError) -> str:
    return error.message.strip().splitlines()[0][:200]
