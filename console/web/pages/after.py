"""After an order: looking into order lists and mailboxes, messages, and what waits for too long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console.web import queries
from console.web.doors import acting, reader, signed_in
from console.web.pages.tasks import mine
from console.web.parts import Parts, UseParts
from purchases import mail, messages
from purchases.personas import OPEN_STATES
from purchases.reconciling import asking
from registry.errors import TouchstoneError
from registry.models import PurchaseLetter

router = APIRouter()

By = Annotated[str, Form(max_length=200)]


@router.get("/waiting")
def waiting(request: Request, parts: UseParts) -> Response:
    """Purchases of which it is unclear what came of them, and those that are late."""
    with parts.database.reading() as session:
        found = queries.purchases_waiting(session, reader(request))
        return parts.page(request, session, "waiting.html", {"found": found})


@router.post("/purchases/{purchase_id}/look")
def look(request: Request, parts: UseParts, purchase_id: UUID, by: By = "") -> Response:
    """Have the order list and the mailbox looked into now."""
    return _do(
        parts,
        f"/purchases/{purchase_id}",
        lambda session: asking.ask(session, purchase_id, acting(request, by)),
    )


@router.post("/tasks/{purchase_id}/look")
def look_for_task(request: Request, parts: UseParts, purchase_id: UUID) -> Response:
    """The same, asked by the buyer."""
    mine(request, parts, purchase_id)
    by = signed_in(request).name
    return _do(parts, f"/tasks/{purchase_id}", lambda session: asking.ask(session, purchase_id, by))


@router.post("/tasks/{purchase_id}/messages")
def message(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    direction: Annotated[str, Form(max_length=16)] = "",
    text: Annotated[str, Form(max_length=4000)] = "",
    expected: Annotated[str, Form(max_length=10)] = "",
    not_inducing: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Enter what was written to or by the seller, or how the parcel fares."""
    mine(request, parts, purchase_id)
    by = signed_in(request).name

    def enter(session: Session) -> object:
        return messages.add(
            session, purchase_id, by, direction=direction, text=text,
            expected_on=_day(expected), not_inducing=not_inducing == "yes",
        )  # fmt: skip

    return _do(parts, f"/tasks/{purchase_id}", enter)


@router.get("/tasks/{purchase_id}/letters/{letter_id}")
def letter(request: Request, parts: UseParts, purchase_id: UUID, letter_id: UUID) -> Response:
    """The text of an e-mail, for the buyer to whom it was written, as long as the persona."""
    purchase, person = mine(request, parts, purchase_id)
    with parts.database.reading() as session:
        row = session.get(PurchaseLetter, letter_id)
        if row is None or row.purchase_id != purchase_id or person.name != purchase.buyer:
            raise HTTPException(404, "There is no such e-mail.")
        if purchase.state not in OPEN_STATES:
            raise HTTPException(403, "E-mails are shown only while the purchase is on its way.")
        shown = mail.shown(session, parts.blobs, row)
        if shown is None:
            raise HTTPException(404, "The e-mail was erased.")
        return parts.templates.TemplateResponse(
            request,
            "letter.html",
            {"waiting": {}, "person": person, "purchase": purchase, "row": row, "letter": shown},
        )


def _do(parts: Parts, page: str, do: Callable[[Session], object]) -> Response:
    try:
        with parts.database.writing() as session:
            do(session)
    except TouchstoneError as error:
        raise HTTPException(422, str(error)) from error
    return RedirectResponse(page, status_code=303)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text.strip() else None
    except ValueError as error:
        raise TouchstoneError("the day on which it is expected: write it as 2026-12-24") from error
