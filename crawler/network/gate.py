"""The gate: every address passes here before anything is asked of it.

Pages are hostile. One that names `http://169.254.169.254/` or a host that resolves to the
local network must not make this machine ask there.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from registry.settings import Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
#: What a name may consist of once it is ASCII; the underscore stands in names that there are.
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.IGNORECASE)
#: Where shops listen. Other ports belong to other services, of which many do as they are told by
#: whatever stands in a request; settings may name more.
WEB_PORTS = frozenset({80, 443, 8080, 8443})
#: NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380) and ISATAP (RFC 5214) carry an IPv4
#: address inside.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
#: Not for the open internet, though not every Python says so of them.
_LOCAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


class Forbidden(Exception):
    """An address that may not be visited.

    Parameters
    ----------
    url
        As it was given.
    reason
        What is wrong with it, for people.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url[:200]}: {reason}")
        self.url = url
        self.reason = reason


class Gate:
    """Decides where requests may go.

    Parameters
    ----------
    allowed_hosts
        Hosts on private addresses that may be visited all the same: ``host`` for all its
        ports, ``host:port`` for one; an IPv6 address in brackets. Names and addresses are
        compared as they stand in the URL.
    ports
        Further ports that may be visited on public hosts, beside `WEB_PORTS`.
    """

    def __init__(self, allowed_hosts: Iterable[str] = (), ports: Iterable[int] = ()) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._ports = WEB_PORTS | frozenset(ports)

    def check(self, url: str) -> None:
        """Pass or raise. Resolves the host's name, so it may block for a while.

        Raises
        ------
        Forbidden
            If the scheme, the form, the port or any address of the host is not allowed.
        """
        host, port = self._judge_form(url)
        if self.allows(host, port) or _literal(host) is not None:
            return
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Forbidden(url, f"host {host} cannot be resolved") from error
        for *_, address in found:
            self._refuse_private(url, ipaddress.ip_address(str(address[0]).split("%")[0]))

    async def acheck(self, url: str) -> None:
        """The same, for coroutines: the name is resolved in a thread."""
        host, port = self._judge_form(url)
        if self.allows(host, port) or _literal(host) is not None:
            return
        await asyncio.to_thread(self.check, url)

    def check_form(self, url: str) -> None:
        """Judge what can be told without asking who a name is: scheme, form, port, address.

        Raises
        ------
        Forbidden
            If one of these is not allowed. A name that passes may still lead to a private
            address, which `check` finds out.
        """
        self._judge_form(url)

    def check_address(self, host: str, port: int, address: str) -> None:
        """Judge the address to which a connection is about to go, or has gone.

        A name may resolve to something else a moment later (DNS rebinding); only the
        address of the connection itself is proof.

        Raises
        ------
        Forbidden
            If it is private and the host is not allowed.
        """
        if not self.allows(host, port):
            self._refuse_port(f"{host}:{port}", port)
            bare = address.strip("[]").split("%")[0]
            self._refuse_private(f"{host}:{port} ({address})", ipaddress.ip_address(bare))

    def allows(self, host: str, port: int) -> bool:
        """Whether the settings name this host."""
        return host in self._allowed or f"{host}:{port}" in self._allowed

    def allows_host(self, host: str) -> bool:
        """Whether the settings name this host for any port, where no port is known."""
        return any(entry == host or entry.startswith(f"{host}:") for entry in self._allowed)

    def _judge_form(self, url: str) -> tuple[str, int]:
        """Host and port, after all that can be judged by the address alone."""
        host, port = self._parse(url)
        if not self.allows(host, port):
            literal = _literal(host)
            if literal is not None:
                self._refuse_private(url, literal)
            self._refuse_port(url, port)
        return host, port

    def _refuse_port(self, url: str, port: int) -> None:
        if port not in self._ports:
            raise Forbidden(
                url, f"port {port} is none for web pages (TOUCHSTONE_ALLOWED_PORTS can add it)"
            )

    def _parse(self, url: str) -> tuple[str, int]:
        # Browsers drop these where urlsplit may not, and the two would see different hosts.
        if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
            raise Forbidden(url, "there are blanks or control characters in it")
        if "\\" in url:
            raise Forbidden(url, "there is a backslash in it")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Forbidden(url, f"not a URL: {error}") from error
        if parts.scheme not in _PORTS:
            raise Forbidden(url, f"scheme {parts.scheme or 'none'!r} is not http or https")
        if parts.username is not None or parts.password is not None:
            raise Forbidden(url, "there is a user name in it")
        host = (parts.hostname or "").rstrip(".")
        if not host:
            raise Forbidden(url, "there is no host in it")
        if "%" in host:
            raise Forbidden(url, "the host is percent-encoded or has a zone")
        if not host.isascii():
            # A browser's table (UTS 46) differs from this one (RFC 3490) in some characters: then
            # each asks for another name, and the connection's address is judged in both cases.
            try:
                host = host.encode("idna").decode("ascii").lower().rstrip(".")
            except UnicodeError as error:
                raise Forbidden(url, "the host is not a domain name") from error
        if ":" in host:
            host = f"[{host}]"
        elif not _NAME.fullmatch(host):
            raise Forbidden(url, "the host is not a domain name")
        return host, port if port is not None else _PORTS[parts.scheme]

    @staticmethod
    def _refuse_private(url: str, address: Address) -> None:
        for candidate in (address, *_embedded(address)):
            if (
                not candidate.is_global
                or candidate.is_multicast
                or candidate.is_reserved
                or any(candidate in network for network in _LOCAL)
            ):
                raise Forbidden(
                    url,
                    f"{candidate} is not a public address "
                    "(TOUCHSTONE_ALLOWED_PRIVATE_HOSTS can allow a host)",
                )


def gate_of(settings: Settings) -> Gate:
    """The gate that the settings describe."""
    return Gate(settings.allowed_private_hosts, settings.allowed_ports)


def _literal(host: str) -> Address | None:
    """The address that a host is, in any of the forms that a browser takes for one."""
    if host.startswith("["):
        return ipaddress.ip_address(host.strip("[]"))
    last = host.rsplit(".", 1)[-1]
    # WHATWG URL, "ends in a number": then it is an IPv4 address in some base, or nothing.
    if last.isdigit() or last.startswith(("0x", "0X")):
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return ipaddress.IPv4Address(0)  # unspecified: refused
    return None


def _embedded(address: Address) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses that an IPv6 address carries inside."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [found for found in inside if found is not None]
