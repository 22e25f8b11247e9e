"""Chromium: finding it, starting it clean, and keeping its requests inside the gate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Dialog, Page, async_playwright
from playwright.async_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from crawler.network.gate import Gate
from crawler.network.gateway import Gateway, open_gateway
from crawler.network.proxies import ProxyServer
from registry.errors import TouchstoneError

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_REMEDY = "apt-get install chromium, or set TOUCHSTONE_BROWSER to its path"

#: For every context: nothing that answers in the network's place, nothing saved to disk.
CONTEXT_OPTIONS: dict[str, Any] = {
    "viewport": {"width": 1280, "height": 900},
    "service_workers": "block",
    "accept_downloads": False,
}


#: How long all that is done with one browser may take, and its going.
MAX_SECONDS = 900.0
CLOSE_SECONDS = 15.0


class BrowserMissing(TouchstoneError):
    """There is no Chromium to start."""


class BrowserStalled(TouchstoneError):
    """What was done with a browser did not end in time. Another try may help."""


def find_chromium(setting: str | None) -> Path:
    """The Chromium to use: the one that the settings name, else the first one found.

    Raises
    ------
    BrowserMissing
        If there is none, saying what to do.
    """
    if setting:
        if not os.access(setting, os.X_OK):
            raise BrowserMissing(f"browser: {setting} is not there or cannot be run: {_REMEDY}")
        return Path(setting)
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.is_file():
        return own
    raise BrowserMissing(f"browser: no Chromium on this machine: {_REMEDY}")


def launch_options(proxy: str) -> dict[str, Any]:
    """Playwright's launch options: no traffic of Chromium's own, all of it through the gate."""
    return {
        "args": [
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-quic",
            "--disable-sync",
            "--no-first-run",
            # An error page must not send its request again.
            "--disable-auto-reload",
            # Names are for the gateway to resolve, also those of links that nobody clicked.
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            # WebRTC sends UDP, which no proxy of ours would see.
            "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
            "--webrtc-ip-handling-policy=disable_non_proxied_udp",
            # Nobody sees what a shared worker asks for; a page does without, as on Android.
            "--disable-shared-workers",
            # Frames of other sites stay in the page's process, so its recorder sees them.
            "--disable-site-isolation-trials",
        ],
        "proxy": {"server": proxy},
        # Chromium refuses its sandbox to root.
        "chromium_sandbox": os.geteuid() != 0,
        # Playwright would end the whole process at the worker's own signal.
        "handle_sigint": False,
        "handle_sigterm": False,
        "handle_sighup": False,
    }


@dataclass(frozen=True, slots=True)
class OpenBrowser:
    """A running Chromium, and the gateway through which all its connections go."""

    browser: Browser
    gateway: Gateway


@asynccontextmanager
async def open_browser(
    executable: Path,
    gate: Gate,
    *,
    proxy: ProxyServer | None = None,
    seconds: float | None = None,
) -> AsyncIterator[OpenBrowser]:
    """A Chromium process of its own, with an empty profile, gone at the end.

    Parameters
    ----------
    proxy
        Through which its connections go on, once the gate has judged them.
    seconds
        How long all that is done with it may take; `MAX_SECONDS` if left out.

    Raises
    ------
    BrowserMissing
        If it does not start.
    BrowserStalled
        If what is done with it does not end: most questions to a page have no limit of their
        own, and a page that computes for ever never answers.
    """
    allowed = MAX_SECONDS if seconds is None else seconds
    async with open_gateway(gate, proxy) as gateway, async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=executable, **launch_options(gateway.url)
            )
        except PlaywrightError as error:
            reason = str(error).strip().splitlines()[0]
            raise BrowserMissing(
                f"browser: {executable} does not start ({reason}): {_REMEDY}"
            ) from error
        limit = asyncio.timeout(allowed)
        try:
            async with limit:
                yield OpenBrowser(browser, gateway)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise BrowserStalled(f"browser: not done in {allowed:.0f} seconds") from error
        finally:
            # One that does not go by itself is killed when Playwright ends.
            with contextlib.suppress(TimeoutError, PlaywrightError):
                await asyncio.wait_for(browser.close(), CLOSE_SECONDS)


def launches(setting: str | None) -> str:
    """Start the Chromium to use once, for real; what it is and where.

    Raises
    ------
    BrowserMissing
        If there is none, or it does not start.
    """
    executable = find_chromium(setting)

    async def launch() -> str:
        async with open_browser(executable, Gate()) as opened:
            return opened.browser.version

    return f"Chromium {asyncio.run(launch())} at {executable}"


async def tame(page: Page) -> None:
    """Keep a page from talking back: dialogs are dismissed, windows beside it closed."""

    async def dismiss(dialog: Dialog) -> None:
        with contextlib.suppress(PlaywrightError):  # the page is gone
            await dialog.dismiss()

    async def close(popup: Page) -> None:
        with contextlib.suppress(PlaywrightError):  # it is gone already
            await popup.close()

    page.on("dialog", dismiss)
    page.context.on("page", close)
