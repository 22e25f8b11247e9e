"""Shops on Magento (Adobe Commerce): microdata, ``data-price-amount``, ``x-magento-init``."""

from __future__ import annotations

import re
from datetime import date
from typing import ClassVar

from crawler.marketplaces import structured
from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import dig, find, json_scripts
from crawler.marketplaces.facts import Facts
from crawler.marketplaces.schema_org import ShopListingPage, ShopSellerPage
from crawler.marketplaces.shop_lists import ShopListPage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.words import availability_of
from registry.money import Money


class MagentoListingPage(ShopListingPage):
    """A product's page."""

    def own(self) -> Facts:
        """The main block's markup and the gallery's settings."""
        return Facts(
            name=self.first_text(
                "h1.page-title [itemprop='name'], h1.page-title span.base",
                "h1.page-title",
                ".product-name h1",
            )
            if self.css(".product-info-main, .product-view, .catalog-product-view")
            else None,
            money=self._money(),
            availability=structured.availability(
                self.css(".product-info-main [itemprop='availability']::attr(href)").get()
            )
            or availability_of(
                self.first_text(
                    ".product-info-main .stock",
                    ".product-info-main .availability",
                    ".product-view .availability",
                )
            ),
            images=self._gallery(),
            attributes=self.table(
                "#product-attribute-specs-table tr, table.additional-attributes tr",
                "th, td.label",
                "td.data",
            ),
        )

    def _money(self) -> Money | None:
        code = (
            self.css(
                "meta[property='product:price:currency']::attr(content), "
                "meta[itemprop='priceCurrency']::attr(content)"
            ).get()
            or self.home.currency
        )
        box = ".product-info-main"
        amount = self.css(
            f"{box} [data-price-type='finalPrice'][data-price-amount]::attr(data-price-amount), "
            f"{box} [data-price-type='minPrice'][data-price-amount]::attr(data-price-amount)"
        ).get()
        if amount and code:
            return self.priced(amount, code)
        return self.shown(
            ".product-info-main .special-price .price",
            ".product-info-main .price-final_price .price",
            ".product-view .special-price .price",
            ".product-view .regular-price .price",
            ".product-shop .price",
            currency=code,
        )

    def _gallery(self) -> tuple[str, ...]:
        for script in json_scripts(self.html):
            pictures = listed(dig(find(script, "mage/gallery/gallery"), "data"))
            if pictures:
                ordered = sorted(pictures, key=lambda one: dig(one, "isMain") is not True)
                links = (dig(one, "full") or dig(one, "img") for one in ordered)
                return tuple(link for link in links if isinstance(link, str))
        return tuple(
            self.css(".product-image img::attr(src), #image-main::attr(src)").getall()[:12]
        )


class MagentoListPage(ShopListPage):
    """A page of products."""

    CARD = "li.product-item, .product-item-info, .products-grid .item, .products-list .item"
    UNPRICED = True
    NAME: ClassVar[tuple[str, ...]] = (
        ".product-item-link",
        ".product-name a",
        ".product-item-name",
        "h2, h3",
        "[class*='name'], [class*='title']",
    )
    PRICE: ClassVar[tuple[str, ...]] = (
        ".special-price .price",
        "[data-price-type='finalPrice'] .price",
        ".price",
    )
    NEXT = ".pages-item-next a::attr(href), a.action.next::attr(href), a.next.i-next::attr(href)"


DEFINITION = Definition(
    kind="magento",
    title="Shops on Magento",
    search="/catalogsearch/result/?q={query}",
    further="/catalogsearch/result/?q={query}&p={page}",
    slug=plus,
    search_in_browser=False,
    listing_path=re.compile(
        r"^/(?P<id>[^?#]*[^/?#])\.html$|^/catalog/product/view/id/(?P<number>\d+)"
    ),
    list_page=MagentoListPage,
    listing_page=MagentoListingPage,
    seller_page=ShopSellerPage,
    marks=re.compile(r"text/x-magento-init|data-mage-init|Magento_Ui/|/skin/frontend/"),
    tested=Tested(date(2026, 11, 25)),
)
