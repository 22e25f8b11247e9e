"""`touchstone evidence`: list, export and verify sealed bundles."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, table
from registry.errors import TouchstoneError
from registry.models import Capture

app = typer.Typer(help="Sealed evidence bundles (WACZ).", no_args_is_help=True)


@app.command("list", epilog="Example: `touchstone evidence list --json`")
def list_(
    listing: Annotated[str | None, typer.Option(help="Only this listing's.")] = None,
    json: JsonFlag = False,
) -> None:
    """List captures, newest first."""
    wanted = select(Capture).order_by(Capture.id.desc())
    if listing is not None:
        wanted = wanted.where(Capture.listing_id == parse_id(listing, "listing"))
    with open_house() as house, house.database.reading() as session:
        rows = [
            {
                "id": c.id,
                "captured_at": c.captured_at,
                "status": c.status,
                "url": c.url,
                "sha256": c.sha256,
                "size": c.size,
                "listing_id": c.listing_id,
                "purchase_id": c.purchase_id,
            }
            for c in session.scalars(wanted)
        ]
    if json:
        emit_json(rows)
        return
    table(
        ("Capture", "When", "Status", "Page", "SHA-256", "Bytes"),
        (
            (
                r["id"],
                f"{r['captured_at']:%Y-%m-%d %H:%M:%S}Z",
                r["status"],
                r["url"],
                f"{r['sha256']:.16}…",
                r["size"],
            )
            for r in rows
        ),
        empty="No capture yet.",
    )


@app.command(epilog="Example: `touchstone evidence export 0197… case-17.wacz`")
def export(capture: str, file: Path, json: JsonFlag = False) -> None:
    """Write a capture's bundle to a file, to be verified by anyone, offline."""
    capture_id = parse_id(capture, "capture")
    with open_house() as house:
        with house.database.reading() as session:
            row = session.get(Capture, capture_id)
        if row is None:
            raise TouchstoneError(f"there is no capture {capture_id}; see evidence list")
        try:
            with house.blobs.open(row.blob) as source, file.open("xb") as target:
                shutil.copyfileobj(source, target)
        except FileExistsError as error:
            raise TouchstoneError(f"{file} is there already: name another file") from error
        except FileNotFoundError as error:
            raise TouchstoneError(f"cannot export {row.blob} to {file}: {error}") from error
    if json:
        emit_json({"file": file, "sha256": row.sha256, "size": row.size})
    else:
        out.print(f"{plain(file)}: {row.size} bytes, SHA-256 {row.sha256}")


@app.command(epilog="Example: `touchstone evidence verify case-17.wacz`")
def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    sha256: Annotated[
        str | None, typer.Option(help="The SHA-256 that the bundle must have, from your records.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Re-check everything in bundles, offline, and name what fails. Exit code 1 if any does."""
    from evidence.verify import verify as verify_bundle

    reports = []
    for file in files:
        if not file.is_file():
            raise TouchstoneError(f"{file}: there is no such file")
        reports.append((file, verify_bundle(file, expected_sha256=sha256)))
    if json:
        emit_json([{"file": file, **report.to_dict()} for file, report in reports])
    else:
        for file, report in reports:
            for check in report.checks:
                mark = "[green]ok  [/]" if check.ok else "[bold red]FAIL[/]"
                out.print(f"{mark} {plain(check.part)}: {plain(check.name)}. {plain(check.detail)}")
            verdict = "[bold green]intact[/]" if report.ok else "[bold red]NOT intact[/]"
            out.print(f"{plain(file)}: {verdict}")
    if not all(report.ok for _, report in reports):
        raise typer.Exit(1)
