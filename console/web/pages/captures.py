"""`/captures`: sealed evidence: to look at, to replay, to take away, to verify.

Who looks at a capture, or takes it away, stands in the custody ledger.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console.custody import note_export, note_view
from console.replay.origins import origin_at
from console.web import queries
from console.web.blobs import send_blob
from console.web.bundles import Inside, look_into, send_part
from console.web.doors import acting, sees_persona
from console.web.fields import Place, named
from console.web.parts import Parts, UseParts
from console.web.security import page_policy, wanted, wanted_here
from evidence.custody import cases as matters
from evidence.verifying import Report, verify
from registry.errors import TouchstoneError
from registry.models import Capture, Purchase

router = APIRouter(prefix="/captures")

PAGE = 50


@router.get("")
def captures(request: Request, parts: UseParts, before: Place = None) -> Response:
    """All captures, newest first."""
    with parts.database.reading() as session:
        found = queries.captures(session, limit=PAGE + 1, before=before)
        return parts.page(
            request,
            session,
            "captures.html",
            {"captures": found[:PAGE], "more": len(found) > PAGE},
        )


@router.get("/{capture_id}", dependencies=[Depends(wanted)])
def capture(request: Request, parts: UseParts, capture_id: UUID) -> Response:
    """One capture. To open its page is to look at it."""
    with parts.database.reading() as session:
        kept = _find(session, request, capture_id).deleted_at is None
    if kept:
        note_view(parts.database, parts.settings, f"capture:{capture_id}")
    return _page(request, parts, capture_id)


@router.get("/{capture_id}/screenshot", dependencies=[Depends(wanted_here)])
def screenshot(request: Request, parts: UseParts, capture_id: UUID) -> Response:
    """The screenshot, as the capturing browser took it."""
    with parts.database.reading() as session:
        found = _find_kept(session, request, capture_id)
    note_view(parts.database, parts.settings, f"capture:{capture_id}")
    if found.screenshot_blob is None:
        raise HTTPException(404, "This capture has no screenshot.")
    answer = send_blob(
        parts.blobs, found.screenshot_blob, "image/png", filename=f"{capture_id}.png"
    )
    # Out of the browser's cache nobody's view would be written down, nor its deletion seen.
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/{capture_id}/parts/{name:path}", dependencies=[Depends(wanted_here)])
def part(request: Request, parts: UseParts, capture_id: UUID, name: str) -> Response:
    """A part of the bundle: a screenshot, the printed page, the rendered one, its text."""
    with parts.database.reading() as session:
        found = _find_kept(session, request, capture_id)
    note_view(parts.database, parts.settings, f"capture:{capture_id}")
    prefix = f"touchstone-{found.sha256[:12]}"
    return send_part(parts.blobs, found.blob, name, prefix=prefix)


@router.get("/{capture_id}/bundle", dependencies=[Depends(wanted_here)])
def bundle(request: Request, parts: UseParts, capture_id: UUID) -> Response:
    """The sealed bundle, byte for byte as it was stored."""
    with parts.database.reading() as session:
        found = _find_kept(session, request, capture_id)
    answer = send_blob(
        parts.blobs,
        found.blob,
        "application/wacz",
        filename=_bundle_name(found),
        length=found.size,
    )
    answer.headers["Cache-Control"] = "no-store"
    note_export(parts.database, parts.settings, capture_id, sha256=found.sha256)
    return answer


@router.post("/{capture_id}/verify")
def verify_now(request: Request, parts: UseParts, capture_id: UUID) -> Response:
    """Re-check the stored bundle against itself and against the SHA-256 registered here."""
    with parts.database.reading() as session:
        found = _find_kept(session, request, capture_id)
        if request.headers.get("hx-request-type") == "partial":
            return parts.page(request, session, "_report.html", {"report": _verify(parts, found)})
        report = _verify(parts, found)
    return _page(request, parts, capture_id, report=report)


@router.post("/{capture_id}/case")
def add_to_case(
    request: Request,
    parts: UseParts,
    capture_id: UUID,
    reference: Annotated[str, Form(max_length=64)] = "",
    by: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Add the capture to a case."""
    try:
        with parts.database.writing() as session:
            matters.add_capture(session, reference, capture_id, actor=named(acting(request, by)))
    except TouchstoneError as error:
        return _page(request, parts, capture_id, fault=str(error))
    return RedirectResponse(f"/cases/{quote(reference, safe='')}", status_code=303)


def _page(
    request: Request,
    parts: Parts,
    capture_id: UUID,
    *,
    report: Report | None = None,
    fault: str | None = None,
) -> Response:
    with parts.database.reading() as session:
        found = _find(session, request, capture_id)
        kept = found.deleted_at is None
        # The replay origin knows nobody, and what a checkout shows is not for everybody.
        port = parts.replay_port if kept and found.purchase_id is None else None
        replay = origin_at(request, port) if port else None
        log = queries.custody_log(session, [f"capture:{capture_id}"])
        answer = parts.page(
            request,
            session,
            "capture.html",
            {
                "capture": found,
                "inside": look_into(parts.blobs, found.blob) if kept else Inside(),
                "replay": replay,
                "log": log,
                "deleted": next((e for e in reversed(log.lines) if e.event == "deleted"), None),
                "cases": queries.cases_of(session, capture_id),
                "all_cases": queries.cases(session),
                "filename": _bundle_name(found),
                "report": report,
                "fault": fault,
            },
            status_code=422 if fault else 200,
        )
    if replay is not None:
        answer.headers["Content-Security-Policy"] = page_policy(framing=replay)
    return answer


def _find(session: Session, request: Request, capture_id: UUID) -> Capture:
    found = queries.capture(session, capture_id)
    if found is None:
        raise HTTPException(404, "There is no such capture.")
    if found.purchase_id is not None:
        buyer = session.get_one(Purchase, found.purchase_id).buyer
        if not sees_persona(request, buyer):
            raise HTTPException(
                403,
                "This capture shows under what name and address was bought: its buyer and "
                "administrators see it, signed in with their code. The bundle itself is exported "
                "by touchstone evidence export.",
            )
    return found


def _find_kept(session: Session, request: Request, capture_id: UUID) -> Capture:
    found = _find(session, request, capture_id)
    if found.deleted_at is not None:
        raise HTTPException(
            410, f"This capture was deleted on {found.deleted_at:%Y-%m-%d}; its SHA-256 is kept."
        )
    return found


def _verify(parts: Parts, capture: Capture) -> Report:
    work = parts.settings.data_dir / "work"
    work.mkdir(parents=True, exist_ok=True)
    # A copy, since the store may be far away and the check reads back and forth.
    with tempfile.TemporaryDirectory(dir=work) as folder:
        copy = Path(folder) / _bundle_name(capture)
        try:
            with parts.blobs.open(capture.blob) as stored, copy.open("wb") as target:
                shutil.copyfileobj(stored, target)
        except FileNotFoundError as error:
            raise HTTPException(404, "The store has no such bundle any more.") from error
        # The key that was registered when it was sealed, not the one that it names.
        return verify(copy, expected_sha256=capture.sha256, key=capture.key_id)


def _bundle_name(capture: Capture) -> str:
    return f"touchstone-{capture.captured_at:%Y%m%dT%H%M%SZ}-{capture.sha256[:12]}.wacz"
