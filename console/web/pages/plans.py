"""`/plans`: what is watched where and when, and what each query yields."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from console.web import queries
from console.web.parts import UseParts

router = APIRouter(prefix="/plans")


@router.get("")
def plans(request: Request, parts: UseParts) -> Response:
    """All plans."""
    with parts.database.reading() as session:
        return parts.page(request, session, "plans.html", {"plans": queries.plans(session)})


@router.get("/{plan_id}")
def plan(request: Request, parts: UseParts, plan_id: UUID) -> Response:
    """One plan: marketplaces, schedule, queries with their yields, last runs."""
    with parts.database.reading() as session:
        found = queries.plan_file(session, plan_id)
        if found is None:
            raise HTTPException(404, "There is no such plan.")
        return parts.page(request, session, "plan.html", {"file": found})
