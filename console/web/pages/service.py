"""`/healthz` and `/pictures`: what machines ask for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException
from fastapi import Path as PathField
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.responses import JSONResponse, Response

from console.web import queries
from console.web.blobs import send_blob
from console.web.parts import UseParts

router = APIRouter()


@router.get("/healthz")
def healthz(parts: UseParts) -> Response:
    """200 while the database answers, else 503."""
    try:
        with parts.database.reading() as session:
            session.execute(text("SELECT 1 FROM alembic_version"))
    except DBAPIError:
        return JSONResponse({"status": "failing", "database": "failing"}, status_code=503)
    return JSONResponse({"status": "ok", "database": "ok"})


@router.get("/pictures/{sha256}")
def picture(
    parts: UseParts, sha256: Annotated[str, PathField(pattern=r"^[0-9a-f]{64}$")]
) -> Response:
    """A picture of a listing or a reference picture, by the SHA-256 of its bytes."""
    with parts.database.reading() as session:
        found = queries.picture(session, sha256)
    if found is None:
        raise HTTPException(404, "There is no such picture.")
    return send_blob(parts.blobs, found.blob, found.media_type, filename=sha256)
