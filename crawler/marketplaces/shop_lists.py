"""Pages of results of any shop: by their data, else by boxes with a link, a name and a price."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from crawler.marketplaces import structured
from crawler.marketplaces.embedded import dig
from crawler.marketplaces.facts import Card
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.reader import is_aside
from crawler.marketplaces.site import CardsPage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import text
from crawler.marketplaces.words import visible_text

#: What a box links to beside its product.
_NO_PRODUCT = re.compile(
    r"^(?:#|javascript:|mailto:|tel:)|[?&](?:add[-_]to|compare|wishlist)", re.I
)


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

    #: Whether a box without any price may be a product's: only where CARD is particular.
    UNPRICED: ClassVar[bool] = False

    def own_cards(self) -> Iterable[Card]:
        """By an ItemList in the data, filled up from the markup; else by the markup."""
        said, shown = list(self._of_data()), list(self._of_markup())
        if len(said) < 2:
            return shown or said
        seen = {_key(card.url): card for card in shown}
        if len(shown) > len(said) and {_key(card.url) for card in said} <= seen.keys():
            return shown
        return [_filled(card, seen.get(_key(card.url))) for card in said]

    def _of_data(self) -> Iterable[Card]:
        for top in structured.json_ld(self.html):
            for node in [top, *listed(dig(top, "@graph"))]:
                for one in [node, dig(node, "mainEntity")]:
                    entries = listed(dig(one, "itemListElement"))
                    if entries and "ItemList" in str(dig(one, "@type")):
                        yield from self._of_entries(entries)

    def _of_entries(self, entries: list[Any]) -> Iterable[Card]:
        for entry in entries[:400]:
            item = dig(entry, "item") if isinstance(dig(entry, "item"), dict) else entry
            link = self.link(dig(item, "url") or dig(item, "@id") or dig(entry, "url"))
            if link:
                yield Card(
                    url=link,
                    name=text(dig(item, "name")),
                    money=structured.price(structured.offer(item))
                    if isinstance(item, dict)
                    else None,
                    image=self.link(next(iter(structured.links(dig(item, "image"))), None)),
                )

    def _of_markup(self) -> Iterable[Card]:
        boxes = self.css(self.CARD)[:600]
        # Beside the list there may be others: what goes with it, what was looked at before.
        listed_ = [box for box in boxes if not is_aside(box)]
        for box in listed_ or boxes:
            link, titled = self._link_in(box)
            if link is None:
                continue
            prices = _first(box, self.PRICE)
            money = read_shown(
                visible_text(prices[0]) if prices else None, self.home, self.home.currency
            )
            title = _first(box, self.NAME)
            name = (visible_text(title[0]) if title else None) or titled
            name = name or text(box.css("img[alt]::attr(alt)").get())
            if name and (money or prices or self.UNPRICED):
                yield Card(
                    url=link.split("#")[0],
                    name=name,
                    money=money,
                    image=self.picture(box),
                    sponsored=self.is_sponsored(box, "[class*='sponsored']"),
                )

    def _link_in(self, box: Any) -> tuple[str | None, str | None]:
        """The address that a box leads to, and what the link is titled."""
        links = [box] if box.root.tag == "a" else box.css("a[href]")[:12]
        for one in links:
            href = one.attrib.get("href", "")
            if _NO_PRODUCT.search(href):
                continue
            link = self.link(href)
            if link:
                return link, text(one.attrib.get("title"))
        return None, None


def _first(box: Any, selectors: Iterable[str]) -> Any:
    """The first element by the first selector that finds any, in a list."""
    return next((found[:1] for one in selectors if (found := box.css(one))), [])


def _key(url: str) -> str:
    return url.split("#")[0].split("?")[0].rstrip("/")


def _filled(card: Card, other: Card | None) -> Card:
    if other is None:
        return card
    return replace(
        card,
        name=card.name or other.name,
        money=card.money or other.money,
        image=card.image or other.image,
        sponsored=other.sponsored,
    )
