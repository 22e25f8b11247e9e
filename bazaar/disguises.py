"""How sellers of fakes write a brand word so that a plain search misses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from bazaar.brands import Brand

_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "l": "1"}
_CYRILLIC = dict(zip("AaBCcEeHiKkMOoPpsTXxy", "АаВСсЕеНіКкМОоРрѕТХху", strict=True))
_ACCENTS = {"a": "áàâä", "e": "éèêë", "i": "íìï", "o": "óòôö", "s": "š", "r": "ř"}
_SEPARATORS = ".-_*·/ "
_HAN_SEPARATORS = "*/-·. ＊"


def _swapped(word: str, table: Mapping[str, str], most: int, random: Random) -> str:
    """Put another character for up to `most` of those that the table knows."""
    places = [i for i, letter in enumerate(word) if letter in table]
    chosen = set(random.sample(places, min(len(places), random.randint(1, most))))
    return "".join(
        random.choice(table[letter]) if i in chosen else letter for i, letter in enumerate(word)
    )


def _leet(brand: Brand, random: Random) -> str:
    # The first letter stays: people should still read the word.
    return brand.name[0] + _swapped(brand.name[1:], _LEET, 3, random)


def _homoglyph(brand: Brand, random: Random) -> str:
    return _swapped(brand.name, _CYRILLIC, 4, random)


def _separated(brand: Brand, random: Random) -> str:
    return random.choice(_SEPARATORS).join(random.choice((brand.name, brand.name.upper())))


def _broken(brand: Brand, random: Random) -> str:
    cut = random.randint(2, len(brand.name) - 2)
    return brand.name[:cut] + random.choice("-*._") + brand.name[cut:]


def _transposed(brand: Brand, random: Random) -> str:
    word = brand.name
    at = random.randint(1, len(word) - 3)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _doubled(brand: Brand, random: Random) -> str:
    at = random.randint(2, len(brand.name) - 1)
    return brand.name[:at] + brand.name[at] + brand.name[at:]


def _dropped(brand: Brand, random: Random) -> str:
    at = random.randint(2, len(brand.name) - 2)
    return brand.name[:at] + brand.name[at + 1 :]


def _accented(brand: Brand, random: Random) -> str:
    return brand.name[0] + _swapped(brand.name[1:], _ACCENTS, 3, random)


def _full_width(brand: Brand, random: Random) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in brand.name)


def _invisible(brand: Brand, random: Random) -> str:
    at = random.randint(2, len(brand.name) - 1)
    return brand.name[:at] + random.choice("\u200b\u200c\u2060") + brand.name[at:]


def _joined(brand: Brand, random: Random) -> str:
    return random.choice((f"{brand.name}style", f"my{brand.name}", f"{brand.name}shop"))


def _cyrillic_leet(brand: Brand, random: Random) -> str:
    return _swapped(
        brand.cyrillic, {"а": "a@", "е": "e3", "о": "o0", "с": "c", "р": "p"}, 3, random
    )


def _cyrillic_separated(brand: Brand, random: Random) -> str:
    return random.choice(".-* ").join(brand.cyrillic.casefold())


def _han_separated(brand: Brand, random: Random) -> str:
    return random.choice(_HAN_SEPARATORS).join(brand.chinese)


def _han_broken(brand: Brand, random: Random) -> str:
    at = random.randint(1, len(brand.chinese) - 1)
    return brand.chinese[:at] + random.choice("*＊/") + brand.chinese[at:]


def _han_traditional(brand: Brand, random: Random) -> str:
    return brand.traditional


def _han_homophone(brand: Brand, random: Random) -> str:
    return brand.homophone


def _pinyin(brand: Brand, random: Random) -> str:
    return brand.pinyin


_LATIN: Mapping[str, Callable[[Brand, Random], str]] = {
    "leet": _leet,
    "homoglyph": _homoglyph,
    "separated": _separated,
    "broken": _broken,
    "transposed": _transposed,
    "doubled letter": _doubled,
    "dropped letter": _dropped,
    "accented": _accented,
    "full width": _full_width,
    "invisible character": _invisible,
    "joined": _joined,
}
_BY_LANGUAGE: Mapping[str, Mapping[str, Callable[[Brand, Random], str]]] = {
    "en": _LATIN,
    "de": _LATIN,
    "ru": {
        "homoglyph": _homoglyph,
        "Cyrillic leet": _cyrillic_leet,
        "Cyrillic separated": _cyrillic_separated,
        "separated": _separated,
    },
    "zh": {
        "Chinese separated": _han_separated,
        "Chinese broken": _han_broken,
        "Chinese traditional": _han_traditional,
        "Chinese homophone": _han_homophone,
        "pinyin": _pinyin,
        "leet": _leet,
    },
}


def disguised(brand: Brand, language: str, random: Random) -> tuple[str, str]:
    """A disguised form of the brand word for texts in a language, and the name of the disguise."""
    ways = _BY_LANGUAGE[language]
    while True:
        name = random.choice(sorted(ways))
        word = ways[name](brand, random)
        # A disguise that swapped nothing would be the plain word.
        if word.casefold() not in (brand.name.casefold(), brand.cyrillic.casefold()):
            return word, name


def mistyped(brand: Brand, random: Random) -> str:
    """What an honest hand in a hurry makes of the name: a letter doubled or dropped."""
    return random.choice((_doubled, _dropped))(brand, random)
