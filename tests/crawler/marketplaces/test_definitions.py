# ruff: noqa: E501
"""Definitions: addresses of searches and listings, what belongs together, what is supported."""

from __future__ import annotations

from datetime import date

import pytest

from crawler.marketplaces import KINDS
from crawler.marketplaces.reading import address_of, identify
from crawler.marketplaces.site import SitePage


@pytest.mark.parametrize(
    ("kind", "base", "page", "url"),
    [
        ("amazon", "https://www.amazon.de", 1, "https://www.amazon.de/s?k=red+bag%26"),
        ("amazon", "https://www.amazon.de", 3, "https://www.amazon.de/s?k=red+bag%26&page=3"),
        ("ebay", "https://www.ebay.com", 2, "https://www.ebay.com/sch/i.html?_nkw=red+bag%26&_pgn=2"),
        ("aliexpress", "https://www.aliexpress.com", 1, "https://www.aliexpress.com/w/wholesale-red-bag.html"),
        ("mercadolibre", "https://listado.mercadolibre.com.ar", 1, "https://listado.mercadolibre.com.ar/red-bag"),
        ("mercadolibre", "https://listado.mercadolibre.com.ar", 3, "https://listado.mercadolibre.com.ar/red-bag_Desde_101_NoIndex_True"),
        ("taobao", "https://www.taobao.com", 2, "https://s.taobao.com/search?q=red%20bag%26&s=44"),
        ("kleinanzeigen", "https://www.kleinanzeigen.de", 2, "https://www.kleinanzeigen.de/s-seite:2/red-bag/k0"),
        ("woocommerce", "https://shop.example", 2, "https://shop.example/page/2/?s=red+bag%26&post_type=product"),
        ("bazaar", "http://127.0.0.1:1", 1, "http://127.0.0.1:1/search?q=red%20bag%26"),
    ],
)  # fmt: skip
def test_addresses_of_searches(kind: str, base: str, page: int, url: str) -> None:
    assert KINDS[kind].search_url(base, "red bag&", page) == url


def test_a_search_without_addresses_for_its_pages_says_so() -> None:
    with pytest.raises(LookupError, match="page 2"):
        KINDS["facebook"].search_url("https://www.facebook.com", "bag", 2)


@pytest.mark.parametrize(
    ("kind", "url", "id_"),
    [
        ("amazon", "https://www.amazon.com/Velaro-Aria/dp/B0ABCDEF12/ref=sr_1_1?x=1", "B0ABCDEF12"),
        ("amazon", "https://www.amazon.com/gp/product/B0ABCDEF12", "B0ABCDEF12"),
        ("amazon", "https://www.amazon.com/s?k=dp", None),
        ("ebay", "https://www.ebay.com/itm/Velaro-Aria/123456789012?hash=x", "123456789012"),
        ("ebay", "https://www.ebay.com/itm/123456789012", "123456789012"),
        ("ebay", "https://www.ebay.com/usr/123456789012", None),
        ("aliexpress", "https://de.aliexpress.com/item/1005001234567890.html?x=1", "1005001234567890"),
        ("aliexpress", "https://www.aliexpress.com/item/Aria/32123456789.html", "32123456789"),
        ("1688", "https://detail.1688.com/offer/612345678901.html", "612345678901"),
        ("taobao", "https://item.taobao.com/item.htm?spm=a.b&id=562283240178&x=1", "562283240178"),
        ("taobao", "https://item.taobao.com/item.htm?spm=1", None),
        ("tmall", "https://detail.tmall.com/item.htm?id=562283240178", "562283240178"),
        ("dhgate", "https://www.dhgate.com/product/velaro-aria/412345678.html#s1", "412345678"),
        ("shopee", "https://shopee.ph/Aria-i.55.9876543210?sp=1", "55.9876543210"),
        ("shopee", "https://shopee.ph/product/55/9876543210", "55.9876543210"),
        ("lazada", "https://www.lazada.com.ph/products/aria-i123456789-s98765.html", "123456789"),
        ("mercadolibre", "https://articulo.mercadolibre.com.ar/MLA-1234567890-aria-_JM", "MLA1234567890"),
        ("mercadolibre", "https://www.mercadolibre.com.mx/aria/p/MLM63192040#x", "MLM63192040"),
        ("etsy", "https://www.etsy.com/listing/1234567890/aria", "1234567890"),
        ("walmart", "https://www.walmart.com/ip/Aria/123456789?x=1", "123456789"),
        ("kleinanzeigen", "https://www.kleinanzeigen.de/s-anzeige/tasche/1234567890-156-3331", "1234567890"),
        ("mercari", "https://jp.mercari.com/item/m12345678901", "m12345678901"),
        ("bestbuy", "https://www.bestbuy.com/site/aria/6501902.p?skuId=6501902", "6501902"),
        ("facebook", "https://www.facebook.com/marketplace/item/1234567890123456/", "1234567890123456"),
        ("shopify", "https://shop.example/collections/bags/products/aria?variant=1", "aria"),
        ("shopify", "https://shop.example/products/aria.json", "aria"),
        ("shopify", "https://shop.example/pages/about", None),
        ("woocommerce", "https://shop.example/product/aria/", "aria"),
        ("magento", "https://shop.example/bags/aria.html", "bags/aria"),
        ("prestashop", "https://shop.example/fr/sacs/12-aria.html", "12"),
        ("prestashop", "https://shop.example/index.php?id_product=12&controller=product", "12"),
        ("prestashop", "https://shop.example/sacs/sac-aria", "sacs/sac-aria"),
        ("bazaar", "http://[", None),
    ],
)  # fmt: skip
def test_the_pages_own_id(kind: str, url: str, id_: str | None) -> None:
    assert KINDS[kind].external_id(url) == id_


