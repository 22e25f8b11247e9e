"""What the browser tells of the network: every exchange of a page, its body in a file.

Nothing is intercepted and nothing asked for again: the protocol's Network domain is listened
to, and hands out bodies as they come (`streamResourceContent`). What it does not hand out is
asked for when it is complete (`getResponseBody`); what cannot be had is marked so.

What was measured of Chromium 156, and decides what is done here: the handing out begins with
some bytes missing if an answer was faster than our asking, and never for a picture that was
there before; `getResponseBody` gives text that was decoded and encoded anew, nothing for a
broken picture, and loses everything when the page goes elsewhere. So each body is held
against the number of bytes that the browser says it received.

Source: Chrome DevTools Protocol, domain Network.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page as BrowserPage

from crawler.network.gateway import Gateway, Lookup
from evidence.capturing.bodies import MAX_ALL_BODIES_BYTES, MAX_BODY_BYTES, Store, Stream
from evidence.capturing.elsewhere import Elsewhere
from evidence.capturing.exchanges import Exchange, Log, endpoint
from evidence.capturing.sockets import Sockets
from evidence.capturing.wholeness import all_came, check_posted, encoded, lacks, length_of

#: What the browser may hold of bodies that it could not yet hand out.
BUFFER_BYTES = 300 << 20
#: What is posted is told at once up to here, and asked for up to there.
INLINE_POST_BYTES = 1 << 16
MAX_POST_BYTES = 64 << 20
#: What settling waits for at most, and what less than is no progress.
MAX_SETTLE_SECONDS = 60.0
TRICKLE_BYTES = 1 << 16
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Answers that go on for as long as the page is there.
_ENDLESS = frozenset({"EventSource"})


# No slots: Playwright sets attributes on the owner of an event handler.
@dataclass
class Network:
    """The network of one page, from `start` until `settle`.

    Parameters
    ----------
    folder
        An empty folder; bodies are kept there, not in memory.
    max_body, max_all
        Bytes of one body, and of all together, that are kept. A body that goes on beyond
        them is cut off.

    Attributes
    ----------
    certificates
        For each ``host:port`` the certificates that it showed, its own first, in DER.
    """

    page: BrowserPage
    gateway: Gateway
    folder: Path
    max_body: int = MAX_BODY_BYTES
    max_all: int = MAX_ALL_BODIES_BYTES
    certificates: dict[str, list[bytes]] = field(default_factory=dict)
    _log: Log = field(default_factory=Log)
    _open: dict[str, Exchange] = field(default_factory=dict)
    _streams: dict[str, Stream] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _session: CDPSession | None = None
    _settled: bool = False

    def __post_init__(self) -> None:
        self._store = Store(self.folder, self.max_body, self.max_all)
        self._elsewhere = Elsewhere(self.page, self._log, self._store, self._answered, self._rescue)
        self._sockets = Sockets(self._log, self._answered)

    async def start(self) -> None:
        """Begin to record; call it before the page goes anywhere."""
        self.folder.mkdir(parents=True, exist_ok=True)
        session = await self.page.context.new_cdp_session(self.page)
        self._session = session
        for name, handle in {
            "requestWillBeSent": self._request,
            "requestWillBeSentExtraInfo": self._request_extra,
            "responseReceived": self._response,
            "responseReceivedExtraInfo": self._log.response_extra,
            "dataReceived": self._data,
            "loadingFinished": self._finished,
            "loadingFailed": self._failed,
            "requestServedFromCache": self._cached,
            **self._sockets.handlers(),
        }.items():
            session.on(f"Network.{name}", self._listening(handle))
        await asyncio.gather(
            session.send(
                "Network.enable",
                {
                    "maxResourceBufferSize": BUFFER_BYTES,
                    "maxTotalBufferSize": 2 * BUFFER_BYTES,
                    "maxPostDataSize": INLINE_POST_BYTES,
                },
            ),
            session.send("Network.setCacheDisabled", {"cacheDisabled": True}),
            # The page gets what the server sends; a service worker's own requests are seen.
            session.send("Network.setBypassServiceWorker", {"bypass": True}),
        )
        self._elsewhere.start()

    def _listening(self, handle: Any) -> Any:
        def hear(event: dict[str, Any]) -> None:
            if not self._settled:
                handle(event)

        return hear

    async def settle(self, seconds: float) -> None:
        """Wait until what was begun is answered and its body here, or nothing comes any more.

        What is not, is marked so; nothing that comes later changes the exchanges.

        Parameters
        ----------
        seconds
            How long nothing may come: no end of an answer, and no more of one than a trickle.
        """
        loop = asyncio.get_running_loop()
        begun = self._waited_for()
        end = loop.time() + MAX_SETTLE_SECONDS
        mark, since = self._progress(begun), loop.time()
        while begun & self._waited_for() or self._tasks or self._elsewhere.busy:
            if self._progress(begun) != mark:
                mark, since = self._progress(begun), loop.time()
            # A large body that is asked for comes all at once.
            patience = seconds * 5 if self._tasks else seconds
            if loop.time() >= min(since + patience, end):
                break
            await asyncio.sleep(0.02)
        self._settled = True
        for request_id, exchange in self._open.items():
            self._end(exchange, self._streams.get(request_id))
        await self._elsewhere.settle(seconds)
        self._sockets.settle()
        for exchange in self._log.exchanges:
            check_posted(exchange)
        self._log.exchanges.sort(key=lambda exchange: exchange.started_at)

    def _waited_for(self) -> set[str]:
        return {i for i, e in self._open.items() if e.resource_type not in _ENDLESS}

    def _progress(self, begun: set[str]) -> tuple[int, int]:
        """How many answers are out, and how much is here of them all, roughly."""
        still = len(begun & self._waited_for()) + len(self._tasks)
        return still, self._store.kept // TRICKLE_BYTES

    @property
    def busy(self) -> bool:
        """Whether an answer that was asked for is still on its way."""
        return bool(self._waited_for() or self._tasks or self._elsewhere.busy)

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges, in the order in which they began."""
        return self._log.exchanges

    @property
    def incomplete(self) -> list[Exchange]:
        """The page's requests without their whole answer."""
        return [e for e in self.exchanges if not e.whole and not e.beside]

    @property
    def beside(self) -> list[Exchange]:
        """What windows beside the page asked for before they were closed."""
        return [e for e in self.exchanges if e.beside]

    @property
    def completeness(self) -> float:
        """The share of the page's requests that have their whole answer, from 0 to 1."""
        asked = len(self.exchanges) - len(self.beside) + self._log.beyond
        return 1 - (len(self.incomplete) + self._log.beyond) / asked if asked else 1.0

    @property
    def local(self) -> dict[str, int]:
        """Requests that no network saw, by what answered: data, blob, cache, service worker."""
        return dict(self._log.local)

    @property
    def lookups(self) -> list[Lookup]:
        """What the resolver answered for each name."""
        return self.gateway.lookups

    # Requests

    def _request(self, event: dict[str, Any]) -> None:
        request_id = event["requestId"]
        if event.get("redirectResponse"):
            self._answered(event["redirectResponse"])
        exchange = self._log.request(event)
        if exchange is None:
            return
        self._open[request_id] = exchange
        self._see_posted(request_id, exchange)
        if request_id not in self._streams:
            self._streams[request_id] = Stream(self._store.new())
            self._spawn(self._ask(request_id))

    def _request_extra(self, event: dict[str, Any]) -> None:
        self._log.request_extra(event)
        self._see_posted(event["requestId"], self._open.get(event["requestId"]))

    def _see_posted(self, request_id: str, exchange: Exchange | None) -> None:
        """Ask for what was posted, if less was told than was sent."""
        if exchange is None or exchange.sent_headers is None or exchange.method in _BODILESS:
            return
        size = length_of(exchange.headers_sent())
        if size > MAX_POST_BYTES:
            exchange.request_truncated = "length"
        elif isinstance(exchange.posted, bytes) and len(exchange.posted) != size:
            self._spawn(self._posted(request_id, exchange))

    async def _posted(self, request_id: str, exchange: Exchange) -> None:
        with contextlib.suppress(PlaywrightError):
            answer = await self._send("Network.getRequestPostData", {"requestId": request_id})
            text = answer["postData"]
            posted = base64.b64decode(text) if answer.get("base64Encoded") else text.encode()
            if posted and not self._settled:
                exchange.posted = self._store.keep(posted).path

    # Answers

    def _response(self, event: dict[str, Any]) -> None:
        request_id, response = event["requestId"], event["response"]
        if not self._log.response(event):
            self._open.pop(request_id, None)  # answered from nearby
            return
        self._answered(response)
        stream = self._streams.get(request_id)
        if stream is not None and stream.state == "off":
            stream.state = "asking"  # the process that shows a document knows it only now
            self._spawn(self._ask(request_id))

    async def _ask(self, request_id: str) -> None:
        """Have the bytes of a body handed out as they come."""
        stream = self._streams[request_id]
        try:
            answer = await self._send("Network.streamResourceContent", {"requestId": request_id})
        except PlaywrightError:
            stream.state = "off"
            stream.held.clear()
            return
        if not self._settled:
            stream.begin(base64.b64decode(answer["bufferedData"]))

    def _data(self, event: dict[str, Any]) -> None:
        stream = self._streams.get(event["requestId"])
        if stream is None:
            return
        stream.expected += event["dataLength"]
        stream.carried += event["encodedDataLength"]
        data = event.get("data")
        if data:
            stream.take(base64.b64decode(data))
        exchange = self._open.get(event["requestId"])
        if stream.over and exchange is not None and exchange.truncated is None:
            exchange.truncated = "length"
            host, port = endpoint(exchange.url)
            self.gateway.cut(host, port, stream.carried // 2)

    def _finished(self, event: dict[str, Any]) -> None:
        exchange = self._open.get(event["requestId"])
        if exchange is not None:
            stream = self._streams[event["requestId"]]
            stream.carried = int(event.get("encodedDataLength", 0))
            self._spawn(self._complete(event["requestId"], exchange, stream))

    async def _complete(self, request_id: str, exchange: Exchange, stream: Stream) -> None:
        try:
            await self._asked(stream)
            if not stream.whole and exchange.truncated is None and exchange.may_have_body():
                await self._fetch(request_id, exchange, stream)
        finally:
            if self._open.pop(request_id, None) is not None:
                self._end(exchange, stream)

    async def _asked(self, stream: Stream) -> None:
        while stream.state == "asking":
            await asyncio.sleep(0.005)

    async def _fetch(self, request_id: str, exchange: Exchange, stream: Stream) -> None:
        """Ask for a body that was not handed out, or not from its beginning."""
        with contextlib.suppress(PlaywrightError):
            answer = await self._send("Network.getResponseBody", {"requestId": request_id})
            if self._settled:
                return
            text = answer["body"]
            if answer["base64Encoded"]:
                data = base64.b64decode(text)
            else:
                data = encoded(text, str((exchange.response or {}).get("charset") or ""))
            if len(data) == stream.expected or (data and not stream.expected):
                stream.replace(data)

    def _end(self, exchange: Exchange, stream: Stream | None) -> None:
        """Note what there is of an answer's body, and what there is not."""
        ended = not self._settled
        if not exchange.answered:
            exchange.error = exchange.error or "no answer before the capture ended"
            return
        body = stream.body if stream is not None else self._store.new()
        if stream is None or not (stream.whole or (stream.state == "on" and body.full)):
            # The beginning is missing, or a piece within; that is no body to keep.
            body.forget()
        if body.size:
            exchange.body = body.path
        if body.full or exchange.truncated == "length":
            exchange.truncated = "length"
        elif not exchange.may_have_body():
            exchange.truncated = None
        elif not ended:
            exchange.truncated = exchange.truncated or "time"
        elif exchange.truncated is None and lacks(exchange, stream):
            exchange.truncated = "unspecified"

    def _failed(self, event: dict[str, Any]) -> None:
        request_id = event["requestId"]
        exchange = self._open.get(request_id)
        if exchange is None:
            return
        cut = exchange.truncated
        self._log.failed(event)
        exchange.truncated = cut or exchange.truncated
        self._spawn(self._broken(request_id, exchange, bool(event.get("canceled"))))

    async def _broken(self, request_id: str, exchange: Exchange, canceled: bool) -> None:
        """An answer that ended before its time; or one that only nobody was waiting for."""
        stream = self._streams.get(request_id)
        if stream is not None:
            await self._asked(stream)
        if self._open.pop(request_id, None) is None:
            return
        if canceled and exchange.answered and all_came(exchange, stream):
            exchange.error = exchange.truncated = None
        self._end(exchange, stream)

    def _rescue(self, method: str, url: str) -> Callable[[bytes], None] | None:
        """Who waits for the body of a request that is over, if somebody still does."""
        for request_id, exchange in self._open.items():
            if exchange.answered and (exchange.method, urldefrag(exchange.url)[0]) == (method, url):
                return partial(self._give, request_id, exchange)
        return None

    def _give(self, request_id: str, exchange: Exchange, data: bytes) -> None:
        if self._open.pop(request_id, None) is not None:
            stream = self._streams[request_id]
            stream.replace(data)
            self._end(exchange, stream)

    def _cached(self, event: dict[str, Any]) -> None:
        self._open.pop(event["requestId"], None)
        self._log.drop(event["requestId"], "cache")

    # Who answered

    def _answered(self, response: dict[str, Any]) -> None:
        """Note who answered. The browser sees our gateway; it knows the marketplace's address."""
        host, port = endpoint(response["url"])
        response["remoteIPAddress"] = self.gateway.addresses.get((host, port))
        name = f"{host}:{port}"
        if response.get("securityDetails") and name not in self.certificates:
            self.certificates[name] = []
            self._spawn(self._chain(name, response["url"]))

    async def _chain(self, name: str, url: str) -> None:
        parts = urlsplit(url)
        with contextlib.suppress(PlaywrightError):
            answer = await self._send(
                "Network.getCertificate", {"origin": f"{parts.scheme}://{parts.netloc}"}
            )
            self.certificates[name] = [base64.b64decode(one) for one in answer["tableNames"]]

    async def _send(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        assert self._session is not None
        return await self._session.send(method, params)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
