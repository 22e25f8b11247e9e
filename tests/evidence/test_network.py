"""The parts that the recording of the network is made of, without a browser."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from crawler.network.gate import Gate
from crawler.network.gateway import Gateway, Lookup, open_gateway
from evidence.capturing.bodies import Store, Stream
from evidence.capturing.exchanges import Log
from evidence.capturing.wholeness import encoded, lacks
from evidence.packing import warc

URL = "https://shop.example/item"


def asked(url: str = URL, **more: Any) -> dict[str, Any]:
    request = {"url": url, "method": "GET", "headers": {}}
    return {"requestId": "1", "wallTime": 1.0, "type": "Document", "request": request, **more}


def came(*headers: tuple[str, str], status: int = 200) -> dict[str, Any]:
    text = f"HTTP/1.1 {status} x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers)
    return {"requestId": "1", "headers": dict(headers), "headersText": text, "statusCode": status}


def test_heads_find_their_hop_in_whatever_order_they_come() -> None:
    log = Log()
    log.response_extra(came(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), status=302))
    first = log.request(asked())
    moved = {"url": URL, "status": 302, "headers": {}}
    second = log.request(asked(f"{URL}?2", redirectResponse=moved, redirectHasExtraInfo=True))
    third = log.request(asked(f"{URL}?3", redirectResponse=moved, redirectHasExtraInfo=False))
    log.response_extra(came(("X-Last", "yes")))
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.headers_received() == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    assert second.headers_received() == []
    assert third.headers_received() == [("X-Last", "yes")]


def test_what_no_network_saw_is_only_counted() -> None:
    log = Log()
    assert log.request(asked("data:text/plain,x")) is None
    log.request(asked())
    response = {"url": URL, "status": 200, "headers": {}, "fromDiskCache": True}
    assert not log.response({"requestId": "1", "response": response})
    assert log.exchanges == []
    assert log.local == {"data": 1, "cache": 1}


def test_an_answer_that_the_page_may_not_read_is_an_answer() -> None:
    log = Log()
    exchange = log.request(asked())
    log.response_extra(came(("Content-Length", "6")))
    log.failed(
        {"requestId": "1", "errorText": "net::ERR_FAILED", "corsErrorStatus": {"corsError": "x"}}
    )
    assert exchange is not None
    assert exchange.answered
    assert not exchange.whole
    assert exchange.truncated == "unspecified"


def test_bytes_handed_out_before_those_that_came_first_wait(tmp_path: Path) -> None:
    stream = Stream(Store(tmp_path).new())
    stream.expected = 9
    stream.take(b"two")
    stream.take(b"six")
    stream.begin(b"one")
    assert stream.body.path.read_bytes() == b"onetwosix"
    assert stream.whole
    stream.expected += 1
    assert not stream.whole


def test_limits_keep_the_beginning(tmp_path: Path) -> None:
    store = Store(tmp_path, max_body=5, max_all=8)
    first, second = store.new(), store.new()
    first.write(b"abc")
    first.write(b"defg")
    first.write(b"h")
    second.write(b"12345")
    assert (first.path.read_bytes(), first.full) == (b"abcde", True)
    assert (second.path.read_bytes(), second.full) == (b"123", True)
    first.forget()
    assert store.kept == 3


def test_a_picture_that_was_not_read_to_its_end_lacks_bytes(tmp_path: Path) -> None:
    log = Log()
    exchange = log.request(asked())
    log.response_extra(came(("Content-Length", "9")))
    assert exchange is not None
    stream = Stream(Store(tmp_path).new())
    stream.replace(b"123456789")
    assert not lacks(exchange, stream)
    stream.replace(b"1234")
    assert lacks(exchange, stream)


def test_a_text_is_encoded_as_it_was_sent() -> None:
    assert encoded("手提包", "gbk") == "手提包".encode("gbk")
    assert encoded("手提包", "") == "手提包".encode()
    assert encoded("手提包", "no-such-charset") == "手提包".encode()


def test_the_gateway_remembers_what_the_resolver_said() -> None:
    async def connect() -> Gateway:
        async with open_gateway(Gate(("localhost", "127.0.0.1"))) as gateway:
            server = await asyncio.start_server(lambda _, w: w.close(), "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            for host in (b"localhost", b"localhost", b"127.0.0.1"):
                place = int(gateway.url.rpartition(":")[2])
                reader, writer = await asyncio.open_connection("127.0.0.1", place)
                writer.write(b"\x05\x01\x00\x05\x01\x00\x03" + bytes([len(host)]) + host)
                writer.write(port.to_bytes(2, "big"))
                await reader.readexactly(12)
                writer.close()
            server.close()
            return gateway

    [lookup] = asyncio.run(connect()).lookups
    assert lookup.host == "localhost"
    assert set(lookup.addresses) <= {"127.0.0.1", "::1"}


def test_dns_answers_and_facts_are_records(tmp_path: Path) -> None:
    log = Log()
    exchange = log.request(asked())
    assert exchange is not None
    exchange.error = "net::ERR_CONNECTION_RESET"
    at = datetime(2026, 11, 25, tzinfo=UTC)
    lookup = Lookup("shop.example", ("192.0.2.1", "2001:db8::1"), at)
    path = tmp_path / "data.warc.gz"
    warc.write_warc(path, {"software": "test"}, log.exchanges, lookups=[lookup])
    with path.open("rb") as stream:
        found = {
            record.rec_headers.get_header("WARC-Type"): record.content_stream().read()
            for record in ArchiveIterator(stream, check_digests="raise")
        }
    assert found["resource"] == (
        b"20261125000000\r\nshop.example.\tIN\tA\t192.0.2.1\r\n"
        b"shop.example.\tIN\tAAAA\t2001:db8::1\r\n"
    )
    assert found["metadata"] == b"fetch-error: net::ERR_CONNECTION_RESET\r\n"
    assert "response" not in found


def test_cipher_suites_have_their_registered_names() -> None:
    old = {"protocol": "TLS 1.2", "keyExchange": "ECDHE_RSA", "cipher": "AES_128_CBC"}
    assert warc.cipher_suite(old | {"mac": "HMAC-SHA1"}) == "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
    new = {"protocol": "TLS 1.3", "keyExchange": "", "cipher": "CHACHA20_POLY1305"}
    assert warc.cipher_suite(new) == "TLS_CHACHA20_POLY1305_SHA256"
    assert warc.cipher_suite({"protocol": "TLS 1.3"}) is None
