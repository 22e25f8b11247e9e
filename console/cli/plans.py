"""`touchstone plan` and `touchstone watch`: what is looked at, and looking at it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import func, select

from console.cli.following import emit_line, follow_plan
from console.cli.house import House, open_house
from console.cli.output import JsonFlag, emit_json, err, out, plain, table
from console.cli.working import work_until_idle
from insight.holding import still_holds
from registry import alarms
from registry.errors import TouchstoneError
from registry.models import Assessment, Listing, Plan, Run, Snapshot
from registry.planfile import as_file, check_plan, find_plan, read_plan, save_plan

app = typer.Typer(help="Watch plans.", no_args_is_help=True)


@app.command(epilog="Example: `touchstone plan check plan.yaml --json`")
def check(file: Path, json: JsonFlag = False) -> None:
    """Name every mistake in a plan file, each with its place; nothing is written."""
    with open_house() as house, house.database.reading() as session:
        faults = check_plan(session, file, known_kinds())
    if json:
        emit_json({"good": not faults, "faults": [asdict(fault) for fault in faults]})
        if faults:
            raise typer.Exit(1)
        return
    for fault in faults:
        out.print(f"[bold]{plain(fault.place)}[/]: {plain(fault.what)}")
    if faults:
        raise TouchstoneError(f"{file}: {len(faults)} mistakes; nothing was written")
    out.print("The plan file is good.")


@app.command(epilog="Example: `touchstone plan add plan.yaml`")
def add(file: Path, json: JsonFlag = False) -> None:
    """Keep a plan under its name, without running it."""
    parsed = read_plan(file)
    with open_house() as house, house.database.writing() as session:
        plan = save_plan(session, parsed, known_kinds())
    if json:
        emit_json({"id": plan.id, "name": plan.name})
    else:
        out.print(f"Plan [bold]{plain(plan.name)}[/] is kept: touchstone watch {plain(plan.name)}")


@app.command(epilog="Example: `touchstone plan export bazaar-velaro > plan.yaml`")
def export(plan: str, json: JsonFlag = False) -> None:
    """Print a plan as the file that makes it."""
    import yaml

    with open_house() as house, house.database.reading() as session:
        said = as_file(find_plan(session, plan))
    if json:
        emit_json(said)
    else:
        typer.echo(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), nl=False)


@app.command(epilog="Example: `touchstone plan show bazaar-velaro`")
def show(plan: str, json: JsonFlag = False) -> None:
    """Show a plan: what it watches, when it runs next, how its last runs went."""
    with open_house() as house, house.database.reading() as session:
        found = find_plan(session, plan)
        runs = session.scalars(
            select(Run).where(Run.plan_id == found.id).order_by(Run.id.desc()).limit(5)
        )
        said: dict[str, Any] = as_file(found) | {
            "next_due_at": found.next_due_at,
            "paused_at": found.paused_at,
            "last_runs": [
                {
                    "id": run.id,
                    "state": run.state,
                    "started_at": run.started_at,
                    "listings": run.stats.get("listings", 0),
                    "error": run.error,
                }
                for run in runs
            ],
        }
    if json:
        emit_json(said)
        return
    places, last = said.pop("marketplaces"), said.pop("last_runs")
    shown = ((key.replace("_", " "), _in_words(value)) for key, value in said.items())
    table(("", ""), ((key, value) for key, value in shown if value), empty="")
    out.print()
    table(
        ("Marketplace", "Kind", "Address", "Here otherwise"),
        (
            (
                p["name"],
                p["kind"],
                p["url"],
                _in_words({k: v for k, v in p.items() if k not in ("name", "kind", "url")}),
            )
            for p in places
        ),
        empty="",
    )
    out.print()
    table(
        ("Last runs", "State", "Listings", "Error"),
        ((r["started_at"], r["state"], r["listings"], r["error"]) for r in last),
        empty=f"It has not run yet: touchstone watch {plain(plan)}",
    )


@app.command(epilog="Example: `touchstone plan queries bazaar-velaro --json`")
def queries(
    plan: str,
    every: Annotated[
        bool, typer.Option("--all", help="Those too that the next run leaves out.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Show the queries of a plan's next run, why each is asked, and what it has yielded."""
    from crawler.queries.choosing import standings

    with open_house() as house, house.database.reading() as session:
        found = find_plan(session, plan)
        rows = [
            {"marketplace": place.marketplace.name, **asdict(query)}
            for place in found.places
            for query in standings(session, found, place.marketplace)
            if query.asked or every
        ]
    if json:
        emit_json(rows)
        return
    if not rows:
        out.print("This plan asks no query: 'queries: {generate: 40}' has some made.")
    for name in dict.fromkeys(row["marketplace"] for row in rows):
        out.print(f"[bold]{plain(name)}[/]")
        table(
            ("Query", "Yield", "New", "Found", "Flagged", "Fake", "Runs", "Why"),
            (
                (
                    r["text"],
                    "–" if r["value"] is None else f"{r['value']:.1f}",
                    *(r[key] or "–" for key in ("new", "found", "flagged", "confirmed", "runs")),
                    f"{r['why']}{_left_out(r)}",
                )
                for r in rows
                if r["marketplace"] == name
            ),
            empty="",
        )


