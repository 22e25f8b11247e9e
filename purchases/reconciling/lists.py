"""Reading an account's order list in a browser of its own, with a capture of every page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Route

from crawler.browsing.browser import CONTEXT_OPTIONS, find_chromium, open_browser, tame
from crawler.browsing.sessions import Login
from crawler.marketplaces.checkout import Checkout
from crawler.marketplaces.order_lists import (
    Listed,
    NotSignedIn,
    Unreadable,
    read_page,
    read_title,
)
from crawler.network.gate import gate_of
from evidence.capturing.recorder import Recorder, Sealed
from evidence.signing.signer import Signer
from registry.settings import Settings

PAGE_SECONDS = 20.0
CONTENT_SECONDS = 20.0
#: A list that does not reach back to the first attempt within so many pages is not read at all.
MAX_PAGES = 10
MAX_DETAILS = 20
TRIES = 3
PAUSE_SECONDS = 1.0
#: Clocks differ, and many a shop shows days of a zone that it does not name.
SLACK = timedelta(days=1)

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Reading:
    """What an account's list showed.

    Parameters
    ----------
    orders
        Those that may have been placed since the time in question, newest first.
    problem
        Why it could not be read; then `orders` proves nothing.
    status
        Of the capture.
    """

    orders: tuple[Listed, ...]
    problem: str | None
    status: str
    url: str
    sealed: Sealed


def read_orders(
    shop: str,
    recipe: Checkout,
    login: Login,
    since: datetime,
    *,
    settings: Settings,
    folder: Path,
    signer: Signer,
    circumstances: Mapping[str, str],
) -> Reading:
    """Read the orders that an account placed since a time.

    Parameters
    ----------
    shop
        The root of the shop.
    folder
        An empty working folder; the bundle lies in it afterwards.

    Raises
    ------
    crawler.network.gate.Forbidden
        If the address is none that may be visited.
    TouchstoneError
        If there is no browser.
    """
    return asyncio.run(_read(shop, recipe, login, since, settings, folder, signer, circumstances))


async def _read(
    shop: str,
    recipe: Checkout,
    login: Login,
    since: datetime,
    settings: Settings,
    folder: Path,
    signer: Signer,
    circumstances: Mapping[str, str],
) -> Reading:
    assert recipe.orders is not None
    url = urljoin(shop, recipe.orders.path)

    async def read(page: Page, recorder: Recorder) -> tuple[Listed, ...]:
        return await _List(page, recorder, recipe, since).read(url)

    return await _visit(url, read, login, None, settings, folder, signer, circumstances)


def look_up(
    shop: str,
    recipe: Checkout,
    email: str,
    number: str,
    *,
    settings: Settings,
    folder: Path,
    signer: Signer,
    circumstances: Mapping[str, str],
) -> Reading:
    """Look up one order as a guest, by its number and the address that was given with it.

    A shop that knows no such order is a reading without one, and without a problem.

    Parameters
    ----------
    number
        As an e-mail or a person says. That the shop shows the order proves that there is one.

    Raises
    ------
    crawler.network.gate.Forbidden
        If the address is none that may be visited.
    TouchstoneError
        If there is no browser.
    """
    form, orders = recipe.look_up, recipe.orders
    assert form is not None
    assert orders is not None
    found = replace(recipe, orders=replace(orders, shown=form.shown, following=None))
    url = urljoin(shop, form.path)

    async def read(page: Page, recorder: Recorder) -> tuple[Listed, ...]:
        await _go(page, recorder, url, "look-up")
        await page.fill(form.email, email, timeout=PAGE_SECONDS * 1000)
        await page.fill(form.number, number, timeout=PAGE_SECONDS * 1000)
        async with page.expect_navigation(timeout=PAGE_SECONDS * 1000) as sent:
            await page.click(form.submit, timeout=PAGE_SECONDS * 1000)
        answer = await sent.value
        assert answer is not None
        await recorder.step("found")
        if answer.status == 404:
            return ()
        if answer.status >= 400:
            raise Unreadable(
                f"order {number} cannot be looked up: the shop answered {answer.status}"
            )
        async with asyncio.timeout(CONTENT_SECONDS):
            shown = read_page(await page.content(), page.url, found)
        return tuple(one for one in shown.orders if one.number == number)

    return asyncio.run(_visit(url, read, None, url, settings, folder, signer, circumstances))


async def _visit(
    url: str,
    read: Callable[[Page, Recorder], Awaitable[tuple[Listed, ...]]],
    login: Login | None,
    may_post: str | None,
    settings: Settings,
    folder: Path,
    signer: Signer,
    circumstances: Mapping[str, str],
) -> Reading:
    """Read something in a browser that sends nothing, or one form to one address."""
    gate = gate_of(settings)
    await gate.acheck(url)

    async def only_looks(route: Route) -> None:
        """A page of the shop may post by itself; nothing of that leaves here."""
        if route.request.method in _SAFE_METHODS or route.request.url == may_post:
            await route.continue_()
        else:
            await route.abort("blockedbyclient")

    async with open_browser(find_chromium(settings.browser), gate) as opened:
        options = dict(CONTEXT_OPTIONS)
        if login is not None:
            options["storage_state"] = login.storage
        context = await opened.browser.new_context(**options)
        page = await context.new_page()
        await tame(page)
        await page.route("**/*", only_looks)
        recorder = Recorder(page, opened.gateway, folder, {**circumstances, "url": url}, signer)
        await recorder.start()
        orders: tuple[Listed, ...] = ()
        problem, status = None, "complete"
        try:
            orders = await read(page, recorder)
        except (Unreadable, PlaywrightError, TimeoutError) as error:
            said = error.message if isinstance(error, PlaywrightError) else str(error)
            # Below the first line, Playwright says what was typed: the persona's address.
            said = next(iter(said.strip().splitlines()), "the page never rested")
            problem = " ".join(said.split())[:300]
            status = "login" if isinstance(error, NotSignedIn) else "blocked"
            await _last_look(recorder)
        sealed = await recorder.seal(orders=len(orders), problem=problem)
    return Reading(orders, problem, status, url, sealed)


async def _last_look(recorder: Recorder) -> None:
    """Keep what was there instead; a bundle has one page at least."""
    try:
        await recorder.step("unreadable")
    except (PlaywrightError, TimeoutError):
        await recorder.page.goto("about:blank")
        await recorder.step("nothing")


class _List:
    def __init__(self, page: Page, recorder: Recorder, recipe: Checkout, since: datetime) -> None:
        self.page = page
        self.recorder = recorder
        self.recipe = recipe
        self.since = since - SLACK
        self.details = 0

    async def read(self, url: str) -> tuple[Listed, ...]:
        """All orders since then, each with its title where one can be had.

        Raises
        ------
        Unreadable
            If a page is not the list, or the list does not end.
        """
        found: list[Listed] = []
        for number in range(1, MAX_PAGES + 1):
            html = await _go(self.page, self.recorder, url, f"orders-{number}")
            shown = read_page(html, self.page.url, self.recipe)
            recent = [one for one in shown.orders if one.at is None or one.at >= self.since]
            found += recent
            if shown.following is None or (shown.orders and not recent):
                return tuple([await self._titled(one) for one in found])
            url = shown.following
        raise Unreadable(f"the list of orders has more than {MAX_PAGES} pages since then")

    async def _titled(self, order: Listed) -> Listed:
        """The order with its title from its own page, where the list has none."""
        orders = self.recipe.orders
        assert orders is not None
        if orders.title is not None or order.details is None:
            return order
        self.details += 1
        if self.details > MAX_DETAILS:
            raise Unreadable(f"there are more than {MAX_DETAILS} orders to look into")
        html = await _go(self.page, self.recorder, order.details, f"order-{self.details}")
        return replace(order, title=read_title(html, orders))


async def _go(page: Page, recorder: Recorder, url: str, name: str) -> str:
    """A page's document; asked for again where the shop has a bad moment."""
    seen = "no answer"
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(PAUSE_SECONDS)
        try:
            answer = await page.goto(url, timeout=PAGE_SECONDS * 1000)
        except PlaywrightError as error:
            seen = error.message.strip().splitlines()[0]
            continue
        status = 0 if answer is None else answer.status
        if status < 400:
            await recorder.step(name)
            async with asyncio.timeout(CONTENT_SECONDS):
                return await page.content()
        seen = f"the shop answered {status}"
        if status not in (429, 500, 502, 503, 504):
            break
    raise Unreadable(f"the order list cannot be read: {seen}"[:300])
