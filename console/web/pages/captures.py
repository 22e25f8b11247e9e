"""`/captures`: sealed evidence: to look at, to take away, to verify."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from console.web import queries
from console.web.blobs import send_blob
from console.web.fields import Place
from console.web.parts import Parts, UseParts
from evidence.verify import Report, verify
from registry.models import Capture

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


@router.get("/{capture_id}")
def capture(request: Request, parts: UseParts, capture_id: UUID) -> Response:
    """One capture."""
    with parts.database.reading() as session:
        found = _find(session, capture_id)
        return parts.page(
            request,
            session,
            "capture.html",
            {"capture": found, "filename": _bundle_name(found), "report": None},
        )


@router.get("/{capture_id}/screenshot")
def screenshot(parts: UseParts, capture_id: UUID) -> Response:
    """The screenshot, as the capturing browser took it."""
    with parts.database.reading() as session:
        found = _find(session, capture_id)
    if found.screenshot_blob is None:
        raise HTTPException(404, "This capture has no screenshot.")
    return send_blob(parts.blobs, found.screenshot_blob, "image/png", filename=f"{capture_id}.png")


@router.get("/{capture_id}/bundle")
def bundle(parts: UseParts, capture_id: UUID) -> Response:
    """The sealed bundle, byte for byte as it was stored."""
    with parts.database.reading() as session:
        found = _find(session, capture_id)
    return send_blob(
        parts.blobs,
        found.blob,
        "application/wacz",
        filename=_bundle_name(found),
        length=found.size,
    )


@router.post("/{capture_id}/verify")
def verify_now(request: Request, parts: UseParts, capture_id: UUID) -> Response:
    """Re-check the stored bundle against itself and against the SHA-256 registered here."""
    with parts.database.reading() as session:
        found = _find(session, capture_id)
        report = _verify(parts, found)
        partial = request.headers.get("hx-request-type") == "partial"
        return parts.page(
            request,
            session,
            "_report.html" if partial else "capture.html",
            {"capture": found, "filename": _bundle_name(found), "report": report},
        )


def _find(session: Session, capture_id: UUID) -> Capture:
    found = queries.capture(session, capture_id)
    if found is None:
        raise HTTPException(404, "There is no such capture.")
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
        return verify(copy, expected_sha256=capture.sha256)


def _bundle_name(capture: Capture) -> str:
    return f"touchstone-{capture.captured_at:%Y%m%dT%H%M%SZ}-{capture.sha256[:12]}.wacz"
