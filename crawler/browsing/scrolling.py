"""Reading a page of results to its end where it grows as one scrolls."""

from __future__ import annotations

import asyncio
import contextlib

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page as BrowserPage

MAX_SCROLLS = 200
#: Rounds without a new link after which an endless list is taken to have ended.
QUIET_ROUNDS = 6
SCROLL_MILLISECONDS = 150
MAX_SCROLL_SECONDS = 90.0
MAX_CONTENT_SECONDS = 30.0


class PageBusy(Exception):
    """A page that computes without an end. Scrapy would try a TimeoutError again."""


async def scroll_to_end(page: BrowserPage) -> None:
    """Scroll a page of results until it brings nothing new.

    Raises
    ------
    PageBusy
        If the page keeps the browser too busy to answer.
    """
    try:
        async with asyncio.timeout(MAX_SCROLL_SECONDS):
            await _scroll(page)
    except TimeoutError as error:
        raise PageBusy(f"it kept the browser busy for {MAX_SCROLL_SECONDS:.0f} seconds") from error
    _close_later(page)


async def _scroll(page: BrowserPage) -> None:
    links, quiet = -1, 0
    for _ in range(MAX_SCROLLS):
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        await page.wait_for_timeout(SCROLL_MILLISECONDS)
        now = await page.evaluate("document.links.length")
        quiet = quiet + 1 if now == links else 0
        links = now
        if quiet >= QUIET_ROUNDS:
            return


def _close_later(page: BrowserPage) -> None:
    """See to it that a page that does not give its content now goes all the same."""

    async def close() -> None:
        await asyncio.sleep(MAX_CONTENT_SECONDS)
        with contextlib.suppress(PlaywrightError):
            await page.close()

    task = asyncio.get_running_loop().create_task(close())

    def closed(_page: BrowserPage) -> None:
        task.cancel()

    page.on("close", closed)
