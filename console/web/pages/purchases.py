"""`/purchases`: test purchases, and what people decide about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console.web import queries
from console.web.blobs import SHOWN, send_blob
from console.web.doors import acting, reader
from console.web.fields import Name, Place
from console.web.parts import Parts, UseParts
from console.web.security import wanted_here
from insight.rates import running_rates
from purchases import assigning, proposals
from purchases.buying import seat
from purchases.states import APART
from purchases.ways import STATES
from registry.errors import TouchstoneError
from registry.models import Purchase, PurchaseEvent
from registry.money import Money
from registry.secrets import open_vault

router = APIRouter(prefix="/purchases")

PAGE = 30

#: The way from proposal to end, where nothing goes wrong.
_PATH = (
    "proposed", "approved", "assigned", "ordering", "ordered", "paid", "shipped",
    "received_sealed", "opened", "sent_to_examiner", "examined", "verdict", "closed",
)  # fmt: skip
#: Files that show the thing. On the others stands where the buyer lives, or how they paid.
_OF_THE_THING = ("opening", "item", "examination", "disposal")

By = Annotated[str, Form(max_length=200)]
Note = Annotated[str, Form(max_length=4000)]
Back = Annotated[Literal["purchases", "listing"], Form()]


@router.get("")
def purchases(
    request: Request, parts: UseParts, state: Name = None, before: Place = None
) -> Response:
    """Purchases, by state."""
    with parts.database.reading() as session:
        found = queries.purchases(
            session, state=state, limit=PAGE + 1, before=before, reader=reader(request)
        )
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


@router.get("/{purchase_id}")
def shown(request: Request, parts: UseParts, purchase_id: UUID) -> Response:
    """All that is known of one purchase: what happened, who did it, and what proves it."""
    return _page(request, parts, purchase_id)


@router.get("/{purchase_id}/files/{exhibit_id}")
def file(request: Request, parts: UseParts, purchase_id: UUID, exhibit_id: UUID) -> Response:
    """A file of the purchase that shows the thing and nobody's address."""
    wanted_here(request)
    with parts.database.reading() as session:
        story = _story(session, request, purchase_id)
        one = next((one for one in story.files if one.exhibit.id == exhibit_id), None)
        if one is None or one.file.kind not in _OF_THE_THING or one.exhibit.blob is None:
            raise HTTPException(404, "There is no such file to be shown.")
        blob, media_type = one.exhibit.blob, one.exhibit.media_type or ""
    return send_blob(parts.blobs, blob, media_type, filename=str(exhibit_id))


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
        return _page(request, parts, purchase_id, str(error), back)
    page = f"/listings/{listing_id}" if back == "listing" else "/purchases"
    return RedirectResponse(f"{page}#purchase-{purchase_id}", status_code=303)


def _page(
    request: Request,
    parts: Parts,
    purchase_id: UUID,
    fault: str | None = None,
    back: Literal["purchases", "listing"] = "purchases",
) -> Response:
    with parts.database.reading() as session:
        story = _story(session, request, purchase_id)
        purchase = story.purchase
        return parts.page(
            request,
            session,
            "purchase.html",
            {
                "story": story,
                "purchase": purchase,
                "fault": fault,
                "back": back,
                "takeover": seat.waiting(session, purchase_id),
                "after": queries.purchase_after(session, purchase),
                "path": _path(purchase),
                "of_the_thing": _OF_THE_THING,
                "apart": APART | {"persona_id"},
                "pictures": SHOWN,
                "genuine": _genuine(purchase),
            },
            status_code=422 if fault else 200,
        )


def _story(session: Session, request: Request, purchase_id: UUID) -> queries.Story:
    story = queries.purchase_story(session, purchase_id)
    if story is None:
        raise HTTPException(404, "There is no such purchase.")
    if queries.is_blind_to(story.purchase, reader(request)):
        raise HTTPException(
            403, "You examine this purchase: until the verdict you see it among your tasks."
        )
    return story


def _path(purchase: Purchase) -> list[tuple[str, PurchaseEvent | None]]:
    """The states of `_PATH`, each with the event by which it was last entered."""
    entered: dict[str, PurchaseEvent] = {}
    before = None
    for event in purchase.events:
        if event.state != before:
            entered[event.state] = event
        before = event.state
    return [(state, entered.get(state)) for state in _PATH]


def _genuine(purchase: Purchase) -> list[str]:
    product = purchase.assessment.product
    return [] if product is None else [one.sha256 for one in product.references]
