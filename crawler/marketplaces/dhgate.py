"""DHgate by its pages, old markup and new state."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import find, states
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import seller, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ITEM = re.compile(r"/product/(?:[^/?#]+/)?(?P<id>\d{6,14})\.html")


class DHgateListingPage(SitePage):
    """An item's page. Prices fall with the quantity: the lowest is read, as of any range."""

    CURRENCY = "USD"
    NO_BRANDS = frozenset(("dhgate", "dhgate.com"))

    def own(self) -> Facts:
        """The markup of either layout."""
        return Facts(
            name=self.first_text(
                "[class*='productInfo_productInfo'] h1",
                "[class*='productInfo'] h1",
                ".product-title h1, .pro-title h1, .hinfo h1",
                "h1[itemprop='name']",
                "h1",
            ),
            money=self._money(),
            availability=availability_of(self.first_text(".out-of-stock", ".sold-out")),
            images=tuple(
                self.css(
                    "[class*='masterMap_'] img::attr(src), .bimg-inner img::attr(src), "
                    "#proImg::attr(src), "
                    ".img-roundel img::attr(src), [class*='masterMap_smallMapList'] img::attr(src)"
                ).getall()[:12]
            ),
            seller=self._seller(),
            attributes=self.table(
                "[class*='prodSpecifications_'] li, .item-specifics li, .pro-attr li",
                "label, span:first-child, strong",
                "div, span:last-child",
            ),
        )

    def _money(self) -> Money | None:
        steps = self.css(".wprice-line .js-wholesale-list li[price]::attr(price)").getall()[:20]
        amounts = [m for step in steps if (m := read_shown(step, self.home, "USD"))]
        if amounts:
            return min(amounts, key=lambda money: money.amount)
        return self.shown(
            "[class*='productPrice_price'] [class*='current']",
            "[class*='productPrice_price']",
            ".wprice-line .js-wholesale-price, .js-wholesale-list [class*='price']",
            "#pro-current-price, .current-price, .prowholesale-price",
            "[itemprop='lowPrice']",
            "[itemprop='price']",
            currency=self.css("[itemprop='priceCurrency']::attr(content)").get() or "USD",
        )

    def _seller(self) -> SellerRef | None:
        for link in self.css(
            "[class*='storeInfo'] a[href*='/store/'], "
            "[class*='store_'] a[href*='/store/'], .store-name a, .sellerinfo a[href*='/store/'], "
            ".seller-name a, a.js-store-name, a[href*='dhgate.com/store/']"
        )[:8]:
            name = visible_text(link)
            href = link.attrib.get("href", "")
            match = re.search(r"/store/(?:about-us/)?(\d+)", href)
            if name and len(name) <= 80 and not _VISIT.fullmatch(name):
                return seller(match[1] if match else None, name, self.link(href))
        for state in states(self.html):
            found = find(state, "storeName", "supplierName", "sellerName")
            if isinstance(found, str):
                number = find(state, "supplierSeq", "storeId")
                return seller(number if isinstance(number, str | int) else None, text(found))
        return None


_VISIT = re.compile(
    r"(?:visit|go to|view)(?: the)? store|follow|chat(?: now)?|contact", re.IGNORECASE
)


class DHgateListPage(CardsPage):
    """Search results."""

    CURRENCY = "USD"
    NEXT = (
        "a.next::attr(href), .page-next a::attr(href), link[rel='next']::attr(href), "
        "[class*='pagination'] a[aria-label='next']::attr(href)"
    )

    def own_cards(self) -> Iterable[Card]:
        """Item by item."""
        for box in self.css(
            ".listitem, .gallery-main, [class*='gallery-main'], [class*='goods-'], li[data-item]"
        ):
            href = box.css("a[href*='/product/']::attr(href)").get("")
            match = _ITEM.search(href)
            link = self.link(href.split("?")[0].split("#")[0]) if match else None
            if link is None:
                continue
            title = box.css("h3, .pro-title, [class*='pro-title'], [class*='title']")[:1]
            prices = box.css("[class*='current-price'], .price, [class*='price']")[:1]
            yield Card(
                url=link,
                name=(visible_text(title[0]) if title else None)
                or box.css("a[title]::attr(title)").get(),
                money=read_shown(visible_text(prices[0]) if prices else None, self.home),
                image=self.link(box.css("img::attr(data-original), img::attr(src)").get()),
                sponsored=self.is_sponsored(box),
            )


class DHgateSellerPage(ShopPage):
    """A shop's page."""

    NAMES = (".store-name", "[class*='storeName']", "h1")
    RATINGS = (".positive-feedback",)


DEFINITION = Definition(
    kind="dhgate",
    title="DHgate",
    search="/wholesale/search.do?searchkey={query}",
    further="/wholesale/search.do?searchkey={query}&page={page}",
    slug=plus,
    search_in_browser=True,
    listing_path=_ITEM,
    list_page=DHgateListPage,
    listing_page=DHgateListingPage,
    seller_page=DHgateSellerPage,
    hosts=re.compile(r"(?:[a-z]+\.)?dhgate\.com"),
    tested=Tested(date(2026, 11, 25)),
)
