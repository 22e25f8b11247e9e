"""How sellers write a mark so that it is not found: those spellings that a shop's search finds.

The other way round of `matchers.words`, which undoes them; what it would not take for the mark
again is no use as a query, and neither is what a dictionary has.
"""

from __future__ import annotations

from collections.abc import Iterator

from matchers.values import Term
from matchers.words import TermFinder
from matchers.words.chinese import pinyin_of
from matchers.words.fold import is_han
from matchers.words.vocabulary import vocabulary

#: Shorter marks have too many other words around them.
MIN_LETTERS = 5
_FIGURES = (("o", "0"), ("e", "3"), ("i", "1"), ("a", "4"), ("l", "1"), ("s", "5"), ("b", "8"))
_VOWELS = frozenset("aeiou")
_CYRILLIC = str.maketrans("aeocpxy", "аеосрху")


def disguised(mark: str) -> Iterator[tuple[str, str]]:
    """Spellings of a mark with what was done in each, the most likely first.

    Only of marks of one word.
    """
    word = mark.casefold()
    if word.isalpha() and word.isascii() and len(word) >= MIN_LETTERS:
        made = _latin(word)
    elif len(word) >= 2 and all(map(is_han, word)):
        made = _chinese(word)
    else:
        return
    finder = TermFinder((Term(mark),))
    seen = {word}
    for spelling, how in made:
        if spelling in seen or vocabulary().has(spelling):
            continue
        seen.add(spelling)
        if finder.find(spelling):
            yield spelling, how


def _latin(word: str) -> Iterator[tuple[str, str]]:
    for letter, figure in _FIGURES:
        at = word.rfind(letter)
        if at > 0:
            yield word[:at] + figure + word[at + 1 :], f"{figure} for {letter}"
    middle = len(word) // 2
    for at in range(1, len(word) - 1):
        if word[at] not in _VOWELS and word[at] != word[at + 1] and word[at] != word[at - 1]:
            yield word[: at + 1] + word[at:], f"a second {word[at]}"
            break
    yield f"{word[:middle]} {word[middle:]}", "cut in two"
    yield " ".join(word), "letter by letter"
    for at in range(len(word) - 2, 0, -1):
        if word[at] in _VOWELS:
            yield word[:at] + word[at + 1 :], f"without its {word[at]}"
            break
    for at in range(1, len(word) - 2):
        if word[at] != word[at + 1]:
            yield (
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                f"{word[at]} and {word[at + 1]} swapped",
            )
            break
    cyrillic = word.translate(_CYRILLIC)
    if cyrillic != word:
        yield cyrillic, "Cyrillic letters that look the same"


def _chinese(word: str) -> Iterator[tuple[str, str]]:
    syllables = pinyin_of(word)
    if not syllables:
        return
    yield "".join(syllables), "in pinyin"
    yield word[:-1] + syllables[-1], "the last character in pinyin"
    yield syllables[0] + word[1:], "the first character in pinyin"
