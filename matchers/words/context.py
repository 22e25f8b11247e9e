"""What stands around a hit: is the word a mark here, and is it named for what something fits?

Short marks (3M, UGG, LV) and common words (Coach, Gap) are marks only where something speaks for
it: goods of the mark's Nice classes in the text or category, the first two words (where sellers
put the brand), capitals among small letters, a sign of a mark. On labelled titles "in the first
two words and no *for*, *fits*, *compatible* before" told brand from word with precision .94 and
recall .97 (research/words.md).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from matchers.words.fold import TABLES, fold, is_wordless, letters, plain
from matchers.words.vocabulary import short_list, vocabulary

#: Evidence at which a short or common word counts as the mark, and under which it is no hit.
MARK = 1.5
NOTHING = 0.0

_FITS = (
    r"(?:compatible|works?|working|use|used|suitable|designed|made|fit|fits|replacement|spare|parts?"
    r"|kompatibel|passend|geeignet|ersatz|compatibles?|compatibile|compatível|совместим\w*|подходит)"
)
_FOR = (
    rf"(?:(?<!\w)(?:for|4|fits?|fitting|suits|replaces|{_FITS}(?:\s+(?:with|for|to|mit|für|pour|avec"
    r"|con|para|per|com|с|для))?|für|fuer|fur|pour|para|per|voor|dla|för|til|till|pentru|för|untuk"
    r"|для|под|к|cho)\s*(?:the|your|all|use\s+with|most|alle|les|la|le|los|your)?"
    r"|适用于?|適用於?|兼容|适配|配|通用|代用|対応|เข้ากับ|สำหรับ|ل|ל)"
)
_BEFORE = re.compile(rf"{_FOR}[\s:：(\[-]*$", re.IGNORECASE)
#: Without one of these there is nothing to go back for.
_ANYWHERE_BEFORE = re.compile(_FOR, re.IGNORECASE)
_ANYWHERE_BEFORE_IN_SMALL = re.compile(_FOR)
_AFTER = re.compile(
    r"^(?:['’]?s)?(?:[®™\s\w]{0,12}?(?:[\s-]*compatible|[\s-]*kompatibel|용(?!\w)|\s?통용|\s?호환"
    r"|\s+için(?!\w)|\s+uyumlu|\s?兼容|\s?対応)"
    # Whose use it is for stands right before: 耐克 男士专用 is for men.
    r"|[®™\sa-z0-9]{0,12}?(?:手机|手機|平板|电脑|電腦|耳机|耳機|手表|相机|掃除機|吸尘器)?"
    r"\s?(?:专用|専用|用|適用|适用))",
    re.IGNORECASE,
)
#: After a brand: people, whom a thing is for and does not fit.
_PEOPLE = re.compile(
    r"^[®™]?\s+(?:fans?|lovers?|enthusiasts?|collectors?|addicts?)\b", re.IGNORECASE
)
#: Words that are marks, in the ordinary sense: what stands before them, and after.
_ORDINARY = {
    "polo": ("vw volkswagen water", "shirt shirts tshirt neck collar"),
    "gap": ("thigh age wage tooth generation", "year years filler"),
    "apple": (
        "red green adams custard candy toffee",
        "cider vinegar pie juice candle candles scented scent peeler corer slicer tree trees",
    ),
    "coach": (
        "football soccer baseball basketball softball hockey tennis swim swimming gymnastics cheer"
        " life fitness assistant head best",
        "bus trip tour tickets driver bolt bolts screw screws whistle",
    ),
}
_METRES = re.compile(r"\d+ ?m")
_LENGTHS = re.compile(
    r"(?<!\w)(?:cables?|cords?|hoses?|ropes?|wires?|leads?|chargers?|met(?:er|re)s?|long(?!-)|length"
    r"|kabel|schlauch|seil|câble|cordon|usb|hdmi|ethernet|aux|vga)(?!\w)",
    re.IGNORECASE,
)
_ALL_GOODS = re.compile(r"[,/&+、·|]|and|or|und|oder|et|ou|y|o|e|и|или|和|或", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ARTICLE = short_list("article")
#: Words that are marks so rarely beside what else they mean that the place alone says nothing.
_COLOURS = short_list("colour")
_SIGNS = re.compile(r"^\s?(?:®|™|\(r\)|\(tm\)|牌|官方|正品|旗舰)", re.IGNORECASE)
_BY = re.compile(
    r"(?:\b(?:by|brand|marke|marque|marca|бренд|authentic|genuine|original)\s*:?|品牌[:：]?|正品)\s*$",
    re.IGNORECASE,
)


@cache
def _products() -> tuple[dict[str, frozenset[int]], tuple[tuple[str, int], ...]]:
    """Folded words and their classes; then those of scripts without spaces."""
    words: dict[str, set[int]] = {}
    within: list[tuple[str, int]] = []
    for line in (TABLES / "products.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        number, names = line.split("\t")
        for name in names.split():
            if is_wordless(name[-1]):
                within.append((fold(name), int(number)))
            else:
                words.setdefault(letters(name), set()).add(int(number))
    return {word: frozenset(found) for word, found in words.items()}, tuple(within)


def is_product_word(word: str) -> bool:
    """Whether a folded word names goods of any class."""
    return word in _products()[0]


@lru_cache(maxsize=4096)
def classes_of(text: str) -> frozenset[int]:
    """The Nice classes of the goods that a text names."""
    words, within = _products()
    folded = fold(text)
    found: set[int] = set()
    for word in _WORD.findall(folded):
        found |= words.get(word, frozenset()) or words.get(word.removesuffix("s"), frozenset())
    if not text.isascii():
        found.update(number for name, number in within if name in folded)
    return frozenset(found)


def is_compatible(text: str, start: int, end: int) -> bool:
    """Whether it is named as what something fits: *case for iPhone*, *适用于苹果*.

    Other makers' names may stand between: *for Samsung, Apple and Huawei*.
    """
    if _AFTER.match(text[end : end + 24]):
        return True
    if _PEOPLE.match(text[end : end + 24]):
        return False
    before = text[max(0, start - 80) : start]
    if before.isascii():  # most are, and letters of one case are compared in half the time
        if not _ANYWHERE_BEFORE_IN_SMALL.search(before.lower()):
            return False
    elif not _ANYWHERE_BEFORE.search(before):
        return False
    for _ in range(6):
        if _BEFORE.search(before):
            return True
        shorter = _without_last_name(before)
        if shorter is None:
            return False
        before = shorter
    return False


def _without_last_name(before: str) -> str | None:
    """The text without its last token, if that is a maker's name or joins names."""
    kept = before.rstrip()
    if not kept:
        return None
    tokens = list(re.finditer(r"[^\W_]+|[^\w\s]", kept[-30:]))
    if not tokens:
        return None
    token = tokens[-1].group()
    if not (_ALL_GOODS.fullmatch(token) or vocabulary().is_name(fold(token))):
        return None
    return kept[: len(kept) - len(kept[-30:]) + tokens[-1].start()]


