"""Scrapy's download handlers, behind the turnstile: the last place before the network."""

from __future__ import annotations

import time
from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from crawler.network.middlewares import host_of, turnstile_of
from crawler.network.turnstile import HostPaused

#: In the meta of a request: a list that is told the seconds of each try, good or bad.
SPENT = "touchstone_spent"


class _BehindTurnstile:
    """Waits for a turn at the host, and holds it until the answer is there."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)  # type: ignore[call-arg]
        self._turnstile = turnstile_of(crawler)

    async def download_request(self, request: Request) -> Response:
        """Scrapy's way to ask."""
        ask: Any = super()
        try:
            async with self._turnstile.turn(host_of(request.url)):
                began = time.monotonic()
                try:
                    answer: Response = await ask.download_request(request)
                    return answer
                finally:
                    # Copies of a request, for retries and redirects, share this list.
                    request.meta.get(SPENT, []).append(time.monotonic() - began)
        except HostPaused as paused:
            raise IgnoreRequest(str(paused)) from paused


class PoliteHandler(_BehindTurnstile, HTTP11DownloadHandler):
    """For requests that no browser makes."""

    async def close(self) -> None:
        """Scrapy's way to end it."""
        await super().close()
        await self._turnstile.close()


class PoliteBrowserHandler(_BehindTurnstile, ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """For both kinds."""

    async def close(self) -> None:
        """Scrapy's way to end it."""
        await super().close()
        await self._turnstile.close()
