"""The download handler of crawls that have some pages drawn by a browser."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from crawler.network.downloading import PoliteHandler, turn
from crawler.network.middlewares import turnstile_of


class PoliteBrowserHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """For both kinds of requests; those that no browser makes go the way of `PoliteHandler`."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._turnstile = turnstile_of(crawler)
        self._plain = PoliteHandler(crawler)

    async def download_request(self, request: Request) -> Response:
        """Scrapy's way to ask."""
        if not request.meta.get("playwright"):
            return await self._plain.download_request(request)
        async with turn(self._turnstile, request):
            answer: Response = await super().download_request(request)
            return answer

    async def close(self) -> None:
        """Scrapy's way to end it."""
        await super().close()
        await self._plain.close()
