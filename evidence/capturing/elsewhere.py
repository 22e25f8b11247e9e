"""Requests that the page's own protocol session does not see: of workers, of windows beside.

A worker runs before any session of ours could listen to it: Playwright lets it go as soon as
it has seen it. So what only Playwright has seen is taken from Playwright. It tells of the
page's requests as well, under no common id: for each method and URL, as many are the page's
as the page's session saw.

A page's service workers are bypassed, so that what it asks for goes to the network. What they
themselves ask for is here; of its bodies, those that they pass on or put in a cache unread are
shown to nobody and marked so. What a dedicated worker asks for goes through them all the same:
it is recorded as the worker got it (`via`), beside what they got from the network. Shared
workers are switched off (`crawler.browsing.browser`): nobody would see their requests.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urldefrag

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request, Response

from evidence.capturing.bodies import Store
from evidence.capturing.exchanges import Exchange, Log
from evidence.capturing.wholeness import length_of

#: How long the page's session may take longer than Playwright.
RESCUE_SECONDS = 0.25
_TYPES = {"eventsource": "EventSource", "websocket": "WebSocket", "xhr": "XHR", "ping": "Ping"}


# No slots: Playwright sets attributes on the owner of an event handler.
@dataclass
class Elsewhere:
    """What Playwright sees of a page's context, beyond the page's session.

    Parameters
    ----------
    answered
        Told of each response.
    rescue
        Where to give the body of a request of the page that is over without the page's
        session having heard so: the script that a worker begins with.
    """

    page: Page
    log: Log
    store: Store
    answered: Callable[[dict[str, Any]], None]
    rescue: Callable[[str, str], Callable[[bytes], None] | None]
    _open: dict[Request, datetime] = field(default_factory=dict)
    _matched: Counter[tuple[str, str]] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _settled: bool = False

    def start(self) -> None:
        """Begin to listen."""
        context = self.page.context
        context.on("request", self._begun)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)

    @property
    def busy(self) -> bool:
        """Whether something is still being fetched."""
        return bool(self._tasks)

    async def settle(self, seconds: float) -> None:
        """Stop listening; what had no end is an exchange as well."""
        for request in list(self._open):
            self._ended(request)
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        self._settled = True

    def _begun(self, request: Request) -> None:
        if not self._settled and request.url.startswith(("http:", "https:")):
            self._open[request] = datetime.now(UTC)

    def _ended(self, request: Request) -> None:
        started = self._open.pop(request, None)
        if started is None or self._settled:
            return
        beside = self._beside(request)
        if request.service_worker is None and not beside:
            key = request.method, urldefrag(request.url)[0]
            if self._matched[key] < self.log.asked[key]:
                self._matched[key] += 1
                if request.resource_type == "script":
                    self._spawn(self._rescue(request))
                return
        exchange = Exchange(
            url=request.url,
            method=request.method,
            started_at=started,
            request_headers=request.headers,
            posted=request.post_data_buffer or b"",
            resource_type=_TYPES.get(request.resource_type, request.resource_type.capitalize()),
            beside=beside,
        )
        if not self.log.add(exchange):
            return
        self._spawn(self._complete(request, exchange))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _rescue(self, request: Request) -> None:
        await asyncio.sleep(RESCUE_SECONDS)
        give = self.rescue(request.method, request.url)
        if give is not None:
            with contextlib.suppress(PlaywrightError):
                response = await request.response()
                if response is not None:
                    give(await response.body())

    def _beside(self, request: Request) -> bool:
        """Whether a window beside the page asked for it."""
        if request.service_worker is not None:
            return False
        try:
            return request.frame.page != self.page
        except PlaywrightError:
            return True  # a window that did not come to be

    async def _complete(self, request: Request, exchange: Exchange) -> None:
        failure = request.failure
        if failure is not None:
            exchange.error = failure
        try:
            response = await request.response()
        except PlaywrightError:
            response = None
        if response is None:
            exchange.error = exchange.error or "no answer before the capture ended"
            return
        if response.from_service_worker:
            exchange.via = "service worker"
        exchange.response = {"status": response.status, "statusText": response.status_text}
        exchange.received_headers = dict(response.headers)
        await self._payload(request, response, exchange)
        await self._heads(request, response, exchange)

    async def _payload(self, request: Request, response: Response, exchange: Exchange) -> None:
        if exchange.error is not None:
            exchange.truncated = "disconnect"
        elif request.redirected_to is not None and exchange.may_have_body():
            exchange.truncated = "unspecified"
        elif exchange.may_have_body():
            try:
                body = self.store.keep(await response.body())
            except PlaywrightError:
                exchange.truncated = "unspecified"
                return
            if body.size:
                exchange.body = body.path
            if body.full:
                exchange.truncated = "length"
            elif _falls_short(exchange, body.size):
                exchange.truncated = "unspecified"

    async def _heads(self, request: Request, response: Response, exchange: Exchange) -> None:
        try:
            sent, came, security = await asyncio.gather(
                request.headers_array(), response.headers_array(), response.security_details()
            )
        except PlaywrightError:
            return  # its process is gone; what is known is kept
        exchange.sent_headers = {one["name"]: one["value"] for one in sent}
        joined: dict[str, str] = {}
        for one in came:
            name = one["name"]
            joined[name] = f"{joined[name]}\n{one['value']}" if name in joined else one["value"]
        exchange.received_headers = joined
        if exchange.response is not None:
            exchange.response |= {"url": exchange.url, "securityDetails": security}
            self.answered(exchange.response)


def _falls_short(exchange: Exchange, size: int) -> bool:
    """Whether a body is not all that was sent.

    What a service worker hands on, or puts in its cache, the browser shows to nobody.
    """
    announced = length_of(exchange.headers_received())
    if not size:
        return bool(announced) or not exchange.received("Content-Length")
    return not exchange.received("Content-Encoding") and size < announced
