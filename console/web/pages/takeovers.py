"""`/takeovers`: live browsers that wait for a person, their picture, and mouse and keys for it.

Whoever takes one has a cookie for it, and nobody else sees the picture or can type. What is
posted passes the same check of its origin as every form here. The browser of a purchase shows
its persona: only the buyer takes that, from their task.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Form, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from console.web.doors import acting, only_tasks, reader
from console.web.parts import Parts, UseParts
from crawler.browsing import seats
from purchases.buying.seat import check_taker
from registry.errors import TouchstoneError
from registry.models import Purchase, Takeover
from registry.models.base import utcnow
from registry.secrets import open_vault

router = APIRouter(prefix="/takeovers")

PAST = 50
SEAT_COOKIE = "seat"

By = Annotated[str, Form(max_length=200)]
Note = Annotated[str, Form(max_length=1000)]


@router.get("")
def takeovers(request: Request, parts: UseParts) -> Response:
    """Those that wait, with how long; those that are over, with who had them."""
    with parts.database.reading() as session:
        found = select(Takeover).options(selectinload(Takeover.marketplace))
        waiting = session.scalars(
            found.where(Takeover.state.in_(("open", "taken"))).order_by(Takeover.opened_at)
        ).all()
        past = session.scalars(
            found.where(Takeover.state.not_in(("open", "taken")))
            .order_by(Takeover.opened_at.desc())
            .limit(PAST)
        ).all()
        now = utcnow()
        return parts.page(
            request,
            session,
            "takeovers.html",
            {
                "open": [(row, seats.is_alive(row, now)) for row in waiting],
                "past": past,
                "now": now,
            },
        )


@router.get("/{takeover_id}")
def takeover(request: Request, parts: UseParts, takeover_id: UUID) -> Response:
    """One, with the live picture for whoever has taken it."""
    with parts.database.reading() as session:
        return _page(request, parts, session, takeover_id)


@router.post("/{takeover_id}/take")
def take(request: Request, parts: UseParts, takeover_id: UUID, by: By = "") -> Response:
    """Take it."""
    try:
        by = acting(request, by)
        with parts.database.writing() as session:
            row = _shown(session, request, takeover_id)
            if row.kind == "purchase":
                by = check_taker(session, row.subject, by)
            seat = seats.take(session, takeover_id, by)
    except TouchstoneError as error:
        return _refused(request, parts, takeover_id, str(error))
    answer = RedirectResponse(f"/takeovers/{takeover_id}", status_code=303)
    answer.set_cookie(
        SEAT_COOKIE,
        seat,
        path=f"/takeovers/{takeover_id}",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/{takeover_id}/give-back")
def give_back(
    request: Request,
    parts: UseParts,
    takeover_id: UUID,
    done: Annotated[bool, Form()],
    note: Note = "",
) -> Response:
    """Give it back, or up."""
    try:
        with parts.database.writing() as session:
            seats.give_back(session, takeover_id, _seat(request), done=done, note=note)
            row = session.get_one(Takeover, takeover_id)
            after = f"/tasks/{row.subject}" if only_tasks(reader(request)) else "/takeovers"
    except TouchstoneError as error:
        return _refused(request, parts, takeover_id, str(error))
    answer = RedirectResponse(after, status_code=303)
    answer.delete_cookie(SEAT_COOKIE, path=f"/takeovers/{takeover_id}")
    return answer


@router.get("/{takeover_id}/picture")
async def picture(request: Request, parts: UseParts, takeover_id: UUID, after: int = 0) -> Response:
    """The next picture."""
    try:
        shown = await seats.look(await _window(request, parts, takeover_id), after)
    except seats.SeatLost as error:
        return JSONResponse({"detail": str(error)}, status_code=410)
    except seats.BrowserLost as error:
        return JSONResponse({"detail": str(error)}, status_code=502)
    return Response(
        shown.jpeg,
        media_type="image/jpeg",
        headers={"X-Number": str(shown.number), "X-Page": shown.page},
    )


@router.post("/{takeover_id}/hands")
async def hands(
    request: Request,
    parts: UseParts,
    takeover_id: UUID,
    events: Annotated[list[dict[str, Any]], Body(max_length=200)],
) -> Response:
    """Mouse and keys."""
    try:
        await seats.lend_hands(await _window(request, parts, takeover_id), events)
    except seats.SeatLost as error:
        return JSONResponse({"detail": str(error)}, status_code=410)
    except seats.BrowserLost as error:
        return JSONResponse({"detail": str(error)}, status_code=502)
    except TouchstoneError as error:
        return JSONResponse({"detail": str(error)}, status_code=400)
    return Response(status_code=204)


async def _window(request: Request, parts: Parts, takeover_id: UUID) -> seats.Window:
    def find() -> seats.Window:
        with parts.database.reading() as session:
            return seats.window(session, open_vault(parts.settings), takeover_id, _seat(request))

    return await run_in_threadpool(find)


def _seat(request: Request) -> str:
    return request.cookies.get(SEAT_COOKIE, "")


def _page(
    request: Request,
    parts: Parts,
    session: Session,
    takeover_id: UUID,
    fault: str = "",
    status_code: int = 200,
) -> Response:
    row = _shown(session, request, takeover_id)
    person = reader(request)
    mine = False
    if row.state == "taken":
        try:
            seats.window(session, open_vault(parts.settings), takeover_id, _seat(request))
            mine = True
        except TouchstoneError:
            pass
    return parts.page(
        request,
        session,
        "takeover.html",
        {
            "takeover": row,
            "person": person,
            "base": "_task_base.html" if only_tasks(person) else "base.html",
            "all": f"/tasks/{row.subject}" if only_tasks(person) else "/takeovers",
            "alive": seats.is_alive(row),
            "mine": mine,
            "me": acting(request, ""),
            "fault": fault,
            "now": utcnow(),
        },
        status_code=status_code,
    )


def _shown(session: Session, request: Request, takeover_id: UUID) -> Takeover:
    """One takeover, if it is for whoever asks to see."""
    row = session.get(
        Takeover, takeover_id, options=[selectinload(Takeover.marketplace)], populate_existing=True
    )
    if row is not None and only_tasks(person := reader(request)):
        purchase = session.get(Purchase, row.subject) if row.kind == "purchase" else None
        if purchase is None or person is None or purchase.buyer != person.name:
            row = None
    if row is None:
        raise HTTPException(404, "There is no such takeover.")
    return row


def _refused(request: Request, parts: Parts, takeover_id: UUID, fault: str) -> Response:
    with parts.database.reading() as session:
        return _page(request, parts, session, takeover_id, fault, 409)
