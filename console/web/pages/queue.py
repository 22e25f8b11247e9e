"""`/`: the queue: what is flagged, what a person should look at, what was judged."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.web import queries
from console.web.fields import MinScore, Name, Place
from console.web.parts import UseParts

router = APIRouter()


@router.get("/")
def queue(
    request: Request,
    parts: UseParts,
    brand: Name = None,
    plan: Name = None,
    min_score: MinScore = None,
    order: queries.Order = "score",
    after: Place = None,
    tab: queries.Tab = "flag",
    kind: Name = None,
) -> Response:
    """The whole page, or for htmx the next cards alone."""
    wanted = queries.QueueFilter(brand, plan, min_score, order, tab, kind)
    # htmx asks for the whole page where it picks a part of it out itself.
    more = request.headers.get("hx-request-type") == "partial"
    with parts.database.reading() as session:
        return parts.page(
            request,
            session,
            "_cards.html" if more else "queue.html",
            {
                "page": queries.queue(session, wanted, after=after),
                "wanted": wanted,
                "continued": after is not None,
                "brands": queries.brands(session) if not more else (),
                "plans": queries.plan_names(session) if not more else (),
                "tally": queries.tally(session, wanted) if not more else {},
            },
        )
