"""Pages that make capturing hard: layers, walls, heights without end, storms, floods."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.pictures import jpeg

#: What the flood sends if nobody stops it.
FLOOD_BYTES = 2 << 30
#: How long the answer that never ends goes on, at most.
ENDLESS_SECONDS = 60.0

_BANNER = (
    '<div style="position:fixed;bottom:0;left:0;right:0;padding:2em;background:#fff" class=note>'
    "<p>{text}</p>{buttons}</div>"
)
_GONE = 'onclick="this.parentElement.remove()"'

PAGES = {
    "/banner-en": "<h1>Tote</h1>" + _BANNER.format(
        text="We value your privacy and use cookies.",
        buttons=f"<button {_GONE}>Accept all</button><button {_GONE}>Reject all</button>",
    ),
    "/banner-de": "<h1>Tasche</h1>" + _BANNER.format(
        text="Wir verwenden Cookies.",
        buttons=f"<button {_GONE}>Alle akzeptieren</button><button {_GONE}>Ablehnen</button>",
    ),
    "/banner-zh": "<h1>包</h1>" + _BANNER.format(
        text="本网站使用 cookie", buttons=f"<button {_GONE}>同意</button>"
    ),
    "/known": '<h1>Tote</h1><div style="position:fixed;inset:0;background:#fff">'
    '<button id="onetrust-accept-btn-handler" onclick="this.parentElement.remove()">Yes</button>'
    '<button id="onetrust-reject-all-handler" onclick="this.parentElement.remove()">No</button>'
    "</div>",
    "/shadow": "<h1>Tote</h1><div id=host style='position:fixed;inset:0;background:#fff'></div>"
    "<script>const root = host.attachShadow({mode: 'open'}); root.innerHTML = "
    "'<p>Your privacy choices: cookies</p><button>Decline</button>';"
    "root.querySelector('button').onclick = () => host.remove();</script>",
    # Whoever clicks any of these is told of to the server, and did wrong.
    "/traps": "<h1>Tote</h1><div role=dialog style='position:fixed;inset:5%;background:#fff'>"
    "<form action=/subscribed method=post><p>Cookies and news</p><input type=email name=a>"
    "<button>Accept</button></form>"
    "<form action=/bought method=post><button>Buy now and accept cookies</button></form>"
    "<a href=/left>OK</a><button onclick=\"location='/signed-in'\">Log in</button></div>",
    "/rowdy": "<h1>Tote</h1><script>setInterval(() => { window.open('/other'); alert('x') }, 1)"
    "</script>",
    "/stubborn": "<h1>Tote</h1><script>for (;;) alert('again')</script>",
    "/tall": "<title>Tall</title><body style='margin:0'><div style='height:40000px;background:"
    "linear-gradient(#f00,#00f)'></div><p style='height:40px;margin:0;background:#0f0'>end</p>",
    "/abyss": "<title>Abyss</title><body style='margin:0'><div style='height:9000000px;"
    "background:#eee'></div>",
    "/scroll": "<h1>Scroll</h1><script>const more = () => { for (let i = 0; i < 20; i++) "
    "document.body.append(Object.assign(document.createElement('p'), {textContent: 'more'})) };"
    "more(); more(); more(); addEventListener('scroll', () => { more(); more(); more() })</script>",
    "/state": "<title>State</title><link rel=stylesheet href=/style.css><style id=s></style>"
    "<h1>State</h1><input id=i><textarea id=t></textarea><select id=c><option>a<option>b</select>"
    "<input type=checkbox id=k><input type=password id=p><img src=/picture.jpg onload='1'>"
    "<canvas id=v width=20 height=20></canvas><iframe src=/inner></iframe><div id=h></div>"
    "<a href='javascript:alert(1)'>x</a><script>s.sheet.insertRule('h1 { color: rgb(1, 2, 3) }');"
    "i.value = 'typed \"&'; t.value = '</textarea>'; c.selectedIndex = 1; k.checked = true;"
    "p.value = 'secret'; v.getContext('2d').fillRect(0, 0, 20, 20);"
    "const r = h.attachShadow({mode: 'open'}); r.innerHTML = '<b>in the shadow</b>'</script>",
    "/inner": "<style>p { background: url(/picture.jpg) } /* \"</p> */</style><p>inside</p>",
    "/waits": "<h1>Waits</h1><img src=/picture.jpg><img src=/endless.jpg>",
    "/flooded": "<h1>Flooded</h1><script>fetch('/flood')</script>",
}  # fmt: skip


class Rough(ThreadingHTTPServer):
    """The server; `asked` has the paths in order, `poured` the bytes of the flood."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.poured = 0
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Rough

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.server.asked.append(path)
        if path == "/picture.jpg":
            self.answer("image/jpeg", jpeg(1, 200))
        elif path == "/style.css":
            self.answer(
                "text/css", b"@import url(/more.css); h1 { background: url('picture.jpg') }"
            )
        elif path == "/more.css":
            self.answer("text/css", b"body { margin: 7px }")
        elif path in ("/endless", "/endless.jpg", "/flood"):
            kinds = {"/endless": "text/html", "/endless.jpg": "image/jpeg"}
            self.send_response(200)
            self.send_header("Content-Type", kinds.get(path, "application/octet-stream"))
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.flood() if path == "/flood" else self.trickle(path == "/endless")
            self.close_connection = True
        else:
            body = f"<!doctype html><meta charset=utf-8>{PAGES.get(path, '<h1>Other</h1>')}"
            self.answer("text/html", body.encode())

    def answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def trickle(self, page: bool) -> None:
        until = time.monotonic() + ENDLESS_SECONDS
        self.wfile.write(b"<h1>Endless</h1>" if page else b"\xff\xd8\xff\xe0")
        while time.monotonic() < until and not self.server.over.wait(0.1):
            self.wfile.write(b"<p>and on</p>" if page else b"\xff")

    def flood(self) -> None:
        chunk = bytes(1 << 20)
        while self.server.poured < FLOOD_BYTES and not self.server.over.is_set():
            self.wfile.write(chunk)
            self.server.poured += len(chunk)


@contextmanager
def rough_site() -> Iterator[Rough]:
    """Serve it on a free port of loopback."""
    server = Rough()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
