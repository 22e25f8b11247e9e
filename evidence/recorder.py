"""Recording what a page does: every exchange, and pictures of it at chosen moments."""

from __future__ import annotations

import asyncio
import base64
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page as BrowserPage
from uuid_utils.compat import uuid7

from crawler.gateway import Gateway
from evidence import wacz, warc
from evidence.exchanges import Exchange, Log

SOFTWARE = f"touchstone {version('touchstone')}"

MAX_BODY_BYTES = 300 << 20
MAX_ALL_BODIES_BYTES = 1 << 30
MAX_SCREENSHOT_PIXELS_HIGH = 16_000
MAX_TEXT_CHARACTERS = 200_000
QUIET_SECONDS = 5.0
STEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A finished bundle.

    Parameters
    ----------
    screenshot
        The last step's full-page screenshot, still in the working folder.
    exchanges, incomplete
        How many requests were recorded, and how many of them without their whole answer.
    """

    path: Path
    sha256: str
    screenshot: Path
    exchanges: int
    incomplete: int


# No slots: Playwright sets attributes on the owner of an event handler.
@dataclass
class Recorder:
    """Records one page from now until `seal`.

    Parameters
    ----------
    folder
        An empty working folder; bodies are kept there, not in memory.
    circumstances
        Why and by whom: goes into the WARC and into ``extra/capture.json``.
    """

    page: BrowserPage
    gateway: Gateway
    folder: Path
    circumstances: Mapping[str, Any]
    _log: Log = field(default_factory=Log)
    _steps: list[tuple[str, wacz.Page]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _open: set[str] = field(default_factory=set)
    _session: CDPSession | None = None
    _user_agent: str = ""
    _bodies: int = 0
    _body_bytes: int = 0

    async def start(self) -> None:
        """Begin to record; call it before the page goes anywhere."""
        for name in ("archive", "indexes", "screenshots", "dom", "extra", "bodies"):
            (self.parts if name != "bodies" else self.folder).joinpath(name).mkdir(
                parents=True, exist_ok=True
            )
        session = await self.page.context.new_cdp_session(self.page)
        self._session = session
        session.on("Network.requestWillBeSent", self._request)
        session.on("Network.requestWillBeSentExtraInfo", self._log.request_extra)
        session.on("Network.responseReceived", self._response)
        session.on("Network.responseReceivedExtraInfo", self._log.response_extra)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.loadingFailed", self._failed)
        await session.send(
            "Network.enable",
            {
                "maxResourceBufferSize": MAX_BODY_BYTES,
                "maxTotalBufferSize": 2 * MAX_BODY_BYTES,
                "maxPostDataSize": 10 << 20,
            },
        )
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        # Asked now, of an empty page: a hostile one need not answer.
        self._user_agent = await self.page.evaluate("navigator.userAgent")

    @property
    def parts(self) -> Path:
        """Where the parts of the package are put together."""
        return self.folder / "package"

    async def step(self, name: str) -> None:
        """Keep what the page shows now: full-page screenshot, DOM, visible text.

        Raises
        ------
        TimeoutError
            If the page keeps the browser too busy to show anything.
        """
        async with asyncio.timeout(STEP_SECONDS):
            await self._keep(name)

    async def _keep(self, name: str) -> None:
        number = f"{len(self._steps) + 1:02d}-{name}"
        page = wacz.Page(
            id=uuid7(),
            url=self.page.url,
            ts=datetime.now(UTC),
            title=await self.page.title(),
            text=(await self._text())[:MAX_TEXT_CHARACTERS],
        )
        (self.parts / "screenshots" / f"{number}.png").write_bytes(await self._screenshot())
        (self.parts / "dom" / f"{number}.html").write_text(
            await self.page.content(), encoding="utf-8", errors="surrogatepass"
        )
        self._steps.append((number, page))

    async def seal(self, **outcome: Any) -> Sealed:
        """Stop recording and pack everything.

        Parameters
        ----------
        outcome
            What came of the visit; goes into ``extra/capture.json``.

        Raises
        ------
        OSError
            If the disk is full; no half bundle is left.
        """
        await self._settle()
        exchanges = self._log.exchanges
        for exchange in exchanges:
            if exchange.response is None and exchange.error is None:
                exchange.error = "no answer before the capture ended"
            elif exchange.body is None and exchange.truncated is None and _has_body(exchange):
                exchange.truncated = "time"
        incomplete = sum(1 for e in exchanges if e.truncated or e.error)
        created = datetime.now(UTC)
        about = {
            **self.circumstances,
            **outcome,
            "software": SOFTWARE,
            "python": platform.python_version(),
            "user_agent": self._user_agent,
            "viewport": self.page.viewport_size,
            "sealed_at": warc.warc_date(created),
            "shown": [
                {"name": number, "url": page.url, "at": warc.warc_date(page.ts)}
                for number, page in self._steps
            ],
            "exchanges": len(exchanges),
            "incomplete": [
                {"url": e.url, "truncated": e.truncated, "error": e.error}
                for e in exchanges
                if e.truncated or e.error
            ],
            "forbidden": [str(forbidden) for forbidden in self.gateway.refused],
        }
        (self.parts / "extra" / "capture.json").write_text(
            json.dumps(about, ensure_ascii=False, indent=2, default=str), encoding="utf-8"
        )
        return await asyncio.to_thread(self._pack, created, incomplete)

    def _pack(self, created: datetime, incomplete: int) -> Sealed:
        archive = self.parts / "archive" / "data.warc.gz"
        info = {
            "software": SOFTWARE,
            "format": "WARC File Format 1.1",
            "isPartOf": "Touchstone evidence",
            **{key: str(value) for key, value in self.circumstances.items()},
        }
        warc.write_warc(archive, info, self._log.exchanges)
        warc.write_index(archive, self.parts / "indexes")
        target = self.folder / "bundle.wacz"
        pages = [page for _, page in self._steps]
        sha256 = wacz.pack(
            self.parts,
            target,
            pages=pages,
            software=SOFTWARE,
            created=created,
            title=pages[0].title or pages[0].url,
        )
        last = self._steps[-1][0]
        return Sealed(
            path=target,
            sha256=sha256,
            screenshot=self.parts / "screenshots" / f"{last}.png",
            exchanges=len(self._log.exchanges),
            incomplete=incomplete,
        )

    # The page, as it shows itself

    async def _text(self) -> str:
        text: str = await self.page.evaluate("document.body ? document.body.innerText : ''")
        return text

    async def _screenshot(self) -> bytes:
        assert self._session is not None
        metrics = await self._session.send("Page.getLayoutMetrics")
        size = metrics["cssContentSize"]
        height = max(1, min(int(size["height"]), MAX_SCREENSHOT_PIXELS_HIGH))
        shot = await self._session.send(
            "Page.captureScreenshot",
            {
                "format": "png",
                "optimizeForSpeed": True,
                "captureBeyondViewport": True,
                "clip": {
                    "x": 0, "y": 0, "width": max(1, int(size["width"])),
                    "height": height, "scale": 1,
                },
            },
        )  # fmt: skip
        return base64.b64decode(shot["data"])

    # The network

    def _request(self, event: dict[str, Any]) -> None:
        if event.get("redirectResponse"):
            self._put_address(event["redirectResponse"])
        self._log.request(event)
        if self._log.last(event["requestId"]) is not None:
            self._open.add(event["requestId"])

    def _response(self, event: dict[str, Any]) -> None:
        self._put_address(event["response"])
        self._log.response(event)

    def _put_address(self, response: dict[str, Any]) -> None:
        """The browser sees our gateway's address; the gateway knows the marketplace's."""
        parts = urlsplit(response["url"])
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        response["remoteIPAddress"] = self.gateway.addresses.get((parts.hostname or "", port))

    def _failed(self, event: dict[str, Any]) -> None:
        self._open.discard(event["requestId"])
        self._log.failed(event)

    def _finished(self, event: dict[str, Any]) -> None:
        exchange = self._log.last(event["requestId"])
        if exchange is None:
            return
        task = asyncio.get_running_loop().create_task(self._fetch_body(event, exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fetch_body(self, event: dict[str, Any], exchange: Exchange) -> None:
        assert self._session is not None
        request_id = event["requestId"]
        try:
            if self._body_bytes > MAX_ALL_BODIES_BYTES:
                exchange.truncated = "length"
                return
            answer = await self._session.send("Network.getResponseBody", {"requestId": request_id})
        except PlaywrightError:
            if _has_body(exchange):
                exchange.truncated = "length" if _large(event) else "unspecified"
            return
        finally:
            self._open.discard(request_id)
        text = answer["body"]
        body = base64.b64decode(text) if answer["base64Encoded"] else text.encode()
        if body:
            self._bodies += 1
            self._body_bytes += len(body)
            exchange.body = self.folder / "bodies" / str(self._bodies)
            exchange.body.write_bytes(body)

    async def _settle(self) -> None:
        """Wait, but not for ever, until what was begun is answered and its body here."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + QUIET_SECONDS
        while (self._open or self._tasks) and loop.time() < deadline:
            await asyncio.sleep(0.05)
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=QUIET_SECONDS * 4)


def _has_body(exchange: Exchange) -> bool:
    return exchange.method != "HEAD" and not (
        exchange.status in (204, 304) or 300 <= exchange.status < 400
    )


def _large(event: dict[str, Any]) -> bool:
    return bool(event.get("encodedDataLength", 0) > MAX_BODY_BYTES)
