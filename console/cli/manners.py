"""`touchstone marketplace robots` and `pace`: what a marketplace's own team allows."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import select

from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, out, plain
from registry.errors import TouchstoneError
from registry.models import Marketplace
from registry.models.base import utcnow


def robots(
    name: str,
    switch: Annotated[str, typer.Argument(help="obeyed or ignored")],
    by: Annotated[str, typer.Option(help="Who of the marketplace's team says so.")] = "",
    why: Annotated[str, typer.Option(help="Where that stands: a contract, a letter.")] = "",
    json: JsonFlag = False,
) -> None:
    """Say that a marketplace's own team lets us pass over its robots.txt, or no more.

    Every crawl logs it. A change of the marketplace's address takes it back.
    """
    if switch not in ("obeyed", "ignored"):
        raise TouchstoneError(f"{switch!r} is neither 'obeyed' nor 'ignored'")
    by, why = " ".join(by.split()), " ".join(why.split())
    if switch == "ignored" and not (by and why):
        raise TouchstoneError(
            "robots: --by and --why are wanted: who of the marketplace allows it?"
        )
    with open_house() as house, house.database.writing() as session:
        marketplace = session.scalar(select(Marketplace).where(Marketplace.name == name))
        if marketplace is None:
            raise TouchstoneError(f"there is no marketplace {name!r}; see marketplace list")
        ignored = switch == "ignored"
        marketplace.robots_ignored_by = by if ignored else None
        marketplace.robots_why = why if ignored else None
        marketplace.robots_at = utcnow() if ignored else None
    if json:
        emit_json({"name": name, "robots": switch, "by": by or None, "why": why or None})
    else:
        out.print(f"robots.txt of {plain(name)} is {switch}.")


def pace(
    name: str,
    per_second: Annotated[
        float | None, typer.Option(min=0.001, max=1000, help="Requests a second, of all workers.")
    ] = None,
    at_once: Annotated[
        int | None, typer.Option(min=1, max=100, help="Requests under way, of all workers.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Set how fast a marketplace's host may be asked; without options, as the settings say."""
    with open_house() as house, house.database.writing() as session:
        marketplace = session.scalar(select(Marketplace).where(Marketplace.name == name))
        if marketplace is None:
            raise TouchstoneError(f"there is no marketplace {name!r}; see marketplace list")
        marketplace.requests_per_second = per_second
        marketplace.requests_at_once = at_once
    value: dict[str, Any] = {"name": name, "per_second": per_second, "at_once": at_once}
    if json:
        emit_json(value)
    else:
        seconds = f"{per_second:g} requests a second" if per_second else "as many a second as set"
        places = f"{at_once} at once" if at_once else "as many at once as set"
        out.print(f"{plain(name)}: {seconds}, {places}, of all workers together.")


def add_to(app: typer.Typer) -> None:
    """Put the commands into `touchstone marketplace`."""
    app.command(
        epilog='Example: `touchstone marketplace robots bazaar ignored --by "Shop team, M. Kuroda" '
        '--why "contract of 2026-03-01"`'
    )(robots)
    app.command(epilog="Example: `touchstone marketplace pace bazaar --per-second 2 --at-once 2`")(
        pace
    )
