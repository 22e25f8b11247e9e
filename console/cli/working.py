"""Working off the outbox in this process, with a bar that shows it."""

from __future__ import annotations

from console.cli.house import House
from console.cli.output import progress


def work_until_idle(house: House) -> None:
    """Run a worker in this process until no job is left that it could do."""
    from workers.runner import WorkerProcess

    worker = WorkerProcess(house.settings, house.database, house.blobs)
    with progress() as bar:
        task = bar.add_task("working", total=None, detail="")

        def show(states: dict[str, int]) -> None:
            left = states["queued"] + states["running"]
            ended = states["done"] + states["dead"]
            dead = f", {states['dead']} dead" if states["dead"] else ""
            bar.update(task, completed=ended, total=left + ended, detail=f"{left} left{dead}")

        worker.run_until_idle(show)