def test_an_id_that_no_column_takes_is_none() -> None:
    assert KINDS["shopify"].external_id(f"https://shop.example/products/{'x' * 300}") is None


@pytest.mark.parametrize(
    ("kind", "url", "base", "belongs"),
    [
        ("mercadolibre", "https://www.mercadolibre.com.mx/p/MLM1", "https://listado.mercadolibre.com.mx", True),
        ("mercadolibre", "https://mercadolibre.com.mx.evil.example/", "https://listado.mercadolibre.com.mx", False),
        ("taobao", "https://detail.tmall.com/item.htm", "https://s.taobao.com", True),
        ("shopify", "https://other.example/products/x", "https://shop.example", False),
        ("shopify", "https://shop.example/products/x", "https://shop.example", True),
        ("amazon", "https://amazon.com.evil.example/dp/x", "https://www.amazon.com", False),
        ("amazon", "http://[", "https://www.amazon.com", False),
    ],
)  # fmt: skip
def test_what_belongs_to_a_marketplace(kind: str, url: str, base: str, belongs: bool) -> None:
    assert KINDS[kind].belongs(url, base) is belongs


@pytest.mark.parametrize(
    ("url", "body", "kind"),
    [
        ("https://www.amazon.co.jp/dp/B0ABCDEF12", b"", "amazon"),
        ("https://detail.tmall.com/item.htm?id=1", b"", "tmall"),
        ("https://world.taobao.com/item/1.htm", b"", "taobao"),
        ("https://evil.example/?amazon.com", b"", "schema.org"),
        ("https://shop.example/x", b"<link href=//cdn.shopify.com/x>", "shopify"),
        ("https://shop.example/x", b"<script type=text/x-magento-init>", "magento"),
        ("https://shop.example/x", b"<script>var prestashop = {}</script>", "prestashop"),
        ("https://shop.example/x", b"<link href=/wp-content/plugins/woocommerce/a.css>", "woocommerce"),
    ],
)  # fmt: skip
def test_a_kind_is_told_by_host_or_platform(url: str, body: bytes, kind: str) -> None:
    assert identify(url, body).kind == kind


@pytest.mark.parametrize(
    ("body", "url"),
    [
        (b"<link rel=canonical href='//x.example/a?b=1&amp;c=2'>", "https://x.example/a?b=1&c=2"),
        (b"<meta property='og:url' content='https://x.example/a'>", "https://x.example/a"),
        (b"<a href='https://www.amazon.fr/a'><a href='https://www.amazon.fr/b'>", "https://www.amazon.fr/"),
        (b"<a href='https://x.example/a'><a href='https://x.example/b'>", None),
    ],
)  # fmt: skip
def test_where_a_saved_page_came_from(body: bytes, url: str | None) -> None:
    assert address_of(body) == url


def test_every_kind_says_what_it_supports_and_when_it_was_seen_to_work() -> None:
    for kind, definition in KINDS.items():
        assert kind == definition.kind
        supported = definition.supports()
        assert supported["search"], kind
        assert supported["listing"], kind
        assert supported["api"] == ("api" in definition.interfaces), kind
        if kind not in ("bazaar", "oscar"):
            assert issubclass(definition.listing_page, SitePage)
            assert supported["seller"]
            assert definition.tested is not None, kind
            assert definition.tested.on >= date(2026, 11, 25), kind
    assert KINDS["bazaar"].supports()["checkout"]
    assert [k for k, d in KINDS.items() if d.api] == ["ebay", "mercadolibre", "etsy"]
