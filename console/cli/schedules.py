"""`touchstone schedule`, `touchstone scheduler` and `touchstone watch stop`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session
from typer.core import TyperGroup

from console.cli import plans
from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, err, out, plain, table
from registry import planholds
from registry.errors import TouchstoneError
from registry.models import DueRun, Plan, PlanHold, Run
from registry.models.base import utcnow
from registry.planfile import find_plan, plan_ahead
from registry.schedule import schedule_of, zone

app = typer.Typer(help="When plans run by themselves.", no_args_is_help=True)

AllFlag = Annotated[bool, typer.Option("--all", help="Every plan.")]
OnePlan = Annotated[str | None, typer.Argument(help="A plan's name.")]


class _RunOrCommand(TyperGroup):
    """A group of which a first word that is none of its commands is a plan to run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


def add_to(root: typer.Typer) -> None:
    """Put `watch`, `schedule` and `scheduler` at the root."""
    examples = (
        "Examples: `touchstone watch plan.yaml`, `touchstone watch bazaar-velaro --no-work`, "
        "`touchstone watch stop --all`"
    )
    watch = typer.Typer(
        cls=_RunOrCommand,
        help="Crawl a marketplace by a plan; `touchstone watch PLAN` is `watch run PLAN`.",
        no_args_is_help=True,
        epilog=examples,
    )
    watch.command("run", epilog=examples)(plans.watch)
    watch.command(epilog="Examples: `touchstone watch stop bazaar-velaro`, `… stop --all`")(stop)
    root.add_typer(watch, name="watch")
    root.add_typer(app, name="schedule")
    root.command(epilog="Example: `touchstone -v scheduler`")(scheduler)


def scheduler() -> None:
    """Put runs into the outbox when they are due, until SIGTERM. Any number may do so."""
    from workers.scheduler import Scheduler, serve_until_signalled

    with open_house() as house:
        err.print("Scheduling; stop: Ctrl-C")
        serve_until_signalled(Scheduler(house.database))


def stop(plan: OnePlan = None, every: AllFlag = False, json: JsonFlag = False) -> None:
    """End running crawls within seconds and call off runs that wait. What they saw is kept.

    A plan with a schedule is due again at its next time: `touchstone schedule pause` it too.
    """
    _one_or_all(plan, every)
    with open_house() as house, house.database.writing() as session:
        plan_id = find_plan(session, plan).id if plan is not None else None
        stopped = planholds.stop(session, house.settings.operator, plan_id)
    if json:
        emit_json({"stopping": list(stopped.running), "called_off": stopped.waiting})
        return
    names = ", ".join(plain(name) for name in stopped.running) or "nothing runs"
    out.print(f"Stopping: {names}. Called off before they began: {stopped.waiting}.")


@app.command("list", epilog="Example: `touchstone schedule list --json`")
def list_(json: JsonFlag = False) -> None:
    """List the plans that have a schedule: when each is due, and how it last went."""
    with open_house() as house, house.database.reading() as session:
        rows = _rows(session)
    if json:
        emit_json(rows)
        return
    table(
        ("Plan", "State", "Schedule", "Next due", "Last run", "Ended", "Note"),
        (
            (
                row["plan"],
                row["state"],
                "; ".join(row["schedule"]),
                _local(row["next_due_at"], row["time_zone"]),
                _local(row["last_started_at"], row["time_zone"]),
                row["last_state"],
                row["note"],
            )
            for row in rows
        ),
        empty="No plan has a schedule yet: see docs/scheduling.md.",
    )


def _rows(session: Session) -> list[dict[str, Any]]:
    latest_due = (
        select(DueRun.plan_id, func.max(DueRun.due_at).label("at"))
        .group_by(DueRun.plan_id)
        .subquery()
    )
    latest_run = (
        select(Run.plan_id, func.max(Run.started_at).label("at")).group_by(Run.plan_id).subquery()
    )
    found = session.execute(
        select(Plan, DueRun, Run, PlanHold)
        .outerjoin(latest_due, latest_due.c.plan_id == Plan.id)
        .outerjoin(DueRun, and_(DueRun.plan_id == Plan.id, DueRun.due_at == latest_due.c.at))
        .outerjoin(latest_run, latest_run.c.plan_id == Plan.id)
        .outerjoin(Run, and_(Run.plan_id == Plan.id, Run.started_at == latest_run.c.at))
        .outerjoin(PlanHold, and_(PlanHold.plan_id == Plan.id, PlanHold.until > utcnow()))
        .order_by(Plan.name)
    )
    return [
        {
            "plan": plan.name,
            "state": _state(plan, due, hold),
            "schedule": plan.schedule,
            "time_zone": plan.time_zone,
            "opening_hours": plan.opening_hours,
            "jitter": plan.jitter,
            "next_due_at": plan.next_due_at,
            "last_due_at": due and due.due_at,
            "last_due_state": due and due.state,
            "missed": due.missed if due else 0,
            "last_started_at": run and run.started_at,
            "last_state": run and run.state,
            "note": _note(plan, due, run),
        }
        for plan, due, run, hold in found
        if plan.schedule
    ]


