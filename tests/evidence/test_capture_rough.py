"""Pages that mean ill, browsers that die, and what a capture says of its circumstances."""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from crawler.browsing.browser import find_chromium
from crawler.network.gate import Forbidden
from evidence.capturing.browsing import BrowserDied, Browsing
from evidence.capturing.capture import CaptureFailed
from evidence.capturing.circumstances import NOT_ASKED, of_place_and_time
from evidence.capturing.workspace import workspace
from registry.settings import Settings
from tests.evidence.rough_site import FLOOD_BYTES, Rough, rough_site
from tests.evidence.visits import visit


@pytest.fixture
def rough() -> Iterator[Rough]:
    with rough_site() as site:
        yield site


# Pages


def test_dialogs_and_windows_without_end(rough: Rough, tmp_path: Path) -> None:
    # What lets itself be seen all the same is kept, and what it did is noted.
    made = visit(f"{rough.url}/rowdy", tmp_path / "rowdy")
    assert made.about["dialogs"]
    assert made.about["windows_closed"]
    with pytest.raises(CaptureFailed, match="without end"):
        visit(f"{rough.url}/stubborn", tmp_path / "stubborn")


def test_a_page_that_grows_while_one_scrolls(rough: Rough, tmp_path: Path) -> None:
    made = visit(f"{rough.url}/scroll", tmp_path / "visit")
    assert made.capture.status == "complete"
    assert not made.about["scrolled"]["ended"]


