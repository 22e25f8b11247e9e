"""What had to be undone, in words, by comparing what is written with the term."""

from __future__ import annotations

from functools import lru_cache

from matchers.values import Term
from matchers.words.fold import KIND, KINDS, is_letter, letters, plain

#: Kinds that nobody writes by chance.
DELIBERATE = frozenset(
    KINDS[kind]
    for kind in ("wide", "circled", "math", "capital", "flag", "tag", "flipped", "alike", "mark",
                 "hidden", "bidi")
)  # fmt: skip
SPACES = "spaces between the letters"
SIGNS = "signs between the letters"
LOOK_ALIKE = "letters that look alike"
DIGITS = "digits or signs for letters"


@lru_cache(maxsize=65536)
def characters(written: str, term: Term) -> tuple[str, ...]:
    """What is odd about the characters themselves; empty where the term is written as it is."""
    own = term.text.casefold()
    if written.casefold() == own:
        return ()
    found = dict.fromkeys(
        KINDS[kind]
        for c in written
        if (kind := KIND.get(c)) and kind != "case" and c.casefold() not in own
    )
    if not term.text.isascii():
        # A term with accents, or in another script, is as good without its own oddities.
        mine = {KINDS[KIND[c]] for c in term.text if KIND.get(c, "case") != "case"}
        if mine & {KINDS["accent"]}:
            found.pop(KINDS["mark"], None)
    shown = [c for c in plain(written) if is_letter(c)]
    spelt = [c for c in plain(term.text) if is_letter(c)]
    # Only i, l, 1 and o, 0 may differ between readings of one fold.
    if shown != spelt and letters(written) == letters(term.text):
        different = [a for a, b in zip(shown, spelt, strict=False) if a != b]
        found[DIGITS if any(c.isdigit() for c in different) else LOOK_ALIKE] = None
    found.pop("", None)
    return tuple(found)
