"""Walmart by its pages: state of three generations, markup of the oldest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any

from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import assigned, dig, find, json_scripts, nodes
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import pairs, seller, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ITEM = re.compile(r"/ip/(?:[^/?#]+/)?(?P<id>\d{5,14})(?:[/?#]|$)")


class WalmartListingPage(SitePage):
    """An item's page."""

    CURRENCY = "USD"
    SOLE_SELLER = "Walmart.com"

    @cached_property
    def product(self) -> Any:
        """The item in ``__NEXT_DATA__``."""
        for script in json_scripts(self.html):
            product = dig(script, "props", "pageProps", "initialData", "data", "product")
            if isinstance(product, dict):
                return product
        return None

    @cached_property
    def older(self) -> Any:
        """The state before that: products, offers, sellers and pictures, each by its id."""
        for name in ("__WML_REDUX_INITIAL_STATE__",):
            for value in assigned(self.html, name, most=1):
                return dig(value, "product")
        for script in json_scripts(self.html):
            product = dig(script, "item", "product", "buyBox") or dig(script, "item", "product")
            if isinstance(product, dict):
                return product
        return None

    def own(self) -> Facts:
        """The state, then the markup."""
        product = self.product
        chosen = self._first(dig(self.older, "products"))
        attributes = dig(chosen, "productAttributes")
        bought = dig(self.older, "products", 0)
        images = [dig(one, "url") for one in listed(dig(product, "imageInfo", "allImages"))]
        images += (
            [
                dig(one, "assetSizeUrls", "main") or dig(one, "assetSizeUrls", "DEFAULT")
                for one in (dig(self.older, "images") or {}).values()
            ]
            if isinstance(dig(self.older, "images"), dict)
            else []
        )
        images += self.css(
            "[data-testid='hero-image'] img::attr(src), .prod-hero-image-image::attr(src), "
            ".js-product-primary-image::attr(src), [data-testid='media-thumbnail'] img::attr(src)"
        ).getall()[:12]
        return Facts(
            name=text(dig(product, "name"))
            or text(dig(attributes, "productName"))
            or text(dig(bought, "productName"))
            or self.first_text(
                "h1#main-title",
                "h1[itemprop='name']",
                "h1.prod-ProductTitle",
                "h1.product-name",
                "h1.js-product-heading",
            ),
            money=self._money(),
            availability=self._availability(),
            images=tuple(image for image in images if isinstance(image, str)),
            seller=self._seller(),
            brand=text(dig(product, "brand")) or text(dig(attributes, "brand")),
            description=text(dig(product, "shortDescription"))
            or text(dig(attributes, "detailedDescription")),
            attributes=pairs(dig(product, "specifications"), "name", "value"),
        )

    def _first(self, by_id: Any) -> Any:
        primary = dig(self.older, "primaryProduct") or dig(self.older, "selected", "product")
        if isinstance(by_id, dict) and by_id:
            return (
                by_id.get(primary)
                if isinstance(primary, str) and primary in by_id
                else next(iter(by_id.values()))
            )
        return None

    def _money(self) -> Money | None:
        price = dig(self.product, "priceInfo", "currentPrice")
        money = self.priced(dig(price, "price"), dig(price, "currencyUnit") or "USD") or read_shown(
            text(dig(price, "priceString")), self.home
        )
        if money:
            return money
        price = find(self._first(dig(self.older, "offers")), "CURRENT") or dig(
            self.older, "products", 0, "priceMap"
        )
        return (
            self.priced(dig(price, "price"), dig(price, "currencyUnit") or "USD")
            or self.priced(
                self.css(
                    ".prod-PriceHero [itemprop='price']::attr(content), "
                    ".price-characteristic::attr(content)"
                ).get(),
                "USD",
            )
            or self.shown(
                "[itemprop='price'][data-seo-id='hero-price']",
                "[data-testid='price-wrap'] [itemprop='price']",
                "span[itemprop='price']",
                ".prod-PriceHero .visuallyhidden",
                ".js-price-display, .price-display",
                currency="USD",
            )
        )

    def _availability(self) -> str | None:
        said = text(dig(self.product, "availabilityStatus")) or text(
            dig(self._first(dig(self.older, "offers")), "productAvailability", "availabilityStatus")
        )
        return availability_of(said.replace("_", " ")) if said else None

    def _seller(self) -> SellerRef | None:
        product = self.product
        name = dig(product, "sellerDisplayName") or dig(product, "sellerName")
        number = dig(product, "sellerId")
        if not name:
            node = self._first(dig(self.older, "sellers"))
            name = dig(node, "sellerDisplayName") or dig(node, "sellerName")
            number = dig(node, "catalogSellerId") or dig(node, "sellerId")
        if not name:
            name = dig(self.older, "products", 0, "sellerDisplayName") or self.first_text(
                "[data-testid='seller-name-link'], a[link-identifier='sellerName']",
                ".seller-name, .product-seller-name, .prod-SellerName",
            )
        link = self.css("a[href*='/seller/']::attr(href)").get()
        return (
            seller(number, text(name) if isinstance(name, str) else None, self.link(link))
            if name
            else None
        )


