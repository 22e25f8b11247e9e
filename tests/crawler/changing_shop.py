"""A small shop whose pages change: their layout, walls in their place, results that are empty."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

PER_PAGE = 6
CAPTCHA = """<html><head><title>Just a moment...</title></head><body><h1>Are you a human?</h1>
<form id="challenge"><p>Please confirm that you are not a robot.</p></form></body></html>"""
NOTHING = """<html><body class="woocommerce-page"><h1>Bags</h1>
<p class="woocommerce-info">No products were found matching your selection.</p></body></html>"""


@dataclass
class Shop:
    """What the shop is like now.

    Parameters
    ----------
    layout
        ``well``; ``priceless``: prices are drawn by a script; ``new``: nothing is called what
        it was, and the data for machines are gone; ``walls``; ``empty``.
    sellers
        Every how manieth listing names its seller.
    """

    url: str = ""
    layout: str = "well"
    listings: int = 20
    sellers: int = 1
    asked: list[str] = field(default_factory=list)

    def page(self, path: str) -> tuple[int, str]:
        """The page at a path."""
        if self.layout == "walls":
            return 200, CAPTCHA
        parts = [part for part in path.split("/") if part]
        if parts[:1] == ["bags"]:
            return 200, self._results(int(parts[2]) if len(parts) > 2 else 1)
        if parts[:1] == ["product"] and int(parts[1].removeprefix("bag-")) <= self.listings:
            return 200, self._listing(int(parts[1].removeprefix("bag-")))
        return 404, "<html><title>Not found</title><h1>Not found</h1></html>"

    def _results(self, number: int) -> str:
        if self.layout == "empty":
            return NOTHING
        first = (number - 1) * PER_PAGE + 1
        shown = range(first, min(first + PER_PAGE, self.listings + 1))
        css = "g7x" if self.layout == "new" else "product"
        cards = "".join(
            f'<li class="{css}"><a href="/product/bag-{n}/"><h2>Velaro bag {n}</h2></a></li>'
            for n in shown
        )
        following = f"/bags/page/{number + 1}/"
        link = f'<a rel="next" href="{following}">next</a>' if shown.stop <= self.listings else ""
        return f'<html><body class="woocommerce-page"><ul>{cards}</ul>{link}</body></html>'

    def _listing(self, number: int) -> str:
        name, price = f"Velaro bag {number}", f"{number + 10}.90"
        if self.layout == "new":
            return (
                f'<html><body><div class="k2"><span class="q1">{name}</span>'
                f'<span class="q9">{price}</span></div></body></html>'
            )
        offer = {"price": price, "priceCurrency": "EUR"} if self.layout == "well" else {}
        if number % self.sellers == 0:
            offer["seller"] = {"name": "Blue Store"}  # type: ignore[assignment]
        data = {
            "@type": "Product",
            "name": name,
            "image": f"{self.url}/{number % 3}.png",
            "description": "A fine bag",
            "offers": {"@type": "Offer", **offer},
        }
        shown = f'<p class="price"><span class="amount">€ {price}</span></p>'
        return (
            '<html><body class="woocommerce-page"><div class="summary">'
            f'<h1 class="product_title">{name}</h1>{shown if self.layout == "well" else ""}</div>'
            f'<script type="application/ld+json">{json.dumps(data)}</script></body></html>'
        )


def _png(path: str) -> bytes:
    image = Image.new("RGB", (64, 64), (20, 60 * int(path[1]), 120))
    image.paste((250, 240, 10), (8, 8, 40, 30))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@contextmanager
def serving() -> Iterator[Shop]:
    """The shop, on a free port of loopback."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shop.asked.append(self.path)
            if self.path.endswith(".png"):
                self._send(200, "image/png", _png(self.path))
            else:
                status, text = shop.page(self.path)
                self._send(status, "text/html; charset=utf-8", text.encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shop.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
