"""The gate at the level of connections: a SOCKS5 server (RFC 1928) for the browser, and an
HTTP proxy for Scrapy where a plan has a proxy.

A page can make a browser connect in more ways than any interception of requests sees:
popups, preconnects, workers, redirects, sockets. All of them need a connection, and every
connection of our browsers goes through here, where the name is resolved once, judged, and
the very address that was judged is connected to. So DNS rebinding does not pass either.

What goes through is not touched: TLS is between the browser and the marketplace. Where a plan
has a proxy, the gateway goes on through it, with the address that was judged: the proxy is told
no name that could lead elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

from crawler.network.gate import Forbidden, Gate
from crawler.network.proxies import ProxyFailed, ProxyServer, tunnel

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
MAX_HEAD_BYTES = 1 << 16
#: One connection may bring so much for a crawl: a page that never ends is cut off.
MAX_CRAWL_BYTES = 256 << 20
# How long the browser has to notice that a connection was closed: a request that it puts on one
# that it still believes in fails.
SETTLE_SECONDS = 0.3

_SUCCEEDED, _NOT_ALLOWED, _UNREACHABLE, _REFUSED = 0, 2, 4, 5
_IPV4, _DOMAIN, _IPV6 = 1, 3, 4
#: In an answer of our own, why there is none of the marketplace. Nobody else can say it.
OWN_ANSWER = b"touchstone-gateway"
_OF_ONE_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", OWN_ANSWER}
)
_Remote = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the resolver answered for a name; the first address is the one connected to."""

    host: str
    addresses: tuple[str, ...]
    at: datetime


@dataclass(slots=True)
class _Connection:
    """Where a connection of the browser leads, and how many bytes came from there."""

    target: tuple[str, int]
    carried: int = 0


