# ruff: noqa: E501
"""Official interfaces: requests, and answers made by us after the documented structure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.marketplaces import KINDS
from crawler.marketplaces.api import Api
from crawler.marketplaces.facts import Card, Facts
from registry.errors import TouchstoneError
from registry.money import Money

KINDS_WITH_API = ("ebay", "mercadolibre", "etsy")


def _api(kind: str) -> Api:
    api = KINDS[kind].api
    assert api is not None
    return api


@pytest.mark.parametrize(
    ("kind", "market", "search", "listing", "header"),
    [
        ("ebay", "de",
         "https://api.ebay.com/buy/browse/v1/item_summary/search?q=red+bag&limit=200&offset=200",
         "https://api.ebay.com/buy/browse/v1/item/get_item_by_legacy_id?legacy_item_id=123456789012",
         ("X-EBAY-C-MARKETPLACE-ID", "EBAY_DE")),
        ("mercadolibre", "mx", "https://api.mercadolibre.com/sites/MLM/search?q=red+bag&limit=50&offset=50",
         "https://api.mercadolibre.com/items/123456789012", ("Authorization", "Bearer secret-token")),
        ("etsy", "us", "https://openapi.etsy.com/v3/application/listings/active?keywords=red+bag&limit=100&offset=100",
         "https://openapi.etsy.com/v3/application/listings/123456789012?includes=Images%2CShop", ("x-api-key", "secret-token")),
    ],
)  # fmt: skip
def test_requests_hold_the_token_in_headers_only(
    kind: str, market: str, search: str, listing: str, header: tuple[str, str]
) -> None:
    api = _api(kind)
    token = api.token({api.token_variable: " secret-token\n"})
    first, second = (
        api.search("red bag", 2, token, market),
        api.listing("123456789012", token, market),
    )
    assert (first.url, second.url) == (search, listing)
    for request in (first, second):
        assert request.headers[header[0]] == header[1]
        assert any("secret-token" in value for value in request.headers.values())
        assert "secret-token" not in request.url
        assert "secret-token" not in repr(request)


@pytest.mark.parametrize("kind", KINDS_WITH_API)
@pytest.mark.parametrize("said", ["", "  ", "two words", "line\nbreak", "schlüssel"])
def test_a_missing_or_impossible_token_is_said(kind: str, said: str) -> None:
    api = _api(kind)
    with pytest.raises(TouchstoneError, match=api.token_variable):
        api.token({api.token_variable: said})


def test_answers_of_ebay() -> None:
    api = _api("ebay")
    item = {
        "itemId": "v1|123456789012|0", "title": "Velaro Aria", "price": {"value": "49.90", "currency": "EUR"},
        "itemWebUrl": "https://www.ebay.de/itm/123456789012?hash=x", "image": {"imageUrl": "https://i.ebayimg.com/a.jpg"},
        "seller": {"username": "bluestore"}, "condition": "New", "itemLocation": {"country": "CN"}, "brand": "Velaro",
        "estimatedAvailabilities": [{"estimatedAvailabilityStatus": "OUT_OF_STOCK"}], "priorityListing": True,
        "additionalImages": [{"imageUrl": "https://i.ebayimg.com/b.jpg"}], "localizedAspects": [{"name": "Colour", "value": "Red"}],
    }  # fmt: skip
    found = api.read_search({"itemSummaries": [item, {"title": "no address"}, None], "total": 2})
    assert found.total == 2
    assert found.cards == (
        Card("https://www.ebay.de/itm/123456789012", "Velaro Aria", Money(Decimal("49.90"), "EUR"), "https://i.ebayimg.com/a.jpg", True),
    )  # fmt: skip
    facts = api.read_listing(item)
    assert (facts.name, facts.availability, facts.brand) == ("Velaro Aria", "OutOfStock", "Velaro")
    assert facts.images == ("https://i.ebayimg.com/a.jpg", "https://i.ebayimg.com/b.jpg")
    assert facts.seller is not None
    assert (facts.seller.id, facts.ships_from) == ("bluestore", "CN")
    assert facts.attributes == (("Colour", "Red"),)


def test_answers_of_mercado_libre() -> None:
    api = _api("mercadolibre")
    item = {
        "id": "MLM123", "title": "Bolsa Velaro", "price": 349.9, "currency_id": "MXN", "condition": "new", "status": "active",
        "permalink": "https://articulo.mercadolibre.com.mx/MLM-123-x", "thumbnail": "http://http2.mlstatic.com/t.jpg",
        "seller_id": 77, "pictures": [{"secure_url": "https://http2.mlstatic.com/p.jpg"}],
        "attributes": [{"name": "Marca", "value_name": "Velaro"}],
    }  # fmt: skip
    found = api.read_search({"results": [item, {}], "paging": {"total": 9}})
    assert [(c.name, str(c.money)) for c in found.cards] == [("Bolsa Velaro", "349.9 MXN")]
    facts = api.read_listing(item)
    assert (facts.brand, facts.condition, facts.availability) == ("Velaro", "new", "InStock")
    assert facts.seller is not None
    assert facts.seller.id == "77"
    assert facts.images == ("https://http2.mlstatic.com/p.jpg",)


def test_answers_of_etsy() -> None:
    api = _api("etsy")
    item = {
        "listing_id": 1234567890, "title": "Aria &amp; tote", "price": {"amount": 4200, "divisor": 100, "currency_code": "GBP"},
        "state": "sold_out", "quantity": 0, "images": [{"url_fullxfull": "https://i.etsystatic.com/a.jpg"}],
        "shop": {"shop_name": "BlueStore", "url": "https://www.etsy.com/shop/BlueStore"},
    }  # fmt: skip
    found = api.read_search({"results": [item], "count": 1})
    assert found.cards[0].url == "https://www.etsy.com/listing/1234567890"
    assert str(found.cards[0].money) == "42 GBP"
    facts = api.read_listing(item)
    assert (facts.name, facts.availability) == ("Aria & tote", "OutOfStock")
    assert facts.seller is not None
    assert facts.seller.name == "BlueStore"


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=True),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["results", "itemSummaries", "price", "value", "amount", "divisor", "currency", "image", "images", "seller",
             "title", "itemWebUrl", "permalink", "listing_id", "total", "currency_code", "localizedAspects", "attributes"]
        ), inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS_WITH_API)
@given(answer=_json)
def test_any_answer_is_read_without_an_error(kind: str, answer: Any) -> None:
    api = _api(kind)
    assert isinstance(api.read_search(answer).cards, tuple)
    assert isinstance(api.read_listing(answer), Facts)
