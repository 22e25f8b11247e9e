"""`/alarms`: what is wrong with what is read of marketplaces, and the pages that show it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from console.web.doors import acting
from console.web.parts import Parts, UseParts
from registry import alarms
from registry.errors import TouchstoneError
from registry.models import Alarm, PageSample

router = APIRouter(prefix="/alarms")

SHOWN = 100
#: Of a saved page; the whole is in the store (`touchstone alarms show`).
MAX_SOURCE = 300_000

By = Annotated[str, Form(max_length=200)]


@router.get("")
def list_(request: Request, parts: UseParts, all: bool = False) -> Response:
    """The alarms that are open, or all of them."""
    with parts.database.reading() as session:
        found = alarms.newest(session, closed=all, limit=SHOWN)
        return parts.page(request, session, "alarms.html", {"alarms": found, "every": all})


@router.get("/{alarm_id}")
def alarm(request: Request, parts: UseParts, alarm_id: UUID) -> Response:
    """One alarm."""
    return _alarm(request, parts, alarm_id)


@router.get("/{alarm_id}/samples/{sample_id}")
def sample(request: Request, parts: UseParts, alarm_id: UUID, sample_id: UUID) -> Response:
    """The source of a saved page, as text: it is hostile, and nothing of it is drawn."""
    with parts.database.reading() as session:
        found = session.get(PageSample, sample_id)
        if found is None or found.alarm_id != alarm_id:
            raise HTTPException(404, "There is no such sample.")
        try:
            with parts.blobs.open(found.blob) as stream:
                body = stream.read(MAX_SOURCE + 1)
        except FileNotFoundError as error:
            raise HTTPException(404, "The store has no such file any more.") from error
        source = body[:MAX_SOURCE].decode("utf-8", "replace")
        context = {"sample": found, "source": source, "cut": len(body) > MAX_SOURCE}
        return parts.page(request, session, "sample.html", context)


@router.post("/{alarm_id}/acknowledge")
def acknowledge(request: Request, parts: UseParts, alarm_id: UUID, by: By = "") -> Response:
    """Take an alarm on."""
    try:
        with parts.database.writing() as session:
            alarms.acknowledge(session, alarm_id, acting(request, by))
    except TouchstoneError as error:
        return _alarm(request, parts, alarm_id, str(error))
    return RedirectResponse(f"/alarms/{alarm_id}", status_code=303)


@router.post("/{alarm_id}/close")
def close(
    request: Request,
    parts: UseParts,
    alarm_id: UUID,
    by: By = "",
    note: Annotated[str, Form(max_length=4000)] = "",
    usual: Annotated[bool, Form()] = False,
) -> Response:
    """Close an alarm."""
    try:
        with parts.database.writing() as session:
            alarms.close(session, alarm_id, acting(request, by), note, usual=usual)
    except TouchstoneError as error:
        return _alarm(request, parts, alarm_id, str(error))
    return RedirectResponse(f"/alarms/{alarm_id}", status_code=303)


def _alarm(request: Request, parts: Parts, alarm_id: UUID, fault: str | None = None) -> Response:
    with parts.database.reading() as session:
        found = session.get(Alarm, alarm_id)
        if found is None:
            raise HTTPException(404, "There is no such alarm.")
        return parts.page(
            request,
            session,
            "alarm.html",
            {"alarm": found, "fault": fault},
            status_code=200 if fault is None else 409,
        )
