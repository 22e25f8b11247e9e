"""Marks joined to other words, and pulled apart: which of these may be the mark.

A longer word that holds a mark, or words beside each other that together are one, are chance
more often than not. What the rest is tells: goods and sellers' words, or any letters.
"""

from __future__ import annotations

from collections.abc import Sequence

from matchers.values import Term
from matchers.words.context import classes_of, is_product_word
from matchers.words.fold import letters
from matchers.words.needles import Needle
from matchers.words.vocabulary import short_list, vocabulary

#: What sellers join to a mark without meaning anything by it; folded.
_AFFIXES = frozenset(map(letters, short_list("affix")))
#: Goods made to fit others; folded.
_FITTING = frozenset(map(letters, short_list("fitting")))
_SMALL = short_list("small")
#: Signs that nobody writes inside a word but to break it.
_ODD = frozenset("*·_~.•'’")
_SOFT = frozenset(',;/&+|:()[]{}"“”。，、；！？!?')


def is_clean(pieces: Sequence[str]) -> bool:
    """Whether these may be the syllables of pinyin."""
    return all(2 <= len(piece) <= 6 for piece in pieces)


def may_be_apart(
    needle: Needle,
    pieces: Sequence[str],
    shown: Sequence[str],
    gaps: Sequence[str],
    spaced: bool,
) -> bool:
    """Whether pieces may be one word pulled apart, and not words beside each other.

    Parameters
    ----------
    pieces, shown
        Folded, and as a dictionary would spell them.
    """
    if any(len(piece) > 2 and piece.isdigit() for piece in pieces):
        return False
    single = all(len(piece) == 1 for piece in pieces)
    if needle.short:
        # 3 m is a length, l v a pair of letters; 3-m too may be anything.
        if any(c.isdigit() for c in needle.text):
            return not spaced and any(ord(c) > 0x7F or c in "._*" for g in gaps for c in g)
        if len(pieces) == 2 and spaced:
            return False
        return single
    if needle.undone:
        return not needle.common
    if needle.cuts and _is_in_letters(needle, pieces):
        return True
    if max(map(len, pieces)) <= 2 and (not spaced or len(pieces) > 2):
        return len(set(pieces)) > 1
    known = vocabulary()
    ordinary = [
        spelt in _SMALL
        or piece.isdigit()
        or (len(piece) > 2 and (known.is_common_folded(piece) or known.is_name(piece)))
        for piece, spelt in zip(pieces, shown, strict=True)
    ]
    if spaced:
        return not all(ordinary) and (len(pieces) <= 4 or max(map(len, pieces)) <= 3)
    soft = any(c in _SOFT for gap in gaps for c in gap)
    if needle.common and all(ordinary):
        return all(c in _ODD for gap in gaps for c in gap)
    return not (all(ordinary) and soft)


def _is_in_letters(needle: Needle, pieces: Sequence[str]) -> bool:
    """Whether some of several words are whole, and others letter by letter: Louis V u i t t o n."""
    inner = 0  # pieces of the word so far
    at = 0
    whole = apart = 0
    for piece in pieces:
        at += len(piece)
        inner += 1
        if at in needle.cuts or at == len(needle.text):
            if inner == 1:
                whole = max(whole, len(piece))
            elif inner < 4:
                return False
            else:
                apart += 1
            inner = 0
        elif len(piece) > 1:
            return False
    return whole >= 3 and apart > 0


def may_be_joined(needle: Needle, kind: str, before: str, after: str) -> bool:
    """Whether a word that holds a needle may be the mark with something joined to it.

    Parameters
    ----------
    kind
        The reading's in which it does.
    """
    known = vocabulary()
    size = len(needle.text)
    word = before + needle.text + after
    if known.has_folded(word) or known.has_folded(word.removesuffix("s")):
        return False
    if not needle.text.isascii():
        # Endings of inflected languages.
        return size >= 5 and not before and len(after) <= 4
    rests = [rest for rest in (before, after) if rest]
    if needle.common:
        return all(
            is_product_word(r) or (r in _AFFIXES and len(r) > 2) or _is_year(r) for r in rests
        )
    if size == 4:
        return all(_may_join_closely(rest) for rest in rests)
    if size >= 8 and not kind:
        return max(map(len, rests)) <= 20
    if size >= 7 and len(rests) == 1 and not kind:
        return len(rests[0]) <= 12
    return all(_may_join(rest) for rest in rests)


def _may_join_closely(rest: str) -> bool:
    """The same for marks of four letters, which more words hold by chance."""
    known = vocabulary()
    if _is_number(rest):
        return len(rest) > 1
    if len(rest) < 3:
        return rest in ("s", "us", "uk", "xx", "tm", "my")
    return (
        rest in _AFFIXES
        or is_product_word(rest)
        or (len(rest) > 3 and known.is_common_folded(rest))
    )


def _may_join(rest: str) -> bool:
    """Whether it is what sellers join to a mark: goods, a number, a word."""
    known = vocabulary()
    if _is_number(rest) or rest in _AFFIXES or is_product_word(rest):
        return True
    if len(rest) < 3:
        return False
    return known.has_folded(rest) or known.is_compound(rest)


def are_goods(term: Term, word: str) -> bool:
    """Whether a folded word joined to a short term speaks for it: uggboots, but not maccase.

    What sellers join to marks does, and goods of the term's own. Of a term of which no goods are
    known, any goods do but such as are made to fit others' goods.
    """
    if (word in _AFFIXES and len(word) > 2) or word in map(letters, term.product_words):
        return True
    if term.nice_classes or term.product_words:
        return bool(classes_of(word) & term.nice_classes)
    return is_product_word(word) and word.removesuffix("s") not in _FITTING


def _is_number(text: str) -> bool:
    """Whether a folded text was digits; 1 is i there, and 0 is o."""
    return any(c.isdigit() for c in text) and all(c.isdigit() or c in "io" for c in text)


def _is_year(text: str) -> bool:
    """Whether a folded text was a year of this century: 2o24."""
    return len(text) == 4 and text.startswith(("2o1", "2oi", "2o2", "2o3"))
