"""`/samples`: the random check, and what its purchases say of all that was seen."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from sqlalchemy import select
from starlette.responses import Response

from console.web.parts import UseParts
from insight import random_check
from purchases import estimates
from registry.models import SampleFrame

router = APIRouter(prefix="/samples")

LIMIT = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A frame, and the estimate from its sample; None while nothing was drawn."""

    frame: SampleFrame
    estimate: estimates.Estimate | None


@router.get("")
def samples(request: Request, parts: UseParts) -> Response:
    """Frames, newest first."""
    with parts.database.reading() as session:
        frames = session.scalars(
            select(SampleFrame).order_by(SampleFrame.id.desc()).limit(LIMIT)
        ).all()
        rows = [
            Row(frame, estimates.estimate(session, frame.id) if frame.seed is not None else None)
            for frame in frames
        ]
        return parts.page(request, session, "samples.html", {"rows": rows})


@router.get("/{frame_id}")
def frame(request: Request, parts: UseParts, frame_id: UUID) -> Response:
    """A frame: its terms, what proves the draw, the estimate, and each listing that was drawn."""
    with parts.database.reading() as session:
        found = session.get(SampleFrame, frame_id)
        if found is None:
            raise HTTPException(404, "There is no such frame.")
        drawn = found.seed is not None
        return parts.page(
            request,
            session,
            "frame.html",
            {
                "frame": found,
                "checks": random_check.verify(session, frame_id),
                "estimate": estimates.estimate(session, frame_id) if drawn else None,
                "places": estimates.places(session, frame_id),
            },
        )
