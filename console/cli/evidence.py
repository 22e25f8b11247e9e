"""`touchstone evidence`: list, export and verify sealed bundles."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, progress, table
from console.cli.working import work_until_idle
from registry.blobs import sync_folder
from registry.errors import TouchstoneError
from registry.models import Capture
from registry.settings import load_settings

if TYPE_CHECKING:
    from evidence.verifying import Report

app = typer.Typer(help="Sealed evidence bundles (WACZ).", no_args_is_help=True)


@app.command("list", epilog="Example: `touchstone evidence list --json`")
def list_(
    listing: Annotated[str | None, typer.Option(help="Only this listing's.")] = None,
    json: JsonFlag = False,
) -> None:
    """List captures, newest first."""
    from evidence.signing.timestamps import describe

    wanted = select(Capture).options(selectinload(Capture.stamps)).order_by(Capture.id.desc())
    if listing is not None:
        wanted = wanted.where(Capture.listing_id == parse_id(listing, "listing"))
    with open_house() as house, house.database.reading() as session:
        rows: list[dict[str, Any]] = [
            {
                "id": c.id,
                "captured_at": c.captured_at,
                "status": c.status,
                "url": c.url,
                "sha256": c.sha256,
                "size": c.size,
                "listing_id": c.listing_id,
                "purchase_id": c.purchase_id,
                "archive_sha256": c.archive_sha256,
                "key_id": c.key_id,
                "exchanges": c.exchanges,
                "incomplete": c.incomplete,
                "deleted_at": c.deleted_at,
                "stamps": [describe(stamp, c.captured_at) for stamp in c.stamps],
            }
            for c in session.scalars(wanted)
        ]
    if json:
        emit_json(rows)
        return
    table(
        ("Capture", "When", "Status", "Page", "SHA-256", "Bytes", "Answers", "Stamps"),
        (
            (
                r["id"],
                f"{r['captured_at']:%Y-%m-%d %H:%M:%S}Z",
                r["status"],
                r["url"],
                f"{r['sha256']:.16}…",
                "deleted" if r["deleted_at"] else r["size"],
                _answers(r["exchanges"], r["incomplete"]),
                _count(r["stamps"]),
            )
            for r in rows
        ),
        empty="No capture yet.",
    )


def _answers(exchanges: int, incomplete: int) -> str:
    return f"{exchanges}, {incomplete} not whole" if incomplete else f"{exchanges}, all whole"


def _count(stamps: list[dict[str, Any]]) -> str:
    if not stamps:
        return "none asked for"
    done = sum(stamp["state"] == "stamped" for stamp in stamps)
    return f"{done} of {len(stamps)}"


@app.command(epilog="Example: `touchstone evidence stamp`")
def stamp(json: JsonFlag = False) -> None:
    """Ask now for every time stamp that is awaited. Exit code 1 if any still is."""
    from evidence.signing.timestamps import ask_awaiting

    with open_house() as house:
        rows = [
            {
                "capture_id": s.capture_id,
                "about": s.about,
                "authority": s.authority,
                "state": s.state,
                "stamped_at": s.stamped_at,
                "error": s.error,
            }
            for s in ask_awaiting(house.database, house.settings)
        ]
    if json:
        emit_json(rows)
    else:
        table(
            ("Capture", "About", "Authority", "State", "When, or why not"),
            (
                (
                    r["capture_id"],
                    r["about"],
                    r["authority"],
                    r["state"],
                    r["stamped_at"] or r["error"],
                )
                for r in rows
            ),
            empty="No stamp is awaited.",
        )
    if any(r["state"] == "awaiting" for r in rows):
        raise typer.Exit(1)


@app.command(epilog="Example: `touchstone evidence export 0197… case-17.wacz`")
def export(capture: str, file: Path, json: JsonFlag = False) -> None:
    """Write a capture's bundle to a file, to be verified by anyone, offline."""
    from evidence.custody.ledger import record

    capture_id = parse_id(capture, "capture")
    with open_house() as house:
        with house.database.reading() as session:
            row = session.get(Capture, capture_id)
        if row is None:
            raise TouchstoneError(f"there is no capture {capture_id}; see evidence list")
        if row.deleted_at is not None:
            when = f"{row.deleted_at:%Y-%m-%d %H:%M}Z"
            raise TouchstoneError(f"capture {capture_id} was deleted, {when}; its hash is kept")
        if file.exists() or file.is_symlink():
            raise TouchstoneError(f"{file} is there already: name another file")
        half: Path | None = None
        try:
            with (
                house.blobs.open(row.blob) as source,
                tempfile.NamedTemporaryFile(
                    dir=file.parent, prefix=f".{file.name}.", suffix=".part", delete=False
                ) as target,
            ):
                half = Path(target.name)
                # Before any byte is out: no copy is ever without its line in the ledger.
                with house.database.writing() as session:
                    record(
                        session,
                        event="exported",
                        subject=f"capture:{row.id}",
                        actor=house.settings.operator,
                        details={"file": file.name, "sha256": row.sha256},
                    )
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
            half.rename(file)
            sync_folder(file.parent)
        except FileNotFoundError as error:
            raise TouchstoneError(f"cannot export {row.blob} to {file}: {error}") from error
        finally:
            if half is not None:
                half.unlink(missing_ok=True)
    if json:
        emit_json({"file": file, "sha256": row.sha256, "size": row.size})
    else:
        out.print(f"{plain(file)}: {row.size} bytes, SHA-256 {row.sha256}")


