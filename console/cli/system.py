"""`init`, `doctor`, `work` and `serve`: the installation itself."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, err, out, plain
from console.cli.working import work_until_idle
from evidence.signing.signer import open_signer
from registry.database import Database
from registry.jobs import tally
from registry.settings import load_settings


def add_to(root: typer.Typer) -> None:
    """Put these at the root."""
    root.command(epilog="Example: `TOUCHSTONE_DATA_DIR=./data touchstone init`")(init)
    root.command(epilog="Example: `touchstone doctor --json`")(doctor)
    root.command(epilog="Examples: `touchstone work`, `touchstone work --until-idle`")(work)
    root.command(epilog="Example: `touchstone serve --port 8000`")(serve)


def init(json: JsonFlag = False) -> None:
    """Make or upgrade the database, the data directory and the signing key. Safe to repeat."""
    settings = load_settings()
    database = Database(settings.database)
    try:
        database.migrate()
        revision = database.revision()
    finally:
        database.close()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    signer = open_signer(settings)
    if json:
        emit_json(
            {
                "data_dir": settings.data_dir,
                "schema": revision,
                "key_id": signer.key_id,
            }
        )
        return
    out.print(f"Ready: schema {revision}, data in {plain(settings.data_dir)}.")
    out.print("Who approves and who buys: touchstone people add, touchstone persona add")
    out.print(f"Signing with the key {signer.key_id:.16}…: touchstone key show")


def doctor(json: JsonFlag = False) -> None:
    """Check every part of the installation and say what to do about each fault."""
    from console.cli.doctor import examine

    findings = examine(load_settings())
    if json:
        emit_json([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            mark = "[green]ok  [/]" if finding.ok else "[bold red]FAIL[/]"
            out.print(f"{mark} [bold]{finding.part}[/]: {plain(finding.detail)}", soft_wrap=True)
            if finding.remedy:
                out.print(f"     {plain(finding.remedy)}", soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def work(
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Stop when no job is left.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Run a worker: hand jobs to the broker and work them off, until SIGTERM.

    With `--until-idle`, `--json` tells in the end how many jobs are in each state.
    """
    from workers.runner import WorkerProcess, serve_until_signalled
    from workers.scheduler import Scheduler

    with open_house() as house:
        if until_idle:
            try:
                work_until_idle(house)
            finally:
                if json:
                    with house.database.reading() as session:
                        emit_json(tally(session))
            return
        err.print(f"Working with {plain(house.settings.broker_url.split('@')[-1])}; stop: Ctrl-C")
        worker = WorkerProcess(house.settings, house.database, house.blobs)
        if house.settings.broker_url != "embedded:":
            serve_until_signalled(worker)
            return
        # Everything in one process: what is due is put into the outbox here too.
        scheduler = Scheduler(house.database)
        scheduler.start()
        try:
            serve_until_signalled(worker)
        finally:
            scheduler.stop()


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    replay_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Where captures are replayed, apart from the console; the next port, if free.",
        ),
    ] = None,
    work: Annotated[
        bool,
        typer.Option("--work/--no-work", help="With the embedded broker: work jobs off here too."),
    ] = True,
) -> None:
    """Serve the console. It has no login of its own yet: keep it on loopback."""
    from console.serving import Served, listen, listen_beside
    from workers.runner import WorkerProcess
    from workers.scheduler import Scheduler

    with open_house() as house:
        console = listen(host, port)
        own = console.getsockname()[1]
        replay = listen_beside(host, own) if replay_port is None else listen(host, replay_port)
        served = Served(house.settings, house.database, house.blobs, host, console, replay)
        worker = scheduler = None
        if work and house.settings.broker_url == "embedded:":
            worker = WorkerProcess(house.settings, house.database, house.blobs)
            worker.start()
            scheduler = Scheduler(house.database)
            scheduler.start()
        try:
            shown = f"[{host}]" if ":" in host else host
            out.print(f"Console: http://{shown}:{own}/  (stop: Ctrl-C)")
            out.print(f"Replay of captures: http://{shown}:{replay.getsockname()[1]}/")
            served.run()
        finally:
            if scheduler is not None:
                scheduler.stop()
            if worker is not None:
                worker.stop()
