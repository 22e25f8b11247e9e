"""`/cases`: matters, their exhibits and who handled them; what people decide about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console.custody import note_view
from console.web import queries
from console.web.blobs import send_blob
from console.web.doors import acting
from console.web.fields import named
from console.web.parts import Parts, UseParts
from console.web.security import wanted_here
from evidence.custody import cases as matters
from evidence.custody import retention
from registry.errors import TouchstoneError

router = APIRouter(prefix="/cases")

By = Annotated[str, Form(max_length=200)]
Reason = Annotated[str, Form(max_length=1000)]
Reference = Annotated[str, Form(max_length=64)]


@router.get("")
def cases(request: Request, parts: UseParts) -> Response:
    """All cases, newest first."""
    return _list(request, parts)


@router.post("")
def open_case(
    request: Request,
    parts: UseParts,
    reference: Reference = "",
    title: Annotated[str, Form(max_length=300)] = "",
    brand: Annotated[str, Form(max_length=64)] = "",
    by: By = "",
) -> Response:
    """Open a case."""
    try:
        with parts.database.writing() as session:
            if not title.strip():
                raise TouchstoneError("a case wants a title that says what it is about")
            matters.open_case(
                session,
                reference=reference.strip(),
                title=title,
                brand=brand or None,
                actor=named(acting(request, by)),
            )
    except TouchstoneError as error:
        return _list(request, parts, str(error))
    return RedirectResponse(f"/cases/{reference.strip()}", status_code=303)


@router.get("/{reference}")
def case(request: Request, parts: UseParts, reference: str) -> Response:
    """One case."""
    return _case(request, parts, reference)


@router.post("/{reference}/hold")
def hold(
    request: Request, parts: UseParts, reference: str, by: By = "", reason: Reason = ""
) -> Response:
    """Put a case on hold."""

    def decide(session: Session) -> None:
        retention.set_hold(session, reference, actor=named(acting(request, by)), reason=reason)

    return _decide(request, parts, reference, decide)


@router.post("/{reference}/release")
def release(
    request: Request, parts: UseParts, reference: str, by: By = "", reason: Reason = ""
) -> Response:
    """Release a hold."""

    def decide(session: Session) -> None:
        retention.release_hold(session, reference, actor=named(acting(request, by)), reason=reason)

    return _decide(request, parts, reference, decide)


@router.post("/{reference}/captures")
def add_capture(
    request: Request,
    parts: UseParts,
    reference: str,
    capture: Annotated[str, Form(max_length=64)] = "",
    by: By = "",
) -> Response:
    """Add a capture to a case."""

    def decide(session: Session) -> None:
        matters.add_capture(
            session, reference, _capture_id(capture), actor=named(acting(request, by))
        )

    return _decide(request, parts, reference, decide)


@router.get("/{reference}/exhibits/{number}", dependencies=[Depends(wanted_here)])
def exhibit(parts: UseParts, reference: str, number: int) -> Response:
    """An exhibit that is a file: shown if it is a picture, else a download."""
    try:
        with parts.database.reading() as session:
            found = matters.find_exhibit(session, matters.find_case(session, reference), number)
    except TouchstoneError as error:
        raise HTTPException(404, "There is no such exhibit.") from error
    if found.kind != "file" or found.blob is None:
        raise HTTPException(404, "This exhibit is no file.")
    if found.deleted_at is not None:
        raise HTTPException(410, f"This exhibit was deleted on {found.deleted_at:%Y-%m-%d}.")
    if found.sensitive:
        raise HTTPException(
            403, "This exhibit shows a private person: it leaves only sealed, in an export."
        )
    note_view(parts.database, parts.settings, matters.subject_of(found))
    media_type = found.media_type or "application/octet-stream"
    answer = send_blob(
        parts.blobs, found.blob, media_type, filename=f"exhibit-{number}", length=found.size
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _capture_id(text: str) -> UUID:
    try:
        return UUID(text.strip())
    except ValueError as error:
        raise TouchstoneError(f"{text!r} is no id of a capture") from error


def _list(request: Request, parts: Parts, fault: str | None = None) -> Response:
    with parts.database.reading() as session:
        return parts.page(
            request,
            session,
            "cases.html",
            {"cases": queries.cases(session), "brands": queries.brands(session), "fault": fault},
            status_code=422 if fault else 200,
        )


def _case(request: Request, parts: Parts, reference: str, fault: str | None = None) -> Response:
    with parts.database.reading() as session:
        found = queries.case_file(session, reference)
        if found is None:
            raise HTTPException(404, "There is no such case.")
        return parts.page(
            request,
            session,
            "case.html",
            {"file": found, "fault": fault},
            status_code=422 if fault else 200,
        )


def _decide(
    request: Request, parts: Parts, reference: str, decide: Callable[[Session], None]
) -> Response:
    try:
        with parts.database.writing() as session:
            decide(session)
    except TouchstoneError as error:
        return _case(request, parts, reference, str(error))
    return RedirectResponse(f"/cases/{reference}", status_code=303)
