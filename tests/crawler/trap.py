"""A listener where nobody may come, a shop that tries to send people there, and a resolver
that changes its mind.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REDIRECTS = (301, 302, 303, 307, 308)


class Trap:
    """Listens on every address of this machine, TCP and UDP; whoever comes is noted."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self._sockets = [socket.create_server(("0.0.0.0", 0))]
        self.port: int = self._sockets[0].getsockname()[1]
        self._sockets.append(
            socket.create_server(("::", self.port), family=socket.AF_INET6, dualstack_ipv6=False)
        )
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            udp = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            udp.bind((address, self.port))
            self._sockets.append(udp)
        for listener in self._sockets:
            listener.settimeout(0.2)
            threading.Thread(target=self._watch, args=(listener,), daemon=True).start()

    def _watch(self, listener: socket.socket) -> None:
        while True:
            try:
                if listener.type == socket.SOCK_DGRAM:
                    data, address = listener.recvfrom(2000)
                    self.came.append(f"udp {address} {data[:60]!r}")
                else:
                    connection, address = listener.accept()
                    connection.settimeout(0.5)
                    try:
                        said = connection.recv(300)
                    except OSError:
                        said = b""
                    connection.close()
                    self.came.append(f"tcp {address} {said[:80]!r}")
            except TimeoutError:
                continue
            except OSError:
                return

    def close(self) -> None:
        """Listen no more."""
        for listener in self._sockets:
            listener.close()


@contextmanager
def trap() -> Iterator[Trap]:
    """A trap, closed in the end."""
    made = Trap()
    try:
        yield made
    finally:
        made.close()


@contextmanager
def luring_shop(
    addresses: list[str], page: str = "", name: str = "127.0.0.1"
) -> Iterator[tuple[str, Counter[str]]]:
    """A shop that leads people on: its address, and which of its paths were asked for.

    ``/to/302/7`` redirects to the seventh address, ``/refresh/7`` does by its markup, and
    ``/control/…`` is where one may go.
    """
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            pass

        def answer(self, body: str, status: int = 200, **headers: str) -> None:
            data = body.encode("utf-8", "surrogateescape")
            self.send_response(status)
            self.send_header("Content-Type", headers.pop("kind", "text/html; charset=utf-8"))
            self.send_header("Content-Length", str(len(data)))
            for header, value in headers.items():
                # As they are: a hostile server is not bound to Latin-1.
                line = f"{header}: {value}\r\n".encode("utf-8", "surrogateescape")
                self._headers_buffer.append(line)  # type: ignore[attr-defined]
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked[parts.path] += 1
            words = parts.path.strip("/").split("/")
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            if words[0] == "to":
                there = addresses[int(words[2])] if words[2] != "ok" else "/control/redirected"
                self.answer("", int(words[1]), Location=there.replace("\n", "").lstrip("\x01"))
            elif words[0] == "refresh":
                there = addresses[int(words[1])] if words[1] != "ok" else "/control/refreshed"
                self.answer(f'<meta http-equiv="refresh" content="0;url={there}"><p>x</p></html>')
            elif words[0] == "page":
                chosen = parse_qs(parts.query).get("n")
                these = addresses if chosen is None else [addresses[int(n)] for n in chosen]
                told = json.dumps(these).replace("<", "\\u003c")
                self.answer(page.replace("ADDRESSES", told))
            elif words[0] == "robots.txt":
                self.answer("", 404)
            else:
                self.answer("<html><p>fine</p></html>")

        do_POST = do_GET

    server = ThreadingHTTPServer((name, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{name}:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()


def changing_resolver() -> dict[str, Callable[..., Any]]:
    """Functions to put in the place of those of `socket`: names under ``nip.test`` lead here,
    and ``rebind…`` leads to a public address when it is asked for the first time.
    """
    plain_info, plain_name = socket.getaddrinfo, socket.gethostbyname
    asked: Counter[str] = Counter()

    def address(name: str) -> str | None:
        if not name.rstrip(".").endswith("nip.test"):
            return None
        asked[name] += 1
        first = name.startswith("rebind") and asked[name] == 1
        return "93.184.216.34" if first else "127.0.0.1"

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        found = address(text) if isinstance(text, str) else None
        return plain_info(found or host, port, *args, **options)

    def gethostbyname(name: str) -> str:
        return address(name) or plain_name(name)

    return {"getaddrinfo": getaddrinfo, "gethostbyname": gethostbyname}
