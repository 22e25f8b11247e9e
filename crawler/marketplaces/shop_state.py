"""The product in a shop page's state: of a framework, or what it tells its statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from crawler.marketplaces import structured
from crawler.marketplaces.embedded import assigned, dig, nodes, states
from crawler.marketplaces.facts import Facts
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import named_seller, text
from registry.money import Money

Priced = Callable[[Any, Any], Money | None]

_NAMES = ("name", "title", "productName", "item_name", "displayName", "product_name")
_PRICES = (
    "salePrice", "sale_price", "specialPrice", "special_price", "finalPrice", "final_price",
    "currentPrice", "current_price", "sellingPrice", "discountedPrice", "price", "prices",
    "priceInfo", "pricing", "priceRange", "price_range", "minPrice", "lowPrice",
)  # fmt: skip
_AMOUNTS = (
    "value", "amount", "current", "sale", "final", "price", "selling", "min", "minPrice", "low",
    "raw", "centAmount",
)  # fmt: skip
_CODES = ("currency", "currencyCode", "currency_code", "priceCurrency", "currencyIso", "code")
_DEPTH = 4


def product_in_state(page: str, titles: str, priced: Priced) -> Facts:
    """What the state says of the product whose name the titles hold; nothing if none fits.

    Parameters
    ----------
    titles
        The page's headings and title, in small letters.
    priced
        Makes money of an amount and a currency, of which the latter may be missing.
    """
    for state in _states(page):
        for node in nodes(state):
            name = next((n for key in _NAMES if isinstance(n := node.get(key), str)), "")
            if len(name) < 3 or name.casefold().strip() not in titles:
                continue
            money = _money(node, priced)
            if money is not None:
                return Facts(
                    name=text(name),
                    money=money,
                    images=tuple(_images(node)),
                    brand=text(structured.name_of(node.get("brand") or node.get("item_brand"))),
                    seller=named_seller(text(structured.name_of(node.get("seller")))),
                )
    return Facts()


def _states(page: str) -> Iterator[Any]:
    yield from states(page)
    # What is sent to Google Analytics: ``ecommerce.items``, ``ecommerce.detail.products``.
    for key in ("ecommerce", '"ecommerce"', "'ecommerce'"):
        for value in assigned(page, key, most=4):
            code = dig(value, "currency") or dig(value, "currencyCode")
            items = listed(dig(value, "items")) or listed(dig(value, "detail", "products"))
            # Several are a list of products, not the product of the page.
            if len(items) == 1 and isinstance(items[0], dict):
                yield {"currency": code, **items[0]}


def _money(node: dict[str, Any], priced: Priced) -> Money | None:
    own = next((c for key in _CODES if isinstance(c := node.get(key), str)), None)
    for key in _PRICES:
        found = _amount(node.get(key), own, priced, 0)
        if found is not None:
            return found
    return None


def _amount(value: Any, code: str | None, priced: Priced, depth: int) -> Money | None:
    if isinstance(value, dict) and depth < _DEPTH:
        code = next((c for key in _CODES if isinstance(c := value.get(key), str)), code)
        for key in _AMOUNTS:
            if key in value:
                amount = value[key]
                if key == "centAmount" and isinstance(amount, int):
                    places = value.get("fractionDigits", 2)
                    if not isinstance(places, int) or not 0 <= places <= 4:
                        return None
                    amount = f"{amount / 10**places:.{places}f}"
                found = _amount(amount, code, priced, depth + 1)
                if found is not None:
                    return found
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return priced(value, code)


def _images(node: dict[str, Any]) -> list[str]:
    for key in ("images", "image", "imageUrl", "image_url", "imageUrls", "media", "thumbnail"):
        found = [link for link in structured.links(node.get(key)) if isinstance(link, str)]
        if found:
            return found
    return []
