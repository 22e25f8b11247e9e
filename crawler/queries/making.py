"""Making queries for a brand on a marketplace: words put together, ranked, each with its reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice

import yaml

from crawler.queries.languages import speaks
from crawler.queries.spellings import disguised

#: Each further query of one sort is worth so much of the one before, so that sorts take turns.
FADING = 0.9
#: Searches take no more, and nobody types more.
MAX_LETTERS = 80


@dataclass(frozen=True, slots=True)
class Words:
    """A brand's words, in the order in which its file has them."""

    marks: tuple[str, ...]
    transliterations: tuple[str, ...] = ()
    nicknames: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    product_words: tuple[str, ...] = ()
    #: Names of products, each with its keywords.
    products: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A query, why it was made, and what it is worth before anybody has tried it (0 to 1)."""

    text: str
    why: str
    worth: float


def make(words: Words, languages: tuple[str, ...], limit: int | None = None) -> list[Made]:
    """Queries for a brand, the most promising first; none is to a search the same as another.

    Parameters
    ----------
    languages
        Of the marketplace, the most used first.
    limit
        So many at most.
    """
    found: dict[frozenset[str], Made] = {}
    for sort in _sorts(words, languages):
        # A sort may be of any size; what it has that another had already takes no turn.
        turn = 0
        for text, why, worth in sort:
            query = " ".join(text.split())
            key = as_searched(query)
            if not key or len(query) > MAX_LETTERS or key in found:
                continue
            found[key] = Made(query, why, round(worth * FADING**turn, 4))
            turn += 1
    ranked = sorted(found.values(), key=lambda made: (-made.worth, made.text))
    return ranked if limit is None else ranked[:limit]


def as_searched(query: str) -> frozenset[str]:
    """What a search engine makes of a query: words without case, accents, signs and order."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", query).casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    # One letter after another is a phrase, and its order is all that it has.
    tokens = re.findall(r"\w+(?::\w+)?", bare)
    if tokens and all(len(token) == 1 for token in tokens):
        return frozenset((" ".join(tokens),))
    return frozenset(tokens)


@cache
def suspect_words() -> dict[str, tuple[str, ...]]:
    """Words for what is not genuine, by language (`words.yaml`)."""
    text = (files("crawler.queries") / "words.yaml").read_text(encoding="utf-8")
    return {
        language: tuple(map(str, words))
        for language, words in yaml.load(text, yaml.BaseLoader).items()
    }


Sort = Iterable[tuple[str, str, float]]


def _sorts(words: Words, languages: tuple[str, ...]) -> Iterator[Sort]:
    known = [text for text in words.transliterations if speaks(text, languages)]
    marks = [*words.marks[:3], *known[:2]] or list(words.marks)
    goods = _turned_to(words.product_words, languages)
    suspects = [
        (word, language) for language in languages for word in suspect_words().get(language, ())
    ]
    yield ((mark, f"the mark {mark}", 1.0) for mark in words.marks)
    yield (
        (text, f"{text}, how the mark is written", 0.95 if text in known else 0.3)
        for text in words.transliterations
    )
    yield ((name, f"{name}, what buyers call it", 0.9) for name in words.nicknames)
    yield ((word, f"{word}, a keyword of the brand", 0.8) for word in words.keywords)
    yield (
        (f"{mark} {word}", f"{mark} with {word}, a word for its goods", 0.85)
        for word in goods
        for mark in marks
    )
    yield (
        (_with_mark(name, words.marks), f"the product {name}", 0.85) for name, _ in words.products
    )
    yield (
        (text, f"{text}, a keyword of the product {name}", 0.75)
        for name, keywords in words.products
        for text in keywords
    )
    yield (
        (f"{mark} {word}", f"{mark} with {word!r} ({language}), said of what is not genuine", 0.9)
        for word, language in suspects
        for mark in marks
    )
    yield (
        (f"{name} {word}", f"{name}, a nickname, with {word!r} ({language})", 0.75)
        for name in words.nicknames
        for word, language in suspects
    )
    yield (
        (spelling, f"{mark} as sellers hide it: {how}", 0.8)
        for spelling, how, mark in _hidden([*words.marks, *known])
    )
    yield (
        (f"{goods[0]} {name}", f"{name}, a nickname, with {goods[0]}", 0.7)
        for name in words.nicknames
        if goods
    )


def _turned_to(words: Sequence[str], languages: tuple[str, ...]) -> list[str]:
    """Words in a script of the languages, those of the first language's own script before."""
    spoken = [word for word in words if speaks(word, languages)]
    return sorted(spoken, key=lambda word: not (speaks(word, languages[:1]) and not word.isascii()))


def _with_mark(name: str, marks: Sequence[str]) -> str:
    folded = name.casefold()
    return name if any(m.casefold() in folded for m in marks) or not marks else f"{marks[0]} {name}"


def _hidden(marks: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Disguised spellings of several marks in turn."""
    for mark in marks[:4]:
        for spelling, how in islice(disguised(mark), 12):
            yield spelling, how, mark
