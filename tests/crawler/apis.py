"""Local servers that imitate the documented interfaces, and one with the pictures.

Answers are made by us after the documentation. `trouble` has answers that come first, once
each, for addresses that hold a word.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image

TOKEN = "v1.secret-token-of-the-tests"
APPLICATION_TOKEN = "v2.token-made-for-the-application"
#: Base64 of ``the-id:the-secret``.
BASIC = "dGhlLWlkOnRoZS1zZWNyZXQ="

Answer = tuple[int, dict[str, str], bytes]

HOSTILE_TITLE = "Velaro\0 <script>alert(1)</script> \ud800 Tote"


@dataclass
class Apis:
    """What the servers answer, and what they were asked."""

    url: str = ""
    pictures: str = ""
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    trouble: list[tuple[str, Answer]] = field(default_factory=list)
    #: Method, address and headers of each request to the interfaces; then to the pictures.
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    shown: list[dict[str, str]] = field(default_factory=list)

    def calls(self, word: str = "") -> list[str]:
        """Addresses that were asked for, those that hold a word."""
        return [url for _, url, _ in self.asked if word in url]

    def answer(self, method: str, url: str, headers: dict[str, str]) -> Answer:
        """The answer to one request."""
        self.asked.append((method, url, headers))
        for place, (word, answer) in enumerate(self.trouble):
            if word in url:
                del self.trouble[place]
                return answer
        if url == "/robots.txt":
            return 200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /\n"
        parts = urlsplit(url)
        said = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/identity/v1/oauth2/token":
            return self._make_token(method, headers)
        given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if given not in self.tokens:
            return _json({"errors": [{"errorId": 1001, "message": "Invalid access token"}]}, 401)
        if parts.path.startswith("/buy/browse/v1/"):
            return self._ebay(parts.path, said)
        if parts.path.startswith("/v3/application/"):
            return self._etsy(parts.path, said)
        return self._mercado(parts.path, said)

    def _make_token(self, method: str, headers: dict[str, str]) -> Answer:
        if method != "POST" or headers.get("authorization") != f"Basic {BASIC}":
            return _json({"error": "invalid_client"}, 401)
        self.tokens.add(APPLICATION_TOKEN)
        return _json({"access_token": APPLICATION_TOKEN, "expires_in": 7200})

    # eBay

    def _ebay(self, path: str, said: dict[str, str]) -> Answer:
        if path.endswith("/search"):
            summaries = [self._ebay_item(number) for number in range(1, 6)]
            summaries.append({"title": "leads away", "itemWebUrl": "javascript:alert(1)"})
            return _json({"total": 6, "itemSummaries": summaries[int(said.get("offset", 0)) :]})
        if path.endswith("/get_items_by_item_group"):
            item = self._ebay_item(int(said["item_group_id"]) - 110_000_000_000)
            del item["description"]
            return _json({"items": [item], "commonDescriptions": [{"description": "A group"}]})
        number = int(said["legacy_item_id"]) - 110_000_000_000
        if number == 3:
            return _json({"errors": [{"errorId": 11006, "message": "It is an item group."}]}, 400)
        if not 1 <= number <= 5:
            return _json({"errors": [{"errorId": 11001, "message": "Not found."}]}, 404)
        return _json(self._ebay_item(number))

    def _ebay_item(self, number: int) -> dict[str, Any]:
        item: dict[str, Any] = {
            "itemId": f"v1|{110_000_000_000 + number}|0",
            "title": f"Velaro Aria Tote {number}",
            "itemWebUrl": f"https://www.ebay.de/itm/{110_000_000_000 + number}?hash=item{number}",
            "price": {"value": f"{number}9.90", "currency": "EUR"},
            "image": {"imageUrl": f"{self.pictures}/{number}.png"},
            "seller": {"username": "bluestore"},
            "condition": "New",
            "itemLocation": {"country": "CN"},
            "estimatedAvailabilities": [{"estimatedAvailabilityStatus": "IN_STOCK"}],
            "description": "A fine bag",
        }
        if number == 5:
            item |= {
                "title": HOSTILE_TITLE,
                "price": {"value": "NaN", "currency": ["EUR"]},
                "image": {"imageUrl": "file:///etc/passwd"},
                "seller": {"username": {"$ne": None}},
                "localizedAspects": [{"name": "a" * 9999, "value": "b" * 9999}, None, 7],
            }
        return item

    # Mercado Libre

    def _mercado(self, path: str, said: dict[str, str]) -> Answer:
        if path.endswith("/search"):
            offset, limit = int(said["offset"]), int(said["limit"])
            wanted = range(offset + 1, min(offset + limit, 120) + 1)
            results = [self._mercado_item(number) for number in wanted]
            return _json({"paging": {"total": 120, "offset": offset}, "results": results})
        return _json(self._mercado_item(int(path.rpartition("MLA")[2]) - 900_000))

    def _mercado_item(self, number: int) -> dict[str, Any]:
        return {
            "id": f"MLA{900_000 + number}",
            "title": f"Bolso Velaro {number}",
            "price": 1000 + number,
            "currency_id": "ARS",
            "permalink": f"https://articulo.mercadolibre.com.ar/MLA-{900_000 + number}-bolso-_JM",
            "seller_id": 77,
            "status": "active",
            "condition": "new",
            "pictures": [{"secure_url": f"{self.pictures}/m.png"}],
        }

    # Etsy

    def _etsy(self, path: str, said: dict[str, str]) -> Answer:
        if path.endswith("/active"):
            results = [self._etsy_item(number) for number in range(1, 5)]
            return _json({"count": 4, "results": results[int(said["offset"]) :]})
        return _json(self._etsy_item(int(path.rpartition("/")[2]) - 1_000_000))

    def _etsy_item(self, number: int) -> dict[str, Any]:
        return {
            "listing_id": 1_000_000 + number,
            "title": f"Velaro charm {number}",
            "price": {"amount": 1250, "divisor": 100, "currency_code": "GBP"},
            "state": "active",
            "quantity": 3,
            "url": f"https://www.etsy.com/listing/{1_000_000 + number}/velaro-charm",
            "images": [{"url_fullxfull": f"{self.pictures}/e.png"}],
            "shop": {"shop_name": "BlueStore", "url": "https://www.etsy.com/shop/BlueStore"},
        }


def _json(value: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _picture(path: str) -> Answer:
    shade = sum(path.encode()) % 200
    image = Image.new("RGB", (64, 64), (shade, 90, 120))
    image.paste((250, 240, shade), (8, 8, 40, 30))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return 200, {"Content-Type": "image/png"}, stream.getvalue()


@contextmanager
def serving() -> Iterator[Apis]:
    """The servers, on free ports of loopback."""
    apis = Apis()

    class Interface(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = {name.lower(): value for name, value in self.headers.items()}
            self._send(apis.answer(self.command, self.path, said))

        do_POST = do_GET

        def _send(self, answer: Answer) -> None:
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Pictures(Interface):
        def do_GET(self) -> None:
            apis.shown.append({name.lower(): value for name, value in self.headers.items()})
            missing: Answer = (404, {}, b"")
            self._send(_picture(self.path) if self.path.endswith(".png") else missing)

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in (Interface, Pictures)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    apis.url, apis.pictures = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    try:
        yield apis
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
