"""What changed between two snapshots of a listing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from registry.models import Snapshot

#: Texts of more words than this are not compared word by word: the comparison is
#: quadratic, and a listing may be as long as its seller likes.
MAX_WORDS = 2000

_PROSE = frozenset({"title", "description"})
_WORDS = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. Kind: same, gone, new."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A field that says something else than before."""

    field: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that changed; the pictures by their SHA-256."""

    fields: tuple[Change, ...]
    pictures_gone: tuple[str, ...]
    pictures_new: tuple[str, ...]


def changes(before: Snapshot, after: Snapshot) -> Changes:
    """Compare two snapshots; sellers and pictures must be loaded."""
    old, new = _fields(before), _fields(after)
    names = dict.fromkeys([*old, *new])
    shown_before = tuple(p.sha256 for p in before.pictures if p.sha256)
    shown_after = tuple(p.sha256 for p in after.pictures if p.sha256)
    return Changes(
        fields=tuple(
            Change(name, _pieces(name, old.get(name, ""), new.get(name, "")))
            for name in names
            if old.get(name, "") != new.get(name, "")
        ),
        pictures_gone=tuple(s for s in shown_before if s not in shown_after),
        pictures_new=tuple(s for s in shown_after if s not in shown_before),
    )


def _pieces(name: str, before: str, after: str) -> tuple[Piece, ...]:
    # Of a price or a name only the whole says something.
    return compare(before, after) if name in _PROSE else _wholes(before, after)


def _wholes(before: str, after: str) -> tuple[Piece, ...]:
    whole = (Piece("gone", before), Piece("new", after))
    return tuple(piece for piece in whole if piece.text)


def compare(before: str, after: str) -> tuple[Piece, ...]:
    """Two texts word by word, or as wholes where they are very long.

    Not by difflib: its time is cubic in the words, and sellers choose the words.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) > MAX_WORDS or len(new) > MAX_WORDS:
        return _wholes(before, after)
    pieces: list[Piece] = []
    gone, come = "", ""
    for step in Indel.opcodes(old, new):
        was = "".join(old[step.src_start : step.src_end])
        now = "".join(new[step.dest_start : step.dest_end])
        # A blank that both have between changed words would only cut the change in pieces.
        if step.tag != "equal" or ((gone or come) and was.isspace()):
            gone, come = gone + was, come + now
            continue
        pieces += [*_wholes(gone, come), Piece("same", was)]
        gone, come = "", ""
    return (*pieces, *_wholes(gone, come))


def _fields(snapshot: Snapshot) -> dict[str, str]:
    seller = snapshot.seller
    said = {
        "title": snapshot.title,
        "description": snapshot.description,
        "price": str(snapshot.price or ""),
        "seller": (seller.name or seller.external_id) if seller else "",
        # Two may have one name.
        "seller's id": seller.external_id if seller else "",
        "availability": snapshot.availability or "",
        "condition": snapshot.condition or "",
        "brand": snapshot.brand or "",
        "ships from": snapshot.ships_from or "",
    }
    return said | {f"attribute {name}": str(v) for name, v in snapshot.attributes.items()}
