"""How a plan may say by what way its requests go out: the forms of a proxy's address."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

#: ``http`` and ``https``: CONNECT (RFC 9110); ``https`` speaks TLS with the proxy itself.
PROXY_SCHEMES = ("http", "https", "socks5")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,99}")


def check_proxy_address(text: str) -> str:
    """The address of a proxy, with or without user name and password.

    Raises
    ------
    ValueError
        If it is none. The text of the error has nothing of the address in it: it may be secret.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ValueError("the proxy's address is not a URL") from None
    if parts.scheme not in PROXY_SCHEMES or not parts.hostname:
        raise ValueError("a proxy is http://host:port, https://host:port or socks5://host:port")
    if port is None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("a proxy's address is scheme, host and port, and no more")
    return text.strip().rstrip("/")


def check_proxy(text: str) -> str:
    """What a plan may name as its proxy: an address, ``env:VARIABLE``, or a name.

    A plan file is no place for passwords: an address that has one is in an environment
    variable, or sealed under a name (``touchstone proxy add``).

    Raises
    ------
    ValueError
        Saying what is wrong.
    """
    text = text.strip()
    if _NAME.fullmatch(text) or _VARIABLE.fullmatch(text):
        return text
    address = check_proxy_address(text)
    if urlsplit(address).username is not None:
        raise ValueError(
            "no user name or password in a plan: keep the address in an environment variable "
            "(proxy: env:NAME), or run 'touchstone proxy add NAME' (proxy: NAME)"
        )
    return address


def check_user_agent(text: str) -> str:
    """What a plan may have its requests call themselves.

    Raises
    ------
    ValueError
        If it is not plain text of one line.
    """
    if not text.isascii() or not text.isprintable() or not 3 <= len(text.strip()) <= 200:
        raise ValueError("a user agent is 3 to 200 plain ASCII characters on one line")
    return text.strip()
