"""Pictures of pages of any height, and the document that needs no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from crawler.browsing.browser import find_chromium
from evidence.capturing.screenshots import MAX_PIXELS
from tests.evidence.rough_site import Rough, rough_site
from tests.evidence.visits import visit


@pytest.fixture(scope="module")
def rough() -> Iterator[Rough]:
    with rough_site() as site:
        yield site


def test_a_high_page_is_put_together_from_tiles(rough: Rough, tmp_path: Path) -> None:
    made = visit(f"{rough.url}/tall", tmp_path / "visit")
    with Image.open(BytesIO(made.read("screenshots/01-page.png"))) as shot:
        assert shot.size == (1280, 40040)
        assert shot.getpixel((640, 40030)) == (0, 255, 0)
        for y in range(100, 40000, 3700):  # the gradient runs on over every seam
            red, _, blue = shot.getpixel((640, y))  # type: ignore[misc]
            assert abs(blue - 255 * y / 40000) < 4, y
            assert abs(red + blue - 255) < 4
    with Image.open(BytesIO(made.read("screenshots/01-page-first-seen.png"))) as seen:
        assert seen.size == (1280, 900)
    assert made.about["shown"][0]["whole"]


def test_a_page_over_the_budget_says_what_is_missing(rough: Rough, tmp_path: Path) -> None:
    made = visit(f"{rough.url}/abyss", tmp_path / "visit")
    shown = made.about["shown"][0]
    width, height = shown["screenshot"]
    assert width * height <= MAX_PIXELS
    assert not shown["whole"]
    assert shown["page"][1] >= 9_000_000


def test_the_document_needs_no_other(rough: Rough, tmp_path: Path) -> None:
    made = visit(f"{rough.url}/state", tmp_path / "visit")
    document = made.read("dom/01-page.html").decode()
    assert "secret" not in document
    assert "alert(1)" not in document
    path = tmp_path / "document.html"
    path.write_text(document, encoding="utf-8")
    asked = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(None))
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == (
            "rgb(1, 2, 3)"
        )
        assert page.evaluate("getComputedStyle(document.body).margin") == "7px"
        assert page.evaluate("document.querySelector('input').value") == 'typed "&'
        assert page.evaluate("document.querySelector('textarea').value") == "</textarea>"
        assert page.evaluate("document.querySelector('select').value") == "b"
        assert page.evaluate("document.querySelector('[type=checkbox]').checked")
        assert page.evaluate("[...document.images].map(i => i.naturalWidth)") == [200, 20]
        assert "in the shadow" in page.evaluate("document.querySelector('#h').shadowRoot.innerHTML")
        assert page.frames[1].locator("p").inner_text() == "inside"
        browser.close()
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "about"}
    assert not re.search(r"\son\w+=", document)


def test_har_pdf_and_text(rough: Rough, tmp_path: Path) -> None:
    made = visit(f"{rough.url}/state", tmp_path / "visit")
    assert made.read("pdf/01-page.pdf").startswith(b"%PDF-")
    assert made.read("text/01-page.txt").decode().startswith("State")
    log = json.loads(made.read("extra/exchanges.har"))["log"]
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    assert len(log["entries"]) == made.capture.sealed.exchanges
    pages = {page["id"] for page in log["pages"]}
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        assert entry.get("pageref") in {*pages, None}
        assert {
            "method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize",
            "bodySize",
        } <= set(entry["request"])  # fmt: skip
        assert {
            "status", "statusText", "httpVersion", "cookies", "headers", "content",
            "redirectURL", "headersSize", "bodySize",
        } <= set(entry["response"])  # fmt: skip
        assert {"size", "mimeType"} <= set(entry["response"]["content"])
        assert all(entry["timings"][name] >= 0 for name in ("send", "wait", "receive"))
        assert entry["time"] >= 0
