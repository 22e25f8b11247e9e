"""`touchstone ledger`: the custody ledger, its checkpoints, and what proves them."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, out, plain, progress, table
from registry.errors import TouchstoneError
from registry.models import Checkpoint, LedgerEntry

app = typer.Typer(help="The custody ledger: who did what with which exhibit.", no_args_is_help=True)

MAX_NOTE_BYTES = 4096


@app.command("list", epilog="Example: `touchstone ledger list --subject capture:0197…`")
def list_(
    subject: Annotated[str | None, typer.Option(help="Only entries about this.")] = None,
    event: Annotated[str | None, typer.Option(help="Only entries of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000)] = 50,
    json: JsonFlag = False,
) -> None:
    """List entries, newest first."""
    wanted = select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(limit)
    if subject is not None:
        wanted = wanted.where(LedgerEntry.subject == subject)
    if event is not None:
        wanted = wanted.where(LedgerEntry.event == event)
    with open_house() as house, house.database.reading() as session:
        rows = [_said(entry) for entry in session.scalars(wanted)]
    if json:
        emit_json(rows)
        return
    table(
        ("Entry", "When", "Who", "Event", "Subject", "Details"),
        (
            (
                r["seq"],
                f"{r['occurred_at']:.19}Z",
                r["actor"],
                r["event"],
                r["subject"],
                json_module.dumps(r["details"], ensure_ascii=False),
            )
            for r in rows
        ),
        empty="The ledger is empty.",
    )


@app.command(epilog="Example: `touchstone ledger verify --against note-of-last-year.txt`")
def verify(
    against: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint note kept elsewhere: the ledger must go on from it."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Check every entry, checkpoint and signature. Exit code 1 if anything is wrong."""
    from evidence.custody.audit import audit
    from evidence.signing.signer import public_keys

    kept = [(str(path), _read_note(path)) for path in against or []]
    with open_house() as house, house.database.reading() as session, progress() as bar:
        task = bar.add_task("checking the ledger", total=None, detail="entries")

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        checks = audit(session, public_keys(house.settings), against=kept, show=show)
    good = all(check.ok for check in checks)
    if json:
        emit_json({"ok": good, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            mark = "[green]ok  [/]" if check.ok else "[bold red]FAIL[/]"
            out.print(f"{mark} {plain(check.name)}: {plain(check.detail)}")
        verdict = "[bold green]intact[/]" if good else "[bold red]NOT intact[/]"
        out.print(f"The ledger: {verdict}")
    if not good:
        raise typer.Exit(1)


@app.command(epilog="Example: `touchstone ledger prove capture:0197…`")
def prove(
    what: Annotated[str, typer.Argument(metavar="SEQ|SUBJECT", help="An entry, or all about it.")],
    size: Annotated[
        int | None,
        typer.Option(min=1, max=2**62, help="Size of the checkpoint; the newest if left out."),
    ] = None,
) -> None:
    """Print, as JSON, what proves that entries are under a signed checkpoint."""
    from evidence.custody import ledger

    wanted = select(LedgerEntry).order_by(LedgerEntry.seq)
    if what.isascii() and what.isdigit() and len(what) < 19:
        wanted = wanted.where(LedgerEntry.seq == int(what))
    else:
        wanted = wanted.where(LedgerEntry.subject == what)
    with open_house() as house, house.database.reading() as session:
        entries = session.scalars(wanted).all()
        if not entries:
            raise TouchstoneError(f"the ledger has no entry {what}; see ledger list")
        checkpoint = _checkpoint(session, size)
        covered = [entry for entry in entries if entry.seq < checkpoint.size]
        if not covered:
            raise TouchstoneError(
                f"{what} came after the checkpoint of {checkpoint.size} entries: "
                "touchstone ledger checkpoint"
            )
        tree = ledger.tree(session, checkpoint.size)
        if tree.root().hex() != checkpoint.root:
            raise TouchstoneError("the ledger is not what was signed: touchstone ledger verify")
        emit_json(
            {
                "checkpoint": checkpoint.note,
                "size": checkpoint.size,
                "root": checkpoint.root,
                "entries": [
                    {
                        "seq": entry.seq,
                        "leaf": entry.leaf,
                        "leaf_hash": entry.leaf_hash,
                        "inclusion": [
                            part.hex() for part in tree.inclusion_proof(entry.seq, checkpoint.size)
                        ],
                    }
                    for entry in covered
                ],
                "not_covered": [entry.seq for entry in entries if entry.seq >= checkpoint.size],
            }
        )


@app.command(epilog="Example: `touchstone ledger checkpoint --out note.txt`")
def checkpoint(
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the note to this file, to keep elsewhere.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Sign the ledger as it is now, and print the note: keep it where nobody here can change it."""
    from evidence.custody import checkpoints, ledger
    from evidence.signing.signer import open_signer

    with open_house() as house:
        signer = open_signer(house.settings)
        with house.database.reading() as session:
            drawn = ledger.draw(session, signer)
        if drawn is not None:
            with house.database.writing() as session:
                checkpoints.enter(session, drawn, house.settings)
        with house.database.reading() as session:
            if session.scalar(select(LedgerEntry.seq).limit(1)) is None:
                raise TouchstoneError("the ledger is empty: there is nothing to sign yet")
            made = _checkpoint(session, None)
    if out_file is not None:
        try:
            with out_file.open("x", encoding="utf-8", newline="") as target:
                target.write(made.note)
        except FileExistsError as error:
            raise TouchstoneError(f"{out_file} is there already: name another file") from error
        except FileNotFoundError as error:
            raise TouchstoneError(f"{out_file}: there is no such folder") from error
    if json:
        emit_json(
            {"size": made.size, "root": made.root, "note": made.note, "new": drawn is not None}
        )
    elif out_file is None:
        typer.echo(made.note, nl=False)
    else:
        out.print(f"{plain(out_file)}: {made.size} entries, root {made.root}")


def _checkpoint(session: Session, size: int | None) -> Checkpoint:
    wanted = select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)
    found = session.scalar(wanted if size is None else wanted.where(Checkpoint.size == size))
    if found is None:
        which = "no checkpoint yet" if size is None else f"no checkpoint of {size} entries"
        raise TouchstoneError(f"there is {which}: touchstone ledger checkpoint")
    return found


def _said(entry: LedgerEntry) -> dict[str, Any]:
    """What an entry says, as it is shown; one that was tampered with shows its columns."""
    try:
        leaf = json_module.loads(entry.leaf)
        return {
            "seq": entry.seq,
            "event": leaf["event"],
            "subject": leaf["subject"],
            "actor": leaf["actor"],
            "occurred_at": leaf["occurred_at"],
            "recorded_at": leaf["recorded_at"],
            "details": leaf["details"],
        }
    except (ValueError, KeyError, TypeError):
        at = entry.recorded_at.astimezone(UTC).isoformat()
        return {
            "seq": entry.seq,
            "event": entry.event,
            "subject": entry.subject,
            "actor": entry.actor,
            "occurred_at": at,
            "recorded_at": at,
            "details": {},
        }


def _read_note(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_NOTE_BYTES).decode("utf-8", "replace")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise TouchstoneError(f"{path}: there is no such file") from error
