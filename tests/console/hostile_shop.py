"""A shop to capture whose page, when it is replayed, tries to reach the live shop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.pictures import jpeg

PICTURE_SIDE = 200
#: Milliseconds after which the page tries WebRTC.
PATIENCE = 6000

#: Runs in every window that it can get hold of, since the player alters only those that it
#: knows of. `__LIVE__` is the shop's host and port.
_ESCAPE = """
const live = 'http://__LIVE__', stamp = Date.now() + '-' + Math.random();
const realms = [window];
for (const make of [
  () => { const d = document.createElement('div'); d.innerHTML = '<iframe></iframe>';
          document.body.append(d); return window[window.length - 1]; },
  () => { const t = document.createElement('template');
          t.innerHTML = '<svg><foreignObject><iframe></iframe></foreignObject></svg>';
          document.body.append(t.content); return window[window.length - 1]; },
  () => { document.body.append(document.createRange()
          .createContextualFragment('<iframe srcdoc="<p>x"></iframe>'));
          return window[window.length - 1]; },
]) { try { realms.push(make()); } catch (error) { console.log('realm: ' + error); } }
const native = f => /\\[native code\\]/.test(Function.prototype.toString.call(f));
document.documentElement.dataset.escaped = realms.filter(w => {
  try { return w && native(w.fetch); } catch (error) { return false; }
}).length;
const attempts = (w, n) => [
  () => w.fetch(`${live}/new-${stamp}-${n}`, {mode: 'no-cors'}).catch(() => 0),
  () => w.navigator.sendBeacon(`${live}/beacon-${n}`, 'x'),
  () => new w.WebSocket(`ws://__LIVE__/socket-${n}`),
  () => new w.EventSource(`${live}/events-${n}`),
  () => { const x = new w.XMLHttpRequest(); x.open('POST', `${live}/xhr-${n}`); x.send('x'); },
  () => { const i = new w.Image(); i.src = `${live}/image-${n}`; w.document.body.append(i); },
  () => { const s = w.document.createElement('script'); s.src = `${live}/script-${n}`;
          w.document.body.append(s); },
  () => { const s = w.document.createElement('iframe'); s.src = `${live}/frame-${n}`;
          w.document.body.append(s); },
  () => { for (const rel of ['stylesheet', 'prefetch', 'preload', 'preconnect', 'prerender',
                             'modulepreload', 'icon']) {
          const l = w.document.createElement('link'); l.rel = rel; l.as = 'image';
          l.href = `${live}/${rel}-${n}`; w.document.head.append(l); } },
  () => { const v = w.document.createElement('video'); v.src = `${live}/video-${n}`;
          w.document.body.append(v); v.load(); },
  () => { const o = w.document.createElement('object'); o.data = `${live}/object-${n}`;
          w.document.body.append(o); },
  () => new w.FontFace('x', `url(${live}/font-${n})`).load().catch(() => 0),
  () => { w.document.body.style.backgroundImage = `url(${live}/background-${n})`; },
  () => { const code = `fetch('${live}/worker-${n}', {mode: 'no-cors'}).catch(() => 0);`
          + `importScripts('${live}/import-${n}')`;
          new w.Worker(w.URL.createObjectURL(new w.Blob([code]))); },
  () => { const f = w.document.createElement('form'); f.action = `${live}/form-${n}`;
          f.method = 'post'; f.target = 'elsewhere'; w.document.body.append(f);
          const e = w.document.createElement('iframe'); e.name = 'elsewhere';
          w.document.body.append(e); w.HTMLFormElement.prototype.submit.call(f); },
  () => { const a = w.document.createElement('a'); a.href = '#'; a.ping = `${live}/ping-${n}`;
          w.document.body.append(a); a.click(); },
  () => { const s = w.document.createElement('script'); s.type = 'speculationrules';
          s.textContent = JSON.stringify({prefetch: [{source: 'list', urls: [`${live}/rule-${n}`]}],
            prerender: [{source: 'list', urls: [`${live}/rule2-${n}`]}]});
          w.document.head.append(s); },
  () => new w.WebTransport(`https://__LIVE__/transport-${n}`).ready.catch(() => 0),
  () => w.navigator.serviceWorker.register(`${live}/sw.js`).catch(() => 0),
];
let tried = 0;
realms.forEach((w, n) => { for (const attempt of attempts(w, n)) {
  tried++; try { attempt(); } catch (error) { console.log('attempt: ' + error); } } });
