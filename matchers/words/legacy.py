"""Words: a brand's terms under disguise, and the counterfeit lexicon, marked in the text.

Text is folded character by character (NFKC, case, look-alikes, digits for letters) with a
map back, so that every hit points at the characters that were really written. The list of
what had to be undone is the explanation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

#: Letters of other scripts that are taken for Latin ones; after Unicode UTS #39, for the
#: letters that marks are disguised with.
_LOOKALIKE = str.maketrans(
    "авеёзікмнорсстухѕјһԁԍԛԝᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢαβεηικνορτυχγ",
    "abee3ikmhopcctyxsjhdgqwabcdeghijklmnoprtuvwyzabenikvoptuxy",
)
#: Digits and signs that stand for letters.
_LEET = str.maketrans("01345789@$!|€", "olaastbgasiie")
_CLASSES = str.maketrans("li", "ii")
_SEPARATOR = re.compile(r"[\W_]", re.UNICODE)
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)
_COMPATIBLE = re.compile(
    r"(?:\b(?:for|fits?|compatible with|suitable for|pour|für|para|для)|适用于?|兼容)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found in a text.

    Parameters
    ----------
    start, end
        Where it stands in the original text.
    disguise
        What had to be undone to see it; empty for a plain mention.
    compatible
        Whether it is only named as what something fits.
    """

    term: str
    start: int
    end: int
    matched: str
    disguise: tuple[str, ...]
    compatible: bool


@dataclass(frozen=True, slots=True)
class _Folded:
    """A folded text; `origin[i]` is the place of its i-th character in the original."""

    text: str
    origin: tuple[int, ...]


def find_terms(text: str, terms: Sequence[str]) -> list[Hit]:
    """Find a brand's terms, plain or disguised; overlapping hits give way to the plainer."""
    found: list[Hit] = []
    for term in terms:
        if term.strip():
            found += _plain(text, term) or _disguised(text, term)
    found.sort(key=lambda hit: (hit.start, len(hit.disguise), hit.start - hit.end))
    kept: list[Hit] = []
    for hit in found:
        if not any(hit.start < other.end and other.start < hit.end for other in kept):
            kept.append(hit)
    return kept


def _plain(text: str, term: str) -> list[Hit]:
    pattern = re.escape(term)
    if not _is_cjk(term):
        pattern = rf"(?<!\w){pattern}(?!\w)"
    return [
        _hit(text, term, match.start(), match.end(), ())
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]


def _disguised(text: str, term: str) -> list[Hit]:
    cjk = _is_cjk(term)
    needle = _squeeze(_fold(term).text)
    if len(needle) < (2 if cjk else 4):
        return []  # too short to be told from chance once letters are exchanged
    folded = _fold(text)
    if cjk:
        return list(_cjk_hits(text, folded, term, needle))
    return list(_latin_hits(text, folded, term, needle))


def _latin_hits(text: str, folded: _Folded, term: str, needle: str) -> Iterator[Hit]:
    tokens = [(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(folded.text)]
    # A token by itself: look-alikes, digits for letters, repeated letters, one edit.
    for token, start, end in tokens:
        squeezed = _squeeze(token)
        if squeezed == needle or _one_edit(squeezed, needle):
            yield _made(text, folded, term, start, end)
        elif len(needle) >= 5 and needle in squeezed and len(squeezed) <= len(needle) + 8:
            at = token.find(needle[0])
            yield _made(text, folded, term, start + max(at, 0), end, "joined to another word")
    # Single letters and bits with something between them: V.e.l.a.r.o, V E L A R O, Vel-aro.
    for first in range(len(tokens)):
        joined = tokens[first][0]
        for last in range(first + 1, min(len(tokens), first + len(needle))):
            gap = folded.text[tokens[last - 1][2] : tokens[last][1]]
            blank = gap.isspace()
            if len(gap) > 3 or (blank and not _all_short(tokens[first : last + 1])):
                break
            joined += tokens[last][0]
            if _squeeze(joined) == needle:
                yield _made(text, folded, term, tokens[first][1], tokens[last][2], "pulled apart")
            if len(joined) > len(needle) + 2:
                break


def _all_short(tokens: Sequence[tuple[str, int, int]]) -> bool:
    """Whether these are letters spaced out rather than words beside each other."""
    return all(len(token) <= 2 for token, _, _ in tokens)


def _one_edit(token: str, needle: str) -> bool:
    """One letter changed, dropped, added or swapped, in a word long enough for it."""
    if len(needle) < 5 or abs(len(token) - len(needle)) > 1 or token[0] != needle[0]:
        return False
    return OSA.distance(token, needle, score_cutoff=1) <= 1


def _cjk_hits(text: str, folded: _Folded, term: str, needle: str) -> Iterator[Hit]:
    # Between the characters may stand a sign or a blank, not another character.
    pattern = r"[\W_]{0,2}".join(re.escape(character) for character in needle)
    for match in re.finditer(pattern, folded.text):
        if len(match.group()) > len(needle):
            yield _made(text, folded, term, match.start(), match.end(), "pulled apart")
        else:
            yield _made(text, folded, term, match.start(), match.end())


def _made(text: str, folded: _Folded, term: str, start: int, end: int, *undone: str) -> Hit:
    first, last = folded.origin[start], folded.origin[end - 1] + 1
    # Marks that combine with the last letter belong to the hit.
    while last < len(text) and unicodedata.combining(text[last]):
        last += 1
    written = text[first:last]
    reasons = [*_undone(written), *undone]
    if not reasons:
        reasons.append("misspelt")
    return _hit(text, term, first, last, tuple(reasons))


def _undone(written: str) -> list[str]:
    """What is odd about the characters themselves."""
    odd: list[str] = []
    letters = [c for c in written if c.isalpha()]
    latin = sum("LATIN" in unicodedata.name(c, "") for c in letters)
    if 0 < latin < len(letters):
        odd.append("letters of another script")
    if any(c.isdigit() or c in "@$!|€" for c in written):
        odd.append("digits or signs for letters")
    if any(unicodedata.category(c) == "Cf" for c in written):
        odd.append("hidden characters")
    if unicodedata.normalize("NFKC", written) != written:
        odd.append("letters in unusual forms")
    if any(unicodedata.combining(c) for c in unicodedata.normalize("NFD", written)):
        odd.append("accents")
    if re.search(r"(.)\1\1", written.casefold()):
        odd.append("repeated letters")
    return odd


def _hit(text: str, term: str, start: int, end: int, disguise: tuple[str, ...]) -> Hit:
    compatible = bool(_COMPATIBLE.search(text[max(0, start - 24) : start]))
    return Hit(term, start, end, text[start:end], disguise, compatible)


def _fold(text: str) -> _Folded:
    characters: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        for folded in _fold_character(character):
            characters.append(folded)
            origin.append(place)
    return _Folded("".join(characters), tuple(origin))


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character)
    kept = "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    lowered = kept.casefold().translate(_LOOKALIKE).translate(_LEET)
    return lowered.translate(_CLASSES)


def _squeeze(text: str) -> str:
    """Without separators, and with repeated letters once."""
    return re.sub(r"(.)\1+", r"\1", _SEPARATOR.sub("", text))


def _is_cjk(term: str) -> bool:
    return any("CJK" in unicodedata.name(character, "") for character in term)
