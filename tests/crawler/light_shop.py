"""A shop that costs next to nothing to serve, counts who asks for what, and can be changed.

`python -m tests.crawler.light_shop LISTINGS` serves one until it is killed, and says where.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from uuid import uuid4

from PIL import Image

PER_PAGE = 50


def _pixels() -> bytes:
    stream = BytesIO()
    Image.effect_noise((64, 64), 60).save(stream, "PNG")
    return stream.getvalue()


_PIXELS = _pixels()


@dataclass
class LightShop:
    """The shop and what it was asked.

    Parameters
    ----------
    validators
        Whether listings say ETag and Last-Modified, and answer 304.
    prices, gone
        Of listings that have changed, and those that are no more; by number.
    empty
        Listings whose page says nothing.
    token
        Whether each page has something that changes with every visit.
    pictures
        How many a listing shows.
    """

    listings: int
    validators: bool = True
    token: bool = False
    pictures: int = 0
    seconds: float = 0.0
    prices: dict[int, str] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    empty: set[int] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    bytes_sent: int = 0
    url: str = ""

    def forget(self) -> None:
        """Count from nought."""
        self.asked.clear()
        self.statuses.clear()
        self.bytes_sent = 0

    def answer(self, path: str, known: str) -> tuple[int, bytes, str, str]:
        """Status, body, ETag and type of an address."""
        self.asked[path] += 1
        if path.startswith("/item/"):
            return self._item(int(path.split("/")[2]), known)
        if path.startswith("/images/"):
            tag = f'"{path.rpartition("/")[2]}"'
            if known == tag:
                return 304, b"", tag, "image/png"
            return 200, _PIXELS, tag, "image/png"
        if path.startswith("/c/"):
            page = int(path.rpartition("=")[2]) if "=" in path else 1
            return 200, self._list(page).encode(), "", "text/html"
        if path.startswith("/seller/"):
            text = '<h1 class="seller-name">Seller</h1><span class="country">DE</span>'
            return 200, html(text), "", "text/html"
        if path == "/":
            return 200, html("<h1>A shop</h1>"), "", "text/html"
        return 404, html("not found"), "", "text/html"

    def _item(self, number: int, known: str) -> tuple[int, bytes, str, str]:
        if number in self.gone:
            return 404, html("not found"), "", "text/html"
        if number in self.empty:
            return 200, html("<p>Hello</p>"), "", "text/html"
        price = self.prices.get(number, f"{10 + number % 90},00")
        tag = f'"{hashlib.sha256(f"{number} {price}".encode()).hexdigest()[:16]}"'
        if self.validators and known == tag:
            return 304, b"", tag, "text/html"
        images = "".join(
            f'<a href="/images/{number}-{n}.png"><img src="/images/{number}-{n}.png"></a>'
            for n in range(self.pictures)
        )
        token = f"<!-- {uuid4()} -->" if self.token else ""
        text = (
            f'{token}<h1 class="title">Tote number {number}</h1><p class="price">€ {price}</p>'
            f'<p class="stock">in stock</p><p class="description">A bag, {number}.</p>'
            f'<div class="gallery">{images}</div>'
            f'<p class="seller"><a href="/seller/s{number % 20}">Seller {number % 20}</a></p>'
        )
        return 200, html(text), tag if self.validators else "", "text/html"

    def _list(self, page: int) -> str:
        first = (page - 1) * PER_PAGE
        last = min(self.listings, first + PER_PAGE)
        shown = (n for n in range(first, last) if n not in self.hidden)
        cards = "".join(f'<a class="card" href="/item/{n}/tote">Tote {n}</a>' for n in shown)
        further = f'<a rel="next" href="/c/bags?page={page + 1}">next</a>'
        return html(cards + (further if last < self.listings else "")).decode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept open."""
        try:
            while line := await reader.readline():
                path = line.split(b" ")[1].decode()
                known = ""
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"if-none-match:"):
                        known = header.split(b":", 1)[1].strip().decode()
                if self.seconds:
                    await asyncio.sleep(self.seconds)
                status, body, tag, kind = self.answer(path, known)
                self.statuses[status] += 1
                lines = [
                    f"HTTP/1.1 {status} X",
                    f"Content-Length: {len(body)}",
                    f"Content-Type: {kind}{'; charset=utf-8' if kind == 'text/html' else ''}",
                ]
                if tag:
                    lines += [f"ETag: {tag}", "Last-Modified: Wed, 25 Nov 2026 10:00:00 GMT"]
                answer = "\r\n".join([*lines, "", ""]).encode() + body
                self.bytes_sent += len(answer)
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, IndexError, asyncio.CancelledError):
            pass  # of the last: the shop is shut, and asyncio would log that at length
        finally:
            writer.close()


def html(text: str) -> bytes:
    """A whole page."""
    return f"<!doctype html><html><body>{text}</body></html>".encode()


@contextmanager
def light_shop(listings: int, **said: object) -> Iterator[LightShop]:
    """One in a thread of this process."""
    shop = LightShop(listings, **said)  # type: ignore[arg-type]
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(shop.serve, "127.0.0.1", 0))
    shop.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        left = asyncio.all_tasks(loop)
        for connection in left:
            connection.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()


async def main() -> None:
    """Serve until killed."""
    shop = LightShop(int(sys.argv[1]))
    server = await asyncio.start_server(shop.serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
