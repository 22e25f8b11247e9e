"""The gate: every form of an address that leads to a private place is refused."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.network.gate import Forbidden, Gate

NOBODY = Gate()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://0x7f.1/",
        "http://127.0.0.1./",
        "http://localhost/",
        "http://LOCALHOST:8000/",
        "http://0.0.0.0/",
        "http://10.0.0.8/",
        "http://172.16.3.4/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::1]/",
        "http://[::]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://256.256.256.256.1/",
    ],
)
def test_a_private_address_is_refused_in_any_form(url: str) -> None:
    with pytest.raises(Forbidden):
        NOBODY.check(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("//example.com/", "scheme"),
        ("http:///path", "no host"),
        ("http://", "no host"),
        ("http://user:word@8.8.8.8/", "user name"),
        ("http://8.8.8.8\\@127.0.0.1/", "backslash"),
        ("http://8.8.8.8 /", "blanks"),
        ("http://8.8.8.8\t/", "blanks"),
        ("http://8.8.8.8:99999/", "not a URL"),
        ("http://[8.8.8.8/", "not a URL"),
        ("http://127%2e0.0.1/", "percent"),
        ("http://no-such-host.invalid/", "cannot be resolved"),
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str, reason: str) -> None:
    with pytest.raises(Forbidden, match=reason):
        NOBODY.check(url)


def test_public_addresses_pass() -> None:
    for url in ("http://8.8.8.8/", "https://8.8.8.8:8443/x?y#z", "http://[2606:4700::1111]/"):
        NOBODY.check(url)


def test_the_settings_open_one_host_or_one_port() -> None:
    Gate(["127.0.0.1"]).check("http://127.0.0.1:4711/x")
    Gate(["127.0.0.1:80", "[::1]"]).check("http://127.0.0.1/")
    Gate(["[::1]"]).check("http://[::1]:9/")
    for url in ("http://127.0.0.1:81/", "http://127.0.0.2/", "http://localhost/"):
        with pytest.raises(Forbidden):
            Gate(["127.0.0.1:80"]).check(url)


def test_every_address_of_a_name_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
        for address in ("8.8.8.8", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kw: found)
    with pytest.raises(Forbidden, match=r"10\.0\.0\.1"):
        NOBODY.check("http://rebind.example/")


def test_coroutines_ask_the_same() -> None:
    with pytest.raises(Forbidden):
        asyncio.run(NOBODY.acheck("http://127.0.0.1/"))
    asyncio.run(Gate(["127.0.0.1"]).acheck("http://127.0.0.1/"))


@given(st.ip_addresses())
def test_literal_addresses_are_judged_as_they_are(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    url = f"http://[{address}]/" if address.version == 6 else f"http://{address}/"
    try:
        NOBODY.check(url)
        passed = True
    except Forbidden:
        passed = False
    assert passed <= address.is_global


@given(st.text(max_size=60))
def test_any_text_passes_or_is_refused(text: str) -> None:
    for url in (text, f"http://{text}/"):
        with contextlib.suppress(Forbidden):
            host, port = NOBODY._parse(url)
            assert host
            assert 0 <= port < 65536
