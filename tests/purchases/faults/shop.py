"""A tiny shop in a thread of the test: it knows at which place each purchase is, and misbehaves.

Its pages are those of the bazaar's checkout, as small as the recipe allows, and each order stands
in its table, on disk, before any answer. It tells the `Striker` of a request before
it answers, so that what is killed is killed there and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sqlite3
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.purchases.faults.drawing import STEPS, STRIKES, Cell
from tests.purchases.faults.striking import Striker

SHIPPING = Decimal("4.90")
SLOW_SECONDS = 1.0
#: Longer than anybody waits (`processes`).
HANG_SECONDS = 10.0

_NEXT = dict(zip(STEPS, (*STEPS[1:], "review"), strict=True))
_FIELDS = "".join(
    f"<input name={name}>" for name in ("name", "email", "line1", "city", "postcode", "country")
)
_RADIO = "<input type=radio name={0} value={1} checked>"
_FORM = "<form method=post>{0}<button id=next>Next</button></form>"
_PAGES = {
    "/cart": '<a id=to-checkout href="/checkout/address">Check out</a>',
    "/checkout/address": _FORM.format(_FIELDS),
    "/checkout/shipping": _FORM.format(_RADIO.format("shipping", "standard")),
    "/checkout/payment": _FORM.format(_RADIO.format("payment", "invoice")),
}
_LISTING = """<h1 class=title>{title}</h1><p class=price>€ {price}</p>
<p class=seller><a href="/seller/{number}">{seller}</a></p>
<form method=post action=/cart/add><button id=add-to-cart>Add</button></form>"""
_REVIEW = """<p class=bill-title>{title}</p><p class=bill-seller>{seller}</p>
<p class=bill-quantity>1</p><p class=bill-price>€ {price}</p><p class=bill-total>€ {total}</p>
<form method=post action=/checkout/place><button id=place-order>Order</button></form>"""
_REASONS = {200: "OK", 303: "See Other", 404: "Not Found", 500: "Broken", 503: "Busy"}


@dataclass(eq=False)
class Ware:
    """What one purchase is about.

    Parameters
    ----------
    cell
        What befalls its purchase; None: nothing.

    Attributes
    ----------
    struck
        Whether it befell. It does so once, so that who tries again gets on.
    """

    number: int
    price: Decimal
    cell: Cell | None
    struck: bool = False

    @property
    def title(self) -> str:
        """What it is called."""
        return f"Tote {self.number}"

    @property
    def seller(self) -> str:
        """Whose it is: each has a seller of its own."""
        return f"Seller {self.number}"

    @property
    def total(self) -> Decimal:
        """What it costs in all."""
        return self.price + SHIPPING

    def befallen(self, place: str, *, sent: bool = False) -> str | None:
        """The fault that comes now, if one does."""
        if self.cell is None or self.struck or self.cell.place != place:
            return None
        if place in (*STEPS, "basket") and self.cell.sent is not sent:
            return None
        self.struck = True
        return self.cell.fault


class Orders:
    """The shop's table of orders: the truth. Each that is sent is taken, twice the same too."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE orders (number INTEGER PRIMARY KEY, ware INTEGER, total TEXT)"
        )

    def place(self, ware: int, total: Decimal) -> str:
        """Write an order, on disk when this returns; its number."""
        insert = "INSERT INTO orders (ware, total) VALUES (?, ?)"
        return f"F-{self._connection.execute(insert, (ware, str(total))).lastrowid}"

    def by_ware(self) -> dict[int, list[tuple[str, Decimal]]]:
        """Numbers and totals."""
        found: defaultdict[int, list[tuple[str, Decimal]]] = defaultdict(list)
        for number, ware, total in self._connection.execute("SELECT * FROM orders"):
            found[ware].append((f"F-{number}", Decimal(total)))
        return dict(found)


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    path: str
    cookie: str


