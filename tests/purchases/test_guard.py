"""What leaves a browser that a person has: no order where none may, and the one that was compared.

Each test is a shop's page, a real browser and a person's keys and clicks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web
from playwright.async_api import Page

from crawler.browsing.browser import CONTEXT_OPTIONS, find_chromium, open_browser, tame
from crawler.browsing.screen import Screen
from crawler.marketplaces import KINDS
from crawler.network.gate import gate_of
from evidence.capturing.recorder import Recorder
from evidence.signing.signer import open_signer
from purchases.buying.guard import Guard
from purchases.buying.walking import Walk
from purchases.buying.wanted import Wanted
from registry.money import Money
from registry.settings import Settings

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BILL = """<p class=bill-title>Tote</p><p class=bill-seller>Seller</p><p class=bill-quantity>1</p>
<p class=bill-price>€ 35,00</p><p class=bill-total>€ 80,00</p>"""
ORDER = "<form method=post action=/checkout/place><button id=place-order>Order</button></form>"
RENAMED = ORDER.replace("place-order", "buy")
UNKNOWN, REVIEW = "/checkout/confirm", "/checkout/review"
#: Said of what it will be before the page is left, so that nothing is seen too early.
QUIET_SECONDS = 0.5


@dataclass
class Hands:
    """A person who has the browser, in front of one page."""

    page: Page
    guard: Guard
    screen: Screen
    #: What came to the shop that is no page, and when the intent was written.
    got: list[str]

    async def click(self, selector: str) -> None:
        """Click what is there, and wait for what comes of it."""
        box = await self.page.locator(selector).bounding_box()
        assert box is not None
        size = self.page.viewport_size
        assert size is not None
        where = {
            "x": (box["x"] + box["width"] / 2) / size["width"],
            "y": (box["y"] + box["height"] / 2) / size["height"],
        }
        for kind in ("move", "down", "up"):
            await self.screen.do({"type": kind, **where})
        await asyncio.sleep(QUIET_SECONDS)

    async def press(self, *keys: str) -> None:
        """Press keys; what is none is typed."""
        for key in keys:
            named = key in ("Enter", "Tab", "ArrowDown")
            await self.screen.do({"type": "key", "key": key} if named else
                                 {"type": "text", "text": key})  # fmt: skip
        await asyncio.sleep(QUIET_SECONDS)

    def allow(self) -> None:
        """Let the person order, as in the mode assisted."""

        async def intend() -> None:
            self.got.append("intent")

        self.guard.allow(intend)

    def orders(self) -> list[str]:
        """What came to the address that orders."""
        return [one for one in self.got if "/checkout/place" in one]


Answer = Callable[[web.Request], Awaitable[web.Response]]


@dataclass
class Place:
    """A host with one page, that notes what else it is asked for."""

    page: str
    got: list[str]
    answers: dict[str, Answer] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.Response:
        if request.path in self.answers:
            return await self.answers[request.path](request)
        if request.path in (UNKNOWN, REVIEW, "/item/1/tote"):
            return html(self.page)
        if request.path != "/favicon.ico":
            self.got.append(f"{request.method} {request.path}")
        return html("thank you")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Serve it: its address."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def html(body: str) -> web.Response:
    return web.Response(text=f"<title>Shop</title>{body}", content_type="text/html")


async def until(there: Callable[[], bool]) -> None:
    """Wait for what comes, not for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            while not there():
                await asyncio.sleep(0.05)


async def still_ours() -> None:
    """The job is this one's."""


async def no_submit(_to_review: bool) -> None:
    """The recipe clicks nothing here."""


