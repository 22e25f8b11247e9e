"""`touchstone case`: matters, their exhibits, holds, retention, and who did what with them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import func, select

from console.cli import bags
from console.cli.house import open_house, parse_day, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, table
from registry.errors import TouchstoneError
from registry.models import Case, Exhibit

app = typer.Typer(help="Cases: exhibits, holds, retention, custody.", no_args_is_help=True)
bags.add_to(app)

By = Annotated[str, typer.Option("--by", help="Your name: it stands in the ledger.")]
Reason = Annotated[str, typer.Option(help="Why: it stands in the ledger.")]


@app.command(
    "open", epilog='Example: `touchstone case open C-17 --title "Copies of the tote" --by "Ada"`'
)
def open_(
    reference: str,
    title: Annotated[str, typer.Option()],
    by: By,
    brand: Annotated[str | None, typer.Option(help="Slug of the brand that it is about.")] = None,
    retain_until: Annotated[
        str | None, typer.Option(help="Nothing can be deleted until this day is over.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Open a case."""
    from evidence.custody import cases

    until = None if retain_until is None else parse_day(retain_until, "--retain-until")
    with open_house() as house, house.database.writing() as session:
        case = cases.open_case(
            session,
            reference=reference,
            title=title,
            actor=by,
            brand=brand,
            retain_until=until,
        )
        row = _row(case, 0)
    _say(row, json)


@app.command("list", epilog="Example: `touchstone case list --json`")
def list_(json: JsonFlag = False) -> None:
    """List cases, newest first."""
    number = (
        select(func.count()).where(Exhibit.case_id == Case.id).correlate(Case).scalar_subquery()
    )
    with open_house() as house, house.database.reading() as session:
        found = session.execute(select(Case, number).order_by(Case.id.desc()))
        rows = [_row(case, exhibits) for case, exhibits in found]
    if json:
        emit_json(rows)
        return
    table(
        ("Case", "Title", "Exhibits", "Hold", "Kept until", "Opened by"),
        (
            (
                r["reference"],
                r["title"],
                r["exhibits"],
                "on hold" if r["hold"] else "",
                r["retain_until"],
                r["opened_by"],
            )
            for r in rows
        ),
        empty="No case yet.",
    )


@app.command(epilog="Example: `touchstone case show C-17`")
def show(reference: str, json: JsonFlag = False) -> None:
    """Show a case and its exhibits."""
    from evidence.custody.cases import find_case, subject_of

    with open_house() as house, house.database.reading() as session:
        case = find_case(session, reference)
        exhibits = [
            {
                "number": e.number,
                "id": e.id,
                "kind": e.kind,
                "name": e.name,
                "subject": subject_of(e),
                "sha256": e.capture.sha256 if e.capture else e.sha256,
                "size": e.capture.size if e.capture else e.size,
                "sensitive": e.sensitive,
                "added_by": e.added_by,
                "deleted_at": e.deleted_at,
            }
            for e in case.exhibits
        ]
        row = _row(case, len(exhibits))
    if json:
        emit_json({**row, "exhibits": exhibits})
        return
    _say(row, json)
    table(
        ("No.", "Kind", "Name", "Subject", "SHA-256", "Bytes", ""),
        (
            (
                e["number"],
                e["kind"],
                e["name"],
                e["subject"],
                f"{e['sha256']:.16}…" if e["sha256"] else "",
                e["size"],
                "deleted" if e["deleted_at"] else "sealed apart" if e["sensitive"] else "",
            )
            for e in exhibits
        ),
        empty="No exhibit yet.",
    )


@app.command(epilog='Example: `touchstone case add C-17 --capture 0197… --by "Ada"`')
def add(
    reference: str,
    by: By,
    capture: Annotated[str | None, typer.Option(help="Id of a capture.")] = None,
    purchase: Annotated[str | None, typer.Option(help="Id of a test purchase.")] = None,
    json: JsonFlag = False,
) -> None:
    """Add a capture to a case, or a test purchase with the captures made of it."""
    from evidence.custody import cases

    if (capture is None) == (purchase is None):
        raise TouchstoneError("name one of --capture and --purchase")
    with open_house() as house, house.database.writing() as session:
        if capture is not None:
            exhibit = cases.add_capture(session, reference, parse_id(capture, "capture"), actor=by)
        else:
            purchase_id = parse_id(str(purchase), "purchase")
            exhibit = cases.add_purchase(session, reference, purchase_id, actor=by)
    _say_exhibit(reference, exhibit, json)


