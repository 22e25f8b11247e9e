"""Facebook Marketplace: what a page shows without an account, by the state in its scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from typing import Any

from crawler.marketplaces.definition import Definition, Tested, percent
from crawler.marketplaces.embedded import assigned, dig, json_scripts, nodes
from crawler.marketplaces.facts import Card, Facts
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import seller, text
from crawler.marketplaces.words import without_shop
from registry.money import Money

_ITEM = re.compile(r"/marketplace/item/(?P<id>\d{10,20})")
_TEXT = r"\s?:\s?\"((?:[^\"\\]|\\.){1,500})\""


class FacebookListingPage(SitePage):
    """An item's page."""

    SOURCES = ("own", "from_json_ld", "from_open_graph")

    @cached_property
    def item(self) -> Any:
        """The item's own object: others of the page's scripts are those beside it."""
        match = _ITEM.search(self.address)
        return next((n for n in items_in(self.html) if match and n.get("id") == match["id"]), None)

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
            name=text(dig(self.item, "marketplace_listing_title"))
            or self._said("marketplace_listing_title")
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
        own = dig(self.item, "listing_price")
        for value in [own] if own else assigned(self.html, '"listing_price"', most=3):
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


def items_in(page: str) -> Iterator[dict[str, Any]]:
    """The objects of items in the scripts of a page, each with its title."""
    for script in json_scripts(page):
        for node in nodes(script):
            if isinstance(node.get("marketplace_listing_title"), str):
                yield node


class FacebookListPage(CardsPage):
    """Search results, as drawn, else as the page's scripts hold them."""

    def own_cards(self) -> Iterable[Card]:
        """Links to items; where they are not drawn yet, the items in the scripts."""
        return list(self._of_markup()) or self._of_state()

    def _of_state(self) -> Iterable[Card]:
        for node in items_in(self.html):
            address = self.link(f"/marketplace/item/{node.get('id')}/")
            if address and _ITEM.search(address):
                price = dig(node, "listing_price")
                yield Card(
                    url=address,
                    name=text(node["marketplace_listing_title"]),
                    money=read_shown(text(dig(price, "formatted_amount")), self.home),
                    image=self.link(dig(node, "primary_listing_photo", "image", "uri")),
                )

    def _of_markup(self) -> Iterable[Card]:
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
