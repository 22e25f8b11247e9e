"""`/brands`: what is protected."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.web import queries
from console.web.parts import UseParts

router = APIRouter()


@router.get("/brands")
def brands(request: Request, parts: UseParts) -> Response:
    """What is registered."""
    with parts.database.reading() as session:
        return parts.page(request, session, "brands.html", {"brands": queries.brands(session)})