class WalmartListPage(CardsPage):
    """Search results, by state, else by markup."""

    CURRENCY = "USD"
    NEXT = (
        "a[data-testid='NextPage']::attr(href), "
        "a[aria-label='Next Page']::attr(href), .paginator-btn-next::attr(href)"
    )

    def _of_state(self) -> Iterable[Card]:
        for script in json_scripts(self.html):
            data = dig(script, "props", "pageProps", "initialData")
            result = dig(data, "searchResult") or dig(data, "search", "searchResult")
            stacks = listed(dig(result, "itemStacks"))
            items = [item for stack in stacks for item in listed(dig(stack, "items"))]
            for node in items or nodes(result):
                if not isinstance(node, dict):
                    continue
                number = node.get("usItemId")
                link = (
                    self.link(f"/ip/{number}") if re.fullmatch(r"\d{5,14}", str(number)) else None
                )
                if link and isinstance(node.get("name"), str):
                    shown = dig(node, "priceInfo", "linePrice") or dig(
                        node, "priceInfo", "itemPrice"
                    )
                    amount = node.get("price")
                    yield Card(
                        url=link,
                        name=text(node["name"]),
                        money=read_shown(text(shown), self.home)
                        or (read_shown(str(amount), self.home, "USD") if amount else None),
                        image=self.link(
                            node.get("image") or dig(node, "imageInfo", "thumbnailUrl")
                        ),
                        sponsored=node.get("isSponsoredFlag") is True,
                    )

    def _of_markup(self) -> Iterable[Card]:
        for box in self.css(
            "[data-item-id], .search-result-gridview-item, .search-result-listview-item"
        ):
            href = box.css("a[href*='/ip/']::attr(href)").get("")
            match = _ITEM.search(href)
            link = self.link(f"/ip/{match['id']}") if match else None
            if link is None:
                continue
            title = box.css("[data-automation-id='product-title'], .product-title-link, a span")[:1]
            prices = box.css(
                "[data-automation-id='product-price'] .w_iUH7, "
                "[data-automation-id='product-price'], .price-main .visuallyhidden"
            )[:1]
            yield Card(
                url=link,
                name=visible_text(title[0]) if title else None,
                money=read_shown(visible_text(prices[0]) if prices else None, self.home),
                image=self.link(box.css("img::attr(src)").get()),
                sponsored=self.is_sponsored(box),
            )


class WalmartSellerPage(ShopPage):
    """A seller's page."""

    NAMES = ("[data-testid='seller-name']", ".seller-name", "h1")
    RATINGS = (".seller-rating", "[data-testid='seller-rating']")


DEFINITION = Definition(
    kind="walmart",
    title="Walmart",
    search="/search?q={query}",
    further="/search?q={query}&page={page}",
    slug=plus,
    search_in_browser=False,
    listing_path=_ITEM,
    list_page=WalmartListPage,
    listing_page=WalmartListingPage,
    seller_page=WalmartSellerPage,
    hosts=re.compile(r"(?:www\.)?walmart\.(?:com|ca|com\.mx)"),
    tested=Tested(date(2026, 11, 25)),
)
