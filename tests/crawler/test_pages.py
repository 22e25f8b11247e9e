"""Page objects: what a page says, with and without structured data, and any page at all."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_poet import HttpResponse

from crawler.marketplaces import KINDS
from crawler.marketplaces.bazaar import BazaarListingPage, BazaarListPage, BazaarSellerPage
from crawler.marketplaces.oscar import OscarListingPage, OscarListPage
from crawler.marketplaces.pages import ListingPage, ListPage
from registry.money import Money

URL = "https://shop.example/item/17/tote"


def response(html: str, url: str = URL) -> HttpResponse:
    return HttpResponse(url, body=html.encode("utf-8", "replace"), encoding="utf-8")


def listing(html: str, page: type[ListingPage] = BazaarListingPage) -> Any:
    made = page(response(html))
    return made, asyncio.run(made.to_item())


def json_ld(**product: object) -> str:
    data = json.dumps({"@context": "https://schema.org", "@type": "Product", **product})
    return f'<html><script type="application/ld+json">{data}</script><h1 class=title>Markup</h1>'


MARKUP = """<html><body><h1 class=title> Velaro&nbsp;Aria <!-- --> </h1>
<p class=price>€ 1.310,00</p><p class=stock>In stock</p><div class=description>Fine
leather.</div><div class=gallery><img src=/images/a.jpg><img src=/images/b.jpg>
<img src=/images/a.jpg></div><p class=seller>by <a href=/seller/blue-store>Blue Store</a></p>
<p class=ships-from>Lyon</p><table class=attrs><tr><th>Brand</th><td>Velaro</td></tr>
<tr><th>Condition</th><td>Used</td></tr></table></body></html>"""


def test_a_listing_without_structured_data() -> None:
    page, item = listing(MARKUP)
    assert item.name == "Velaro Aria"
    assert page.money() == Money(Decimal("1310.00"), "EUR")
    assert (item.price, item.currency, item.availability) == ("1310.00", "EUR", "InStock")
    assert item.description == "Fine leather."
    assert [image.url for image in item.images] == [
        "https://shop.example/images/a.jpg",
        "https://shop.example/images/b.jpg",
    ]
    assert page.seller().id == "blue-store"
    assert page.seller().url == "https://shop.example/seller/blue-store"
    assert page.ships_from() == "Lyon"
    assert (item.brand.name, page.condition()) == ("Velaro", "used")
    assert {p.name: p.value for p in item.additionalProperties}["Brand"] == "Velaro"


def test_a_listing_with_structured_data() -> None:
    page, item = listing(
        json_ld(
            name="Aria",
            brand={"@type": "Brand", "name": "Velaro"},
            image=["/1.jpg", {"@type": "ImageObject", "url": "/2.jpg"}, 3],
            offers=[
                {
                    "price": 49.9,
                    "priceCurrency": "usd",
                    "availability": "https://schema.org/OutOfStock",
                    "itemCondition": "https://schema.org/UsedCondition",
                    "seller": {"name": "Blue Store"},
                }
            ],
        )
    )
    assert (item.name, item.brand.name) == ("Aria", "Velaro")
    assert page.money() == Money(Decimal("49.9"), "USD")
    assert (item.availability, page.condition()) == ("OutOfStock", "used")
    assert [image.url for image in item.images] == [
        "https://shop.example/1.jpg",
        "https://shop.example/2.jpg",
    ]
    assert page.seller().id == "name:Blue Store", "anybody may call himself so"


@pytest.mark.parametrize(
    "product",
    [
        {"name": ["x"], "offers": "soon"},
        {"name": 7, "offers": [[]]},
        {"offers": {"price": "many", "priceCurrency": "EUR"}},
        {"offers": {"price": "1e400", "priceCurrency": "EUR"}},
        {"offers": {"price": {"a": 1}, "priceCurrency": "EUROS"}},
        {"image": [None, {}, "http://[", "data:image/png;base64,xx"]},
        {"brand": {"name": {"name": "x"}}},
        {"@graph": [[{"@graph": 1}]]},
    ],
)
def test_structured_data_of_the_wrong_shape_is_passed_over(product: dict[str, object]) -> None:
    _, item = listing(json_ld(**product))
    assert item.name == "Markup"


def test_broken_json_ld_falls_back_to_the_markup() -> None:
    _, item = listing(f'<script type="application/ld+json">{{"@type": "Product", </script>{MARKUP}')
    assert item.name == "Velaro Aria"


def test_list_pages_give_links_once_and_the_next_page() -> None:
    html = (
        "<html><a class=card href=/item/1/a>a</a><a class=card href='http://['>?</a>"
        "<a class=card href=/item/1/a>a</a><a class=card href=//evil.example/item/2/b>b</a>"
        "<a rel=next href='?page=2'>next</a></html>"
    )
    page = BazaarListPage(response(html, "https://shop.example/c/bags"))
    assert page.links() == [
        "https://shop.example/item/1/a",
        "https://evil.example/item/2/b",
    ]
    assert page.next_page() == "https://shop.example/c/bags?page=2"
    assert BazaarListPage(response("<a rel=next href='http://['>x</a>")).next_page() is None


def test_a_seller_page() -> None:
    html = """<b class=seller-name>Blue Store</b><i class=country>FR</i>
    <i class=rating>4.7 of 5</i><time class=joined datetime=2019-03-01></time>"""
    facts = BazaarSellerPage(response(html)).facts()
    assert (facts.name, facts.country, facts.rating) == ("Blue Store", "FR", 4.7)
    assert str(facts.joined_on) == "2019-03-01"
    nothing = BazaarSellerPage(response("<html></html>")).facts()
    assert {nothing.name, nothing.country, nothing.rating, nothing.joined_on} == {None}


def test_the_pages_own_id() -> None:
    bazaar, oscar = KINDS["bazaar"], KINDS["oscar"]
    assert bazaar.external_id("http://x/item/17/tote?from=search#a") == "17"
    assert bazaar.external_id("http://x/seller/17/") is None
    assert oscar.external_id("http://x/catalogue/tote-of-x_226/") == "226"
    assert oscar.external_id("http://x/catalogue/category/bags_2/") is None


#: Scraps of pages: text of any script between pieces that page objects look for.
scraps = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            '<script type="application/ld+json">',
            '{"@type":"Product","offers":[{"price":',
            '"@graph":[[{',
            "</script>",
            "<h1 class=title>",
            "<p class=price>€ ",
            "<div class=gallery><img src='http://[::'>",
            "<a class=card href='//[/item/1/'>",
            "<p class=seller><a href='/seller/%00'>",
            "<table class=attrs><tr><th>",
            "<td>",
            "<base href='javascript:'>",
            "<a rel=next href='http://[v1'>",
            "&#0;&#xD800;",
            '<script type="application/ld+json">{"@type":"Product","name":"\\ud800\\u0000x",'
            '"image":["\\udfff"],"offers":{"itemCondition":"\\ud800","seller":"\\ud8"}}</script>',
            f"<p class=seller><a href='/seller/{'9' * 300}'>x</a></p>",
            f"<a class=card href='/item/{'9' * 300}/x'>x</a>",
            "<!--",
            "]]>",
        ]
    ),
)


@given(st.lists(scraps, max_size=12).map("".join))
def test_any_page_is_read_without_an_error(html: str) -> None:
    for page_type in (BazaarListingPage, OscarListingPage):
        page, item = listing(html, page_type)
        seller = page.seller()
        texts = [item.name, item.description, page.condition(), page.ships_from()]
        texts += [image.url for image in item.images or []]
        texts += [seller.id, seller.name] if seller else []
        for text in texts:
            assert text is None or (text.encode() and "\0" not in text)
        assert seller is None or len(seller.id) <= 255
        page.money()
    for list_type in (BazaarListPage, OscarListPage, ListPage):
        found = list_type(response(html))
        assert all(isinstance(link, str) for link in found.links())
        for link in found.links():
            assert len(KINDS["bazaar"].external_id(link) or "") <= 255
        found.next_page()
    BazaarSellerPage(response(html)).facts()


def script(data: object, kind: str = "application/ld+json") -> str:
    return f'<html><script type="{kind}">{json.dumps(data)}</script>{MARKUP}'


OFFER = {"price": "49.90", "priceCurrency": "USD"}
ARIA = {"@type": "Product", "name": "Aria", "offers": OFFER}
OTHER = {"@type": "Product", "name": "Related", "offers": {"price": "1.00", "priceCurrency": "USD"}}


@pytest.mark.parametrize(
    "data",
    [
        {**ARIA, "@type": "https://schema.org/Product"},
        {**ARIA, "@type": ["http://schema.org/Product", "Thing"]},
        {**ARIA, "@type": "schema:Product"},
        {"@type": "ItemPage", "mainEntity": ARIA},
        [OTHER, {"@type": "WebPage", "mainEntity": ARIA}],
        {"@graph": [OTHER, {**ARIA, "@id": "#p"}, {"mainEntity": {"@id": "#p"}}]},
        [OTHER, {**ARIA, "url": f"{URL}?ref=1#top"}],
        [OTHER, {**ARIA, "@id": "/item/17/tote/"}],
        [OTHER, {**ARIA, "mainEntityOfPage": {"@id": URL}}],
        {"@type": "ProductGroup", "name": "Aria", "hasVariant": [{"offers": OFFER}]},
        [
            OTHER,
            {
                "@type": "ProductGroup",
                "name": "All",
                "hasVariant": [OTHER, {**ARIA, "url": URL}],
            },
        ],
        {**ARIA, "offers": {"@type": "AggregateOffer", "lowPrice": 49.9, "priceCurrency": "USD"}},
        {**ARIA, "offers": [{"availability": "InStock"}, OFFER]},
        {**ARIA, "offers": {"@type": "AggregateOffer", "offers": [OFFER]}},
        {**ARIA, "offers": {"priceSpecification": OFFER}},
        {
            **ARIA,
            "offers": {
                "priceCurrency": "USD",
                "priceSpecification": [
                    {"priceType": "https://schema.org/ListPrice", "price": "80.00"},
                    {"price": "49.90"},
                ],
            },
        },
    ],
)
def test_the_pages_own_product_is_found_in_every_form(data: object) -> None:
    page, item = listing(script(data, "application/LD+JSON"))
    assert item.name == "Aria"
    money = page.money()
    assert (money.amount, money.currency) == (Decimal("49.9"), "USD")


@pytest.mark.parametrize("price", ["", -5, 1e22, "1.299", "soon", None])
def test_a_price_that_the_data_leave_open_is_read_from_the_markup(price: object) -> None:
    page, _ = listing(script({**ARIA, "offers": {"price": price, "priceCurrency": "EUR"}}))
    assert page.money() == Money(Decimal("1310.00"), "EUR")


def test_names_pictures_and_lists_in_structured_data() -> None:
    page, item = listing(
        json_ld(
            name="Aria &amp; Linea",
            description="<p>Fine&nbsp;leather<br>1 &lt; 2</p>",
            brand=[{"name": "Velaro"}, {"name": "Else"}],
            image={"contentUrl": "/1.jpg", "url": "/page"},
            offers={"offers": [{"seller": [{"name": "Blue Store"}], "availability": "SoldOut"}]},
        )
    )
    assert (item.name, item.description) == ("Aria & Linea", "Fine leather 1 < 2")
    assert [image.url for image in item.images] == ["https://shop.example/1.jpg"]
    assert (item.brand.name, page.seller().name) == ("Velaro", "Blue Store")
    assert item.availability == "OutOfStock"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("https://schema.org/InStock", "InStock"),
        ("http://schema.org/LimitedAvailability", "InStock"),
        ("schema:Discontinued", "OutOfStock"),
        ("SoldOut", "OutOfStock"),
        ("Out of stock", "OutOfStock"),
        ("https://schema.org/PreOrder", "PreOrder"),
        ("BackOrder", "BackOrder"),
        ("perhaps", None),
        (["InStock"], None),
    ],
)
def test_availability_in_structured_data(said: object, read: str | None) -> None:
    _, item = listing(json_ld(name="Aria", offers={"availability": said}))
    assert item.availability == read
