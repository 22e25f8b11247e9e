"""`/tasks`: what a buyer buys and an examiner examines, on a phone; nothing else is seen here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Path, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from console.web import queries
from console.web.blobs import send_blob
from console.web.doors import signed_in
from console.web.parts import Parts, UseParts
from console.web.security import wanted_here
from insight.rates import running_rates
from purchases import deadlines, examining, manual, people, personas
from purchases.buying import seat
from purchases.ways import FILES, Way, following
from registry.errors import TouchstoneError
from registry.models import Exhibit, Person, Purchase, Reference
from registry.money import Money
from registry.secrets import open_vault

router = APIRouter(prefix="/tasks")

#: What an examiner may see: nothing that tells where it came from, or what it cost.
_FOR_EXAMINERS = ("item", "opening", "examination")


@router.get("")
def tasks(request: Request, parts: UseParts) -> Response:
    """All that waits for whoever is signed in."""
    person = signed_in(request)
    with parts.database.reading() as session:
        return parts.templates.TemplateResponse(
            request,
            "tasks.html",
            {
                "waiting": {},
                "person": person,
                "to_buy": manual.tasks(session, person),
                "to_examine": examining.tasks(session, person),
                "late": deadlines.overdue(session),
            },
        )


@router.get("/{purchase_id}")
def task(request: Request, parts: UseParts, purchase_id: UUID) -> Response:
    """One task."""
    return _page(request, parts, purchase_id)


@router.post("/{purchase_id}/tell")
async def tell(request: Request, parts: UseParts, purchase_id: UUID) -> Response:
    """Tell that a purchase is a step further."""
    form = await request.form(max_files=0, max_fields=40)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    details = {
        name.removeprefix("detail."): value
        for name, value in fields.items()
        if name.startswith("detail.")
    }
    by = signed_in(request).name

    def decide(session: Session) -> None:
        manual.tell(
            session, purchase_id, by, fields.get("to", ""),
            note=fields.get("note"),
            order_number=fields.get("order_number", "").strip() or None,
            total=_money(fields, "total"),
            paid=_money(fields, "paid"),
            examiner=fields.get("examiner") or None,
            second_examiner=fields.get("second_examiner") or None,
            rates=running_rates(parts.settings),
            details=details,
        )  # fmt: skip

    return await run_in_threadpool(_decide, request, parts, purchase_id, decide)


@router.get("/{purchase_id}/files/{exhibit_id}")
def shown(request: Request, parts: UseParts, purchase_id: UUID, exhibit_id: UUID) -> Response:
    """A file of the task, as it came."""
    wanted_here(request)
    purchase, person = mine(request, parts, purchase_id)
    with parts.database.reading() as session:
        exhibit = session.get(Exhibit, exhibit_id)
        known = {one.exhibit_id for one in session.get_one(Purchase, purchase_id).files
                 if _may_see(purchase, person, one.kind)}  # fmt: skip
        if exhibit is None or exhibit_id not in known or exhibit.deleted_at is not None:
            raise HTTPException(404, "There is no such file.")
        blob, media_type = exhibit.blob, exhibit.media_type or ""
    assert blob is not None
    return send_blob(parts.blobs, blob, media_type, filename=str(exhibit_id))


@router.get("/{purchase_id}/genuine/{sha256}")
def genuine(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
) -> Response:
    """A registered picture of the genuine product, to hold the thing against."""
    wanted_here(request)
    mine(request, parts, purchase_id)
    with parts.database.reading() as session:
        pictures = {
            one.sha256: one.picture for one in _references(session.get_one(Purchase, purchase_id))
        }
        if sha256 not in pictures:
            raise HTTPException(404, "There is no such picture.")
        blob, media_type = pictures[sha256].blob, pictures[sha256].media_type
    return send_blob(parts.blobs, blob, media_type, filename=sha256)


@router.post("/{purchase_id}/confirm")
def confirm(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    place: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Confirm a hand-over."""
    by = signed_in(request).name
    return _decide(
        request, parts, purchase_id, lambda s: examining.confirm(s, purchase_id, by, place)
    )


@router.post("/{purchase_id}/examine")
async def examine(request: Request, parts: UseParts, purchase_id: UUID) -> Response:
    """Hand in the examination form."""
    form = await request.form(max_files=0, max_fields=1000)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    by = signed_in(request).name

    def decide(session: Session) -> None:
        features = examining.features_of(session, session.get_one(Purchase, purchase_id))
        examining.examine(
            session, purchase_id, by,
            method=fields.get("method", ""),
            outcome=fields.get("outcome", ""),
            reasons=fields.get("reasons", ""),
            answers={
                one.id: (fields.get(f"seen.{one.id}", ""), fields.get(f"remark.{one.id}", ""))
                for one in features
            },
        )  # fmt: skip

    return await run_in_threadpool(_decide, request, parts, purchase_id, decide)


