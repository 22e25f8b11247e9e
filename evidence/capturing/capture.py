"""Capturing a page, or a listing with all that belongs to it, in a context that nobody used."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Dialog, Page, Response
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from crawler.browsing.browser import CONTEXT_OPTIONS, open_browser, tame
from crawler.marketplaces.definition import Definition
from crawler.network.gate import Gate
from crawler.network.gateway import Gateway, open_gateway
from evidence.capturing.circumstances import address_of, of_cleanness, of_place_and_time
from evidence.capturing.listing_visit import ListingVisit
from evidence.capturing.obstacles import close_layers, read_signs, recognise
from evidence.capturing.recorder import Recorder, Sealed
from evidence.capturing.settling import settle
from evidence.signing.signer import Signer
from registry.errors import TouchstoneError
from registry.settings import Settings

NAVIGATION_SECONDS = 30.0
#: How long the picture of what is first seen waits for the page's text.
PARSED_SECONDS = 10.0
#: How long closing what lies over the page, and seeing what it is, may take.
LOOK_SECONDS = 20.0
CLOSE_SECONDS = 15.0
#: Dialogs and windows after which a page is not visited any longer.
MAX_NUISANCES = 100


class CaptureFailed(TouchstoneError):
    """There is nothing to keep: the page could not be had. Another try may help."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A sealed capture.

    Parameters
    ----------
    status
        ``complete``; ``gone`` (404, 410, or it leads to something else); ``login``,
        ``captcha`` or ``blocked``: what is kept then is the wall, and it never passes for
        the listing.
    """

    status: str
    http_status: int
    final_url: str
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be captured, and for whom.

    Parameters
    ----------
    folder
        An empty working folder; the bundle lies in it afterwards.
    circumstances
        Why and by whom, for the record.
    definition
        The kind of marketplace, if the page is a listing of one.
    settings
        Whom to ask for the exit address and the time; nobody by default.
    """

    url: str
    gate: Gate
    folder: Path
    circumstances: Mapping[str, Any]
    signer: Signer
    definition: Definition | None = None
    settings: Settings | None = None


async def capture(
    url: str,
    *,
    gate: Gate,
    executable: Path,
    folder: Path,
    circumstances: Mapping[str, Any],
    signer: Signer,
    definition: Definition | None = None,
) -> Capture:
    """Capture in a browser process of its own. Parameters and errors as for `capture_in`."""
    order = Order(url, gate, folder, circumstances, signer, definition)
    await gate.acheck(url)
    async with open_browser(executable, gate) as opened:
        return await capture_in(opened.browser, order)


async def capture_in(browser: Browser, order: Order) -> Capture:
    """Visit a page in a context that nobody used before, and keep everything of the visit.

    Raises
    ------
    CaptureFailed
        If no page came: refused, dead, timed out, a download, or a server error; or one that
        never lets the browser show it.
    crawler.network.gate.Forbidden
        If the address is none that may be visited.
    OSError
        If the disk is full.
    """
    await order.gate.acheck(order.url)
    async with open_gateway(order.gate) as gateway:
        # A service worker may work, but not answer for the network (see capturing.network).
        options = CONTEXT_OPTIONS | {"service_workers": "allow"}
        context = await browser.new_context(**options, proxy={"server": gateway.url})
        try:
            return await _Visit(order, gateway, context).make()
        except PlaywrightError as error:
            reason = error.message.strip().splitlines()[0][:300]
            raise CaptureFailed(f"{order.url}: the page was lost: {reason}") from error
        finally:
            with contextlib.suppress(TimeoutError, PlaywrightError):
                await asyncio.wait_for(context.close(), CLOSE_SECONDS)


# No slots: Playwright sets attributes on the owner of an event handler.
@dataclass
class _Nuisances:
    """Dialogs and windows of a page: dismissed and closed by `tame`, counted here."""

    limit: asyncio.Timeout
    dialogs: list[str] = field(default_factory=list)
    windows: int = 0

    def watch(self, page: Page) -> None:
        page.on("dialog", self._dialog)
        page.context.on("page", self._window)

    @property
    def endless(self) -> bool:
        return len(self.dialogs) + self.windows > MAX_NUISANCES

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(f"{dialog.type}: {dialog.message[:200]}")
        self._count()

    def _window(self, _page: Page) -> None:
        self.windows += 1
        self._count()

    def _count(self) -> None:
        if self.endless and not self.limit.expired():
            with contextlib.suppress(RuntimeError):  # the visit is over
                self.limit.reschedule(asyncio.get_running_loop().time())


