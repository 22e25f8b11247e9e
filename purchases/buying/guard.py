"""What may leave the browser of a purchase while a person has it, and from the order on.

Where nothing may be ordered, nothing leaves that could be an order; where a person may order,
the intent is committed before what the ordering button sends leaves, nothing else leaves that
could be an order, and from there on the rule of `once` holds. Both are kept at the network, for
all windows of the browser, whatever page and person do. What could be an order is told widely:
by the page from which it comes, and then all but pictures, styles, scripts, and pages of steps
that the recipe knows. In a rehearsal every page that the recipe does not know is such a page;
elsewhere what it says decides, which may be wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Literal
from urllib.parse import urljoin, urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Page, Request, Route, WebSocketRoute

from crawler.network.gateway import Gateway
from purchases.buying.controls import could_order_with
from purchases.buying.once import SAFE_METHODS, Once, bare
from purchases.buying.reasons import Stopped
from purchases.buying.recognising import obstacle
from purchases.buying.walking import Walk
from registry.money import Money

#: How long a page is asked what it is before a key or click goes to it. No answer: the worst.
LOOK_SECONDS = 2.0

#: What is fetched to show a page, and orders nothing.
_SHOWS = frozenset({"image", "stylesheet", "script", "font", "media", "texttrack", "manifest"})

Phase = Literal["open", "held", "allowed", "once"]


class Guard:
    """Stands between one browser context and the network.

    Parameters
    ----------
    still_ours
        Raises where the job went to another since a person's order had its intent written.

    Attributes
    ----------
    intended
        Whether the intent was written: from then on nothing is clicked again.
    refused
        Paths of what was not let out, since it could have been an order.
    failed
        Why the intent could not be written when a person ordered; then the order did not leave.
    total
        What the order costs that a person made, as the review page said before it.
    """

    def __init__(
        self, page: Page, gateway: Gateway, walk: Walk, still_ours: Callable[[], Awaitable[None]]
    ) -> None:
        self.intended = False
        self.refused: list[str] = []
        self.failed: Exception | None = None
        self.total: Money | None = None
        self._page = page
        self._walk = walk
        self._still_ours = still_ours
        self._once = Once(page, gateway, walk.wanted.url)
        self._phase: Phase = "open"
        self._by_person = False
        self._routed = False
        self._touched = False
        self._suspect = True
        self._aimed = False
        self._compared: Money | None = None
        self._wrong = False
        self._actions: set[str] = set()
        self._queried: set[str] = set()
        self._review: str | None = None
        self._intend: Callable[[], Awaitable[None]] | None = None
        self._writing = asyncio.Lock()
        page.on("framenavigated", self._went)

    async def start(self) -> None:
        """Before any page: an order through a WebSocket would pass all that is told here."""

        async def close(socket: WebSocketRoute) -> None:
            await socket.close(reason="no sockets in a checkout")

        await self._page.context.route_web_socket(re.compile(""), close)

    async def hold(self) -> None:
        """A person gets the browser: nothing that could be an order leaves.

        It holds after the browser was given back, until the recipe goes on.
        """
        self._by_person = True
        if self.intended:
            return
        await self._route()
        self._touched = False
        self._phase = "held"
        await self.before_input(touched=False)

    def allow(self, intend: Callable[[], Awaitable[None]]) -> None:
        """The person who has it may order, once.

        Parameters
        ----------
        intend
            Commits the intent; what it raises keeps the order from leaving.
        """
        if not self.intended:
            self._intend, self._phase = intend, "allowed"

    async def given_back(self) -> None:
        """The person has it no more, and may order no more; what is on its way is waited for."""
        self._by_person = False
        async with self._writing:
            self._intend = None
            if self._phase == "allowed":
                self._phase = "held"

    def go_on(self) -> None:
        """The recipe clicks the next step."""
        if not self.intended:
            self._phase = "open"

    async def click_comes(self) -> None:
        """The recipe's ordering click comes; its intent is written."""
        self.intended = True
        await self._route()
        self._phase = "once"
        await self._once.start()

    async def before_input(self, *, touched: bool = True) -> None:
        """Look what the page is, before a key or click of a person goes to it."""
        if self._phase == "once" and self._by_person:
            self._wrong = await self._is_wrong()
        if self._phase not in ("held", "allowed"):
            return
        self._touched = self._touched or touched
        suspect, aimed, compared = True, False, None
        with contextlib.suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                suspect = await self._could_order_here()
                if self._phase == "allowed":
                    aimed = await self._at_button()
        if aimed:
            with contextlib.suppress(Stopped):
                compared = await self._walk.check()
        # Only now: what is asked for until the key goes to the page is the last key's.
        self._suspect, self._aimed, self._compared = suspect, aimed, compared

    async def _at_button(self) -> bool:
        """Whether a key or click would now go to the ordering button."""
        button = self._page.locator(self._walk.recipe.order_button)
        return await button.and_(self._page.locator(":hover, :focus-within")).count() > 0

    async def _route(self) -> None:
        if not self._routed:
            self._routed = True
            # Of the context: also for windows that a page opens, from their first request on.
            await self._page.context.route("**/*", self._judge)

    def _went(self, frame: Frame) -> None:
        if frame != self._page.main_frame:
            return
        if self._at_review(frame.url):
            self._suspect = True
        elif self._walk.knows(frame.url):
            self._suspect = False
        elif self._rehearses:
            self._suspect = True

    @property
    def _rehearses(self) -> bool:
        return self._walk.wanted.mode == "rehearse"

    def _at_review(self, url: str) -> bool:
        path, recipe = urlsplit(url).path, self._walk.recipe
        return bool(re.search(recipe.review, path) or re.search(recipe.thanks, path))

    async def _could_order_here(self) -> bool:
        """Whether what is done on this page could order."""
        page, recipe = self._page, self._walk.recipe
        if await page.locator(recipe.order_button).count():
            self._review = page.url
            await self._note_action()
            return True
        if self._walk.knows(page.url):
            # A listing may have a button that buys at once.
            return self._walk.at_listing(page.url) and await could_order_with(page, unknown=False)
        if self._rehearses:
            return True
        if self._at_review(page.url):
            # A captcha may stand in its place, and is answered by a post.
            found = await obstacle(page, self._walk.wanted.url, None)
            if found is None or found.reason not in ("captcha", "login"):
                return True
        return await could_order_with(page, unknown=True)

    async def _note_action(self) -> None:
        """Where the ordering button sends: that is an order from wherever it is sent."""
        button = self._page.locator(self._walk.recipe.order_button).first
        form = self._page.locator("form").filter(has=button).first
        action = await button.get_attribute("formaction", timeout=500)
        action = action or await button.get_attribute("href", timeout=500)
        method = "post"
        if await form.count():
            action = action or await form.get_attribute("action", timeout=500)
            method = await form.get_attribute("method", timeout=500) or "get"
        if action:
            url = urljoin(self._page.url, action)
            self._actions.add(url)
            if method.lower() == "get":
                self._queried.add(bare(url))

    def _is_action(self, request: Request) -> bool:
        """Whether it goes where the ordering button sends."""
        if request.method in SAFE_METHODS and bare(request.url) in self._queried:
            return True
        return request.url in self._actions

    def _could_order(self, request: Request) -> bool:
        if not self._touched:
            return False
        safe = request.method in SAFE_METHODS
        if self._is_action(request):
            return True
        if not self._suspect or (safe and request.resource_type in _SHOWS):
            return False
        known = request.url in (self._review, self._page.url) or self._walk.knows(request.url)
        return not (request.method == "GET" and request.is_navigation_request() and known)

    def _is_order(self, request: Request) -> bool:
        """Whether it is what a person's click on the ordering button sends."""
        if not self._aimed or self._compared is None:
            return False
        return request.method not in SAFE_METHODS or self._is_action(request)

    async def _judge(self, route: Route) -> None:
        request = route.request
        if self._phase in ("held", "allowed") and request.resource_type == "ping":
            await route.abort("aborted")
        elif self._phase == "held" and self._could_order(request):
            await self._refuse(route)
        elif self._phase == "allowed" and self._could_order(request):
            await (self._order(route) if self._is_order(request) else self._refuse(route))
        elif self._phase == "once":
            if self._still_right(request):
                await self._once.judge(route, by_person=self._by_person)
            else:
                await self._refuse(route)
        else:
            await route.continue_()

    async def _is_wrong(self) -> bool:
        """Whether the page has the ordering button, and not what was approved any more.

        The person may have changed the order after the shop refused it. Asked before the key: a
        page that is on its way to another does not answer.
        """
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                if await self._page.locator(self._walk.recipe.order_button).count():
                    self.total = await self._walk.check()
        except (PlaywrightError, TimeoutError, Stopped):
            return True
        return False

    def _still_right(self, request: Request) -> bool:
        """Whether what a person sends after the order may leave; a bank's frame orders nothing."""
        if not (self._by_person and self._wrong) or self._in_frame(request):
            return True
        return request.method in SAFE_METHODS and not self._is_action(request)

    def _in_frame(self, request: Request) -> bool:
        try:
            return request.frame.parent_frame is not None
        except PlaywrightError:  # of a window that is not there yet
            return False

    async def _refuse(self, route: Route) -> None:
        self.refused.append(urlsplit(route.request.url).path[:200])
        # As if the person had stopped loading: the page stays what it is.
        await route.abort("aborted")

    async def _order(self, route: Route) -> None:
        """A person orders: the intent first, then the order, and then no other."""
        async with self._writing:
            if self._phase == "once":
                await self._once.judge(route, by_person=True)
                return
            if self.intended or self._intend is None:
                await self._refuse(route)
                return
            self.total = self._compared
            try:
                await self._intend()
                self.intended = True
                await self._once.start()
                await self._still_ours()
            except Exception as error:  # whatever it is, no order leaves
                self.failed = error
                self._phase = "held" if self.intended else self._phase
                await self._refuse(route)
                return
            # Not before: what comes in the meantime waits, and is refused if this one was.
            self._phase = "once"
            await self._once.judge(route, order=True, by_person=True)
