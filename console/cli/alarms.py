"""`touchstone alarms`: what is wrong with what is read of marketplaces."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, table
from registry import alarms
from registry.errors import TouchstoneError
from registry.models import Alarm

app = typer.Typer(
    help="Alarms: a layout that changed, walls, fields that are missing.",
    epilog="Exit code of `touchstone alarms` and `alarms list`: 3 while an alarm is open that "
    "nobody has acknowledged, else 0; 1 if it could not be told.",
)

#: For scripts that watch over this.
ALARMING = 3

One = Annotated[str, typer.Argument(help="An alarm's id.")]
By = Annotated[str | None, typer.Option(help="Who says so; the operator if left out.")]


@app.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """List the alarms that are open, where no command is given."""
    if context.invoked_subcommand is None:
        list_()


@app.command(
    "list", epilog="Examples: `touchstone alarms list --json`, `touchstone alarms list --all`"
)
def list_(
    every: Annotated[bool, typer.Option("--all", help="Those that are closed as well.")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 100,
    json: JsonFlag = False,
) -> None:
    """List alarms: those that are open first, then the newest."""
    with open_house() as house, house.database.reading() as session:
        rows = [_told(one) for one in alarms.newest(session, closed=every, limit=limit)]
    if json:
        emit_json(rows)
    else:
        for row in rows:
            counted = f"{len(row['runs'])} runs, {len(row['samples'])} samples"
            out.print(
                f"{row['id']} [bold]{row['state']}[/] {plain(row['marketplace'])}: "
                f"[bold]{plain(row['seen'])}[/] (expected: {plain(row['expected'])}; "
                f"since {row['opened_at']:%Y-%m-%d %H:%M}, {counted})",
                highlight=False,
            )
        if not rows:
            out.print("There was no alarm yet." if every else "No alarm is open.")
    if any(row["state"] == "open" for row in rows):
        raise typer.Exit(ALARMING)


@app.command(epilog="Example: `touchstone alarms show 0198…`")
def show(
    alarm: One,
    source: Annotated[
        int | None, typer.Option(help="Print the source of a sample, by its number.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Show an alarm: what was expected, what was seen, which runs, and the saved pages."""
    alarm_id = parse_id(alarm, "alarm")
    with open_house() as house:
        with house.database.reading() as session:
            found = session.get(Alarm, alarm_id)
            if found is None:
                raise TouchstoneError(f"there is no alarm {alarm}: see touchstone alarms list")
            told = _told(found)
        if source is not None:
            if not 1 <= source <= len(told["samples"]):
                raise TouchstoneError(f"alarm {alarm} has {len(told['samples'])} samples")
            with house.blobs.open(told["samples"][source - 1]["blob"]) as stream:
                text = stream.read().decode("utf-8", "replace")
            # It is hostile: no control character of it reaches a terminal.
            typer.echo("\n".join(_harmless(line) for line in text.splitlines()))
            return
    if json:
        emit_json(told)
        return
    shown = {**told, "runs": len(told["runs"]), "samples": len(told["samples"])}
    table(("", ""), ((name.replace("_", " "), value or "–") for name, value in shown.items()), "")
    for number, sample in enumerate(told["samples"], 1):
        where = plain(sample["url"])
        out.print(f"Sample {number}: {sample['kind']}, {plain(sample['why'])}: {where}")
    if told["samples"]:
        out.print(f"Its source: touchstone alarms show {alarm_id} --source 1")


@app.command(epilog="Example: `touchstone alarms acknowledge 0198…`")
def acknowledge(alarm: One, by: By = None, json: JsonFlag = False) -> None:
    """Take an alarm on: it stays open, and scripts are told of it no more."""
    alarm_id = parse_id(alarm, "alarm")
    with open_house() as house, house.database.writing() as session:
        told = _told(alarms.acknowledge(session, alarm_id, by or house.settings.operator))
    if json:
        emit_json(told)
    else:
        out.print(f"Alarm {alarm_id} is acknowledged by {plain(told['acknowledged_by'])}.")


@app.command(
    epilog="Examples: `touchstone alarms close 0198… --note 'page objects mended'`, "
    "`… --usual --note 'this shop shows no prices to visitors any more'`"
)
def close(
    alarm: One,
    note: Annotated[str, typer.Option(help="What was found, and what was done.")],
    usual: Annotated[
        bool,
        typer.Option(
            help="It is to be like this from now on: what was usual before counts no more."
        ),
    ] = False,
    by: By = None,
    json: JsonFlag = False,
) -> None:
    """Close an alarm. A run in which all is well again does so by itself."""
    alarm_id = parse_id(alarm, "alarm")
    with open_house() as house, house.database.writing() as session:
        who = by or house.settings.operator
        told = _told(alarms.close(session, alarm_id, who, note, usual=usual))
    if json:
        emit_json(told)
    else:
        out.print(f"Alarm {alarm_id} is closed.")


def _told(alarm: Alarm) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "state": _state(alarm),
        "marketplace": alarm.marketplace.name,
        "interface": alarm.interface,
        "plan": (alarm.plan or alarm.run.plan).name,
        "kind": alarm.kind,
        "page": alarm.page or None,
        "field": alarm.field or None,
        "expected": alarm.expected,
        "seen": alarm.seen,
        "opened_at": alarm.opened_at,
        "acknowledged_at": alarm.acknowledged_at,
        "acknowledged_by": alarm.acknowledged_by,
        "closed_at": alarm.closed_at,
        "closed_by": alarm.closed_by,
        "closed_by_run": alarm.closed_run_id,
        "usual": alarm.usual,
        "note": alarm.note,
        "runs": [one.run_id for one in alarm.runs],
        "samples": [
            {"kind": one.kind, "url": one.url, "why": one.why, "blob": one.blob}
            for one in alarm.samples
        ],
    }


def _state(alarm: Alarm) -> str:
    if alarm.closed_at is not None:
        return "closed"
    return "open" if alarm.acknowledged_at is None else "acknowledged"


def _harmless(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)
