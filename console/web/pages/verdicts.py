"""`/assessments/{id}/verdict`: what a person says of a listing."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from console.web.doors import acting
from console.web.parts import UseParts
from insight.verdicts import MAX_NAME, MAX_NOTE, record
from registry.errors import TouchstoneError
from registry.models import Assessment

router = APIRouter(prefix="/assessments")


@router.post("/{assessment_id}/verdict")
def verdict(
    request: Request,
    parts: UseParts,
    assessment_id: UUID,
    verdict: Annotated[str, Form(max_length=16)] = "",
    by: Annotated[str, Form(max_length=MAX_NAME)] = "",
    note: Annotated[str, Form(max_length=MAX_NOTE)] = "",
) -> Response:
    """Keep a verdict, and show the listing that it is on."""
    with parts.database.reading() as session:
        if session.get(Assessment, assessment_id) is None:
            raise HTTPException(404, "There is no such assessment.")
    try:
        with parts.database.writing() as session:
            listing_id = record(
                session, assessment_id, verdict, acting(request, by), note
            ).listing_id
    except TouchstoneError as error:
        raise HTTPException(422, f"Nothing was kept: {error}.") from error
    return RedirectResponse(f"/listings/{listing_id}#verdicts", status_code=303)
