"""`/runs`: what was crawled, how far the runs are that go on, and which were unhealthy."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from console.progress import newest_runs, run_view
from console.web.parts import UseParts
from registry.errors import TouchstoneError

router = APIRouter(prefix="/runs")

SHOWN = 50


@router.get("")
def runs(request: Request, parts: UseParts) -> Response:
    """The newest runs, live."""
    with parts.database.reading() as session:
        views = newest_runs(session, limit=SHOWN)
        return parts.page(request, session, "runs.html", {"runs": views})


@router.get("/{run_id}")
def run(request: Request, parts: UseParts, run_id: UUID) -> Response:
    """One run, shard by shard, live."""
    with parts.database.reading() as session:
        try:
            view = run_view(session, run_id)
        except TouchstoneError as error:
            raise HTTPException(404, "There is no such run.") from error
        return parts.page(request, session, "run.html", {"run": view})
