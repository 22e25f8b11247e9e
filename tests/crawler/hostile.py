"""A marketplace that means harm, as a process of its own: `python -m tests.crawler.hostile`.

It serves two honest listings among traps, in the bazaar's markup.
"""

from __future__ import annotations

import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from bazaar.faults import giant_png
from tests.pictures import jpeg

FORBIDDEN = sys.argv[1]

LISTING = """<html><body><h1 class=title>Tote {0}</h1><p class=price>€ 40,00</p>
<div class=gallery>{1}</div><p class=seller><a href=/seller/s>S</a></p></body></html>"""
#: Address → what it does; each is linked like a listing.
TRAPS = {
    "10": "a redirect to where nobody may go",
    "11": "a redirect loop",
    "12": "no HTML at all",
    "13": "a page without end, unpacked",
    "14": "a page that never says its title",
    "15": "an error",
    "16": "a connection that breaks off",
    "17": "deep markup",
    "18": "a charset that does not exist",
    "19": "a redirect to another scheme",
}
PICTURES = [
    "/images/good.jpg",
    "/images/giant.png",
    "/images/text.jpg",
    "/images/none.jpg",
    "/images/loop.jpg",
    f"{FORBIDDEN}inside.jpg",
    "file:///etc/passwd",
    "http://[::1/x.jpg",
    "data:image/png;base64,AAAA",
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        pass

    def answer(self, body: bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> None:
        self.send_response(int(headers.pop("status", "200")))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/c/"):
            links = "".join(f"<a class=card href=/item/{n}/x>{n}</a>" for n in ("1", *TRAPS, "2"))
            bad = (
                f"<a class=card href='{FORBIDDEN}item/66/x'>x</a>"
                "<a class=card href='http://[/item/67/x'>x</a>"
                "<a class=card href='javascript:alert(1)'>x</a>"
            )
            self.answer(f"<html><body>{bad}{links}</body></html>".encode())
        elif path.startswith("/item/"):
            self.item(path.split("/")[2])
        elif path == "/images/good.jpg":
            self.answer(jpeg(3), "image/jpeg")
        elif path == "/images/giant.png":
            self.answer(giant_png(), "image/png")
        elif path == "/images/text.jpg":
            self.answer(b"<script>alert(1)</script>", "image/jpeg")
        elif path == "/images/loop.jpg":
            self.answer(b"", status="302", Location="/images/loop.jpg")
        elif path.startswith("/seller/"):
            self.answer(b"<html><b class=seller-name>S</b></html>")
        else:
            self.answer(b"nothing", status="404")

    def item(self, number: str) -> None:
        page = LISTING.format(number, "".join(f"<img src='{url}'>" for url in PICTURES)).encode()
        if number in ("1", "2"):
            self.answer(page)
        elif number == "10":
            self.answer(b"", status="302", Location=f"{FORBIDDEN}secret")
        elif number == "11":
            self.answer(b"", status="302", Location=self.path)
        elif number == "12":
            self.answer(bytes(range(256)) * 40, "application/octet-stream")
        elif number == "13":
            packer = zlib.compressobj(9, zlib.DEFLATED, 31)
            body = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(300))
            self.answer(body + packer.flush(), Content_Encoding="gzip")
        elif number == "14":
            self.answer(b"<html><body>" + b"<p>x</p>" * 1000 + b"</body></html>")
        elif number == "15":
            self.answer(b"broken", status="500")
        elif number == "16":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"<html>")
            self.close_connection = True
        elif number == "17":
            self.answer(b"<html>" + b"<div>" * 30_000 + page + b"</html>")
        elif number == "18":
            self.answer(page, "text/html; charset=klingon")
        elif number == "19":
            self.answer(b"", status="302", Location="file:///etc/passwd")


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
