"""Is it an ordinary word, or a name of its own? Then it is no misspelt mark.

English from SCOWL, common words of six other languages, Russian words that look Latin, Chinese
words with frequencies; and `names.txt`, our own list of makers' names and trade words, which
dictionaries lack. See `tables/LICENSES.md`.
"""

from __future__ import annotations

import gzip
from functools import cache, lru_cache

from matchers.words.fold import TABLES, classes


class Vocabulary:
    """Words by how ordinary they are; all look-ups take lower-case words without accents."""

    def __init__(self) -> None:
        text = gzip.decompress((TABLES / "words.txt.gz").read_bytes()).decode()
        lines = text.split("\n")
        self._common = frozenset(line[1:] for line in lines if line[0] in "cf")
        self._ordinary = frozenset(line[1:] for line in lines)
        # With l read as i, as the text is compared; only those that this changes.
        self._folded = frozenset(classes(word) for word in self._ordinary if "l" in word)
        self._folded_common = frozenset(map(classes, self._common))
        self._english = frozenset(classes(line[1:]) for line in lines if line[0] == "c")
        names = (TABLES / "names.txt").read_text(encoding="utf-8").split("\n")
        self._spelt_names = frozenset(
            word for line in names if not line.startswith("#") for word in line.split()
        )
        self._names = frozenset(map(classes, self._spelt_names))

    def has(self, word: str) -> bool:
        """Whether a word as it is spelt is in any list."""
        return word in self._ordinary or word in self._spelt_names

    def has_folded(self, word: str) -> bool:
        """Whether a folded word may be one that is in any list, or one's plural."""
        return word in self._ordinary or word in self._folded or word in self._names

    def is_word_folded(self, word: str) -> bool:
        """Whether a folded word is in a dictionary; a maker's name is not."""
        return word in self._ordinary or word in self._folded

    def is_common(self, word: str) -> bool:
        """Whether a word as it is spelt is one that people use every day."""
        return word in self._common

    def is_rare(self, word: str) -> bool:
        """Whether a word as it is spelt is one that a dictionary has and few people use."""
        return word not in self._common and self.has(word) and word not in self._spelt_names

    def is_common_folded(self, word: str) -> bool:
        """The same for a folded word."""
        return word in self._folded_common

    def is_name(self, word: str) -> bool:
        """Whether a folded word is a maker's name or a trade word."""
        return word in self._names

    @lru_cache(maxsize=65536)  # noqa: B019 - there is one vocabulary
    def is_compound(self, word: str) -> bool:
        """Whether a folded word is two common English ones written together."""
        return any(
            word[:cut] in self._english and word[cut:] in self._english
            for cut in range(4, len(word) - 3)
        )


class ChineseWords:
    """Chinese words of two to four characters, simplified."""

    def __init__(self) -> None:
        text = gzip.decompress((TABLES / "chinese.txt.gz").read_bytes()).decode()
        lines = text.split("\n")
        self._all = frozenset(line.rstrip("*") for line in lines)
        self._common = frozenset(line[:-1] for line in lines if line.endswith("*"))

    def has(self, word: str) -> bool:
        """Whether it is an ordinary word."""
        return word in self._all

    def is_common(self, word: str) -> bool:
        """Whether it is one that people use every day."""
        return word in self._common


@cache
def vocabulary() -> Vocabulary:
    """The words, read once."""
    return Vocabulary()


@cache
def chinese_words() -> ChineseWords:
    """The Chinese words, read once."""
    return ChineseWords()


@cache
def short_list(name: str) -> frozenset[str]:
    """The words of one of the short lists in `tables/lists.tsv`, as they are spelt."""
    lines = (TABLES / "lists.tsv").read_text(encoding="utf-8").splitlines()
    (words,) = (line.split("\t")[1] for line in lines if line.startswith(f"{name}\t"))
    return frozenset(words.split())
