"""A proxy as one rents it: HTTP CONNECT and SOCKS5 on one port, with user name and password."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

USER, PASSWORD = "mina", "s:e/c@ret"


@dataclass
class ProxyLog:
    """Where it listens, what it was told to connect to, and how often it refused a login."""

    port: int = 0
    told: list[str] = field(default_factory=list)
    refused: int = 0


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _join(
    log: ProxyLog, host: str, port: int, said: bytes,
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
) -> None:  # fmt: skip
    log.told.append(f"{host}:{port}")
    there, to_there = await asyncio.open_connection(host, port)
    writer.write(said)
    await asyncio.gather(_pump(reader, to_there), _pump(there, writer))


async def _socks(log: ProxyLog, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    (number,) = await reader.readexactly(1)
    methods = await reader.readexactly(number)
    if 2 not in methods:
        writer.write(b"\x05\xff")
        log.refused += 1
        return
    writer.write(b"\x05\x02")
    _, length = await reader.readexactly(2)
    user = await reader.readexactly(length)
    (length,) = await reader.readexactly(1)
    password = await reader.readexactly(length)
    if (user.decode(), password.decode()) != (USER, PASSWORD):
        writer.write(b"\x01\x01")
        log.refused += 1
        return
    writer.write(b"\x01\x00")
    *_, kind = await reader.readexactly(4)
    if kind == 3:
        (length,) = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode()
    else:
        host = str(ip_address(await reader.readexactly(4 if kind == 1 else 16)))
    (port,) = struct.unpack(">H", await reader.readexactly(2))
    await _join(log, host, port, b"\x05\x00\x00\x01" + bytes(6), reader, writer)


async def _serve(log: ProxyLog, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        first = await reader.readexactly(1)
        if first == b"\x05":
            await _socks(log, reader, writer)
            return
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        method, target, _ = head.split(" ", 2)
        if f"Proxy-Authorization: Basic {login}" not in head or method != "CONNECT":
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            log.refused += 1
            return
        host, _, port = target.rpartition(":")
        answer = b"HTTP/1.1 200 OK\r\nVia: a proxy\r\n\r\n"
        await _join(log, host.strip("[]"), int(port), answer, reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


@contextmanager
def rented_proxy(tls: ssl.SSLContext | None = None) -> Iterator[ProxyLog]:
    """A proxy on loopback, in a thread of its own."""
    log = ProxyLog()
    up, over = threading.Event(), threading.Event()

    async def run() -> None:
        server = await asyncio.start_server(lambda r, w: _serve(log, r, w), "127.0.0.1", 0, ssl=tls)
        log.port = server.sockets[0].getsockname()[1]
        up.set()
        while not over.is_set():
            await asyncio.sleep(0.05)
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    up.wait(10)
    try:
        yield log
    finally:
        over.set()
        thread.join(10)