def evidence(
    text: str,
    start: int,
    end: int,
    *,
    word: str,
    nice: frozenset[int],
    product_words: frozenset[str],
    category: str | None,
    context: str,
) -> float:
    """How much speaks for a short or common word being the mark; see `MARK` and `NOTHING`.

    Parameters
    ----------
    word
        The term, plain.
    nice, product_words
        The term's own; folded words.
    """
    # A well-known maker's name is more than a word, also after an article: the Canon 5D.
    weight = 1.1 if vocabulary().is_name(fold(word)) else 0.5
    first, said = _place(text, start, end)
    if first and word not in _COLOURS:
        weight += 1.0
    weight += said + _goods(text, start, end, nice, product_words, category, context)
    if _is_ordinary(text, start, end, word):
        weight -= 2.0
    return weight


@lru_cache(maxsize=64)
def _place(text: str, start: int, end: int) -> tuple[bool, float]:
    """Whether it is one of the first two words, and what else its place says of any term there."""
    before, after = text[:start], text[end:]
    weight = _capitals(text, start, end)
    if _SIGNS.match(after) or _BY.search(before[-24:]):
        weight += 1.5
    last = _WORD.findall(before[-24:])[-1:]
    if last and plain(last[0]) in _ARTICLE and before.rstrip()[-1:].isalnum():
        weight -= 1.0
    return len(_WORD.findall(before[:200])) < 2, weight


def _is_ordinary(text: str, start: int, end: int, word: str) -> bool:
    """Whether the words beside it give it another sense: a football coach, 3m of cable."""
    before, after = text[max(0, start - 40) : start], text[end : end + 40]
    if _METRES.fullmatch(text[start:end]):
        if not after.strip(" .,;:)-"):
            before = text[:start]
        return bool(_LENGTHS.search(before) or _LENGTHS.search(after))
    senses = _ORDINARY.get(word)
    if senses is None:
        return False
    last, following = _WORD.findall(before)[-1:], _WORD.findall(after)[:1]
    return (bool(last) and last[0].lower() in senses[0].split()) or (
        bool(following) and following[0].lower() in senses[1].split()
    )


def _goods(
    text: str,
    start: int,
    end: int,
    nice: frozenset[int],
    product_words: frozenset[str],
    category: str | None,
    context: str,
) -> float:
    if not (product_words or nice):
        return 0.0
    around = f"{text[:start]} {text[end:]} {context}"[:2000]
    if product_words:
        folded = fold(f"{around} {category or ''}")
        if any(word in product_words for word in _WORD.findall(folded)):
            return 1.5
        if any(is_wordless(word[-1]) and word in folded for word in product_words):
            return 1.5
    if not nice:
        return 0.0
    if classes_of(around) & nice:
        return 1.0
    named = classes_of(category or "")
    if named & nice:
        return 1.0
    return -1.5 if named else -0.5


def _capitals(text: str, start: int, end: int) -> float:
    """Capitals mean something only where not every word has them."""
    written = text[start:end]
    others = f"{text[:start]} {text[end:]}"
    words = [word for word in _WORD.findall(others[:400]) if word[0].isalpha()]
    capital = sum(word[0].isupper() for word in words)
    if written[:1].isupper():
        return 0.75 if 2 * capital < len(words) and start > 0 else 0.0
    return -0.75 if words and 2 * capital > len(words) and written.islower() else 0.0
