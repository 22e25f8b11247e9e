"""`/listings/{id}`: the history of one listing."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from console.web import queries
from console.web.doors import reader
from console.web.parts import UseParts

router = APIRouter(prefix="/listings")


@router.get("/{listing_id}")
def listing(request: Request, parts: UseParts, listing_id: UUID) -> Response:
    """Everything known of a listing."""
    with parts.database.reading() as session:
        history = queries.listing_history(session, listing_id, reader=reader(request))
        if history is None:
            raise HTTPException(404, "There is no such listing.")
        return parts.page(request, session, "listing.html", {"history": history})
