"""`/jobs`: the outbox, live, and the dead letters in it."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from console.web import queries
from console.web.fields import Name
from console.web.parts import UseParts
from registry import jobs as outbox
from registry.errors import TouchstoneError

router = APIRouter(prefix="/jobs")

SHOWN = 100


@router.get("")
def jobs(request: Request, parts: UseParts, state: Name = None) -> Response:
    """How many jobs are in each state, and the newest of them."""
    with parts.database.reading() as session:
        return parts.page(
            request,
            session,
            "jobs.html",
            {
                "jobs": queries.jobs(session, state=state, limit=SHOWN),
                "tally": outbox.tally(session),
                "state": state,
            },
        )


@router.post("/{job_id}/requeue")
def requeue(parts: UseParts, job_id: UUID) -> Response:
    """Give a dead job another round."""
    try:
        with parts.database.writing() as session:
            outbox.requeue(session, job_id)
    except TouchstoneError as error:
        raise HTTPException(409, str(error)) from error
    return RedirectResponse("/jobs", status_code=303)
