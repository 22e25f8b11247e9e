"""`/runs` and `/brands`: what was crawled, what is protected."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.web import queries
from console.web.parts import UseParts

router = APIRouter()

RUNS_SHOWN = 50


@router.get("/runs")
def runs(request: Request, parts: UseParts) -> Response:
    """The newest crawl runs, live."""
    with parts.database.reading() as session:
        found = queries.runs(session, limit=RUNS_SHOWN)
        return parts.page(request, session, "runs.html", {"runs": found})


@router.get("/brands")
def brands(request: Request, parts: UseParts) -> Response:
    """What is registered."""
    with parts.database.reading() as session:
        return parts.page(request, session, "brands.html", {"brands": queries.brands(session)})
