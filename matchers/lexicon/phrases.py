"""Words and phrases as patterns over `matchers.lexicon.folding.spoken` text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ahocorasick_rs

from matchers.lexicon.folding import spoken, unspaced

#: Stands for a term itself in the text around it.
TERM = "\x01"
#: Scripts that have blanks: Latin, Greek, Cyrillic, Hebrew, Arabic, those of India.
_RANGES = ("a-z", "α-ω", "а-ӿ", "א-ת", "\u0600-\u06ff", "\u0900-\u0dff")

#: Up to two words of one and the same phrase: "fake *red fox* fur", not "fake but the leather".
_FEW = (
    r"(?:(?!(?:but|and|or|with|in|is|the|a|for|of|und|et|y|e|и) )"
    r"[^\s,|]+ ){0,2}"
)


def phrases(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of these words in `spoken` text.

    Parameters
    ----------
    words
        Whole words or phrases; a ``*`` at the end stands for any ending, ``_`` for the term
        that the text stands around, ``…`` for up to two words. Of no words, a
        pattern that finds nothing.
    """
    return re.compile("|".join(_pattern(word) for word in words) or r"(?!)")


def _pattern(word: str) -> str:
    parts = []
    for part in re.split(r"(_|…)", word.rstrip("*")):
        if part == "_":
            parts.append(f" ?{TERM} ?")
        elif part == "…":
            parts.append(_FEW)
        else:
            parts.append(re.escape(spoken(part)).replace(r"\ ", " "))
    pattern = "".join(parts)
    # Latin words stand beside Han without a blank, so a boundary is asked for only against
    # letters of the same script.
    if pattern[:1].isalnum() and not unspaced(pattern[0]):
        pattern = f"(?<![{_script(pattern[0])}0-9]){pattern}"
    if pattern[-1:].isalnum() and not unspaced(pattern[-1]) and not word.endswith("*"):
        pattern += f"(?![{_script(pattern[-1])}0-9])"
    return pattern


def _script(letter: str) -> str:
    """The range of letters to which it belongs, for a character class."""
    return next((r for r in _RANGES if r[0] <= letter <= r[-1]), "a-z")


@dataclass(frozen=True, slots=True)
class Mention:
    """A word of a list, at ``text[start:end]`` of a `spoken` text."""

    list: str
    start: int
    end: int


class WordLists:
    """Lists of words, of which any number is found in one pass over a `spoken` text.

    Parameters
    ----------
    lists
        Names and their words, as for `phrases` but without ``_`` and ``…``.
    """

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        names: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for name, words in lists.items():
            for word in words:
                names[spoken(word.rstrip("*"))].append((name, word.endswith("*")))
        names.pop("", None)
        self._names = list(names.values())
        self._automaton = ahocorasick_rs.AhoCorasick(list(names))

    def find(self, text: str) -> list[Mention]:
        """All mentions, in the order of their ends."""
        found = []
        for which, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if start and _joined(text[start - 1], text[start]):
                continue
            inside = end < len(text) and _joined(text[end - 1], text[end])
            for name, any_ending in self._names[which]:
                if any_ending or not inside:
                    found.append(Mention(name, start, end))
        return found


def _joined(one: str, other: str) -> bool:
    """Whether two characters side by side belong to one word."""
    if unspaced(one) or unspaced(other) or not (one.isalnum() and other.isalnum()):
        return False
    return one.isdigit() or other.isdigit() or _script(one) == _script(other)
