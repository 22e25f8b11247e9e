"""`touchstone verdict`: what a person says of a listing."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain
from insight.verdicts import record
from registry.models import VERDICTS


def add_to(root: typer.Typer) -> None:
    """Put `verdict` at the root: it is what people come to say."""
    root.command(
        "verdict",
        epilog="Examples: `touchstone verdict 0197… counterfeit --by 'Ada Lovelace' "
        "--note 'no stitching on the strap'`, "
        "`touchstone verdict 0197… genuine --by 'Ada Lovelace'`",
    )(verdict)


def verdict(
    assessment: Annotated[str, typer.Argument(help="Its id: `touchstone queue --json`.")],
    said: Annotated[str, typer.Argument(metavar="VERDICT", help=f"One of: {', '.join(VERDICTS)}.")],
    by: Annotated[str, typer.Option(help="Your name: a person says this, not a program.")],
    note: Annotated[str, typer.Option(help="What you saw.")] = "",
    json: JsonFlag = False,
) -> None:
    """Say of a listing what it is. Models learn from it; it accuses nobody yet.

    A second thought is another verdict: the newest counts, and none is lost.
    """
    assessment_id = parse_id(assessment, "listing's assessment")
    with open_house() as house, house.database.writing() as session:
        kept = record(session, assessment_id, said, by, note)
        row = {
            "id": kept.id,
            "listing_id": kept.listing_id,
            "assessment_id": kept.assessment_id,
            "verdict": kept.verdict,
            "by": kept.by,
            "note": kept.note,
            "model_version": kept.model_version,
            "created_at": kept.created_at,
        }
    if json:
        emit_json(row)
        return
    out.print(f"{plain(row['by'])} says: [bold]{said.replace('_', ' ')}[/].")
