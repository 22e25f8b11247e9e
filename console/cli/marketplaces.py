"""`touchstone marketplace`: what is under watch, and where orders may be placed."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, out, plain, table
from registry.errors import TouchstoneError
from registry.models import Marketplace

app = typer.Typer(help="Marketplaces under watch.", no_args_is_help=True)


@app.command("list", epilog="Example: `touchstone marketplace list`")
def list_(json: JsonFlag = False) -> None:
    """List the marketplaces and the kinds that Touchstone knows."""
    from crawler.marketplaces import KINDS

    with open_house() as house, house.database.reading() as session:
        rows = [
            {"name": m.name, "kind": m.kind, "url": m.url, "ordering": m.ordering}
            for m in session.scalars(select(Marketplace).order_by(Marketplace.name))
        ]
    if json:
        emit_json({"marketplaces": rows, "kinds": sorted(KINDS)})
        return
    table(
        ("Name", "Kind", "Address", "Ordering"),
        ((r["name"], r["kind"], r["url"], "on" if r["ordering"] else "off") for r in rows),
        empty="No marketplace yet: it comes with its first plan.",
    )
    out.print(f"Known kinds: {', '.join(sorted(KINDS))}")


@app.command(epilog="Example: `touchstone marketplace ordering bazaar on`")
def ordering(
    name: str,
    switch: Annotated[str, typer.Argument(help="on or off")],
    json: JsonFlag = False,
) -> None:
    """Allow or forbid the ordering click. Off by default: purchases stop before it."""
    if switch not in ("on", "off"):
        raise TouchstoneError(f"{switch!r} is neither 'on' nor 'off'")
    with open_house() as house, house.database.writing() as session:
        marketplace = session.scalar(select(Marketplace).where(Marketplace.name == name))
        if marketplace is None:
            raise TouchstoneError(f"there is no marketplace {name!r}; see marketplace list")
        marketplace.ordering = switch == "on"
    if json:
        emit_json({"name": name, "ordering": switch == "on"})
    else:
        out.print(f"Ordering on {plain(name)} is {switch}.")