@app.command(
    epilog='Example: `touchstone evidence delete 0197… --by "Ada" --reason "kept long enough"`'
)
def delete(
    item: Annotated[str, typer.Argument(metavar="ID", help="A capture, or a file of a case.")],
    by: Annotated[str, typer.Option("--by", help="Your name: it stands in the ledger.")],
    reason: Annotated[str, typer.Option(help="Why: it stands in the ledger.")],
    json: JsonFlag = False,
) -> None:
    """Delete a capture's bundle or an exhibit's file; its hash and its history stay.

    Refused while a case to which it belongs is on hold or must be kept.
    """
    from evidence.custody import retention

    item_id = parse_id(item, "capture or exhibit")
    with open_house() as house:
        with house.database.writing() as session:
            deleted = retention.delete(session, item_id, actor=by, reason=reason)
        if house.settings.broker_url == "embedded:":
            work_until_idle(house, only=("erase",))  # with a broker, a worker does it
    if json:
        emit_json({"id": item_id, "sha256": deleted.sha256, "deleted_at": deleted.deleted_at})
    else:
        out.print(f"{item_id} is deleted; its SHA-256 was {deleted.sha256}")


@app.command(epilog="Example: `touchstone evidence verify VEL-2026-017.zip --roots tsa.pem`")
def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    sha256: Annotated[
        str | None, typer.Option(help="The SHA-256 that the bundle must have, from your records.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|KEYID",
            help="The public key (PEM, or its id) that must have signed. May be given again.",
        ),
    ] = None,
    roots: Annotated[
        Path | None,
        typer.Option(help="PEM file: certificates of the time-stamping authorities you trust."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Re-check everything in bundles, offline, and name what fails. Exit code 1 if any does.

    FILE is a WACZ (with its stamps FILE.tsr beside it), a case's bag (ZIP or unpacked), or a
    folder of them. Each check says what it proves, and on whose word.
    """
    from evidence.verifying import verify as verify_bundle

    pinned, trusted, known = _key_ids(key or []), _read_roots(roots), _known_keys()
    reports: list[tuple[Path, Report]] = []
    for file in files:
        if not file.exists():
            raise TouchstoneError(f"{file}: there is no such file")
        with progress() as bar:
            task = bar.add_task("verifying", total=None, detail="bytes read")
            report = verify_bundle(
                file,
                expected_sha256=sha256,
                key=pinned,
                roots=trusted,
                known=known,
                progress=partial(bar.advance, task),
            )
        reports.append((file, report))
        if not json:
            _print_report(file, report)
    if json:
        emit_json([{"file": file, **report.to_dict()} for file, report in reports])
    if not all(report.ok for _, report in reports):
        raise typer.Exit(1)


def _print_report(file: Path, report: Report) -> None:
    for check in report.checks:
        mark = "[green]ok  [/]" if check.ok else "[bold red]FAIL[/]"
        detail = f" {plain(check.detail)}" if check.detail else ""
        by = f", by {plain(check.by)}" if check.by else ""
        out.print(f"{mark} {plain(check.part)}: {plain(check.name)}.{detail}")
        out.print(f"     [dim]proves: {plain(check.proves)}{by}[/]")
    verdict = "[bold green]intact[/]" if report.ok else "[bold red]NOT intact[/]"
    out.print(f"{plain(file)}: {verdict}")


def _key_ids(keys: list[str]) -> frozenset[str]:
    from evidence.verifying.checks import Damaged
    from evidence.verifying.command import read_key

    try:
        return frozenset(read_key(key) for key in keys)
    except (Damaged, OSError) as error:
        raise TouchstoneError(f"--key: {error}") from error


def _read_roots(path: Path | None) -> bytes | None:
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise TouchstoneError(f"--roots: {path}: {error.strerror}") from error


def _known_keys() -> dict[str, str]:
    """What to say of this installation's keys; none where there is no installation."""
    from evidence.signing.signer import public_keys

    return dict.fromkeys(public_keys(load_settings()), "key of this installation")
