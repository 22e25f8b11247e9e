"""Trying a marketplace live: a page or two, through the gate, as robots.txt allows.

One request at a time, for a person who waits: a run has its own ways (`crawler.crawling.spider`).
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

from playwright.async_api import Error as PlaywrightError
from web_poet import HttpResponse

from crawler.browsing.browser import CONTEXT_OPTIONS, open_browser
from crawler.marketplaces.api import parsed
from crawler.marketplaces.definition import Definition
from crawler.marketplaces.interfaces import ApiDefinition
from crawler.marketplaces.reading import MAX_BYTES, PageRead, read_listing, read_page, read_results
from crawler.network.gate import Forbidden, Gate
from registry.errors import TouchstoneError

USER_AGENT = "Touchstone/0.1 (brand protection; obeys robots.txt)"
#: What one answer may take as a whole, however it trickles in.
SECONDS = 30.0
REDIRECTS = 5
BROWSER_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, whole or cut at `MAX_BYTES`."""

    url: str
    status: int
    body: bytes
    content_type: str | None


class RobotsForbid(TouchstoneError):
    """An address that robots.txt forbids; `status` is what robots.txt itself came with."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class LeadsOn(TouchstoneError):
    """An address that redirects more often than is followed."""


def fetch(
    gate: Gate, url: str, headers: Mapping[str, str] | None = None, *, until: float | None = None
) -> Page:
    """Ask for a page; every redirect and every address connected to is judged before.

    Parameters
    ----------
    until
        By `time.monotonic`, when all of it must be over.

    Raises
    ------
    TouchstoneError
        If it may not be visited, does not answer, or leads on and on.
    """
    for _ in range(REDIRECTS + 1):
        status, said, body = ask(gate, url, headers, until=until)
        where = said.get("location")
        if status in (301, 302, 303, 307, 308) and where:
            try:
                url = urljoin(url, where)
            except ValueError as error:
                raise TouchstoneError(f"{url} leads to no address: {where[:100]}") from error
            continue
        return Page(url, status, body, said.get("content-type"))
    raise LeadsOn(f"{url}: more than {REDIRECTS} redirects")


def ask(
    gate: Gate,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    until: float | None = None,
    most: int = MAX_BYTES,
) -> tuple[int, dict[str, str], bytes]:
    """Ask once, with a POST if there is a body: status, headers in lower case, body.

    No redirect is followed.

    Parameters
    ----------
    until
        By `time.monotonic`, when it must be over; in any case after `SECONDS`.
    most
        Bytes of the body that are read.

    Raises
    ------
    TouchstoneError
        If it may not be visited or does not answer.
    """
    try:
        gate.check(url)
    except Forbidden as forbidden:
        raise TouchstoneError(f"marketplace {forbidden}") from forbidden
    seconds = SECONDS if until is None else min(SECONDS, until - time.monotonic())
    if seconds <= 0:
        raise TouchstoneError(f"{url} is not asked: there is no time left")
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=_tls())
        if secure
        else http.client.HTTPConnection(host, parts.port, timeout=seconds)
    )

    def connect(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        name, port = address
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0][4][0]
        # The very address that is connected to: the name may lead elsewhere by now.
        gate.check_address(name, port, str(found))
        made = socket.create_connection((str(found), port), timeout=seconds)
        ends.enter_context(_cut(made, seconds, late))
        return made

    late = threading.Event()
    ends = contextlib.ExitStack()
    connection._create_connection = connect  # type: ignore[attr-defined]
    try:
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        accept = "text/html,application/json;q=0.9,*/*;q=0.1"
        bearing = {"User-Agent": USER_AGENT, "Accept": accept, **(headers or {})}
        connection.request("GET" if body is None else "POST", path, body, bearing)
        answer = connection.getresponse()
        said = {name.lower(): value for name, value in answer.getheaders()}
        content = answer.read(most)
        if late.is_set():  # what came until then looks whole where no length was said
            raise TimeoutError
        return answer.status, said, content
    except Forbidden as forbidden:
        raise TouchstoneError(f"marketplace {forbidden}") from forbidden
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if late.is_set():
            reason = f"not all of it came in {seconds:.0f} seconds"
        raise TouchstoneError(f"{url} does not answer: {reason}") from error
    finally:
        ends.close()
        connection.close()


@contextlib.contextmanager
def _cut(connection: socket.socket, seconds: float, late: threading.Event) -> Iterator[None]:
    """End a connection after so long: a time limit of a socket is for each of its reads only."""
    # TLS takes the socket over; a second handle of it still ends the connection.
    handle = connection.dup()

    def end() -> None:
        late.set()
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def obey_robots(
    gate: Gate, url: str, headers: Mapping[str, str] | None = None, *, until: float | None = None
) -> None:
    """Make sure that robots.txt lets us ask for an address.

    Raises
    ------
    RobotsForbid
        If it forbids it.
    TouchstoneError
        If its host does not answer.
    """
    try:
        page = fetch(gate, urljoin(url, "/robots.txt"), headers, until=until)
    except LeadsOn:
        return  # RFC 9309, 2.3.1.2: as if it were not there
    host = urlsplit(url).netloc
    if page.status >= 500:  # 2.3.1.4: it may be there, and forbid what we would ask for
        raise RobotsForbid(
            f"robots.txt of {host} answers {page.status}: nothing else is asked", page.status
        )
    if page.status != 200:
        return  # 2.3.1.3: what is not there forbids nothing
    rules = RobotFileParser()
    rules.parse(page.body[:512_000].decode("utf-8", "replace").splitlines())
    agent = (headers or {}).get("User-Agent", "Touchstone")
    if not rules.can_fetch(agent, url):
        raise RobotsForbid(f"robots.txt of {host} forbids {url}: nothing was asked", page.status)


def fetch_drawn(gate: Gate, url: str, executable: Path) -> Page:
    """A page after its scripts have run, in a browser whose connections all pass the gate.

    Raises
    ------
    TouchstoneError
        If it may not be visited, or does not come.
    """

    async def visit() -> Page:
        async with open_browser(executable, gate) as opened:
            page = await (await opened.browser.new_context(**CONTEXT_OPTIONS)).new_page()
            async with asyncio.timeout(BROWSER_SECONDS):
                answer = await page.goto(url, timeout=BROWSER_SECONDS * 1000)
                with contextlib.suppress(PlaywrightError):
                    await page.wait_for_load_state("networkidle", timeout=5_000)
                html = (await page.content())[:MAX_BYTES]
            return Page(page.url, answer.status if answer else 200, html.encode(), None)

    try:
        gate.check(url)
        return asyncio.run(visit())
    except Forbidden as forbidden:
        raise TouchstoneError(f"marketplace {forbidden}") from forbidden
    except (PlaywrightError, TimeoutError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it takes too long"
        raise TouchstoneError(f"{url} does not come: {reason}") from error


def check(
    gate: Gate, definition: Definition, url: str, *, query: str | None = None, browser: Path | None
) -> Iterator[PageRead]:
    """Try a marketplace: the page at an address, or a search and its first listing.

    Parameters
    ----------
    url
        Of the page; with a query, of the marketplace.
    browser
        Chromium, where pages are to be drawn before they are read.

    Raises
    ------
    TouchstoneError
        If a page cannot be had.
    """

    def get(address: str) -> Page:
        obey_robots(gate, address)
        return fetch_drawn(gate, address, browser) if browser else fetch(gate, address)

    if query is None:
        page = get(url)
        yield read_page(
            page.body,
            page.url,
            kind=definition.kind,
            status=page.status,
            content_type=page.content_type,
        )
        return
    results = read_results(definition, _response(get(definition.search_url(url, query))))
    yield results
    own = (c.url for c in results.cards if definition.external_id(c.url) is not None)
    first = next((link for link in own if definition.belongs(link, url)), None)
    if first is not None:
        yield read_listing(definition, _response(get(first)))


def check_api(
    gate: Gate, definition: ApiDefinition, url: str | None, *, query: str | None
) -> Iterator[PageRead]:
    """Try a marketplace's API: the listing at an address, or a search and its first listing.

    Raises
    ------
    TouchstoneError
        If there is no token that it takes, or an answer cannot be had.
    """
    source = definition.source
    token = source.token()
    application = source.application()
    if token is None and application is not None:
        wanted = source.token_request(application)
        status, _, body = ask(gate, wanted.url, wanted.headers, wanted.body)
        token, _ = source.made_token(status, body)

    def get(address: str) -> HttpResponse:
        status, _, body = ask(gate, address, source.headers(token or "", definition.market))
        instead = source.instead(definition.host, address, parsed(body))
        if status == 400 and instead is not None:
            return get(instead)
        if status == 401:
            raise TouchstoneError(f"{source.name}: {source.unauthorised()}")
        if status != 200:
            raise TouchstoneError(f"{source.name}: {address} answers HTTP {status}")
        return HttpResponse(address, body=body, status=status)

    if query is not None:
        results = read_results(definition, get(definition.search_url("", query)))
        yield results
        url = next((card.url for card in results.cards), None)
    there = definition.visit_url(url) if url else None
    if there is not None:
        yield read_listing(definition, get(there))


def _response(page: Page) -> HttpResponse:
    headers = {"content-type": page.content_type} if page.content_type else {}
    return HttpResponse(page.url, body=page.body, status=page.status, headers=headers)
