"""What stands between the spider and the network: the gate, limits, and manners."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import DownloadFailedError, IgnoreRequest, StopDownload
from scrapy.http import Headers, Response
from scrapy.robotstxt import RobotParser

from crawler.browsing.handover import handover_of
from crawler.network.gate import Forbidden, Gate
from crawler.network.gateway import OWN_ANSWER
from crawler.network.turnstile import Turnstile

logger = logging.getLogger(__name__)

#: What a busy server is given that does not say how long it wants to be left alone.
BUSY_SECONDS = 1.0

#: What a page, its data or a picture may be. Anything else is not read beyond its head.
_READABLE = (
    "text/",
    "image/",
    "application/json",
    "application/ld+json",
    "application/xhtml",
    "application/xml",
    "application/rss",
    "application/atom",
    "application/javascript",
    "application/x-javascript",
    # Said of all of these by servers that know no better.
    "application/octet-stream",
    "binary/octet-stream",
)


def host_of(url: str) -> str:
    """The host for which manners are kept: name, and port where one is given."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def turnstile_of(crawler: Crawler) -> Turnstile:
    """The turnstile of this process. Settings are copied deeply, so they have a way to it."""
    get: Callable[[], Turnstile] = crawler.settings["TOUCHSTONE_TURNSTILE"]
    return get()


def gate_of_crawl(crawler: Crawler) -> Gate:
    """The gate as the settings of a crawl have it."""
    return Gate(
        crawler.settings.getlist("TOUCHSTONE_ALLOWED_PRIVATE_HOSTS"),
        map(int, crawler.settings.getlist("TOUCHSTONE_ALLOWED_PORTS")),
    )


class GateMiddleware:
    """Holds every request against the gate: pages, pictures, robots.txt, redirect targets."""

    def __init__(self, crawler: Crawler) -> None:
        self._gate = gate_of_crawl(crawler)
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


