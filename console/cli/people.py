"""`touchstone people`, `persona`, `secret`: who takes part in test purchases."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.house import open_house, parse_day
from console.cli.output import JsonFlag, emit_json, out, plain, table
from purchases import people, personas
from registry.brandfile import read_yaml
from registry.errors import TouchstoneError
from registry.models import ROLES, Person
from registry.secrets import open_vault

app = typer.Typer(help="Who takes part, and in what role.", no_args_is_help=True)
persona_app = typer.Typer(
    help="Names and addresses that buyers buy under, sealed.", no_args_is_help=True
)
secret_app = typer.Typer(help="Means of payment and the like, sealed.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="Your name: it stands under this.")]
Roles = Annotated[
    list[str], typer.Option("--role", help=f"One of: {', '.join(ROLES)}; again for more.")
]


@app.command(epilog='Example: `touchstone people add "Ada Lovelace" --role approver`')
def add(name: str, role: Roles, json: JsonFlag = False) -> None:
    """Enter a person. Their name stands in every ledger and never changes."""
    with open_house() as house, house.database.writing() as session:
        row = _row(people.add(session, name, role))
    _say(row, json)


@app.command("list", epilog="Example: `touchstone people list`")
def list_(json: JsonFlag = False) -> None:
    """List all people with their roles."""
    with open_house() as house, house.database.reading() as session:
        rows = [_row(person) for person in people.everybody(session)]
    if json:
        emit_json(rows)
        return
    table(
        ("Name", "Roles", "Away", ""),
        ((r["name"], ", ".join(r["roles"]), _away(r), "" if r["active"] else "gone") for r in rows),
        empty='Nobody yet: touchstone people add "…" --role approver',
    )


@app.command(epilog='Example: `touchstone people change "Ada Lovelace" --gone`')
def change(
    name: str,
    role: Annotated[list[str] | None, typer.Option(help="The roles from now on.")] = None,
    gone: Annotated[
        bool | None, typer.Option("--gone/--back", help="Whether they act no longer.")
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(min=0, help="The most purchases on their way with this buyer; 0: any."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Give a person other roles, say how much they buy at once, or let them act no longer."""
    with open_house() as house, house.database.writing() as session:
        active = None if gone is None else not gone
        person = people.change(session, name, roles=role or None, active=active)
        if at_once is not None:
            people.set_at_once(session, name, at_once or None)
        row = _row(person)
    _say(row, json)


@app.command(
    epilog='Examples: `touchstone people away "Bea Buyer" --from 2026-12-20 --until 2027-01-06`, '
    '`touchstone people away "Bea Buyer" --back`'
)
def away(
    name: str,
    since: Annotated[str | None, typer.Option("--from", help="The first day away.")] = None,
    until: Annotated[str | None, typer.Option(help="The last day away.")] = None,
    back: Annotated[bool, typer.Option("--back", help="They are here.")] = False,
    json: JsonFlag = False,
) -> None:
    """Say when a buyer is away: nothing is assigned to them on these days."""
    if back == (since is not None or until is not None):
        raise TouchstoneError("say from when to when they are away, or --back")
    first = parse_day(since, "--from") if since else None
    last = parse_day(until, "--until") if until else None
    with open_house() as house, house.database.writing() as session:
        row = _row(people.set_away(session, name, first, last))
    _say(row, json)


@app.command(epilog='Example: `touchstone people code "Bea Buyer"`')
def code(name: str, json: JsonFlag = False) -> None:
    """Make the code by which a person signs in to the console; the one before is void."""
    with open_house() as house, house.database.writing() as session:
        made = people.new_code(session, name)
    if json:
        emit_json({"name": name, "code": made})
        return
    out.print(f"Code of {plain(name)}, shown this once: {made}")


@persona_app.command(
    "add",
    epilog='Example: `touchstone persona add persona.yaml --buyer "Bea Buyer" --label north-1`',
)
def add_persona(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml")],
    buyer: Annotated[str, typer.Option(help="Whose it is.")],
    label: Annotated[str, typer.Option(help="What it is called here; it says nothing of it.")],
    secret: Annotated[
        str | None, typer.Option(help="Name of the stored secret by which it pays.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Seal a name and address; `persona example` prints a file to start from."""
    values: personas.Persona = read_yaml(file, personas.Persona, "buyer's persona")
    with open_house() as house, house.database.writing() as session:
        person = people.find(session, buyer)
        vault = open_vault(house.settings)
        row = personas.add(session, vault, person, label, values, secret)
        said = {"label": row.label, "buyer": person.name, "country": row.country}
    if json:
        emit_json(said)
        return
    out.print(f"Persona {plain(said['label'])} of {plain(said['buyer'])} is sealed.")
    out.print(f"{plain(file)} still has it in the clear: delete it when you no longer need it.")


@persona_app.command("example", epilog="Example: `touchstone persona example > persona.yaml`")
def example() -> None:
    """Print a persona's file to start from."""
    for name, value in personas.EXAMPLE.model_dump().items():
        out.print(f"{name}: {value!r}", markup=False, highlight=False)


@persona_app.command("list", epilog="Example: `touchstone persona list`")
def list_personas(json: JsonFlag = False) -> None:
    """List the personas; what is sealed stays so."""
    with open_house() as house, house.database.reading() as session:
        rows = [
            {
                "label": row.label,
                "buyer": row.person.name,
                "country": row.country,
                "secret": row.secret,
                "active": row.active,
            }
            for row in personas.everyone(session)
        ]
    if json:
        emit_json(rows)
        return
    table(
        ("Persona", "Buyer", "Country", "Pays by", ""),
        (
            (r["label"], r["buyer"], r["country"], r["secret"], "" if r["active"] else "retired")
            for r in rows
        ),
        empty="No persona yet: touchstone persona add",
    )


@persona_app.command(epilog="Example: `touchstone persona retire north-1`")
def retire(label: str, json: JsonFlag = False) -> None:
    """Buy no more as this persona; what was bought with it stays as it is."""
    with open_house() as house, house.database.writing() as session:
        row = personas.find(session, label)
        row.active = False
        said = {"label": row.label, "active": False}
    if json:
        emit_json(said)
        return
    out.print(f"Persona {plain(said['label'])} is retired.")


@secret_app.command(
    "set", epilog='Example: `touchstone secret set card-7 --by "Finn Finance" < card.txt`'
)
def set_(name: str, by: By, json: JsonFlag = False) -> None:
    """Seal what is read from standard input under a name; it is never an argument."""
    value = (
        typer.prompt("Secret", hide_input=True) if sys.stdin.isatty() else sys.stdin.read(64 << 10)
    )
    with open_house() as house, house.database.writing() as session:
        person = people.find(session, by)
        if not {"finance", "administrator"} & set(person.roles):
            raise TouchstoneError(f"{person.name} may not set secrets: finance does")
        personas.set_secret(session, open_vault(house.settings), name, value, by=person.name)
    if json:
        emit_json({"name": name})
        return
    out.print(f"Secret {plain(name)} is sealed.")


def _row(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "roles": person.roles,
        "active": person.active,
        "at_once": person.at_once,
        "away_from": person.away_from,
        "away_until": person.away_until,
    }


def _away(row: dict[str, Any]) -> str:
    return f"{row['away_from']} to {row['away_until']}" if row["away_from"] else ""


def _say(row: dict[str, Any], json: bool) -> None:
    if json:
        emit_json(row)
        return
    gone = "" if row["active"] else " (acts no longer)"
    away = f", away {_away(row)}" if row["away_from"] else ""
    out.print(f"{plain(row['name'])}: {', '.join(row['roles']) or 'no role'}{away}{gone}")
