"""Kleinanzeigen (until 2023 eBay Kleinanzeigen) by its pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from crawler.marketplaces.definition import Definition, Tested, dashes
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import seller
from crawler.marketplaces.words import visible_text

_ITEM = re.compile(r"/s-anzeige/(?:[^/?#]+/)?(?P<id>\d{6,12})(?:-|$)")


class KleinanzeigenListingPage(SitePage):
    """An advertisement."""

    CURRENCY = "EUR"

    def own(self) -> Facts:
        """The markup; what is reserved or gone says so before its title, hidden elsewhere."""
        gone = self.css(".pvap-reserved-title:not(.is-hidden), .is-sold, .adbanner-sold")
        return Facts(
            name=self.first_text("#viewad-title", without="is-hidden")
            if self.css("#viewad-title")
            else None,
            money=self.shown("#viewad-price", ".boxedarticle--price"),
            availability="OutOfStock" if gone else "InStock" if self.css("#viewad-title") else None,
            images=tuple(
                self.css(
                    "#viewad-image::attr(data-imgsrc), #viewad-image::attr(src), "
                    ".galleryimage-element img::attr(data-imgsrc), "
                    ".galleryimage-element img::attr(src)"
                ).getall()[:24]
            ),
            seller=self._seller(),
            condition=dict(self._details()).get("Zustand"),
            ships_from=self.first_text("#viewad-locality"),
            description=self.first_text("#viewad-description-text"),
            attributes=self._details(),
        )

    def _seller(self) -> SellerRef | None:
        for link in self.css(
            "#viewad-contact .userprofile-vip a, .userprofile-vip a, "
            "#viewad-profile-box a[href*='userId='], "
            "#viewad-contact a[href*='userId='], #viewad-contact a[href*='/pro/']"
        )[:5]:
            name = visible_text(link)
            if name:
                href = link.attrib.get("href", "")
                match = re.search(r"userId=(\d+)|/pro/([^/?#]+)", href)
                return seller((match[1] or match[2]) if match else None, name, self.link(href))
        return seller(
            None,
            self.first_text(
                "#viewad-contact .userprofile-vip", ".userprofile-vip", "#viewad-contact-name"
            ),
        )

    def _details(self) -> tuple[tuple[str, str], ...]:
        found = []
        for item in self.css("#viewad-details .addetailslist--detail")[:40]:
            value = (
                visible_text(item.css(".addetailslist--detail--value")[0])
                if item.css(".addetailslist--detail--value")
                else None
            )
            key = visible_text(item)
            if key and value:
                found.append((key.removesuffix(value).strip()[:100], value[:500]))
        return tuple(found)


class KleinanzeigenListPage(CardsPage):
    """Search results; where there are none, others from elsewhere are shown, which are not read."""

    CURRENCY = "EUR"
    NEXT = "a.pagination-next::attr(href)"
    EMPTY = "#srchrslt-shngls ~ .noresults, .outcomemessage-warning, .outcomemessage-info"

    def own_cards(self) -> Iterable[Card]:
        """Advertisement by advertisement."""
        for box in self.css("article.aditem"):
            href = box.attrib.get("data-href") or box.css(
                "h2 a::attr(href), a.ellipsis::attr(href)"
            ).get("")
            link = self.link(href) if _ITEM.search(href) else None
            if link is None:
                continue
            title = box.css("h2, a.ellipsis")[:1]
            prices = box.css(
                ".aditem-main--middle--price-shipping--price, "
                ".aditem-main--middle--price, .aditem-details strong"
            )[:1]
            yield Card(
                url=link,
                name=visible_text(title[0]) if title else None,
                money=read_shown(visible_text(prices[0]) if prices else None, self.home),
                image=self.link(
                    box.css(".aditem-image img::attr(src), [data-imgsrc]::attr(data-imgsrc)").get()
                ),
                sponsored="topad" in box.xpath("ancestor::li[1]/@class").get("")
                or bool(box.css(".icon-feature-topad")),
            )


class KleinanzeigenSellerPage(ShopPage):
    """A person's or a shop's page."""

    NAMES = (".userprofile--name", "h1.userprofile", "h1", "h2")


DEFINITION = Definition(
    kind="kleinanzeigen",
    title="Kleinanzeigen",
    search="/s-{query}/k0",
    further="/s-seite:{page}/{query}/k0",
    slug=dashes,
    search_in_browser=False,
    listing_path=_ITEM,
    list_page=KleinanzeigenListPage,
    listing_page=KleinanzeigenListingPage,
    seller_page=KleinanzeigenSellerPage,
    hosts=re.compile(r"(?:www\.)?(?:ebay-)?kleinanzeigen\.de"),
    tested=Tested(date(2026, 11, 25), (2026,)),
)
