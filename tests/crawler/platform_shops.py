# ruff: noqa: E501
"""Shops of the platforms that many share, with what is true of them.

The markup has the structure of each platform's own default theme (Dawn, Luma, Classic,
Storefront) and was made by us: products in several lists, related ones beside, sale prices,
things sold out, lists that go on, links that lead nowhere.
"""

from __future__ import annotations

import html
import io
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from PIL import Image

PER_PAGE = 12
SITE = "Blue Shop"


@dataclass(frozen=True)
class Product:
    """What is true of a product; `price` is what it costs now, `before` what it cost."""

    number: int
    title: str
    price: Decimal
    before: Decimal | None
    sold_out: bool

    @property
    def handle(self) -> str:
        return f"velaro-{self.number}"


def products(count: int) -> list[Product]:
    """So many products, always the same."""
    dice = random.Random(17)
    made = []
    for number in range(1, count + 1):
        price = Decimal(dice.randint(900, 250_000)) / 100
        title = f"Velaro {dice.choice(['Aria Tote', 'Meridian', 'Corsa'])} no. {number}"
        if number == 5:
            title += ' "best" & cheap'
        before = price + 40 if number % 4 == 0 else None
        made.append(Product(number, title, price, before, number % 7 == 0))
    return made


def _shown(amount: Decimal) -> str:
    return f"€{amount:,.2f}"


class Platform:
    """How one platform shows a product, a list, and a search."""

    kind: str
    #: Where browsing begins.
    browse: str

    def __init__(self, url: str, count: int) -> None:
        self.url = url
        self.products = products(count)
        self.asked: list[str] = []

    def page(self, path: str, query: dict[str, str]) -> tuple[int, str, str]:
        """Status, type and text of an address."""
        raise NotImplementedError

    def found(self, query: str) -> list[Product]:
        """What the shop's own search finds: all words, in the title."""
        words = query.casefold().split()
        return [p for p in self.products if all(word in p.title.casefold() for word in words)]

    def shown(self, every: list[Product], number: int) -> list[Product]:
        return every[(number - 1) * PER_PAGE : number * PER_PAGE]

    def more(self, every: list[Product], number: int) -> bool:
        return number * PER_PAGE < len(every)

    def related(self, product: Product) -> list[Product]:
        return [p for p in self.products if p.number in (product.number + 1, product.number + 2)]

    def picture(self, product: Product) -> str:
        return f"{self.url}/media/{product.number}.png"


def _not_found(text: str = "Page not found") -> tuple[int, str, str]:
    return 404, "text/html", f"<title>{text}</title><h1>{text}</h1>"


def _ok(text: str) -> tuple[int, str, str]:
    return 200, "text/html", f"<!doctype html><html lang=en>{text}</html>"


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 1


