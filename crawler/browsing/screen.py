"""The picture of a live page, and mouse and keys for it (Chrome DevTools Protocol)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from playwright.async_api import CDPSession, Page
from playwright.async_api import Error as PlaywrightError

MAX_WIDTH, MAX_HEIGHT = 1280, 1024
QUALITY = 70
MAX_TEXT = 2_000
#: A page that computes for ever takes no input; nobody waits for it.
INPUT_SECONDS = 5.0

#: Keys that are no text.
KEYS = frozenset(
    {
        "Enter", "Backspace", "Tab", "Shift+Tab", "Escape", "Delete", "Home", "End", "PageUp",
        "PageDown", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Control+a", "Control+z",
        "Space",
    }
)  # fmt: skip
_BUTTONS = ("left", "middle", "right")


class BadInput(ValueError):
    """Something that is no mouse, wheel, key or text."""


class Screen:
    """What a page shows, as JPEG pictures, each with a number that grows.

    Parameters
    ----------
    page
        It stays open for as long as it is looked at.
    before_input
        Called before each key, click or text goes to the page.
    """

    def __init__(
        self, page: Page, before_input: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._page = page
        self._before_input = before_input
        self._cdp: CDPSession | None = None
        self._picture = b""
        self._number = 0
        self._size = (MAX_WIDTH, MAX_HEIGHT)
        self._layout = page.viewport_size
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        # One after the other, as a person made them.
        self._hand = asyncio.Lock()

    async def start(self) -> None:
        """Begin to look."""
        self._cdp = await self._page.context.new_cdp_session(self._page)
        self._cdp.on("Page.screencastFrame", self._came)
        await self._page.bring_to_front()
        await self._cdp.send(
            "Page.startScreencast",
            {
                "format": "jpeg",
                "quality": QUALITY,
                "maxWidth": MAX_WIDTH,
                "maxHeight": MAX_HEIGHT,
                "everyNthFrame": 1,
            },
        )

    async def stop(self) -> None:
        """Look no more."""
        if self._cdp is not None:
            with contextlib.suppress(PlaywrightError):  # the page is gone
                if self._layout is not None and self._layout != self._page.viewport_size:
                    await self._page.set_viewport_size(self._layout)
                await self._cdp.send("Page.stopScreencast")
                await self._cdp.detach()
        self._changed.set()

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._page.url

    async def picture(self, after: int, seconds: float) -> tuple[int, bytes]:
        """A newer picture than the one of that number; the same one if none comes in time."""
        if self._number <= after:
            changed = self._changed
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), seconds)
        return self._number, self._picture

    def _came(self, event: dict[str, Any]) -> None:
        self._picture = base64.b64decode(event["data"])
        about = event["metadata"]
        self._size = int(about["deviceWidth"]), int(about["deviceHeight"])
        self._number += 1
        self._changed.set()
        self._changed = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._thank(event["sessionId"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _thank(self, number: int) -> None:
        assert self._cdp is not None
        with contextlib.suppress(PlaywrightError):
            await self._cdp.send("Page.screencastFrameAck", {"sessionId": number})

    async def do(self, event: Mapping[str, Any]) -> None:
        """Do one thing that a person did: places are shares of width and height, 0 to 1.

        Raises
        ------
        BadInput
            If it is nothing that can be done.
        """
        async with self._hand:
            try:
                async with asyncio.timeout(INPUT_SECONDS):
                    await self._do(event)
            except (PlaywrightError, TimeoutError):
                pass  # the page is busy or leaves just now; the person sees that and tries again

    async def _do(self, event: Mapping[str, Any]) -> None:
        mouse, keyboard = self._page.mouse, self._page.keyboard
        kind = event.get("type")
        if self._before_input is not None and kind not in ("move", "wheel", "size"):
            await self._before_input()
        if kind in ("move", "down", "up", "wheel"):
            await mouse.move(self._place(event, "x", 0), self._place(event, "y", 1))
            button = event.get("button", "left")
            if button not in _BUTTONS:
                raise BadInput("no such button")
            clicks = min(max(int(event.get("clicks", 1)), 1), 3)
            if kind == "down":
                await mouse.down(button=button, click_count=clicks)
            elif kind == "up":
                await mouse.up(button=button, click_count=clicks)
            elif kind == "wheel":
                await mouse.wheel(_number(event, "dx", 5000), _number(event, "dy", 5000))
        elif kind == "text":
            text = event.get("text")
            if not isinstance(text, str) or len(text) > MAX_TEXT:
                raise BadInput("no text, or too much of it")
            await keyboard.type(text)
        elif kind == "key":
            if event.get("key") not in KEYS:
                raise BadInput("no such key")
            await keyboard.press(event["key"])
        elif kind == "size":
            # A phone's page on a phone; it is laid out as before when this is over.
            wide = int(min(max(_number(event, "width", 5000), 360), MAX_WIDTH))
            high = int(min(max(_number(event, "height", 5000), 480), MAX_HEIGHT))
            await self._page.set_viewport_size({"width": wide, "height": high})
        elif kind == "back":
            await self._page.go_back(timeout=INPUT_SECONDS * 900)
        elif kind == "reload":
            await self._page.reload(timeout=INPUT_SECONDS * 900)
        else:
            raise BadInput("neither mouse nor key")

    def _place(self, event: Mapping[str, Any], name: str, axis: int) -> float:
        return min(max(_number(event, name, 1), 0.0), 1.0) * self._size[axis]


def _number(event: Mapping[str, Any], name: str, most: float) -> float:
    value = event.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > most:
        raise BadInput(f"{name} is no number that fits")
    return float(value)
