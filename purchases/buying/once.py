"""Letting nothing that orders be sent twice, whatever page, browser and person do."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request, Response, Route

from crawler.network.gateway import Gateway
from purchases.buying.recognising import place

#: How long a request that posts waits for the answer to another before it goes all the same.
TURN_SECONDS = 5.0
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Once:
    """The rule from the ordering click on.

    The page's script may post again, so each address is posted to once. The browser may send
    again what got no answer, so what posts goes one after the other, each with one new
    connection until its answer is here; no other post cuts off the order before it. Beacons
    order nothing, and would cut off the confirmation, being sent when the page is left: they
    are not sent. An order may be a GET as well: what is gone to first is gone to once. Where a
    person has the browser, another query does not make another address, and what they ordered
    by is asked for no more, however. Their bank may be answered again: a code may be wrong.

    Parameters
    ----------
    shop
        An address of the shop.
    """

    def __init__(self, page: Page, gateway: Gateway, shop: str) -> None:
        self._page = page
        self._gateway = gateway
        self._shop = place(shop)
        self._sent: set[str] = set()
        self._gone_to: set[str] = set()
        self._ordered: set[str] = set()
        self._first_post: str | None = None
        self._redirected: set[Request] = set()
        self._turn = asyncio.Lock()
        self._whose: Request | None = None

    async def start(self) -> None:
        """Begin, before the click."""
        context = self._page.context
        context.on("response", self._answered)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)
        await self._gateway.hold_to_one()

    async def judge(self, route: Route, *, order: bool = False, by_person: bool = False) -> None:
        """Let a request pass, in its turn, or not.

        Parameters
        ----------
        order
            Whether it is what the intent was written for.
        by_person
            Whether a person has the browser.
        """
        request = route.request
        posts = request.method not in SAFE_METHODS
        goes = request.is_navigation_request() and self._in_page(request)
        first = goes and not self._sent and not self._gone_to
        if self._is_repeated(request, posts=posts, goes=goes, by_person=by_person):
            await self._refuse(route)
            return
        if order:
            self._ordered.add(bare(request.url))
        if posts:
            self._sent.add(request.url)
            self._first_post = self._first_post or bare(request.url)
        elif first or order:
            self._gone_to.add(request.url)
        if posts or order:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._turn.acquire(), TURN_SECONDS)
                self._whose = request
                await self._gateway.hold_to_one()
        await route.continue_()

    def _is_repeated(self, request: Request, *, posts: bool, goes: bool, by_person: bool) -> bool:
        if bare(request.url) in self._ordered or request.resource_type == "ping":
            return True
        if not by_person:
            return request.url in self._sent if posts else goes and request.url in self._gone_to
        before = self._sent if posts else self._gone_to
        if posts and self._is_banks(request) and bare(request.url) != self._first_post:
            return False
        return bare(request.url) in {bare(url) for url in before}

    def _is_banks(self, request: Request) -> bool:
        """Whether a page of another host sends it, to another host than the shop's."""
        try:
            sender = request.frame.url
        except PlaywrightError:  # a window that is not there yet
            return False
        return bool(place(sender)) and self._shop not in (place(sender), place(request.url))

    async def _refuse(self, route: Route) -> None:
        # As if loading had been stopped: an error page would cut off the order that is on its way.
        goes = route.request.is_navigation_request()
        await route.abort("aborted" if goes else "blockedbyclient")

    def _in_page(self, request: Request) -> bool:
        try:
            return request.frame == self._page.main_frame
        except PlaywrightError:  # a window that is not there yet
            return False

    def _concerns(self, request: Request) -> bool:
        """Whether it is what is held for, or what that led to; an order may be a GET as well."""
        if self._whose is None:
            return request.is_navigation_request() and self._in_page(request)
        first = request
        while first.redirected_from is not None:
            first = first.redirected_from
        return first == self._whose

    def _answered(self, response: Response) -> None:
        if self._concerns(response.request):
            self._gateway.release()
            if 300 <= response.status < 400:
                self._redirected.add(response.request)

    def _ended(self, request: Request) -> None:
        if self._concerns(request):
            self._gateway.release()
            # Where a post leads to is part of its turn: the next one would cut that off.
            if self._whose is not None and request not in self._redirected:
                self._whose = None
                self._turn.release()


def bare(url: str) -> str:
    """An address without its query."""
    return urlsplit(url)._replace(query="", fragment="").geturl()