World = Callable[[Place, str, str], AbstractAsyncContextManager[Hands]]


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> World:
    """Open a browser at a page of a shop that says what it is given."""

    @asynccontextmanager
    async def opened(shop: Place, path: str, mode: str) -> AsyncIterator[Hands]:
        recipe = KINDS["bazaar"].checkout
        assert recipe is not None
        gate = gate_of(settings)
        async with (
            shop.open() as url,
            open_browser(find_chromium(settings.browser), gate) as browser,
        ):
            wanted = Wanted(
                url=f"{url}/item/1/tote", kind="bazaar", marketplace_id=uuid4(), title="Tote",
                seller="Seller", price=Money.parse("35.00 EUR"),
                limit=Money(Decimal(100), "EUR"), recipe=recipe, mode=mode,
            )  # fmt: skip
            page = await (await browser.browser.new_context(**CONTEXT_OPTIONS)).new_page()
            await tame(page)
            recorder = Recorder(page, browser.gateway, tmp_path, {}, open_signer(settings))
            walk = Walk(page, recorder, wanted, {}, before_submit=no_submit)
            guard = Guard(page, browser.gateway, walk, still_ours)
            await guard.start()
            await page.goto(url + path)
            screen = Screen(page, guard.before_input)
            await screen.start()
            yield Hands(page, guard, screen, shop.got)
            await screen.stop()

    return opened


DIV = "<div id=buy onclick=\"fetch('/checkout/place', {method: 'POST'})\">Place order</div>"
LISTENS = """<div id=buy>Place order</div><script>document.getElementById('buy')
.addEventListener('click', () => fetch('/checkout/place', {method: 'POST'}))</script>"""


#: Ordering buttons that the recipe does not know.
OTHERS = [
    (UNKNOWN, RENAMED.replace("Order<", "Confirm<")),
    (UNKNOWN, RENAMED.replace("Order<", "Complete checkout<")),
    (UNKNOWN, RENAMED.replace("Order<", "Absenden<")),
    (UNKNOWN, DIV),
    (UNKNOWN, LISTENS),
    (REVIEW, RENAMED + "<p>Gift wrap is currently unavailable.</p>"),
    (REVIEW, RENAMED + "<p>Please log in to earn points. I am not a robot.</p>"),
    (REVIEW, RENAMED),
]


@pytest.mark.parametrize("mode", ["rehearse", "automatic"])
def test_no_order_leaves_a_page_that_is_other_than_the_recipe_says(world: World, mode: str) -> None:
    async def go() -> None:
        shop = Place("", [])
        async with world(shop, UNKNOWN, mode) as hands:
            url = hands.page.url.removesuffix(UNKNOWN)
            for n, (path, shop.page) in enumerate(OTHERS, 1):
                await hands.guard.hold()
                await hands.page.goto(url + path)
                await hands.click("#buy")
                assert hands.got == [], shop.page
                assert hands.guard.refused == ["/checkout/place"] * n, shop.page

    asyncio.run(go())


@pytest.mark.parametrize(("mode", "leaves"), [("rehearse", False), ("automatic", True)])
def test_what_leads_on_from_an_unknown_page_leaves_but_in_a_rehearsal(
    world: World, mode: str, leaves: bool
) -> None:
    page = RENAMED.replace("place", "insurance").replace("Order<", "Continue<")

    async def go() -> None:
        async with world(Place(page, []), UNKNOWN, mode) as hands:
            await hands.guard.hold()
            await hands.click("#buy")
            assert hands.got == (["POST /checkout/insurance"] if leaves else [])

    asyncio.run(go())


DEARER = """<button id=dearer onclick="fetch('/shipping', {method: 'POST'}).then(() => {
document.querySelector('.bill-total').textContent = '€ 999,00'})">Express</button>"""
DETAILS = "<button id=look onclick=\"fetch('/metrics?e=click')\">Details</button>"


