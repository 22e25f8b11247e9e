"""Lazada by its pages: ``__moduleData__`` and ``pdpTrackingData``, search by ``pageData``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any

from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import assigned, dig, find
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import seller, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ITEM = re.compile(
    r"/products/(?:[^/?#]*?-)?i(?P<id>\d{5,14})(?:-s\d+)?\.html|-(?P<old>\d{5,12})\.html$"
)


class LazadaListingPage(SitePage):
    """An item's page."""

    @cached_property
    def state(self) -> Any:
        """``__moduleData__``: the fields of the page by module."""
        for name in ("__moduleData__", "pageData"):
            for value in assigned(self.html, name, most=2):
                fields = dig(value, "data", "root", "fields") or find(value, "fields")
                if isinstance(fields, dict):
                    return fields
        return None

    @cached_property
    def tracking(self) -> Any:
        """``pdpTrackingData``: a text of JSON in a script."""
        return next(assigned(self.html, "pdpTrackingData", most=1), None)

    def own(self) -> Facts:
        """State, tracking, markup."""
        state, tracking = self.state, self.tracking
        sku = dig(state, "skuInfos", "0")
        pictures = dig(state, "skuGalleries", "0") or dig(state, "skuGalleries") or ()
        images = [
            dig(one, "src") or dig(one, "poster")
            for one in listed(pictures)
            if dig(one, "type") != "video"
        ]
        images += [text(dig(tracking, "pdt_photo"))]
        images += self.css(
            ".gallery-preview-panel__image::attr(src), "
            ".pdp-mod-common-image.gallery-preview-panel__image::attr(src), "
            ".item-gallery__thumbnail-image::attr(src), .productImage::attr(data-big)"
        ).getall()[:12]
        return Facts(
            name=text(dig(state, "product", "title"))
            or self.first_text(
                ".pdp-mod-product-badge-title",
                "#prod_title",
                "h1.pdp-product-title",
                ".pdp-product-title",
            )
            or text(dig(tracking, "pdt_name")),
            money=self._money(sku),
            availability=self._availability(sku),
            images=tuple(image for image in images if isinstance(image, str) and image),
            seller=self._seller(),
            brand=text(dig(state, "product", "brand", "name")) or text(dig(tracking, "brand_name")),
            ships_from=self.first_text(".delivery-option-item__shipping-from"),
            attributes=self.table(".specification-keys .key-li", ".key-title", ".key-value"),
        )

    def _money(self, sku: Any) -> Money | None:
        price = dig(sku, "price", "salePrice") or dig(sku, "price", "originalPrice")
        code = dig(self.state, "globalConfig", "currencyCode") or self.home.currency
        return (
            read_shown(text(dig(price, "text")), self.home)
            or self.priced(dig(price, "value"), code)
            or self.shown(
                ".pdp-mod-product-price .pdp-price_type_normal",
                ".pdp-product-price .pdp-price_type_normal",
                ".pdp-v2-product-price-content-salePrice-amount",
                ".pdp-price",
                "#special_price_box",
                "#product_price",
                currency=code if isinstance(code, str) else None,
            )
            or read_shown(text(dig(self.tracking, "pdt_price")), self.home, self.home.currency)
        )

    def _availability(self, sku: Any) -> str | None:
        stock = dig(sku, "stock")
        if isinstance(stock, int):
            return "InStock" if stock > 0 else "OutOfStock"
        return availability_of(self.first_text(".quantity-content-warning", ".pdp-mod-product-oos"))

    def _seller(self) -> SellerRef | None:
        node = dig(self.state, "seller")
        name = text(dig(node, "name")) or self.first_text(
            ".seller-name__detail-name", ".seller-name__detail a", ".basic-info__name"
        )
        name = name or text(dig(self.tracking, "seller_name"))
        link = dig(node, "url") or self.css("a.seller-name__detail-name::attr(href)").get()
        return seller(dig(node, "sellerId"), name, self.link(link)) if name else None


class LazadaListPage(CardsPage):
    """Search results: state, the same as JSON, or cards that were drawn."""

    NEXT = "li.ant-pagination-next a::attr(href), link[rel='next']::attr(href)"

    def _of_state(self) -> Iterable[Card]:
        value = self.data or next(assigned(self.html, "window.pageData", most=1), None)
        for item in listed(dig(value, "mods", "listItems")):
            link = self.link(dig(item, "itemUrl") or dig(item, "productUrl"))
            match = _ITEM.search(link or "")
            if link is None or match is None:
                continue
            yield Card(
                url=link.split("?")[0],
                name=text(dig(item, "name")),
                money=read_shown(text(dig(item, "priceShow")), self.home)
                or read_shown(text(dig(item, "price")), self.home, self.home.currency),
                image=self.link(dig(item, "image")),
                sponsored=dig(item, "isAD") in (True, 1, "1") or dig(item, "isSponsored") is True,
            )

    def _of_markup(self) -> Iterable[Card]:
        for box in self.css("[data-qa-locator='product-item'], [data-tracking='product-card']"):
            link = self.link(
                box.css("a[href*='/products/']::attr(href), a[href$='.html']::attr(href)").get()
            )
            if link is None:
                continue
            named = box.css("a[title]::attr(title)").get() or box.css("img::attr(alt)").get()
            shown = next(
                (
                    s
                    for s in box.css("span, div")
                    if _PRICE.match("".join(s.css("::text").getall()[:1]).strip())
                ),
                None,
            )
            yield Card(
                url=link.split("?")[0],
                name=text(named),
                money=read_shown(visible_text(shown) if shown is not None else None, self.home),
                image=self.link(box.css("img::attr(src)").get()),
                sponsored=self.is_sponsored(box),
            )


_PRICE = re.compile(r"(?:₱|Rp|RM|฿|₫|S?\$)\s?[\d.,]+$|[\d.,]+\s?₫$")


class LazadaSellerPage(ShopPage):
    """A shop's page."""

    NAMES = (".seller-name", ".shop-name", "h1")
    RATINGS = (".seller-rating", ".rate-num")


DEFINITION = Definition(
    kind="lazada",
    title="Lazada",
    search="/catalog/?q={query}",
    further="/catalog/?q={query}&page={page}",
    slug=plus,
    search_in_browser=True,
    listing_path=_ITEM,
    list_page=LazadaListPage,
    listing_page=LazadaListingPage,
    seller_page=LazadaSellerPage,
    hosts=re.compile(r"(?:www\.|pages\.)?lazada\.(?:sg|vn|co\.th|co\.id|com\.my|com\.ph)"),
    interfaces=("pages", "json"),
    tested=Tested(date(2026, 11, 25), (2024,)),
)
