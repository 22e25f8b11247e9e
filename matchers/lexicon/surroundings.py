"""What the words around a term make of it: negated, warned of, promised against, excused.

All works on `matchers.lexicon.folding.spoken` text: words with single blanks, ``|`` between
clauses. A negation reaches a term only through fillers ("do not sell *any cheap* replicas"):
the "no" of "no box replica" belongs to the box. Two negations cancel, and "not only" is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from matchers.lexicon.entries import lexicon
from matchers.lexicon.folding import spoken, unspaced
from matchers.lexicon.phrases import TERM, WordLists, phrases

#: Characters of the text before and after a term in which words can negate or excuse it, and
#: in which the words that it needs may stand.
NEAR, NEEDED = 64, 160
#: Words between a negation and the term.
MOST_FILLERS = 6


class _Words:
    """A list of words and phrases, found at the end or the beginning of tokens."""

    def __init__(self, words: Iterable[str]) -> None:
        whole, self._open = set(), []
        for word in words:
            if word.endswith("*"):
                self._open.append(spoken(word[:-1]))
            else:
                whole.add(spoken(word))
        self._whole = whole
        self._longest = max((len(word.split()) for word in whole), default=1)
        self._runs = sorted((w for w in whole if unspaced(w[:1] or " ")), key=len, reverse=True)

    def at_end(self, tokens: list[str]) -> tuple[str, list[str]] | None:
        """The word with which the tokens end, and the tokens before it."""
        for count in range(min(self._longest, len(tokens)), 0, -1):
            phrase = " ".join(tokens[-count:])
            if phrase in self._whole:
                return phrase, tokens[:-count]
        last = tokens[-1]
        if last.startswith(tuple(self._open)):
            return last, tokens[:-1]
        for run in self._runs:
            if last.endswith(run):
                return run, [*tokens[:-1], last[: -len(run)]]
        return None

    def at_start(self, tokens: list[str]) -> tuple[str, list[str]] | None:
        """The word with which the tokens begin, and the tokens after it."""
        for count in range(min(self._longest, len(tokens)), 0, -1):
            phrase = " ".join(tokens[:count])
            if phrase in self._whole:
                return phrase, tokens[count:]
        first = tokens[0]
        if first.startswith(tuple(self._open)):
            return first, tokens[1:]
        for run in self._runs:
            if first.startswith(run):
                return run, [first[len(run) :], *tokens[1:]]
        return None


@cache
def _list(name: str) -> _Words:
    return _Words(getattr(lexicon().contexts, name))


def denied_before(before: str, after: str) -> str | None:
    """How the words in front negate a term, or warn of it; None where they do not.

    Parameters
    ----------
    before, after
        The text on both sides, as the seller wrote it.
    """
    tokens = spoken(before).rsplit("|", 1)[-1].split()[-14:]
    following = spoken(after).split()[:1]
    if tokens[-1:] == [","] and following and _list("conjunctions").at_start(following):
        # "never sell junk, replicas or …": one more thing in the list before the term.
        tokens = _without_item(tokens)
    denied: list[str] = []
    fillers = 0
    while tokens and fillers <= MOST_FILLERS:
        if not tokens[-1]:
            tokens.pop()
        elif not denied and (found := _list("warnings").at_end(tokens)):
            return f"a warning: “{found[0]}”"
        elif found := _list("negators").at_end(tokens):
            denied.append(found[0])
            tokens = found[1]
        elif denied or not (found := _list("fillers").at_end(tokens)):
            break
        else:
            fillers += 1
            tokens = found[1]
    return f"negated by “{denied[0]}”" if len(denied) % 2 else None


def _without_item(tokens: list[str]) -> list[str]:
    """The tokens without a last comma and the one or two words before it."""
    rest = tokens[:-1]
    for _ in range(2):
        if rest and not _list("negators").at_end(rest) and not _list("fillers").at_end(rest):
            rest = rest[:-1]
    return rest


def denied_after(before: str, after: str) -> str | None:
    """How the words behind negate a term, or make it a promise; None where they do not."""
    tokens, fillers = spoken(after).split()[:10], 0
    while tokens and fillers <= 3:
        if not tokens[0]:
            tokens.pop(0)
        elif found := _list("after").at_start(tokens):
            return f"negated by “{found[0]}”"
        elif not (found := _list("fillers").at_start(tokens)):
            break
        else:
            fillers += 1
            tokens = found[1]
    return _guaranteed(spoken(before), spoken(after))


def _guaranteed(before: str, after: str) -> str | None:
    # The promise stands in the same clause, or in the next: 如有高仿，假一赔十.
    around = " ".join((before.rsplit("|", 1)[-1], after.split("|", 1)[0]))
    found = _guarantees().search(around)
    return f"a promise: “{found.group()}”" if found else None


@cache
def _guarantees() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(spoken(w)) for w in lexicon().contexts.guarantees))


def carried(gap: str) -> bool | None:
    """Whether a negation carries over this gap to the next term.

    Returns
    -------
    bool or None
        None where only a comma is between them: then it depends on whether the list that
        they stand in ends in "or".
    """
    comma = False
    strangers = 0
    tokens = spoken(gap).split()
    if "|" in tokens or len(tokens) > 6:
        return False
    joined = not tokens
    while tokens:
        if not tokens[0]:
            tokens.pop(0)
        elif tokens[0] == ",":
            comma = True
            tokens.pop(0)
        elif found := _list("conjunctions").at_start(tokens):
            joined = True
            tokens = found[1]
        elif found := _list("fillers").at_start(tokens):
            tokens = found[1]
        else:
            strangers += 1
            tokens.pop(0)
    # "no fakes, cheap stuff or replicas": strangers only inside a list that goes on.
    if strangers > 2 or (strangers and not (comma and joined)):
        return False
    return True if joined else (None if comma else False)


def near(words: tuple[str, ...], window: str) -> str | None:
    """The first of these words or phrases in a window, or None.

    Parameters
    ----------
    words
        Of an entry; ``@name`` stands for a group.
    window
        `spoken` text in which `TERM` stands for the term.
    """
    lists, patterns = _searchers(words)
    if mentions := lists.find(window):
        return window[mentions[0].start : mentions[0].end]
    found = patterns.search(window)
    return found.group().replace(TERM, "…").strip() if found else None


@cache
def _searchers(words: tuple[str, ...]) -> tuple[WordLists, re.Pattern[str]]:
    """Words, which an automaton finds at once, and phrases around the term."""
    members = list(_members(words))
    around = [word for word in members if "_" in word or "…" in word]
    return WordLists({"": set(members).difference(around)}), phrases(around)


def _members(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        if word.startswith("@"):
            yield from _members(lexicon().contexts.groups[word[1:]])
        else:
            yield word
