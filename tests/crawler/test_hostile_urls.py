"""No form of an address leads to where nobody may go: not by Scrapy, not by the browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError

from crawler.browsing.browser import CONTEXT_OPTIONS, find_chromium, open_browser
from crawler.network.gate import Forbidden, Gate
from tests.crawler.hostile_urls import ELSEWHERE, TO_THIS_MACHINE, to_this_machine
from tests.crawler.trap import REDIRECTS, Trap, changing_resolver, luring_shop, trap

OWN_NAME = socket.gethostname()


def own_address() -> str:
    """An address of this machine that is not loopback, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return "127.0.0.1"
        address: str = asking.getsockname()[0]
        return address


def forms(there: Trap) -> list[str]:
    return to_this_machine(there.port, OWN_NAME, own_address())


def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, function in changing_resolver().items():
        monkeypatch.setattr(socket, name, function)


def test_there_are_enough_forms() -> None:
    assert len(set(TO_THIS_MACHINE)) + len(set(ELSEWHERE)) >= 120


def test_the_gate_refuses_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch)
    with trap() as there:
        gate = Gate(["127.0.0.1:1"], [there.port])
        passed = []
        for url in [*forms(there), *ELSEWHERE]:
            try:
                gate.check(url)
            except Forbidden:
                continue
            passed.append(url)
        # Only what changes its answer passes here; the connection is judged again.
        assert [url for url in passed if "rebind" not in url] == []


def test_a_form_is_judged_without_asking_who_a_name_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise AssertionError("a name was asked for")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    gate = Gate(["shop.example:81"])
    for url in ("http://shop.example:81/", "https://other.example/", "http://8.8.8.8:8080/"):
        gate.check_form(url)
    for url in ("http://shop.example:82/", "http://127.1/", "https://a:b@shop.example/", "x:y"):
        with pytest.raises(Forbidden):
            gate.check_form(url)


def test_scrapy_reaches_nobody(tmp_path: Path, migrated_file: Path) -> None:
    with trap() as there:
        addresses = [*forms(there), *ELSEWHERE]
        file = tmp_path / "addresses.json"
        file.write_text(json.dumps(addresses))
        with luring_shop(addresses) as (shop, asked):
            control = [f"to/{code}/ok" for code in REDIRECTS]
            made = subprocess.run(
                [
                    sys.executable, "-m", "tests.crawler.hostile_crawl",
                    f"sqlite:///{migrated_file}", shop, str(there.port), str(file), "5",
                    "control/asked", "refresh/ok", *control,
                ],
                capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert made.returncode == 0, made.stderr[-3000:]
            told = json.loads(made.stdout.splitlines()[-1])
            assert there.came == []
            # It would have come: the shop's own addresses were had, redirects and all.
            assert asked["/control/asked"] == 1
            assert asked["/control/redirected"] == len(control)
            assert asked["/control/refreshed"] == 1
            assert all(asked[f"/to/302/{number}"] for number in range(len(addresses)))
            elsewhere = [url for url in told["had"] if not url.startswith(shop)]
            assert elsewhere == []


PAGE = (Path(__file__).parent / "luring.html").read_text("utf-8")
#: Ways of a page to ask for something, that must be seen to work where it is allowed.
WAYS = {
    "img", "srcset", "stylesheet", "script", "module", "preload", "prefetch", "iframe", "object",
    "embed", "video", "fetch", "post", "xhr", "events", "socket", "beacon", "keepalive", "ping",
    "form", "formpost", "worker", "import", "background", "font", "svg", "srcdoc", "refresh",
    "location", "popup",
}  # fmt: skip


async def lure(executable: Path, gate: Gate, shop: str, addresses: list[str], ways: bool) -> None:
    """Let a page try everything, then go everywhere as a link would."""
    async with open_browser(executable, gate) as opened:
        context = await opened.browser.new_context(**CONTEXT_OPTIONS)
        step = 17
        for first in range(0, len(addresses), step):
            chosen = "&".join(f"n={n}" for n in range(first, min(first + step, len(addresses))))
            page = await context.new_page()
            # What never ends loading is among what it tries.
            await page.goto(f"{shop}page?{chosen}", wait_until="commit")
            while not await page.evaluate("!!window.popups"):
                await asyncio.sleep(0.1)
            await page.evaluate("popups()")  # counts as a person's click
            await asyncio.sleep(1)
            for extra in context.pages:
                await extra.close()
        if not ways:
            return
        page = await context.new_page()
        for number, address in enumerate(addresses):
            led = (f"{shop}refresh/{number}", f"{shop}to/302/{number}") if number % 5 == 0 else ()
            for url in (address, *led):
                if url.startswith(("file:", "chrome:")):
                    continue  # whoever sends a browser there has asked the gate before
                with contextlib.suppress(PlaywrightError):
                    await page.goto(url, timeout=1_000, wait_until="commit")
        await asyncio.sleep(1)


def test_a_browser_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch)
    with trap() as there:
        addresses = [*forms(there), *ELSEWHERE]
        for url in addresses:
            if "rebind" in url:
                Gate([], [there.port]).check(url)  # from now on it leads here
        with luring_shop(addresses, PAGE) as (shop, asked):
            gate = Gate([shop.split("/")[2]], [there.port])
            asyncio.run(lure(find_chromium(None), gate, shop, addresses, True))
            assert there.came == []
            assert asked["/to/302/0"]
            assert asked["/refresh/0"]


def test_the_same_page_reaches_what_is_allowed() -> None:
    """Else nobody would know whether the test above tries anything."""
    with luring_shop(["/control/WAY"], PAGE) as (shop, asked):
        asyncio.run(lure(find_chromium(None), Gate([shop.split("/")[2]]), shop, ["x"], False))
        worked = {path.removeprefix("/control/") for path in asked if path.startswith("/control/")}
        assert WAYS - worked == set()
