"""`/api/v1/`: the same facts as the pages, as JSON. Read only."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request

from console.web import queries, schemas
from console.web.doors import reader
from console.web.fields import MinScore, Name, Place
from console.web.parts import UseParts
from registry import jobs as outbox

router = APIRouter(prefix="/api/v1", tags=["v1"])

Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/queue")
def queue(
    parts: UseParts,
    brand: Name = None,
    plan: Name = None,
    min_score: MinScore = None,
    order: queries.Order = "score",
    after: Place = None,
    limit: Limit = 50,
    tab: queries.Tab = "flag",
    kind: Name = None,
) -> schemas.Queue:
    """Flagged listings, those to look at, or those judged, by `tab`.

    A score queues a listing for people; it accuses nobody.
    """
    wanted = queries.QueueFilter(brand, plan, min_score, order, tab, kind)
    with parts.database.reading() as session:
        return schemas.queue(queries.queue(session, wanted, after=after, limit=limit))


@router.get("/listings/{listing_id}")
def listing(request: Request, parts: UseParts, listing_id: UUID) -> schemas.Listing:
    """The history of one listing."""
    with parts.database.reading() as session:
        history = queries.listing_history(session, listing_id, reader=reader(request))
        if history is None:
            raise HTTPException(404, "There is no such listing.")
        return schemas.listing(history)


@router.get("/captures")
def captures(parts: UseParts, before: Place = None, limit: Limit = 50) -> list[schemas.Capture]:
    """Captures, newest first; the bundle is at `/captures/{id}/bundle`."""
    with parts.database.reading() as session:
        found = queries.captures(session, limit=limit, before=before)
        return [schemas.Capture.model_validate(capture) for capture in found]


@router.get("/captures/{capture_id}")
def capture(parts: UseParts, capture_id: UUID) -> schemas.StampedCapture:
    """One capture with its time stamps."""
    with parts.database.reading() as session:
        found = queries.capture(session, capture_id)
        if found is None:
            raise HTTPException(404, "There is no such capture.")
        return schemas.StampedCapture.model_validate(found)


@router.get("/ledger")
def ledger(
    parts: UseParts,
    before: Annotated[int | None, Query(ge=0)] = None,
    limit: Limit = 50,
) -> schemas.Ledger:
    """The custody ledger, newest entries first; the next begin `before` the last one's seq."""
    with parts.database.reading() as session:
        return schemas.ledger(queries.ledger_state(session, limit=limit, before=before))


@router.get("/purchases")
def purchases(
    request: Request, parts: UseParts, state: Name = None, before: Place = None, limit: Limit = 50
) -> list[schemas.Purchase]:
    """Test purchases, newest first."""
    with parts.database.reading() as session:
        found = queries.purchases(
            session, state=state, limit=limit, before=before, reader=reader(request)
        )
        return [schemas.purchase(purchase) for purchase in found]


@router.get("/jobs")
def jobs(parts: UseParts, state: Name = None, limit: Limit = 50) -> schemas.Jobs:
    """The outbox: how many jobs are in each state, and the newest."""
    with parts.database.reading() as session:
        found = queries.jobs(session, state=state, limit=limit)
        return schemas.Jobs(
            tally=outbox.tally(session), jobs=[schemas.Job.model_validate(job) for job in found]
        )


@router.get("/runs")
def runs(parts: UseParts, limit: Limit = 50) -> list[schemas.Run]:
    """Crawl runs, newest first."""
    with parts.database.reading() as session:
        return [schemas.run(run) for run in queries.runs(session, limit=limit)]
