"""Facebook Marketplace: what a page shows without an account, by the state in its scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any

from crawler.marketplaces.definition import Definition, Tested, percent
from crawler.marketplaces.embedded import assigned, dig
from crawler.marketplaces.facts import Card, Facts
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage, seller, text, without_shop
from registry.money import Money

_ITEM = re.compile(r"/marketplace/item/(?P<id>\d{10,20})")
_TEXT = r"\s?:\s?\"((?:[^\"\\]|\\.){1,500})\""


class FacebookListingPage(SitePage):
    """An item's page."""

    SOURCES = ("own", "from_json_ld", "from_open_graph")

    def own(self) -> Facts:
        """The item in the page's scripts, then the preview's title."""
        preview = self.css("meta[property='og:title']::attr(content)").get()
        seller_ = next(
            (
                v
                for v in assigned(self.html, '"marketplace_listing_seller"', most=3)
                if dig(v, "name")
            ),
            None,
        )
        primary = next(assigned(self.html, '"primary_listing_photo"', most=1), None)
        images = [dig(v, "image", "uri") for v in (*self._photos, primary)]
        where = self._city()
        return Facts(
            name=self._said("marketplace_listing_title")
            or _bare_title(preview)
            or self.first_text("h1"),
            money=self._money() or self.shown("h1 + div", "[class*='price']"),
            availability=self._availability(),
            images=tuple(image for image in images if isinstance(image, str)),
            seller=seller(dig(seller_, "id"), dig(seller_, "name")) if seller_ else None,
            ships_from=where,
            description=text(
                next(
                    (
                        str(dig(v, "text"))
                        for v in assigned(self.html, '"redacted_description"', most=1)
                    ),
                    None,
                )
            ),
        )

    @cached_property
    def _photos(self) -> list[Any]:
        return next(
            (v for v in assigned(self.html, '"listing_photos"', most=1) if isinstance(v, list)), []
        )

    def _money(self) -> Money | None:
        for value in assigned(self.html, '"listing_price"', most=3):
            shown = read_shown(
                text(
                    dig(value, "formatted_amount_zeros_stripped") or dig(value, "formatted_amount")
                ),
                self.home,
            )
            money = (
                self.priced(dig(value, "amount"), dig(value, "currency"))
                if dig(value, "currency")
                else None
            )
            if money or shown:
                return money or shown
        match = re.search(r"\"formatted_price\"\s?:\s?\{[^{}]{0,80}\"text\"" + _TEXT, self.html)
        return read_shown(match[1], self.home) if match else None

    def _availability(self) -> str | None:
        if re.search(r"\"is_sold\"\s?:\s?true|\"is_live\"\s?:\s?false", self.html):
            return "OutOfStock"
        return "InStock" if re.search(r"\"is_sold\"\s?:\s?false", self.html) else None

    def _city(self) -> str | None:
        where = next(assigned(self.html, '"location_text"', most=1), None)
        code = next(assigned(self.html, '"reverse_geocode"', most=1), None)
        return text(dig(where, "text")) or text(dig(code, "city"))

    def _said(self, name: str) -> str | None:
        match = re.search(f'"{name}"' + _TEXT, self.html)
        if match is None:
            return None
        return text(
            re.sub(
                r"\\u([0-9a-fA-F]{4})|\\(.)",
                lambda m: chr(int(m[1], 16)) if m[1] else m[2],
                match[1],
            )
        )


def _bare_title(title: str | None) -> str | None:
    """``Marketplace - Bag, used | Facebook`` and such."""
    bare = without_shop(title, "Facebook")
    bare = re.sub(r"^Marketplace\s?[-–]\s?", "", bare or "")
    return (
        None
        if bare.casefold() in ("", "facebook", "marketplace", "log in or sign up to view")
        else bare
    )


class FacebookListPage(CardsPage):
    """Search results."""

    def own_cards(self) -> Iterable[Card]:
        """Links to items."""
        for link in self.css("a[href*='/marketplace/item/']")[:400]:
            match = _ITEM.search(link.attrib["href"])
            address = self.link(f"/marketplace/item/{match['id']}/") if match else None
            if address is None:
                continue
            texts = [t for s in link.css("span::text").getall() if (t := text(s))]
            money = next((m for t in texts if (m := read_shown(t, self.home))), None)
            names = [t for t in texts if read_shown(t, self.home) is None]
            yield Card(
                address, next(iter(names), None), money, self.link(link.css("img::attr(src)").get())
            )


class FacebookSellerPage(ShopPage):
    """A person's page, of which nobody sees more than the name."""

    NAMES = ("h1",)


DEFINITION = Definition(
    kind="facebook",
    title="Facebook Marketplace",
    search="/marketplace/search/?query={query}",
    slug=percent,
    search_in_browser=True,
    listing_path=_ITEM,
    list_page=FacebookListPage,
    listing_page=FacebookListingPage,
    seller_page=FacebookSellerPage,
    hosts=re.compile(r"(?:www\.|m\.|web\.)?facebook\.com"),
    tested=Tested(date(2026, 11, 25)),
)
