"""`touchstone plan` and `touchstone watch`: what is looked at, and looking at it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import func, select

from console.cli.house import House, open_house
from console.cli.output import JsonFlag, emit_json, out, plain, progress, table
from console.cli.working import work_until_idle
from insight.holding import still_holds
from registry.errors import TouchstoneError
from registry.models import Assessment, Listing, Plan, Run, Snapshot
from registry.planfile import find_plan, read_plan, save_plan

app = typer.Typer(help="Watch plans.", no_args_is_help=True)


@app.command(epilog="Example: `touchstone plan add plan.yaml`")
def add(file: Path, json: JsonFlag = False) -> None:
    """Keep a plan under its name, without running it."""
    from crawler.marketplaces import KINDS

    parsed = read_plan(file)
    with open_house() as house, house.database.writing() as session:
        plan = save_plan(session, parsed, frozenset(KINDS))
    if json:
        emit_json({"id": plan.id, "name": plan.name})
    else:
        out.print(f"Plan [bold]{plain(plan.name)}[/] is kept: touchstone watch {plain(plan.name)}")


@app.command("list", epilog="Example: `touchstone plan list --json`")
def list_(json: JsonFlag = False) -> None:
    """List the plans and when each last ran."""
    with open_house() as house, house.database.reading() as session:
        ran = select(Run.plan_id, func.max(Run.started_at)).group_by(Run.plan_id)
        last = dict(session.execute(ran).all())
        rows = [
            {
                "name": plan.name,
                "brand": plan.brand.slug,
                "marketplace": plan.marketplace.name,
                "queries": len(plan.queries),
                "browse": len(plan.browse),
                "threshold": plan.threshold,
                "last_run": last.get(plan.id),
            }
            for plan in session.scalars(select(Plan).order_by(Plan.name))
        ]
    if json:
        emit_json(rows)
        return
    table(
        ("Plan", "Brand", "Marketplace", "Queries", "Pages", "Threshold", "Last run"),
        (list(row.values()) for row in rows),
        empty="No plan yet: touchstone plan add FILE",
    )


def watch(
    plan: Annotated[str, typer.Argument(help="A plan's name, or its YAML file.")],
    work: Annotated[
        bool,
        typer.Option(
            "--work/--no-work",
            help="With the embedded broker: assess what was seen and capture what is flagged "
            "before returning.",
        ),
    ] = True,
    json: JsonFlag = False,
) -> None:
    """Crawl a marketplace by a plan, assess every listing, capture the flagged ones."""
    from workers.watching import run_now

    with open_house() as house:
        work = work and house.settings.broker_url == "embedded:"
        plan_id = _plan_id(house, plan, captures=work)
        with progress() as bar:
            task = bar.add_task("crawling", total=None, detail="")
            for step in run_now(house.settings, house.database, plan_id):
                bar.update(
                    task,
                    completed=step.pages,
                    detail=f"{step.listings} listings, {step.errors} errors",
                )
        died: TouchstoneError | None = None
        if work:
            try:
                work_until_idle(house)
            except TouchstoneError as error:
                died = error  # what was seen is told all the same
        summary = _summary(house, plan_id)
    if json:
        emit_json(summary)
    else:
        _say(summary, work)
    if died is not None:
        raise died


def _say(summary: dict[str, object], work: bool) -> None:
    out.print(
        f"Saw [bold]{summary['listings']}[/] listings on {summary['pages']} pages "
        f"({summary['new']} new or changed, {summary['errors']} pages with errors); "
        f"assessed {summary['assessed']}, flagged [bold]{summary['flagged']}[/]."
    )
    if not work:
        out.print("The workers have the rest: touchstone work, touchstone job list.")
    out.print("See them: touchstone queue, or touchstone serve.")


def _plan_id(house: House, plan: str, *, captures: bool) -> UUID:
    from crawler.marketplaces import KINDS
    from crawler.watch import preflight

    path = Path(plan)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        file = read_plan(path)
        # Everything that can be wrong is tried before anything is written. Trying writes too,
        # if nothing that stays, and a reader that begins to write may find the database locked.
        with house.database.writing() as session:
            save_plan(session, file, frozenset(KINDS))
            session.rollback()
        place = file.marketplace
        queries, url = bool(file.queries), str(place.url)
        preflight(house.settings, place.kind, url, queries=queries, captures=captures)
        with house.database.writing() as session:
            return save_plan(session, file, frozenset(KINDS)).id
    with house.database.reading() as session:
        found = find_plan(session, plan)
        kind, url = found.marketplace.kind, found.marketplace.url
        queries = bool(found.queries)
    preflight(house.settings, kind, url, queries=queries, captures=captures)
    return found.id


def _summary(house: House, plan_id: UUID) -> dict[str, object]:
    with house.database.reading() as session:
        run = session.scalars(
            select(Run).where(Run.plan_id == plan_id).order_by(Run.id.desc()).limit(1)
        ).one()
        assessed, flagged = session.execute(
            select(func.count(), func.count().filter(Assessment.flagged))
            .select_from(Assessment)
            .join(Snapshot, Assessment.snapshot_id == Snapshot.id)
            .join(Listing, Snapshot.listing_id == Listing.id)
            .where(Assessment.plan_id == plan_id, still_holds())
        ).one()
        stats = run.stats
        return {
            "run": run.id,
            "state": run.state,
            "pages": stats.get("pages", 0),
            "listings": stats.get("listings", 0),
            "new": stats.get("new", 0),
            "errors": stats.get("errors", 0),
            "assessed": assessed,
            "flagged": flagged,
        }
