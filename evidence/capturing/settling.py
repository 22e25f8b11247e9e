"""Letting a page come to rest with all that it shows: lazy pictures, pictures decoded, silence."""

from __future__ import annotations

import asyncio

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from evidence.capturing.isolated import IsolatedWorld
from evidence.capturing.network import Network

LOAD_SECONDS = 20.0
REST_SECONDS = 60.0
#: How long the network has to be silent by default, and how long that is waited for.
STILL_SECONDS = 0.25
QUIET_SECONDS = 8.0
MAX_SCROLLS = 40
DECODE_SECONDS = 5.0

_REVEAL = """async (most, patience) => {
    const eager = () => {
        for (const lazy of document.querySelectorAll("img[loading=lazy], iframe[loading=lazy]"))
            lazy.loading = "eager";
    };
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    let box = document.scrollingElement || document.documentElement;
    if (box.scrollHeight <= innerHeight + 10) {
        const inner = [...document.querySelectorAll("div, main, section")].slice(0, 3000)
            .filter((e) => e.clientHeight > innerHeight / 2 && e.scrollHeight > e.clientHeight * 1.3
                && ["auto", "scroll"].includes(getComputedStyle(e).overflowY));
        box = inner[0] || box;
    }
    eager();
    let steps = 0;
    for (; steps < most; steps++) {
        const before = box.scrollTop;
        box.scrollTo({top: before + innerHeight, behavior: "instant"});
        await pause(40);
        eager();
        if (box.scrollTop === before) {
            // The end; unless what scrolling brings is a moment late.
            const high = box.scrollHeight;
            if (high <= innerHeight) break;
            await pause(150);
            if (box.scrollHeight === high) break;
        }
    }
    const images = [...document.images].slice(0, 1000);
    await Promise.race([Promise.allSettled(images.map((image) => image.decode())),
        pause(patience)]);
    box.scrollTo({top: 0, behavior: "instant"});
    return {steps, ended: steps < most, images: images.length,
        broken: images.filter((image) => !image.complete || !image.naturalWidth).length};
}"""


async def settle(
    page: Page, world: IsolatedWorld, network: Network, still: float = STILL_SECONDS
) -> dict[str, object]:
    """Let a page come to rest: load, lazy pictures by bounded scrolling, a silent network.

    Parameters
    ----------
    still
        How long the network has to be silent, in seconds.

    Returns
    -------
    dict
        Whether it did so in time (`loaded`; a page that never rests is captured as it is),
        and what scrolling found.
    """
    found: dict[str, object] = {"loaded": False}
    try:
        # A script in the page has no limit of its own.
        async with asyncio.timeout(REST_SECONDS):
            await page.wait_for_load_state("load", timeout=LOAD_SECONDS * 1000)
            found["scrolled"] = await world.call(_REVEAL, MAX_SCROLLS, DECODE_SECONDS * 1000)
            found["loaded"] = await silent(network, QUIET_SECONDS, still)
    except (TimeoutError, PlaywrightTimeout):
        pass
    except PlaywrightError:
        pass  # it navigated away under our hands: what is there now is kept
    return found


async def silent(network: Network, seconds: float, still: float = STILL_SECONDS) -> bool:
    """Wait until nothing was asked for and nothing outstanding for a while; whether it came."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    since, asked = loop.time(), len(network.exchanges)
    while True:
        now = loop.time()
        if network.busy or len(network.exchanges) != asked:
            since, asked = now, len(network.exchanges)
        elif now - since >= still:
            return True
        if now >= deadline:
            return False
        await asyncio.sleep(0.02)
