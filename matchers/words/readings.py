"""The ways in which a stretch of text may be read: as it stands, with digits and signs for
letters, with repeated letters once, with two letters that look like one, upside down.

A reading is letters only; it knows where each stands in the text, and where words begin and
end. Whatever is no letter lies between words.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from matchers.words.fold import KIND, fold, fold_character, is_letter, is_wordless

#: Readings of a stretch are few, whatever it holds.
MOST = 24
_DIGITS = {"2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "ti", "8": "b", "9": "gq"}
_SIGNS = {
    "@": "a", "$": "s", "!": "i", "|": "i", "€": "ec", "£": "ie", "¥": "y", "¢": "c", "+": "t",
    "(": "c", "<": "c", "[": "c", "{": "c", "^": "a", "&": "e", "#": "h", "§": "s", "¡": "i",
    "₽": "p", "©": "c", "®": "r", "µ": "u", "†": "t", "‡": "t", "¶": "p", "×": "x", "√": "v",
    "₿": "b", "₩": "w", "₴": "s", "₳": "a", "₦": "n", "₭": "k", "₮": "t", "₱": "p", "₹": "r",
    "°": "o", "○": "o", "●": "o", "◯": "o", "〇": "o", "⭕": "o", "★": "a", "☆": "a", "⍺": "a",
    "]": "i", ")": "d", "/": "i", "\\": "i",
}  # fmt: skip
#: Several characters that look like one letter, in folded text (i is also l and 1).
_SHAPES = (
    ("rn", "m"), ("nn", "m"), ("vv", "w"), ("uu", "w"), ("ci", "d"), ("ii", "u"), ("ic", "k"),
    ("ib", "b"), ("di", "d"), ("ih", "h"), ("ph", "f"), ("f", "ph"), ("v", "u"), ("u", "v"),
    ("q", "g"), ("j", "i"), ("z", "s"), ("kk", "ck"), ("x", "ks"), ("w", "vv"), ("y", "v"),
    ("hi", "m"),
)  # fmt: skip
#: Longer ones first: they hold shorter ones.
_DRAWN = {
    "/\\/\\": "m", "\\/\\/": "w", "|\\/|": "m", "|-|": "h", "|\\|": "n", "|_|": "u", "/-\\": "a",
    "/\\": "a", "\\/": "v", "()": "o", "[]": "o", "|<": "k", "|3": "b", "|)": "d", "|_": "i",
    "><": "x",
}  # fmt: skip
_SHAPED = re.compile("|".join(group for group, _ in _SHAPES))
_DRAWN_SIGNS = re.compile("|".join(map(re.escape, _DRAWN)))
_UPSIDE = str.maketrans("nubqdpmw69", "unqbpdwm96")
_HAS_DIGIT = re.compile("[0-9]")
#: Figures as in model numbers, sizes and years: not letters in disguise.
_FIGURES = re.compile(
    r"[0-9]{3}|^[^\W\d_]{1,3}[-/.]?[0-9]{2,}$|^[0-9]{2,}[^\W\d_]{1,2}$|^[0-9.,/x-]+[^\W\d_]$"
)
_RUNS = re.compile(r"(.)\1+")
_LONG_RUNS = re.compile(r"(.)\1{2,}")


@dataclass(slots=True)
class Reading:
    """One way to read a stretch of text.

    Parameters
    ----------
    text
        Folded letters and digits.
    places
        For each, its place in the stretch.
    starts, ends
        Places in `text` where words begin, and behind their ends.
    undone
        In words, what this reading undoes; empty for the stretch as it stands.
    kind
        ``leet``, ``runs`` (repeated letters), ``upside``; empty for the stretch as it stands.
    lasts
        Where a letter stands for several: the place of the last of them; else empty.
    """

    text: str
    places: list[int]
    starts: set[int]
    ends: set[int]
    undone: tuple[str, ...] = ()
    kind: str = ""
    lasts: list[int] = field(default_factory=list)
    sorted: tuple[list[int], list[int]] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the letters from `start` to `end` stand in the stretch."""
        first, last = self.places[start], (self.lasts or self.places)[end - 1]
        return (first, last + 1) if first <= last else (last, first + 1)

    def word(self, at: int) -> tuple[int, int]:
        """Where the word that holds a place begins and ends."""
        starts, ends = self.edges()
        number = bisect_right(starts, at) - 1
        return starts[number], ends[number]

    def inner(self, start: int, end: int) -> list[int]:
        """Places between two at which words begin."""
        starts, _ = self.edges()
        return starts[bisect_right(starts, start) : bisect_left(starts, end)]

    def edges(self) -> tuple[list[int], list[int]]:
        """`starts` and `ends` in order."""
        if self.sorted is None:
            self.sorted = sorted(self.starts), sorted(self.ends)
        return self.sorted

    def words(self) -> list[tuple[int, int]]:
        """All words: where they begin and end."""
        return list(zip(*self.edges(), strict=True))


