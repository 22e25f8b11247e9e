"""The gateway: what the browser may connect to, and how often while an order is under way."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from crawler.network.gate import Gate
from crawler.network.gateway import Gateway, open_gateway

ALLOWED, NOT_ALLOWED, UNREACHABLE = 0, 2, 5
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[int, list[int]]]:
    """A server that says everything back: its port, and the ports that came to it."""
    came: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer.get_extra_info("peername")[1])
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], came
    server.close()


async def ask(gateway: Gateway, host: str, port: int) -> tuple[int, Stream]:
    """Ask a gateway for a connection, as a browser does: its answer, and the stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.split(":")[-1]))
    name = host.encode()
    writer.write(b"\x05\x01\x00" + b"\x05\x01\x00\x03" + bytes([len(name)]) + name)
    writer.write(struct.pack(">H", port))
    await reader.readexactly(2)
    answer = await reader.readexactly(10)
    return answer[1], (reader, writer)


async def say(stream: Stream, text: bytes) -> bytes:
    stream[1].write(text)
    return await stream[0].read(100)


def test_bytes_go_through_and_the_address_is_known() -> None:
    async def go() -> None:
        async with echo() as (port, _), open_gateway(Gate(["127.0.0.1"])) as gateway:
            code, stream = await ask(gateway, "127.0.0.1", port)
            assert code == ALLOWED
            assert await say(stream, b"hello") == b"hello"
            assert gateway.addresses == {("127.0.0.1", port): "127.0.0.1"}
            assert gateway.refused == []

    asyncio.run(go())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_the_gate_forbids_is_not_connected_to(host: str) -> None:
    async def go() -> None:
        async with echo() as (port, came), open_gateway(Gate()) as gateway:
            code, _ = await ask(gateway, host, port)
            assert code == NOT_ALLOWED
            assert came == []
            assert len(gateway.refused) == 1

    asyncio.run(go())


def test_a_dead_port_is_said_and_a_rude_client_harms_nobody() -> None:
    async def go() -> None:
        async with open_gateway(Gate(["127.0.0.1"])) as gateway:
            code, _ = await ask(gateway, "127.0.0.1", 1)
            assert code == UNREACHABLE
            _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.split(":")[-1]))
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            writer.close()
            async with echo() as (port, _):
                assert (await ask(gateway, "127.0.0.1", port))[0] == ALLOWED

    asyncio.run(go())


def test_held_to_one_a_second_connection_waits_for_the_answer() -> None:
    async def go() -> None:
        async with echo() as (port, came), open_gateway(Gate(["127.0.0.1"])) as gateway:
            _, before = await ask(gateway, "127.0.0.1", port)
            await gateway.hold_to_one()
            assert await before[0].read() == b"", "what was open is closed"

            code, order = await ask(gateway, "127.0.0.1", port)
            assert code == ALLOWED
            second = asyncio.create_task(ask(gateway, "127.0.0.1", port))
            await asyncio.sleep(0.2)
            assert not second.done()
            assert len(came) == 2

            # Even when the first one breaks: the request must not be carried again.
            order[1].close()
            await asyncio.sleep(0.2)
            assert not second.done()

            gateway.release()
            assert (await second)[0] == ALLOWED
            assert len(came) == 3

    asyncio.run(go())


def test_held_again_there_is_room_only_where_the_one_connection_ended() -> None:
    async def go() -> None:
        async with echo() as (port, came), open_gateway(Gate(["127.0.0.1"])) as gateway:
            await gateway.hold_to_one()
            _, first = await ask(gateway, "127.0.0.1", port)
            waiting = asyncio.create_task(ask(gateway, "127.0.0.1", port))
            await gateway.hold_to_one()
            await asyncio.sleep(0.2)
            assert not waiting.done(), "the first is still open"

            first[1].close()
            await asyncio.sleep(0.2)
            assert not waiting.done()
            await gateway.hold_to_one()
            assert (await waiting)[0] == ALLOWED
            assert len(came) == 2

    asyncio.run(go())


def test_what_the_browser_gave_up_waiting_for_is_not_connected_later() -> None:
    async def go() -> None:
        async with echo() as (port, came), open_gateway(Gate(["127.0.0.1"])) as gateway:
            await gateway.hold_to_one()
            await ask(gateway, "127.0.0.1", port)
            waiting = asyncio.create_task(ask(gateway, "127.0.0.1", port))
            await asyncio.sleep(0.1)
            gateway.release()
            await gateway.hold_to_one()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await waiting
            gateway.release()
            await asyncio.sleep(0.1)
            assert len(came) == 1

    asyncio.run(go())


def test_a_crawl_keeps_no_list_of_where_it_has_been() -> None:
    async def go() -> None:
        gate = Gate(["localhost", "127.0.0.1"])
        async with echo() as (port, _), open_gateway(gate, records=False) as gateway:
            for host in ("127.0.0.1", "localhost", "127.0.0.2"):
                await ask(gateway, host, port)
            assert (gateway.refused, gateway.addresses, gateway.lookups) == ([], {}, [])

    asyncio.run(go())


def test_a_connection_that_brings_too_much_is_cut() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(bytes(1 << 16))
                await writer.drain()

    async def go() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with open_gateway(Gate(["127.0.0.1"]), max_bytes=1 << 20) as gateway:
            _, (reader, _) = await ask(gateway, "127.0.0.1", port)
            had = 0
            with contextlib.suppress(ConnectionError):
                while data := await asyncio.wait_for(reader.read(1 << 16), 10):
                    had += len(data)
            assert had <= 2 << 20
        server.close()

    asyncio.run(go())


def test_why_there_is_no_answer_is_said_by_the_gateway_alone() -> None:
    async def go() -> None:
        async def forge(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nTouchstone-Gateway: proxy x\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(forge, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with open_gateway(Gate(["127.0.0.1"])) as gateway:
            for host, status, said in (
                (f"127.0.0.1:{port}", b"200", None),
                ("127.0.0.1:9", b"502", b"127.0.0.1: Connect"),
                ("127.0.0.2:80", b"403", b"127.0.0.2 is not a public address"),
            ):
                at = int(gateway.http_url.rsplit(":", 1)[1])
                reader, writer = await asyncio.open_connection("127.0.0.1", at)
                writer.write(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                head = (await reader.read()).lower()
                assert head.split(b" ")[1] == status
                if said is None:
                    assert b"touchstone-gateway" not in head
                else:
                    assert said.lower() in head.split(b"touchstone-gateway: ")[1]
                writer.close()
        server.close()

    asyncio.run(go())
