"""1688 by its pages: the old markup and meta data, ``__INIT_DATA``, ``window.context``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any

from crawler.marketplaces.definition import Definition, Tested, percent
from crawler.marketplaces.embedded import assigned, dig, find
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import seller, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ITEM = re.compile(r"/offer/(?P<id>\d{6,15})\.html|[?&]offerId=(?P<parameter>\d{6,15})")
_SIZE = re.compile(r"\.\d+x\d+(?=\.(?:jpg|png))|_\d+x\d+[^/]*$")


class Alibaba1688ListingPage(SitePage):
    """An offer's page, priced in yuan by quantity: the lowest of the range is read."""

    CURRENCY = "CNY"
    SOURCES = ("own", "from_json_ld", "from_open_graph")

    @cached_property
    def state(self) -> list[Any]:
        """The page's own data."""
        found = []
        for name in (
            "window.__INIT_DATA",
            "__INIT_DATA",
            "__GLOBAL_DATA",
            "iDetailData",
            "iDetailConfig",
        ):
            found += list(assigned(self.html, name, most=1))
        at = self.html.find("window.context")
        if at >= 0:
            # ``window.context=(function(b,d){…})(…, {"result":…})``: an argument is JSON.
            found += list(assigned(self.html[at:], '"result"', most=1))
            found += list(assigned(self.html[at:], '"data"', most=1))
        return found

    def _find(self, *names: str) -> Any:
        return next((hit for value in self.state if (hit := find(value, *names)) is not None), None)

    def own(self) -> Facts:
        """Markup, meta data, state."""
        images = [
            dig(one, "fullPathImageURI") or dig(one, "fullPathImageUrl")
            if isinstance(one, dict)
            else one
            for one in listed(self._find("images", "offerImgList", "mainImage"))
        ]
        images += self.css(
            "#dt-tab img::attr(data-lazy-src), .tab-trigger::attr(data-imgs), "
            ".detail-gallery-img::attr(src), "
            ".od-gallery-preview img::attr(src), .mod-detail-gallery .box-img img::attr(src)"
        ).getall()[:12]
        return Facts(
            name=self.first_text(
                "h1.d-title",
                "#mod-detail-title h1",
                ".title-first-column .title-text",
                ".title-content h1",
                ".title-text",
                ".od-pc-offer-title h1, .module-od-title h1",
            )
            or text(self._find("offerTitle", "subject")),
            money=self._money(),
            availability=availability_of(
                self.first_text(".mod-detail-offline-title", ".offline-title")
            ),
            images=tuple(
                _SIZE.sub("", image)
                for image in images
                if isinstance(image, str) and image[:1] != "{"
            ),
            seller=self._seller(),
            attributes=self._attributes_shown(),
        )

    def _money(self) -> Money | None:
        shown = self.shown(
            ".mod-detail-price-sku .value, .mod-detail-price .price .value",
            ".price-now",
            ".discountPrice-price",
            ".price-content .price-text, .step-price-wrapper .price-text",
            ".price-original-sku .value",
            ".od-pc-offer-price-common .price-text, .module-od-main-price .price-info",
            currency="CNY",
        )
        if shown:
            return shown
        meta = self.css("meta[property='og:product:price']::attr(content)").get()
        for said in (
            meta,
            self._find("skuPriceScale", "priceDisplay", "displayPrice"),
            dig(self._find("currentPrices"), 0, "price"),
        ):
            words = str(said) if isinstance(said, str | int | float) else None
            money = read_shown(words, self.home, "CNY")
            if money and money.amount > 0:
                return money
        return None

    def _seller(self) -> SellerRef | None:
        login = text(self._find("sellerLoginId", "loginId"))
        name = self.first_text(
            ".company-name a, a.company-name",
            ".supplier .company-name",
            ".shop-company-name h1",
            "[class*='companyName']",
        ) or text(self._find("companyName"))
        nick = re.search(
            r"name=([^;]+);\s?url=\s?([^;\s]+)",
            self.css("meta[property='og:product:nick']::attr(content)").get() or "",
        )
        if name is None and nick:
            name = nick[1].strip()
        link = self.css(".company-name a::attr(href), a.company-name::attr(href)").get() or (
            nick[2] if nick else None
        )
        return seller(login, name or login, self.link(link)) if name or login else None

    def _attributes_shown(self) -> tuple[tuple[str, str], ...]:
        names = self.css("#mod-detail-attributes td.de-feature, .offer-attr-item-name")[:60]
        values = self.css("#mod-detail-attributes td.de-value, .offer-attr-item-value")[:60]
        found = zip(map(visible_text, names), map(visible_text, values), strict=False)
        return tuple((key[:100], value[:500]) for key, value in found if key and value)


class Alibaba1688ListPage(CardsPage):
    """Search results."""

    CURRENCY = "CNY"
    NEXT = "a.fui-next::attr(href), .fui-next::attr(href), a.page-next::attr(href)"

    def _of_state(self) -> Iterable[Card]:
        for name in ("window.data.offerresultData", "offerresultData"):
            for value in assigned(self.html, name, most=1):
                for offer in listed(dig(value, "data", "offerList")):
                    number = dig(offer, "id") or dig(offer, "information", "id")
                    link = self._address(number)
                    if link:
                        yield Card(
                            url=link,
                            name=text(dig(offer, "information", "subject")),
                            money=read_shown(
                                str(dig(offer, "tradePrice", "offerPrice", "priceInfo", "price")),
                                self.home,
                                "CNY",
                            ),
                            image=self.link(dig(offer, "image", "imgUrl")),
                            sponsored=dig(offer, "information", "isP4p") in (True, "true"),
                        )

    def _of_markup(self) -> Iterable[Card]:
        for link in self.css("a[href*='/offer/']")[:600]:
            match = _ITEM.search(link.attrib.get("href", ""))
            address = self._address(match["id"]) if match else None
            if address is None:
                continue
            box = link.xpath(
                "ancestor-or-self::*[contains(@class,'offer') or contains(@class,'card')][1]"
            )[:1] or [link]
            title = box[0].css("[class*='title']")[:1]
            prices = box[0].css("[class*='price']")[:1]
            yield Card(
                url=address,
                name=link.attrib.get("title")
                or (visible_text(title[0]) if title else visible_text(link)),
                money=read_shown(visible_text(prices[0]) if prices else None, self.home, "CNY"),
                image=self.link(box[0].css("img::attr(src)").get()),
                sponsored=self.is_sponsored(box[0]),
            )

    def _address(self, number: Any) -> str | None:
        known = re.fullmatch(r"\d{6,15}", str(number))
        return f"https://detail.1688.com/offer/{number}.html" if known else None


class Alibaba1688SellerPage(ShopPage):
    """A company's page."""

    NAMES = (".company-name", ".shop-name", "h1")


DEFINITION = Definition(
    kind="1688",
    title="1688",
    search="https://s.1688.com/selloffer/offer_search.htm?keywords={query}",
    further="https://s.1688.com/selloffer/offer_search.htm?keywords={query}&beginPage={page}",
    slug=percent,
    search_in_browser=True,
    listing_path=_ITEM,
    list_page=Alibaba1688ListPage,
    listing_page=Alibaba1688ListingPage,
    seller_page=Alibaba1688SellerPage,
    hosts=re.compile(r"(?:[\w-]+\.)?1688\.com"),
    tested=Tested(date(2026, 11, 25)),
)
