"""`touchstone money`: what test purchases cost, and how much they may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, table
from purchases import people
from registry.errors import TouchstoneError
from registry.money import Money

app = typer.Typer(help="The money of test purchases: balance, limits.", no_args_is_help=True)


@app.command(epilog="Example: `touchstone money balance`")
def balance(json: JsonFlag = False) -> None:
    """What is reserved and spent in each currency; fails if the ledger is not in balance."""
    from purchases import money

    with open_house() as house, house.database.reading() as session:
        found = money.balance(session)
        wrong = money.faults(session)
    if json:
        emit_json({"balance": found, "faults": wrong})
    else:
        table(
            ("Currency", "Reserved", "Spent", "Off the budget"),
            ((c, a["reserved"], a["spent"], -a["budget"]) for c, a in found.items()),
            empty="No money was reserved yet.",
        )
    if wrong:
        raise TouchstoneError(f"the money ledger is not in balance: {'; '.join(wrong[:5])}")


@app.command(epilog="Example: `touchstone money show --purchase 0197…`")
def show(
    purchase: Annotated[str | None, typer.Option(help="Of one purchase only.")] = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    json: JsonFlag = False,
) -> None:
    """Show transactions, newest first."""
    from purchases import money

    purchase_id = None if purchase is None else parse_id(purchase, "purchase")
    with open_house() as house, house.database.reading() as session:
        rows: list[dict[str, Any]] = [
            {
                "id": one.id,
                "at": one.created_at,
                "kind": one.kind,
                "purchase_id": one.purchase_id,
                "by": one.by,
                "month": one.month,
                "rates_day": one.rates_day,
                "postings": [
                    {
                        "account": p.account,
                        "amount": money.amount_of(p.units),
                        "currency": p.currency,
                        "per_euro": p.per_euro,
                    }
                    for p in one.postings
                ],
            }
            for one in money.transactions(session, purchase_id, last)
        ]
    if json:
        emit_json(rows)
        return
    table(
        ("When", "What", "Purchase", "By", "Postings"),
        (
            (
                f"{one['at']:%Y-%m-%d %H:%M}",
                one["kind"],
                one["purchase_id"],
                one["by"],
                "; ".join(
                    f"{p['account']} {p['amount']:+} {p['currency']}" for p in one["postings"]
                ),
            )
            for one in rows
        ),
        empty="No transaction.",
    )


@app.command(epilog="Example: `touchstone money limits`")
def limits(json: JsonFlag = False) -> None:
    """List the limits in force, and what is taken of each."""
    from insight.rates import running_rates
    from purchases import money

    with open_house() as house, house.database.reading() as session:
        rates = running_rates(house.settings)
        month = f"{datetime.now(UTC):%Y-%m}"
        rows = [
            {
                "on": one.terms,
                "most": str(one.most),
                "used": None if one.limit.period == "purchase" else str(round(one.used, 2)),
                "set_by": one.limit.set_by,
                "since": one.limit.created_at,
            }
            for one in money.use_of_limits(session, rates, month)
        ]
    if json:
        emit_json(rows)
        return
    table(
        ("On", "At most", "Taken", "Set by", "Since"),
        ((r["on"], r["most"], r["used"], r["set_by"], f"{r['since']:%Y-%m-%d}") for r in rows),
        empty="No limit but that of each approval: touchstone money limit …",
    )


@app.command(
    epilog="Example: `touchstone money limit month '2000.00 EUR' --brand velaro --by \"Finn\"`"
)
def limit(
    period: Annotated[str, typer.Argument(help="purchase, month or ever.")],
    most: Annotated[str, typer.Argument(help="As '2000.00 EUR'; 'none' takes it away.")],
    by: Annotated[str, typer.Option("--by", help="Your name; finance or an administrator.")],
    brand: Annotated[str | None, typer.Option()] = None,
    marketplace: Annotated[str | None, typer.Option()] = None,
    case: Annotated[str | None, typer.Option()] = None,
    currency: Annotated[
        str | None, typer.Option(help="Count purchases in this currency only.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Set the most that may be reserved and spent; the newest of the same terms counts."""
    from purchases import money

    try:
        amount = None if most == "none" else Money.parse(most)
    except ValueError as error:
        raise TouchstoneError(f"limit: {error}") from error
    with open_house() as house, house.database.writing() as session:
        person = people.find(session, by)
        if not {"finance", "administrator"} & set(person.roles):
            raise TouchstoneError(f"{person.name} may not set limits: finance does")
        row = money.set_limit(
            session, period=period, most=amount, by=person.name, brand=brand,
            marketplace=marketplace, case=case, only_currency=currency,
        )  # fmt: skip
        said = {"on": money.words(session, row), "most": None if amount is None else str(amount)}
    if json:
        emit_json(said)
        return
    out.print(f"Limit on {plain(said['on'])}: {plain(said['most'] or 'none any more')}")
