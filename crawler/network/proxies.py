"""Proxies of plans: finding the one that a plan names, and a way through it.

A proxy is told the address that the gate has judged, never a name: what a name leads to at
the proxy's end nobody here could judge.
"""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from registry.errors import TouchstoneError
from registry.models import Proxy
from registry.networking import PROXY_SCHEMES, check_proxy_address
from registry.secrets import Vault

_MAX_ANSWER = 1 << 14
_SOCKS_IPV4, _SOCKS_DOMAIN, _SOCKS_IPV6 = 1, 3, 4


class ProxyFailed(OSError):
    """A proxy that does not let us through, and why; nothing secret is in the text."""


@dataclass(frozen=True, slots=True)
class ProxyServer:
    """A proxy: how it is spoken to and where. Its password is not shown."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, address: str) -> ProxyServer:
        """Read an address such as ``socks5://user:word@proxy.example:1080``.

        Raises
        ------
        ValueError
            If it is none; the text has nothing of it.
        """
        parts = urlsplit(check_proxy_address(address))
        assert parts.port is not None
        return cls(
            parts.scheme,
            parts.hostname or "",
            parts.port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def keep_proxy(session: Session, vault: Vault, name: str, address: str) -> ProxyServer:
    """Keep a proxy's address, sealed, under a name; in place of what stood there.

    Raises
    ------
    ValueError
        If it is no address of a proxy.
    """
    server = ProxyServer.parse(address)
    sealed = vault.seal(address.encode(), context=f"proxy:{name}")
    session.merge(Proxy(name=name, shown=str(server), sealed=sealed))
    return server


def find_proxy(session: Session, vault: Vault, wanted: str) -> ProxyServer:
    """The proxy that a plan names: an address, ``env:VARIABLE``, or a name.

    Raises
    ------
    TouchstoneError
        If there is none. A plan that wants one never goes without.
    """
    try:
        if wanted.startswith("env:"):
            variable = wanted.removeprefix("env:")
            address = os.environ.get(variable)
            if not address:
                raise TouchstoneError(f"proxy: the environment variable {variable} is not set")
            return ProxyServer.parse(address)
        if wanted.partition("://")[0] in PROXY_SCHEMES:
            return ProxyServer.parse(wanted)
    except ValueError as error:
        raise TouchstoneError(f"proxy {wanted.partition('://')[0]}: {error}") from None
    kept = session.get(Proxy, wanted)
    if kept is None:
        raise TouchstoneError(f"there is no proxy {wanted!r}: run 'touchstone proxy add {wanted}'")
    return ProxyServer.parse(vault.open(kept.sealed, context=f"proxy:{wanted}").decode())


async def tunnel(
    proxy: ProxyServer, address: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection through a proxy to an address.

    Raises
    ------
    ProxyFailed
        If the proxy cannot be reached, or does not let us through.
    """
    tls = ssl.create_default_context() if proxy.scheme == "https" else None
    try:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port, ssl=tls)
    except OSError as error:
        raise ProxyFailed(f"proxy {proxy}: {error.strerror or error}") from error
    try:
        if proxy.scheme == "socks5":
            await _socks(proxy, reader, writer, address, port)
        else:
            await _connect(proxy, reader, writer, address, port)
    except BaseException as error:
        writer.close()
        if isinstance(error, asyncio.IncompleteReadError | asyncio.LimitOverrunError):
            raise ProxyFailed(f"proxy {proxy}: it broke off") from error
        raise
    return reader, writer


async def _connect(
    proxy: ProxyServer,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    address: str,
    port: int,
) -> None:
    """RFC 9110, section 9.3.6."""
    target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.user:
        login = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {login}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    words = answer[:_MAX_ANSWER].split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(words) < 2 or not words[1].startswith("2"):
        raise ProxyFailed(f"proxy {proxy}: it answers {' '.join(words[1:])[:100]!r}")


async def _socks(
    proxy: ProxyServer,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    address: str,
    port: int,
) -> None:
    """RFC 1928, with user name and password as in RFC 1929."""
    writer.write(b"\x05\x01\x02" if proxy.user else b"\x05\x01\x00")
    version, method = await reader.readexactly(2)
    if version != 5 or method not in (0, 2):
        raise ProxyFailed(f"proxy {proxy}: it is no SOCKS5 proxy, or wants another login")
    if method == 2:
        user, password = proxy.user.encode()[:255], proxy.password.encode()[:255]
        writer.write(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        _, status = await reader.readexactly(2)
        if status != 0:
            raise ProxyFailed(f"proxy {proxy}: it refuses the user name or password")
    there = ip_address(address.split("%")[0])
    kind = _SOCKS_IPV4 if there.version == 4 else _SOCKS_IPV6
    writer.write(bytes([5, 1, 0, kind]) + there.packed + struct.pack(">H", port))
    _, code, _, kind = await reader.readexactly(4)
    if code != 0:
        raise ProxyFailed(f"proxy {proxy}: it does not connect (SOCKS reply {code})")
    if kind == _SOCKS_DOMAIN:
        (length,) = await reader.readexactly(1)
    else:
        length = 4 if kind == _SOCKS_IPV4 else 16
    await reader.readexactly(length + 2)