class Shopify(Platform):
    """The theme Dawn, ``/products.json`` and ``/products/HANDLE.json``."""

    kind = "shopify"
    browse = "/collections/all"

    HEAD = (
        '<link rel=stylesheet href="//cdn.shopify.com/x.css"><script>var Shopify = Shopify || {};'
        'Shopify.currency = {"active":"EUR","rate":"1.0"};</script>'
        f'<meta property="og:site_name" content="{SITE}">'
    )

    def page(self, path: str, query: dict[str, str]) -> tuple[int, str, str]:
        page = _number(query.get("page"))
        if path == "/products.json":
            shown = [self._json(p) for p in self.shown(self.products, page)]
            return 200, "application/json", json.dumps({"products": shown})
        if path == "/collections/all":
            return self._list(self.products, page, path, "")
        if path == "/search":
            asked = query.get("q", "")
            return self._list(self.found(asked), page, path, f"q={html.escape(asked)}&amp;")
        handle = path.removeprefix("/products/")
        product = next((p for p in self.products if p.handle == handle), None)
        return _not_found() if product is None else self._product(product)

    def _json(self, product: Product) -> dict[str, object]:
        before = f"{product.before}" if product.before else None
        variant = {"id": product.number, "price": f"{product.price}", "compare_at_price": before}
        return {
            "id": product.number, "title": product.title, "handle": product.handle,
            "vendor": "Velaro", "variants": [{**variant, "available": not product.sold_out}],
            "images": [{"src": self.picture(product)}],
        }  # fmt: skip

    def _card(self, product: Product) -> str:
        title = html.escape(product.title)
        return (
            '<li class="grid__item"><div class="card-wrapper product-card-wrapper"><div class="card">'
            f'<h3 class="card__heading"><a href="/products/{product.handle}" class="full-unstyled-'
            f'link">{title}</a></h3><div class="price"><span class="price-item price-item--sale">'
            f"{_shown(product.price)} EUR</span></div></div></div></li>"
        )

    def _list(self, every: list[Product], page: int, path: str, query: str) -> tuple[int, str, str]:
        cards = "".join(map(self._card, self.shown(every, page)))
        link = f'<a rel="next" href="{path}?{query}page={page + 1}">Next</a>'
        dead = '<a href="/products/discontinued">Old</a>' if page == 1 else ""
        return _ok(
            f"<head>{self.HEAD}<title>Products</title></head><body><ul class='grid product-grid'>"
            f"{cards}</ul>{link if self.more(every, page) else ''}<footer>{dead}</footer></body>"
        )

    def _product(self, product: Product) -> tuple[int, str, str]:
        title = html.escape(product.title)
        stock = "OutOfStock" if product.sold_out else "InStock"
        data = {
            "@context": "http://schema.org/", "@type": "Product", "name": product.title,
            "brand": {"@type": "Brand", "name": "Velaro"}, "image": [self.picture(product)],
            "offers": [{
                "@type": "Offer", "price": f"{product.price}", "priceCurrency": "EUR",
                "availability": f"http://schema.org/{stock}",
            }],
        }  # fmt: skip
        safe = json.dumps(data).replace("<", "\\u003c")
        return _ok(
            f'<head>{self.HEAD}<meta property="og:type" content="product"><meta property="og:title"'
            f' content="{title}"><meta property="og:price:amount" content="{product.price:,}">'
            '<meta property="og:price:currency" content="EUR"><meta property="og:image" '
            f'content="{self.picture(product)}"></head><body><h1>{title}</h1>'
            f'<script type="application/ld+json">{safe}</script><section class="related"><ul>'
            f"{''.join(map(self._card, self.related(product)))}</ul></section></body>"
        )


class Magento(Platform):
    """The theme Luma of Magento 2."""

    kind = "magento"
    browse = "/bags.html"

    def page(self, path: str, query: dict[str, str]) -> tuple[int, str, str]:
        page = _number(query.get("p"))
        if path == "/bags.html":
            return self._list(self.products, page, "/bags.html?")
        if path == "/catalogsearch/result/":
            asked = query.get("q", "")
            base = f"/catalogsearch/result/?q={html.escape(asked)}&amp;"
            return self._list(self.found(asked), page, base)
        product = next((p for p in self.products if path == f"/{p.handle}.html"), None)
        return _not_found() if product is None else self._product(product)

    def _prices(self, product: Product) -> str:
        final = (
            f'<span data-price-amount="{product.price}" data-price-type="finalPrice" '
            f'class="price-wrapper"><span class="price">{_shown(product.price)}</span></span>'
        )
        if product.before is None:
            return f'<div class="price-box price-final_price">{final}</div>'
        return (
            f'<div class="price-box price-final_price"><span class="special-price">{final}</span>'
            f'<span class="old-price"><span data-price-amount="{product.before}" data-price-type='
            f'"oldPrice"><span class="price">{_shown(product.before)}</span></span></span></div>'
        )

    def _card(self, product: Product) -> str:
        title = html.escape(product.title)
        return (
            '<li class="item product product-item"><div class="product-item-info"><a class="product '
            f'photo" href="{self.url}/{product.handle}.html"><img src="{self.picture(product)}">'
            '</a><strong class="product name product-item-name"><a class="product-item-link" '
            f'href="{self.url}/{product.handle}.html">{title}</a></strong>{self._prices(product)}'
            '<a href="#" class="action towishlist">Wish</a></div></li>'
        )

    def _list(self, every: list[Product], page: int, base: str) -> tuple[int, str, str]:
        cards = "".join(map(self._card, self.shown(every, page)))
        link = (
            f'<li class="item pages-item-next"><a class="action next" href="{self.url}{base}p='
            f'{page + 1}">Next</a></li>'
        )
        nothing = '<div class="message notice"><div>Your search returned no results.</div></div>'
        return _ok(
            "<head><title>Bags</title></head><body data-mage-init='{}' class='catalog-category-view'>"
            f"<ol class='products list items product-items'>{cards}</ol>{'' if cards else nothing}"
            f"<ul class='pages-items'>{link if self.more(every, page) else ''}</ul></body>"
        )

    def _product(self, product: Product) -> tuple[int, str, str]:
        title = html.escape(product.title)
        gallery = {"[data-gallery-role=gallery-placeholder]": {"mage/gallery/gallery": {"data": [
            {"full": f"{self.url}/media/back.png", "isMain": False},
            {"full": self.picture(product), "isMain": True},
        ]}}}  # fmt: skip
        stock = "Out of stock" if product.sold_out else "In stock"
        related = "".join(map(self._card, self.related(product)))
        return _ok(
            f'<head><meta property="og:site_name" content="{SITE}"><meta property="product:price:'
            'currency" content="EUR"></head><body data-mage-init="{}" class="catalog-product-view">'
            '<div class="product-info-main"><h1 class="page-title"><span class="base" itemprop='
            f'"name">{title}</span></h1><div class="stock" title="Availability"><span>{stock}'
            f"</span></div>{self._prices(product)}</div>"
            f'<script type="text/x-magento-init">{json.dumps(gallery)}</script><div class="block '
            f'related"><ol class="products items product-items">{related}</ol></div></body>'
        )