def test_only_what_the_ordering_button_sends_is_the_order(
    world: World,
) -> None:
    async def go() -> None:
        shop = Place(BILL + DEARER + DETAILS + ORDER, [])
        async with world(shop, REVIEW, "assisted") as hands:
            await hands.guard.hold()
            hands.allow()
            await hands.click("#dearer")
            await hands.click("#look")
            assert hands.got == []
            assert not hands.guard.intended
            await hands.click("#place-order")
            await until(lambda: hands.orders() != [])
            assert hands.got == ["intent", "POST /checkout/place"]
            assert hands.guard.total == Money.parse("80.00 EUR")

    asyncio.run(go())


def test_an_order_that_the_shop_refused_is_compared_again(
    world: World,
) -> None:
    """The click validates first; then the person makes it dearer than the limit, and clicks."""
    twice = """<button id=place-order onclick="fetch(
    window.asked ? '/checkout/place' : '/validate', {method: 'POST'}); window.asked = 1"
    >Order</button>"""

    async def go() -> None:
        shop = Place(BILL + DEARER + twice, [])
        async with world(shop, REVIEW, "assisted") as hands:
            await hands.guard.hold()
            hands.allow()
            await hands.click("#place-order")
            await until(lambda: "POST /validate" in hands.got)
            await hands.click("#dearer")
            await until(lambda: "POST /shipping" in hands.got)
            assert hands.got == ["intent", "POST /validate", "POST /shipping"]
            await hands.page.get_by_text("999,00").wait_for()
            await hands.click("#place-order")
            await until(lambda: hands.guard.refused != [])
            assert hands.orders() == []
            assert hands.guard.refused == ["/checkout/place"]

    asyncio.run(go())


def test_an_order_by_get_leaves_once_whatever_its_query(
    world: World,
) -> None:
    page = """<form action=/checkout/place target=kept><input type=hidden name=n value=1>
    <button id=place-order onclick="this.form.n.value = Math.random()">Order</button></form>
    <iframe name=kept></iframe>
    <button id=more onclick="fetch('/checkout/place?n=' + Math.random());
    fetch('/checkout/place?m=1', {method: 'POST'})">More</button>"""

    async def go() -> None:
        async with world(Place(BILL + page, []), REVIEW, "assisted") as hands:
            await hands.guard.hold()
            hands.allow()
            await hands.click("#place-order")
            await hands.click("#place-order")
            await hands.click("#more")
            assert hands.got == ["intent", "GET /checkout/place"]

    asyncio.run(go())


def test_a_wrong_code_can_be_mended_where_the_bank_has_one_address(
    world: World,
) -> None:
    codes: list[str] = []

    async def challenge(request: web.Request) -> web.Response:
        code = str((await request.post()).get("challengeDataEntry", ""))
        codes.append(code)
        asks = "<form method=post><input name=challengeDataEntry><button>OK</button></form>"
        return html("well" if code == "1234" else asks)

    async def go() -> None:
        bank, shop = Place("", [], {"/acs": challenge}), Place(BILL + ORDER, [])
        async with bank.open() as there:
            leads = f"""<form id=f method=post action={there}/acs><input name=creq></form>
            <script>f.submit()</script>"""

            async def place(request: web.Request) -> web.Response:
                shop.got.append(f"{request.method} {request.path}")
                return html(leads)

            shop.answers["/checkout/place"] = place
            async with world(shop, REVIEW, "automatic") as hands:
                shop_url = hands.page.url.removesuffix(REVIEW)
                await hands.guard.click_comes()
                await hands.page.click("#place-order", no_wait_after=True)
                await hands.page.wait_for_selector("input[name=challengeDataEntry]")
                await hands.guard.hold()
                for code in ("9999", "1234"):
                    await hands.click("input[name=challengeDataEntry]")
                    await hands.press(code, "Enter")
                    await until(partial(codes.__contains__, code))
                assert codes == ["", "9999", "1234"]
                await hands.page.evaluate(
                    "url => fetch(url, {method: 'POST', mode: 'no-cors'}).catch(() => 0)",
                    f"{shop_url}/checkout/place",
                )
                assert hands.got == ["POST /checkout/place"]

    asyncio.run(go())
