"""Any shop with structured data; the base of the kinds that share a platform."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlsplit

from crawler.marketplaces import structured
from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import dig, nodes, states
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import (
    CardsPage,
    ShopPage,
    SitePage,
    availability_of,
    named_seller,
    text,
    visible_text,
    without_shop,
)
from crawler.marketplaces.structured import listed
from registry.money import Money

#: Markup that most themes share; the first that shows a price is believed.
_PRICES = (
    "[itemprop='price'][content]::attr(content)",
    "[itemprop='price']",
    ".product-info-main [data-price-type='finalPrice'] .price",
    ".summary .price ins .amount, .summary p.price > .amount, .summary .price .amount",
    ".product__price .price-item--sale, .product__price .price__current, .product-price--sale",
    ".current-price-value, .current-price [content], .current-price",
    "#our_price_display",
    "[class*='product'][class*='price'] ins, .product-price, .product__price, .price--main",
    "main [class*='price']:not([class*='old']):not([class*='compare']):not([class*='regular'])",
)
_ORGANISATIONS = frozenset(
    ("Organization", "OnlineStore", "Store", "WebSite", "LocalBusiness", "Corporation")
)


class ShopListingPage(SitePage):
    """A product's page in a shop that is its own seller, unless the data name another."""

    SOURCES = (
        "own",
        "from_json_ld",
        "from_microdata",
        "from_rdfa",
        "from_state",
        "from_open_graph",
        "from_markup",
    )

    def from_state(self) -> Facts:
        """The product in the state of a framework: what has a name and a price, outermost first."""
        if self.from_json_ld().money is not None:
            return Facts()
        titles = " ".join(self.css("h1 ::text, title::text").getall())[:2000].casefold()
        for state in states(self.html):
            for node in nodes(state):
                name = node.get("name") or node.get("title") or node.get("productName")
                if not isinstance(name, str) or len(name) < 3 or name.casefold() not in titles:
                    continue
                money = self._state_money(node)
                if money is not None:
                    return Facts(
                        name=text(name),
                        money=money,
                        images=tuple(self._state_images(node)),
                        brand=text(structured.name_of(node.get("brand"))),
                        seller=named_seller(text(structured.name_of(node.get("seller")))),
                    )
        return Facts()

    def _state_money(self, node: dict[str, Any]) -> Money | None:
        for key in ("salePrice", "finalPrice", "currentPrice", "price", "prices"):
            value = node.get(key)
            if isinstance(value, dict):
                amount = next(
                    (
                        value[k]
                        for k in ("value", "amount", "current", "price", "sale")
                        if k in value
                    ),
                    None,
                )
                code = value.get("currency") or value.get("currencyCode") or node.get("currency")
            else:
                amount, code = value, node.get("currency") or node.get("currencyCode")
            money = self.priced(amount, code or self.home.currency)
            if money is not None:
                return money
        return None

    def _state_images(self, node: dict[str, Any]) -> list[str]:
        found = structured.links(node.get("images") or node.get("image") or node.get("imageUrl"))
        return [link for link in found if isinstance(link, str)]

    def from_markup(self) -> Facts:
        """What nearly every theme has: a heading, a price beside it, words on the stock."""
        heading = self.first_text("h1[itemprop='name']", "h1[class*='product']", "main h1", "h1")
        title = self.first_text("title")
        money = self.shown(*_PRICES, currency=self.home.currency)
        return Facts(
            name=(heading or without_shop(title, self.shop_name())) if money else None,
            money=money,
            availability=availability_of(
                self.first_text(
                    "#product-availability",
                    ".product-availability",
                    ".stock",
                    "[itemprop='availability']",
                )
            ),
            images=tuple(
                self.css("[itemprop='image']::attr(src), [itemprop='image']::attr(href)").getall()[
                    :12
                ]
            ),
            attributes=self.table(
                "table.shop_attributes tr, table.data.additional-attributes tr, table tr",
                "th",
                "td",
            ),
        )

    def seller(self) -> SellerRef | None:
        """The seller that the data name, else the shop itself."""
        said = self.facts.seller
        if not self.facts.name:
            return said
        # A shop that names itself as the seller may do so by its slogan.
        if said is None or (said.name and (len(said.name) > 60 or said.name == self._site_name)):
            return named_seller(self.shop_name()) or said
        return said

    @cached_property
    def _site_name(self) -> str | None:
        return text(self.css("meta[property='og:site_name']::attr(content)").get())

    def shop_name(self) -> str | None:
        """What the shop calls itself; some write a slogan there, so its domain is held beside."""
        said = self.css(
            "meta[property='og:site_name']::attr(content), "
            "meta[name='application-name']::attr(content)"
        ).getall()[:3]
        data = structured.json_ld(self.html)
        found = [
            node
            for top in data
            for node in [top, *listed(dig(top, "@graph"))]
            if isinstance(node, dict) and isinstance(node.get("@type"), str | list)
        ]
        said += [
            name
            for node in found
            if _ORGANISATIONS & {str(kind) for kind in listed(node["@type"])}
            if isinstance(name := node.get("name"), str)
        ]
        names = [name for one in said if (name := text(one))]
        for name in names:
            if (
                (bare := _bare(name))
                and len(bare) > 2
                and bare in _bare(urlsplit(self.address).hostname or "")
            ):
                return name
        return next((name for name in names if len(name) <= 60), None)