class Shop:
    """All wares and what is ordered of them.

    Parameters
    ----------
    orders
        The table of orders: the truth.
    """

    def __init__(self, orders: Orders, wares: list[Ware], striker: Striker) -> None:
        self._orders = orders
        self._wares = {ware.number: ware for ware in wares}
        self._striker = striker
        self._later: set[asyncio.Task[None]] = set()
        self.url = ""

    @contextmanager
    def open(self) -> Iterator[None]:
        """Serve in a thread until the end of the block."""
        ready = threading.Event()
        thread = threading.Thread(
            target=lambda: asyncio.run(self._run(ready)), name="shop", daemon=True
        )
        thread.start()
        ready.wait()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._halt.set)
            thread.join()

    async def _run(self, ready: threading.Event) -> None:
        self._loop, self._halt = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        ready.set()
        await self._halt.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                asked = await _read(reader)
                if not await self._answer(asked, writer):
                    break
        with contextlib.suppress(RuntimeError):
            writer.close()

    async def _answer(self, asked: _Asked, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; whether the connection lives on."""
        found = re.match(r"/item/(\d+)/", asked.path) or re.search(r"visit=(\d+)", asked.cookie)
        ware = self._wares.get(int(found.group(1))) if found else None
        if ware is None:
            return await _send(writer, _response(404, "nothing"))
        sent = asked.method == "POST"
        step = asked.path.removeprefix("/checkout/")
        if asked.path.startswith("/item/"):
            place, answer = "listing", _listing(ware)
        elif asked.path.startswith("/cart"):
            to = "/cart" if sent else None
            place = "basket"
            answer = _response(303, "", to=to) if to else _response(200, _PAGES[asked.path])
        elif step in _NEXT:
            place = step
            to = f"/checkout/{_NEXT[step]}" if sent else None
            answer = _response(303, "", to=to) if to else _response(200, _PAGES[asked.path])
        elif step == "review":
            place, answer = "review", _review(ware)
            self._watch(ware, "intended", writer)
        elif step == "place":
            return await self._order(ware, writer)
        elif step.startswith("done/"):
            number = step.removeprefix("done/")
            place, answer = "confirmation", _response(200, f"<b class=order-number>{number}</b>")
            self._watch(ware, "after", writer)
        else:
            return await _send(writer, _response(404, "nothing"))
        return await self._befall(ware, ware.befallen(place, sent=sent), answer, writer)

    async def _order(self, ware: Ware, writer: asyncio.StreamWriter) -> bool:
        """Take an order. A shop has it, whether whoever sent it still lives or not."""
        fault = ware.befallen("ordering")
        if fault in STRIKES:
            await self._striker.strike(fault, ware.number, _port(writer))
        elif fault not in (None, "slow", "hang"):
            return await self._befall(ware, fault, _response(500, "nothing was ordered"), writer)
        elif fault is not None:
            await asyncio.sleep(SLOW_SECONDS if fault == "slow" else HANG_SECONDS)
        number = self._orders.place(ware.number, ware.total)
        answer = _response(303, "", to=f"/checkout/done/{number}")
        return await self._befall(ware, ware.befallen("ordered"), answer, writer)

    async def _befall(
        self, ware: Ware, fault: str | None, answer: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        if fault in STRIKES:
            await self._striker.strike(fault, ware.number, _port(writer))
        elif fault in ("slow", "hang"):
            await asyncio.sleep(SLOW_SECONDS if fault == "slow" else HANG_SECONDS)
        elif fault == "cut":
            return _cut(writer)
        elif fault == "cut_midway":
            await _send(writer, answer[: len(answer) // 2])
            await asyncio.sleep(0.1)  # what is on its way arrives, or the reset overtakes it
            return _cut(writer)
        elif fault is not None:
            assert ware.cell is not None
            answer = _response(ware.cell.status, "<h1>Try again later</h1>")
        return await _send(writer, answer)

    def _watch(self, ware: Ware, place: str, writer: asyncio.StreamWriter) -> None:
        """Strike at a place at which no request waits."""
        if ware.cell is None or ware.cell.place != place or ware.struck:
            return
        cell, port = ware.cell, _port(writer)

        async def strike() -> None:
            pid = await self._striker.owner(port)
            if place == "intended" and not await self._striker.intended(ware.number):
                return
            await asyncio.sleep(cell.delay)
            fault = ware.befallen(place)
            if fault is not None:
                await self._striker.strike(fault, ware.number, port, pid)

        task = asyncio.get_running_loop().create_task(strike())
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _listing(ware: Ware) -> bytes:
    return _response(200, _filled(_LISTING, ware), ware)


def _review(ware: Ware) -> bytes:
    return _response(200, _filled(_REVIEW, ware))


def _filled(page: str, ware: Ware) -> str:
    price, total = (str(amount).replace(".", ",") for amount in (ware.price, ware.total))
    return page.format(
        number=ware.number, title=ware.title, seller=ware.seller, price=price, total=total
    )


def _response(status: int, body: str, ware: Ware | None = None, to: str | None = None) -> bytes:
    data = f"<!doctype html><html><body>{body}</body></html>".encode()
    head = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(data)}",
        *([f"Location: {to}"] if to else []),
        *([f"Set-Cookie: visit={ware.number}; Path=/"] if ware else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + data


async def _read(reader: asyncio.StreamReader) -> _Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {
        name.casefold(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    await reader.readexactly(int(headers.get("content-length", 0)))
    method, path, _ = first.split(" ")
    return _Asked(method, path.partition("?")[0], headers.get("cookie", ""))


async def _send(writer: asyncio.StreamWriter, data: bytes) -> bool:
    writer.write(data)
    await writer.drain()
    return True


def _cut(writer: asyncio.StreamWriter) -> bool:
    """Reset the connection (RST), which tells the other side that nothing more comes."""
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    writer.transport.abort()
    return False


def _port(writer: asyncio.StreamWriter) -> int:
    port: int = writer.get_extra_info("peername")[1]
    return port
