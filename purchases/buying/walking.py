"""Walking through a checkout by its recipe, up to the page with the ordering button."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urljoin, urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Response

from crawler.marketplaces import KINDS
from crawler.marketplaces.checkout import Step
from crawler.marketplaces.pages import clean
from evidence.capturing.recorder import Recorder
from purchases.buying.checking import check_listing, check_review
from purchases.buying.reasons import Stopped
from purchases.buying.recognising import obstacle, place
from purchases.buying.wanted import Wanted
from registry.money import Money

STEP_MILLISECONDS = 20_000
POLL_SECONDS = 0.2
#: A page that is loaded and stays what it is for so long is not on its way to another.
STILL_SECONDS = 2.0
#: How long a page is asked what it is; one that computes for ever never answers.
ASK_SECONDS = 10.0


class Walk:
    """One way through a shop's checkout in one page of the browser.

    Parameters
    ----------
    persona
        Fields that the recipe's steps may ask for.
    signed_in
        Whether the browser has a login: then there is no step for guests.
    before_submit
        Called before each click of the walk's own; with True before the one that leads to the
        review page.

    Attributes
    ----------
    accepted
        A price that a person looked at and went on with.
    number
        The order's number, if the page that confirms it was seen while a person had the browser.
    """

    def __init__(
        self,
        page: Page,
        recorder: Recorder,
        wanted: Wanted,
        persona: Mapping[str, str],
        *,
        signed_in: bool = False,
        before_submit: Callable[[bool], Awaitable[None]],
    ) -> None:
        self.page = page
        self.recorder = recorder
        self.wanted = wanted
        self.recipe = wanted.recipe
        self.persona = persona
        self.accepted: Money | None = None
        self.number: str | None = None
        self._before_submit = before_submit
        recipe = wanted.recipe
        listing = Step("listing", f"^{re.escape(urlsplit(wanted.url).path)}$", recipe.add)
        review = Step("review", recipe.review, recipe.order_button)
        steps = [step for step in recipe.steps if not (step.guest and signed_in)]
        self._steps = (listing, *steps, review)
        self._external_id = KINDS[wanted.kind].external_id
        self._at = 0
        self._added = False
        self._status: int | None = None
        page.on("response", self._answered)

    def _answered(self, response: Response) -> None:
        request = response.request
        with contextlib.suppress(PlaywrightError):  # of a window that is not there yet
            if request.is_navigation_request() and request.frame == self.page.main_frame:
                self._status = response.status

    def knows(self, url: str) -> bool:
        """Whether an address is that of a step before the last page, or of the listing."""
        if any(self._is_at(step, url) for step in self._steps[:-1]):
            return True
        basket = self.recipe.basket
        return basket is not None and self._in_shop(url) and urlsplit(url).path == basket

    def at_listing(self, url: str) -> bool:
        """Whether an address is the listing's."""
        return self._is_at(self._steps[0], url)

    def _in_shop(self, url: str) -> bool:
        return place(url) == place(self.wanted.url)

    def _is_at(self, step: Step, url: str) -> bool:
        if not self._in_shop(url):
            return False
        if re.search(step.path, urlsplit(url).path):
            return True
        # The readable end of a listing's address changes with its title.
        wanted = self._external_id(self.wanted.url)
        return step is self._steps[0] and wanted is not None and self._external_id(url) == wanted

    async def begin(self) -> None:
        """Open the listing."""
        await self.page.goto(self.wanted.url, timeout=STEP_MILLISECONDS)

    async def find_step(self) -> None:
        """Find out at which step the page is, after a person had it.

        Raises
        ------
        Stopped
            If it is at none that the recipe knows.
        """
        here = [n for n, step in enumerate(self._steps) if self._is_at(step, self.page.url)]
        if not here:
            if self._added:
                await self._arrive(self._steps[self._at])  # says what is there instead
            else:
                await self.begin()
                self._at = 0
            return
        self._at = here[0]
        if self._at == 0 and self._added:
            # Once more into the basket would make two.
            if self.recipe.basket is None:
                raise Stopped("unknown_step", "back at the listing, with one in the basket")
            await self._to_basket()

    async def to_review(self) -> None:
        """From the step that it is at to the last page before the order; a capture at each.

        Raises
        ------
        Stopped
            If a page is not the expected one, or lacks what the recipe names.
        """
        while True:
            step = self._steps[self._at]
            await self._arrive(step)
            if self._at == 0:
                await self._check_listing()
            await self._fill(step)
            await self.recorder.step(step.name)
            if self._at == len(self._steps) - 1:
                return
            await self._before_submit(self._at == len(self._steps) - 2)
            await self._click(step)
            if self._at == 0:
                self._added = True
                if self.recipe.basket is not None:
                    await self._to_basket()
                    continue
            self._at += 1

    async def _check_listing(self) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                body = await self.page.content()
        except (PlaywrightError, TimeoutError) as error:
            raise Stopped("page_changed", f"the listing: {_said(error)}") from error
        check_listing(body, self.page.url, self.wanted, self.accepted)

    async def check(self) -> Money:
        """Hold the review page against what was approved, all of it: the total.

        Raises
        ------
        Stopped
            If something is another.
        """
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await check_review(self.page, self.wanted, self.accepted)
        except (PlaywrightError, TimeoutError) as error:
            raise Stopped("page_changed", f"the review page: {_said(error)}") from error

    async def order_number(self) -> str | None:
        """The number on the page that confirms the order; None on any other page.

        Raises
        ------
        playwright.async_api.Error
            If it is that page, and shows no number in time.
        """
        if not self.confirmed:
            return None
        # Waited for: the page may be slow, and an order that was confirmed is not unclear.
        found = self.page.locator(self.recipe.order_number).first
        return clean(await found.inner_text(timeout=STEP_MILLISECONDS))

    @property
    def confirmed(self) -> bool:
        """Whether the page is at the shop's address that confirms an order."""
        path = urlsplit(self.page.url).path
        return self._in_shop(self.page.url) and bool(re.search(self.recipe.thanks, path))

    async def _to_basket(self) -> None:
        assert self.recipe.basket is not None
        url = urljoin(self.wanted.url, self.recipe.basket)
        await self.page.goto(url, timeout=STEP_MILLISECONDS)
        self._at = 1

    async def _arrive(self, step: Step) -> None:
        """Wait until the step's page is there, with what leads on from it.

        Raises
        ------
        Stopped
            Saying what is there instead.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + STEP_MILLISECONDS / 1000
        url, since = "", loop.time()
        while True:
            if self.page.url != url:
                url, since = self.page.url, loop.time()
            at_path = self._is_at(step, url)
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    if at_path and await self.page.locator(step.submit).count():
                        return
                    still = loop.time() - since >= STILL_SECONDS
                    if still and await self._is_loaded():
                        found = await obstacle(self.page, self.wanted.url, self._status)
                        if found is not None:
                            raise found
                        if not at_path:
                            raise self._unknown(step)
            except (PlaywrightError, TimeoutError):
                pass  # it is leaving for another page, or computing
            if loop.time() > end:
                if at_path:
                    said = f"step {step.name!r}: {step.submit} is not there"
                    raise Stopped("page_changed", said)
                raise self._unknown(step)
            await asyncio.sleep(POLL_SECONDS)

    async def _is_loaded(self) -> bool:
        return bool(await self.page.evaluate("document.readyState") == "complete")

    def _unknown(self, step: Step) -> Stopped:
        other = next((one for one in self._steps if self._is_at(one, self.page.url)), None)
        if other is not None:
            said = f"step {step.name!r} was to come, the shop shows {other.name!r}"
            return Stopped("page_changed", said)
        path = urlsplit(self.page.url).path
        return Stopped(
            "unknown_step", f"step {step.name!r}: this is {path}, which the recipe does not know"
        )

    async def _fill(self, step: Step) -> None:
        try:
            for selector, name in step.fills.items():
                await self.page.fill(selector, self.persona[name], timeout=STEP_MILLISECONDS)
            for selector, name in step.selects.items():
                await self.page.select_option(
                    selector, self.persona[name], timeout=STEP_MILLISECONDS
                )
            for selector in step.checks:
                await self.page.check(selector, timeout=STEP_MILLISECONDS)
        except PlaywrightError as error:
            raise Stopped("page_changed", f"step {step.name!r}: {_said(error)}") from error

    async def _click(self, step: Step) -> None:
        """Click what leads to another page and wait for that page."""
        try:
            async with self.page.expect_navigation(timeout=STEP_MILLISECONDS):
                await self.page.click(step.submit, timeout=STEP_MILLISECONDS)
        except PlaywrightError as error:
            raise Stopped("page_changed", f"step {step.name!r}: {_said(error)}") from error


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
