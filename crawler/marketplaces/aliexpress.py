"""AliExpress by its pages, of the layouts since about 2015: markup, ``runParams``, components."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any

from crawler.marketplaces.definition import Definition, Tested, dashes
from crawler.marketplaces.embedded import assigned, dig, find, nodes
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import pairs, seller, strings, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ITEM = re.compile(r"/(?:item|i|store/product)/(?:[^/?#]*/)?(?:\d+_)?(?P<id>\d{8,17})\.html")
#: ``x.jpg_640x640.jpg``: the picture itself ends with the first of them.
_SIZE = re.compile(
    r"(?<=\.(?:jpg|png))_[^/]*$|(?<=\.jpeg)_[^/]*$|(?<=\.webp)_[^/]*$", re.IGNORECASE
)


class AliExpressListingPage(SitePage):
    """An item's page."""

    CURRENCY = "USD"
    NO_BRANDS = frozenset(("aliexpress.com", "aliexpress", "none", "no brand"))

    @cached_property
    def state(self) -> Any:
        """The page's own data: ``runParams.data`` or what took its place."""
        for name in ("window.runParams", "runParams"):
            for value in assigned(self.html, name):
                inner = dig(value, "data")
                if isinstance(inner, dict) and inner:
                    return inner
        # ``window.runParams = { data: {…}`` is no JSON outside, but its inside is.
        at = self.html.find("runParams")
        if at >= 0:
            for value in assigned(self.html[at : at + 3_000_000], "data", most=3):
                if isinstance(value, dict) and any(key in value for key in _MODULES):
                    return value
        for name in ("_dida_config_._init_data_", "_init_data_", "__INIT_DATA__"):
            for value in assigned(self.html, name):
                return dig(value, "data", "data") or dig(value, "data") or value
        at = self.html.find("_init_data_")
        if at >= 0:
            for value in assigned(self.html[at : at + 3_000_000], "data", most=3):
                return dig(value, "data") or value
        return None

    def own(self) -> Facts:
        """The state first; the markup of the layouts without."""
        state = self.state
        return Facts(
            name=text(dig(state, "titleModule", "subject"))
            or text(dig(state, "productInfoComponent", "subject"))
            or text(dig(state, "PRODUCT_TITLE", "text"))
            or self.first_text(
                "h1[data-pl='product-title']",
                ".product-title-text",
                "h1.product-title, .product-title",
                "h1.product-name",
                "[class*='title--wrap'] h1",
            ),
            money=self._state_money() or self._shown(),
            availability=self._availability(),
            images=tuple(_SIZE.sub("", link) for link in self._pictures()),
            seller=self._seller(),
            brand=self._brand(),
            ships_from=text(dig(state, "storeModule", "countryCompleteName"))
            or text(dig(state, "sellerComponent", "countryCompleteName")),
            attributes=pairs(
                dig(state, "specsModule", "props") or dig(state, "productPropComponent", "props"),
                "attrName",
                "attrValue",
            )
            or self.table(
                ".product-property-list .property-item", ".propery-title", ".propery-des"
            ),
        )

    def _state_money(self) -> Money | None:
        prices = (
            dig(self.state, "priceModule")
            or dig(self.state, "priceComponent", "discountPrice")
            or dig(self.state, "priceComponent")
            or dig(self.state, "PRICE")
        )
        for name in ("minActivityAmount", "activityAmount", "minAmount", "salePrice"):
            node = find(prices, name)
            money = self.priced(dig(node, "value"), dig(node, "currency")) if node else None
            if money:
                last = find(prices, name.replace("min", "max", 1)) if "min" in name else None
                high = self.priced(dig(last, "value"), money.currency) if last else None
                if high and high.amount > money.amount:
                    self._ranges[money] = high
                return money
        for name in ("formatedActivityPrice", "formatedPrice", "salePriceString", "formatedAmount"):
            money = self._shown_in(text(find(prices, name)), None)
            if money:
                return money
        return None

    def _shown(self) -> Money | None:
        code = self.css("[itemprop='priceCurrency']::attr(content)").get()
        money = self.shown(
            "[class*='price--currentPriceText']",
            "[class*='price-default--current']",
            "[class*='price--current--']",
            ".product-price-current",
            ".uniform-banner-box-price",
            ".product-price-value",
        )
        if money:
            return money
        old = ("#j-sku-discount-price", "#j-sku-price", ".p-price")
        for selector in old:
            amount = self.first_text(selector)
            low = re.split(r"\s[-–]\s", amount)[0] if amount else None
            sign = self.first_text(".p-symbol") or ""
            found = read_shown(f"{sign} {low}", self.home) if sign and low else None
            found = found or (read_shown(low, self.home, code or "USD") if low else None)
            if found and found.amount > 0:
                self.note_range(amount, found)
                return found
        return None

    def _availability(self) -> str | None:
        total = dig(self.state, "quantityModule", "totalAvailQuantity")
        if total is None:
            total = dig(self.state, "inventoryComponent", "totalAvailQuantity")
        if isinstance(total, int):
            return "InStock" if total > 0 else "OutOfStock"
        return availability_of(self.first_text("[class*='quantity--info']", "#j-sell-stock-num"))

    def _pictures(self) -> tuple[str, ...]:
        said = dig(self.state, "imageModule", "imagePathList") or dig(
            self.state, "imageComponent", "imagePathList"
        )
        if said:
            return strings(said)
        for name in ("imageBigViewURL", "imagePathList"):
            for value in assigned(self.html, name, most=1):
                return strings(value)
        return tuple(
            self.css(
                "[class*='magnifier--image']::attr(src), [class*='slider--img'] img::attr(src), "
                ".images-view-item img::attr(src), #magnifier img::attr(src), "
                ".ui-image-viewer-thumb-frame img::attr(src)"
            ).getall()[:24]
        )

    def _seller(self) -> SellerRef | None:
        for name in ("storeModule", "sellerComponent", "SHOP_CARD_PC"):
            node = dig(self.state, name)
            if isinstance(node, dict) and node.get("storeName"):
                number = node.get("storeNum") or node.get("storeId") or node.get("sellerAdminSeq")
                link = node.get("storeURL") or node.get("storeHomeUrl")
                return seller(number, node["storeName"], self.link(link))
        for link in self.css(
            "a[data-pl='store-name'], [class*='store-header--storeName'] a, "
            "[class*='store-detail--storeName'], a.store-lnk, .shop-name a, .store-name a, "
            "[class*='store-info--name'] a"
        )[:5]:
            shown = visible_text(link)
            if shown:
                href = link.attrib.get("href", "")
                number = re.search(r"/store/(\d+)", href)
                return seller(number[1] if number else None, shown, self.link(href))
        return None

    def _brand(self) -> str | None:
        props = pairs(dig(self.state, "specsModule", "props"), "attrName", "attrValue")
        return next((v for k, v in props if k.casefold() in ("brand name", "brand")), None)


