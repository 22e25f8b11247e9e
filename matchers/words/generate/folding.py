"""The fold table: what each character is read as, and what kind of disguise that undoes."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from pathlib import Path

from opencc import OpenCC

#: Code point → (what it is read as, kind). The kinds are those of `matchers.words.fold.KINDS`.
Fold = dict[int, tuple[str, str]]

_ASCII = re.compile(r"[a-z0-9]{1,3}")
#: Scripts whose combining marks are vowels: without them a word is another.
_VOWELS = re.compile(
    r"THAI|LAO|DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA"
    r"|MYANMAR|KHMER|TIBETAN|BALINESE|JAVANESE|KATAKANA|HIRAGANA"
)
_HIDDEN = {0x115F, 0x1160, 0x3164, 0xFFA0, 0x034F, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E}
_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
#: What eyes read and confusables.txt does not hold, or holds otherwise; checked before it.
_BY_HAND = dict(
    pair.split(":")
    for pair in [
        "а:a",
        "в:b",
        "е:e",
        "к:k",
        "м:m",
        "н:h",
        "о:o",
        "р:p",
        "с:c",
        "т:t",
        "у:y",
        "х:x",
        "ь:b",
        "ъ:b",
        "г:r",
        "п:n",
        "и:n",
        "й:n",
        "я:r",
        "ш:w",
        "щ:w",
        "ц:u",
        "з:3",
        "є:e",
        "э:e",
        "ѕ:s",
        "і:i",
        "ї:i",
        "ј:j",
        "һ:h",
        "ԁ:d",
        "ԍ:g",
        "ԛ:q",
        "ԝ:w",
        "ӏ:i",
        "ѵ:v",
        "ў:y",
        "ґ:r",
        "ё:e",
        "қ:k",
        "ң:h",
        "ғ:f",
        "ҳ:x",
        "ұ:y",
        "ү:y",
        "ө:o",
        "ә:e",
        "ҡ:k",
        "ҝ:k",
        "ҫ:c",
        "ҙ:3",
        "ҷ:4",
        "ч:4",
        "б:6",
        "ѡ:w",
        "ҽ:e",
        "ѐ:e",
        "ѓ:r",
        "ќ:k",
        "А:a",
        "В:b",
        "Е:e",
        "К:k",
        "М:m",
        "Н:h",
        "О:o",
        "Р:p",
        "С:c",
        "Т:t",
        "У:y",
        "Х:x",
        "Ь:b",
        "Ъ:b",
        "Г:r",
        "П:n",
        "И:n",
        "Й:n",
        "Я:r",
        "Ш:w",
        "Щ:w",
        "Ц:u",
        "З:3",
        "Є:e",
        "Э:e",
        "Ѕ:s",
        "І:i",
        "Ї:i",
        "Ј:j",
        "Һ:h",
        "Ԍ:g",
        "Ԛ:q",
        "Ԝ:w",
        "Ӏ:i",
        "Ѵ:v",
        "Ў:y",
        "Ґ:r",
        "Ё:e",
        "Қ:k",
        "Ң:h",
        "Ғ:f",
        "Ҳ:x",
        "Ұ:y",
        "Ү:y",
        "Ө:o",
        "Ә:e",
        "Ҡ:k",
        "Ҝ:k",
        "Ҫ:c",
        "Ҙ:3",
        "Ҷ:4",
        "Ч:4",
        "Б:6",
        "Ѡ:w",
        "α:a",
        "β:b",
        "γ:y",
        "δ:d",
        "ε:e",
        "ζ:z",
        "η:n",
        "ι:i",
        "κ:k",
        "ν:v",
        "ο:o",
        "ρ:p",
        "σ:o",
        "τ:t",
        "υ:u",
        "χ:x",
        "ω:w",
        "μ:u",
        "ϲ:c",
        "ϳ:j",
        "ά:a",
        "έ:e",
        "ή:n",
        "ί:i",
        "ό:o",
        "ύ:u",
        "ώ:w",
        "ϊ:i",
        "ϋ:u",
        "Α:a",
        "Β:b",
        "Γ:r",
        "Δ:a",
        "Ε:e",
        "Ζ:z",
        "Η:h",
        "Ι:i",
        "Κ:k",
        "Μ:m",
        "Ν:n",
        "Ο:o",
        "Ρ:p",
        "Σ:e",
        "Τ:t",
        "Υ:y",
        "Χ:x",
        "Ϲ:c",
        "Ϳ:j",
        "ϒ:y",
        "ѳ:o",
        "Ѳ:o",
        "θ:o",
        "Θ:o",
    ]
)
_EXACT = {
    "ß": "ss", "©": "", "®": "", "™": "",
    "℮": "e", "ʒ": "3", "ƻ": "2", "ƽ": "5", "ƅ": "b", "ƿ": "p", "ə": "e", "ɛ": "e", "ɑ": "a",
    "ɡ": "g", "ɩ": "i", "ı": "i", "ʟ": "l", "ꜱ": "s", "ꞯ": "q", "æ": "ae", "œ": "oe", "Æ": "ae",
    "Œ": "oe", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ł": "l", "Ł": "l", "þ": "p", "Þ": "p",
    "ð": "d", "Ð": "d", "ŋ": "n", "Ŋ": "n", "ħ": "h", "Ħ": "h", "ŧ": "t", "Ŧ": "t", "ĸ": "k",
    "ſ": "s", "ƛ": "a", "ꓘ": "k", "Ʞ": "k", "ʞ": "k", "ɐ": "a", "ǝ": "e", "Ǝ": "e", "ɔ": "c",
    "Ɔ": "c", "ɟ": "f", "ƃ": "g", "ɥ": "h", "Ɥ": "h", "ᴉ": "i", "ɾ": "j", "ꞁ": "l",
    "Ꞁ": "l", "ɯ": "m", "Ɯ": "m", "ɹ": "r", "ʇ": "t", "Ʇ": "t", "ʌ": "v", "Ʌ": "v", "ʍ": "w",
    "ʎ": "y", "⅄": "y", "ɒ": "a", "ɘ": "e", "ɿ": "r", "ƨ": "s", "Ƨ": "s", "ᗺ": "b", "⅃": "l",
    "ꓤ": "r", "ꓷ": "d", "ꓱ": "e", "ꓞ": "f", "ꓶ": "l", "ᴎ": "n", "ᴙ": "r", "ꟼ": "p", "ᗡ": "d",
    "∀": "a", "∃": "e", "ƒ": "f", "∩": "n", "∪": "u", "⊂": "c", "⊃": "c", "Ⅎ": "f", "⅁": "g",
    "⋊": "k", "˥": "l", "Ԁ": "d", "Ԓ": "n", "Ά": "a", "Έ": "e", "Ή": "h", "Ί": "i", "Ό": "o",
    "Ύ": "y", "Ώ": "o", "ς": "s",
}  # fmt: skip
_FLIPPED = set("ɐǝƎɔƆɟƃɥᴉɾꞁɯƜɹʇƱʌɅʍʎ⅄ɒɘɿƨƧᗺ⅃ꓤꓷꓱꓞꓶᴎᴙꟼᗡ∀∃Ⅎ⅁⋊˥ʞƸꓘɈЯИяи")


def table(confusables: Path) -> Fold:
    """Every character that is read as something else.

    Letters of other scripts are read as the Latin ones that they look like (UTS #39 and what it
    leaves out), in marks and texts alike; other characters are casefolded, taken apart (NFKD)
    and, for Chinese, simplified.
    """
    alike = _confusables(confusables)
    simplified = OpenCC("t2s")
    fold: Fold = {}
    for point in range(0x80, sys.maxunicode + 1):
        if 0xD800 <= point < 0xE000 or 0xE000 <= point < 0xF900 or point >= 0xF0000:
            continue
        found = _read(point, alike, simplified)
        if found is not None and found[0] != chr(point):
            fold[point] = found
    return fold


def write(fold: Fold, path: Path) -> None:
    """One character a line: code point, reading, kind."""
    lines = [f"{point:x}\t{reading}\t{kind}" for point, (reading, kind) in sorted(fold.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _read(point: int, alike: dict[str, str], simplified: OpenCC) -> tuple[str, str] | None:
    c = chr(point)
    name = unicodedata.name(c, "")
    category = unicodedata.category(c)
    if point in _BIDI:
        return "", "bidi"
    if 0xE0020 < point < 0xE007F:
        shown = chr(point - 0xE0000).casefold()
        return (shown, "tag") if shown.isalnum() else ("", "hidden")
    if category == "Cf" or point in _HIDDEN or "VARIATION SELECTOR" in name:
        return "", "hidden"
    if category in ("Mn", "Me"):
        return None if _VOWELS.search(name) else ("", "mark")
    if c == "ـ":
        return "", "hidden"
    if c in _EXACT:
        return _EXACT[c], "flipped" if c in _FLIPPED else _kind(name, "alike")
    if c in _BY_HAND and name.startswith(("CYRILLIC", "GREEK")):
        return _BY_HAND[c], "alike"
    if category in ("Cn", "Co", "Cc", "Zs", "Zl", "Zp"):
        return None
    return _by_name(name) or _taken_apart(c, name, alike, simplified)


def _taken_apart(
    c: str, name: str, alike: dict[str, str], simplified: OpenCC
) -> tuple[str, str] | None:
    parts = [
        d
        for d in unicodedata.normalize("NFKD", c)
        if unicodedata.category(d) not in ("Mn", "Me", "Cf")
        or _VOWELS.search(unicodedata.name(d, ""))
    ]
    if _is_hangul(name):
        return None
    if _VOWELS.search(name) and not name.startswith("HALFWIDTH"):
        return None
    plain = "".join(parts).casefold()
    if name.startswith("HALFWIDTH"):
        return unicodedata.normalize("NFKC", c), "wide"
    if _ASCII.fullmatch(plain):
        return plain, _kind(name, "accent")
    if "CJK" in name or "KANGXI" in name:
        kept = unicodedata.normalize("NFKC", c)
        if len(kept) == 1:
            new = simplified.convert(kept)
            return (new if len(new) == 1 else kept), "traditional" if new != kept else "form"
        return None
    if unicodedata.category(c)[0] not in "LN":
        return None
    if len(plain) == 1 and plain in _BY_HAND:
        return _BY_HAND[plain], "alike"
    if c in alike:
        return alike[c], "alike"
    if len(parts) == 1 and parts[0] in alike:
        return alike[parts[0]], "alike"
    if len(plain) == 1 and plain in alike:
        return alike[plain], "alike"
    plain = "".join(d for d in plain if not d.isspace())
    return (plain, "case" if plain == c.casefold() else "form") if plain else None


def _by_name(name: str) -> tuple[str, str] | None:
    """Letters whose names say what they are: REGIONAL INDICATOR SYMBOL LETTER A."""
    if name.startswith("REGIONAL INDICATOR SYMBOL LETTER "):
        return name[-1].casefold(), "flag"
    found = re.fullmatch(
        r"(?:CROSSED )?(?:NEGATIVE |DOUBLE |SANS-SERIF )*"
        r"(?:CIRCLED|SQUARED|PARENTHESIZED)(?: SANS-SERIF| ITALIC)*"
        r" LATIN (?:CAPITAL|SMALL) LETTER ([A-Z])",
        name,
    )
    if found:
        return found[1].casefold(), "circled"
    found = re.fullmatch(
        r"LATIN LETTER SMALL CAPITAL (?:REVERSED |TURNED |INVERTED )?([A-Z])", name
    )
    if found:
        return found[1].casefold(), "capital"
    found = re.fullmatch(
        r"(?:LATIN|MODIFIER|SUPERSCRIPT|SUBSCRIPT) (?:CAPITAL |SMALL |SUBSCRIPT |LETTER )+"
        r"(TURNED |REVERSED |INVERTED |SIDEWAYS )?(?:OPEN |SCRIPT |INSULAR |BLACKLETTER |DOTLESS |"
        r"VOLAPUK |BARRED |LONG )?([A-Z])(?: WITH .*| ROTUNDA)?",
        name,
    )
    if found and not _decomposes(name):
        return found[2].casefold(), "flipped" if found[1] else "accent"
    return None


def _decomposes(name: str) -> bool:
    c = unicodedata.lookup(name)
    return unicodedata.normalize("NFKD", c) != c


def _kind(name: str, other: str) -> str:
    for word, kind in (
        ("FULLWIDTH", "wide"), ("MATHEMATICAL", "math"), ("CIRCLED", "circled"),
        ("SQUARED", "circled"), ("PARENTHESIZED", "circled"), ("SMALL CAPITAL", "capital"),
        ("MODIFIER", "capital"), ("SUPERSCRIPT", "capital"), ("SUBSCRIPT", "capital"),
        ("DOUBLE-STRUCK", "math"), ("SCRIPT", "math"), ("BLACK-LETTER", "math"),
        ("ROMAN NUMERAL", "form"), ("LIGATURE", "form"),
    ):  # fmt: skip
        if word in name:
            return kind
    return other if name.startswith(("LATIN", "GREEK", "CYRILLIC")) else "form"


def _is_hangul(name: str) -> bool:
    return name.startswith("HANGUL")


def _confusables(path: Path) -> dict[str, str]:
    """Characters of other scripts that look like one to three ASCII letters or digits."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    alike: dict[str, str] = {}
    for c, others in raw.items():
        if len(c) != 1 or ord(c) < 0x80:
            continue
        name = unicodedata.name(c, "")
        if "CJK" in name or _is_hangul(name) or _VOWELS.search(name):
            continue
        for other in others:
            shown = other["c"].casefold()
            if _ASCII.fullmatch(shown):
                alike[c] = min(shown, alike.get(c, shown), key=lambda s: (len(s), s.isdigit(), s))
    return alike
