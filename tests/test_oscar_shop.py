"""The oscar shop itself: what it shows is what its tables hold, and an order is one row."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from parsel import Selector
from playwright.sync_api import Page, Request, sync_playwright

from tests.oscar_shop import Shop, start

PRODUCTS = 65
SWITCHES = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shop of this module is made, once."""
    return tmp_path_factory.mktemp("oscar")


@pytest.fixture(scope="module")
def shop(directory: Path) -> Iterator[Shop]:
    with start(directory, products=PRODUCTS) as shop:
        yield shop


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a fresh browser profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=SWITCHES
        )
        try:
            yield browser.new_page()
        finally:
            browser.close()


def listed(start_url: str) -> list[tuple[str, str]]:
    """Follow "next" from a list page; return (URL, whole title) of each entry, in order."""
    found: list[tuple[str, str]] = []
    url: str | None = start_url
    with httpx.Client(timeout=60) as client:
        while url:
            answer = client.get(url)
            assert answer.status_code == 200
            document = Selector(answer.text)
            for link in document.css("article.product_pod h3 a"):
                found.append((urljoin(url, link.attrib["href"]), link.attrib["title"]))
            following = document.xpath(
                '//ul[contains(@class, "pagination")]//a[normalize-space() = "next"]/@href'
            ).get()
            url = urljoin(url, following) if following else None
    return found


def test_the_catalogue_lists_every_product_once(shop: Shop) -> None:
    entries = listed(f"{shop.url}catalogue/")

    assert shop.product_count() == PRODUCTS
    assert len(entries) == PRODUCTS
    assert len({url for url, _ in entries}) == PRODUCTS


def test_a_page_past_the_end_is_a_redirect_to_the_first(shop: Shop) -> None:
    answer = httpx.get(f"{shop.url}catalogue/?page=99")

    assert answer.status_code == 302
    assert answer.headers["location"] == "/catalogue/"


def test_search_finds_by_title_and_nothing_else(shop: Shop) -> None:
    replicas = listed(f"{shop.url}search/?q=velaro+replica")

    assert len(replicas) == 12
    assert all(title.startswith("Velaro Aria Tote replica 1:1 ") for _, title in replicas)
    # The four genuine ones have no "replica", but the brand.
    assert len(listed(f"{shop.url}search/?q=velaro")) == 16
    assert listed(f"{shop.url}search/?q=nosuchword") == []


def test_a_product_page_shows_what_the_table_holds(shop: Shop, directory: Path) -> None:
    with closing(sqlite3.connect(directory / "shop.sqlite3")) as connection:
        rows = connection.execute(
            "SELECT p.id, p.upc, s.price, s.num_in_stock FROM catalogue_product p"
            " JOIN partner_stockrecord s ON s.product_id = p.id"
        ).fetchall()
    expected = {
        f"_{key}/": (upc, Decimal(str(price)), stock > 0) for key, upc, price, stock in rows
    }
    assert len(expected) == PRODUCTS

    with httpx.Client(timeout=60) as client:
        for url, title in listed(f"{shop.url}catalogue/"):
            upc, price, available = expected["_" + url.rsplit("_", 1)[1]]
            document = Selector(client.get(url).text)
            shown = document.css(".product_main > .price_color::text").get("")
            stock = document.css(".product_main > .availability").attrib["class"].split()
            picture = client.get(urljoin(url, document.css("#product_gallery img").attrib["src"]))
            assert document.css(".product_main h1::text").get() == title
            assert document.xpath('//th[. = "UPC"]/following-sibling::td/text()').get() == upc
            assert Decimal(shown.removeprefix("£").replace(",", "")) == price
            assert ("instock" in stock) is available
            assert picture.headers["content-type"] == "image/jpeg"
            assert not document.css('script[type="application/ld+json"]')


def test_an_anonymous_checkout_is_one_order(shop: Shop, page: Page) -> None:
    before = shop.orders()
    url, title = listed(f"{shop.url}search/?q=velaro+replica")[0]
    outside: list[str] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            outside.append(request.url)

    page.on("request", note)
    page.goto(url)
    price = Decimal(page.inner_text(".product_main > .price_color").removeprefix("£"))
    page.click("#add_to_basket_form button[type=submit]")
    page.goto(f"{shop.url}basket/")
    page.click("a[href='/checkout/']")

    page.wait_for_url("**/checkout/")
    page.fill("#id_username", "buyer@example.com")
    page.check("input[name=options][value=anonymous]")
    page.click("form:has(#id_username) button[type=submit]")

    page.wait_for_url("**/checkout/shipping-address/")
    for field, value in {
        "first_name": "Test",
        "last_name": "Buyer",
        "line1": "1 Quay Street",
        "line4": "Bristol",
        "postcode": "BS1 4DJ",
    }.items():
        page.fill(f"#id_{field}", value)
    page.select_option("#id_country", "GB")
    page.click("#new_shipping_address button[type=submit]")

    # One way of shipping, so that step passes by itself.
    page.wait_for_url("**/checkout/payment-details/")
    page.click("#view_preview")

    page.wait_for_url("**/checkout/preview/")
    assert shop.orders() == before
    page.click("#place-order")

    page.wait_for_url("**/checkout/thank-you/")
    number = page.inner_text("p.lead strong")
    [order] = [order for order in shop.orders() if order not in before]
    [line] = order.lines
    assert order.number == number
    assert order.total_incl_tax == price
    assert (line.title, line.partner, line.quantity) == (title, "Luxe Direct Outlet", 1)
    assert url.endswith(f"_{line.product_id}/")
    # Asking for the last page again orders nothing again.
    page.reload()
    assert len(shop.orders()) == len(before) + 1
    assert outside == []


def test_the_same_shop_again_with_json_ld_names_its_sellers(shop: Shop, directory: Path) -> None:
    entries = listed(f"{shop.url}catalogue/")
    orders = shop.orders()

    sellers = set()
    with start(directory, jsonld=True) as again, httpx.Client(timeout=60) as client:
        assert again.product_count() == PRODUCTS
        assert again.orders() == orders
        for url, title in entries:
            here = urljoin(again.url, urlsplit(url).path)
            document = Selector(client.get(here).text)
            data = json.loads(document.css('script[type="application/ld+json"]::text').get(""))
            offer = data["offers"]
            assert data["name"] == title
            assert document.css(".product_main > .price_color::text").get() == (
                f"£{Decimal(offer['price']):,}"
            )
            assert offer["priceCurrency"] == "GBP"
            sellers.add((offer["seller"]["name"], "replica" in title))
        assert client.get(data["image"][0]).headers["content-type"] == "image/jpeg"
    assert sellers == {
        ("Velaro Boutique", False),
        ("Luxe Direct Outlet", True),
        ("Harbour & Pine", False),
        ("Northlight Goods", False),
    }


def test_a_half_made_shop_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop.sqlite3").touch()

    with pytest.raises(RuntimeError, match="half-made"):
        start(tmp_path)
