"""`/leads`: tips that a person decides on, and the addresses that runs visit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import BeforeValidator
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console.web import queries
from console.web.doors import acting
from console.web.fields import Place, named
from console.web.parts import Parts, UseParts
from crawler.network.gate import gate_of
from crawler.ways_in import leads as kept
from crawler.ways_in import tips
from crawler.ways_in.leads import Added
from crawler.ways_in.lists import keep, read_list
from registry.errors import TouchstoneError
from registry.models import Brand

router = APIRouter(prefix="/leads")

PAGE = 50
BAD_SHOWN = 20
STATES = ("waiting", "taken", "seen", "gone", "refused")
Tab = Literal["tips", "waiting", "taken", "seen", "gone", "refused"]

BrandId = Annotated[UUID | None, BeforeValidator(lambda value: value or None), Form()]
By = Annotated[str, Form(max_length=200)]
Why = Annotated[str, Form(max_length=2000)]


@router.get("")
def leads(request: Request, parts: UseParts, tab: Tab = "tips", before: Place = None) -> Response:
    """Tips to decide on, or leads in a state."""
    with parts.database.reading() as session:
        return _page(request, parts, session, tab, before)


@router.post("/import")
def import_list(
    request: Request,
    parts: UseParts,
    file: Annotated[UploadFile, File()],
    by: By = "",
    brand: BrandId = None,
) -> Response:
    """Keep the addresses of a CSV file as leads."""
    name = Path(file.filename or "a list").name[:100]
    added, bad = Added(), []
    try:
        who = named(acting(request, by))
        with parts.database.reading() as session:
            brand_id = _brand(session, brand)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "list.csv"
            with path.open("wb") as copy:
                copyfileobj(file.file, copy)
            rows = read_list(path, gate_of(parts.settings))
            for kept_now, wrong in keep(
                parts.database, rows, brand_id, plan_id=None, name=name, who=who
            ):
                added += kept_now
                bad += wrong
    except TouchstoneError as error:
        fault = str(error).split("list.csv: ")[-1]
        with parts.database.reading() as session:
            return _page(request, parts, session, "waiting", None, fault)
    with parts.database.reading() as session:
        imported = {"name": name, "added": added, "bad": bad[:BAD_SHOWN], "all_bad": len(bad)}
        return _page(request, parts, session, "waiting", None, imported=imported)


@router.post("/tips/{tip_id}/accept")
def accept(
    request: Request, parts: UseParts, tip_id: UUID, by: By = "", brand: BrandId = None
) -> Response:
    """Make a lead of a tip."""

    def decide(session: Session) -> None:
        tips.accept(session, tip_id, named(acting(request, by)), _brand(session, brand))

    return _decide(request, parts, decide, "tips")


@router.post("/tips/{tip_id}/refuse")
def refuse(request: Request, parts: UseParts, tip_id: UUID, by: By = "", why: Why = "") -> Response:
    """Lay a tip aside."""
    return _decide(
        request,
        parts,
        lambda session: tips.refuse(session, tip_id, named(acting(request, by)), why),
        "tips",
    )


@router.post("/{lead_id}/refuse")
def refuse_lead(
    request: Request, parts: UseParts, lead_id: UUID, by: By = "", why: Why = ""
) -> Response:
    """Have a lead never visited."""
    return _decide(
        request,
        parts,
        lambda session: kept.refuse(session, lead_id, named(acting(request, by)), why),
        "waiting",
    )


def _brand(session: Session, brand: UUID | None) -> UUID:
    if brand is None or session.get(Brand, brand) is None:
        raise TouchstoneError("say for which brand")
    return brand


def _decide(
    request: Request, parts: Parts, decide: Callable[[Session], object], tab: Tab
) -> Response:
    try:
        with parts.database.writing() as session:
            decide(session)
    except TouchstoneError as error:
        with parts.database.reading() as session:
            return _page(request, parts, session, tab, None, str(error))
    return RedirectResponse(f"/leads?tab={tab}", status_code=303)


def _page(
    request: Request,
    parts: Parts,
    session: Session,
    tab: Tab,
    before: UUID | None,
    fault: str = "",
    imported: dict[str, Any] | None = None,
) -> Response:
    found = (
        queries.tips(session, limit=PAGE + 1)
        if tab == "tips"
        else queries.leads(session, state=tab, limit=PAGE + 1, before=before)
    )
    return parts.page(
        request,
        session,
        "leads.html",
        {
            "tab": tab,
            "states": STATES,
            "tally": queries.lead_tally(session),
            "found": found[:PAGE],
            "more": len(found) > PAGE,
            "brands": queries.brands(session),
            "fault": fault,
            "imported": imported,
        },
        status_code=422 if fault else 200,
    )
