"""The application: pages, API, and what guards them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from console.web import api
from console.web.doors import Doors
from console.web.pages import (
    after,
    alarms,
    captures,
    cases,
    jobs,
    leads,
    ledger,
    listings,
    lists,
    money,
    plans,
    purchases,
    queue,
    runs,
    samples,
    service,
    signin,
    takeovers,
    tasks,
    uploads,
    verdicts,
)
from console.web.parts import Parts
from console.web.security import HEADERS, LOOPBACK_NAMES, SameOrigin, SecurityHeaders
from console.web.templating import make_templates
from registry.blobs import Blobs
from registry.database import Database
from registry.settings import Settings

_log = logging.getLogger(__name__)


def create_app(
    settings: Settings,
    database: Database,
    blobs: Blobs,
    *,
    allowed_hosts: Sequence[str] = (),
    replay_port: int | None = None,
) -> FastAPI:
    """Make the console of one installation.

    Parameters
    ----------
    database
        With its schema in place; the caller closes it.
    allowed_hosts
        Host names, beside those of loopback, under which the console is reached.
    replay_port
        Where `console.replay` is served, on the same host; without it no capture is replayed.
    """
    app = FastAPI(
        title="Touchstone",
        version=version("touchstone"),
        openapi_url="/api/v1/openapi.json",
        # Both load their scripts from a content delivery network.
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = Parts(settings, database, blobs, make_templates(), replay_port)
    for module in (
        queue, listings, captures, cases, purchases, ledger, jobs, lists, runs, alarms, service,
        takeovers, verdicts, after, money, samples, signin, tasks, uploads, leads,
        plans,
    ):  # fmt: skip
        app.include_router(module.router, include_in_schema=False)
    app.include_router(api.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(Exception, _crash)
    # The last one added is the outermost.
    app.add_middleware(Doors, database=database, required=settings.sign_in)
    app.add_middleware(SameOrigin)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK_NAMES, *allowed_hosts])
    app.add_middleware(SecurityHeaders)
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if _is_api(request):
        return await http_exception_handler(request, error)
    return _error_page(request, error.status_code, str(error.detail))


async def _unfit(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if _is_api(request):
        return await request_validation_exception_handler(request, error)
    if any(fault["loc"][0] == "path" for fault in error.errors()):
        return _error_page(request, 404, "There is nothing at this address.")
    faults = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors())
    return _error_page(request, 422, f"This request does not fit: {faults}.")


async def _crash(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    if _is_api(request):
        response: Response = JSONResponse({"detail": "Internal Server Error"}, status_code=500)
    else:
        response = _error_page(
            request,
            500,
            "Something broke in the console. What it was writing was undone; the log says more.",
        )
    # This answer is given outside the middleware that would add them.
    response.headers.update(HEADERS)
    return response


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def _error_page(request: Request, status: int, message: str) -> Response:
    parts: Parts = request.app.state.parts
    return parts.templates.TemplateResponse(
        request,
        "error.html",
        {"waiting": {}, "status": status, "message": message},
        status_code=status,
    )