setTimeout(() => { for (const w of realms.slice(1)) {
  try { w.top.location = `${live}/top`; } catch (error) { }
  try { w.open(`${live}/popup`); } catch (error) { }
  try { w.location.href = `${live}/navigated`; } catch (error) { }
  document.documentElement.dataset.tried = tried; } }, 300);
// Chromium ends a page for this.
setTimeout(() => { for (const w of realms) {
  try { const c = new w.RTCPeerConnection({iceServers: [{username: 'u', credential: 'c',
      urls: ['stun:__LIVE__', 'turn:__LIVE__', 'turn:__LIVE__?transport=tcp']}]});
    c.createDataChannel('x'); c.createOffer().then(o => c.setLocalDescription(o));
  } catch (error) { } } }, __PATIENCE__);
"""

#: What pages send, each with an answer of its own from one and the same address.
_ASK = """
const parts = new FormData();
parts.set('price', '39'); parts.set('colour', 'cognac');
const asks = {
  json: [{'Content-Type': 'application/json'}, JSON.stringify(
    {id: 7, q: 'tote & bag/2', of: {n: 1.5, ok: true, no: null}, tags: ['a', 'b', 2]})],
  other: [{'Content-Type': 'application/json'}, JSON.stringify({id: 8, q: '包 ü'})],
  form: [{}, new URLSearchParams({a: '1 2', b: 'x&y=z'})],
  plain: [{}, 'just words'],
  parts: [{}, parts],
  bytes: [{'Content-Type': 'application/octet-stream'}, new Uint8Array([0, 1, 100])],
};
const answers = {};
const done = Promise.all(Object.entries(asks).map(([name, [headers, body]]) =>
  fetch('/ask', {method: 'POST', headers: {...headers, 'X-Name': name}, body})
    .then(r => r.text(), String).then(text => { answers[name] = text; })));
done.then(() => { document.documentElement.dataset.answers = JSON.stringify(answers); });
"""

_PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>Velaro Aria Tote</title>
<link rel="stylesheet" href="/style.css"></head><body>
<h1>Velaro Aria Tote</h1><p id="price">39.00 EUR</p>
<img id="first" src="/picture.jpg"><img id="again" src="/copy.jpg"><img id="moved" src="/moved.jpg">
<script>__ASK__</script>
<script>if (window._WBWombat || window.wbinfo) {__ESCAPE__}</script>
</body></html>"""


@dataclass
class Shop:
    """The running shop, and the paths that it was asked for."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def open_shop() -> Iterator[Shop]:
    """Serve the shop on a free port of loopback; `/hostile` is the page that tries to escape."""
    shop = Shop("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            pass

        def answer(self, status: int, body: bytes, kind: str, **headers: str) -> None:
            shop.asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            page = "text/html; charset=utf-8"
            if self.path == "/item":
                body = _PAGE.replace("__ESCAPE__", _ESCAPE)
                body = body.replace("__ASK__", _ASK)
                body = body.replace("__PATIENCE__", str(PATIENCE))
                body = body.replace("__LIVE__", shop.url.removeprefix("http://"))
                self.answer(200, body.encode(), page)
            elif self.path == "/style.css":
                self.answer(200, b"h1 { color: rgb(1, 2, 3) }", "text/css")
            elif self.path == "/moved.jpg":
                self.answer(302, b"", "text/plain", Location="/picture.jpg")
            elif self.path in ("/picture.jpg", "/copy.jpg"):
                self.answer(200, jpeg(7, PICTURE_SIDE), "image/jpeg")
            else:
                self.answer(404, b"not here", page)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/ask":
                name = self.headers["X-Name"]
                self.answer(200, f"the answer to {name}".encode(), "text/plain")
            else:
                self.answer(404, b"not here", "text/plain")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