@router.post("/{purchase_id}/verdict")
def verdict(
    request: Request,
    parts: UseParts,
    purchase_id: UUID,
    outcome: Annotated[str, Form(max_length=24)] = "",
    grounds: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Give the verdict."""
    by = signed_in(request).name

    def decide(session: Session) -> None:
        examining.judge(session, purchase_id, by, outcome, grounds)

    return _decide(request, parts, purchase_id, decide)


def mine(request: Request, parts: Parts, purchase_id: UUID) -> tuple[Purchase, Person]:
    """The purchase, if whoever is signed in buys or examines it.

    Raises
    ------
    HTTPException
        404 otherwise: what is not theirs is not even there.
    """
    person = signed_in(request)
    with parts.database.reading() as session:
        purchase = session.get(Purchase, purchase_id)
    if purchase is None or person.name not in (
        purchase.buyer, purchase.examiner, purchase.second_examiner,
    ):  # fmt: skip
        raise HTTPException(404, "This is none of your tasks.")
    return purchase, person


def _references(purchase: Purchase) -> Sequence[Reference]:
    product = purchase.assessment.product
    return () if product is None else product.references


def _may_see(purchase: Purchase, person: Person, kind: str) -> bool:
    return person.name == purchase.buyer or kind in _FOR_EXAMINERS


def _decide(
    request: Request, parts: Parts, purchase_id: UUID, decide: Callable[[Session], object]
) -> Response:
    mine(request, parts, purchase_id)
    try:
        with parts.database.writing() as session:
            decide(session)
    except TouchstoneError as error:
        return _page(request, parts, purchase_id, str(error))
    return RedirectResponse(f"/tasks/{purchase_id}", status_code=303)


def _page(request: Request, parts: Parts, purchase_id: UUID, fault: str | None = None) -> Response:
    _, person = mine(request, parts, purchase_id)
    with parts.database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        buys = person.name == purchase.buyer
        context = {
            "waiting": {},
            "person": person,
            "purchase": purchase,
            "fault": fault,
            "kinds": FILES if buys else ("examination",),
            "files": [one for one in purchase.files if _may_see(purchase, person, one.kind)],
            "genuine": [one.sha256 for one in _references(purchase)[:8]],
            "media": {one.exhibit_id: session.get_one(Exhibit, one.exhibit_id).media_type
                      for one in purchase.files},
        }  # fmt: skip
        if buys:
            context |= _buying(session, parts, purchase, person)
        else:
            context |= _examining(session, purchase, person)
        return parts.templates.TemplateResponse(
            request,
            "task_buy.html" if buys else "task_examine.html",
            context,
            status_code=422 if fault else 200,
        )


def _buying(
    session: Session, parts: Parts, purchase: Purchase, person: Person
) -> dict[str, object]:
    vault, persona, means = open_vault(parts.settings), None, None
    if purchase.state in personas.OPEN_STATES:
        persona = personas.shown_to(session, vault, purchase, person)
        means = personas.means_of(session, vault, purchase, person)
    taken = {purchase.requested_by, purchase.approved_by, purchase.buyer}
    return {
        "takeover": seat.waiting(session, purchase.id),
        "after": queries.purchase_after(session, purchase, for_buyer=True),
        "persona": persona,
        "means": means,
        # First what one hopes for.
        "ways": sorted(
            (way for way in following(purchase.state) if _for_buyer(way, purchase)),
            key=lambda way: way.after in ("stopped", "failed", "outcome_unclear"),
        ),
        "examiners": [
            one.name for one in people.with_role(session, "examiner") if one.name not in taken
        ],
        "two": examining.number_of_examiners(session, purchase) > 1,
    }


def _for_buyer(way: Way, purchase: Purchase) -> bool:
    return "buyer" in way.offices and (not way.machine or purchase.how == "hand")


def _examining(session: Session, purchase: Purchase, person: Person) -> dict[str, object]:
    return {
        "features": examining.features_of(session, purchase),
        "product": purchase.assessment.product,
        "brand": purchase.brand,
        "answers": examining.ANSWERS,
        "outcomes": examining.FOUND,
        "step": examining.step_of(session, purchase, person),
        "own": next((one for one in purchase.examinations if one.examiner == person.name), None),
    }


def _money(fields: Mapping[str, str], name: str) -> Money | None:
    text = fields.get(name, "").strip()
    try:
        return Money.parse(text) if text else None
    except ValueError as error:
        raise TouchstoneError(f"{name}: {error}") from error
