"""What stands beside a listing: variants with prices of their own, reviews.

All of it follows from the listing's id, so the world's files need not say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

_SIZES = {
    "bags": ("Small", "Medium", "Large"), "shoes": ("38", "40", "42"),
    "watches": ("36 mm", "40 mm"), "audio": ("Single", "Pair"), "power": ("20 W", "65 W"),
    "home": ("Small", "Large"),
}  # fmt: skip
_SAID = (
    "Came quickly, well packed.", "As pictured.", "The stitching is not straight.",
    "Good for the price.", "Smells of glue.", "My daughter loves it.", "Took four weeks.",
    "Would buy again.", "The box was damaged, the thing was not.",
)  # fmt: skip
_WHO = ("A. Brandt", "Chiara", "user-4471", "Jo", "M. Petit", "Wei", "K. Nowak")


@dataclass(frozen=True)
class Variants:
    """A choice: its name, and each option with its price; the first is the listing's own."""

    name: str
    options: list[tuple[str, str]]
    select: bool


def variants(row: dict[str, Any]) -> Variants | None:
    """The choice that a listing offers; about a third offers none."""
    kind = int(row["id"]) % 3
    if kind == 2:
        return None
    base = Decimal(row["price"])
    options = [
        (label, str((base * (100 + 15 * place) / 100).quantize(Decimal("0.01"))))
        for place, label in enumerate(_SIZES[row["category"]])
    ]
    return Variants("Size", options, select=kind == 0)


def reviews(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The reviews of a listing: none to six."""
    dice = Random(f"reviews {row['id']}")
    return [
        {"stars": dice.randint(2, 5), "text": dice.choice(_SAID), "who": dice.choice(_WHO)}
        for _ in range(dice.randint(0, 6))
    ]
