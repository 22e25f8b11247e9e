"""A shop behind a login, as a process would see it: name and password, then a cookie."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PASSWORD = "correct horse 7ü"
_LOGIN = """<!doctype html><html><head><meta charset="utf-8"><title>Sign in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:16px sans-serif;margin:30px}input,button{display:block;width:260px;font:inherit;
padding:8px;margin:8px 0}</style></head><body><h1>Sign in</h1><p>Please sign in to continue.</p>
<form method=post action=/login><input name=user autofocus><input name=password type=password>
<button>Sign in</button></form></body></html>"""
_ITEM = """<!doctype html><html><head><meta charset="utf-8"><title>Aria tote {0}</title></head>
<body><h1 class=title>Aria tote {0}</h1><p class=price>€ 40,00</p><div class=gallery></div>
<p class=seller><a href=/seller/s>S</a></p></body></html>"""


@contextmanager
def login_shop(open_items: int = 3, closed_items: int = 3) -> Iterator[tuple[str, Counter[str]]]:
    """Its address, and what was asked for; the first items are shown to everybody."""
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            pass

        def answer(self, body: str, status: int = 200, **headers: str) -> None:
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            known = "visit=member" in (self.headers.get("Cookie") or "")
            asked[path + (" known" if known else "")] += 1
            number = path.split("/")[2] if path.startswith("/item/") else ""
            if path == "/login":
                self.answer(_LOGIN)
            elif path.startswith("/c/"):
                numbers = range(1, open_items + closed_items + 1)
                links = "".join(f"<a class=card href=/item/{n}/x>Tote {n}</a>" for n in numbers)
                self.answer(f"<html><body>{links}</body></html>")
            elif number and (known or int(number) <= open_items):
                self.answer(_ITEM.format(number))
            elif number:
                self.answer("", 302, Location=f"/login?next={path}")
            elif path.startswith("/seller/"):
                self.answer("<html><b class=seller-name>S</b></html>")
            elif path == "/":
                self.answer("<html><body><p>Home</p></body></html>")
            else:
                self.answer("nothing", 404)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            said = parse_qs(self.rfile.read(length).decode())
            asked["POST /login"] += 1
            if said.get("password") == [PASSWORD] and said.get("user") == ["mina"]:
                cookie = "visit=member; Path=/; HttpOnly; Max-Age=86400"
                self.answer("", 303, Location="/item/6/x", Set_Cookie=cookie)
            else:
                self.answer(_LOGIN, 403)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()
