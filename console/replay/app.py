"""The application of the replay origin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from console.custody import note_view
from console.replay import policy
from console.replay.origins import origin_at
from console.replay.ranges import send_range
from console.web.security import LOOPBACK_NAMES, SecurityHeaders
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Capture
from registry.settings import Settings

_HERE = Path(__file__).parent

_PLAYER = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Replay</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="/vendor/ui.js"></script></head>
<body><replay-app-main></replay-app-main></body></html>
"""

#: One line above the page says that it is a replay; no side bar, and no links to elsewhere.
_LOOK = "default"


def create_replay_app(
    settings: Settings,
    database: Database,
    blobs: Blobs,
    *,
    console_port: int,
    allowed_hosts: Sequence[str] = (),
) -> Starlette:
    """Make the replay origin of one console.

    Parameters
    ----------
    console_port
        Where the console listens, under the same host name: it alone may frame a replay.
    allowed_hosts
        As for the console.
    """
    worker = (
        (_HERE / "static" / "sw.js")
        .read_text()
        .replace("{{ policy }}", policy.PAGE)
        .replace("{{ worker }}", "/vendor/sw.js")
    )

    def find(request: Request) -> Capture:
        with database.reading() as session:
            found = session.get(Capture, request.path_params["capture_id"])
        if found is None:
            raise HTTPException(404, "There is no such capture.")
        if found.purchase_id is not None:
            # Nobody signs in here, and a checkout shows where its buyer lives.
            raise HTTPException(403, "A checkout is not replayed: it shows its buyer's address.")
        if found.deleted_at is not None:
            raise HTTPException(410, f"This capture was deleted on {found.deleted_at:%Y-%m-%d}.")
        return found

    def begin(request: Request) -> Response:
        found = find(request)
        note_view(database, settings, f"capture:{found.id}")
        return RedirectResponse(
            f"/{found.id}/?{urlencode({'source': 'bundle.wacz', 'embed': _LOOK})}"
            f"#{urlencode({'view': 'replay', 'url': found.url})}",
            # What an earlier replay left here, its page's script may have written.
            headers={"Clear-Site-Data": '"storage", "cache"'},
        )

    def show(request: Request) -> Response:
        find(request)
        framed_by = origin_at(request, console_port)
        return HTMLResponse(_PLAYER, headers={"Content-Security-Policy": policy.player(framed_by)})

    def service_worker(request: Request) -> Response:
        return Response(
            worker,
            media_type="text/javascript",
            headers={"Content-Security-Policy": policy.SCRIPT},
        )

    def bundle(request: Request) -> Response:
        found = find(request)
        try:
            stream = blobs.open(found.blob)
        except FileNotFoundError as error:
            raise HTTPException(404, "The store has no such bundle any more.") from error
        return send_range(
            stream,
            found.size,
            # A range is of a GET only (RFC 9110, section 14.2).
            request.headers if request.method == "GET" else Headers(),
            media_type="application/octet-stream",
            etag=f'"{found.sha256}"',
        )

    app = Starlette(
        routes=[
            Route("/{capture_id:uuid}", begin),
            Route("/{capture_id:uuid}/", show),
            Route("/{capture_id:uuid}/sw.js", service_worker),
            Route("/{capture_id:uuid}/bundle.wacz", bundle),
            Mount("/vendor", StaticFiles(directory=_HERE / "static/vendor/replaywebpage")),
        ],
        exception_handlers={HTTPException: _refusal},
    )
    app.router.redirect_slashes = False
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK_NAMES, *allowed_hosts])
    app.add_middleware(SecurityHeaders, headers=policy.HEADERS)
    return app


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.detail}\n", status_code=error.status_code)