_MODULES = ("titleModule", "productInfoComponent", "priceModule", "priceComponent", "storeModule")


class AliExpressListPage(CardsPage):
    """Search results: state where there is one, else the cards."""

    CURRENCY = "USD"
    NEXT = (
        ".comet-pagination-next a::attr(href), a.page-next::attr(href), "
        ".ui-pagination-next::attr(href)"
    )

    def _of_state(self) -> Iterable[Card]:
        at = max(self.html.find("_init_data_"), self.html.find("runParams"))
        if at < 0:
            return
        for value in assigned(self.html[at:], "data", most=3):
            for node in nodes(value):
                number = node.get("productId") or node.get("itemId")
                name = dig(node, "title", "displayTitle") or node.get("title")
                if not re.fullmatch(r"\d{8,17}", str(number)) or not isinstance(name, str):
                    continue
                sale = dig(node, "prices", "salePrice")
                link = self.link(f"/item/{number}.html")
                if link:
                    yield Card(
                        url=link,
                        name=text(name),
                        money=self._money(sale) or read_shown(text(node.get("price")), self.home),
                        image=self.link(dig(node, "image", "imgUrl") or node.get("imageUrl")),
                        sponsored=bool(dig(node, "trace", "p4pId")) or node.get("isAd") is True,
                    )

    def _money(self, sale: Any) -> Money | None:
        return read_shown(text(dig(sale, "formattedPrice")), self.home) or read_shown(
            str(dig(sale, "minPrice")), self.home, text(dig(sale, "currencyCode"))
        )

    def _of_markup(self) -> Iterable[Card]:
        for link in self.css("a[href*='/item/'], a[href*='/i/']")[:1200]:
            match = _ITEM.search(link.attrib.get("href", ""))
            address = self.link(f"/item/{match['id']}.html") if match else None
            if address is None:
                continue
            # The picture and the name of a product may each be a link of its own.
            box = link.xpath(_BOX)[:1] or [link]
            title = box[0].css("h3, h1, [class*='title'], [class*='name'], [class*='Name']")[:1]
            shown = box[0].css(
                "[class*='price-sale'], [class*='priceSale'], [class*='price'], [class*='Price']"
            )[:1]
            name = link.attrib.get("title") or (visible_text(title[0]) if title else None)
            yield Card(
                url=address,
                name=name or visible_text(link) or text(box[0].css("img::attr(alt)").get()),
                money=read_shown(visible_text(shown[0]) if shown else None, self.home),
                image=self.picture(box[0]),
                sponsored=self.is_sponsored(box[0]),
            )


_BOX = (
    "ancestor-or-self::*[@data-product-id or contains(@class,'nippet') or contains(@class,'card')"
    " or contains(@class,'list-item') or contains(@class,'item-')][1]"
)


class AliExpressSellerPage(ShopPage):
    """A shop's page."""

    NAMES = (".shop-name", ".store-name", "[class*='storeName']", "h1")
    COUNTRIES = (".store-location",)
    RATINGS = (".positive-feedback",)


DEFINITION = Definition(
    kind="aliexpress",
    title="AliExpress",
    search="/w/wholesale-{query}.html",
    further="/w/wholesale-{query}.html?page={page}",
    slug=dashes,
    search_in_browser=True,
    listing_path=_ITEM,
    list_page=AliExpressListPage,
    listing_page=AliExpressListingPage,
    seller_page=AliExpressSellerPage,
    hosts=re.compile(r"(?:[a-z]+\.)?aliexpress\.(?:com|us|ru)"),
    tested=Tested(date(2026, 11, 25), (2019,)),
)