class ShopListPage(CardsPage):
    """A search or category page, by its data, else by links beside prices."""

    NEXT = (
        "a[rel='next']::attr(href), link[rel='next']::attr(href), a.next::attr(href), "
        "li.next a::attr(href), .pagination__item--next::attr(href), .pages-item-next a::attr(href)"
    )
    #: One product in a list; its title and its price, the most particular selector first.
    CARD = (
        "li.product, .product-item, .product-miniature, .product-card, .product_pod, .grid__item, "
        "[class*='product-card'], [class*='ProductCard'], [itemtype$='/Product'], article"
    )
    NAME: ClassVar[tuple[str, ...]] = (
        "[itemprop='name']",
        ".product-title",
        ".product-item-link",
        ".card__heading",
        "h2",
        "h3",
        "[class*='title']",
        "[class*='name']",
    )
    PRICE: ClassVar[tuple[str, ...]] = (
        ".price ins .amount",
        ".special-price .price",
        ".price-item--sale",
        "[itemprop='price']",
        ".price .amount",
        ".price",
        "[class*='price']",
    )

    def own_cards(self) -> Iterable[Card]:
        """By an ItemList in the data, else by markup."""
        found = list(self._of_data())
        return found if len(found) > 1 else [*self._of_markup()] or found

    def _of_data(self) -> Iterable[Card]:
        for top in structured.json_ld(self.html):
            for node in [top, *listed(dig(top, "@graph"))]:
                entries = listed(dig(node, "itemListElement"))
                if not entries or "ItemList" not in str(dig(node, "@type")):
                    continue
                for entry in entries[:400]:
                    item = dig(entry, "item") if isinstance(dig(entry, "item"), dict) else entry
                    link = self.link(dig(item, "url") or dig(item, "@id"))
                    if link:
                        yield Card(
                            url=link,
                            name=text(dig(item, "name")),
                            money=structured.price(structured.offer(item)),
                            image=self.link(next(iter(structured.links(dig(item, "image"))), None)),
                        )

    def _of_markup(self) -> Iterable[Card]:
        for box in self.css(self.CARD)[:600]:
            links = box.css("a[href]")[:1]
            link = self.link(links[0].attrib["href"]) if links else None
            prices = _first(box, self.PRICE)
            money = read_shown(
                visible_text(prices[0]) if prices else None, self.home, self.home.currency
            )
            title = _first(box, self.NAME)
            name = (visible_text(title[0]) if title else None) or links.attrib.get("title")
            if link and name and (money or prices):
                yield Card(
                    url=link.split("#")[0],
                    name=name,
                    money=money,
                    image=self.link(box.css("img::attr(data-src), img::attr(src)").get()),
                    sponsored=self.is_sponsored(box, "[class*='sponsored']"),
                )


class ShopSellerPage(ShopPage):
    """A seller's page in a shop of several."""

    NAMES = ("[itemprop='name']", ".seller-name", ".vendor-name", ".store-name", "h1")
    COUNTRIES = ("[itemprop='addressCountry']", ".seller-country")
    RATINGS = ("[itemprop='ratingValue']::attr(content)", "[itemprop='ratingValue']", ".rating")
    DATES = ("time[datetime]::attr(datetime)",)


def _first(box: Any, selectors: Iterable[str]) -> Any:
    """The first element by the first selector that finds any, in a list."""
    return next((found[:1] for one in selectors if (found := box.css(one))), [])


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


DEFINITION = Definition(
    kind="schema.org",
    title="Any shop with structured data",
    search="/search?q={query}",
    slug=plus,
    search_in_browser=False,
    listing_path=re.compile(r"^/(?P<id>[^?#]*[^/?#])/?$"),
    list_page=ShopListPage,
    listing_page=ShopListingPage,
    seller_page=ShopSellerPage,
    tested=Tested(date(2026, 11, 25), (2025,)),
)
