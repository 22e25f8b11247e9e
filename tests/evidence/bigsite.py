"""A page of 300 resources of every kind, and a log of what its servers really sent.

Three servers on loopback: the page's own, one on another port for what comes from another
site, and, if wanted, all of it over TLS with a certificate made here.
"""

from __future__ import annotations

import gzip
import hashlib
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import brotli

from tests.pictures import jpeg

MEGABYTE = hashlib.shake_256(b"megabyte").digest(1 << 20)
BIG_MEGABYTES = 60
STALLED = b"only so much"
BROKEN = b"the beginning" * 500
SAME = b"the same everywhere " * 200
SHAPES = 40
LAZY = 30

#: What is asked for last, each after something else, and how often.
_LAST = {
    "/changing": 5, "/small/99": 1, "/small/inner": 2, "/post": 5, "/late": 1,
    f"/lazy/{LAZY - 1}.jpg": 1, "/script/29.js": 1, "/shape/arrived.jpg": 1, "/shape/a.jpg": 1,
    "/asked/by-worker": 1, "/asked/posted-by-worker": 1, "/asked/by-nested": 1,
    "/asked/by-service": 1, "/asked/cached": 1, "/cut-off": 1, "/beacon": 1, "/big.bin": 1,
    "/socket": 1, "/refused": 1, "/favicon.ico": 1, "/cors": 2, "/film.mp4": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """One response as the server sent it.

    Parameters
    ----------
    size, sha256
        Of the body before it was packed for the wire, as far as it was sent.
    whole
        Whether it was sent to its end.
    """

    method: str
    url: str
    status: int
    size: int
    sha256: str
    whole: bool
    cookies: tuple[str, ...] = ()


@dataclass
class BigSite:
    """The running site. `end` lets go what is stalled."""

    url: str = ""
    other: str = ""
    sent: list[Sent] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)
    changing: int = 0

    def all_asked(self) -> bool:
        """Whether the last of everything was asked for."""
        paths = Counter(urlsplit(one.url).path for one in self.sent)
        return all(paths[path] >= number for path, number in _LAST.items())


def _page(site: BigSite) -> str:
    shapes = "".join(f'<img src="/shape/{n}.jpg" width="40">' for n in range(SHAPES))
    same = "".join(f'<link rel="stylesheet" href="/same/{n}.css">' for n in range(20))
    scripts = "".join(f'<script src="/script/{n}.js"></script>' for n in range(30))
    lazy = "".join(
        f'<img loading="lazy" src="/lazy/{n}.jpg" width="60"'
        f' style="position:absolute; top:{700 * (n + 1)}px">'
        for n in range(LAZY)
    )
    small = ", ".join(f"'/small/{n}'" for n in range(124))
    return f"""<!doctype html><html><head><title>Everything</title>{same}
<link rel="stylesheet" href="/packed.css"></head><body style="height:22000px">{shapes}{lazy}
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">
<img src="/hop/3"><img src="/away"><img src="/missing.jpg"><img src="/empty.jpg">
<img src="/broken.jpg"><img src="/not-a-picture.jpg">
<iframe src="/frame/1"></iframe><iframe src="{site.other}/frame/other"></iframe>
<video src="/film.mp4" muted preload="auto"></video>
{scripts}<script>
const quiet = (promise) => promise.then((r) => r.arrayBuffer()).catch(() => 0);
quiet(fetch('/big.bin')); quiet(fetch('/chunked')); quiet(fetch('/brotli.json'));
quiet(fetch('/deflate')); quiet(fetch('/post', {{method: 'POST', body: 'q=velaro&n=1'}}));
quiet(fetch('/post?large', {{method: 'POST', body: new Uint8Array(3000000)}}));
const form = new FormData(); form.append('f', new Blob(['a file'.repeat(9)]), 'f.txt');
quiet(fetch('/post?file', {{method: 'POST', body: form}}));
navigator.sendBeacon('/beacon', 'seen');
quiet(fetch('/stalled')); quiet(fetch('/cut-off')); quiet(fetch('/error')); quiet(fetch('/none'));
quiet(fetch('/unchanged')); fetch('/head', {{method: 'HEAD'}}).catch(() => 0);
fetch('/unread').catch(() => 0); quiet(fetch('/empty')); quiet(fetch('/late'));
quiet(fetch('/chinese.txt')); quiet(fetch('{site.other}/cors', {{headers: {{'X-Asks': '1'}}}}));
quiet(fetch('{site.other}/secret')); fetch('{site.other}/opaque', {{mode: 'no-cors'}});
(async () => {{ for (let i = 0; i < 5; i++) await quiet(fetch('/changing')); }})();
(async () => {{ await Promise.all([{small}].map((path) => quiet(fetch(path)))); }})();
try {{ new WebSocket(location.origin.replace('http', 'ws') + '/refused'); }} catch (e) {{}}
try {{ new WebSocket(location.origin.replace('http', 'ws') + '/socket'); }} catch (e) {{}}
new EventSource('/events');
new Worker('/worker.js').onmessage = () => 0;
try {{ new SharedWorker('/shared.js'); }} catch (e) {{}}
navigator.serviceWorker && navigator.serviceWorker.register('/service.js');
const code = "postMessage(1)";
new Worker(URL.createObjectURL(new Blob([code], {{type: 'text/javascript'}})));
quiet(fetch(URL.createObjectURL(new Blob(['from a blob']))));
</script></body></html>"""


