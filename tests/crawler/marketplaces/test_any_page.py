# ruff: noqa: E501
"""Any bytes as a page of any kind end in an item, an outcome, or one typed error."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from web_poet import HttpResponse

from crawler.marketplaces import KINDS, Definition
from crawler.marketplaces.reader import Reading
from crawler.marketplaces.reading import MAX_BYTES, Unreadable, read_page
from crawler.marketplaces.site import CardsPage, SitePage
from crawler.marketplaces.walls import find_wall
from tests.crawler.marketplaces.made import asian, kept, large, shops

EVERY = list(KINDS.values())
OUTCOMES = {"listing", "listings", "empty", "captcha", "login", "blocked", "gone", "unread"}
MADE = [page.html for page in (*large.PAGES, *asian.PAGES, *shops.PAGES, *kept.KEPT)]

#: Pieces that page objects look for, whole and broken, of every kind.
scraps = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "<script>window.runParams = {data: {", '"titleModule":{"subject":[1]},', '"priceModule":"x"',
            "<script>window.__INIT_DATA={\"a\":[", "TShop.Setup({\"itemDO\":5})", "g_page_config = {\"mods\":[]};",
            "<script id=__NEXT_DATA__ type=application/json>{\"props\":[]}</script>",
            "<script>__moduleData__ = {\"data\":{\"root\":{\"fields\":{\"skuInfos\":[]}}}}</script>",
            "window.__WML_REDUX_INITIAL_STATE__ = {\"product\":{\"offers\":[],\"images\":[1]}}",
            "<img id=landingImage data-a-dynamic-image='{\"x\":[1]}'>", "'colorImages': {", "<img id=landingImage data-a-dynamic-image='[1]'>",
            "<span id=productTitle>", "<span class=a-price><span class=a-price-whole>١٢</span>", "data-asin=B0ABCDEF12",
            "<li class=s-item><a class=s-item__link href='/itm/999999999999'>", "<li class=s-item><a href='//['>",
            "<div itemscope itemtype=http://schema.org/Product><b itemprop=offers itemscope itemtype=x>",
            "<html vocab=http://schema.org/><p typeof=Product property='[['>", "<meta property=og:price:amount content='٣٫٥'>",
            '<script type="application/ld+json">{"@type":["Product"],"offers":{"price":{}},"image":{"url":[{}]}}</script>',
            '<script type="application/ld+json">' + "[" * 3000, '"marketplace_listing_title":"\\ud800\\u"', "sellerNick : '\\u12'",
            "<meta charset=gbk>", "<base href='javascript:'>", "<a rel=next href='http://[v1'>", "&#0;&#xD800;", "<!--", "{", "[", "\ufeff{",
        ]
    ),
    st.sampled_from(MADE).flatmap(lambda page: st.integers(0, len(page)).map(lambda at: page[at : at + 400])),
)  # fmt: skip
pages = st.one_of(
    st.lists(scraps, max_size=8).map(lambda s: "".join(s).encode("utf-8", "replace")),
    st.binary(max_size=60),
)


def _response(definition: Definition, body: bytes) -> HttpResponse:
    host = "https://www.example.com.br/dp/B0ABCDEF12"
    return HttpResponse(host, body=body)


@pytest.mark.parametrize("definition", EVERY, ids=lambda definition: definition.kind)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=pages)
@example(body=b"<!--<div itemscope itemtype=http://schema.org/Product>-->")
def test_any_page_of_a_kind_is_read_without_an_error(definition: Definition, body: bytes) -> None:
    page = definition.listing_page(_response(definition, body))
    item = asyncio.run(page.to_item())
    seller, money = page.seller(), page.money()
    page.shown_money(), page.terms(), page.reviews()
    if isinstance(page, SitePage):
        page.money_to()
    texts = [item.name, item.description, page.condition(), page.ships_from()]
    texts += [item.brand.name if item.brand else None]
    texts += [seller.id, seller.name, seller.url] if seller else []
    texts += [p.value for p in item.additionalProperties or []]
    for text in texts:
        assert text is None or (text.encode() and "\0" not in text)
    assert seller is None or 0 < len(seller.id) <= 255
    assert money is None or money.amount >= 0
    for image in item.images or []:
        assert image.url.encode()
    found = definition.list_page(_response(definition, body))
    assert all(
        link.startswith("http") or definition.kind in ("bazaar", "oscar") for link in found.links()
    )
    found.next_page()
    if isinstance(found, CardsPage):
        assert found.outcome()[0] in OUTCOMES
    if isinstance(page, Reading):
        page.wall()
    definition.seller_page(_response(definition, body)).facts()


@settings(max_examples=60, deadline=None)
@given(
    body=pages, url=st.sampled_from([None, "https://www.amazon.de/", "file:///home/x.html", "//"])
)
def test_any_saved_page_has_an_outcome(body: bytes, url: str | None) -> None:
    assert read_page(body, url).outcome in OUTCOMES


@given(st.text(max_size=300), st.text(max_size=30), st.sampled_from([None, 200, 403, 404, 503]))
def test_any_text_is_a_wall_or_none(page: str, url: str, status: int | None) -> None:
    wall = find_wall(page, url, status)
    assert wall is None or (wall.kind in OUTCOMES and wall.why)


def test_a_page_larger_than_any_is_refused() -> None:
    with pytest.raises(Unreadable, match="more than"):
        read_page(b" " * (MAX_BYTES + 1), "https://www.amazon.com/dp/B0ABCDEF12")
    with pytest.raises(Unreadable, match="no kind 'nowhere'"):
        read_page(b"<html>", kind="nowhere")
    with pytest.raises(Unreadable, match="no address"):
        read_page(b"<html>", "http://[")


@pytest.mark.parametrize(
    "piece",
    [
        "<script ", '<script type="application/ld+json">', "<!--", "<script>window.runParams = {", "runParams", "[" * 50, '{"a":',
        "<div>", "<a href=/item/32123456789.html>", "<li class=s-item>", "itemtype='" , "'colorImages'\"hiRes\":\"",
        "<link rel=canonical ", "sellerNick : '", "<title>", " ", ",\n", "/*", "\\u00", "<p class=price>1", "1 234 ",
    ],
)  # fmt: skip
@pytest.mark.timeout(120)
def test_what_repeats_a_thousandfold_ends(piece: str) -> None:
    """No piece, repeated, makes a pattern or a parser take for ever: the limit is the test's."""
    body = (piece * (200_000 // len(piece))).encode()
    for kind in ("schema.org", "ebay", "aliexpress", "taobao"):
        assert read_page(body, "https://www.example.com/x", kind=kind).outcome in OUTCOMES


def test_what_is_listed_is_bounded() -> None:
    many = "".join(
        f"<li class=s-item><a class=s-item__link href=/itm/{10**11 + n}>x</a></li>"
        for n in range(2_000)
    )
    assert len(read_page(many.encode(), "https://www.ebay.com/sch/i.html").cards) <= 400
    pictures = "".join(
        f"<img class=ux data-zoom-src=https://i.ebayimg.com/{n}/s-l1.jpg>" for n in range(500)
    )
    page = f"<h1 class=x-item-title__mainTitle>{'x' * 90_000}</h1><div class=ux-image-carousel>{pictures}</div>"
    read = read_page(page.encode(), "https://www.ebay.com/itm/123456789012")
    assert len(read.images) <= 12
    assert read.title is not None
    assert len(read.title) <= 20_000
