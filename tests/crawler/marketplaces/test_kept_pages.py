"""Pages that were kept without their address: where they are from, what they are, what they say."""
# ruff: noqa: E501

from __future__ import annotations

from decimal import Decimal

import pytest

from crawler.marketplaces import addresses
from crawler.marketplaces.reading import address_of, identify, read_page
from registry.money import Money
from tests.crawler.marketplaces.made import Made, kept


@pytest.mark.parametrize("made", kept.KEPT, ids=lambda made: made.name)
def test_a_kept_listing_is_read_without_its_address(made: Made) -> None:
    read = read_page(made.html.encode(made.encoding))
    assert read.outcome == "listing", read.why
    assert read.title == made.title
    amount, currency = (made.money or "").split()
    assert read.money == Money(Decimal(amount), currency)
    assert read.seller is not None
    assert read.seller.name == made.seller
    if made.image:
        assert read.images
        assert read.images[0].endswith(made.image)
    assert made.availability in (None, read.availability)
    assert made.brand in (None, read.brand)


@pytest.mark.parametrize(
    ("page", "low", "high"),
    [
        (kept.KEPT[0].html, "5499.00 CNY", "6799.00 CNY"),
        ("<h1>Aria</h1><main><span class=product-price>97,39 - 128,72 €</span></main>", "97.39 EUR", "128.72 EUR"),
        ("<h1>Aria</h1><main><span class=product-price>US $12.50 – US $15.00</span></main>", "12.50 USD", "15.00 USD"),
        ("<h1>Aria</h1><main><span class=product-price>£12.50 (2 for £20)</span></main>", "12.50 GBP", None),
        ('<script type="application/ld+json">{"@type":"Product","name":"Aria","offers":{"@type":"AggregateOffer","lowPrice":"5","highPrice":"9","priceCurrency":"EUR"}}</script>', "5 EUR", "9 EUR"),
        ('<script type="application/ld+json">{"@type":"Product","name":"Aria","offers":{"@type":"AggregateOffer","lowPrice":"5","highPrice":"5","priceCurrency":"EUR"}}</script>', "5 EUR", None),
    ],
)  # fmt: skip
def test_a_range_is_its_lowest_price_and_where_it_ends(
    page: str, low: str, high: str | None
) -> None:
    read = read_page(page.encode(), what="listing")
    assert str(read.money) == low
    assert (str(read.money_to) if read.money_to else None) == high


@pytest.mark.parametrize("name", kept.RESULTS)
def test_kept_results_are_read_card_by_card(name: str) -> None:
    kind, html, cards, filled = kept.RESULTS[name]
    read = read_page(html.encode())
    assert (read.kind, read.outcome) == (kind, "listings")
    assert len(read.cards) == cards
    assert all(card.name for card in read.cards)
    assert sum(bool(card.money and card.image) for card in read.cards) == filled


@pytest.mark.parametrize("kind", kept.EMPTY)
def test_a_kept_search_without_results_is_empty(kind: str) -> None:
    read = read_page(kept.EMPTY[kind].encode())
    assert (read.kind, read.outcome) == (kind, "empty")


@pytest.mark.parametrize(
    ("url", "original"),
    [
        ("https://web.archive.org/web/20161126090544/http://www.a.com:80/b?c=d", "http://www.a.com/b?c=d"),
        ("http://web.archive.org/web/2016im_/https:/a.com/x.jpg", "https://a.com/x.jpg"),
        ("/web/20161126090544/http://www.a.com/b", "http://www.a.com/b"),
        ("https://www.a.com/web/2016/x", "https://www.a.com/web/2016/x"),
        ("https://www.a.com/", "https://www.a.com/"),
    ],
)  # fmt: skip
def test_an_archived_address_is_the_pages_own_again(url: str, original: str) -> None:
    assert addresses.original(url) == original


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!-- saved from url=(0031)https://www.a.com/dp/B0ABCDEF12 -->", "https://www.a.com/dp/B0ABCDEF12"),
        (b"<meta content='https://www.a.com/b' property='og:url'>", "https://www.a.com/b"),
        (b"<link href='https://www.a.com/c' rel='canonical'>", "https://www.a.com/c"),
        (b"<link rel=canonical href='/relative'><meta property=og:url content=https://www.a.com/d>", "https://www.a.com/d"),
        (b"<link rel=canonical href='https://['>", None),
    ],
)  # fmt: skip
def test_what_a_page_says_of_its_address(body: bytes, said: str | None) -> None:
    assert addresses.said(body) == said


def test_a_shop_without_a_word_is_where_its_links_lead_and_not_where_it_is_shared() -> None:
    links = b"<a href='https://www.blueshop.de/x'>x</a>" * 9
    shared = b"<a href='https://www.facebook.com/sharer'>f</a>" * 20
    assert address_of(links + shared) == "https://www.blueshop.de/"
    assert address_of(shared) is None


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("file:///home/x/page.html", "amazon"),
        ("http://127.0.0.1:8000/page.html", "amazon"),
        ("https://web.archive.org/web/2016/https://www.etsy.com/listing/1234567890/x", "etsy"),
        ("https://www.blueshop.de/x", "schema.org"),
    ],
)
def test_the_pages_own_word_counts_where_the_address_is_nobodys(url: str, kind: str) -> None:
    body = b"<link rel=canonical href=https://www.amazon.de/dp/B0ABCDEF12>"
    assert identify(url, body).kind == kind
