"""Whether a price is for a used thing, or not for the thing at all, by a listing's own words.

The condition field speaks first (schema.org ``UsedCondition`` and the marketplaces' own
words), then the title; a description is believed only in phrases that can mean nothing else.
The words are data: ``words.yaml``.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from matchers.lexicon.entries import LOADER
from matchers.lexicon.folding import spoken
from matchers.lexicon.phrases import WordLists, phrases
from matchers.values import Listing, Product

#: No honest listing is longer; what comes after is not read.
LONGEST_TEXT = 20_000
LEADING_WORDS = 3
_IN_TITLE, _IN_TEXT = frozenset({"title", "leading", "anywhere"}), frozenset({"anywhere"})
_PLUS = re.compile(r"[+&]")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    anywhere: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    leading: tuple[str, ...] = ()


class _Words(BaseModel):
    """``words.yaml``; its head says what each list is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    used: tuple[str, ...]
    used_said: tuple[str, ...]
    not_used: tuple[str, ...]
    new: tuple[str, ...]
    parts: dict[str, _Part]
    denied: tuple[str, ...]
    on_top: tuple[str, ...]


@cache
def _words() -> _Words:
    text = (files("matchers") / "price" / "words.yaml").read_text(encoding="utf-8")
    return _Words.model_validate(yaml.load(text, LOADER))


@cache
def _lists() -> WordLists:
    """All lists in one; those of parts are named by their kind and place."""
    words = _words()
    lists = {name: getattr(words, name) for name in ("used", "used_said", "not_used", "new")}
    for kind, part in words.parts.items():
        lists[f"title\0{kind}"] = part.title
        lists[f"leading\0{kind}"] = part.leading
        lists[f"anywhere\0{kind}"] = part.anywhere
    return WordLists(lists)


def second_hand(listing: Listing) -> str | None:
    """The words that say that it is used, refurbished or second-hand; None where none do.

    A condition that says new silences the description, not the title.
    """
    field = _field(listing)
    if found := _used(field, "used"):
        return found
    if found := _used(spoken(listing.title[:LONGEST_TEXT]), "used"):
        return found
    if any(mention.list == "new" for mention in _lists().find(field)):
        return None
    return _used(spoken(listing.description[:LONGEST_TEXT]), "used_said")


def _field(listing: Listing) -> str:
    return spoken((listing.condition or "")[:200].rsplit("/", 1)[-1])


def _used(text: str, name: str) -> str | None:
    found = _lists().find(text)
    otherwise = [mention for mention in found if mention.list == "not_used"]
    for mention in found:
        if mention.list == name and not any(
            other.start <= mention.start and mention.end <= other.end for other in otherwise
        ):
            return text[mention.start : mention.end]
    return None


def part_of(listing: Listing, product: Product | None = None) -> tuple[str, str] | None:
    """What is sold instead of the whole thing, and the words that say so; None where it is whole.

    Parameters
    ----------
    product
        A product that is itself a strap or a poster is whole as such: words of its name do not
        count.
    """
    own = spoken(f"{product.name} {' '.join(product.keywords)}") if product else ""
    title = spoken(_PLUS.sub(" plus ", listing.title[:LONGEST_TEXT]))
    said = spoken(_PLUS.sub(" plus ", listing.description[:LONGEST_TEXT]))
    beginning = len(" ".join(title.split()[:LEADING_WORDS]))
    for text, places in ((_field(listing), _IN_TITLE), (title, _IN_TITLE), (said, _IN_TEXT)):
        for mention in _lists().find(text):
            place, _, kind = mention.list.partition("\0")
            words = text[mention.start : mention.end]
            if (
                place in places
                and not (place == "leading" and mention.end > beginning)
                and words not in own
                and not _denied(text[: mention.start], text[mention.end :])
            ):
                return kind, words
    return None


def _denied(before: str, after: str) -> bool:
    """Whether the words around say that there is none, or that it comes on top."""
    ahead = before[-24:].rsplit("|", 1)[-1]
    return bool(_denials().search(ahead) or _on_top().match(after.lstrip()[:24]))


@cache
def _denials() -> re.Pattern[str]:
    return re.compile(rf"(?:{phrases(_words().denied).pattern})\s?(?:\S+ )?$")


@cache
def _on_top() -> re.Pattern[str]:
    return re.compile(rf"(?:\S+ )?(?:{phrases(_words().on_top).pattern})")