class Gateway:
    """Connects for the browser where the gate allows it.

    Parameters
    ----------
    proxy
        Through which to connect; None connects directly.
    max_bytes
        What one connection may bring before it is cut; None for whoever counts on its own.
    records
        Whether what follows is kept. A crawl that asks a million hosts has no use for it.

    Attributes
    ----------
    url, http_url
        For a browser (SOCKS5), and for whoever knows only HTTP proxies.
    refused
        What was not allowed, in order.
    addresses
        The address to which a host and port was connected last.
    lookups
        What the resolver answered, in order; an answer that is as the one before is left out.
    """

    def __init__(
        self,
        gate: Gate,
        proxy: ProxyServer | None = None,
        max_bytes: int | None = None,
        *,
        records: bool = True,
    ) -> None:
        self.gate = gate
        self.proxy = proxy
        self.max_bytes = max_bytes
        self.records = records
        self.refused: list[Forbidden] = []
        self.addresses: dict[tuple[str, int], str] = {}
        self.lookups: list[Lookup] = []
        self.url = ""
        self.http_url = ""
        self._open: set[asyncio.StreamWriter] = set()
        self._connections: dict[asyncio.StreamWriter, _Connection] = {}
        self._answers: dict[str, frozenset[str]] = {}
        self._held = False
        self._taken: dict[tuple[str, int], asyncio.StreamWriter] = {}
        self._changed = asyncio.Event()

    async def hold_to_one(self) -> None:
        """From here until `release`, each host and port gets one connection, and a new one.

        When a connection that was opened beforehand breaks before the answer, Chromium sends
        the request once more on another one by itself, a POST as well (RFC 9110, section
        9.2.2, warns of it). Whoever is about to send what must not be sent twice calls this
        first: what was open is closed, and a second connection waits, so that the request
        can be carried to the marketplace only once.

        Called again before anything was sent, it only makes room where the one connection
        has ended. Never call it while something that must not be sent twice is on its way.
        """
        if self._held:
            self._taken = {k: v for k, v in self._taken.items() if not v.is_closing()}
            self._wake()
            return
        self._held = True
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(SETTLE_SECONDS)

    def release(self) -> None:
        """The answer is here: connect as usual again, beginning with those that waited."""
        self._held = False
        self._taken.clear()
        self._wake()

    def cut(self, host: str, port: int, carried: int) -> None:
        """End the connections to a host and port that have brought so many bytes or more.

        There is no other way to end one answer of a page; answers that share its connection
        end with it.
        """
        for writer, connection in self._connections.items():
            if connection.target == (host, port) and connection.carried >= carried:
                writer.transport.abort()

    async def close(self) -> None:
        """End what is still open; the browser has gone."""
        self.release()
        for writer in self._open:
            writer.transport.abort()
        while self._open:
            await asyncio.sleep(0.01)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the browser, from greeting to end."""
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                first = await reader.readexactly(1)
                negotiate = self._negotiate if first == b"\x05" else self._negotiate_http
                target = await negotiate(first, reader, writer)
                if target is not None:
                    connection = self._connections[writer]
                    await _relay(reader, writer, *target, connection, self.max_bytes)
        finally:
            self._open.discard(writer)
            self._connections.pop(writer, None)
            writer.close()

    async def _wait_for_turn(self, host: str, port: int, writer: asyncio.StreamWriter) -> None:
        while self._held and (host, port) in self._taken:
            await self._changed.wait()
        if writer.transport.is_closing():
            raise ConnectionAbortedError
        if self._held:
            self._taken[host, port] = writer

    async def _connect(
        self, host: str, port: int, writer: asyncio.StreamWriter
    ) -> tuple[int, _Remote | None, str]:
        """Connect where the gate allows it: how it went (a SOCKS5 reply), connection, why none."""
        try:
            await self._wait_for_turn(host, port, writer)
            address = await self._judge(host, port)
            async with asyncio.timeout(CONNECT_SECONDS):
                if self.proxy is None:
                    remote = await asyncio.open_connection(address, port)
                else:
                    remote = await tunnel(self.proxy, address, port)
        except Forbidden as forbidden:
            if self.records:
                self.refused.append(forbidden)
            return _NOT_ALLOWED, None, str(forbidden)
        except (TimeoutError, socket.gaierror) as error:
            why = "it takes too long" if isinstance(error, TimeoutError) else "it has no address"
            return _UNREACHABLE, None, f"{host}: {why}"
        except ProxyFailed as failed:
            logger.warning("%s", failed)
            return _UNREACHABLE, None, str(failed)
        except OSError as error:
            return _REFUSED, None, f"{host}: {error.strerror or type(error).__name__}"
        if self.records:
            self.addresses[host, port] = address
        self._connections[writer] = _Connection((host, port))
        return _SUCCEEDED, remote, ""

    async def _negotiate(
        self, _first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> _Remote | None:
        (methods,) = await reader.readexactly(1)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")  # no authentication: we listen on loopback only
        _, command, _, kind = await reader.readexactly(4)
        if kind == _IPV4:
            host = str(ipaddress.IPv4Address(await reader.readexactly(4)))
        elif kind == _IPV6:
            host = f"[{ipaddress.IPv6Address(await reader.readexactly(16))}]"
        else:
            (length,) = await reader.readexactly(1)
            host = (await reader.readexactly(length)).decode("ascii", "replace").lower()
        (port,) = struct.unpack(">H", await reader.readexactly(2))
        code, remote = _REFUSED, None
        try:
            if command == 1:
                code, remote, _ = await self._connect(host, port, writer)
            return remote
        finally:
            writer.write(struct.pack(">BBBB4sH", 5, code, 0, _IPV4, bytes(4), 0))
            await writer.drain()

    async def _negotiate_http(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> _Remote | None:
        """CONNECT for a tunnel, or one request with its whole address (RFC 9112, 3.2.2)."""
        head = first + await _read_head(reader)
        method, target, version = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        opening = method == "CONNECT"
        try:
            parts = urlsplit(f"http://{target}" if opening else target)
            host, port = (parts.hostname or "").rstrip("."), parts.port or 80
            if not opening and parts.scheme != "http":
                raise ValueError("only http has no tunnel")
        except ValueError:
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            return None
        bracketed = f"[{host}]" if ":" in host else host
        code, remote, why = await self._connect(bracketed, port, writer)
        if remote is None:
            said = " ".join(why.split())[:300].encode("ascii", "replace")
            # For a tunnel, Scrapy tells its reader nothing but the first line.
            status = (b"403 " if code == _NOT_ALLOWED else b"502 ") + said
            own = OWN_ANSWER + b": " + said
            fields = [b"HTTP/1.1 " + status, own, b"Content-Length: 0", b"Connection: close"]
            writer.write(b"\r\n".join([*fields, b"", b""]))
            await writer.drain()
            return None
        if opening:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return remote
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        fields = [
            line
            for line in head.split(b"\r\n")[1:]
            if line and line.split(b":", 1)[0].strip().lower() not in _OF_ONE_HOP
        ]
        # The next request may be for another host: each has a connection of its own.
        request = f"{method} {path} {version}".encode("latin-1")
        remote[1].write(b"\r\n".join([request, *fields, b"Connection: close", b"", b""]))
        try:
            answer = await _read_head(remote[0])
        except (OSError, asyncio.IncompleteReadError):
            remote[1].close()
            raise
        line, *fields = answer.rstrip(b"\r\n").split(b"\r\n")
        kept = [f for f in fields if f.split(b":", 1)[0].strip().lower() not in _OF_ONE_HOP]
        writer.write(b"\r\n".join([line, *kept, b"Connection: close", b"", b""]))
        return remote

    async def _judge(self, host: str, port: int) -> str:
        """The one address that is both allowed and connected to."""
        found = await asyncio.get_running_loop().getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM
        )
        addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        if self.records and addresses[0] != host.strip("[]"):
            self._note(host, addresses)
        self.gate.check_address(host, port, addresses[0])
        return addresses[0]

    def _note(self, host: str, addresses: tuple[str, ...]) -> None:
        if self._answers.get(host) != frozenset(addresses):
            self._answers[host] = frozenset(addresses)
            self.lookups.append(Lookup(host, addresses, datetime.now(UTC)))


@asynccontextmanager
async def open_gateway(
    gate: Gate,
    proxy: ProxyServer | None = None,
    max_bytes: int | None = None,
    *,
    records: bool = True,
) -> AsyncIterator[Gateway]:
    """A gateway on a free port of loopback; `url` is for the browser's proxy setting."""
    gateway = Gateway(gate, proxy, max_bytes, records=records)
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway.url, gateway.http_url = f"socks5://127.0.0.1:{port}", f"http://127.0.0.1:{port}"
    try:
        yield gateway
    finally:
        server.close()
        await gateway.close()


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """A head up to its blank line."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), CONNECT_SECONDS)
    except (asyncio.LimitOverrunError, TimeoutError) as error:
        raise ConnectionAbortedError from error
    if len(head) > MAX_HEAD_BYTES:
        raise ConnectionAbortedError
    return head


async def _relay(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    remote_reader: asyncio.StreamReader,
    remote_writer: asyncio.StreamWriter,
    connection: _Connection,
    max_bytes: int | None,
) -> None:
    pumps = [
        asyncio.create_task(_pump(reader, remote_writer)),
        asyncio.create_task(_pump(remote_reader, writer, connection, max_bytes)),
    ]
    try:
        # Whichever side ends, the other is told: nobody here half-closes.
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        remote_writer.close()


async def _pump(
    source: asyncio.StreamReader,
    sink: asyncio.StreamWriter,
    connection: _Connection | None = None,
    max_bytes: int | None = None,
) -> None:
    with contextlib.suppress(ConnectionError, OSError):
        while chunk := await source.read(1 << 18):
            sink.write(chunk)
            if connection is not None:
                connection.carried += len(chunk)
                if max_bytes is not None and connection.carried > max_bytes:
                    sink.transport.abort()
                    return
            await sink.drain()
    with contextlib.suppress(ConnectionError, OSError, RuntimeError):
        if sink.can_write_eof():
            sink.write_eof()
