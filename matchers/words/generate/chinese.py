"""Chinese tables: how characters are pronounced, and which words are ordinary."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from pathlib import Path

from opencc import OpenCC
from pypinyin import Style, pinyin

_HAN = re.compile(r"[一-鿿㐀-䶿]+")
#: Names of people, places, organisations and goods (jieba's tags): no ordinary words.
_NAMES = ("nr", "ns", "nt", "nz", "nrt", "nrfg")


def write_pinyin(jieba: Path, path: Path) -> None:
    """One syllable a line, without tone: the characters that are read so, then those that may be.

    Only simplified characters, since texts are simplified first; those that some word has.
    """
    simplified = OpenCC("t2s")
    known = {c for word, _, _ in _words(jieba) for c in simplified.convert(word)}
    first: dict[str, list[str]] = defaultdict(list)
    other: dict[str, list[str]] = defaultdict(list)
    for c in sorted(known):
        if not _HAN.fullmatch(c):
            continue
        readings = pinyin(c, style=Style.NORMAL, heteronym=True, errors="ignore")
        syllables = list(dict.fromkeys(s.replace("ü", "v") for s in (readings or [[]])[0]))
        for syllable in syllables[:1]:
            first[syllable].append(c)
        for syllable in syllables[1:3]:
            other[syllable].append(c)
    lines = [
        f"{syllable}\t{''.join(first[syllable])}\t{''.join(other[syllable])}"
        for syllable in sorted({*first, *other})
        if re.fullmatch("[a-z]+", syllable)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_words(jieba: Path, path: Path) -> None:
    """Ordinary words of two to four characters, sorted; the common ones end in an asterisk."""
    simplified = OpenCC("t2s")
    kept: dict[str, int] = {}
    for word, count, tag in _words(jieba):
        if 2 <= len(word) <= 4 and count >= 8 and tag not in _NAMES and _HAN.fullmatch(word):
            new = simplified.convert(word)
            kept[new] = max(count, kept.get(new, 0))
    lines = [word + ("*" if count >= 150 else "") for word, count in sorted(kept.items())]
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write("\n".join(lines).encode())


def _words(jieba: Path) -> list[tuple[str, int, str]]:
    rows = (line.split(" ") for line in jieba.read_text(encoding="utf-8").splitlines())
    return [(row[0], int(row[1]), row[2]) for row in rows if len(row) == 3]
