"""Sending to official interfaces: the token on the way out, calls counted, refusals explained."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from sqlalchemy.orm import Session

from crawler.crawling.store import storing
from crawler.marketplaces import KINDS
from crawler.marketplaces.api import Api, parsed
from crawler.network.middlewares import retry_after
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import ApiCalls as Counter
from registry.models.base import utcnow

#: A wait beyond this is no throttling but a quota that is used up.
LONGEST_WAIT = 300.0
#: A token is made anew so long before it expires.
BEFORE_EXPIRY = 60.0
_SECRETS = ("Authorization", "x-api-key")
_ASKS_TOKEN = "touchstone_asks_token"


class Refused(IgnoreRequest):
    """What the interface does not answer, and what to do about it."""


def _api_of(crawler: Crawler) -> tuple[Api, str]:
    api = KINDS[crawler.settings["TOUCHSTONE_API"]].api
    assert api is not None
    return api, api.host()


def _is_of(url: str, host: str) -> bool:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" == host


class ApiManners:
    """Robots.txt is for those who crawl pages; who holds a token obeys the API's terms."""

    def __init__(self, crawler: Crawler) -> None:
        _, self._host = _api_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ApiManners:
        """Scrapy's way to make it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Say so; and take the token out of whatever leads elsewhere."""
        if _is_of(request.url, self._host):
            request.meta["dont_obey_robotstxt"] = True
            return
        for name in _SECRETS:
            request.headers.pop(name, None)


class ApiCalls:
    """Adds the token, counts the calls, and ends them all at the first final refusal."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._api, self._host = _api_of(crawler)
        self._market: str = crawler.settings["TOUCHSTONE_API_MARKET"]
        self._limit = self._api.limit()
        self._database: Database = crawler.settings["TOUCHSTONE_DATABASE"]()
        self._application = None if self._api.token() else self._api.application()
        self._token = self._api.token()
        self._expires = float("inf") if self._token else 0.0
        self._making = asyncio.Lock()
        self._refusal: str | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ApiCalls:
        """Scrapy's way to make it."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Add the token, if there may be one more call."""
        if not _is_of(request.url, self._host) or request.meta.get(_ASKS_TOKEN):
            return
        self._go_on()
        token = await self._valid_token()
        if not await asyncio.to_thread(take_call, self._database, self._api.name, self._limit):
            self._end(
                f"the {self._limit} calls of this day (UTC) are used up; what is left is seen to "
                f"by a run of tomorrow (another limit: {self._api.variables}_CALLS)"
            )
        for name, value in self._api.headers(token, self._market).items():
            request.headers[name] = value

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Say what a refusal means. The token stays on no request that is kept or logged."""
        if not _is_of(request.url, self._host) or request.meta.get(_ASKS_TOKEN):
            return response
        used = request.headers.get("Authorization")
        for name in _SECRETS:
            request.headers.pop(name, None)
        if response.status == 401:
            return self._unauthorised(request, used)
        if response.status == 403 and self._is_search(request):
            self._end("it answers 403: this application or token may not search there")
        if response.status == 429:
            self._throttled(response)
        if response.status == 400:
            instead = self._api.instead(self._host, request.url, parsed(response.body))
            if instead is not None:
                return request.replace(url=instead, dont_filter=True)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Take the token off a request that came to nothing."""
        for name in _SECRETS:
            request.headers.pop(name, None)

    def _unauthorised(self, request: Request, used: bytes | None) -> Request:
        if self._application is not None and not request.meta.get("touchstone_again"):
            if used is not None and used.decode().endswith(str(self._token)):
                self._expires = 0.0
            again = request.replace(dont_filter=True)
            again.meta["touchstone_again"] = True
            return again
        raise self._ended(self._api.unauthorised())

    def _throttled(self, response: Response) -> None:
        said = (response.headers.get("Retry-After") or b"").decode("ascii", "replace")
        seconds = retry_after(said)
        used_up = response.headers.get("x-remaining-today") == b"0"
        if used_up or (seconds is not None and seconds > LONGEST_WAIT):
            when = f" for {seconds:.0f} seconds" if seconds else ""
            self._end(f"its quota is used up{when} (HTTP 429)")

    async def _valid_token(self) -> str:
        if self._token is not None and time.monotonic() < self._expires:
            return self._token
        async with self._making:
            self._go_on()
            if self._token is None or time.monotonic() >= self._expires:
                self._token, seconds = await self._made_token()
                self._expires = time.monotonic() + max(seconds - BEFORE_EXPIRY, 1.0)
        return self._token

    async def _made_token(self) -> tuple[str, float]:
        assert self._application is not None
        engine = self._crawler.engine
        assert engine is not None
        wanted = self._api.token_request(self._application)
        response = await engine.download_async(
            Request(
                wanted.url,
                method="POST",
                headers=dict(wanted.headers),
                body=wanted.body,
                meta={_ASKS_TOKEN: True, "handle_httpstatus_all": True, "dont_redirect": True},
            )
        )
        try:
            return self._api.made_token(response.status, response.body)
        except TouchstoneError as error:
            self._refusal = str(error)
            raise Refused(self._refusal) from error

    def _is_search(self, request: Request) -> bool:
        return "offset=" in urlsplit(request.url).query

    def _go_on(self) -> None:
        if self._refusal is not None:
            raise Refused(self._refusal)

    def _end(self, why: str) -> None:
        raise self._ended(why)

    def _ended(self, why: str) -> Refused:
        self._refusal = f"{self._api.name}: {why}"
        return Refused(self._refusal)


def take_call(database: Database, api: str, limit: int | None) -> bool:
    """Count a call of today, by all runs and workers together; False if there may be none."""
    today: date = utcnow().date()

    def take(session: Session) -> bool:
        row = session.get(Counter, (api, today), with_for_update=True)
        if row is None:
            row = Counter(api=api, day=today, calls=0)
            session.add(row)
        if limit is not None and row.calls >= limit:
            return False
        row.calls += 1
        return True

    return storing(database, take)