@app.command("file", epilog='Example: `touchstone case file C-17 parcel.jpg --by "Ada"`')
def file_(
    reference: str,
    path: Path,
    by: By,
    name: Annotated[str | None, typer.Option(help="What to call it; its own name if not.")] = None,
    sensitive: Annotated[
        bool, typer.Option("--sensitive", help="Shows a private person: sealed apart in bundles.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Add a file to a case: a photograph, a letter, a video."""
    from evidence.custody import cases

    with open_house() as house:
        with house.database.reading() as session:
            cases.find_case(session, reference)
        stored = cases.store_file(house.blobs, path, name=name)
        with house.database.writing() as session:
            exhibit = cases.add_file(
                session, house.blobs, reference, stored, actor=by, sensitive=sensitive
            )
    _say_exhibit(reference, exhibit, json)


@app.command(epilog='Example: `touchstone case hold C-17 --by "Ada" --reason "suit filed"`')
def hold(reference: str, by: By, reason: Reason, json: JsonFlag = False) -> None:
    """Put a case on hold: nothing of it can be deleted."""
    from evidence.custody import retention

    with open_house() as house, house.database.writing() as session:
        row = _row(retention.set_hold(session, reference, actor=by, reason=reason))
    _say(row, json)


@app.command(epilog='Example: `touchstone case release C-17 --by "Ada" --reason "settled"`')
def release(reference: str, by: By, reason: Reason, json: JsonFlag = False) -> None:
    """Release a hold."""
    from evidence.custody import retention

    with open_house() as house, house.database.writing() as session:
        row = _row(retention.release_hold(session, reference, actor=by, reason=reason))
    _say(row, json)


@app.command(epilog='Example: `touchstone case retain C-17 2036-12-31 --by "Ada"`')
def retain(
    reference: str,
    until: Annotated[str, typer.Argument(metavar="YYYY-MM-DD")],
    by: By,
    reason: Annotated[str, typer.Option(help="Wanted if it is kept for less than before.")] = "",
    json: JsonFlag = False,
) -> None:
    """Keep all of a case until a day is over (in UTC)."""
    from evidence.custody import retention

    with open_house() as house, house.database.writing() as session:
        row = _row(
            retention.retain(
                session, reference, parse_day(until, "--until"), actor=by, reason=reason
            )
        )
    _say(row, json)


@app.command(
    epilog="Example: `touchstone case event C-17 parcel_received --exhibit 2 --by Ada "
    "--at 2026-11-25T14:00+01:00 --detail carrier=DHL --detail tracking=17 --detail place=Bonn`"
)
def event(
    reference: str,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="See docs/custody.md.")],
    by: By,
    exhibit: Annotated[
        int | None, typer.Option(help="Number of the exhibit; the whole case if left out.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="When, with its zone; now if left out.")] = None,
    detail: Annotated[list[str] | None, typer.Option(metavar="NAME=TEXT")] = None,
    json: JsonFlag = False,
) -> None:
    """Say what you did: handed_over, parcel_received, opened, examined, verdict, corrected."""
    from evidence.custody import handling

    pairs = [part.partition("=") for part in detail or []]
    if not all(equals for _, equals, _ in pairs):
        raise TouchstoneError("a detail is NAME=TEXT")
    with open_house() as house, house.database.writing() as session:
        entry = handling.report(
            session,
            reference=reference,
            event=event,
            actor=by,
            exhibit=exhibit,
            occurred_at=None if at is None else _time(at),
            details={name: value for name, _, value in pairs},
        )
    if json:
        emit_json({"seq": entry.seq, "subject": entry.subject, "leaf": entry.leaf})
    else:
        out.print(f"Entry {entry.seq} of the ledger: {plain(entry.event)}, {entry.subject}")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise TouchstoneError(f"{text!r} is no time: use 2026-11-25T14:00:00+01:00") from error


def _row(case: Case, exhibits: int | None = None) -> dict[str, Any]:
    return {
        "id": case.id,
        "reference": case.reference,
        "title": case.title,
        "hold": case.hold,
        "retain_until": case.retain_until,
        "opened_by": case.opened_by,
        "created_at": case.created_at,
        "exhibits": len(case.exhibits) if exhibits is None else exhibits,
    }


def _say(row: dict[str, Any], json: bool) -> None:
    if json:
        emit_json(row)
        return
    hold = ", on hold" if row["hold"] else ""
    kept = f", kept until {row['retain_until']}" if row["retain_until"] else ""
    number = row["exhibits"]
    exhibits = "1 exhibit" if number == 1 else f"{number} exhibits"
    out.print(f"Case {row['reference']}, {plain(row['title'])}: {exhibits}{hold}{kept}")


def _say_exhibit(reference: str, exhibit: Exhibit, json: bool) -> None:
    if json:
        emit_json(
            {
                "case": reference,
                "number": exhibit.number,
                "id": exhibit.id,
                "kind": exhibit.kind,
                "name": exhibit.name,
                "sha256": exhibit.sha256,
                "size": exhibit.size,
            }
        )
    else:
        out.print(f"Exhibit {exhibit.number} of case {reference}: {plain(exhibit.name)}")
