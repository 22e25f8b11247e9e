"""A console over a seeded installation, and one real bundle for its captures."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from console.web.app import create_app
from crawler.browsing.browser import find_chromium
from crawler.network.gate import Gate
from evidence.capturing.capture import capture
from evidence.signing.signer import KeyFolder
from registry.blobs import Blobs
from registry.database import Database
from registry.settings import Settings
from tests.console.seed import Seeded, seed

_PAGE = b"""<!doctype html><meta charset="utf-8"><title>A listing</title>
<style>body{font:18px sans-serif;margin:40px}div{height:500px;background:#c9a66b}</style>
<h1>Velaro Aria Tote AAA quality mirror replica</h1><p>39.00 EUR, Bag Heaven Store</p><div></div>
<p>New with tags. Ships in 3 days.</p>"""


@dataclass(frozen=True)
class Bundle:
    """A sealed bundle, as a real capture made it."""

    data: bytes
    sha256: str
    screenshot: bytes


@contextmanager
def shop() -> Iterator[str]:
    """A page to capture; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(_PAGE)))
            self.end_headers()
            self.wfile.write(_PAGE)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    keys = KeyFolder(tmp_path_factory.mktemp("installation") / "keys")
    keys.create()
    with shop() as url:
        made = asyncio.run(
            capture(
                url,
                gate=Gate(["127.0.0.1"]),
                executable=find_chromium(None),
                folder=tmp_path_factory.mktemp("capture"),
                circumstances={"operator": "tester", "why": "a test"},
                signer=keys.open(),
            )
        )
    return Bundle(
        made.sealed.path.read_bytes(), made.sealed.sha256, made.sealed.screenshot.read_bytes()
    )


@pytest.fixture
def seeded(database: Database, blobs: Blobs, bundle: Bundle) -> Seeded:
    return seed(
        database,
        blobs,
        bundle=bundle.data,
        bundle_sha256=bundle.sha256,
        screenshot=bundle.screenshot,
    )


@dataclass(frozen=True)
class Console:
    """A console being served, and a client that sends what its own pages would."""

    url: str
    http: httpx.Client

    def page(self, path: str, status: int = 200) -> str:
        """A page's text, of the status that it must have."""
        answer = self.http.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def json(self, path: str) -> Any:
        """What the API answers."""
        answer = self.http.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def console(settings: Settings, database: Database, blobs: Blobs) -> Iterator[Console]:
    with serve(create_app(settings, database, blobs)) as served:
        yield served


@contextmanager
def serve(app: Starlette) -> Iterator[Console]:
    """Serve an application on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=5))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        own = {"Sec-Fetch-Site": "same-origin", "Origin": url}
        with httpx.Client(base_url=url, headers=own, timeout=60) as client:
            yield Console(url, client)
    finally:
        server.should_exit = True
        thread.join()
