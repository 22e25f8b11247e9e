"""What an entry of the lexicon is, and the files that hold them: ``terms/*.yaml``.

One file per language or group of languages, ``context.yaml`` for the words around a term that
negate or excuse it, in all languages. Both are checked when they are read.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Reads all as text: "no" and 1:1 are words here, not a truth value and a time. The one in C is
#: ten times faster.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_OPTIONAL = re.compile(r"\(([^)]*)\)")


class Entry(BaseModel):
    """A term by which sellers say, to those who know, that something is not genuine.

    Parameters
    ----------
    id
        Language and term, ``en-first-copy``, unless the file gives another.
    language
        BCP 47 primary tag, ``en``, ``zh``.
    term
        As usually written. ``(…)`` may be left out, a ``*`` at the end stands for any ending of
        up to five letters. A blank may be missing, or be a hyphen, in the text.
    variants
        Other spellings and inflections, written likewise.
    severity
        1 weak hint, 2 hint, 3 strong, 4 hardly anything else: counts without a brand too.
    needs
        Words of which one must stand near, or it does not count. ``@name`` is a group of
        `Contexts`.
    unless
        Words of which none may stand near, written likewise; with ``_`` for the term, a phrase
        that it must not be part of (``_ leather``), in which ``…`` stands for up to two words.
    upper
        Whether it counts only in capitals.
    accents
        Whether it counts only with its accents: without, it is another word.
    whole
        Whether blanks or signs inside a word of it make it something else.
    note
        On false alarms.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    language: str
    term: str = Field(min_length=1)
    meaning: str = Field(min_length=3)
    severity: int = Field(ge=1, le=4)
    variants: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    upper: bool = False
    accents: bool = False
    whole: bool = False
    note: str = ""

    def spellings(self) -> list[str]:
        """The term and its variants, with every ``(…)`` both there and left out."""
        return [each for text in (self.term, *self.variants) for each in _expand(text)]

    def excuses(self) -> tuple[str, ...]:
        """`unless`, with ``_`` for the term in phrases that are written with it."""
        term = self.term.rstrip("*")
        return tuple(
            word if "_" in word or word[0] == "@" else word.replace(term, "_")
            for word in self.unless
        )


class Contexts(BaseModel):
    """Words around a term that change what it says; written without accents or apostrophes.

    Parameters
    ----------
    groups
        Named lists of words, for `Entry.needs` and `Entry.unless`; a ``*`` at the end stands
        for any ending.
    negators
        Before the term, with fillers between: "no", "do not sell", 不是.
    warnings
        Before the term: "beware of", 谨防.
    fillers
        Words that may stand between a negator and the term.
    after
        Negations and warnings that follow the term: "are not sold", 아님, "нет".
    conjunctions
        Words that carry a negation on to the next term: "no replicas or copies".
    guarantees
        Phrases anywhere in the clause or beside it that make the term a promise: 假一赔十.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    groups: dict[str, tuple[str, ...]]
    negators: tuple[str, ...]
    warnings: tuple[str, ...]
    fillers: tuple[str, ...]
    after: tuple[str, ...]
    conjunctions: tuple[str, ...]
    guarantees: tuple[str, ...]


class Lexicon(BaseModel):
    """All entries and contexts, with their version.

    Raises
    ------
    ValueError
        If two entries share an id, or one names a group that there is not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    entries: tuple[Entry, ...]
    contexts: Contexts

    @model_validator(mode="after")
    def _consistent(self) -> Lexicon:
        seen: set[str] = set()
        for entry in self.entries:
            if entry.id in seen:
                raise ValueError(f"two entries have the id {entry.id}")
            seen.add(entry.id)
            for word in (*entry.needs, *entry.unless):
                if word.startswith("@") and word[1:] not in self.contexts.groups:
                    raise ValueError(f"{entry.id} names the group {word}, which there is not")
        return self


@cache
def lexicon() -> Lexicon:
    """The lexicon that ships with this version.

    Its version is the day in ``context.yaml`` and a digest of all files, so that no change
    goes unnoticed.
    """
    room = files("matchers") / "lexicon"
    names = sorted(file.name for file in (room / "terms").iterdir() if file.name[-5:] == ".yaml")
    texts = [(room / "terms" / name).read_text(encoding="utf-8") for name in names]
    context = (room / "context.yaml").read_text(encoding="utf-8")
    digest = hashlib.sha256("\0".join([context, *texts]).encode()).hexdigest()[:8]
    words: dict[str, Any] = yaml.load(context, LOADER)
    day = words.pop("version")
    entries = [row for text in texts for row in read_terms(text)]
    return Lexicon(
        version=f"{day}+{digest}",
        entries=tuple(entries),
        contexts=Contexts.model_validate(words),
    )


def read_terms(text: str) -> list[Entry]:
    """Read a file of terms: languages, each with its entries.

    Raises
    ------
    pydantic.ValidationError
        If an entry is not as `Entry` says.
    """
    found = []
    for language, rows in yaml.load(text, LOADER).items():
        for row in rows:
            name = "-".join(_OPTIONAL.sub("", row["term"]).rstrip("*").split())
            found.append(
                Entry.model_validate({"id": f"{language}-{name}", "language": language, **row})
            )
    return found


def _expand(text: str) -> list[str]:
    """Every reading of ``(…)``."""
    parts = _OPTIONAL.split(text)
    choices = [(part,) if at % 2 == 0 else ("", part) for at, part in enumerate(parts)]
    return [" ".join("".join(chosen).split()) for chosen in itertools.product(*choices)]
