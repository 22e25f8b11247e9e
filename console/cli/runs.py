"""`touchstone run`: what was crawled, how far a run is, and whether it was healthy."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.following import drawn, follow_run, in_a_line
from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain
from console.progress import RunView, newest_runs, run_view

app = typer.Typer(help="Runs of plans: how far they are, how they went.", no_args_is_help=True)


@app.command("list", epilog="Example: `touchstone run list --json`")
def list_(
    limit: Annotated[int, typer.Option(min=1)] = 20,
    json: JsonFlag = False,
) -> None:
    """List the newest runs, and what was wrong with those that were unhealthy."""
    with open_house() as house, house.database.reading() as session:
        views = newest_runs(session, limit=limit)
    if json:
        emit_json([view.as_dict() for view in views])
        return
    for view in views:
        said = note(view)
        out.print(
            f"{view.id} {view.started_at:%Y-%m-%d %H:%M} [bold]{view.state}[/] "
            f"{plain(in_a_line(view))}{'. ' + plain(said) if said else ''}",
            highlight=False,
        )
    if not views:
        out.print("Nothing was crawled yet: touchstone watch PLAN")


@app.command(
    epilog="Examples: `touchstone run show 0198…`, `touchstone run show 0198… --follow`, "
    "`… --follow --json` (a JSON object a line, once a second)"
)
def show(
    run: Annotated[str, typer.Argument(help="A run's id.")],
    follow: Annotated[bool, typer.Option(help="Go on until it has ended.")] = False,
    json: JsonFlag = False,
) -> None:
    """Show how far a run is: pages, what waits, rate, errors, time left, shard by shard."""
    run_id = parse_id(run, "run")
    with open_house() as house:
        if follow:
            view = follow_run(house, run_id, as_json=json)
            if json:
                return
        else:
            with house.database.reading() as session:
                view = run_view(session, run_id)
    if json:
        emit_json(view.as_dict())
        return
    out.print(drawn(view))
    for shard in view.shards:
        for reason, times in shard.reasons:
            out.print(f"{plain(shard.marketplace)}: {times} times: {plain(reason)}")
    if said := note(view):
        out.print(plain(said))


def note(view: RunView) -> str:
    """What was wrong with a run, empty if nothing was."""
    if view.complaints:
        return f"unhealthy: {'; '.join(view.complaints)}"
    return view.error or ""
