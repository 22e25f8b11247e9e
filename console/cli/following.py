"""Showing how far a run is while it goes on: drawn, in lines, or as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from sqlalchemy import select

from console.cli.house import House
from console.cli.output import err, plain
from console.progress import Part, RunView, run_view
from registry.models import Run

LOOK_SECONDS = 1.0
#: Where nothing can be drawn, a line is printed now and then.
LINE_SECONDS = 10.0


def follow_plan(house: House, plan_id: UUID, steps: Iterable[object], *, as_json: bool) -> None:
    """Show the run of a plan that goes on in this process, step by step."""
    with _shown(as_json) as show:
        looked = -LOOK_SECONDS
        for _ in steps:
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                if (view := _newest(house, plan_id)) is not None:
                    show(view)
        if (view := _newest(house, plan_id)) is not None:
            show(view)


def follow_run(house: House, run_id: UUID, *, as_json: bool) -> RunView:
    """Show a run, which goes on wherever it may, until it has ended."""
    with _shown(as_json) as show:
        while True:
            with house.database.reading() as session:
                view = run_view(session, run_id)
            show(view)
            if not view.live:
                return view
            time.sleep(LOOK_SECONDS)


def _newest(house: House, plan_id: UUID) -> RunView | None:
    with house.database.reading() as session:
        wanted = select(Run.id).where(Run.plan_id == plan_id).order_by(Run.id.desc()).limit(1)
        run_id = session.scalar(wanted)
        return run_view(session, run_id) if run_id is not None else None


@contextmanager
def _shown(as_json: bool) -> Iterator[Callable[[RunView], None]]:
    """What shows a view: on standard output as JSON, else for people on standard error."""
    if as_json:
        yield emit_line
    elif err.is_terminal:
        with Live(console=err, auto_refresh=False, transient=True) as live:
            yield lambda view: live.update(drawn(view), refresh=True)
    else:
        said = [time.monotonic()]

        def say(view: RunView) -> None:
            if time.monotonic() - said[0] >= LINE_SECONDS:
                said[0] = time.monotonic()
                err.print(plain(in_a_line(view)), soft_wrap=True)

        yield say


def emit_line(value: RunView | dict[str, Any]) -> None:
    """Print a value as JSON on one line."""
    told = value.as_dict() if isinstance(value, RunView) else value
    sys.stdout.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def in_a_line(view: RunView) -> str:
    """How far a run is, on one line."""
    total = view.total
    said = [f"{total.pages} pages", f"{total.listings} listings", f"{total.new} new"]
    said.append(f"{total.errors} errors")
    if total.walls:
        said.append(f"{total.walls} walls")
    if total.rate is not None:
        said.append(f"{total.rate:.1f} pages/s")
    if view.live:
        said += [f"{total.waiting} waiting", f"time left: {total.left}"]
    return f"{view.plan}: {', '.join(said)}"


def drawn(view: RunView) -> Group:
    """How far a run is, shard by shard."""
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Marketplace", "", "", "Pages", "Waiting", "Listings", "New", "Errors", "Walls"):
        right = name not in ("", "Marketplace")
        rows.add_column(name, justify="right" if right else "left", no_wrap=True)
    rows.add_column("Pages/s", justify="right", no_wrap=True)
    rows.add_column("Left", no_wrap=True)
    for shard in view.shards:
        _row(rows, plain(shard.marketplace), shard.state, shard.part)
    if len(view.shards) != 1:
        _row(rows, "all", view.state, view.total)
    found = Text(f"found {view.total.listings} → new or changed {view.total.new}", style="dim")
    if view.flagged is not None:
        found.append(f" → flagged {view.flagged}")
    return Group(Text(f"{view.plan}, {_clock(view.seconds)}", style="bold"), rows, found)


def _row(rows: Table, name: str, state: str, part: Part) -> None:
    total = max(part.pages + part.waiting, 1)
    rows.add_row(
        name,
        state,
        ProgressBar(total=total, completed=part.pages, width=20),
        str(part.pages),
        str(part.waiting),
        str(part.listings),
        str(part.new),
        Text(str(part.errors), style="red" if part.errors else ""),
        Text(str(part.walls), style="red" if part.walls else ""),
        "–" if part.rate is None else f"{part.rate:.1f}",
        part.left if state == "running" else "",
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
