"""A sealed and stamped capture, beside a bare visit that only takes the picture."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, sync_playwright

from benchmarks.measure import Result, in_turn
from benchmarks.picture_page import PICTURES, RESOURCES, picture_page
from crawler.browsing.browser import CONTEXT_OPTIONS, find_chromium
from crawler.network.gate import Gate
from evidence.capturing.browsing import close_shared, shared
from evidence.capturing.capture import Capture, Order, capture_in
from evidence.signing.authorities import ask
from evidence.signing.signer import KeySigner
from tests.evidence.authority import authority

ROUNDS = 7
_SCROLL = """async () => {
    for (let before = -1; before !== scrollY; ) {
        before = scrollY;
        scrollBy(0, innerHeight);
        await new Promise(done => setTimeout(done, 60));
    }
    scrollTo(0, 0);
}"""


def run() -> Iterator[Result]:
    """One capture beside one visit; then two captures at once beside one after the other."""
    with (
        tempfile.TemporaryDirectory() as folder,
        picture_page(_empty(Path(folder) / "page")) as url,
        authority(Path(folder) / "authority") as stamping,
        sync_playwright() as playwright,
    ):
        bare = playwright.chromium.launch(executable_path=find_chromium(None))
        ours = _Ours(url, Path(folder), stamping.url, stamping.roots)
        mine, theirs, ratio = in_turn(ours.capture, lambda: _visit(bare, url), ROUNDS)
        yield Result(
            f"a page with {PICTURES} pictures: visited, scrolled, whole screenshot",
            f"{mine:.2f} s; WARC, PNG, PDF, DOM, HAR, signature, stamp; "
            f"{ours.exchanges} of {RESOURCES} resources",
            f"Playwright, only the screenshot: {theirs:.2f} s",
            ratio,
        )
        bare.close()
        together, apart, ratio = in_turn(ours.two_at_once, ours.two_in_turn, 3)
        yield Result(
            "two captures in one browser process",
            f"at once: {together:.2f} s",
            f"one after the other: {apart:.2f} s",
            ratio,
        )
    close_shared()


class _Ours:
    def __init__(self, url: str, folder: Path, authority_url: str, roots: Path) -> None:
        self.url = url
        self.folder = folder
        self.authority = authority_url
        self.roots = roots
        self.signer = KeySigner(ec.generate_private_key(ec.SECP384R1()))
        self.browsing = shared(find_chromium(None))
        self.exchanges = 0

    def capture(self, name: str = "one") -> None:
        """Capture, seal, stamp."""
        place = _empty(self.folder / name)

        async def visit(browser: object) -> Capture:
            order = Order(self.url, Gate(("127.0.0.1",)), place, {"why": "benchmark"}, self.signer)
            return await capture_in(browser, order)  # type: ignore[arg-type]

        made = self.browsing.run(visit)
        assert made.status == "complete", made
        assert made.sealed.incomplete == 0, made
        self.exchanges = made.sealed.exchanges
        ask(self.authority, made.sealed.sha256, self.roots)

    def two_at_once(self) -> None:
        """Two captures side by side."""
        threads = [threading.Thread(target=self.capture, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def two_in_turn(self) -> None:
        """The same one after the other."""
        self.capture("a")
        self.capture("b")


def _visit(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport=CONTEXT_OPTIONS["viewport"])
    page = context.new_page()
    page.goto(url)
    page.evaluate(_SCROLL)
    page.wait_for_load_state("networkidle")
    page.screenshot(full_page=True)
    context.close()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
