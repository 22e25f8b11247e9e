"""Ordinary words of several languages, with how ordinary they are."""

from __future__ import annotations

import gzip
import importlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from matchers.words.generate.folding import Fold

_SIZES = (10, 20, 35, 40, 50, 55, 60, 70)
_LANGUAGES = ("de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL")
_WORD = re.compile(r"[a-z]{2,}")


def write(scowl: Path, russian: Path, fold: Fold, path: Path) -> None:
    """One word a line, sorted: ``c`` common English, ``f`` common in other languages, ``o``
    ordinary, ``n`` names.

    Words are lower case without accents. Of Russian only those are kept that consist of letters
    that look Latin, as they look.
    """
    classes: dict[str, str] = {}
    for word, common in _english(scowl):
        classes[word] = "c" if common else classes.get(word, "o")
    for word in _others():
        classes.setdefault(word, "f")
    for word in _look_latin(russian, fold):
        classes.setdefault(word, "o")
    for word in _names(scowl):
        classes.setdefault(word, "n")
    lines = [kind + word for word, kind in sorted(classes.items())]
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write("\n".join(lines).encode())


def _english(scowl: Path) -> Iterator[tuple[str, bool]]:
    for size in reversed(_SIZES):
        for path in sorted(scowl.glob(f"*-words.{size}")):
            if path.name.startswith("special"):
                continue
            for word in _lines(path):
                yield word, size <= 50
    for size in (10, 20, 35, 40, 50, 55, 60, 70):
        for path in sorted(scowl.glob(f"*-abbreviations.{size}")):
            for word in _lines(path):
                yield word, False


def _names(scowl: Path) -> Iterator[str]:
    for pattern in ("*-upper.*", "*-proper-names.*"):
        for path in sorted(scowl.glob(pattern)):
            if int(path.suffix[1:]) <= 60:
                yield from _lines(path)


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="iso-8859-1").splitlines():
        word = _plain(line.removesuffix("'s"))
        if _WORD.fullmatch(word):
            yield word


def _others() -> Iterator[str]:
    for language in _LANGUAGES:
        provider = importlib.import_module(f"faker.providers.lorem.{language}").Provider
        for word in provider.word_list:
            plain = _plain(word)
            if _WORD.fullmatch(plain):
                yield plain


def _look_latin(russian: Path, fold: Fold) -> Iterator[str]:
    for line in russian.read_text(encoding="utf-8").splitlines()[1:]:
        word = line.split("/")[0].casefold()
        shown = "".join(fold.get(ord(c), (c, ""))[0] for c in word)
        if _WORD.fullmatch(shown) and len(shown) > 2:
            yield shown


def _plain(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))
