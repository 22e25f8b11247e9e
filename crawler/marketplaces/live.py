"""Trying a marketplace live: a page or two, through the gate, as robots.txt allows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from web_poet import HttpResponse

from crawler.browsing.browser import CONTEXT_OPTIONS, open_browser
from crawler.marketplaces.api import parsed
from crawler.marketplaces.definition import Definition
from crawler.marketplaces.interfaces import ApiDefinition
from crawler.marketplaces.reading import PageRead, read_listing, read_page, read_results
from crawler.network.asking import MAX_BYTES, Asker, Page
from crawler.network.gate import Forbidden, Gate
from registry.errors import TouchstoneError

BROWSER_SECONDS = 45.0


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
    asker: Asker,
    definition: Definition,
    url: str,
    *,
    query: str | None = None,
    browser: Path | None,
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
        asker.obey_robots(address)
        return fetch_drawn(asker.gate, address, browser) if browser else asker.fetch(address)

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
    asker: Asker, definition: ApiDefinition, url: str | None, *, query: str | None
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
        status, _, body = asker.ask(wanted.url, wanted.headers, wanted.body)
        token, _ = source.made_token(status, body)

    def get(address: str) -> HttpResponse:
        status, _, body = asker.ask(address, source.headers(token or "", definition.market))
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
