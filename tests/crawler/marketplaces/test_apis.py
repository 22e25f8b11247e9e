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
from crawler.marketplaces.interfaces import ApiDefinition, facing
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
        ("ebay", "DE",
         "https://api.ebay.com/buy/browse/v1/item_summary/search?q=red+bag&limit=200&offset=200",
         "https://api.ebay.com/buy/browse/v1/item/get_item_by_legacy_id?legacy_item_id=123456789012",
         ("X-EBAY-C-MARKETPLACE-ID", "EBAY_DE")),
        ("mercadolibre", "MX", "https://api.mercadolibre.com/sites/MLM/search?q=red+bag&limit=50&offset=50",
         "https://api.mercadolibre.com/items/123456789012", ("Authorization", "Bearer secret-token")),
        ("etsy", "US", "https://openapi.etsy.com/v3/application/listings/active?keywords=red+bag&limit=100&offset=100",
         "https://openapi.etsy.com/v3/application/listings/123456789012?includes=Images%2CShop", ("x-api-key", "secret-token")),
    ],
)  # fmt: skip
def test_requests_hold_the_token_in_headers_only(
    kind: str, market: str, search: str, listing: str, header: tuple[str, str]
) -> None:
    api = _api(kind)
    token = api.token({api.token_variable: " secret-token\n"})
    assert token == "secret-token"
    headers = api.headers(token, market)
    assert headers[header[0]] == header[1]
    assert any("secret-token" in value for value in headers.values())
    urls = api.search_url(api.home, "red bag", 2, market), api.listing_url(api.home, "123456789012")
    assert urls == (search, listing)


@pytest.mark.parametrize("kind", KINDS_WITH_API)
@pytest.mark.parametrize("said", ["", "  ", "two words", "line\nbreak", "schlüssel"])
def test_a_missing_or_impossible_token_is_said(kind: str, said: str) -> None:
    api = _api(kind)
    with pytest.raises(TouchstoneError, match=api.token_variable):
        api.demand({api.token_variable: said})


def test_an_application_wants_both_halves() -> None:
    api = _api("ebay")
    pair = {"TOUCHSTONE_EBAY_APP_ID": "id", "TOUCHSTONE_EBAY_APP_SECRET": "secret"}
    assert api.application(pair) == ("id", "secret")
    assert api.is_ready(pair)
    with pytest.raises(TouchstoneError, match="both"):
        api.demand({"TOUCHSTONE_EBAY_APP_ID": "id"})
    wanted = api.token_request(("id", "secret"))
    assert "aWQ6c2VjcmV0" not in repr(wanted)
    assert api.made_token(200, b'{"access_token": "x", "expires_in": 7200}') == ("x", 7200.0)
    for status, body in ((401, b"{}"), (200, b"<html>"), (200, b'{"access_token": null}')):
        with pytest.raises(TouchstoneError, match="TOUCHSTONE_EBAY_APP_ID"):
            api.made_token(status, body)


@pytest.mark.parametrize(
    "said", ["api.example", "ftp://x", "https://", "https://a/path", "http://["]
)
def test_another_host_must_be_one(said: str) -> None:
    api = _api("etsy")
    assert api.host({}) == "https://openapi.etsy.com"
    assert api.host({"TOUCHSTONE_ETSY_API": "http://127.0.0.1:8080/"}) == "http://127.0.0.1:8080"
    with pytest.raises(TouchstoneError, match="TOUCHSTONE_ETSY_API"):
        api.host({"TOUCHSTONE_ETSY_API": said})


def test_limits_of_a_day() -> None:
    assert [_api(kind).limit({}) for kind in KINDS_WITH_API] == [5000, None, 10_000]
    assert _api("etsy").limit({"TOUCHSTONE_ETSY_CALLS": "100000"}) == 100_000
    with pytest.raises(TouchstoneError, match="TOUCHSTONE_ETSY_CALLS"):
        _api("etsy").limit({"TOUCHSTONE_ETSY_CALLS": "many"})


def test_the_interface_is_chosen_by_word_or_by_token(monkeypatch: pytest.MonkeyPatch) -> None:
    ebay, bazaar = KINDS["ebay"], KINDS["bazaar"]
    monkeypatch.delenv("TOUCHSTONE_EBAY_TOKEN", raising=False)
    assert facing(ebay, "https://www.ebay.de/", None) is ebay
    with pytest.raises(TouchstoneError, match="TOUCHSTONE_EBAY_TOKEN"):
        facing(ebay, "https://www.ebay.de/", "api")
    with pytest.raises(TouchstoneError, match="no API"):
        facing(bazaar, "https://bazaar.example/", "api")
    with pytest.raises(TouchstoneError, match="either pages or api"):
        facing(ebay, "https://www.ebay.de/", "soap")
    monkeypatch.setenv("TOUCHSTONE_EBAY_TOKEN", "secret-token")
    assert facing(ebay, "https://www.ebay.de/", "pages") is ebay
    faced = facing(ebay, "https://www.ebay.co.uk/", None)
    assert isinstance(faced, ApiDefinition)
    assert (faced.interface, faced.market) == ("api", "GB")
    item = "https://www.ebay.de/itm/some-words/123456789012?hash=1"
    assert faced.external_id(item) == ebay.external_id(item) == "123456789012"
    assert (faced.visit_url(item) or "").endswith("legacy_item_id=123456789012")
    assert faced.visit_url("https://www.ebay.de/usr/somebody") is None
    assert "secret-token" not in f"{faced!r} {faced.scrapy_settings}"
    base = "https://www.ebay.co.uk/"
    assert faced.belongs(item, base)
    assert faced.belongs(faced.search_url(base, "bag"), base)
    assert not faced.belongs("https://elsewhere.example/itm/123456789012", base)
    assert not faced.belongs("http://[", base)


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


def test_a_listing_of_ebay_with_variants_is_asked_for_as_a_group() -> None:
    api = _api("ebay")
    url = api.listing_url(api.home, "123456789012")
    refusal = {"errors": [{"errorId": 11006, "message": "use get_items_by_item_group"}]}
    there = api.instead(api.home, url, refusal)
    assert (
        there
        == "https://api.ebay.com/buy/browse/v1/item/get_items_by_item_group?item_group_id=123456789012"
    )
    assert api.instead(api.home, url, {"errors": [{"errorId": 11001}]}) is None
    assert api.instead(api.home, there, refusal) is None, "not for ever"
    items = [
        {"title": "Aria, red", "price": {"value": "9.90", "currency": "EUR"}},
        {"title": "Aria, blue"},
    ]
    facts = api.read_listing({"items": items, "commonDescriptions": [{"description": "Fine"}]})
    assert (facts.name, str(facts.money), facts.description) == ("Aria, red", "9.90 EUR", "Fine")


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
