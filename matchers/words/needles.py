"""From terms to what is looked for: folded needles, and what each may be taken for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matchers.values import Term
from matchers.words.chinese import pinyin_of
from matchers.words.fold import classes, fold, is_han, is_letter, is_wordless, letters, plain
from matchers.words.vocabulary import chinese_words, vocabulary

#: Longer terms are refused: they are sentences.
LONGEST = 200
#: What stands between two names of one mark, in the languages of the marketplaces.
_AND = ("&", "and", "und", "et", "y", "e", "n")
_JOINER = re.compile(r"\s*[&+]\s*|\s+(?:and|und|et|y)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Needle:
    """One form of a term.

    Parameters
    ----------
    term
        The term's place in the finder's terms.
    text
        Folded, letters only.
    cuts
        Places in `text` at which the term's own words begin, but the first.
    undone
        In words, what this form undoes (pinyin); empty for the term as it is.
    wordless
        Whether it is written without spaces, so that no word need begin at its beginning.
    short, common
        Whether it counts as a mark only in context.
    """

    term: int
    text: str
    cuts: frozenset[int]
    undone: tuple[str, ...] = ()
    wordless: bool = False
    short: bool = False
    common: bool = False

    @property
    def strong(self) -> bool:
        """Whether it is the mark wherever it stands."""
        return not (self.short or self.common)


def needles(terms: Sequence[Term]) -> list[Needle]:
    """Every form of every term.

    Raises
    ------
    ValueError
        A term without two letters or digits, or one of more than 200 characters; says which.
    """
    return [needle for place, term in enumerate(terms) for needle in _forms(place, term)]


def check_term(text: str) -> str:
    """The letters and digits of a term, folded.

    Raises
    ------
    ValueError
        If there are fewer than two of them, or the term is too long to be looked for.
    """
    if len(text) > LONGEST:
        raise ValueError(f"term {text[:40]!r}… is longer than {LONGEST} characters")
    folded = letters(text)
    if len(folded) < 2:
        raise ValueError(f"term {text!r} has fewer than two letters or digits: nothing to find")
    return folded


def _forms(place: int, term: Term) -> Iterator[Needle]:
    text = term.text
    folded = check_term(text)
    wordless = any(map(is_wordless, folded))
    yield _needle(place, text, folded, wordless)
    for other in _joined_otherwise(text):
        yield _needle(place, other, letters(other), wordless)
    if not folded.isascii() or not text.isascii():
        # Capitals of other scripts look like other letters than the small ones do.
        seen = {folded}
        for other in (text.lower(), text.upper(), text.title()):
            needle = letters(other)
            if len(needle) > 1 and needle not in seen:
                seen.add(needle)
                yield _needle(place, other, needle, wordless)
    if all(map(is_han, folded)):
        syllables = pinyin_of(folded)
        spelt = classes("".join(syllables))
        if syllables and len(spelt) >= 5:
            cuts = [len("".join(syllables[:count])) for count in range(1, len(syllables))]
            # lining is 李宁 among Chinese characters only.
            ordinary = len(syllables) < 3 and vocabulary().is_word_folded(spelt)
            yield Needle(place, spelt, frozenset(cuts), ("pinyin",), common=ordinary)


def _joined_otherwise(text: str) -> Iterator[str]:
    """A mark of two names with other words for *and*: Dolce and Gabbana; but not H and M."""
    names = _JOINER.split(text)
    if len(names) != 2 or max(map(len, names)) < 5 or len(letters(text)) < 7:
        return
    own = letters(text)
    for word in _AND:
        other = f"{names[0]} {word} {names[1]}"
        if letters(other) != own:
            yield other


def _needle(place: int, text: str, folded: str, wordless: bool) -> Needle:
    cuts: set[int] = set()
    count = 0
    between = False
    for c in fold(text):
        if is_letter(c):
            if between and count:
                cuts.add(count)
            between = False
            count += 1
        else:
            between = True
    if wordless:
        common = chinese_words().is_common(folded) or len(folded) < 2
        return Needle(place, folded, frozenset(cuts), wordless=True, common=common)
    word = plain(text).strip()
    return Needle(
        place,
        folded,
        frozenset(cuts),
        short=len(folded) <= 3,
        common=not cuts and vocabulary().is_common(word),
    )
