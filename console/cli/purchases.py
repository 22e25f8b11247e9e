"""`touchstone purchase`: test purchases wait for a person here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from console.cli.house import House, open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, table
from console.cli.working import work_until_idle
from purchases import proposals
from purchases.personas import load_persona
from purchases.states import WAYS
from registry.errors import TouchstoneError
from registry.models import Listing, Purchase
from registry.money import Money

app = typer.Typer(help="Test purchases: approve, reject, settle.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="Your name: it stands under this decision.")]


@app.command("list", epilog="Example: `touchstone purchase list --state proposed`")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    json: JsonFlag = False,
) -> None:
    """List test purchases, newest first."""
    if state is not None and state not in WAYS:
        raise TouchstoneError(f"there is no state {state!r}; there are: {', '.join(WAYS)}")
    wanted = (
        select(Purchase)
        .order_by(Purchase.id.desc())
        .options(selectinload(Purchase.listing).selectinload(Listing.marketplace))
    )
    if state is not None:
        wanted = wanted.where(Purchase.state == state)
    with open_house() as house, house.database.reading() as session:
        rows = [_row(purchase) for purchase in session.scalars(wanted)]
    if json:
        emit_json(rows)
        return
    table(
        ("Purchase", "State", "Listing", "Limit", "Order", "Note"),
        (
            (
                r["id"],
                r["state"],
                f"{r['marketplace']} {r['external_id']}",
                r["limit"],
                r["order_number"],
                r["note"],
            )
            for r in rows
        ),
        empty="No test purchase.",
    )


@app.command(epilog='Example: `touchstone purchase approve 0197… --by "Ada Lovelace"`')
def approve(
    purchase: str,
    by: By,
    limit: Annotated[
        str | None, typer.Option(help="The most it may cost in all, as '80.00 EUR'.")
    ] = None,
    work: Annotated[
        bool, typer.Option("--work/--no-work", help="With the embedded broker: buy at once.")
    ] = True,
    json: JsonFlag = False,
) -> None:
    """Approve a proposal: the checkout is run, up to the ordering click or through it."""
    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house:
        at_once = work and house.settings.broker_url == "embedded:"
        if at_once:
            _look_ahead(house, purchase_id)
        with house.database.writing() as session:
            proposals.approve(session, purchase_id, by, _limit(limit))
        died: TouchstoneError | None = None
        if at_once:
            try:
                # And the stamps of its capture, which are worth most at once.
                work_until_idle(house, only=("purchase", "stamp"))
            except TouchstoneError as error:
                died = error  # what came of the purchase is told all the same
        with house.database.reading() as session:
            row = _row(session.get_one(Purchase, purchase_id))
    _say(row, json)
    if died is not None:
        raise died
    if at_once and row["state"] in ("approved", "ordering"):
        raise TouchstoneError(f"purchase {purchase_id} is not over: see touchstone job list")


def _look_ahead(house: House, purchase_id: UUID) -> None:
    """Make sure, before anything is written, that the checkout can begin.

    Raises
    ------
    TouchstoneError
        If there is no buyer or no browser, or the shop does not answer.
    """
    from crawler.watch import preflight

    with house.database.reading() as session:
        purchase = session.get(Purchase, purchase_id)
        if purchase is None or "approved" not in WAYS[purchase.state]:
            return  # what is wrong with that, the approval itself says
        marketplace = purchase.listing.marketplace
        kind, url = marketplace.kind, marketplace.url
    load_persona(house.settings)
    preflight(house.settings, kind, url, queries=False, captures=True)


@app.command(epilog='Example: `touchstone purchase reject 0197… --by "Ada" --note "own shop"`')
def reject(
    purchase: str, by: By, note: Annotated[str, typer.Option()] = "", json: JsonFlag = False
) -> None:
    """Reject a proposal: nothing is bought."""
    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.writing() as session:
        proposals.reject(session, purchase_id, by, note)
        row = _row(session.get_one(Purchase, purchase_id))
    _say(row, json)


@app.command(
    epilog='Example: `touchstone purchase settle 0197… --by "Ada" --ordered --order-number B-17`'
)
def settle(
    purchase: str,
    by: By,
    ordered: Annotated[
        bool, typer.Option("--ordered/--not-ordered", help="What you found out at the shop.")
    ],
    order_number: Annotated[str | None, typer.Option()] = None,
    note: Annotated[str, typer.Option(help="How you know.")] = "",
    json: JsonFlag = False,
) -> None:
    """Settle an unclear outcome by what you found out; nothing is clicked again."""
    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.writing() as session:
        proposals.settle(session, purchase_id, by, ordered, order_number, note)
        row = _row(session.get_one(Purchase, purchase_id))
    _say(row, json)


def _limit(text: str | None) -> Money | None:
    try:
        return None if text is None else Money.parse(text)
    except ValueError as error:
        raise TouchstoneError(f"--limit: {error}") from error


def _row(purchase: Purchase) -> dict[str, Any]:
    listing = purchase.listing
    return {
        "id": purchase.id,
        "state": purchase.state,
        "marketplace": listing.marketplace.name,
        "external_id": listing.external_id,
        "url": listing.url,
        "limit": str(purchase.limit),
        "requested_by": purchase.requested_by,
        "approved_by": purchase.approved_by,
        "clicked_at": purchase.clicked_at,
        "order_number": purchase.order_number,
        "total": (
            f"{purchase.order_amount} {purchase.order_currency}"
            if purchase.order_amount is not None
            else None
        ),
        "note": purchase.note,
    }


def _say(row: dict[str, Any], json: bool) -> None:
    if json:
        emit_json(row)
        return
    order = f", order {row['order_number']}, {row['total']}" if row["order_number"] else ""
    note = f": {row['note']}" if row["note"] else ""
    out.print(f"Purchase {row['id']} is {row['state']}{order}{note}", markup=False)