class GatewayMiddleware:
    """Sends requests through the gateway, which judges them and goes on through a proxy."""

    def __init__(self, crawler: Crawler) -> None:
        self._address: str = crawler.settings["TOUCHSTONE_GATEWAY"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GatewayMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Name the way."""
        request.meta["proxy"] = self._address


class NoWay(IgnoreRequest):
    """The gateway did not get through."""


class NoTunnel(DownloadFailedError):
    """It did not for a tunnel, as HTTPS needs one; another try may help."""


class GatewayAnswerMiddleware:
    """Says why the gateway did not get through: that is no answer of the marketplace.

    It stands behind the tries, which are as good here as for any other error.
    """

    @classmethod
    def from_crawler(cls, _crawler: Crawler) -> GatewayAnswerMiddleware:
        """Scrapy's way to make it."""
        return cls()

    def process_response(self, request: Request, response: Response) -> Response:
        """Take what the gateway says of itself for an error."""
        why = response.headers.get(OWN_ANSWER)
        if why is not None:
            raise NoWay(why.decode("latin-1"))
        return response


class WrongType(StopDownload):
    """What is neither page nor picture."""

    def __init__(self, media_type: str) -> None:
        super().__init__(fail=True)
        self.media_type = media_type

    def __str__(self) -> str:
        return f"it is {self.media_type}, neither a page nor a picture: not read"


class TypeMiddleware:
    """Ends a download after its head where the type says that it cannot be of use."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TypeMiddleware:
        """Scrapy's way to make it."""
        middleware = cls()
        crawler.signals.connect(middleware.judge, signal=signals.headers_received)
        return middleware

    def judge(self, headers: Headers) -> None:
        """Read on or not."""
        said = (headers.get("Content-Type") or b"").decode("latin-1")
        media_type = said.partition(";")[0].strip().lower()
        if media_type and "/" in media_type and not media_type.startswith(_READABLE):
            raise WrongType(media_type[:100])


class RetryAfterMiddleware:
    """Has every worker leave a host alone for as long as it asks for.

    The retry itself is Scrapy's, and waits at the turnstile as all others do.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._turnstile = turnstile_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryAfterMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        """Note what the answer says."""
        if response.status in (429, 503):
            said = (response.headers.get("Retry-After") or b"").decode("ascii", "replace")
            seconds = retry_after(said)
            if seconds is None:
                await asyncio.sleep(BUSY_SECONDS)
            elif seconds > 0:
                why = f"HTTP {response.status}, Retry-After: {said[:60]}"
                await self._turnstile.pause(host_of(request.url), seconds, why)
        return response


def retry_after(said: str) -> float | None:
    """Seconds that a Retry-After asks for, in either of its forms; None if it says nothing."""
    said = said.strip()
    if said.isdigit():
        return float(said[:9])
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


class RobotsMiddleware(RobotsTxtMiddleware):
    """Takes a robots.txt that a host fails to give for one that forbids all.

    RFC 9309, section 2.3.1.4: it may be there, and forbid what we would ask for. Each page that
    is not asked for counts as an error of the run, with this reason.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._withheld: dict[str, str] = {}

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Judge a request by it."""
        why = self._withheld.get(urlsplit(request.url).netloc)
        if why is not None:
            self._stats.inc_value("robotstxt/forbidden")
            raise IgnoreRequest(why)
        super().process_request_2(rp, request)

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500:
            self._withhold(netloc, f"answers {response.status}")
        if response.status >= 400:  # below 500 it is not there, whatever its page says
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        answer = getattr(exc, "response", None)  # of one that was not read beyond its head
        absent = answer is not None and 400 <= answer.status < 500
        if isinstance(exc, NoWay | NoTunnel):
            # The host has not failed; but what it would say is not known either.
            self._withheld[netloc] = str(exc)
        # 2.3.1.2: one that leads on and on is as if it were not there.
        elif not absent and str(exc) != "max redirections reached":
            reason = " ".join(str(exc).split())[:200] or type(exc).__name__
            self._withhold(netloc, f"cannot be had ({reason})")
        super()._robots_error(exc, netloc)

    def _withhold(self, netloc: str, what: str) -> None:
        why = f"robots.txt of {netloc} {what}: nothing else is asked"
        logger.warning("%s", why)
        self._withheld[netloc] = why


class CrawlDelayMiddleware:
    """Obeys the ``Crawl-delay`` of robots.txt, which Scrapy reads and leaves at that."""

    def __init__(self, crawler: Crawler) -> None:
        self._turnstile = turnstile_of(crawler)
        self._agent: str = crawler.settings["USER_AGENT"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CrawlDelayMiddleware:
        """Scrapy's way to make it."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.parsed, signal=signals.robots_parsed)
        return middleware

    async def parsed(self, robotparser: Any, request: Request) -> None:
        """Note what a robots.txt says to us."""
        delay = robotparser.rp.crawl_delay(self._agent)
        seconds = float(delay) if delay and delay > 0 else None
        await self._turnstile.note_crawl_delay(host_of(request.url), seconds)


class LoginMiddleware:
    """Gives requests the stored login: cookies, or to a browser a context that has it.

    Scrapy's own cookie jar takes the cookies from there, and keeps what the marketplace changes.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._handover = handover_of(crawler)
        self._given: dict[str, int] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> LoginMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Hand them over with the first request to a host, and again after a new login."""
        logins = self._handover.logins
        if request.meta.get("playwright"):
            if logins:  # the context that Scrapy began with has the login of then
                request.meta["playwright_context"] = f"login-{logins}"
                request.meta["playwright_context_kwargs"] = self._handover.context_options()
            return
        parts = urlsplit(request.url)
        host = parts.hostname or ""
        if self._given.get(host) == logins:
            return
        self._given[host] = logins
        request.cookies = [
            {"name": c["name"], "value": c["value"], "domain": c["domain"], "path": c["path"]}
            for c in self._handover.cookies
            if _fits(c, host, parts.scheme)
        ]


def _fits(cookie: dict[str, Any], host: str, scheme: str) -> bool:
    domain = str(cookie["domain"]).lstrip(".").lower()
    if cookie.get("secure") and scheme != "https":
        return False
    return host == domain or (str(cookie["domain"]).startswith(".") and host.endswith(f".{domain}"))
