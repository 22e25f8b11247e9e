"""Shops on WooCommerce: the Store API (public, no key) and pages; vendors of the usual plugins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import dig
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.prices import money as checked
from crawler.marketplaces.reader import is_aside
from crawler.marketplaces.schema_org import ShopListingPage, ShopSellerPage
from crawler.marketplaces.shop_lists import ShopListPage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import seller, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_PATH = re.compile(
    r"^/(?:[a-z]{2}/)?(?:product|produkt|produit|producto|prodotto|produto|shop|boutique"
    r"|item)/(?P<id>[^?#]*[^/?#])/?$"
    r"|/wc/store/(?:v1/)?products/(?P<number>\d+)/?$"
)


class WooListingPage(ShopListingPage):
    """A product of the Store API, or its page."""

    def own(self) -> Facts:
        """The Store API's answer, or the markup of the summary."""
        if self.data is not None:
            return self._of_json(self.data)
        summary = (
            ".summary, .product-summary, .entry-summary, .product-info, "
            ".elementor-widget-woocommerce-product-price"
        )
        amounts = [
            "p.price ins .amount",
            ".price ins .amount",
            "p.price > .amount",
            "p.price .amount",
            ".price .amount",
        ]
        scoped = [f"{box} {amount}" for amount in amounts for box in summary.split(", ")]
        return Facts(
            name=self.first_text(
                "h1.product_title", ".summary h1", "h1.product-title", "h1.entry-title"
            ),
            money=self.shown(*scoped, currency=self._currency()),
            availability=availability_of(self.first_text(".summary .stock", "p.stock")),
            images=tuple(
                self.css(
                    ".woocommerce-product-gallery__image a::attr(href), "
                    ".woocommerce-product-gallery__image img::attr(data-large_image), "
                    ".woocommerce-main-image::attr(href)"
                ).getall()[:12]
            ),
            seller=self._vendor(),
            attributes=self.table(
                "table.shop_attributes tr, table.woocommerce-product-attributes tr", "th", "td"
            ),
        )

    def _currency(self) -> str | None:
        found = re.search(r"\"?currency(?:_code|Code)?\"?\s?:\s?\"([A-Z]{3})\"", self.html)
        return self.home.currency or (found[1] if found else None)

    def _vendor(self) -> SellerRef | None:
        for link in self.css(
            ".dokan-vendor-name a, .wcfmmp_sold_by_store_name a, .wcfm_dashboard_item_title, "
            ".wcvendors_sold_by_in_loop a, .vendor-name a, a.by-vendor-name-link, .sold-by-meta a"
        )[:8]:
            if is_aside(link):
                continue
            href = link.attrib.get("href", "")
            match = re.search(r"/(?:store|vendor|vendors)/([^/?#]+)", href)
            return seller(match[1] if match else None, visible_text(link), self.link(href))
        return None

    def _of_json(self, product: Any) -> Facts:
        if isinstance(product, list):
            product = product[0] if product else {}
        stock = dig(product, "is_in_stock")
        return Facts(
            name=text(dig(product, "name")),
            money=store_price(dig(product, "prices")),
            availability={True: "InStock", False: "OutOfStock"}.get(stock)
            if isinstance(stock, bool)
            else None,
            images=tuple(
                link
                for one in listed(dig(product, "images"))
                if isinstance(link := dig(one, "src"), str)
            ),
            brand=text(dig(product, "brands", 0, "name")),
            description=text(dig(product, "description") or dig(product, "short_description")),
            attributes=tuple(
                (key, words)
                for one in listed(dig(product, "attributes"))[:60]
                if (key := text(dig(one, "name")))
                if (
                    words := ", ".join(
                        filter(None, (text(dig(t, "name")) for t in listed(dig(one, "terms"))))
                    )
                )
            ),
        )


class WooListPage(ShopListPage):
    """Products of the Store API, or a page of them."""

    CARD = (
        "li.product, .product.type-product, .wc-block-grid__product, .wc-block-product, "
        ".product-small, .product-grid-item"
    )
    UNPRICED = True
    NAME: ClassVar[tuple[str, ...]] = (
        ".woocommerce-loop-product__title",
        ".wc-block-grid__product-title",
        ".woo-loop-product__title",
        ".product-title, .product-name",
        "h2",
        "h3",
        "[class*='title'], [class*='name']",
    )
    PRICE: ClassVar[tuple[str, ...]] = (
        ".price ins .amount",
        ".price > .amount",
        ".price .amount",
        ".price",
    )
    NEXT = (
        "a.next.page-numbers::attr(href), link[rel='next']::attr(href), a[rel='next']::attr(href)"
    )

    def own_cards(self) -> Iterable[Card]:
        """The API's answer, if it is that."""
        if self.data is None:
            return super().own_cards()
        return self._of_products(listed(self.data))

    def _of_products(self, products: list[Any]) -> Iterable[Card]:
        for product in products:
            link = self.link(dig(product, "permalink"))
            if link:
                yield Card(
                    url=link,
                    name=text(dig(product, "name")),
                    money=store_price(dig(product, "prices")),
                    image=self.link(dig(product, "images", 0, "src")),
                )


def store_price(prices: Any) -> Money | None:
    """The Store API's price: a whole number of minor units, and how many places those are."""
    places, value = dig(prices, "currency_minor_unit"), dig(prices, "price")
    if not isinstance(places, int) or not 0 <= places <= 4 or isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value)).scaleb(-places)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount <= 0:
        return None
    return checked(amount, dig(prices, "currency_code"))


DEFINITION = Definition(
    kind="woocommerce",
    title="Shops on WooCommerce",
    search="/?s={query}&post_type=product",
    further="/page/{page}/?s={query}&post_type=product",
    slug=plus,
    search_in_browser=False,
    listing_path=_PATH,
    list_page=WooListPage,
    listing_page=WooListingPage,
    seller_page=ShopSellerPage,
    marks=re.compile(r"woocommerce-(?:page|js|product-gallery|Price-amount)|plugins/woocommerce/"),
    interfaces=("pages", "json"),
    tested=Tested(date(2026, 11, 25)),
)
