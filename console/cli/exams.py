"""`touchstone exam`: examining what was bought, not knowing score or arm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, table
from purchases import people
from registry.brandfile import read_yaml
from registry.errors import TouchstoneError
from registry.models import Brand, Purchase

app = typer.Typer(help="Examining what was bought.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="Your name: it stands under this.")]


class Answer(BaseModel):
    """What was seen of one feature."""

    model_config = ConfigDict(extra="forbid")
    feature: UUID
    seen: str
    remark: str = ""


class Form(BaseModel):
    """An examiner's form as a file."""

    model_config = ConfigDict(extra="forbid")
    method: str
    outcome: str
    reasons: str
    answers: list[Answer] = Field(default_factory=list)


@app.command("list", epilog='Example: `touchstone exam list --by "Eve Examiner"`')
def list_(by: By, json: JsonFlag = False) -> None:
    """List what was sent to you and has no verdict."""
    from purchases import examining

    with open_house() as house, house.database.reading() as session:
        person = people.find(session, by)
        rows = [_row(session, purchase) for purchase in examining.tasks(session, person)]
    if json:
        emit_json(rows)
        return
    table(
        ("Purchase", "Brand", "Product", "State"),
        ((r["id"], r["brand"], r["product"], r["state"]) for r in rows),
        empty="Nothing to examine.",
    )


@app.command(epilog='Example: `touchstone exam confirm 0197… --by "Eve" --place "Lab 2"`')
def confirm(
    purchase: str,
    by: By,
    place: Annotated[str, typer.Option(help="Where you got it.")],
    json: JsonFlag = False,
) -> None:
    """Confirm that you have it in hand: the hand-over counts once both have said so."""
    from purchases import examining

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.writing() as session:
        examining.confirm(session, purchase_id, by, place)
        row = _row(session, session.get_one(Purchase, purchase_id))
    _say(row, json)


@app.command(epilog="Example: `touchstone exam form 0197… > form.yaml`")
def form(purchase: str, by: By) -> None:
    """Print the form of an item, to be filled in."""
    from purchases import examining

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.reading() as session:
        row = session.get(Purchase, purchase_id)
        person = people.find(session, by)
        if row is None or person.name not in (row.examiner, row.second_examiner):
            raise TouchstoneError(f"this purchase is not {person.name}'s to examine")
        lines = [
            "method: ''",
            f"outcome: ''  # {', '.join(examining.FOUND)}",
            "reasons: ''",
            "answers:",
        ]
        for feature in examining.features_of(session, row):
            lines += [
                f"  # {feature.kind}: {feature.text}",
                f"  - feature: {feature.id}",
                f"    seen: ''  # {', '.join(examining.ANSWERS)}",
                "    remark: ''",
            ]
    for line in lines:
        out.print(plain(line), highlight=False)


@app.command(epilog='Example: `touchstone exam report 0197… form.yaml --by "Eve Examiner"`')
def report(
    purchase: str,
    file: Annotated[Path, typer.Argument(metavar="FORM.yaml")],
    by: By,
    json: JsonFlag = False,
) -> None:
    """Hand in the form. It is not changed any more."""
    from purchases import examining

    purchase_id = parse_id(purchase, "purchase")
    filled: Form = read_yaml(file, Form, "examination form")
    with open_house() as house, house.database.writing() as session:
        examining.examine(
            session, purchase_id, by,
            method=filled.method, outcome=filled.outcome, reasons=filled.reasons,
            answers={one.feature: (one.seen, one.remark) for one in filled.answers},
        )  # fmt: skip
        row = _row(session, session.get_one(Purchase, purchase_id))
    _say(row, json)


@app.command(
    epilog='Example: `touchstone exam verdict 0197… counterfeit --by "Eve" --grounds "stitching"`'
)
def verdict(
    purchase: str,
    outcome: str,
    by: By,
    grounds: Annotated[str, typer.Option(help="Why.")],
    json: JsonFlag = False,
) -> None:
    """Give the verdict on what was examined; it goes to the listing and its case."""
    from purchases import examining

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.writing() as session:
        examining.judge(session, purchase_id, by, outcome, grounds)
        row = _row(session, session.get_one(Purchase, purchase_id))
    _say(row, json)


@app.command(
    epilog='Example: `touchstone exam feature velaro tell "glued seam" --sku V-1 --by "Ann"`'
)
def feature(
    brand: str,
    kind: Annotated[str, typer.Argument(help="genuine or tell.")],
    text: str,
    by: By,
    sku: Annotated[str | None, typer.Option(help="Of one product only.")] = None,
    json: JsonFlag = False,
) -> None:
    """Register what examiners look for."""
    from purchases import examining

    with open_house() as house, house.database.writing() as session:
        row = examining.add_feature(session, brand, kind, text, by=by, sku=sku)
        said = {"id": row.id, "kind": row.kind, "text": row.text}
    if json:
        emit_json(said)
        return
    out.print(f"Feature {said['id']}: {plain(said['text'])}")


@app.command(epilog='Example: `touchstone exam examiners velaro 2 --by "Ann Admin"`')
def examiners(brand: str, number: int, by: By, json: JsonFlag = False) -> None:
    """Say how many examine what is bought of a brand: one, or two apart from each other."""
    from purchases import examining

    with open_house() as house, house.database.writing() as session:
        rule = examining.set_examiners(session, brand, number, by=by)
        said = {"brand": brand, "examiners": rule.examiners}
    if json:
        emit_json(said)
        return
    out.print(f"{plain(brand)}: {number} examine what is bought.")


@app.command(epilog="Example: `touchstone exam agreement --brand velaro`")
def agreement(
    brand: Annotated[str | None, typer.Option(help="Of one brand only.")] = None,
    json: JsonFlag = False,
) -> None:
    """How far two examiners agree beyond chance (Cohen's kappa)."""
    from purchases import examining

    with open_house() as house, house.database.reading() as session:
        brand_id = None
        if brand is not None:
            brand_id = session.scalar(select(Brand.id).where(Brand.slug == brand))
            if brand_id is None:
                raise TouchstoneError(f"there is no brand {brand}; see brand list")
        found = examining.agreement(session, brand_id)
    if json:
        emit_json({"items": found.items, "agreed": found.agreed, "kappa": found.kappa})
        return
    kappa = "not defined" if found.kappa is None else f"{found.kappa:.3f}"
    out.print(f"{found.items} items examined twice, {found.agreed} alike; Cohen's kappa {kappa}")


def _row(session: Session, purchase: Purchase) -> dict[str, Any]:
    """What an examiner may know: neither score nor arm, nor what it cost or who sold it."""
    from purchases import examining

    product = purchase.assessment.product
    return {
        "id": purchase.id,
        "brand": purchase.brand.name,
        "product": product.name if product else None,
        "state": purchase.state,
        "outcome": purchase.outcome,
        "features": [
            {"id": one.id, "kind": one.kind, "text": one.text}
            for one in examining.features_of(session, purchase)
        ],
        "files": [
            {"kind": one.kind, "sha256": one.sha256, "exhibit_id": one.exhibit_id}
            for one in purchase.files
            if one.kind in ("item", "opening", "examination")
        ],
    }


def _say(row: dict[str, Any], json: bool) -> None:
    if json:
        emit_json(row)
        return
    outcome = f": {row['outcome'].replace('_', ' ')}" if row["outcome"] else ""
    out.print(f"Purchase {row['id']} is {row['state'].replace('_', ' ')}{outcome}")
