"""`touchstone job`: the outbox, and the dead letters in it."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, table
from registry import jobs as outbox
from registry.errors import TouchstoneError
from registry.models import Job

app = typer.Typer(help="Jobs: what waits, what failed.", no_args_is_help=True)


@app.command("list", epilog="Example: `touchstone job list --state dead`")
def list_(
    state: Annotated[
        str | None, typer.Option(help="queued, running, done or dead; all but done if left out.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    json: JsonFlag = False,
) -> None:
    """List jobs, newest first, and how many there are of each state."""
    known = ("queued", "running", "done", "dead")
    if state is not None and state not in known:
        raise TouchstoneError(f"there is no state {state!r}; there are: {', '.join(known)}")
    wanted = select(Job).order_by(Job.id.desc()).limit(limit)
    wanted = wanted.where(Job.state == state if state else Job.state != "done")
    with open_house() as house, house.database.reading() as session:
        states = outbox.tally(session)
        rows = [
            {
                "id": job.id,
                "kind": job.kind,
                "state": job.state,
                "failures": job.failures,
                "losses": job.losses,
                "available_at": job.available_at,
                "error": job.error,
            }
            for job in session.scalars(wanted)
        ]
    if json:
        emit_json({"states": states, "jobs": rows})
        return
    out.print(", ".join(f"{number} {name}" for name, number in states.items()))
    table(
        ("Job", "Kind", "State", "Failures", "Lost", "Due", "Error"),
        (list(row.values()) for row in rows),
        empty="None to show.",
    )


@app.command(epilog="Example: `touchstone job requeue 0197…`")
def requeue(job: str, json: JsonFlag = False) -> None:
    """Give a dead job another round of tries."""
    job_id = parse_id(job, "job")
    with open_house() as house, house.database.writing() as session:
        outbox.requeue(session, job_id)
    if json:
        emit_json({"id": job_id, "state": "queued"})
    else:
        out.print(f"Job {job_id} is queued again.")
