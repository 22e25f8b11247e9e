"""`/ledger`: how far the custody ledger has come, and what it says."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from console.web import queries
from console.web.parts import UseParts

router = APIRouter(prefix="/ledger")

PAGE = 100


@router.get("")
def ledger(
    request: Request, parts: UseParts, before: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """Size, newest checkpoint and newest entries."""
    with parts.database.reading() as session:
        state = queries.ledger_state(session, limit=PAGE, before=before)
        return parts.page(request, session, "ledger.html", {"state": state, "continued": before})
