"""`touchstone case export` and `open-sealed`: the bag of a case, for a court."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import select

from console.cli.house import House, open_house
from console.cli.output import JsonFlag, emit_json, out, plain, progress
from purchases import personas
from registry.models import Persona, Purchase
from registry.secrets import open_vault


def add_to(cases: typer.Typer) -> None:
    """Put these into `touchstone case`."""
    cases.command(epilog='Example: `touchstone case export C-17 C-17.zip --by "Ada"`')(export)
    cases.command(
        "open-sealed",
        epilog="Example: `touchstone case open-sealed C-17.zip --key C-17-….key --out opened`",
    )(open_sealed)


def export(
    reference: str,
    file: Annotated[Path, typer.Argument(metavar="FILE.zip")],
    by: Annotated[str, typer.Option("--by", help="Your name: it stands in ledger and report.")],
    reason: Annotated[str, typer.Option(help="Why, and for whom.")] = "",
    include_sensitive: Annotated[
        bool,
        typer.Option(
            "--include-sensitive",
            help="Leave what shows the buyer's name and address in the clear, and say so.",
        ),
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Write a case's exhibits, and what proves them, into one bag that anyone can verify."""
    from evidence.exhibits.exhibit import export as export_case

    with open_house() as house:
        hidden, buyers = _buyers(house)
        with progress() as bar:
            task = bar.add_task("reading the case", total=None, detail="")

            def show(doing: str, done: int, total: int) -> None:
                bar.update(task, description=doing, completed=done, total=total or None)

            made = export_case(
                house.database,
                house.blobs,
                house.settings,
                reference,
                file,
                by=by,
                reason=reason,
                buyers=buyers,
                personas=hidden,
                include_sensitive=include_sensitive,
                progress=show,
            )
    if json:
        emit_json(
            {
                "file": made.path,
                "bag": made.name,
                "sha256": made.sha256,
                "size": made.size,
                "exhibits": made.exhibits,
                "sealed": made.sealed,
                "deleted": made.deleted,
                "stamps_awaited": made.awaiting,
                "key": made.key,
            }
        )
        return
    deleted = f", {made.deleted} deleted and listed" if made.deleted else ""
    number = "1 exhibit" if made.exhibits == 1 else f"{made.exhibits} exhibits"
    out.print(f"{plain(made.path)}: {number}{deleted}, {made.size} bytes")
    out.print(f"SHA-256 {made.sha256}: send it by another way than the file")
    if made.awaiting:
        stamps = "time stamp is" if made.awaiting == 1 else "time stamps are"
        out.print(f"{made.awaiting} {stamps} still awaited; the bag says so")
    if made.key is not None:
        sealed = "exhibit is" if made.sealed == 1 else "exhibits are"
        out.print(f"{made.sealed} {sealed} sealed; the key: {plain(made.key)}")


def _buyers(house: House) -> tuple[list[dict[str, str]], dict[UUID, dict[str, str]]]:
    """All personas, and that of each purchase that has one."""
    vault = open_vault(house.settings)
    with house.database.reading() as session:
        opened = {
            row.id: personas.unsealed(vault, row).model_dump()
            for row in session.scalars(select(Persona))
        }
        bought = session.execute(
            select(Purchase.id, Purchase.persona_id).where(Purchase.persona_id.is_not(None))
        )
        used = {purchase_id: opened[persona_id] for purchase_id, persona_id in bought if persona_id}
    return list(opened.values()), used


def open_sealed(
    bag: Annotated[Path, typer.Argument(metavar="BAG", help="The ZIP file, or its folder.")],
    key: Annotated[Path, typer.Option(help="The file that was written beside the bag.")],
    to: Annotated[Path, typer.Option("--out", help="Folder for what is opened.")],
    json: JsonFlag = False,
) -> None:
    """Open what is sealed in a bag, and check that it is what was sealed."""
    from evidence.exhibits import sealing

    opened = sealing.open_bag(bag, sealing.read_key(key), to)
    if json:
        emit_json(
            [
                {"exhibit": one.number, "file": one.path, "sha256": one.sha256, "size": one.size}
                for one in opened
            ]
        )
        return
    for one in opened:
        out.print(f"Exhibit {one.number}: {plain(one.path)}, SHA-256 {one.sha256}, as sealed")
    if not opened:
        out.print("Nothing in this bag is sealed.")
