"""What characters are read as: one table over Unicode, and the classes i/l/1 and o/0.

The table is generated (`matchers.words.generate`) from Unicode's character database, its
confusables (UTS #39) and Chinese simplification. The raw UTS #39 skeleton loses plain mentions
(capital I becomes l, and NIKE nlke); so i, l and 1 are one letter here, and o and 0 another, in
marks and texts alike.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

TABLES = Path(__file__).parent / "tables"

#: Kinds of disguise in the table, in words.
KINDS = {
    "wide": "full-width or half-width letters",
    "circled": "circled or squared letters",
    "math": "mathematical letters",
    "capital": "small capitals or raised letters",
    "flag": "flag letters",
    "tag": "hidden tag characters",
    "flipped": "mirrored or upside-down letters",
    "alike": "letters of another script",
    "accent": "accents",
    "mark": "combining marks",
    "hidden": "hidden characters",
    "bidi": "hidden characters that turn the direction",
    "traditional": "traditional characters",
    "form": "letters in unusual forms",
    "case": "",
}
_CLASSES = {"l": "i", "1": "i", "0": "o"}
_CLASS_TABLE = str.maketrans(_CLASSES)


def _load() -> tuple[dict[int, str], dict[str, str]]:
    reading: dict[int, str] = {}
    kinds: dict[str, str] = {}
    for line in (TABLES / "fold.tsv").read_text(encoding="utf-8").splitlines():
        point, read, kind = line.split("\t")
        reading[int(point, 16)] = read
        kinds[chr(int(point, 16))] = kind
    return reading, kinds


_READING, KIND = _load()
#: For `str.translate`: letters and classes, as marks and texts are compared.
_FOLDED = {
    **{point: read.translate(_CLASS_TABLE) for point, read in _READING.items()},
    **{ord(c): (c.lower().translate(_CLASS_TABLE)) for c in map(chr, range(0x80)) if c.isalnum()},
}
#: For `str.translate`: without the classes, as dictionaries spell.
_PLAIN = {**_READING, **{ord(c): c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}}


def classes(text: str) -> str:
    """i for l and 1, o for 0."""
    return text.translate(_CLASS_TABLE)


def fold(text: str) -> str:
    """A text as it is compared: look-alikes, case, accents, hidden characters, classes."""
    return text.translate(_FOLDED)


def plain(text: str) -> str:
    """A text as a dictionary would spell it: like `fold`, without the classes."""
    return text.translate(_PLAIN)


def fold_character(character: str) -> str:
    """What one character is read as; may be empty, or several letters."""
    return _FOLDED.get(ord(character), character)


def letters(text: str) -> str:
    """A folded text without anything that is no letter or digit."""
    folded = fold(text)
    return folded if folded.isalnum() else "".join(c for c in folded if is_letter(c))


def is_letter(character: str) -> bool:
    """Whether it belongs to a word: letters, digits, and vowels that combine (Thai, Hindi)."""
    return character.isalnum() or (
        character > "\u02ff" and unicodedata.category(character) in ("Mn", "Mc")
    )


def is_wordless(character: str) -> bool:
    """Whether its script joins words: no spaces between them, or endings without a seam."""
    point = ord(character)
    return (
        0x3400 <= point <= 0x9FFF
        or 0x3040 <= point <= 0x30FF
        or 0x0E00 <= point <= 0x0EFF
        or 0x1780 <= point <= 0x17FF
        or 0x1000 <= point <= 0x109F
        or 0xAC00 <= point <= 0xD7A3
        or 0x20000 <= point <= 0x3FFFF
    )


def is_han(character: str) -> bool:
    """Whether it is a Chinese character."""
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"