def _left_out(row: dict[str, Any]) -> str:
    if row["asked"]:
        return f" (to page {row['depth']})" if row["depth"] else ""
    return f" (rests for {row['rests']} runs)" if row["rests"] else " (not in the next run)"


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_in_words(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def known_kinds() -> dict[str, tuple[str, ...]]:
    """What can be read of each kind of marketplace."""
    from crawler.marketplaces import KINDS

    return {kind: definition.interfaces for kind, definition in KINDS.items()}


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
                "marketplaces": [place.name for place in plan.marketplaces],
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
        ("Plan", "Brand", "Marketplaces", "Queries", "Pages", "Threshold", "Last run"),
        ([_in_words(value) for value in row.values()] for row in rows),
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
    json_lines: Annotated[
        bool,
        typer.Option(
            "--json-lines",
            help="A JSON object a line: how far the run is, once a second, and at last a summary.",
        ),
    ] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            help="Visit every listing that the run comes upon, due or not, and read it anew.",
        ),
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Crawl a marketplace by a plan, assess every listing, capture the flagged ones."""
    from workers.watching import run_now

    with open_house() as house:
        work = work and house.settings.broker_url == "embedded:"
        plan_id, wrong = _plan_id(house, plan, captures=work)
        for name, why in wrong.items():
            err.print(f"{plain(name)} is left out: {plain(why)}", soft_wrap=True)
        steps = run_now(house.settings, house.database, plan_id, everything=everything, wrong=wrong)
        follow_plan(house, plan_id, steps, as_json=json_lines)
        died: TouchstoneError | None = None
        if work:
            try:
                work_until_idle(house)
            except TouchstoneError as error:
                died = error  # what was seen is told all the same
        summary = _summary(house, plan_id)
    if json_lines:
        emit_line(summary)
    elif json:
        emit_json(summary)
    else:
        _say(summary, work)
    if died is not None:
        raise died


def _say(summary: dict[str, Any], work: bool) -> None:
    out.print(
        f"Saw [bold]{summary['listings']}[/] listings on {summary['pages']} pages "
        f"({summary['new']} new or changed, {summary['errors']} pages with errors); "
        f"assessed {summary['assessed']}, flagged [bold]{summary['flagged']}[/]."
    )
    for said in summary["complaints"]:
        out.print(f"[bold red]unhealthy:[/] {plain(said)} (touchstone alarms)")
    if not work:
        out.print("The workers have the rest: touchstone work, touchstone job list.")
    out.print("See them: touchstone queue, or touchstone serve.")


def _plan_id(house: House, plan: str, *, captures: bool) -> tuple[UUID, dict[str, str]]:
    """The plan that is meant, and those of its marketplaces that cannot be watched now."""
    from crawler.crawling.ahead import look_ahead, to_visit

    path = Path(plan)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        file = read_plan(path)
        kinds = known_kinds()
        # Everything that can be wrong is tried before anything is written. Trying writes too,
        # if nothing that stays, and a reader that begins to write may find the database locked.
        with house.database.writing() as session:
            places = to_visit(save_plan(session, file, kinds))
            session.rollback()
        wrong = look_ahead(house.settings, places, captures=captures)
        with house.database.writing() as session:
            return save_plan(session, file, kinds).id, wrong
    with house.database.reading() as session:
        found = find_plan(session, plan)
        places = to_visit(found)
    return found.id, look_ahead(house.settings, places, captures=captures)


def _summary(house: House, plan_id: UUID) -> dict[str, Any]:
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
            "complaints": alarms.complaints(session, [run.id]).get(run.id, []),
        }
