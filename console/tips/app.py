"""The application: a form, its thanks, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from console.tips.limits import Limits
from console.web.security import HEADERS, LOOPBACK_NAMES, SecurityHeaders
from crawler.network.gate import gate_of
from crawler.ways_in.leads import MAX_URL
from crawler.ways_in.tips import MAX_CONTACT, MAX_TEXT, Unwanted, tell
from registry.database import Database
from registry.settings import Settings

#: Form encoding takes up to twelve bytes for a character.
MAX_BODY = 12 * (MAX_TEXT + MAX_CONTACT + MAX_URL) + 1_000
STYLE = Path(__file__).with_name("static") / "tip.css"

_POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


class _TooLarge(Exception):
    pass


def create_tips_app(
    settings: Settings, database: Database, *, allowed_hosts: Sequence[str] = ()
) -> Starlette:
    """Make the page of one installation.

    Parameters
    ----------
    allowed_hosts
        Host names, beside those of loopback, under which it is reached.
    """
    pages = Environment(
        loader=PackageLoader("console.tips"), autoescape=True, undefined=StrictUndefined
    )
    gate, limits = gate_of(settings), Limits()

    def page(name: str, status: int = 200, **context: Any) -> Response:
        return HTMLResponse(pages.get_template(name).render(**context), status)

    def form(status: int = 200, fault: str = "") -> Response:
        # What was sent is not shown again: nothing that comes in goes out.
        return page(
            "tip.html",
            status,
            fault=fault,
            max_url=MAX_URL,
            max_text=MAX_TEXT,
            max_contact=MAX_CONTACT,
        )

    def keep(fields: dict[str, str]) -> None:
        with database.writing() as session:
            tell(session, gate, fields["url"], fields["text"], fields["contact"])

    async def take(request: Request, fields: dict[str, str]) -> tuple[int, str]:
        """Status and what is wrong; 200 also for what a machine filled in."""
        if fields["website"]:
            return 200, ""
        wait = limits.ask(request.client.host if request.client else "")
        if wait:
            return 429, "Too many tips from here for now. Please try again later."
        try:
            await run_in_threadpool(keep, fields)
        except Unwanted as unwanted:
            return 422, str(unwanted)
        except SQLAlchemyError:
            return 503, "It cannot be kept at the moment. Please try again later."
        return 200, ""

    async def show(request: Request) -> Response:
        return form()

    async def post(request: Request) -> Response:
        try:
            body = await _body(request)
        except _TooLarge:
            return form(413, "That is more than can be taken.")
        try:
            sent = parse_qs(body.decode(), max_num_fields=10, keep_blank_values=True)
        except ValueError:
            return form(400, "The form did not come whole.")
        status, fault = await take(request, _fields({name: v[0] for name, v in sent.items()}))
        return form(status, fault) if fault else RedirectResponse("/tip/thanks", 303)

    async def api(request: Request) -> Response:
        try:
            sent = json.loads(await _body(request))
        except _TooLarge:
            return JSONResponse({"error": "too large"}, 413)
        except (ValueError, RecursionError):
            sent = None
        if not isinstance(sent, dict):
            return JSONResponse({"error": "a JSON object with url, text, contact is wanted"}, 400)
        status, fault = await take(request, _fields(sent))
        return JSONResponse({"error": fault} if fault else {"taken": True}, status)

    async def thanks(request: Request) -> Response:
        return page("thanks.html")

    async def style(request: Request) -> Response:
        return FileResponse(STYLE, media_type="text/css")

    return Starlette(
        routes=[
            Route("/", lambda _: RedirectResponse("/tip")),
            Route("/tip", show, methods=["GET"]),
            Route("/tip", post, methods=["POST"]),
            Route("/tip/thanks", thanks),
            Route("/tip.css", style),
            Route("/api/tip", api, methods=["POST"]),
        ],
        middleware=[
            Middleware(SecurityHeaders, headers={**HEADERS, "Content-Security-Policy": _POLICY}),
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK_NAMES, *allowed_hosts]),
        ],
    )


async def _body(request: Request) -> bytes:
    """The body, given up as soon as it is too large."""
    found = b""
    try:
        async for chunk in request.stream():
            found += chunk
            if len(found) > MAX_BODY:
                raise _TooLarge
    except ClientDisconnect:
        raise _TooLarge from None
    return found


def _fields(sent: dict[str, Any]) -> dict[str, str]:
    names = ("url", "text", "contact", "website")
    return {name: value if isinstance(value := sent.get(name), str) else "" for name in names}
