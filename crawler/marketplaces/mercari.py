"""Mercari in Japan by its pages: drawn markup, JSON-LD, the markup before 2021."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from crawler.marketplaces.definition import Definition, Tested, percent
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.pages import clean
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import seller
from crawler.marketplaces.words import availability_of, visible_text

_ITEM = re.compile(
    r"/item/(?P<id>m\d{8,13})|/shops/product/(?P<shop>[0-9A-Za-z]{10,30})|/items/(?P<old>m\d{8,13})"
)


class MercariListingPage(SitePage):
    """An item's page; one that is sold still shows its price."""

    CURRENCY = "JPY"

    def own(self) -> Facts:
        """The markup."""
        return Facts(
            name=self.first_text(
                "#item-info h1",
                "[data-testid='name'] h1",
                "[data-testid='product-title-section'] h1",
                "h2.item-name",
                "h1.item-name",
                "h1",
            )
            if self.css(
                "#item-info, [data-testid='price'], .item-price, [data-testid='product-price']"
            )
            else None,
            money=self.shown(
                "[data-testid='price']",
                "[data-testid='product-price']",
                ".item-price",
                "mer-price::attr(value)",
                currency="JPY",
            ),
            availability=availability_of(
                self.first_text(
                    "[data-testid='checkout-button-container']",
                    "[data-testid='checkout-button']",
                    ".item-buy-btn",
                )
            ),
            images=tuple(
                self.css(
                    "[data-testid^='image-'] img::attr(src), "
                    "[data-testid='carousel'] img::attr(src), .owl-item img::attr(data-src), "
                    ".item-photo img::attr(data-src)"
                ).getall()[:24]
            ),
            seller=self._seller(),
            condition=self.first_text("[data-testid='商品の状態']"),
            ships_from=self.first_text("[data-testid='発送元の地域']"),
            description=self.first_text("[data-testid='description']", ".item-description"),
            attributes=self.table("table.item-detail-table tr", "th", "td"),
        )

    def _seller(self) -> SellerRef | None:
        for link in self.css(
            "a[data-location='item_details:seller_info'], a[data-testid='seller-link'], "
            "a[href*='/user/profile/'], "
            "a[data-testid='shops-profile-link'], .item-detail-table a[href*='/u/']"
        )[:3]:
            name = next(
                (t for p in link.css("p, .name, span") if (t := visible_text(p))), None
            ) or visible_text(link)
            href = link.attrib.get("href", "")
            match = re.search(r"/(?:profile|u)/(\w+)", href)
            if name:
                return seller(match[1] if match else None, name, self.link(href))
        label = self.css(
            "[data-testid='seller-link']::attr(aria-label), mer-user-object::attr(name)"
        ).get()
        return seller(None, re.sub(r"'s profile$", "", label)) if label else None


class MercariListPage(CardsPage):
    """Search results."""

    CURRENCY = "JPY"
    NEXT = "[data-testid='pagination-next-button'] a::attr(href), li.pager-next a::attr(href)"

    def own_cards(self) -> Iterable[Card]:
        """Cell by cell."""
        for link in self.css(
            "li[data-testid='item-cell'] a[href], section.items-box a[href], "
            "a[data-testid='thumbnail-link']"
        ):
            match = _ITEM.search(link.attrib.get("href", ""))
            address = self.link(link.attrib["href"]) if match else None
            if address is None:
                continue
            name = link.css(
                "[data-testid='thumbnail-item-name'], .items-box-name, .itemName__a6f874a2"
            )[:1]
            prices = link.css(".merPrice, [class*='price'], .items-box-price")[:1]
            yield Card(
                url=address.split("?")[0],
                name=visible_text(name[0]) if name else _drawn_name(link),
                money=read_shown(visible_text(prices[0]) if prices else None, self.home),
                image=self.link(link.css("img::attr(src), img::attr(data-src)").get()),
                sponsored=self.is_sponsored(link),
            )


def _drawn_name(link: Any) -> str | None:
    """The name in what is read aloud of a thumbnail: ``バッグの画像 4,500円``."""
    said = link.css("[role='img'][aria-label]::attr(aria-label), img::attr(alt)").get()
    return clean(re.sub(r"の(?:画像|サムネイル)(?:\s.*)?$", "", said)) if said else None


class MercariSellerPage(ShopPage):
    """A person's page."""

    NAMES = ("[data-testid='profile-name']", "h1")


DEFINITION = Definition(
    kind="mercari",
    title="Mercari (Japan)",
    search="/search?keyword={query}",
    further="/search?keyword={query}&page_token=v1%3A{page}",
    slug=percent,
    search_in_browser=True,
    listing_path=_ITEM,
    list_page=MercariListPage,
    listing_page=MercariListingPage,
    seller_page=MercariSellerPage,
    hosts=re.compile(r"(?:jp\.|www\.)?mercari\.com"),
    tested=Tested(date(2026, 11, 25), (2025,)),
)
