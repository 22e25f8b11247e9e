"""How the report says things: hostile text made harmless, times, sizes, lists of facts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from markupsafe import Markup

MAX_CHARACTERS = 2_000
MAX_FACT_CHARACTERS = 400
MAX_FACTS = 120

#: Joiners are part of how Persian, Indic scripts and emoji are written.
_KEPT = frozenset("\n\t\u200c\u200d")
_SHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
#: Marks above each other over this run out of their line, and over other text.
MAX_MARKS = 4


def shown(value: Any) -> Any:
    """A value as a template prints it: what cannot be seen in text is named in it.

    A mark that turns the direction of writing, or a character without width, is part of what
    a seller wrote; it is told, and has no effect on the report.
    """
    if value is None:
        return "–"
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return cut(value, MAX_CHARACTERS)


def cut(text: str, longest: int = MAX_CHARACTERS) -> str:
    """Harmless text of bounded length; what is longer says how long it was."""
    most = visible(text[:longest])
    if len(text) > longest:
        return f"{most}… ({len(text):,} characters in all)"
    return most


def visible(text: str) -> str:
    """Text with controls, marks of direction and the like written out: ``⟨U+202E⟩``."""
    made: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > MAX_MARKS or (category in _SHOWN and character not in _KEPT):
            made.append(f"⟨U+{ord(character):04X}⟩")
        else:
            made.append(character)
    return "".join(made)


def when(value: datetime | date | None) -> str:
    """A time to the second, UTC."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return value.isoformat()


def parsed(text: str) -> datetime:
    """A time as the ledger writes it."""
    return datetime.fromisoformat(text)


def short_size(number: int | None) -> str:
    """A number of bytes as people say it, in powers of ten."""
    if number is None:
        return "–"
    amount = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{number} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")


def size(number: int | None) -> str:
    """A number of bytes as people say it, and exactly."""
    short = short_size(number)
    return short if number is None or number < 1000 else f"{short} ({number:,} bytes)"


def lasting(span: timedelta) -> str:
    """A length of time in its two largest units: ``2 h 5 min``."""
    left = max(0, round(span.total_seconds()))
    parts: list[str] = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def words(name: str) -> str:
    """A name of the code as words: ``handed_over`` is ``handed over``."""
    return name.replace("_", " ")


def facts(value: Mapping[str, Any], without: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """What JSON says, as labels and texts in one list of bounded length."""
    made: list[tuple[str, str]] = []
    for label, text in _facts(value, "", without):
        if len(made) == MAX_FACTS:
            made.append(("more", "in the exhibit's own record"))
            break
        made.append((label, cut(text, MAX_FACT_CHARACTERS)))
    return made


def _facts(
    value: Mapping[str, Any], before: str, without: frozenset[str]
) -> Iterator[tuple[str, str]]:
    for name, part in value.items():
        label = before + words(str(name))
        if name in without or part is None or part in ("", [], {}):
            continue
        if isinstance(part, Mapping):
            if not before and any(isinstance(one, Mapping) for one in part.values()):
                yield from _facts(part, f"{label}: ", frozenset())
            else:
                yield label, _inline(part)
        elif isinstance(part, list):
            yield label, f"{len(part)}: " + "; ".join(_inline(one) for one in part[:40])
        else:
            yield label, _inline(part)


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        said = ((k, v) for k, v in value.items() if v is not None and v not in ("", [], {}))
        return ", ".join(f"{words(str(k))} {_inline(v)}" for k, v in said)
    if isinstance(value, list):
        return ", ".join(_inline(one) for one in value)
    return str(value)


def sentence(details: Mapping[str, Any], without: frozenset[str] = frozenset()) -> str:
    """An entry's details in one line, hashes cut to what tells them apart."""
    parts = []
    for label, text in _facts(details, "", without):
        short = re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1…", text)
        parts.append(f"{label}: {cut(short, MAX_FACT_CHARACTERS)}")
    return "; ".join(parts)
