"""One browser process for the captures of a whole worker, side by side.

Each capture has a context of its own in it (cookies, cache, storage, connections: nothing is
shared), and the process is thrown away after a while. If it dies, whoever was in it visits
again in a process of its own, so that a page that kills browsers ends its own visit and no
other's.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from playwright.async_api import Browser, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from crawler.browsing.browser import BrowserMissing, BrowserStalled, launch_options
from evidence.capturing.workspace import locked_folder
from registry.errors import TouchstoneError

#: How long one visit may take, whatever the page does.
VISIT_SECONDS = 300.0
CLOSE_SECONDS = 15.0
#: A process that nobody uses goes after so long, and one that was used so often goes anyway.
IDLE_SECONDS = 60.0
MAX_VISITS = 100

_TEMPORARY = "touchstone-browser-"

T = TypeVar("T")
#: What is done in a browser. It may be done twice, so it begins in a place of its own.
Work = Callable[[Browser], Awaitable[T]]


class BrowserDied(TouchstoneError):
    """The browser ended in the midst of a visit that was alone in it. Another try may help."""


@dataclass(eq=False)
class _Process:
    """A Chromium, its driver, and how it is used."""

    playwright: Playwright
    browser: Browser
    kept: contextlib.ExitStack
    users: int = 0
    visits: int = 0
    bad: bool = False

    @property
    def fit(self) -> bool:
        return not self.bad and self.visits < MAX_VISITS and self.browser.is_connected()

    async def close(self) -> None:
        # One that does not go by itself is killed when Playwright ends.
        with contextlib.suppress(TimeoutError, PlaywrightError):
            await asyncio.wait_for(self.browser.close(), CLOSE_SECONDS)
        with contextlib.suppress(TimeoutError, Exception):
            await asyncio.wait_for(self.playwright.stop(), CLOSE_SECONDS)
        self.kept.close()


@dataclass(eq=False)
class Browsing:
    """Visits from any thread, in one Chromium that lives in a thread of its own.

    Parameters
    ----------
    at_once
        How many visits go on side by side; the others wait.
    """

    executable: Path
    at_once: int = field(default_factory=lambda: os.cpu_count() or 1)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: _Process | None = None
    _launching: asyncio.Lock = field(default_factory=asyncio.Lock)
    _turns: asyncio.Semaphore = field(init=False)
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _visits: set[asyncio.Task[Any]] = field(default_factory=set)
    _closing: set[asyncio.Task[None]] = field(default_factory=set)
    _idle: asyncio.TimerHandle | None = None
    _closed: bool = False

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.at_once)

    def run(self, work: Work[T]) -> T:
        """Do something in the browser and wait for it.

        Raises
        ------
        BrowserMissing
            If there is none that starts.
        BrowserDied
            If it died under this visit alone.
        BrowserStalled
            If the visit did not end in time.
        """
        visit = asyncio.run_coroutine_threadsafe(self._tracked(work), self._running())
        try:
            return visit.result()
        except concurrent.futures.CancelledError as error:
            raise BrowserDied("browser: this worker is stopping") from error

    def close(self) -> None:
        """End the browser and its thread; visits that go on fail."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(3 * CLOSE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_SECONDS)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise BrowserDied("browser: this worker is stopping")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="browsing", daemon=True
                )
                self._thread.start()
            return self._loop

    async def _tracked(self, work: Work[T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._visits.add(task)
        try:
            return await self._visit(work)
        finally:
            self._visits.discard(task)

    async def _visit(self, work: Work[T]) -> T:
        async with self._turns:
            try:
                async with self._shared() as process:
                    return await _bounded(process, work)
            except _Gone:
                pass
        async with self._alone:
            process = await self._launch()
            try:
                return await _bounded(process, work)
            except _Gone as gone:
                raise BrowserDied(f"browser: it died during the visit: {gone}") from gone
            finally:
                await process.close()

    @asynccontextmanager
    async def _shared(self) -> AsyncIterator[_Process]:
        async with self._launching:
            if self._process is None or not self._process.fit:
                left, self._process = self._process, None
                if left is not None and not left.users:
                    self._retire(left)
                self._process = await self._launch()
            process = self._process
            process.users += 1
            process.visits += 1
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
        try:
            yield process
        finally:
            process.users -= 1
            if not process.users:
                if process is not self._process or not process.fit:
                    if process is self._process:
                        self._process = None
                    self._retire(process)
                else:
                    loop = asyncio.get_running_loop()
                    self._idle = loop.call_later(IDLE_SECONDS, self._leave, process)

    def _leave(self, process: _Process) -> None:
        if process is self._process and not process.users:
            self._process = None
            self._retire(process)

    def _retire(self, process: _Process) -> None:
        task = asyncio.get_running_loop().create_task(process.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _launch(self) -> _Process:
        with contextlib.ExitStack() as kept:
            # What a browser that is killed leaves is swept away with its folder. It is short:
            # the browser makes a socket in it, and names of sockets end at 108 characters.
            own = kept.enter_context(locked_folder(Path(tempfile.gettempdir()), _TEMPORARY))
            # A port that is held and does not listen: what has no context goes nowhere.
            nowhere = kept.enter_context(socket.socket())
            nowhere.bind(("127.0.0.1", 0))
            playwright = await async_playwright().start()
            try:
                browser = await playwright.chromium.launch(
                    executable_path=self.executable,
                    env={**os.environ, "TMPDIR": str(own)},
                    **launch_options(f"socks5://127.0.0.1:{nowhere.getsockname()[1]}"),
                )
            except BaseException as error:
                await playwright.stop()
                if not isinstance(error, PlaywrightError):
                    raise
                reason = str(error).strip().splitlines()[0]
                raise BrowserMissing(
                    f"browser: {self.executable} does not start ({reason})"
                ) from error
            return _Process(playwright, browser, kept.pop_all())

    async def _end(self) -> None:
        for visit in self._visits:
            visit.cancel()
        if self._visits:
            await asyncio.wait(set(self._visits), timeout=CLOSE_SECONDS)
        process, self._process = self._process, None
        if process is not None:
            self._retire(process)
        if self._closing:
            await asyncio.wait(set(self._closing))


class _Gone(Exception):
    """The browser is not there any more."""


async def _bounded(process: _Process, work: Work[T]) -> T:
    limit = asyncio.timeout(VISIT_SECONDS)
    try:
        async with limit:
            return await work(process.browser)
    except TimeoutError as error:
        if not limit.expired():
            raise
        process.bad = True  # what hangs in it may hang others
        raise BrowserStalled(f"browser: not done in {VISIT_SECONDS:.0f} seconds") from error
    except Exception as error:
        # Its end is told a moment after what was asked of it has failed.
        await asyncio.sleep(0.1)
        if process.browser.is_connected():
            raise
        raise _Gone(f"{type(error).__name__}: {error}") from error


_all: dict[Path, Browsing] = {}
_all_lock = threading.Lock()


def shared(executable: Path) -> Browsing:
    """The browser of this process that all captures share."""
    with _all_lock:
        if executable not in _all:
            _all[executable] = Browsing(executable)
        return _all[executable]


def close_shared() -> None:
    """End the shared browsers; the next capture begins a new one."""
    with _all_lock:
        running = list(_all.values())
        _all.clear()
    for browsing in running:
        browsing.close()


atexit.register(close_shared)
