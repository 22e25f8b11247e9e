"""Disguises of brand words, as sellers write them, and the words that are disguised.

Each takes a word and a source of chance and gives what a seller would write, or None where it
does not apply (nothing to exchange, too short to stay recognisable). Written against what
disguises are, not against the finder's rules; dnstwist's permutations, which know neither, are
measured beside them.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from functools import cache

import dnstwist
from opencc import OpenCC
from pypinyin import Style, lazy_pinyin, pinyin

Disguise = Callable[[str, random.Random], str | None]

_LEET = {"a": "4@", "b": "8", "e": "3", "g": "69", "i": "1!", "l": "1|", "o": "0", "s": "5$",
        "t": "7+",
         "z": "2"}  # fmt: skip
_HOMOGLYPHS = {
    "a": "аα", "b": "Ьβ", "c": "сϲ", "d": "ԁ", "e": "еε", "g": "ɡ", "h": "һ", "i": "іι",
        "j": "ј", "k": "кκ",
    "l": "ӏ", "m": "м", "n": "пη", "o": "оο", "p": "рρ", "q": "ԛ", "r": "г", "s": "ѕ", "t": "тτ",
        "u": "υ",
    "v": "ѵν", "w": "ԝω", "x": "хχ", "y": "уγ", "z": "ʐ",
}  # fmt: skip
_TURNED = dict(zip("abcdefghijklmnopqrstuvwxyz", "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz", strict=True))
_MIRRORED = {"a": "ɒ", "b": "d", "c": "ɔ", "e": "ɘ", "f": "ꟻ", "g": "ǫ", "j": "ꞁ", "k": "ʞ",
        "n": "ᴎ", "p": "q",
             "r": "ɿ", "s": "ƨ", "r_": "я", "t": "ƚ"}  # fmt: skip
_MIRRORED = {"a": "ɒ", "c": "ɔ", "e": "ɘ", "k": "ʞ", "n": "и", "r": "я", "s": "ƨ"}
_CAPITALS = dict(zip("abcdefghijklmnopqrstuvwxyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ", strict=True))
_NEAR = {"a": "qs", "e": "wr", "i": "uo", "o": "ip", "n": "bm", "r": "et", "s": "ad", "t": "ry",
        "l": "k",
         "d": "sf", "c": "xv", "m": "n", "u": "yi", "g": "fh", "k": "jl", "v": "cb",
         "p": "o"}  # fmt: skip
_EMOJI = "🔥✨💎👟👜❤⭐💯🎁"
_PREFIXES = (
    "new",
    "best",
    "original",
    "my",
    "buy",
    "super",
    "mens",
    "luxury",
    "vintage",
    "hot",
    "real",
    "women",
)
_SUFFIXES = ("shoes", "bag", "official", "store", "2024", "sale", "outlet", "watch", "style",
        "women", "case",
             "shirt", "pro", "usa", "shop", "online", "jacket", "hat")  # fmt: skip


def latin() -> dict[str, Disguise]:
    """Disguises of words in letters."""
    return {
        "leet": _leet,
        "homoglyphs, one or two": lambda w, r: _some(w, r, _HOMOGLYPHS, 2),
        "homoglyphs, all": lambda w, r: _some(w, r, _HOMOGLYPHS, 99),
        "zero-width": lambda w, r: _between(w, r, "\u200b\u200c\u200d\u2060\ufeff\u00ad",
        every=False),
        "combining marks": lambda w,
        r: "".join(c + (r.choice("\u0301\u0336\u0323\u0308\u0332")) for c in w),
        "accents": _accents,
        "spaces": lambda w, r: _between(w, r, " ", every=True),
        "dots, dashes": lambda w, r: _between(w, r, r.choice("._-*·~|/"), every=True),
        "one sign inside": lambda w, r: _cut(w, r, r.choice("._-*·'")),
        "one space inside": lambda w, r: _cut(w, r, " "),
        "full-width": lambda w, r: _shift(w, 0xFF21, 0xFF41),
        "circled": lambda w, r: _shift(w, 0x24B6, 0x24D0),
        "squared": lambda w, r: _shift(w.upper(), r.choice((0x1F130, 0x1F170, 0x1F150)), 0),
        "mathematical": _mathematical,
        "small capitals": lambda w, r: _mapped(w, _CAPITALS),
        "flag letters": lambda w, r: _shift(w.upper(), 0x1F1E6, 0),
        "mirrored": lambda w, r: _some(w, r, _MIRRORED, 2),
        "upside down": lambda w, r: _mapped(w[::-1], _TURNED),
        "repeated letters": _repeated,
        "dropped letter": _dropped,
        "swapped letters": _swapped,
        "changed letter": _changed,
        "added letter": _added,
        "emoji between": lambda w, r: _between(w, r, _EMOJI, every=True),
        "prefix joined": lambda w, r: r.choice(_PREFIXES) + w.replace(" ",
        "").lower() if len(w) > 3 else None,
        "suffix joined": lambda w, r: w.replace(" ", "").lower() + r.choice(_SUFFIXES),
        "leet with signs": _leet_apart,
        "direction controls": lambda w,
        r: f"\u202e{w[:2]}\u202c{w[2:]}\u200f" if len(w) > 2 else f"\u2066{w}\u2069",
    }  # fmt: skip


def chinese() -> dict[str, Disguise]:
    """Disguises of words in Chinese characters."""
    return {
        "traditional": lambda w, r: _if_other(_traditional().convert(w), w),
        "sign inside": lambda w, r: _cut(w, r, r.choice("*·.-_/~、")),
        "signs between": lambda w, r: _between(w, r, r.choice("*·.-_|"), every=True),
        "spaces between": lambda w, r: _between(w, r, " ", every=True),
        "emoji between characters": lambda w, r: _between(w, r, _EMOJI, every=True),
        "zero-width inside": lambda w, r: _between(w, r, "\u200b\u200d\u2060", every=False),
        "pinyin": lambda w, r: _if_long("".join(lazy_pinyin(w)), 5),
        "pinyin, spaced": lambda w, r: _if_long(" ".join(lazy_pinyin(w)), 6),
        "one character in pinyin": _part_pinyin,
        "homophones, 3 or more characters": lambda w, r: _homophone(w, r) if len(w) > 2 else None,
    }


def two_homophones(word: str, chance: random.Random) -> str | None:
    """A homophone of a word of two characters; measured apart, since it needs aliases."""
    return _homophone(word, chance) if len(word) == 2 else None


def twisted(word: str) -> dict[str, list[str]]:
    """dnstwist's permutations of a word, by its fuzzers; those of names only, not of domains."""
    name = "".join(
        c for c in unicodedata.normalize("NFKD", word.lower()) if c.isascii() and c.isalnum()
    )
    fuzzer = dnstwist.Fuzzer(f"{name}.com")
    fuzzer.generate(fuzzers=[])
    kinds: dict[str, list[str]] = {}
    for row in fuzzer.domains:
        kind, domain = row["fuzzer"], row["domain"]
        label = domain.rsplit(".", 1)[0]
        if kind in ("*original", "subdomain", "tld-swap", "various", "dictionary"):
            continue
        try:
            label = label.encode("ascii").decode("idna") if label.startswith("xn--") else label
        except UnicodeError:
            continue
        kinds.setdefault(kind, []).append(label)
    return {kind: sorted(kinds[kind]) for kind in sorted(kinds)}  # fmt: skip


