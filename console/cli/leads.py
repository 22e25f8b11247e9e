"""`touchstone leads`: addresses worth a visit, from lists, pages, tips and what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, err, out, plain, progress, table
from registry.errors import TouchstoneError
from registry.models import ORIGINS, Assessment, Brand, Lead, Snapshot
from registry.models.base import utcnow
from registry.planfile import find_plan

if TYPE_CHECKING:
    from crawler.ways_in.leads import Added
    from crawler.ways_in.lists import BadRow

app = typer.Typer(
    help="Addresses worth a visit: the next run of a plan visits them.", no_args_is_help=True
)

ForPlan = Annotated[str | None, typer.Option("--plan", help="The plan whose runs visit them.")]
ForBrand = Annotated[
    str | None, typer.Option("--brand", help="The brand; any of its plans visits them.")
]
STATES = ("waiting", "taken", "seen", "gone", "refused")
#: Bad rows that are printed; all of them are in the JSON.
_SHOWN_BAD = 20


@app.command(
    "import",
    epilog="Examples: `touchstone leads import links.csv --brand velaro`, "
    "`touchstone leads import links.csv --plan bazaar-velaro --json`",
)
def import_(
    file: Path, plan: ForPlan = None, brand: ForBrand = None, json: JsonFlag = False
) -> None:
    """Keep the addresses of a CSV file (columns url, note) as leads.

    Rows that cannot be used are named with line and reason; the others are imported. It fails
    if there is none that can.
    """
    from crawler.network.gate import gate_of
    from crawler.ways_in.leads import Added
    from crawler.ways_in.lists import keep, read_list

    added, bad, done = Added(), [], 0
    with open_house() as house:
        with house.database.reading() as session:
            brand_id, plan_id = whose(session, plan, brand)
        rows = read_list(file, gate_of(house.settings))
        with progress() as bar:
            task = bar.add_task("importing", total=None, detail="")
            for kept, wrong in keep(
                house.database,
                rows,
                brand_id,
                plan_id=plan_id,
                name=file.name,
                who=house.settings.operator,
            ):
                added += kept
                bad += wrong
                done = added.new + added.again + added.known + added.refused + len(bad)
                bar.update(task, completed=done, detail=f"{added.new} new, {len(bad)} bad")
    none_good = bool(bad) and done == len(bad)
    if json:
        emit_json({**_counts(added), "bad": [_bad(row) for row in bad]})
        if none_good:
            raise typer.Exit(1)
        return
    _say(added)
    for row in bad[:_SHOWN_BAD]:
        err.print(f"line {row.line}: {plain(row.why)}: {plain(row.text)}", soft_wrap=True)
    if len(bad) > _SHOWN_BAD:
        err.print(f"and {len(bad) - _SHOWN_BAD} more rows that cannot be used: --json names all")
    if none_good:
        raise TouchstoneError(f"{file}: no row of it can be used; nothing was kept")


@app.command(
    "from-page",
    epilog="Example: `touchstone leads from-page https://forum.example/t/17 --brand velaro`",
)
def from_page(
    url: str, plan: ForPlan = None, brand: ForBrand = None, json: JsonFlag = False
) -> None:
    """Read a page elsewhere, and keep the listings that it links to as leads.

    For posts, reviews and link lists that say what a listing is, where the listing itself
    shows something harmless. What stands around a link is kept with it.
    """
    from crawler.ways_in.links import read_page

    with open_house() as house:
        with house.database.reading() as session:
            brand_id, plan_id = whose(session, plan, brand)
        read = read_page(house.settings, house.database, url)
        added = read.keep(house.database, brand_id, plan_id, house.settings.operator)
    if json:
        emit_json(
            {
                **_counts(added),
                "links": [
                    {"url": link.url, "from": link.href, "context": link.context}
                    for link in read.links
                ],
                "left_out": [{"href": href, "why": why} for href, why in read.left_out],
            }
        )
        return
    _say(added)
    table(
        ("Address", "What stands around it"),
        ((link.url, link.context) for link in read.links),
        empty="There is no address of a marketplace that we know on this page.",
    )


@app.command(epilog="Example: `touchstone leads follow 0198… --brand velaro`")
def follow(
    listing: Annotated[str, typer.Argument(help="A listing's id: `touchstone queue --json`.")],
    brand: ForBrand = None,
    json: JsonFlag = False,
) -> None:
    """Have a listing's shop, and listings with its pictures, become leads.

    What is flagged or found counterfeit is followed by itself.
    """
    from insight.asking import ask_to_follow

    listing_id = parse_id(listing, "listing")
    with open_house() as house, house.database.writing() as session:
        brand_id, _ = whose(session, None, brand)
        judged = session.scalar(
            select(Assessment)
            .join(Snapshot, Assessment.snapshot_id == Snapshot.id)
            .where(Snapshot.listing_id == listing_id, Assessment.brand_id == brand_id)
            .order_by(Assessment.id.desc())
            .limit(1)
        )
        if judged is None:
            raise TouchstoneError(f"listing {listing} was never judged for this brand")
        job = ask_to_follow(
            session, listing_id, brand_id, judged.plan_id, why=f"asked {utcnow().isoformat()}"
        )
    if json:
        emit_json({"job": job})
    else:
        out.print("The workers have it: touchstone work, touchstone leads list --origin alike.")


@app.command("list", epilog="Example: `touchstone leads list --state waiting --origin link`")
def list_(
    state: Annotated[str | None, typer.Option(help=", ".join(STATES))] = None,
    origin: Annotated[str | None, typer.Option(help=", ".join(ORIGINS))] = None,
    brand: Annotated[str | None, typer.Option(help="Of this brand only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    json: JsonFlag = False,
) -> None:
    """List leads, the newest first."""
    if state is not None and state not in STATES:
        raise TouchstoneError(f"there is no state {state!r}; there are: {', '.join(STATES)}")
    if origin is not None and origin not in ORIGINS:
        raise TouchstoneError(f"there is no origin {origin!r}; there are: {', '.join(ORIGINS)}")
    with open_house() as house, house.database.reading() as session:
        wanted = select(Lead).order_by(Lead.id.desc())
        for column, value in ((Lead.state, state), (Lead.origin, origin)):
            if value is not None:
                wanted = wanted.where(column == value)
        if brand is not None:
            wanted = wanted.where(Lead.brand_id == _brand(session, brand).id)
        total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
        rows = [facts(lead) for lead in session.scalars(wanted.limit(limit))]
    if json:
        emit_json({"total": total, "leads": rows})
        return
    table(
        ("Id", "State", "From", "Marketplace", "Address", "Note"),
        (
            (
                r["id"],
                r["state"],
                r["origin"],
                r["marketplace"] or "–",
                r["url"],
                r["note"] or r["why_waiting"],
            )
            for r in rows
        ),
        empty="No lead yet: touchstone leads import FILE --brand BRAND",
    )
    if total > len(rows):
        out.print(f"{total - len(rows)} more: --limit")


@app.command(epilog="Example: `touchstone leads show 0198…`")
def show(lead: str, json: JsonFlag = False) -> None:
    """Show all that is known of a lead."""
    with open_house() as house, house.database.reading() as session:
        row = facts(_lead(session, lead))
    if json:
        emit_json(row)
        return
    shown = ((key.replace("_", " "), value) for key, value in row.items() if value is not None)
    table(("", ""), shown, empty="")


@app.command(epilog="Example: `touchstone leads refuse 0198… --why 'our own shop'`")
def refuse(
    lead: str,
    why: Annotated[str, typer.Option(help="For those who look later.")],
    by: Annotated[str | None, typer.Option(help="Your name.")] = None,
    json: JsonFlag = False,
) -> None:
    """Have a lead never visited."""
    from crawler.ways_in.leads import refuse as refuse_lead

    with open_house() as house, house.database.writing() as session:
        name = by or house.settings.operator
        row = facts(refuse_lead(session, _lead(session, lead).id, name, why))
    if json:
        emit_json(row)
    else:
        out.print(f"{plain(row['url'])} is not visited: {plain(row['note'])}")


def whose(session: Session, plan: str | None, brand: str | None) -> tuple[UUID, UUID | None]:
    """The brand that leads are for, and the plan if one is named.

    Raises
    ------
    TouchstoneError
        If none is named and there are several, or the two do not fit.
    """
    if plan is not None:
        found = find_plan(session, plan)
        if brand is not None and found.brand.slug != brand:
            raise TouchstoneError(f"plan {plan} is for brand {found.brand.slug}, not {brand}")
        return found.brand_id, found.id
    if brand is not None:
        return _brand(session, brand).id, None
    brands = session.scalars(select(Brand).order_by(Brand.slug)).all()
    if len(brands) != 1:
        slugs = ", ".join(b.slug for b in brands) or "none yet: touchstone brand add FILE"
        raise TouchstoneError(f"say for which brand: --brand or --plan (brands: {slugs})")
    return brands[0].id, None


def facts(lead: Lead) -> dict[str, Any]:
    """A lead as JSON."""
    return {
        "id": lead.id,
        "state": lead.state,
        "url": lead.url,
        "origin": lead.origin,
        "page": lead.page,
        "brand": lead.brand.slug,
        "plan": lead.plan.name if lead.plan else None,
        "marketplace": lead.marketplace.name if lead.marketplace else None,
        "kind": lead.kind,
        "external_id": lead.external_id,
        "from_listing": lead.from_listing_id,
        "source": lead.source,
        "context": lead.context,
        "note": lead.note,
        "why_waiting": lead.why_waiting,
        "who": lead.who,
        "times": lead.times,
        "run": lead.run_id,
        "created_at": lead.created_at,
        "changed_at": lead.changed_at,
    }


def _brand(session: Session, slug: str) -> Brand:
    brand = session.scalar(select(Brand).where(Brand.slug == slug))
    if brand is None:
        raise TouchstoneError(f"there is no brand {slug!r}; see touchstone brand list")
    return brand


def _lead(session: Session, text: str) -> Lead:
    lead = session.get(Lead, parse_id(text, "lead"))
    if lead is None:
        raise TouchstoneError(f"there is no lead {text}; see touchstone leads list")
    return lead


def _counts(added: Added) -> dict[str, int]:
    return {name: getattr(added, name) for name in ("new", "again", "known", "refused", "nowhere")}


def _bad(row: BadRow) -> dict[str, Any]:
    return {"line": row.line, "why": row.why, "text": row.text}


def _say(added: Added) -> None:
    out.print(
        f"[bold]{added.new}[/] new leads, {added.again} that wait for another visit, "
        f"{added.known} known, {added.refused} that a person has refused."
    )
    if added.nowhere:
        out.print(
            f"{added.nowhere} of the new ones are of no marketplace under watch, and wait for one: "
            "touchstone leads list names what is missing."
        )
