"""What stands between the spider and the network: the gate, and manners."""

from __future__ import annotations

import asyncio
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred

from crawler.gate import Forbidden, Gate

MAX_RETRY_AFTER_SECONDS = 30


class GateMiddleware:
    """Holds every request against the gate: pages, pictures, robots.txt, redirect targets."""

    def __init__(self, crawler: Crawler) -> None:
        self._gate = Gate(crawler.settings.getlist("TOUCHSTONE_ALLOWED_PRIVATE_HOSTS"))
        self._stats = crawler.stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GateMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let pass or drop."""
        try:
            await self._gate.acheck(request.url)
        except Forbidden as forbidden:
            assert self._stats is not None
            self._stats.inc_value("touchstone/forbidden")
            raise IgnoreRequest(str(forbidden)) from forbidden


class RetryAfterMiddleware:
    """Waits as long as a server asks for, within bounds, before Scrapy tries again."""

    async def process_response(self, request: Request, response: Response) -> Response:
        """Wait if the answer says so; the retry itself is Scrapy's."""
        if response.status in (429, 503):
            said = (response.headers.get("Retry-After") or b"").decode("ascii", "replace")
            seconds = int(said) if said.isdigit() else 1
            await asyncio.sleep(min(seconds, MAX_RETRY_AFTER_SECONDS))
        return response


class GateResolver(CachingThreadedResolver):
    """Resolves names for Scrapy and judges the very address that is connected to.

    A name may lead elsewhere than it did when the gate looked (DNS rebinding).
    """

    def __init__(self, reactor: Any, cache_size: int, timeout: float, gate: Gate) -> None:
        super().__init__(reactor, cache_size, timeout)
        self._gate = gate

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> GateResolver:
        """Scrapy's way to make it."""
        return cls(
            reactor,
            crawler.settings.getint("DNSCACHE_SIZE"),
            crawler.settings.getfloat("DNS_TIMEOUT"),
            Gate(crawler.settings.getlist("TOUCHSTONE_ALLOWED_PRIVATE_HOSTS")),
        )

    def getHostByName(self, name: str, timeout: Any = ()) -> Deferred[str]:
        """Twisted's way to ask."""
        found: Deferred[str] = super().getHostByName(name, timeout)
        return found.addCallback(self._judge, name)

    def _judge(self, address: str, name: str) -> str:
        if not self._gate.allows_host(name):
            self._gate.check_address(name, 0, address)
        return address