_WORKER = """importScripts('/imported/worker.js');
fetch('/asked/by-worker').then((r) => r.text()).then((t) => postMessage(t));
fetch('/asked/posted-by-worker', {method: 'POST', body: 'w'}).then((r) => r.text());
new Worker('/nested.js');"""
_NESTED = "fetch('/asked/by-nested').then((r) => r.text());"
_SERVICE = """importScripts('/imported/service.js');
self.addEventListener('install', (e) => { self.skipWaiting();
  e.waitUntil(caches.open('v1').then((c) => c.addAll(['/asked/by-service', '/asked/cached']))); });
self.addEventListener('activate', (e) => e.waitUntil(clients.claim()));
self.addEventListener('fetch', (e) => e.respondWith(fetch(e.request)));"""
_FRAME = """<p>framed</p><img src="/shape/frame.jpg"><iframe src="/frame/2"></iframe>
<form id="f" action="/post?form" method="post"><input name="a" value="ä 1"></form>"""
_INNER = """<iframe name="in"></iframe><form id="f" action="/post?form" method="post" target="in">
<input name="a" value="ä 1"></form><script>document.getElementById('f').submit();
fetch('/small/inner').then((r) => r.text());</script>"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: BigSite
    base: str

    def log_message(self, *_arguments: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            super().handle()

    def note(
        self,
        status: int,
        body: bytes,
        *,
        whole: bool = True,
        sha256: str | None = None,
        size: int | None = None,
        cookies: tuple[str, ...] = (),
    ) -> None:
        self.site.sent.append(
            Sent(
                self.command,
                self.base + self.path,
                status,
                len(body) if size is None else size,
                sha256 or hashlib.sha256(body).hexdigest(),
                whole,
                cookies,
            )
        )

    def start(self, status: int, kind: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def answer(
        self,
        body: bytes,
        kind: str,
        *headers: tuple[str, str],
        status: int = 200,
        packed: tuple[str, Callable[[bytes], bytes]] | None = None,
    ) -> None:
        wire = packed[1](body) if packed else body
        extra = [("Content-Encoding", packed[0])] if packed else []
        self.note(status, body, cookies=tuple(v for k, v in headers if k.lower() == "set-cookie"))
        self.start(status, kind, *headers, *extra, ("Content-Length", str(len(wire))))
        self.wfile.write(wire)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        first = path.split("/")[1]
        special = getattr(self, f"get_{first.split('.')[0].replace('-', '_') or 'page'}", None)
        if special is not None:
            special()
        elif path.endswith(".jpg"):
            self.answer(jpeg(zlib.crc32(path.encode()), 120), "image/jpeg")
        elif path.endswith(".js"):
            self.answer(f"var seen = {path!r};".encode(), "text/javascript")
        else:
            self.answer(f"answer of {path}".encode(), "text/plain")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(f"posted to {self.path}".encode(), "text/html")

    def do_HEAD(self) -> None:
        self.note(200, b"")
        self.start(200, "text/plain", ("Content-Length", "1234"))

    def do_OPTIONS(self) -> None:
        self.note(204, b"")
        self.start(204, "", *_ALLOW, ("Access-Control-Allow-Headers", "X-Asks"))

    def get_page(self) -> None:
        cookies = (("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/"))
        body = _page(self.site).encode()
        self.answer(body, "text/html; charset=utf-8", *cookies, packed=("gzip", gzip.compress))

    def get_same(self) -> None:
        self.answer(SAME, "text/css")

    def get_packed(self) -> None:
        self.answer(b"p { color: #123 }" * 400, "text/css", packed=("gzip", gzip.compress))

    def get_brotli(self) -> None:
        self.answer(b'{"n": 1}' * 900, "application/json", packed=("br", brotli.compress))

    def get_deflate(self) -> None:
        self.answer(b"deflated " * 900, "text/plain", packed=("deflate", zlib.compress))

    def get_chinese(self) -> None:
        self.answer("维拉罗手提包 39 元 ".encode("gbk") * 99, "text/plain; charset=gbk")

    def get_hop(self) -> None:
        left = int(self.path.rpartition("/")[2])
        target = f"/hop/{left - 1}" if left > 1 else f"{self.site.other}/shape/arrived.jpg"
        self.answer(
            b"", "text/plain", ("Location", target), ("Set-Cookie", f"h={left}"), status=302
        )

    def get_away(self) -> None:
        said = b"<p>moved, says this body"
        self.answer(said, "text/html", ("Location", f"{self.site.other}/shape/a.jpg"), status=301)

    def get_frame(self) -> None:
        self.answer((_INNER if self.path.endswith("2") else _FRAME).encode(), "text/html")

    def get_worker(self) -> None:
        self.answer(_WORKER.encode(), "text/javascript")

    def get_nested(self) -> None:
        self.answer(_NESTED.encode(), "text/javascript")

    def get_service(self) -> None:
        self.answer(_SERVICE.encode(), "text/javascript")

    def get_missing(self) -> None:
        self.answer(b"<h1>not here</h1>", "text/html", status=404)

    def get_error(self) -> None:
        self.answer(b"it broke", "text/plain", status=500)

    def get_empty(self) -> None:
        self.answer(b"", "image/jpeg")

    def get_none(self) -> None:
        self.note(204, b"")
        self.start(204, "")

    def get_unchanged(self) -> None:
        self.note(304, b"")
        self.start(304, "", ("ETag", '"x"'))

    def get_not_a_picture(self) -> None:
        self.answer(MEGABYTE[:50_000], "image/jpeg")

    def get_film(self) -> None:
        self.answer(MEGABYTE[:200_000], "video/mp4")

    def get_changing(self) -> None:
        self.site.changing += 1
        self.answer(f"for the {self.site.changing}. time".encode(), "text/plain")

    def get_late(self) -> None:
        time.sleep(0.8)
        self.answer(b"late, but here", "text/plain")

    def get_cors(self) -> None:
        self.answer(b"read across", "text/plain", *_ALLOW)

    def get_chunked(self) -> None:
        pieces = [f"piece {n} ".encode() * 50 for n in range(40)]
        self.note(200, b"".join(pieces))
        self.start(200, "text/plain", ("Transfer-Encoding", "chunked"))
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def get_big(self) -> None:
        size = BIG_MEGABYTES << 20
        self.note(200, b"", sha256=big_sha256(BIG_MEGABYTES), size=size)
        self.start(200, "application/octet-stream", ("Content-Length", str(size)))
        for _ in range(BIG_MEGABYTES):
            self.wfile.write(MEGABYTE)

    def get_flood(self) -> None:
        """Two gigabytes that nobody keeps."""
        size = 2 << 30
        self.start(200, "application/octet-stream", ("Content-Length", str(size)))
        for _ in range(size >> 20):
            self.wfile.write(MEGABYTE)

    def get_drip(self) -> None:
        """An answer that never ends, a byte at a time."""
        self.start(200, "text/plain")
        self.close_connection = True
        while not self.site.end.wait(0.05):
            self.wfile.write(b".")

    def get_floods(self) -> None:
        said = f"<p>wait<script>fetch('{self.path.partition('?')[2]}')"
        self.answer(f"{said}.then((r) => r.arrayBuffer()).catch(() => 0)</script>".encode(),
                    "text/html")  # fmt: skip

    def get_stalled(self) -> None:
        self.note(200, STALLED, whole=False)
        self.start(200, "text/plain", ("Content-Length", "5000"))
        self.wfile.write(STALLED)
        self.site.end.wait(60)

    def get_events(self) -> None:
        said = b"data: 1\n\ndata: 2\n\n"
        self.note(200, said, whole=False)
        self.start(200, "text/event-stream")
        self.wfile.write(said)
        self.site.end.wait(60)
        self.close_connection = True

    def get_cut_off(self) -> None:
        self.note(200, BROKEN, whole=False)
        self.start(200, "text/plain", ("Content-Length", "100000"))
        self.wfile.write(BROKEN)
        time.sleep(0.4)
        self.reset()

    def get_broken(self) -> None:
        whole = jpeg(99)
        self.note(200, whole[:3000], whole=False)
        self.start(200, "image/jpeg", ("Content-Length", str(len(whole))))
        self.wfile.write(whole[:3000])
        time.sleep(0.4)
        self.reset()

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def get_refused(self) -> None:
        self.answer(b"no sockets here", "text/plain", status=403)

    def get_socket(self) -> None:
        key = self.headers.get("Sec-WebSocket-Key", "")
        self.note(101, b"")
        self.start(
            101, "", ("Upgrade", "websocket"), ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", _accept(key)),
        )  # fmt: skip
        self.site.end.wait(60)
        self.close_connection = True


_ALLOW = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "*"))


def _accept(key: str) -> str:
    import base64

    magic = f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()
    return base64.b64encode(hashlib.sha1(magic).digest()).decode()


def big_sha256(megabytes: int) -> str:
    """Of a body of so many megabytes."""
    digest = hashlib.sha256()
    for _ in range(megabytes):
        digest.update(MEGABYTE)
    return digest.hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_arguments: object) -> None:
        """A browser that hangs up is no error of the test."""


@contextmanager
def serve_big(tls: tuple[Path, Path] | None = None) -> Iterator[BigSite]:
    """Serve the site on free ports of loopback.

    Parameters
    ----------
    tls
        Files with the certificate chain and the key.
    """
    site = BigSite()
    with serving(site, tls) as site.other, serving(site, tls) as site.url:
        try:
            yield site
        finally:
            site.end.set()


@contextmanager
def serving(site: BigSite, tls: tuple[Path, Path] | None) -> Iterator[str]:
    """One of its servers; the address."""
    handler = type("Handler", (_Handler,), {"site": site, "base": ""})
    server = _Server(("127.0.0.1", 0), handler)
    scheme = "http"
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    base = f"{scheme}://127.0.0.1:{server.server_port}"
    handler.base = base  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield base
    finally:
        site.end.set()
        server.shutdown()
        server.server_close()
        thread.join()
