"""What keeps hostile pages and hostile text out: headers, same-origin posts, host names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Names under which a console on loopback is reached. Any other would let a page of the
#: open web read it by DNS rebinding.
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1", "[::1]")

#: connect-src is for htmx, which fetches from here. No inline style or script is allowed,
#: nor eval: neither is used.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

#: For bytes that a marketplace gave us, should a browser take them for a page after all.
BLOB_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": PAGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        # Not no-referrer: with it browsers post forms with "Origin: null".
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def page_policy(*, framing: str) -> str:
    """The policy of a page that shows one other origin in a frame."""
    return f"{PAGE_POLICY}; frame-src {framing}"


class SecurityHeaders:
    """Gives every response the headers above, or others, where it has none of its own."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = HEADERS) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class SameOrigin:
    """Refuses requests that change something and do not come from our own pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["method"] not in _SAFE_METHODS
            and not comes_from_here(Headers(scope=scope))
        ):
            refusal = PlainTextResponse(
                "Refused: this must be sent from the console's own pages.\n", status_code=403
            )
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


def wanted(request: Request) -> None:
    """Let nobody be written down for having seen what a browser only fetched ahead of time.

    Raises
    ------
    HTTPException
        503; the browser then asks again once somebody wants to see it.
    """
    headers = request.headers
    if "prefetch" in (headers.get("sec-purpose") or headers.get("purpose") or ""):
        raise HTTPException(503, "Evidence is not fetched ahead of time: looking at it is logged.")


def wanted_here(request: Request) -> None:
    """The same, and let no page of another origin, be it of this host, have it fetched.

    Raises
    ------
    HTTPException
        403 for those.
    """
    wanted(request)
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise HTTPException(403, "Evidence is opened from the console's own pages.")


def comes_from_here(headers: Headers) -> bool:
    """Whether a request was sent by a page of this origin, by what the browser says of it.

    Browsers send `Sec-Fetch-Site` only to trustworthy origins (loopback, HTTPS), and
    `Origin` with every post; a page can forge neither. A request with neither is refused.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    if origin is None:
        return site is not None
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc == headers.get("host")