def as_it_stands(stretch: str) -> Reading:
    """The plain reading."""
    if stretch.isascii() and stretch.isalnum():
        size = len(stretch)
        return Reading(fold(stretch), list(range(size)), {0}, {size})
    return _read(stretch, (fold_character(c) for c in stretch))


def others(stretch: str, base: Reading) -> Iterator[Reading]:
    """Further readings, at most `MOST`; only such as differ from `base`.

    Parameters
    ----------
    base
        The stretch as it stands.
    """
    found: Iterator[Reading] = _with_signs(stretch, base)
    seen = {(base.text, len(base.starts))}
    read = [base]
    for reading in islice(found, MOST // 2):
        key = (reading.text, len(reading.starts))
        if key not in seen:
            seen.add(key)
            read.append(reading)
            yield reading
    if not stretch.isascii() and any(KIND.get(c) == "flipped" for c in stretch):
        yield upside_down(stretch, base)
    if _HAS_DIGIT.search(stretch):
        read = read[1:]  # the repeated digits of a number mean nothing
    for reading in read:
        for pattern, kept in ((_RUNS, 1), (_LONG_RUNS, 2)):
            if pattern.search(reading.text):
                shorter = without_runs(reading, kept)
                if shorter.text != reading.text:
                    yield shorter


def is_figures(stretch: str) -> bool:
    """Whether it is a model number, a size or a year: its digits are no letters in disguise."""
    return _FIGURES.search(stretch) is not None


def shapes(word: str) -> Iterator[str]:
    """A folded word with letters for the groups that look like them; one kind at a time."""
    if not _SHAPED.search(word):
        return
    for group, letter in _SHAPES:
        if group in word:
            yield word.replace(group, letter)


def without_runs(reading: Reading, kept: int) -> Reading:
    """Repeated letters once (or, with `kept` 2, at most twice); never across words."""
    text: list[str] = []
    places: list[int] = []
    lasts: list[int] = []
    starts: set[int] = set()
    ends: set[int] = set()
    run = 0
    for at, c in enumerate(reading.text):
        begins = at in reading.starts
        run = 1 if begins or c != reading.text[at - 1] else run + 1
        if begins:
            starts.add(len(text))
        if run <= kept:
            text.append(c)
            places.append(reading.places[at])
            lasts.append(reading.places[at])
        else:
            lasts[-1] = reading.places[at]
        if at + 1 in reading.ends:
            ends.add(len(text))
    return Reading(
        "".join(text), places, starts, ends, (*reading.undone, "repeated letters"), "runs", lasts
    )


def upside_down(stretch: str, reading: Reading) -> Reading:
    """As read by someone who turns the screen: last letter first, n for u, b for q."""
    size = len(reading.text)
    turned = [
        # A letter that is drawn turned is read already; the others are turned now.
        c if KIND.get(stretch[place]) == "flipped" else c.translate(_UPSIDE)
        for c, place in zip(reading.text, reading.places, strict=True)
    ]
    return Reading(
        "".join(reversed(turned)),
        reading.places[::-1],
        {size - end for end in reading.ends},
        {size - start for start in reading.starts},
        (),
        "upside",
    )


def backwards(word: str) -> str:
    """A word from its end."""
    return word[::-1]


def _with_signs(stretch: str, base: Reading) -> Iterator[Reading]:
    """Digits, then signs too, read as the letters that they are used for."""
    if stretch.isalpha():
        return
    units = [fold_character(c) for c in stretch]
    read = False
    for choices, letters_for in _choices(stretch, units, base.text):
        read = True
        yield _read(
            stretch,
            (
                letter if choice else unit
                for unit, choice, letter in zip(units, choices, letters_for, strict=True)
            ),
            ("digits or signs for letters",),
            "leet",
        )
    if read and len(stretch) < 40:
        yield from _drawn(stretch)


def with_signs(stretch: str, folded: str) -> Iterator[str]:
    """The same as text only, for a stretch whose folded characters are one each (ASCII)."""
    letters = "".join(c for c in folded if c.isalnum())
    for choices, letters_for in islice(_choices(stretch, folded, letters), MOST // 2):
        yield "".join(
            letter if choice else unit
            for unit, choice, letter in zip(folded, choices, letters_for, strict=True)
        )


def _choices(
    stretch: str, units: Sequence[str], text: str
) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """For every character the letters that it may be used for, and one choice of them.

    Parameters
    ----------
    units
        The characters, each folded.
    text
        Of these the letters and digits.
    """
    digits = sum(c in _DIGITS for c in text)
    signs = any(c in _SIGNS for c in stretch)
    letters = sum(map(str.isalpha, stretch))
    if digits and _FIGURES.search(stretch):
        return
    if not (digits or signs) or letters < 1 or digits > letters + 2:
        return
    for also_signs in (False, True) if signs else (False,):
        choices = [
            _SIGNS[c] if also_signs and c in _SIGNS else _DIGITS.get(unit, "")
            for c, unit in zip(stretch, units, strict=True)
        ]
        picked = [choice or " " for choice in choices]
        for letters_for in islice(product(*picked), 6):
            yield choices, letters_for


def is_drawn(stretch: str) -> bool:
    """Whether a stretch may hold letters drawn with signs."""
    return _DRAWN_SIGNS.search(stretch) is not None


def _drawn(stretch: str) -> Iterator[Reading]:
    """Letters drawn with signs: |-| for h."""
    if not is_drawn(stretch):
        return
    units = [fold_character(c) for c in stretch]
    for shape in _DRAWN_SIGNS.finditer(stretch):
        units[shape.start() : shape.end()] = [
            _DRAWN[shape.group()],
            *[""] * (len(shape.group()) - 1),
        ]
    units = [
        _SIGNS[c][0] if unit == c and c in "@$!" else _DIGITS.get(unit, unit)[:1] or unit
        for unit, c in zip(units, stretch, strict=True)
    ]
    yield _read(stretch, iter(units), ("letters drawn with signs",), "leet")


def _read(
    stretch: str, units: Iterator[str], undone: tuple[str, ...] = (), kind: str = ""
) -> Reading:
    text: list[str] = []
    places: list[int] = []
    starts: set[int] = set()
    ends: set[int] = set()
    inside = False
    joins = False
    for place, unit in enumerate(units):
        for c in unit:
            if is_letter(c):
                # A word ends where Chinese begins: 正品Nike运动鞋.
                if inside and c >= "\u0e00" and not joins:
                    inside = not is_wordless(c)
                elif inside and joins and not is_wordless(c):
                    inside = False
                if not inside:
                    if text and len(text) not in ends:
                        ends.add(len(text))
                    starts.add(len(text))
                    inside = True
                    joins = is_wordless(c)
                text.append(c)
                places.append(place)
            elif inside:
                ends.add(len(text))
                inside = False
    if inside:
        ends.add(len(text))
    return Reading("".join(text), places, starts, ends, undone, kind)
