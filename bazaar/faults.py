"""Faults on demand: what a crawler meets on a bad day, at given rates or when asked for."""

from __future__ import annotations

import asyncio
import random
import struct
import zlib
from collections import Counter
from dataclasses import dataclass, field

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

NAMES = (
    "slow", "status_429", "status_503", "broken_markup", "broken_image", "giant_image",
    "redirect_loop", "login_wall", "captcha", "block_page", "cookie_banner", "newsletter",
)  # fmt: skip

#: What a shop shows instead of a page: to strangers, to suspects, to those it will not have.
_WALLS = {
    "login_wall": (200, """<h1>Sign in to continue</h1><form method="post" action="/login">
<label>E-mail <input name="email" type="email"></label>
<label>Password <input name="password" type="password"></label><button>Sign in</button></form>"""),
    "captcha": (200, """<h1>One more step</h1><p>Please confirm that you are not a robot.</p>
<div class="captcha-box"><label><input type="checkbox"> I am human</label></div>"""),
    "block_page": (403, "<h1>Access denied</h1><p>Reference 18.4f3a2c17</p>"),
}  # fmt: skip
#: What a shop lays over a page.
_LAYERS = {
    "cookie_banner": """<div id="consent" class="layer" style="position:fixed;inset:auto 0 0 0;
background:#fff;padding:2rem;border-top:2px solid;z-index:9"><p>We use cookies, and so do our 417
partners.</p><button onclick="document.cookie='consent=all;path=/';this.parentElement.remove()">
Accept all</button> <button onclick="document.cookie='consent=few;path=/';
this.parentElement.remove()">Only necessary</button></div>""",
    "newsletter": """<div role="dialog" aria-modal="true" style="position:fixed;inset:10%;
background:#fff;padding:4rem;z-index:8"><h2>Ten percent off</h2><form action="/subscribe"
method="post"><input name="email" type="email"><button>Subscribe</button></form>
<button type="button" aria-label="Close" onclick="this.parentElement.remove()">✕</button></div>""",
}  # fmt: skip


def parse_rates(text: str) -> dict[str, float]:
    """Rates as ``slow=0.05,status_503=0.1``.

    Raises
    ------
    ValueError
        Naming what is no fault or no rate.
    """
    rates: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, rate = part.partition("=")
        if name not in NAMES:
            raise ValueError(f"{name!r} is no fault; there are: {', '.join(NAMES)}")
        rates[name] = float(rate)
        if not 0 <= rates[name] <= 1:
            raise ValueError(f"{part!r}: a rate lies between 0 and 1")
    return rates


def giant_png(side: int = 30_000) -> bytes:
    """A PNG of some kilobytes that would take gigabytes to decode."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@dataclass
class Plan:
    """Which request gets which fault.

    A rate falls on the first request of an address only, so that whoever tries again
    politely gets everything in the end.
    """

    rates: dict[str, float]
    seed: int
    asked: Counter[str] = field(default_factory=Counter)

    def fault(self, request: Request) -> str | None:
        """The fault for a request, if any: by its query, its header, or by the rates."""
        wanted = request.query_params.get("fault") or request.headers.get("x-fault")
        if wanted in NAMES:
            return wanted
        path = str(request.url.path) + "?" + str(request.url.query)
        self.asked[path] += 1
        if self.asked[path] > 1 or request.method != "GET":
            return None
        dice = random.Random(f"{self.seed} {path}")
        image = request.url.path.startswith("/images/")
        for name, rate in self.rates.items():
            fits = image if name.endswith("_image") else not (image and name == "broken_markup")
            if fits and dice.random() < rate:
                return name
        return None


class Faults(BaseHTTPMiddleware):
    """Lays the faults over the shop."""

    def __init__(self, app: ASGIApp, plan: Plan) -> None:
        super().__init__(app)
        self.plan = plan

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer with a fault, or let the shop answer."""
        fault = self.plan.fault(request)
        if fault == "slow":
            await asyncio.sleep(2.0)
        elif fault == "status_429":
            return Response("slow down", 429, {"Retry-After": "1"})
        elif fault == "status_503":
            return Response("try again", 503)
        elif fault == "redirect_loop":
            return RedirectResponse(str(request.url), 302)
        elif fault == "broken_image":
            return Response(b"\xff\xd8\xff\xe0 this is no JPEG", media_type="image/jpeg")
        elif fault == "giant_image":
            return Response(giant_png(), media_type="image/png")
        elif fault in _WALLS:
            status, wall = _WALLS[fault]
            text = f"<!doctype html><title>Bazaar</title>{wall}"
            return Response(text, status, media_type="text/html")
        response = await call_next(request)
        if fault in _LAYERS and response.headers.get("content-type", "").startswith("text/html"):
            page = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[attr-defined]
            layered = page.replace(b"</body>", _LAYERS[fault].encode() + b"</body>")
            headers = {k: v for k, v in response.headers.items() if k != "content-length"}
            return Response(layered, response.status_code, headers)
        if fault == "broken_markup":
            body = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[attr-defined]
            return Response(
                body[: len(body) // 3] + b"<div <<p></table></div",
                response.status_code,
                media_type="text/html",
            )
        return response
