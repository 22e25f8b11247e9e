"""`touchstone marketplace`: list, check, new."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import Touchstone

LISTING = """<html><title>Aria - Blue Shop</title><meta property=og:site_name content="Blue Shop">
<script type=application/ld+json>{"@type":"Product","name":"Aria Tote","image":"/a.jpg",
"offers":{"price":"49.90","priceCurrency":"EUR"}}</script></html>"""
RESULTS = """<html><li class=product-card><a href=/aria><h2>Aria Tote</h2></a><b class=price>€ 49,90
</b></li><li class=product-card><a href=/other><h2>Other</h2></a><b class=price>€ 5,00</b></li>
</html>"""
PAGES = {
    "/aria": (200, LISTING),
    "/search?q=bag": (200, RESULTS),
    "/blocked": (403, "<html><title>Access Denied</title></html>"),
    "/robots.txt": (200, "User-agent: *\nDisallow: /private"),
    "/private/aria": (200, LISTING),
}


class _Shop(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path in ("/there", "/inside"):
            self.send_response(302)
            there = "/aria" if self.path == "/there" else "http://169.254.169.254/latest/"
            self.send_header("Location", there)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status, text = PAGES.get(self.path, (404, "<title>Not Found</title>"))
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test says what was asked."""


@pytest.fixture
def shop() -> Iterator[str]:
    _Shop.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_list_says_what_is_supported(touchstone: Touchstone) -> None:
    said = touchstone("marketplace", "list", "--json").json
    by_kind = {entry["kind"]: entry for entry in said["support"]}
    assert sorted(by_kind) == said["kinds"]
    ebay, bazaar = by_kind["ebay"], by_kind["bazaar"]
    assert [ebay[part] for part in ("search", "listing", "seller", "api", "checkout")] == [
        True
    ] * 4 + [False]
    assert bazaar["checkout"] is True
    assert ebay["fixtures_seen_to_work"] >= "2026-11-25"
    assert ebay["real_pages_of"] == [2016, 2025, 2026]
    shown = touchstone("marketplace", "list").out
    assert "mercadolibre" in shown
    assert "(made)" in shown


def test_a_listing_is_checked_field_by_field(touchstone: Touchstone, shop: str) -> None:
    said = touchstone("marketplace", "check", "schema.org", f"{shop}/there", "--json")
    assert said.code == 0, said.err
    (page,) = said.json["pages"]
    assert (page["url"], page["outcome"], page["title"]) == (f"{shop}/aria", "listing", "Aria Tote")
    assert (page["price"], page["currency"]) == ("49.90", "EUR")
    assert page["seller"]["name"] == "Blue Shop"
    assert page["images"] == [f"{shop}/a.jpg"]
    assert page["brand"] is None
    shown = touchstone("marketplace", "check", "schema.org", f"{shop}/aria").out
    assert "49.90" in shown
    assert "not found" in shown, "what was not read is said"


def test_a_search_is_checked_with_its_first_listing(touchstone: Touchstone, shop: str) -> None:
    said = touchstone("marketplace", "check", "schema.org", shop, "--query", "bag", "--json")
    assert said.code == 0, said.err
    results, listing = said.json["pages"]
    assert [one["title"] for one in results["listings"]] == ["Aria Tote", "Other"]
    assert listing["title"] == "Aria Tote"


def test_a_saved_page_is_read_without_a_request(touchstone: Touchstone, tmp_path: Path) -> None:
    saved = tmp_path / "page.html"
    saved.write_text(LISTING, encoding="utf-8")
    said = touchstone("marketplace", "check", "schema.org", "--file", saved, "--json")
    assert said.json["pages"][0]["title"] == "Aria Tote"


def test_what_stands_in_the_way_is_said(touchstone: Touchstone, shop: str) -> None:
    line = touchstone("marketplace", "check", "schema.org", f"{shop}/blocked").one_clear_line()
    assert "blocked" in line
    line = touchstone("marketplace", "check", "schema.org", f"{shop}/private/aria").one_clear_line()
    assert "robots.txt" in line
    assert "/private/aria" not in _Shop.asked
    line = touchstone("marketplace", "check", "schema.org", f"{shop}/inside").one_clear_line()
    assert "169.254.169.254" in line
    line = touchstone("marketplace", "check", "schema.org", "file:///etc/passwd").one_clear_line()
    assert "scheme" in line
    assert "give the address" in touchstone("marketplace", "check", "ebay").one_clear_line()
    assert "nowhere" in touchstone("marketplace", "check", "nowhere", shop).one_clear_line()
    line = touchstone("marketplace", "check", "ebay", "--query", "bag").one_clear_line()
    assert "address as well" in line


def test_a_new_marketplace_has_a_test_that_runs(touchstone: Touchstone, tmp_path: Path) -> None:
    for folder in ("crawler/marketplaces", "tests/crawler/marketplaces"):
        (tmp_path / folder).mkdir(parents=True)
    said = touchstone("marketplace", "new", "fleamarket", "--into", tmp_path, "--json")
    assert said.code == 0, said.err
    module, test = Path(said.json["module"]), Path(said.json["test"])
    # Where it stands alone it is found beside the packages that are installed.
    text = test.read_text(encoding="utf-8").replace("crawler.marketplaces.fleamarket", "fleamarket")
    test.write_text(text, encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            str(test),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{module.parent}:{Path(__file__).parents[2]}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "3 passed" in run.stdout
    lint = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "E,F",
        "--line-length",
        "100",
        str(module),
        str(test),
    ]
    ruff = subprocess.run(lint, capture_output=True, text=True, check=False)
    assert ruff.returncode == 0, ruff.stdout
    again = touchstone("marketplace", "new", "fleamarket", "--into", tmp_path).one_clear_line()
    assert "already" in again
    assert "ebay" in touchstone("marketplace", "new", "ebay", "--into", tmp_path).one_clear_line()
    assert (
        "no name" in touchstone("marketplace", "new", "../x", "--into", tmp_path).one_clear_line()
    )
    assert (
        "checkout"
        in touchstone("marketplace", "new", "other", "--into", "/nowhere").one_clear_line()
    )
