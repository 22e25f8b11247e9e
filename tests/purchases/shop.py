"""A tiny shop as a process of its own, that counts the orders it gets and can misbehave.

`python -m tests.purchases.shop LOG MODE` serves the bazaar's checkout pages. Modes:
normal, slow (the confirmation takes long), drop (the connection is cut after the order was
taken), error (500 after it was taken), twice (the page's script submits twice), close (a
connection for every request), beacon (the page tells a tracker before and after it orders),
spin (the confirmation computes for ever), cut (beacon and drop together),
dearer (the total went up), other (another seller), gone (no such listing),
lost (the order leads to a page that confirms nothing, with a token in its address),
nasty (whatever asks for `/checkout/place` orders, and the page's script tries every way to).
"""

from __future__ import annotations

import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LOG, MODE = sys.argv[1], sys.argv[2]

NEXT = {
    "/checkout/address": "/checkout/shipping",
    "/checkout/shipping": "/checkout/payment",
    "/checkout/payment": "/checkout/review",
}
FIELDS = "".join(
    f'<input name="{name}">' for name in ("name", "email", "line1", "city", "postcode", "country")
)
RADIO = "<input type=radio name={0} value={1} checked>"
PAGES = {
    "/item/1/tote": "<h1>Tote</h1><form method=post action=/cart/add>"
    "<button id=add-to-cart>Add</button></form>",
    "/cart": '<a id=to-checkout href="/checkout/address">Check out</a>',
    "/checkout/address": f"<form method=post>{FIELDS}<button id=next>Next</button></form>",
    "/checkout/shipping": f"<form method=post>{RADIO.format('shipping', 'standard')}"
    "<button id=next>Next</button></form>",
    "/checkout/payment": f"<form method=post>{RADIO.format('payment', 'invoice')}"
    "<button id=next>Next</button></form>",
}
REVIEW = """<p class=bill-title>Tote</p><p class=bill-seller>{seller}</p>
<p class=bill-quantity>1</p><p class=bill-price>€ 35,00</p><p class=bill-total>€ {total}</p>
<form method=post action=/checkout/place><button id=place-order>Order</button></form>{script}"""
TWICE = """<script>document.querySelector('form').addEventListener('submit', () => {
  fetch('/checkout/place', {method: 'POST'});
  fetch('/checkout/place', {method: 'POST'});
});</script>"""

BEACON = """<script>document.querySelector('form').addEventListener('submit', () => {
  navigator.sendBeacon('/track/before', 'x');
  setTimeout(() => navigator.sendBeacon('/track/after', 'x'), 200);
  setTimeout(() => fetch('/track/also', {method: 'POST'}), 300);
});
addEventListener('pagehide', () => navigator.sendBeacon('/track/leave', 'x'));</script>"""

NASTY = """<script>document.querySelector('button').addEventListener('click', () => {
  const at = (how) => '/checkout/place?' + how;
  fetch(at('fetch'), {method: 'POST'});
  fetch(at('get'));
  navigator.sendBeacon(at('beacon'), 'x');
  new WebSocket('ws://' + location.host + at('socket'));
  const more = new XMLHttpRequest();
  more.open('PUT', at('xhr'));
  more.send();
  window.open(at('window'));
  const frame = document.body.appendChild(document.createElement('iframe'));
  frame.src = at('frame');
  const form = document.querySelector('form').cloneNode(true);
  form.target = '_blank';
  document.body.appendChild(form).submit();
  setTimeout(() => { location.href = at('location'); }, 300);
  setTimeout(() => fetch(at('late'), {method: 'POST', keepalive: true}), 600);
});</script>"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        pass

    def answer(self, status: int, body: str, location: str | None = None) -> None:
        data = f"<!doctype html><html><body>{body}</body></html>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        if MODE == "close":
            self.send_header("Connection", "close")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if MODE == "nasty" and path == "/checkout/place":
            self.note_order()
        if MODE == "gone" and path.startswith("/item"):
            self.answer(404, "gone")
        elif path == "/checkout/review":
            page = REVIEW.format(
                seller="Somebody else" if MODE == "other" else "Seller",
                total="4.000,00" if MODE == "dearer" else "40,00",
                script={"twice": TWICE, "beacon": BEACON, "cut": BEACON, "nasty": NASTY}.get(
                    MODE, ""
                ),
            )
            self.answer(200, page)
        elif path.startswith("/checkout/done/"):
            if MODE == "slow":
                time.sleep(3)
            spin = "<script>for (;;);</script>" if MODE == "spin" else ""
            self.answer(200, f"{spin}<b class=order-number>{path.rsplit('/', 1)[-1]}</b>")
        elif path in PAGES:
            self.answer(200, PAGES[path])
        else:
            self.answer(404, "nothing")

    def note_order(self) -> None:
        with open(LOG, "a", encoding="utf-8") as log:  # noqa: PTH123 - O_APPEND
            log.write("order\n")
            log.flush()
            os.fsync(log.fileno())

    def do_PUT(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path == "/cart/add":
            self.answer(303, "", "/cart")
        elif path in NEXT:
            self.answer(303, "", NEXT[path])
        elif path.startswith("/track/"):
            self.answer(204, "")
        elif path == "/checkout/place":
            self.note_order()
            if MODE in ("beacon", "cut"):
                time.sleep(1)
            if MODE == "hang":
                time.sleep(30)
            if MODE in ("drop", "cut"):
                self.connection.shutdown(socket.SHUT_RDWR)
            elif MODE == "error":
                self.answer(500, "broken")
            elif MODE == "lost":
                self.answer(303, "", "/checkout/wait?token=t0ps3cret&email=p1%40mail.example")
            else:
                self.answer(303, "", "/checkout/done/B-1")


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
