"""Scrapy's download handlers, behind the turnstile: the last place before the network.

What no browser asks for goes out through aiohttp: a bare spider takes 3.2 ms of processor time a
page with it, and 4.2 ms with Scrapy's own client. Its resolver is a place for the gate.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver
from scrapy import Request
from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler, _ClientResponse
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError, IgnoreRequest
from scrapy.http import Response

from crawler.network.gate import Forbidden, Gate
from crawler.network.middlewares import NoTunnel, gate_of_crawl, host_of, turnstile_of
from crawler.network.turnstile import HostPaused, Turnstile

#: In the meta of a request: a list that is told the seconds of each try, good or bad.
SPENT = "touchstone_spent"
#: One line of a head. Shops send policies and cookies of more than aiohttp's 8 KB.
MAX_LINE = 1 << 16


class GateResolver(ThreadedResolver):
    """Resolves names and judges the very addresses that are connected to.

    A name may lead elsewhere than it did when the gate looked (DNS rebinding).
    """

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """aiohttp's way to ask."""
        found = await super().resolve(host, port, family)
        for one in found:
            self._gate.check_address(host, port, one["host"])
        return found


@asynccontextmanager
async def turn(turnstile: Turnstile, request: Request) -> AsyncIterator[None]:
    """A turn at a request's host, held until the answer is there.

    Raises
    ------
    IgnoreRequest
        If the host wants to be left alone for long.
    """
    try:
        async with turnstile.turn(host_of(request.url)):
            began = time.monotonic()
            try:
                yield
            finally:
                # Copies of a request, for retries and redirects, share this list.
                request.meta.get(SPENT, []).append(time.monotonic() - began)
    except HostPaused as paused:
        raise IgnoreRequest(str(paused)) from paused


class PoliteHandler(AiohttpDownloadHandler):
    """For requests that no browser makes: waits for a turn at the host, holds it to the end."""

    experimental = False  # Scrapy warns of its own; our tests hold this one to what is promised

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._turnstile = turnstile_of(crawler)
        # The same session as Scrapy's, but for the gate and the length of a line.
        self._session.detach()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._pool_size_total,
                limit_per_host=self._pool_size_per_host,
                resolver=GateResolver(gate_of_crawl(crawler)),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            response_class=_ClientResponse,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
        )

    async def download_request(self, request: Request) -> Response:
        """Scrapy's way to ask."""
        async with turn(self._turnstile, request):
            # As Scrapy wrote the address: to be quoted anew breaks some that are signed.
            request.meta["verbatim_url"] = True
            try:
                return await super().download_request(request)
            except Forbidden as forbidden:
                raise IgnoreRequest(str(forbidden)) from forbidden
            except DownloadFailedError as error:
                if isinstance(error.__cause__, aiohttp.ClientHttpProxyError):
                    raise NoTunnel(error.__cause__.message) from error
                raise
            finally:
                del request.meta["verbatim_url"]

    async def close(self) -> None:
        """Scrapy's way to end it."""
        await super().close()
        await self._turnstile.close()
