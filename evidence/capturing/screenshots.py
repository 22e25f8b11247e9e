"""Pictures of a page: what is in the window, and the whole of it, however high.

A browser paints at most some thousands of pixels at once, so a high page is taken in tiles
and put together here; how much is taken has a bound, and what is over it is told.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import CDPSession

#: Textures end at 16,384 pixels (Skia); beyond, the picture repeats or stays empty.
TILE_PIXELS_HIGH = 8_000
ONE_SHOT_PIXELS_HIGH = 16_000
MAX_PIXELS_WIDE = 8_000
#: 1280 pixels wide, that is 50,000 high: 190 MB while it is put together.
MAX_PIXELS = 64_000_000


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture that was taken.

    Parameters
    ----------
    width, height
        In pixels.
    page_width, page_height
        Of the whole page, in CSS pixels; more than was taken if the page is over the budget.
    """

    width: int
    height: int
    page_width: int
    page_height: int
    tiles: int

    @property
    def whole(self) -> bool:
        """Whether all of the page is in it."""
        return self.width >= self.page_width and self.height >= self.page_height


async def take_viewport(session: CDPSession, path: Path) -> None:
    """Take what is in the window."""
    path.write_bytes(await _take(session, {}))


async def take_whole(session: CDPSession, path: Path) -> Shot:
    """Take the whole page into one PNG, as far as the budget of pixels goes."""
    metrics = await session.send("Page.getLayoutMetrics")
    size = metrics["cssContentSize"]
    page_width, page_height = max(1, int(size["width"])), max(1, int(size["height"]))
    width = min(page_width, MAX_PIXELS_WIDE)
    height = min(page_height, MAX_PIXELS // width)
    if height <= ONE_SHOT_PIXELS_HIGH:
        await asyncio.to_thread(path.write_bytes, await _tile(session, width, 0, height))
        return Shot(width, height, page_width, page_height, 1)
    sheet = Image.new("RGB", (width, height), "white")
    tiles = 0
    for top in range(0, height, TILE_PIXELS_HIGH):
        data = await _tile(session, width, top, min(TILE_PIXELS_HIGH, height - top))
        await asyncio.to_thread(_paste, sheet, data, top)
        tiles += 1
    # Hashed, kept and looked at once: speed is worth more here than the last percent.
    await asyncio.to_thread(sheet.save, path, "PNG", compress_level=1)
    return Shot(width, height, page_width, page_height, tiles)


def _paste(sheet: Image.Image, data: bytes, top: int) -> None:
    with Image.open(BytesIO(data)) as tile:
        sheet.paste(tile.convert("RGB"), (0, top))


async def _tile(session: CDPSession, width: int, top: int, height: int) -> bytes:
    clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
    return await _take(session, {"captureBeyondViewport": True, "clip": clip})


async def _take(session: CDPSession, how: dict[str, Any]) -> bytes:
    shot = await session.send(
        "Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True, **how}
    )
    return base64.b64decode(shot["data"])
