"""Pages saved from real marketplaces, read where they lie: they are nobody's to pass on.

`TOUCHSTONE_DATA` names the folder; by default it is looked for beside the checkout.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from crawler.marketplaces.reading import PageRead

_DEFAULT = Path(__file__).parents[3].parent / "shared" / "data"
DATA = Path(os.environ.get("TOUCHSTONE_DATA") or _DEFAULT)
INDEX = DATA / "pages" / "index.json"
ABSENT = f"no saved pages: {INDEX} is not there (TOUCHSTONE_DATA names the folder)"

FIELDS = ("title", "price", "price_high", "currency", "seller", "picture", "availability")
_IN_STOCK = {"in_stock": "InStock", "out_of_stock": "OutOfStock", "sold_out": "OutOfStock"}


@dataclass(frozen=True, eq=False)
class SavedPage:
    """A saved page and what is known to be true of it."""

    name: str
    kind: str
    truth: dict[str, Any]

    @property
    def body(self) -> bytes:
        """The page as it was received."""
        return gzip.decompress((DATA / "pages" / f"{self.name}.html.gz").read_bytes())


def saved_pages(kind: str) -> list[SavedPage]:
    """The saved pages of a kind: ``product`` or ``listing`` (search results)."""
    if not INDEX.is_file():
        return []
    entries = json.loads(INDEX.read_text(encoding="utf-8"))
    return [SavedPage(e["name"], e["kind"], e["truth"]) for e in entries if e["kind"] == kind]


def right(page: SavedPage, read: PageRead) -> dict[str, bool]:
    """Of each field that the page is known to show, whether it was read right.

    Titles in the index are cut; so the beginning must be the same. Names are compared
    without case and blanks. A picture is right if there is one and it is a picture's address.
    """
    truth = page.truth
    found: dict[str, bool] = {"title": _same_beginning(truth["title"], read.title)}
    if truth["price"] is not None:
        found["price"] = read.money is not None and read.money.amount == Decimal(truth["price"])
    if truth["price_high"] is not None:
        found["price_high"] = read.money_to is not None and read.money_to.amount == Decimal(
            truth["price_high"]
        )
    if truth["currency"] is not None:
        found["currency"] = read.money is not None and read.money.currency == truth["currency"]
    if truth["seller"] is not None:
        name = read.seller.name if read.seller else None
        found["seller"] = _bare(truth["seller"]) == _bare(name or "")
    if truth["availability"] is not None:
        found["availability"] = read.availability == _IN_STOCK[truth["availability"]]
    found["picture"] = bool(read.images) and read.images[0].startswith(("http://", "https://"))
    return found


def _same_beginning(true: str, said: str | None) -> bool:
    return bool(said) and _bare(said or "").startswith(_bare(true))


def _bare(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text).casefold())
