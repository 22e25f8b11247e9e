"""Shops on PrestaShop 1.6 to 8: microdata, the product's JSON in its page, markup of the themes."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import assigned, dig
from crawler.marketplaces.facts import Facts
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.schema_org import ShopListingPage, ShopSellerPage
from crawler.marketplaces.shop_lists import ShopListPage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import text
from crawler.marketplaces.words import availability_of
from registry.money import Money


class PrestaListingPage(ShopListingPage):
    """A product's page."""

    @cached_property
    def product(self) -> Any:
        """``#product-details[data-product]``, which themes since 1.7 carry."""
        said = self.css("[data-product^='{']::attr(data-product)").get()
        try:
            return json.loads(said, strict=False) if said else None
        except (ValueError, RecursionError):
            return None

    @cached_property
    def code(self) -> str | None:
        """The shop's currency."""
        settings = next(assigned(self.html, "prestashop", most=1), None)
        said = dig(settings, "currency", "iso_code")
        meta = self.css(
            "meta[property='product:price:currency']::attr(content), "
            "[itemprop='priceCurrency']::attr(content)"
        ).get()
        return meta or (said if isinstance(said, str) else None) or self.home.currency

    def own(self) -> Facts:
        """The product's JSON, the meta that the platform writes, the markup."""
        images = [
            dig(one, "bySize", "large_default", "url") or dig(one, "large", "url")
            for one in listed(dig(self.product, "images"))
        ]
        images += self.css(
            ".product-cover img::attr(data-image-large-src), "
            ".product-cover img::attr(src), #bigpic::attr(src), "
            ".js-qv-product-cover::attr(src), .js-thumb::attr(data-image-large-src)"
        ).getall()[:12]
        return Facts(
            name=text(dig(self.product, "name"))
            or self.first_text(
                "#main h1[itemprop='name']",
                "h1[itemprop='name']",
                "#main h1",
                ".pb-center-column h1",
            ),
            money=self._money(),
            availability=availability_of(
                self.first_text(
                    "#product-availability",
                    "#availability_value",
                    ".product-availability",
                    "#availability_statut",
                )
            ),
            images=tuple(image for image in images if isinstance(image, str)),
            brand=self.first_text(
                ".product-manufacturer a", "[itemprop='brand'] [itemprop='name']"
            ),
            attributes=tuple(
                zip(self._texts("dl.data-sheet dt"), self._texts("dl.data-sheet dd"), strict=False)
            ),
        )

    def _texts(self, selector: str) -> list[str]:
        found = (text(" ".join(one.css("::text").getall())) for one in self.css(selector)[:60])
        return [one or "?" for one in found]

    def _money(self) -> Money | None:
        meta = self.css("meta[property='product:price:amount']::attr(content)").get()
        shown = self.shown(
            ".product-prices .current-price-value",
            ".product-prices .current-price [itemprop='price']",
            ".product-prices .current-price",
            ".current-price .price, .current-price",
            "#our_price_display",
            currency=self.code,
        )
        if shown:
            return shown
        amount = dig(self.product, "price_amount")
        if amount is not None and self.code:
            return self.priced(amount, self.code)
        return read_shown(meta, self.home, self.code) if meta and self.code else None


class PrestaListPage(ShopListPage):
    """A page of products."""

    CARD = (
        "article.product-miniature, .js-product-miniature, .product-miniature, "
        "li.ajax_block_product, .product-container"
    )
    UNPRICED = True
    NAME: ClassVar[tuple[str, ...]] = (
        ".product-title",
        "h2.h3",
        "h3.h3",
        ".product-name",
        ".product_name",
        "[itemprop='name']",
        "h2, h3",
        "[class*='name'], [class*='title']",
    )
    PRICE: ClassVar[tuple[str, ...]] = (
        ".product-price-and-shipping .price",
        "[itemprop='price']",
        ".product-price",
        ".price",
    )
    NEXT = (
        "a.next.js-search-link::attr(href), a[rel='next']::attr(href), "
        "#pagination_next a::attr(href)"
    )


DEFINITION = Definition(
    kind="prestashop",
    title="Shops on PrestaShop",
    search="/index.php?controller=search&s={query}",
    further="/index.php?controller=search&s={query}&page={page}",
    slug=plus,
    search_in_browser=False,
    # Friendly addresses may have any form: the number is there in most, the whole path in the rest.
    listing_path=re.compile(
        r"[?&]id_product=(?P<parameter>\d+)|^(?:[^?#]*/)?(?P<id>\d+)-[^/?#]+\.html$"
        r"|^/(?!index\.php)(?P<path>[^?#]*[^/?#])/?$"
    ),
    list_page=PrestaListPage,
    listing_page=PrestaListingPage,
    seller_page=ShopSellerPage,
    marks=re.compile(
        r"var prestashop\s?=|content=\"PrestaShop\"|prestashop-page|/modules/ps_|id_product"
    ),
    tested=Tested(date(2026, 11, 25), (2025,)),
)
