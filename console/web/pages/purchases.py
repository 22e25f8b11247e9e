"""`/purchases`: test purchases, and what people decide about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console.web import queries
from console.web.doors import acting
from console.web.fields import Name, Place
from console.web.parts import Parts, UseParts
from insight.rates import running_rates
from purchases import assigning, proposals
from purchases.ways import STATES
from registry.errors import TouchstoneError
from registry.models import Purchase
from registry.money import Money
from registry.secrets import open_vault

router = APIRouter(prefix="/purchases")

PAGE = 30

By = Annotated[str, Form(max_length=200)]
Note = Annotated[str, Form(max_length=4000)]
Back = Annotated[Literal["purchases", "listing"], Form()]


@router.get("")
def purchases(
    request: Request, parts: UseParts, state: Name = None, before: Place = None
) -> Response:
    """Purchases, by state."""
    with parts.database.reading() as session:
        found = queries.purchases(session, state=state, limit=PAGE + 1, before=before)
        return parts.page(
            request,
            session,
            "purchases.html",
            {
                "purchases": found[:PAGE],
                "more": len(found) > PAGE,
                "tally": queries.purchase_tally(session),
                "states": STATES,
                "state": state,
            },
        )


@router.post("/{purchase_id}/approve")
def approve(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    by: By = "",
    limit: Annotated[str, Form(max_length=64)] = "",
    back: Back = "purchases",
) -> Response:
    """Approve a proposal, up to a limit."""

    def decide(session: Session) -> None:
        rates = running_rates(parts.settings)
        proposals.approve(session, purchase_id, acting(request, by), _limit(limit), rates=rates)

    return _decide(request, parts, purchase_id, decide, back)


@router.post("/{purchase_id}/assign")
def assign(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    by: By = "",
    how: Annotated[Literal["browser", "hand", ""], Form()] = "",
    persona: Annotated[str, Form(max_length=64)] = "",
    back: Back = "purchases",
) -> Response:
    """Give an approved purchase to a buyer."""

    def decide(session: Session) -> None:
        if not how:
            raise TouchstoneError("say whether it is bought in the browser or by hand")
        vault = open_vault(parts.settings)
        assigning.assign(
            session, vault, purchase_id, acting(request, by), how=how, persona=persona or None
        )

    return _decide(request, parts, purchase_id, decide, back)


@router.post("/{purchase_id}/reject")
def reject(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    by: By = "",
    note: Note = "",
    back: Back = "purchases",
) -> Response:
    """Reject a proposal."""

    def decide(session: Session) -> None:
        proposals.reject(session, purchase_id, acting(request, by), note)

    return _decide(request, parts, purchase_id, decide, back)


@router.post("/{purchase_id}/settle")
def settle(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    by: By = "",
    ordered: Annotated[Literal["yes", "no", ""], Form()] = "",
    order_number: Annotated[str, Form(max_length=200)] = "",
    note: Note = "",
    back: Back = "purchases",
) -> Response:
    """Settle an unclear outcome by what a person found out."""

    def decide(session: Session) -> None:
        if not ordered:
            raise TouchstoneError("say whether the shop has the order")
        proposals.settle(
            session,
            purchase_id,
            acting(request, by),
            ordered == "yes",
            order_number.strip() or None,
            note,
        )

    return _decide(request, parts, purchase_id, decide, back)


def _limit(text: str) -> Money | None:
    try:
        return Money.parse(text) if text.strip() else None
    except ValueError as error:
        raise TouchstoneError(f"limit: {error}") from error


def _decide(
    request: Request,
    parts: Parts,
    purchase_id: UUID,
    decide: Callable[[Session], None],
    back: Literal["purchases", "listing"],
) -> Response:
    with parts.database.reading() as session:
        purchase = session.get(Purchase, purchase_id)
        if purchase is None:
            raise HTTPException(404, "There is no such purchase.")
        listing_id = purchase.listing_id
    try:
        with parts.database.writing() as session:
            decide(session)
    except TouchstoneError as error:
        # The purchase alone, with what was wrong: a list may have moved on meanwhile.
        with parts.database.reading() as session:
            return parts.page(
                request,
                session,
                "purchase.html",
                {
                    "purchase": queries.purchase(session, purchase_id),
                    "fault": str(error),
                    "back": back,
                },
                status_code=422,
            )
    page = f"/listings/{listing_id}" if back == "listing" else "/purchases"
    return RedirectResponse(f"{page}#purchase-{purchase_id}", status_code=303)
