"""Best Buy by its pages: its own microdata of old, the price block since."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.facts import Card, Facts
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import named_seller
from crawler.marketplaces.words import availability_of, visible_text

_ITEM = re.compile(
    r"/(?P<id>\d{6,9})\.p(?:[?/#]|$)|/product/[^/?#]+/(?P<code>[A-Z0-9]{8,12})(?:/|$)"
    r"|[?&]skuId=(?P<sku>\d{6,9})"
)


class BestBuyListingPage(SitePage):
    """A product's page. What it shows may be a month's share: it is read as shown."""

    CURRENCY = "USD"
    SOLE_SELLER = "Best Buy"

    def own(self) -> Facts:
        """The markup."""
        sold_by = self.first_text(
            "[data-testid='marketplace-seller'] a",
            ".marketplace-seller a",
            ".sold-by a",
            "#schemaorg-seller-name::attr(content)",
        )
        return Facts(
            name=self.first_text(
                ".sku-title h1",
                "#sku-title h1",
                "h1.heading-5",
                "h1[itemprop='name']",
                "[class*='shop-sku-title'] h1",
            ),
            money=self.shown(
                "[data-testid='price-block-customer-price'] span",
                "[data-testid='customer-price'] span",
                ".priceView-hero-price span[aria-hidden='true']",
                ".priceView-customer-price span",
                "#schemaorg-offer-price::attr(content)",
                ".item-price",
            ),
            availability=availability_of(
                self.first_text(".fulfillment-add-to-cart-button button", ".add-to-cart-button")
            ),
            images=tuple(
                self.css(
                    ".primary-image::attr(src), .primary-image-grid img::attr(src), "
                    "[data-testid='brix-media-player'] img::attr(src)"
                ).getall()[:12]
            ),
            seller=named_seller(sold_by),
        )


class BestBuyListPage(CardsPage):
    """Search results."""

    CURRENCY = "USD"
    NEXT = (
        "a.sku-list-page-next::attr(href), .pager-next::attr(href), "
        "a[aria-label='Next page']::attr(href)"
    )

    def own_cards(self) -> Iterable[Card]:
        """Item by item."""
        for box in self.css("li.sku-item, li.product-list-item, .list-item[data-sku-id]"):
            links = box.css(".sku-title a, .sku-header a, h4 a, a.product-list-item-link")[:1]
            link = self.link(links[0].attrib.get("href")) if links else None
            if link is None or not _ITEM.search(link):
                continue
            prices = box.css(
                ".priceView-customer-price span, [data-testid='customer-price'] span, "
                ".medium-item-price"
            )[:1]
            title = box.css(".sku-title, .product-title, h4")[:1]
            yield Card(
                url=link,
                name=visible_text(title[0]) if title else visible_text(links[0]),
                money=read_shown(visible_text(prices[0]) if prices else None, self.home),
                image=self.link(box.css("img::attr(src)").get()),
                sponsored=self.is_sponsored(box, ".is-sponsored"),
            )


class BestBuySellerPage(ShopPage):
    """A seller's page."""

    NAMES = ("[data-testid='seller-name']", "h1")


DEFINITION = Definition(
    kind="bestbuy",
    title="Best Buy",
    search="/site/searchpage.jsp?st={query}",
    further="/site/searchpage.jsp?st={query}&cp={page}",
    slug=plus,
    search_in_browser=False,
    listing_path=_ITEM,
    list_page=BestBuyListPage,
    listing_page=BestBuyListingPage,
    seller_page=BestBuySellerPage,
    hosts=re.compile(r"(?:www\.)?bestbuy\.(?:com|ca)"),
    tested=Tested(date(2026, 11, 25), (2016,)),
)
