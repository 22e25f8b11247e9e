"""What goes out through a proxy is judged before the proxy hears of it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import select

from crawler.browsing.browser import find_chromium, open_browser
from crawler.crawling.watch import watch
from crawler.network.gate import Gate
from crawler.network.gateway import open_gateway
from crawler.network.proxies import ProxyServer, find_proxy, keep_proxy
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Alarm, Brand, Listing, Marketplace, Plan, Proxy
from registry.networking import check_proxy
from registry.secrets import open_vault
from registry.settings import Settings
from tests.console.login_shop import login_shop
from tests.crawler.proxy import PASSWORD, USER, rented_proxy
from tests.crawler.trap import luring_shop, trap

LOGIN = f"{USER}:{quote(PASSWORD, safe='')}"


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for a proxy on loopback, which this process trusts."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "proxy")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    file = tmp_path / "pair.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return context


async def ask(gateway_url: str, request: str) -> str:
    """Send an HTTP request to a gateway, as Scrapy does; what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(gateway_url).port)
    writer.write(request.encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer.decode()


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_of_each_kind_is_told_addresses_only(scheme: str, tls: ssl.SSLContext) -> None:
    async def go(address: str, shop: str, forbidden: int) -> tuple[str, str, str]:
        port = urlsplit(shop).port
        gate = Gate([f"localhost:{port}"], [forbidden])
        async with open_gateway(gate, ProxyServer.parse(address)) as gateway:
            host = f"localhost:{port}"
            had = await ask(
                gateway.http_url, f"GET http://{host}/control/x HTTP/1.1\r\nHost: {host}\r\n\r\n"
            )
            refused = await ask(
                gateway.http_url, f"GET http://localhost:{forbidden}/ HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            tunnel = await ask(gateway.http_url, f"CONNECT 127.1:{forbidden} HTTP/1.1\r\n\r\n")
            return had, refused, tunnel

    with (
        trap() as there,
        luring_shop([]) as (shop, asked),
        rented_proxy(tls if scheme == "https" else None) as log,
    ):
        address = f"{scheme}://{LOGIN}@127.0.0.1:{log.port}"
        had, refused, tunnel = asyncio.run(go(address, shop, there.port))
        assert "fine" in had
        assert "Connection: close" in had
        assert refused.startswith("HTTP/1.1 403")
        assert tunnel.startswith("HTTP/1.1 403")
        assert asked["/control/x"] == 1
        assert log.told == [f"127.0.0.1:{urlsplit(shop).port}"]
        assert there.came == []


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_login_that_the_proxy_refuses(scheme: str) -> None:
    async def go(address: str, shop: str) -> str:
        host = urlsplit(shop).netloc
        async with open_gateway(Gate([host]), ProxyServer.parse(address)) as gateway:
            return await ask(gateway.http_url, f"GET {shop} HTTP/1.1\r\nHost: {host}\r\n\r\n")

    with luring_shop([]) as (shop, asked), rented_proxy() as log:
        answer = asyncio.run(go(f"{scheme}://eve:guess@127.0.0.1:{log.port}", shop))
        assert answer.startswith("HTTP/1.1 502")
        assert (log.told, log.refused, sum(asked.values())) == ([], 1, 0)


def test_the_browser_goes_through_the_proxy_and_the_gate() -> None:
    async def go(proxy: ProxyServer, shop: str, forbidden: int) -> str:
        gate = Gate([urlsplit(shop).netloc], [forbidden])
        async with open_browser(find_chromium(None), gate, proxy=proxy) as opened:
            page = await opened.browser.new_page()
            await page.goto(f"{shop}control/a")
            await page.evaluate(
                f"fetch('http://localhost:{forbidden}/', {{mode: 'no-cors'}}).catch(() => 0)"
            )
            return await page.content()

    with trap() as there, luring_shop([]) as (shop, asked), rented_proxy() as log:
        proxy = ProxyServer.parse(f"socks5://{LOGIN}@127.0.0.1:{log.port}")
        assert "fine" in asyncio.run(go(proxy, shop, there.port))
        assert asked["/control/a"] == 1
        assert set(log.told) == {urlsplit(shop).netloc}
        assert there.came == []


def test_a_crawl_goes_through_the_proxy_of_its_plan(settings: Settings, database: Database) -> None:
    with login_shop(open_items=4, closed_items=0) as (url, asked), rented_proxy() as log:
        with database.writing() as session:
            keep_proxy(
                session, open_vault(settings), "home", f"http://{LOGIN}@127.0.0.1:{log.port}"
            )
            plan = Plan(
                name="p",
                brand=Brand(slug="velaro", name="Velaro", owner="V"),
                marketplaces=[Marketplace(name="m", kind="bazaar", url=url)],
                queries=[],
                browse=["/c/bags"],
                threshold=0.6,
                max_pages=50,
                proxy="home",
                user_agent="AcmeWatch/3 (+https://acme.example/watch)",
            )
            session.add(plan)
            session.flush()
            plan_id = plan.id
        assert [*watch(settings, database, plan_id)][-1].listings == 4
        # Nothing came but through the proxy: each request of Scrapy has a connection of its own.
        assert len(log.told) >= sum(asked.values())
        assert set(log.told) == {urlsplit(url).netloc}

        with database.writing() as session:
            session.delete(session.get_one(Proxy, "home"))
        asked.clear()
        with pytest.raises(TouchstoneError, match="there is no proxy 'home'"):
            list(watch(settings, database, plan_id))
        assert sum(asked.values()) == 0, "no plan goes out without its proxy"
    with database.reading() as session:
        assert session.query(Listing).count() == 4


def test_what_a_plan_may_name(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for good in (
        "home",
        "env:CN_PROXY",
        "socks5://proxy.example:1080",
        "https://proxy.example:443/",
    ):
        check_proxy(good)
    for bad in (
        "ftp://x:1",
        "http://x",
        "http://u:p@x:1",
        "http://x:1/path",
        "Home",
        "http://x:99999",
    ):
        with pytest.raises(ValueError, match=r".") as caught:
            check_proxy(bad)
        assert "u:p" not in str(caught.value)
    vault = open_vault(settings)
    monkeypatch.setenv("CN_PROXY", "socks5://u:p%40ss@proxy.example:1080")
    with database.writing() as session:
        found = find_proxy(session, vault, "env:CN_PROXY")
        assert (found.user, found.password) == ("u", "p@ss")
        assert "p@ss" not in f"{found} {found!r}"
        with pytest.raises(TouchstoneError, match="NO_PROXY_AT_ALL is not set"):
            find_proxy(session, vault, "env:NO_PROXY_AT_ALL")
        keep_proxy(session, vault, "home", "http://u:planted-secret@proxy.example:3128")
        session.flush()
        row = session.get_one(Proxy, "home")
        assert b"planted-secret" not in row.sealed
        assert row.shown == "http://proxy.example:3128"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dead_proxy_is_said_to_be_dead(
    settings: Settings, database: Database, scheme: str
) -> None:
    with login_shop(open_items=1, closed_items=0) as (url, asked):
        url = url.replace("http:", f"{scheme}:")
        with database.writing() as session:
            plan = Plan(
                name="p",
                brand=Brand(slug="velaro", name="Velaro", owner="V"),
                marketplaces=[Marketplace(name="m", kind="bazaar", url=url)],
                queries=[],
                browse=["/c/bags"],
                threshold=0.6,
                max_pages=50,
                proxy="http://127.0.0.1:9",
            )
            session.add(plan)
            session.flush()
            plan_id = plan.id
        with pytest.raises(TouchstoneError, match=r"proxy http://127\.0\.0\.1:9: "):
            list(watch(settings, database, plan_id))
        assert sum(asked.values()) == 0
    with database.reading() as session:
        alarm = session.scalars(select(Alarm)).one()
        assert alarm.kind == "errors"
        assert "proxy http://127.0.0.1:9" in alarm.seen
        assert "robots" not in alarm.seen
        assert "message=" not in alarm.seen
