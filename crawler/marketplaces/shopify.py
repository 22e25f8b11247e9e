"""Shops on Shopify: the public product JSON, the search's JSON, and pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import dig
from crawler.marketplaces.facts import Card, Facts
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.schema_org import ShopListingPage, ShopSellerPage
from crawler.marketplaces.shop_lists import ShopListPage
from crawler.marketplaces.structured import json_ld, listed, price
from crawler.marketplaces.values import text
from registry.money import Money

_HANDLE = re.compile(r"/products/(?P<id>[^/?#]+?)(?:\.json|\.js)?/?$")
_CURRENCY = re.compile(
    r"Shopify\.currency\s?=\s?\{\"active\":\"([A-Z]{3})\"|\"currencyCode\":\"([A-Z]{3})\""
)


class ShopifyListingPage(ShopListingPage):
    """A product: ``/products/HANDLE.json``, ``.js``, or its page."""

    def own(self) -> Facts:
        """The product JSON, if it is that; else what every theme of the platform has."""
        if self.data is not None:
            return self._of_json(dig(self.data, "product") or self.data)
        meta = self.css("meta[property='og:price:amount']::attr(content)").get()
        code = (
            self.css("meta[property='og:price:currency']::attr(content)").get() or self._currency()
        )
        return Facts(
            name=text(self.css("meta[property='og:title']::attr(content)").get())
            if self.css("meta[property='og:type'][content='product']")
            else None,
            money=self._chosen() or (self.priced(meta, code) if code else None),
        )

    def _chosen(self) -> Money | None:
        """The price of the variant that the address names, where the JSON-LD lists several."""
        variant = re.search(r"[?&]variant=(\d{5,20})", str(self.response.url))
        if variant is None:
            return None
        for top in json_ld(self.html):
            for node in listed(top):
                for offer in listed(dig(node, "offers")):
                    if variant[1] in str(dig(offer, "url")):
                        return price(offer)
        return None

    def _of_json(self, product: Any) -> Facts:
        variants = [v for v in listed(dig(product, "variants")) if isinstance(v, dict)]
        code = next((c for v in variants if isinstance(c := v.get("price_currency"), str)), None)
        amounts = [
            m for v in variants if (m := self._amount(v.get("price"), code or self._home_code()))
        ]
        known = [v.get("available") for v in variants if isinstance(v.get("available"), bool)]
        images = [
            dig(one, "src") if isinstance(one, dict) else one
            for one in [*listed(dig(product, "image")), *listed(dig(product, "images"))]
        ]
        return Facts(
            name=text(dig(product, "title")),
            money=min(amounts, key=lambda m: m.amount) if amounts else None,
            availability=("InStock" if any(known) else "OutOfStock") if known else None,
            images=tuple(dict.fromkeys(i for i in images if isinstance(i, str))),
            brand=text(dig(product, "vendor")),
            description=text(dig(product, "body_html") or dig(product, "description")),
        )

    def _amount(self, value: Any, code: str | None) -> Money | None:
        """In ``.json`` a price is a decimal text, in ``.js`` a whole number of cents."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = f"{value // 100}.{value % 100:02d}"
        return self.priced(value, code) if code else None

    def _home_code(self) -> str | None:
        return self.home.currency

    def _currency(self) -> str | None:
        found = _CURRENCY.search(self.html)
        return (found[1] or found[2]) if found else self.home.currency


class ShopifyListPage(ShopListPage):
    """``/search/suggest.json``, ``/products.json``, or a page."""

    CARD = (
        ".card-wrapper, .product-item, .product-card, .grid-product, .grid__item, "
        "li.product, [class*='product-card']"
    )

    def own_cards(self) -> Iterable[Card]:
        """The JSON, if it is that; else the links to products."""
        if self.data is None:
            found = [c for c in super().own_cards() if "/products/" in c.url]
            return found or self._of_links()
        products = dig(self.data, "resources", "results", "products") or dig(self.data, "products")
        return self._of_products(listed(products))

    def _of_products(self, products: list[Any]) -> Iterable[Card]:
        for product in products:
            handle = dig(product, "handle")
            link = self.link(dig(product, "url") or (f"/products/{handle}" if handle else None))
            if link is None:
                continue
            amount = (
                dig(product, "price")
                or dig(product, "price_min")
                or dig(product, "variants", 0, "price")
            )
            image = (
                dig(product, "image") or dig(product, "featured_image") or dig(product, "images", 0)
            )
            yield Card(
                url=link.split("?")[0],
                name=text(dig(product, "title")),
                money=self._priced(amount),
                image=self.link(
                    dig(image, "url") or dig(image, "src") if isinstance(image, dict) else image
                ),
            )

    def _priced(self, amount: Any) -> Money | None:
        return (
            read_shown(str(amount), self.home, self.home.currency)
            if isinstance(amount, str)
            else None
        )

    def _of_links(self) -> Iterable[Card]:
        for link in self.css("a[href*='/products/']")[:600]:
            address = self.link(link.attrib["href"])
            if address and _HANDLE.search(urlsplit(address).path):
                yield Card(
                    url=address.split("?")[0], name=text(" ".join(link.css("::text").getall()))
                )

    def next_page(self) -> str | None:
        """``/products.json?page=N`` goes on until a page is empty."""
        if self.data is None:
            return super().next_page()
        parts = urlsplit(self.address)
        if not parts.path.endswith("/products.json") or not self.cards:
            return None
        number = re.search(r"(?:^|&)page=(\d{1,6})", parts.query)
        following = (int(number[1]) if number else 1) + 1
        rest = re.sub(r"(?:^|&)page=\d*", "", parts.query).strip("&")
        return self.link(f"{parts.path}?{rest}{'&' if rest else ''}page={following}")


DEFINITION = Definition(
    kind="shopify",
    title="Shops on Shopify",
    search="/search?q={query}&type=product",
    further="/search?q={query}&type=product&page={page}",
    slug=plus,
    search_in_browser=False,
    listing_path=_HANDLE,
    list_page=ShopifyListPage,
    listing_page=ShopifyListingPage,
    seller_page=ShopSellerPage,
    marks=re.compile(r"cdn\.shopify\.com|Shopify\.theme|shopify-features|/cdn/shop/"),
    interfaces=("pages", "json"),
    tested=Tested(date(2026, 11, 25), (2025,)),
)
