"""The counterfeit lexicon: versioned data, found in context, with negation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field

#: Characters around a term in which words can change its meaning.
CONTEXT_BEFORE, CONTEXT_AFTER = 24, 24
_CJK = re.compile(r"[\u3400-\u9fff]")


class Entry(BaseModel):
    """A term; see the head of lexicon.yaml for the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    language: str
    term: str
    meaning: str
    severity: int = Field(ge=1, le=4)
    unless: tuple[str, ...] = ()
    note: str = ""


class Lexicon(BaseModel):
    """The whole lexicon with its version."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    negations: tuple[str, ...]
    terms: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class LexiconHit:
    """A term found: ``text[start:end]`` of the original."""

    entry: Entry
    start: int
    end: int


@cache
def lexicon() -> Lexicon:
    """The lexicon that ships with this version."""
    text = files("matchers").joinpath("lexicon/legacy.yaml").read_text(encoding="utf-8")
    return Lexicon.model_validate(yaml.safe_load(text))


def find_lexicon(text: str) -> list[LexiconHit]:
    """Find counterfeit terms; the longest at a place wins, negated ones are left out."""
    hits: list[LexiconHit] = []
    for match in _pattern().finditer(text):
        entry = _by_text()[match.group().casefold()]
        if not _negated(text, match.start()) and not _excused(text, match, entry):
            hits.append(LexiconHit(entry, match.start(), match.end()))
    return hits


@cache
def _by_text() -> dict[str, Entry]:
    # A term of two languages counts once, as its severest entry.
    ordered = sorted(lexicon().terms, key=lambda entry: entry.severity)
    return {entry.term.casefold(): entry for entry in ordered}


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_by_text(), key=len, reverse=True)
    return re.compile("|".join(_bounded(term) for term in longest_first), re.IGNORECASE)


def _bounded(term: str) -> str:
    escaped = re.escape(term)
    if _CJK.search(term):
        return escaped
    end = r"(?!\w)" if term[-1].isalnum() else ""
    # Chinese runs on without blanks, so it may stand right before a Latin term.
    return rf"(?<![^\W\u3400-\u9fff]){escaped}{end}"


def _negated(text: str, start: int) -> bool:
    before = text[max(0, start - CONTEXT_BEFORE) : start].casefold().rstrip()
    for negation in lexicon().negations:
        if before.endswith(negation.casefold()):
            rest = before[: len(before) - len(negation)]
            if _CJK.search(negation) or not rest or not rest[-1].isalnum():
                return True
    return False


def _excused(text: str, match: re.Match[str], entry: Entry) -> bool:
    around = text[max(0, match.start() - CONTEXT_BEFORE) : match.end() + CONTEXT_AFTER].casefold()
    return any(word.casefold() in around for word in entry.unless)
