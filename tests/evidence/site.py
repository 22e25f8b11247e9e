"""A small hostile-enough site on loopback that logs what it sent."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.pictures import jpeg

BIG = hashlib.shake_256(b"big").digest(24 << 20)

PAGE = """<!doctype html><html><head><title>Velaro Aria Tote &amp; more</title>
<link rel="stylesheet" href="/style.css"></head><body style="height:4000px">
<h1>Velaro Aria Tote</h1><p>€ 39,00 维拉罗</p>
<img src="/picture-1.jpg" width="200"><iframe src="/frame"></iframe>
<img src="/moved.jpg" width="50"><img src="/lost.jpg">
<img loading="lazy" src="/lazy.jpg" style="position:absolute; top:3600px" width="100">
<script>
fetch('/api', {method: 'POST', body: 'q=velaro'});
fetch('/big.bin').then(r => r.arrayBuffer());
window.open('/popup'); alert('hello');
</script></body></html>"""


@dataclass
class Site:
    """The running site; `sent` has (method, path, status, body as decoded) in order."""

    url: str
    sent: list[tuple[str, str, int, bytes]] = field(default_factory=list)


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            pass

        def answer(
            self,
            status: int,
            body: bytes,
            kind: str,
            *headers: tuple[str, str],
            packed: bool = False,
        ) -> None:
            site.sent.append((self.command, self.path, status, body))
            wire = gzip.compress(body) if packed else body
            self.send_response(status)
            self.send_header("Content-Type", kind)
            for name, value in headers:
                self.send_header(name, value)
            if packed:
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(wire)))
            self.end_headers()
            self.wfile.write(wire)

        def do_GET(self) -> None:
            path = self.path
            if path == "/item":
                self.answer(
                    200, PAGE.encode(), "text/html; charset=utf-8",
                    ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), packed=True,
                )  # fmt: skip
            elif path == "/style.css":
                self.answer(200, b"h1 { color: #234 }", "text/css")
            elif path == "/frame":
                self.answer(200, b"<p>framed</p><img src=/picture-2.jpg>", "text/html")
            elif path == "/moved.jpg":
                self.answer(302, b"", "text/plain", ("Location", "/picture-3.jpg"))
            elif path.endswith(".jpg") and path != "/lost.jpg":
                self.answer(200, jpeg(len(path)), "image/jpeg")
            elif path == "/big.bin":
                self.answer(200, BIG, "application/octet-stream")
            elif path == "/broken":
                self.answer(503, b"no", "text/plain")
            elif path == "/wall":
                self.answer(403, b"<h1>Are you a robot?</h1>", "text/html")
            elif path == "/busy":
                spin = b"<h1>Tote</h1><script>setTimeout(() => {for (;;);}, 200)</script>"
                self.answer(200, spin, "text/html")
            elif path == "/download":
                self.answer(200, b"x", "application/zip", ("Content-Disposition", "attachment"))
            elif path.startswith("/to/"):
                target = path.removeprefix("/to/")
                self.answer(302, b"", "text/plain", ("Location", f"http://{target}/secret"))
            elif path.startswith("/leak/"):
                secret = f"http://{path.removeprefix('/leak/')}"
                self.answer(200, _leak(secret).encode(), "text/html")
            else:
                self.answer(404, b"<h1>not here</h1>", "text/html")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer(200, b'{"found": 3}', "application/json")

    return Handler


def _leak(secret: str) -> str:
    """A page that asks a forbidden server in every way that we know of."""
    ws = secret.replace("http://", "ws://")
    host = secret.removeprefix("http://")
    return f"""<!doctype html><link rel=stylesheet href="{secret}/css">
<img src="{secret}/img"><iframe src="{secret}/frame"></iframe><script src="{secret}/js"></script>
<img src="/to/{host}"><iframe src="/to/{host}"></iframe><object data="{secret}/object"></object>
<video src="{secret}/video" autoplay></video><link rel=prefetch href="{secret}/prefetch">
<form id=f action="{secret}/form" method=post target=_blank><input name=a></form>
<a id=a href="{secret}/link" target=_blank ping="{secret}/ping">x</a><script>
fetch('{secret}/fetch', {{mode: 'no-cors'}}).catch(() => 0);
fetch('/to/{host}', {{mode: 'no-cors'}}).catch(() => 0);
navigator.sendBeacon('{secret}/beacon', 'x'); window.open('{secret}/popup');
try {{ new WebSocket('{ws}/ws') }} catch (e) {{}}
try {{ new EventSource('{secret}/events') }} catch (e) {{}}
try {{ const code = "fetch('{secret}/worker', {{mode: 'no-cors'}})";
  new Worker(URL.createObjectURL(new Blob([code]))) }} catch (e) {{}}
document.getElementById('f').submit(); document.getElementById('a').click();
</script>"""


@contextmanager
def serve() -> Iterator[Site]:
    """Serve the site on a free port of loopback."""
    site = Site("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
