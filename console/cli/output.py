"""What a command prints: tables and sentences for people, JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

out = Console(soft_wrap=True)
err = Console(stderr=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def emit_json(value: Any) -> None:
    """Print a value as one JSON document; times, decimals and ids as text."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print rows as a table, or a sentence where there are none.

    Cell text comes from marketplaces as often as not: it is printed as it is, never taken
    for markup, and its control characters do not reach the terminal.
    """
    drawn = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*(plain(cell) for cell in row))
    if drawn.row_count:
        out.print(drawn)
    else:
        out.print(empty)


def plain(cell: object) -> str:
    """Text that is safe to print: no markup, no control characters."""
    text = "" if cell is None else str(cell)
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


def progress() -> Progress:
    """A progress bar on standard error, drawn only where that is a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )
