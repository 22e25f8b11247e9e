"""Shopee: JSON-LD and state of its pages, the JSON that its own pages ask for (``api/v4``)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from crawler.marketplaces.definition import Definition, Tested, percent
from crawler.marketplaces.embedded import dig, nodes, states
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.prices import money as checked
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import seller, strings, text
from crawler.marketplaces.words import visible_text
from registry.money import Money

_ITEM = re.compile(
    r"-i\.(?P<id>\d{1,12}\.\d{5,15})(?:[/?#]|$)"
    r"|/product/(?P<pair>\d{1,12}/\d{5,15})(?:[/?#]|$)|[?&]itemid=(?P<item>\d+)"
)
#: Prices are whole numbers of a hundred-thousandth.
_UNIT = 100_000


class ShopeeListingPage(SitePage):
    """An item: its page, or the answer of ``api/v4/pdp/get_pc`` or ``api/v4/item/get``."""

    @cached_property
    def item(self) -> Any:
        """The item's object, wherever it stands."""
        for value in [self.data] if self.data is not None else states(self.html):
            for path in (("data", "item"), ("data",), ("item",), ("item", "item")):
                node = dig(value, *path)
                if isinstance(node, dict) and _is_item(node):
                    return node
            for node in nodes(value):
                if _is_item(node):
                    return node
        return None

    def own(self) -> Facts:
        """The item's object, then the markup that was drawn."""
        item = self.item
        return Facts(
            name=text(dig(item, "title"))
            or text(dig(item, "name"))
            or self.first_text(
                ".WBVL_7 h1",
                "[class*='attM6y']",
                ".qaNIZv",
                ".vR6K3w",
                "h1.product-name",
                "div[data-testid='pdp-product-title']",
            ),
            money=micro_money(item, self.home.currency)
            or self.shown(
                ".IZPeQz",
                ".pqTWkA",
                "._3n5NQx",
                ".pmmxKx",
                "[data-testid='pdp-price']",
                "section .G27FPf",
            ),
            availability=self._availability(),
            images=self._pictures(),
            seller=self._seller(),
            brand=text(dig(item, "brand")),
            ships_from=text(dig(item, "shop_location")),
            description=text(dig(item, "description")),
        )

    def _availability(self) -> str | None:
        stock = dig(self.item, "stock")
        if stock is None:
            stock = dig(self.item, "normal_stock")
        return ("InStock" if stock > 0 else "OutOfStock") if isinstance(stock, int) else None

    def _pictures(self) -> tuple[str, ...]:
        codes = [*strings(dig(self.item, "image")), *strings(dig(self.item, "images"))]
        return tuple(
            dict.fromkeys(
                code
                if code.startswith("http")
                else f"https://cf.shopee.{self._domain()}/file/{code}"
                for code in codes
            )
        )

    def _domain(self) -> str:
        match = re.search(r"//(?:[\w-]+\.)?shopee\.([a-z.]{2,6})(?:[/:]|$)", self.address)
        return match[1] if match else "sg"

    def _seller(self) -> SellerRef | None:
        shop = dig(self.data, "data", "shop_detailed") or dig(self.data, "data", "product_shop")
        name = text(dig(shop, "name")) or text(dig(shop, "account", "username"))
        name = name or self.first_text(
            ".VlDReK", ".fV3TIn", "._3uf2ae", "[class*='seller-overview'] [class*='name']"
        )
        number = dig(shop, "shopid") or dig(self.item, "shopid") or dig(self.item, "shop_id")
        link = f"/shop/{number}" if isinstance(number, int) else None
        return seller(number, name, self.link(link)) if name or number else None


class ShopeeListPage(CardsPage):
    """Search results: the answer of ``api/v4/search/search_items``, or cards that were drawn."""

    NEXT = "a.shopee-icon-button--right::attr(href), link[rel='next']::attr(href)"
    EMPTY = ".shopee-search-empty-result-section"

    def own_cards(self) -> Iterable[Card]:
        """By JSON, else by markup."""
        return self._of_data() if self.data is not None else self._of_markup()

    def _of_data(self) -> Iterable[Card]:
        for entry in listed(dig(self.data, "items")):
            item = dig(entry, "item_basic") or entry
            shop, number = dig(item, "shopid"), dig(item, "itemid")
            link = self.link(f"/product/{shop}/{number}")
            if isinstance(shop, int) and isinstance(number, int) and link:
                yield Card(
                    url=link,
                    name=text(dig(item, "name")),
                    money=micro_money(item, self.home.currency),
                    image=self.link(f"https://cf.shopee.sg/file/{dig(item, 'image')}"),
                    sponsored=dig(entry, "adsid") is not None or dig(item, "adsid") is not None,
                )

    def _of_markup(self) -> Iterable[Card]:
        for link in self.css("a[href*='-i.'], a[href*='/product/']")[:600]:
            match = _ITEM.search(link.attrib.get("href", ""))
            address = (
                self.link((match["id"] or match["pair"] or "").replace(".", "/")) if match else None
            )
            if address is None or match is None or match["item"]:
                continue
            pair = (match["id"] or match["pair"]).replace(".", "/")
            title = link.css("img[alt]::attr(alt)").get()
            shown = re.search(
                r"(?:₱|Rp|RM|฿|₫|NT\$|R\$|S\$|\$)\s?[\d.,]+|[\d.,]+\s?₫", visible_text(link) or ""
            )
            yield Card(
                url=self.link(f"/product/{pair}") or address,
                name=text(title) or visible_text(link),
                money=read_shown(shown[0], self.home) if shown else None,
                image=self.link(link.css("img::attr(src)").get()),
                sponsored=self.is_sponsored(link),
            )


class ShopeeSellerPage(ShopPage):
    """A shop's page."""

    NAMES = (".section-seller-overview-horizontal__portrait-name", "h1")


def _is_item(node: dict[str, Any]) -> bool:
    named = isinstance(node.get("name") or node.get("title"), str)
    return named and ("itemid" in node or "item_id" in node) and isinstance(node.get("price"), int)


def micro_money(item: Any, home: str | None) -> Money | None:
    """``price`` (of models the lowest) in hundred-thousandths of ``currency``."""
    for name in ("price_min", "price"):
        value = dig(item, name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**18:
            return checked(Decimal(value) / _UNIT, dig(item, "currency") or home)
    return None


DEFINITION = Definition(
    kind="shopee",
    title="Shopee",
    search="/search?keyword={query}",
    further="/search?keyword={query}&page={page}",
    slug=percent,
    search_in_browser=True,
    listing_path=_ITEM,
    folding=("/", "."),
    list_page=ShopeeListPage,
    listing_page=ShopeeListingPage,
    seller_page=ShopeeSellerPage,
    hosts=re.compile(
        r"(?:www\.)?shopee\.(?:sg|vn|ph|tw|pl|cl|co\.th|co\.id|com\.my|com\.br|com\.mx|com\.co)"
    ),
    interfaces=("pages", "json"),
    tested=Tested(date(2026, 11, 25)),
)