def _leet(word: str, chance: random.Random) -> str | None:
    places = [i for i, c in enumerate(word.lower()) if c in _LEET]
    if not places or len(word) < 3:
        return None
    chosen = chance.sample(places, chance.randint(1, min(3, len(places), max(1, len(word) // 2))))
    return "".join(
        chance.choice(_LEET[c.lower()]) if i in chosen else c for i, c in enumerate(word)
    )


def _leet_apart(word: str, chance: random.Random) -> str | None:
    written = _leet(word, chance)
    return (
        None if written is None else _between(written, chance, chance.choice("._- *"), every=True)
    )


def _some(word: str, chance: random.Random, table: dict[str, str], most: int) -> str | None:
    places = [i for i, c in enumerate(word.lower()) if c in table]
    if not places:
        return None
    chosen = set(chance.sample(places, min(most, len(places))))
    return "".join(
        chance.choice(table[c.lower()]) if i in chosen else c for i, c in enumerate(word)
    )


def _mapped(word: str, table: dict[str, str]) -> str:
    return "".join(table.get(c, c) for c in word.lower())


def _between(word: str, chance: random.Random, signs: str, *, every: bool) -> str | None:
    if len(word) < 2 or (not every and len(word) < 3 and signs[0].isprintable()):
        return None
    parts = [word[0]]
    for c in word[1:]:
        if every or chance.random() < 0.5:
            parts.append(chance.choice(signs))
        parts.append(c)
    return "".join(parts)


def _cut(word: str, chance: random.Random, sign: str) -> str | None:
    plain = word.replace(" ", "")
    if len(plain) < (4 if plain.isascii() else 2):
        return None
    at = chance.randint(1, len(plain) - 1)
    return plain[:at] + sign + plain[at:]


def _shift(word: str, capital: int, small: int) -> str:
    def one(c: str) -> str:
        if "A" <= c <= "Z":
            return chr(capital + ord(c) - 65)
        return chr(small + ord(c) - 97) if "a" <= c <= "z" and small else c

    return "".join(map(one, word))


def _mathematical(word: str, chance: random.Random) -> str:
    capital = chance.choice((0x1D400, 0x1D468, 0x1D4D0, 0x1D56C, 0x1D5D4, 0x1D63C, 0x1D670))
    return _shift(word, capital, capital + 26)


def _accents(word: str, chance: random.Random) -> str | None:
    accents = {"a": "áàâäãåā", "e": "éèêëē", "i": "íìîïī", "o": "óòôöõøō", "u": "úùûüū",
        "n": "ñń", "c": "çč",
               "s": "šş", "y": "ýÿ", "z": "žż", "l": "ł", "g": "ğ", "r": "ř"}  # fmt: skip
    return _some(word, chance, accents, 2)


def _letters(word: str, least: int) -> list[int]:
    """Places of letters that may be edited; none in words too short for it."""
    return [i for i, c in enumerate(word) if c.isalpha()] if len(word) >= least else []


def _repeated(word: str, chance: random.Random) -> str | None:
    places = _letters(word, 3)
    if not places:
        return None
    at = chance.choice(places)
    return word[:at] + word[at] * chance.randint(2, 4) + word[at + 1 :]


def _dropped(word: str, chance: random.Random) -> str | None:
    places = _letters(word, 5)
    at = chance.choice(places[1:]) if places else 0
    return word[:at] + word[at + 1 :] if at else None


def _swapped(word: str, chance: random.Random) -> str | None:
    places = [i for i in _letters(word, 4)[:-1] if word[i + 1].isalpha() and word[i] != word[i + 1]]
    if not places:
        return None
    at = chance.choice(places)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _changed(word: str, chance: random.Random) -> str | None:
    places = [i for i in _letters(word, 5) if word[i].lower() in _NEAR]
    if not places:
        return None
    at = chance.choice(places)
    return word[:at] + chance.choice(_NEAR[word[at].lower()]) + word[at + 1 :]


def _added(word: str, chance: random.Random) -> str | None:
    places = _letters(word, 5)
    if not places:
        return None
    at = chance.choice(places)
    return word[:at] + chance.choice("aeioustrnlh") + word[at:]


@cache
def _traditional() -> OpenCC:
    return OpenCC("s2t")


def _if_other(written: str, word: str) -> str | None:
    return None if written == word else written


def _if_long(written: str, least: int) -> str | None:
    return written if len(written) >= least else None


def _part_pinyin(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[:at] + lazy_pinyin(word[at])[0] + word[at + 1 :]


_BY_SOUND: dict[str, list[str]] = {}


def _homophone(word: str, chance: random.Random) -> str | None:
    if not _BY_SOUND:
        # The 3,755 usual characters: level one of GB 2312.
        for high in range(0xB0, 0xD8):
            for low in range(0xA1, 0xFF):
                try:
                    c = bytes((high, low)).decode("gb2312")
                except UnicodeDecodeError:
                    continue
                _BY_SOUND.setdefault(pinyin(c, style=Style.NORMAL)[0][0], []).append(c)
    sounds = lazy_pinyin(word)
    places = [i for i, s in enumerate(sounds) if len(_BY_SOUND.get(s, ())) > 1]
    if not places:
        return None
    chosen = chance.sample(places, chance.randint(1, min(2, len(places))))
    return "".join(
        chance.choice([o for o in _BY_SOUND[sounds[i]] if o != c]) if i in chosen else c
        for i, c in enumerate(word)
    )