class _Visit:
    """One visit in one fresh context."""

    def __init__(self, order: Order, gateway: Gateway, context: BrowserContext) -> None:
        self.order = order
        self.gateway = gateway
        self.context = context

    async def make(self) -> Capture:
        limit = asyncio.timeout(None)
        nuisances = _Nuisances(limit)
        try:
            async with limit:
                return await self._make(nuisances)
        except TimeoutError as error:
            if not nuisances.endless:
                raise
            raise CaptureFailed(
                f"{self.order.url}: the page opens dialogs or windows without end"
            ) from error

    async def _make(self, nuisances: _Nuisances) -> Capture:
        order, url = self.order, self.order.url
        surroundings = asyncio.create_task(of_place_and_time(order.settings))
        try:
            page = await self.context.new_page()
            await tame(page)
            nuisances.watch(page)
            recorder = Recorder(
                page, self.gateway, order.folder, {**order.circumstances, "url": url}, order.signer
            )
            await recorder.start()
            clean = await of_cleanness(self.context, recorder.session)
            recorder.notes["clean_environment"] = {**clean, "address": await address_of(url)}
            made = await self._visit(page, recorder)
            recorder.notes |= await surroundings
        finally:
            surroundings.cancel()
        recorder.notes["dialogs"] = nuisances.dialogs
        recorder.notes["windows_closed"] = nuisances.windows
        address = recorder.notes["clean_environment"]["address"]
        address["connected"] = sorted(set(self.gateway.addresses.values()))
        address["got"] = made["final_url"]
        sealed = await recorder.seal(cover=_name(order), **made)
        return Capture(made["status"], made["http_status"], made["final_url"], sealed)

    async def _visit(self, page: Page, recorder: Recorder) -> dict[str, Any]:
        """The visit itself; what came of it."""
        order, url = self.order, self.order.url
        response = await self._go(page)
        listing = ListingVisit(page, recorder, order.definition)
        try:
            with contextlib.suppress(PlaywrightTimeout):
                await page.wait_for_load_state("domcontentloaded", timeout=PARSED_SECONDS * 1000)
            await recorder.first_seen(_name(order))
            rested = await settle(page, recorder.world, recorder.network)
            async with asyncio.timeout(LOOK_SECONDS):
                clicked = await close_layers(recorder.world)
                recorder.notes["closed"] = clicked
                seen = await self._recognise(page, recorder, response.status, listing)
                # What is read now is the listing's own page, wherever the visit goes later.
                made = {
                    "status": seen.status,
                    "recognised_by": seen.why,
                    "http_status": response.status,
                    "final_url": page.url,
                    **rested,
                }
                failed = response.status >= 500 or response.status == 429
                if failed and seen.status == "blocked":
                    raise CaptureFailed(f"{url}: the server answered {response.status}")
            if seen.status == "complete":
                with contextlib.suppress(TimeoutError):
                    await listing.fetch_pictures()
            await recorder.step(_name(order), pdf=True)
        except TimeoutError as error:
            raise CaptureFailed(f"{url}: the page keeps the browser too busy to show it") from error
        if seen.status == "complete":
            await listing.go_on()
            if listing.found:
                recorder.add("listing.json", listing.found)
        return made

    async def _recognise(
        self, page: Page, recorder: Recorder, http_status: int, listing: ListingVisit
    ) -> Any:
        shows = await listing.read()
        definition = self.order.definition
        asked = definition.external_id(self.order.url) if definition else None
        elsewhere = (
            definition is not None
            and asked is not None
            and definition.external_id(page.url) != asked
        )
        return recognise(
            await read_signs(recorder.world),
            http_status=http_status,
            url=page.url,
            shows_listing=shows,
            elsewhere=elsewhere,
        )

    async def _go(self, page: Page) -> Response:
        url = self.order.url
        try:
            response = await page.goto(url, wait_until="commit", timeout=NAVIGATION_SECONDS * 1000)
        except PlaywrightTimeout as error:
            raise CaptureFailed(f"{url}: no answer in {NAVIGATION_SECONDS:.0f} seconds") from error
        except PlaywrightError as error:
            reason = error.message.strip().splitlines()[0].removeprefix("Page.goto: ")
            if self.gateway.refused:
                reason = f"not allowed: {self.gateway.refused[-1]}"
            elif "ERR_SOCKS_CONNECTION_FAILED" in reason:
                reason = "the connection was refused, or nobody answered"
            elif "ERR_ABORTED" in reason or "Download is starting" in reason:
                reason = "it is a download, not a page"
            raise CaptureFailed(f"{url}: {reason}") from error
        if response is None:
            raise CaptureFailed(f"{url}: no page came")
        return response


def _name(order: Order) -> str:
    return "page" if order.definition is None else "listing"