class PrestaShop(Platform):
    """The theme Classic of PrestaShop 1.7 and 8."""

    kind = "prestashop"
    browse = "/3-bags"

    def page(self, path: str, query: dict[str, str]) -> tuple[int, str, str]:
        page = _number(query.get("page"))
        if path == "/3-bags":
            return self._list(self.products, page, "/3-bags?")
        if path == "/index.php" and query.get("controller") == "search":
            asked = query.get("s", "")
            base = f"/index.php?controller=search&amp;s={html.escape(asked)}&amp;"
            return self._list(self.found(asked), page, base)
        product = next((p for p in self.products if path == self._path(p)), None)
        return _not_found() if product is None else self._product(product)

    def _path(self, product: Product) -> str:
        return f"/bags/{product.number}-{product.handle}.html"

    def _card(self, product: Product) -> str:
        link, title = f"{self.url}{self._path(product)}", html.escape(product.title)
        old = (
            f'<span class="regular-price">{_shown(product.before)}</span>' if product.before else ""
        )
        return (
            '<div class="js-product product"><article class="product-miniature js-product-miniature" '
            f'data-id-product="{product.number}"><a href="{link}" class="thumbnail"><img src='
            f'"{self.picture(product)}"></a><h2 class="h3 product-title"><a href="{link}">{title}'
            f'</a></h2><div class="product-price-and-shipping">{old}<span class="price">'
            f"{_shown(product.price)}</span></div></article></div>"
        )

    def _list(self, every: list[Product], page: int, base: str) -> tuple[int, str, str]:
        cards = "".join(map(self._card, self.shown(every, page)))
        link = f'<a rel="next" class="next js-search-link" href="{self.url}{base}page={page + 1}">Next</a>'
        nothing = '<section id="content"><h4>No products available yet</h4></section>'
        return _ok(
            "<head><title>Bags</title></head><body id='category'>"
            + self._settings()
            + f"<section id='products'>{cards or nothing}"
            f"{link if self.more(every, page) else ''}</section></body>"
        )

    def _settings(self) -> str:
        return '<script>var prestashop = {"currency":{"iso_code":"EUR","sign":"€"}};</script>'

    def _product(self, product: Product) -> tuple[int, str, str]:
        title = html.escape(product.title)
        old = (
            f'<div class="product-discount"><span class="regular-price">{_shown(product.before)}'
            "</span></div>"
            if product.before
            else ""
        )
        stock = "Out-of-Stock" if product.sold_out else "In stock"
        details = {"name": product.title, "id_product": product.number}
        related = "".join(map(self._card, self.related(product)))
        return _ok(
            f'<head><meta property="og:site_name" content="{SITE}"></head><body id="product">'
            + self._settings()
            + f'<section id="main"><h1 class="h1" itemprop="name">{title}</h1><div class="product-'
            f'prices">{old}<div class="product-price current-price"><span class="current-price-'
            f'value" content="{product.price}">{_shown(product.price)}</span></div></div><div class='
            f'"product-cover"><img src="{self.picture(product)}"></div><span id="product-availability">'
            f'{stock}</span><div id="product-details" data-product="'
            f'{html.escape(json.dumps(details), quote=True)}"></div></section><section class="featured-'
            f'products">{related}</section></body>'
        )


