"""Working off the outbox in this process, with a bar that shows it."""

from __future__ import annotations

from collections.abc import Collection

from console.cli.house import House
from console.cli.output import progress
from registry.errors import TouchstoneError
from registry.jobs import tally


def work_until_idle(house: House, only: Collection[str] | None = None) -> None:
    """Run a worker in this process until no job is left that it could do.

    Parameters
    ----------
    only
        The kinds of job that it does; all of them if left out.

    Raises
    ------
    TouchstoneError
        If jobs died meanwhile: a person has to look at them.
    """
    from workers.actors import HANDLERS
    from workers.runner import WorkerProcess

    handlers = {kind: do for kind, do in HANDLERS.items() if only is None or kind in only}
    worker = WorkerProcess(house.settings, house.database, house.blobs, handlers)
    before = _dead(house)
    with progress() as bar:
        task = bar.add_task("working", total=None, detail="")

        def show(states: dict[str, int]) -> None:
            left = states["queued"] + states["running"]
            ended = states["done"] + states["dead"]
            dead = f", {states['dead']} dead" if states["dead"] else ""
            bar.update(task, completed=ended, total=left + ended, detail=f"{left} left{dead}")

        worker.run_until_idle(show)
    died = _dead(house) - before
    if died > 0:
        what = "job has" if died == 1 else "jobs have"
        raise TouchstoneError(f"{died} {what} died: see touchstone job list --state dead")


def _dead(house: House) -> int:
    with house.database.reading() as session:
        return tally(session)["dead"]