def _state(plan: Plan, due: DueRun | None, hold: PlanHold | None) -> str:
    if hold is not None:
        return "stopping" if hold.stop_requested_at else "running"
    if plan.paused_at is not None:
        return "paused"
    return "waiting" if due is not None and due.state == "queued" else "scheduled"


def _note(plan: Plan, due: DueRun | None, run: Run | None) -> str | None:
    if plan.paused_at is not None:
        return f"paused by {plan.paused_by}"
    if due is not None and due.note:
        return due.note
    if due is not None and due.missed:
        return f"made up for {due.missed} that were missed"
    return run.error if run is not None else None


@app.command(epilog="Examples: `touchstone schedule pause bazaar-velaro`, `… pause --all`")
def pause(plan: OnePlan = None, every: AllFlag = False, json: JsonFlag = False) -> None:
    """Have plans be due no more, until they are resumed. What runs goes on: see watch stop."""
    with open_house() as house, house.database.writing() as session:
        chosen = _chosen(session, plan, every)
        for each in chosen:
            if each.paused_at is None:
                each.paused_at, each.paused_by = utcnow(), house.settings.operator
            each.next_due_at = None
        names = [each.name for each in chosen]
    if json:
        emit_json({"paused": names})
    else:
        out.print(f"Paused: {plain(', '.join(names)) or 'no plan'}.")


@app.command(epilog="Examples: `touchstone schedule resume bazaar-velaro`, `… resume --all`")
def resume(plan: OnePlan = None, every: AllFlag = False, json: JsonFlag = False) -> None:
    """Have paused plans be due again, from their next time on; nothing is made up."""
    with open_house() as house, house.database.writing() as session:
        chosen = [each for each in _chosen(session, plan, every) if each.paused_at is not None]
        for each in chosen:
            each.paused_at = each.paused_by = None
            plan_ahead(each, utcnow())
        rows = [(each.name, each.next_due_at) for each in chosen]
    if json:
        emit_json({"resumed": [{"plan": name, "next_due_at": at} for name, at in rows]})
        return
    for name, at in rows:
        out.print(f"{plain(name)} is due next at {_utc(at)} UTC.")
    if not rows:
        out.print("Nothing was paused.")


@app.command(epilog="Example: `touchstone schedule preview bazaar-velaro --count 10`")
def preview(
    plan: str,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many times to show.")] = 10,
    json: JsonFlag = False,
) -> None:
    """Show when a plan is due next, and when each run begins with its jitter."""
    with open_house() as house, house.database.reading() as session:
        found = find_plan(session, plan)
        schedule = schedule_of(found)
        if schedule is None:
            raise TouchstoneError(
                f"plan {plan} has no schedule: write one into its file and add it again"
            )
        times = schedule.upcoming(utcnow())
        due = [next(times) for _ in range(count)]
        rows = [(at, schedule.start_of(found.id, at)) for at in due]
        name, paused = found.time_zone, found.paused_at is not None
    if json:
        place = zone(name)
        emit_json(
            [
                {
                    "due_at": at.isoformat(),
                    "due_local": at.astimezone(place).isoformat(),
                    "starts_at": starts.isoformat(),
                    "starts_local": starts.astimezone(place).isoformat(),
                    "jitter_seconds": int((starts - at).total_seconds()),
                }
                for at, starts in rows
            ]
        )
        return
    table(
        (f"Due, {name}", "Due, UTC", f"Begins, {name}", "Begins, UTC"),
        (
            (_local(at, name), _utc(at), _local(starts, name), _utc(starts))
            for at, starts in rows
        ),
        empty="",
    )  # fmt: skip
    if paused:
        out.print("The plan is paused: none of these comes before touchstone schedule resume.")


def _one_or_all(plan: str | None, every: bool) -> None:
    if (plan is None) != every:
        raise TouchstoneError("name one plan, or give --all")


def _chosen(session: Session, plan: str | None, every: bool) -> list[Plan]:
    _one_or_all(plan, every)
    if plan is None:
        return [each for each in session.scalars(select(Plan).order_by(Plan.name)) if each.schedule]
    found = find_plan(session, plan)
    if not found.schedule:
        raise TouchstoneError(f"plan {plan} has no schedule: it runs only when somebody says so")
    return [found]


def _local(at: datetime | None, name: str) -> str:
    return "" if at is None else f"{at.astimezone(zone(name)):%a %Y-%m-%d %H:%M:%S %Z}"


def _utc(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
