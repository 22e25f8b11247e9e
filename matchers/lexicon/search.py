"""Finding terms of the lexicon in a text, under disguise, in context.

One automaton over all spellings searches the squashed text. What it finds is a candidate; it
counts if what was undone is a disguise rather than chance (`_verified`), if the words that
the entry needs are near and none that excuse it is, and if nothing negates it.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import ahocorasick_rs

from matchers.lexicon.entries import Entry, lexicon
from matchers.lexicon.folding import LEET, PLAIN, loose, origins, plain, spoken, squash, unspaced
from matchers.lexicon.phrases import TERM
from matchers.lexicon.surroundings import NEAR, NEEDED, carried, denied_after, denied_before, near

#: No honest listing is longer; what comes after is not read.
LONGEST_TEXT = 20_000
#: What repeats itself more often than this says no more; the rest is not looked at.
MOST_SPOTS = 1000
#: The longest ending that a ``*`` stands for.
LONGEST_ENDING = 5
#: A sentence ends, or a list goes on, in it: two pieces of one word do not stand around that.
_BREAK = re.compile(r"[\n\r!?;|。！？；,，、]|[.:](?=\s)")

#: Circled, full-width, mathematical and other dressed-up letters.
_STYLED = re.compile(
    "[\u1d00-\u1d6b\u2460-\u24ff\uff01-\uff5e\U0001d400-\U0001d7ff\U0001f100-\U0001f1e5]"
)


@dataclass(frozen=True, slots=True)
class LexiconHit:
    """A term in a text.

    Parameters
    ----------
    start, end
        ``text[start:end]`` of the original.
    matched
        That piece of the text.
    disguise
        What had to be undone to read the term, in words; empty where it stands plainly.
    discounted
        Why it does not count, in words; empty where it counts.
    """

    entry: Entry
    start: int
    end: int
    matched: str
    disguise: tuple[str, ...] = ()
    discounted: str = ""


@dataclass(frozen=True, slots=True)
class _Spelling:
    entry: Entry
    plain: str
    #: Places in `plain` before which the spelling has a blank or a sign.
    gaps: frozenset[int]
    open: bool


@dataclass(frozen=True, slots=True)
class _Spot:
    start: int
    end: int
    entry: Entry
    disguise: tuple[str, ...]


def find_lexicon(
    text: str, *, setting: str = "", brand_claimed: bool = True, discounted: bool = False
) -> list[LexiconHit]:
    """Find the counterfeit terms of a text, in order.

    Of terms that overlap, the longest is found. At most `LONGEST_TEXT` characters are read
    and `MOST_SPOTS` places looked at.

    Parameters
    ----------
    setting
        What else says what the listing is of, as the title of a description, the category:
        words that a term needs, or that excuse it, may stand there too.
    brand_claimed
        Whether the listing claims a registered brand; without, only those of the highest
        severity speak for themselves.
    discounted
        Whether to give those too that do not count, with the reason.
    """
    text = text[:LONGEST_TEXT]
    found = _candidates(text)
    if not found:
        return []
    hits = _judged(text, found, setting[:NEEDED], brand_claimed)
    return hits if discounted else [hit for hit in hits if not hit.discounted]


def _candidates(text: str) -> list[_Spot]:
    spellings, automaton = _automaton()
    matches = automaton.find_matches_as_indexes(squash(text), overlapping=True)
    if not matches:
        return []
    places = origins(text)
    plains = plain(text)
    spots: list[_Spot] = []
    for which, start, end in matches:
        if len(spots) >= MOST_SPOTS:
            break
        for spelling in spellings[which]:
            spot = _verified(text, plains, places, spelling, start, end)
            if spot is not None:
                spots.append(spot)
    return spots


@cache
def _automaton() -> tuple[list[list[_Spelling]], ahocorasick_rs.AhoCorasick]:
    by_form: dict[str, list[_Spelling]] = defaultdict(list)
    for entry in lexicon().entries:
        for text in entry.spellings():
            spelling = _spelling(entry, text)
            by_form[squash(text.rstrip("*"))].append(spelling)
    return list(by_form.values()), ahocorasick_rs.AhoCorasick(list(by_form))


def _spelling(entry: Entry, text: str) -> _Spelling:
    bare = text.rstrip("*")
    places = origins(bare)
    gaps = (at for at in range(1, len(places)) if places[at] > places[at - 1] + 1)
    return _Spelling(entry, plain(bare), frozenset(gaps), text.endswith("*"))


def _verified(
    text: str, plains: str, places: list[int], spelling: _Spelling, start: int, end: int
) -> _Spot | None:
    """The candidate as a place in the text, or None where it is chance."""
    if (start and places[start - 1] == places[start]) or (
        end < len(places) and places[end] == places[end - 1]
    ):
        return None  # a part of a character that folds to several
    undone = _undone(plains[start:end], spelling)
    spaces = _spaces(text, places, spelling, start, end)
    if undone is None or spaces is None:
        return None
    first, last = places[start], places[end - 1] + 1
    while last < len(text) and loose(text[last]):
        last += 1
    if spelling.open:
        stop = last
        while stop < len(text) and _letter(text[stop]) and not unspaced(text[stop]):
            stop += 1
        if stop - last > LONGEST_ENDING:
            return None
        last = stop
    if not (_begins(text, first, spelling) and _ends(text, last, spelling)):
        return None
    matched = text[first:last]
    entry = spelling.entry
    if entry.upper and matched.upper() != matched:
        return None
    if entry.accents and all(ord(character) < 0x80 for character in matched):
        return None
    disguise = [*undone, *spaces]
    if any(_STYLED.match(c) for c in matched):
        disguise.append("styled letters")
    if any(loose(c) and ord(c) < 0x2100 and PLAIN[ord(c)] == "" for c in matched) and (
        not entry.accents
    ):
        disguise.append("invisible or combining characters")
    return _Spot(first, last, entry, tuple(disguise))


def _undone(found: str, spelling: _Spelling) -> list[str] | None:
    """Which letters were put for others; None if too many, or digits for digits."""
    if found == spelling.plain:
        return []
    leet = foreign = in_word = word_began = 0
    for at, (is_so, meant) in enumerate(zip(found, spelling.plain, strict=True)):
        if at in spelling.gaps:
            word_began, in_word = at, 0
        if is_so == meant:
            continue
        if meant in LEET:
            return None
        if is_so in LEET:
            leet += 1
            in_word += 1
            # A number is no word: 444 quality.
            if in_word * 2 >= _word_end(spelling, at) - word_began:
                return None
        elif not {is_so, meant} <= {"i", "l"}:
            foreign += 1
    size = len(found)
    # A word wholly of another script is another word.
    if foreign + leet >= size or (leet and size < 4):
        return None
    if not (leet or foreign) and size < 5:
        return None
    undone = ["digits or signs for letters"] if leet else []
    return undone + (["letters of another script"] if foreign else [])


def _word_end(spelling: _Spelling, at: int) -> int:
    return min((gap for gap in spelling.gaps if gap > at), default=len(spelling.plain))


def _spaces(
    text: str, places: list[int], spelling: _Spelling, start: int, end: int
) -> list[str] | None:
    """What stands between letters; None where that makes it two words, or two clauses."""
    blanks = signs = gaps = 0
    for at in range(1, end - start):
        one, other = places[start + at - 1], places[start + at]
        if other <= one + 1:
            continue
        gap = "".join(c for c in text[one + 1 : other][:40] if not loose(c))
        if not gap:
            continue
        if len(gap.strip()) > 3 or len(gap) > 8 or _BREAK.search(gap + text[other]):
            return None
        gaps += 1
        if at in spelling.gaps:
            continue
        if gap.isspace():
            blanks += 1
        else:
            signs += 1
    size = end - start
    if not blanks + signs:
        return []
    everywhere = gaps == size - 1 and size >= 3
    if unspaced(spelling.plain[0]) or unspaced(spelling.plain[-1]):
        fits = size >= 2
    elif spelling.entry.whole:
        fits = everywhere
    else:
        fits = everywhere or (blanks <= 1 and size >= 6) or (not blanks and size >= 4)
    return ["blanks or signs inside"] if fits else None


def _letter(character: str) -> bool:
    return character.isalpha() or (not loose(character) and PLAIN[ord(character)].isalpha())


def _begins(text: str, first: int, spelling: _Spelling) -> bool:
    """Whether a word begins there."""
    at = first - 1
    while at >= 0 and loose(text[at]):
        at -= 1
    if at < 0 or unspaced(text[at]) or unspaced(text[first]):
        return True
    before = text[at]
    if spelling.plain[0].isdigit():
        return not (before.isalnum() or (before in ".,:/-" and at and text[at - 1].isdigit()))
    if before.isdigit():
        return len(spelling.plain) >= 5
    if len(spelling.plain) >= 5 and before.islower() and text[first].isupper():
        return True
    return not _letter(before)


def _ends(text: str, last: int, spelling: _Spelling) -> bool:
    """Whether a word ends there."""
    if last >= len(text) or unspaced(text[last]) or unspaced(text[last - 1]):
        return True
    after = text[last]
    if spelling.plain[-1].isdigit():
        further = text[last + 1 : last + 2]
        return not (after.isdigit() or (after in ".,:/" and further.isdigit())) and (
            not _letter(after) or text[last : last + 3].isalpha()
        )
    if after.isdigit():
        return len(spelling.plain) >= 5
    if len(spelling.plain) >= 5 and text[last - 1].islower() and after.isupper():
        return True
    return not _letter(after)


def _judged(text: str, spots: list[_Spot], setting: str, brand_claimed: bool) -> list[LexiconHit]:
    """The longest at each place, each with the reason why it does not count."""
    windows = _Windows(text, setting)
    groups: dict[tuple[int, int], list[_Spot]] = defaultdict(list)
    lacking: list[LexiconHit] = []
    for spot in spots:
        lack = _lack(windows, spot, brand_claimed)
        if lack:
            lacking.append(_hit(text, spot, lack))
        else:
            groups[spot.start, spot.end].append(spot)
    taken = bytearray(len(text))
    kept: list[tuple[_Spot, str]] = []
    for start, end in sorted(groups, key=lambda span: (span[0] - span[1], span[0])):
        if any(taken[start:end]):
            continue
        taken[start:end] = b"\1" * (end - start)
        # The same word in two languages counts once; what excuses one excuses the other.
        group = sorted(groups[start, end], key=lambda s: (len(s.disguise), -s.entry.severity))
        excuses = filter(None, (_excuse(windows, spot) for spot in group))
        kept.append((group[0], next(excuses, "")))
    kept.sort(key=lambda each: each[0].start)
    hits = _with_negations(text, kept)
    for hit in sorted(lacking, key=lambda hit: -hit.entry.severity):
        if not any(taken[hit.start : hit.end]):
            taken[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
            hits.append(hit)
    return sorted(hits, key=lambda hit: (hit.start, hit.end, hit.entry.id))


class _Windows:
    """The words around places of a text, made once a place."""

    def __init__(self, text: str, setting: str) -> None:
        self._text, self._setting = text, spoken(setting)
        self._made: dict[tuple[int, int, int], str] = {}

    def around(self, spot: _Spot, reach: int) -> str:
        place = (spot.start, spot.end, reach)
        if place not in self._made:
            before, after = _around(self._text, spot, reach)
            self._made[place] = f"{spoken(before)} {TERM} {spoken(after)} | {self._setting}"
        return self._made[place]


def _lack(windows: _Windows, spot: _Spot, brand_claimed: bool) -> str:
    entry = spot.entry
    if entry.severity < 4 and not brand_claimed:
        return "no brand is claimed"
    if entry.needs and not near(entry.needs, windows.around(spot, NEEDED)):
        return "nothing near makes it mean that"
    return ""


def _excuse(windows: _Windows, spot: _Spot) -> str:
    if not spot.entry.unless:
        return ""
    found = near(spot.entry.excuses(), windows.around(spot, NEAR))
    return f"excused by “{found}”" if found else ""


def _around(text: str, spot: _Spot, reach: int) -> tuple[str, str]:
    return text[max(0, spot.start - reach) : spot.start], text[spot.end : spot.end + reach]


def _with_negations(text: str, kept: list[tuple[_Spot, str]]) -> list[LexiconHit]:
    """Negations, which carry on over lists: "no replicas, copies or fakes"."""
    gaps = [
        carried(text[one.end : other.start]) if other.start - one.end <= NEAR else False
        for (one, _), (other, _) in itertools.pairwise(kept)
    ]
    # A comma carries where the list that it stands in goes on to an "or".
    for at in range(len(gaps) - 1, -1, -1):
        if gaps[at] is None:
            gaps[at] = at + 1 < len(gaps) and gaps[at + 1] is True
    sides = [_around(text, spot, NEAR) for spot, _ in kept]
    ahead = [denied_before(*each) or "" for each in sides]
    behind = [denied_after(*each) or "" for each in sides]
    for at, gap in enumerate(gaps):
        if gap and not (ahead[at + 1] or behind[at + 1]):
            ahead[at + 1] = ahead[at]
    for at in range(len(gaps) - 1, -1, -1):
        if gaps[at] and not (ahead[at] or behind[at]):
            behind[at] = behind[at + 1]
    return [
        _hit(text, spot, excuse or before or after)
        for (spot, excuse), before, after in zip(kept, ahead, behind, strict=True)
    ]


def _hit(text: str, spot: _Spot, discounted: str) -> LexiconHit:
    matched = text[spot.start : spot.end]
    return LexiconHit(spot.entry, spot.start, spot.end, matched, spot.disguise, discounted)


def languages() -> Iterable[str]:
    """The languages of the entries, in order."""
    return sorted({entry.language for entry in lexicon().entries})