class WooCommerce(Platform):
    """The theme Storefront."""

    kind = "woocommerce"
    browse = "/shop/"

    def page(self, path: str, query: dict[str, str]) -> tuple[int, str, str]:
        parts = [part for part in path.split("/") if part]
        page = _number(parts[-1] if "page" in parts else None)
        if path == "/shop/" or path.startswith("/shop/page/"):
            return self._list(self.products, page, "/shop", "")
        if "s" in query:
            asked = html.escape(query["s"])
            tail = f"?s={asked}&amp;post_type=product"
            return self._list(self.found(query["s"]), page, "", tail)
        product = next((p for p in self.products if path == f"/product/{p.handle}/"), None)
        return _not_found() if product is None else self._product(product)

    def _price(self, product: Product) -> str:
        def one(amount: Decimal) -> str:
            return (
                '<span class="woocommerce-Price-amount amount"><bdi><span class="woocommerce-Price-'
                f'currencySymbol">€</span>{amount:,.2f}</bdi></span>'
            )

        if product.before is None:
            return one(product.price)
        return f"<del>{one(product.before)}</del> <ins>{one(product.price)}</ins>"

    def _card(self, product: Product) -> str:
        link = f"{self.url}/product/{product.handle}/"
        return (
            f'<li class="product type-product"><a href="{link}" class="woocommerce-LoopProduct-link">'
            f'<img src="{self.picture(product)}"><h2 class="woocommerce-loop-product__title">'
            f'{html.escape(product.title)}</h2><span class="price">{self._price(product)}</span></a>'
            f'<a href="?add-to-cart={product.number}" class="button add_to_cart_button">Add</a></li>'
        )

    def _list(self, every: list[Product], page: int, base: str, tail: str) -> tuple[int, str, str]:
        cards = "".join(map(self._card, self.shown(every, page)))
        link = f'<a class="next page-numbers" href="{self.url}{base}/page/{page + 1}/{tail}">→</a>'
        nothing = '<p class="woocommerce-info">No products were found matching your selection.</p>'
        return _ok(
            "<head><title>Shop</title></head><body class='woocommerce-page'>"
            f"<ul class='products'>{cards}</ul>{'' if cards else nothing}"
            f"{link if self.more(every, page) else ''}</body>"
        )

    def _product(self, product: Product) -> tuple[int, str, str]:
        title = html.escape(product.title)
        stock = (
            '<p class="stock out-of-stock">Out of stock</p>'
            if product.sold_out
            else '<p class="stock in-stock">12 in stock</p>'
        )
        related = "".join(map(self._card, self.related(product)))
        return _ok(
            f'<head><meta property="og:site_name" content="{SITE}"></head><body class="single-product '
            'woocommerce-page"><div class="woocommerce-product-gallery"><div class="woocommerce-'
            f'product-gallery__image"><a href="{self.picture(product)}"><img src="/thumb.png"></a>'
            f'</div></div><div class="summary entry-summary"><h1 class="product_title entry-title">'
            f'{title}</h1><p class="price">{self._price(product)}</p>{stock}</div><section class='
            f'"related products"><ul class="products">{related}</ul></section></body>'
        )


PLATFORMS: tuple[type[Platform], ...] = (Shopify, Magento, PrestaShop, WooCommerce)


def _png(number: int) -> bytes:
    image = Image.new("RGB", (48, 48), (number * 37 % 256, number * 91 % 256, 90))
    image.paste((250, 240, 10), (number % 20, 8, number % 20 + 20, 30))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@contextmanager
def serving(platform: type[Platform], count: int) -> Iterator[Platform]:
    """A shop of a platform, on a free port of loopback."""
    answer: Callable[[str, dict[str, str]], tuple[int, str, str]]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            shop.asked.append(self.path)
            name = parts.path.removeprefix("/media/").removesuffix(".png")
            if parts.path.startswith("/media/") and name.isdecimal():
                self._send(200, "image/png", _png(int(name)))
                return
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            status, kind, text = answer(parts.path, query)
            self._send(status, f"{kind}; charset=utf-8", text.encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop = platform(f"http://127.0.0.1:{server.server_port}", count)
    answer = shop.page
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
