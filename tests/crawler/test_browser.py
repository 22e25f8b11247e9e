"""A browser that is never waited for without an end, whatever its page does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page

from crawler.browsing import browser, scrolling
from crawler.browsing.browser import BrowserStalled, find_chromium, open_browser
from crawler.network.gate import Gate

BUSY = "data:text/html,<p>x</p><script>setTimeout(() => {for (;;);}, 200)</script>"


async def busy_page(opened: browser.OpenBrowser) -> Page:
    page = await opened.browser.new_page()
    await page.goto(BUSY, wait_until="commit")
    await asyncio.sleep(0.5)
    return page


@pytest.fixture
def chromium() -> Path:
    return find_chromium(None)


def test_what_never_ends_is_ended(chromium: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "MAX_SECONDS", 4.0)

    async def ask() -> None:
        async with open_browser(chromium, Gate()) as opened:
            page = await busy_page(opened)
            await page.content()

    with pytest.raises(BrowserStalled, match="4 seconds"):
        asyncio.run(ask())


def test_an_error_of_ones_own_stays_what_it_is(chromium: Path) -> None:
    async def ask() -> None:
        async with open_browser(chromium, Gate()):
            raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(ask())


def test_a_busy_page_is_not_scrolled_for_ever(
    chromium: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrolling, "MAX_SCROLL_SECONDS", 1.0)

    async def scroll() -> None:
        async with open_browser(chromium, Gate()) as opened:
            await scrolling.scroll_to_end(await busy_page(opened))

    with pytest.raises(scrolling.PageBusy):
        asyncio.run(scroll())


def test_a_page_that_is_busy_when_it_was_scrolled_is_closed(
    chromium: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrolling, "MAX_CONTENT_SECONDS", 0.5)

    async def scroll() -> bool:
        async with open_browser(chromium, Gate()) as opened:
            page = await opened.browser.new_page()
            await page.goto("data:text/html,<p>x</p>")
            await scrolling.scroll_to_end(page)
            await page.wait_for_event("close", timeout=10_000)
            return page.is_closed()

    assert asyncio.run(scroll())
