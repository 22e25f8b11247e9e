"""The gate: every address passes here before anything is asked of it.

Pages are hostile. One that names `http://169.254.169.254/` or a host that resolves to the
local network must not make this machine ask there.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
#: NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380) carry an IPv4 address inside.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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
    """

    def __init__(self, allowed_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)

    def check(self, url: str) -> None:
        """Pass or raise. Resolves the host's name, so it may block for a while.

        Raises
        ------
        Forbidden
            If the scheme, the form, the port or any address of the host is not allowed.
        """
        host, port = self._parse(url)
        if self.allows(host, port):
            return
        literal = _literal(host)
        if literal is not None:
            self._refuse_private(url, literal)
            return
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Forbidden(url, f"host {host} cannot be resolved") from error
        for *_, address in found:
            self._refuse_private(url, ipaddress.ip_address(str(address[0]).split("%")[0]))

    async def acheck(self, url: str) -> None:
        """The same, for coroutines: the name is resolved in a thread."""
        host, port = self._parse(url)
        if self.allows(host, port):
            return
        await asyncio.to_thread(self.check, url)

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
            bare = address.strip("[]").split("%")[0]
            self._refuse_private(f"{host}:{port} ({address})", ipaddress.ip_address(bare))

    def allows(self, host: str, port: int) -> bool:
        """Whether the settings name this host."""
        return host in self._allowed or f"{host}:{port}" in self._allowed

    def allows_host(self, host: str) -> bool:
        """Whether the settings name this host for any port, where no port is known."""
        return any(entry == host or entry.startswith(f"{host}:") for entry in self._allowed)

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
            try:
                host = host.encode("idna").decode("ascii").lower()
            except UnicodeError as error:
                raise Forbidden(url, "the host is not a domain name") from error
        if ":" in host:
            host = f"[{host}]"
        return host, port if port is not None else _PORTS[parts.scheme]

    @staticmethod
    def _refuse_private(url: str, address: Address) -> None:
        for candidate in (address, *_embedded(address)):
            if not candidate.is_global or candidate.is_multicast or candidate.is_reserved:
                raise Forbidden(
                    url,
                    f"{candidate} is not a public address "
                    "(TOUCHSTONE_ALLOWED_PRIVATE_HOSTS can allow a host)",
                )


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
    if address in _NAT64:
        inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [found for found in inside if found is not None]