def test_answers_that_never_end(
    rough: Rough, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidence.capturing.settling.LOAD_SECONDS", 2.0)
    monkeypatch.setattr("evidence.capturing.capture.PARSED_SECONDS", 1.0)
    monkeypatch.setattr("evidence.capturing.recorder.QUIET_SECONDS", 1.0)
    made = visit(f"{rough.url}/endless", tmp_path / "page")
    assert not made.about["loaded"]
    made = visit(f"{rough.url}/waits", tmp_path / "picture")
    assert not made.about["loaded"]
    assert any(entry["url"].endswith("/endless.jpg") for entry in made.about["incomplete"])


def test_two_gigabytes(rough: Rough, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evidence.capturing.settling.QUIET_SECONDS", 2.0)
    monkeypatch.setattr("evidence.capturing.recorder.QUIET_SECONDS", 1.0)
    made = visit(f"{rough.url}/flooded", tmp_path / "visit")
    assert any(entry["url"].endswith("/flood") for entry in made.about["incomplete"])
    assert rough.poured < FLOOD_BYTES
    assert made.capture.sealed.path.stat().st_size < FLOOD_BYTES


def test_what_is_no_page(rough: Rough, tmp_path: Path) -> None:
    with pytest.raises(CaptureFailed, match="download"):
        visit(f"{rough.url}/flood", tmp_path / "download")
    with pytest.raises(Forbidden, match="not a public address"):
        visit("http://169.254.169.254/latest", tmp_path / "private")


# Browsers


async def _pid(browser: Browser) -> int:
    session = await browser.new_browser_cdp_session()
    told = await session.send("SystemInfo.getProcessInfo")
    return next(int(p["id"]) for p in told["processInfo"] if p["type"] == "browser")


def test_one_that_kills_the_browser_ends_alone(tmp_path: Path) -> None:
    browsing = Browsing(find_chromium(None), at_once=4)
    together = threading.Barrier(3)
    first: set[int] = set()

    async def meet(browser: Browser) -> bool:
        """Wait for the others, the first time; whether it is the first time."""
        pid = await _pid(browser)
        if first and pid not in first:
            return False
        first.add(pid)
        await asyncio.to_thread(together.wait, 30)
        return True

    async def good(browser: Browser) -> str:
        if await meet(browser):
            await asyncio.sleep(30)  # the other one kills it long before
        context = await browser.new_context()
        await context.close()
        return "done"

    async def bad(browser: Browser) -> None:
        await meet(browser)
        os.kill(await _pid(browser), signal.SIGKILL)
        await browser.new_context()

    async def good_at_once(browser: Browser) -> str:
        visit = asyncio.create_task(good(browser))
        lost = asyncio.Event()
        browser.on("disconnected", lambda _: lost.set())
        gone = asyncio.create_task(lost.wait())
        await asyncio.wait({visit, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not visit.done():
            visit.cancel()
            raise ConnectionError("the browser went away")
        gone.cancel()
        return await visit

    try:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            goods = [pool.submit(browsing.run, good_at_once) for _ in range(2)]
            ill = pool.submit(browsing.run, bad)
            assert [future.result(90) for future in goods] == ["done", "done"]
            with pytest.raises(BrowserDied):
                ill.result(90)
        assert len(first) == 1, "they did not share a browser"
        # The next ones share a new one.
        again = {browsing.run(_pid) for _ in range(2)}
        assert len(again) == 1
        assert not again & first
    finally:
        browsing.close()
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in again | first)


def test_a_context_knows_nothing_of_another(rough: Rough, tmp_path: Path) -> None:
    first, second = (visit(f"{rough.url}/state", tmp_path / name) for name in ("a", "b"))
    for made in (first, second):
        clean = made.about["clean_environment"]
        assert clean["fresh_profile"]
        assert clean["extensions"] == []
        assert made.about["incomplete"] == []
    # Nothing came out of a cache that the first one had filled.
    assert rough.asked.count("/picture.jpg") >= 2 * rough.asked.count("/style.css")


# Circumstances


def test_what_a_capture_says_of_its_circumstances(rough: Rough, tmp_path: Path) -> None:
    about = visit(f"{rough.url}/state", tmp_path / "visit").about
    assert about["software"].startswith("touchstone ")
    assert about["browser"].startswith("Chromium ")
    assert any(word.startswith("--disable-") for word in about["command_line"])
    assert about["viewport"] == {"width": 1280, "height": 900}
    assert {"commit", "locale", "time_zone", "user_agent", "operator", "why"} <= set(about)
    clean = about["clean_environment"]
    hosts = Path("/etc/hosts").read_bytes()
    assert clean["hosts_file"]["sha256"] == hashlib.sha256(hosts).hexdigest()
    assert clean["address"]["resolved"] == clean["address"]["connected"] == ["127.0.0.1"]
    assert about["exit_address"] == about["clock"] == NOT_ASKED


def test_exit_address_and_clock_are_asked_for_where_configured(
    rough: Rough, settings: Settings
) -> None:
    reference = _Ntp()
    asked = settings.model_copy(
        update={
            "exit_address_url": f"{rough.url}/address",
            "clock_reference_url": f"ntp://127.0.0.1:{reference.port}",
        }
    )
    told = asyncio.run(of_place_and_time(asked))
    assert "Other" in told["exit_address"]["answer"]
    assert abs(told["clock"]["offset_seconds"] - 100) < 5
    web = settings.model_copy(update={"clock_reference_url": rough.url})
    told = asyncio.run(of_place_and_time(web))
    assert "error" in told["clock"] or abs(told["clock"]["offset_seconds"]) < 60
    reference.socket.close()
    told = asyncio.run(of_place_and_time(asked))
    assert "error" in told["clock"]


class _Ntp:
    """A clock that is a hundred seconds ahead of ours."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            question, sender = self.socket.recvfrom(512)
        except OSError:
            return
        now = time.time() + 100 + 2_208_988_800
        stamp = struct.pack(">II", int(now), int(now % 1 * 2**32))
        head = bytes((0x24, 1)) + bytes(22)
        self.socket.sendto(head + question[40:48] + stamp + stamp, sender)


# Folders


def test_folders_of_dead_processes_go_away(tmp_path: Path) -> None:
    left = tmp_path / "work" / "visit-of-the-dead"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    with workspace(tmp_path) as mine:
        assert not left.exists()
        with workspace(tmp_path) as other:
            assert mine.exists()
            assert other.exists()
            assert mine != other
    assert list((tmp_path / "work").iterdir()) == []
