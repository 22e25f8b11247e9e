"""Capturing one page in a fresh browser."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Response
from playwright.async_api import TimeoutError as PlaywrightTimeout

from crawler.browser import CONTEXT_OPTIONS, open_browser, tame
from crawler.gate import Gate
from crawler.gateway import Gateway
from evidence.recorder import Recorder, Sealed
from registry.errors import TouchstoneError

NAVIGATION_SECONDS = 30.0
LOAD_SECONDS = 20.0
REST_SECONDS = 60.0
QUIET_SECONDS = 8.0
MAX_SCROLLS = 40

_SCROLL = """async (most) => {
    for (let i = 0; i < most; i++) {
        const before = scrollY;
        scrollBy(0, innerHeight);
        await new Promise(done => setTimeout(done, 60));
        if (scrollY === before) break;
    }
    scrollTo(0, 0);
}"""


class CaptureFailed(TouchstoneError):
    """There is nothing to keep: the page could not be had. Another try may help."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A sealed capture.

    Parameters
    ----------
    status
        ``complete``; ``gone`` (404, 410); ``blocked`` (401, 403, 407, 451): what is kept
        then is the refusal, and it never passes for the listing.
    """

    status: str
    http_status: int
    final_url: str
    sealed: Sealed


async def capture(
    url: str,
    *,
    gate: Gate,
    executable: Path,
    folder: Path,
    circumstances: Mapping[str, Any],
) -> Capture:
    """Visit a page in a browser that nobody used before, and keep everything of the visit.

    Parameters
    ----------
    folder
        An empty working folder; the bundle lies in it afterwards.
    circumstances
        Why and by whom, for the record.

    Raises
    ------
    CaptureFailed
        If no page came: refused, dead, timed out, a download, or a server error; or one that
        never lets the browser show it.
    OSError
        If the disk is full.
    """
    await gate.acheck(url)
    async with open_browser(executable, gate) as opened:
        context = await opened.browser.new_context(**CONTEXT_OPTIONS)
        page = await context.new_page()
        await tame(page)
        recorder = Recorder(
            page,
            opened.gateway,
            folder,
            {**circumstances, "url": url, "browser": f"Chromium {opened.browser.version}"},
        )
        await recorder.start()
        response = await _go(page, url, opened.gateway)
        if response.status >= 500 or response.status == 429:
            raise CaptureFailed(f"{url}: the server answered {response.status}")
        loaded = await settle(page)
        try:
            await recorder.step("page")
        except TimeoutError as error:
            raise CaptureFailed(f"{url}: the page keeps the browser too busy to show it") from error
        status = _status(response.status)
        sealed = await recorder.seal(
            status=status, http_status=response.status, final_url=page.url, loaded=loaded
        )
        return Capture(status, response.status, page.url, sealed)


async def _go(page: Page, url: str, gateway: Gateway) -> Response:
    try:
        response = await page.goto(url, wait_until="commit", timeout=NAVIGATION_SECONDS * 1000)
    except PlaywrightTimeout as error:
        raise CaptureFailed(f"{url}: no answer in {NAVIGATION_SECONDS:.0f} seconds") from error
    except PlaywrightError as error:
        reason = error.message.strip().splitlines()[0].removeprefix("Page.goto: ")
        if gateway.refused:
            reason = f"not allowed: {gateway.refused[-1]}"
        elif "ERR_SOCKS_CONNECTION_FAILED" in reason:
            reason = "the connection was refused, or nobody answered"
        raise CaptureFailed(f"{url}: {reason}") from error
    if response is None:
        raise CaptureFailed(f"{url}: no page came")
    return response


async def settle(page: Page) -> bool:
    """Let a page come to rest: load, lazy pictures by bounded scrolling, a quiet network.

    Returns
    -------
    bool
        Whether it did so in time; a page that never rests is captured as it is.
    """
    try:
        # The script in the page has no limit of its own.
        async with asyncio.timeout(REST_SECONDS):
            await page.wait_for_load_state("load", timeout=LOAD_SECONDS * 1000)
            await page.evaluate(_SCROLL, MAX_SCROLLS)
            await page.wait_for_load_state("networkidle", timeout=QUIET_SECONDS * 1000)
    except (TimeoutError, PlaywrightTimeout):
        return False
    except PlaywrightError:
        return False  # it navigated away under our hands: what is there now is kept
    return True


def _status(http_status: int) -> str:
    if http_status in (404, 410):
        return "gone"
    if http_status in (401, 403, 407, 451):
        return "blocked"
    return "complete"
