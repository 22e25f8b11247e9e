"""How many pieces a price is for, as the title and the attributes say.

Sizes, models and years are numbers too: a number counts only beside a word that counts
("10 pcs", "lot of 10", "3er Set", "2双"). Where two places disagree the smaller is taken, as
a price that is divided by too much looks like a fake's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: More than this is a model number or a serial.
MOST = 5000
_N = r"(?P<n>[1-9]\d{0,3})"
_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10, "twelve": 12,
    "zwei": 2, "drei": 3, "deux": 2, "trois": 3, "dos": 2, "tres": 3, "due": 2, "tre": 3,
    "两": 2, "兩": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7,
    "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_SPELT = "|".join(sorted((w for w in _WORDS if w.isascii()), key=len, reverse=True))
_HAN = "".join(w for w in _WORDS if not w.isascii())
_ANY = rf"(?P<n>[1-9]\d{{0,3}}|{_SPELT})"
_COUNT = r"(?P<n>[1-9]\d{0,3}|[" + _HAN + r"])"
_PIECES = (
    r"pcs?\.?|pieces?|units?|pairs?|prs|st(?:ü|ue)ck|stk\.?|paare?|pi[eè]ces|paires|piezas|pares|"
    r"unidades|uds?\.?|unid\.?|pezzi|pz\.?|paia|pe[cç]as|stuks|stycken|styck|szt\.?|sztuk[ia]?|par[yi]?|"
    r"шт\.?|штук[аи]?|пар[ыа]?|adet|[cç]ift|ks|kusů|db|kpl|buah|pasang|c[aá]i|chi[eế]c|đôi|"
    r"חתיכות|קטעة|قطع|قطعة|حبة"
)
_BUNDLES = (
    r"lots?|packs?|packages?|sets?|bundles?|boxes|box|cases?|cartons?|bulk|job ?lot|packung|bündel|"
    r"lotes?|paquetes?|conjuntos?|kits?|caixas?|confezion[ei]|набор|комплект|упаковка|zestaw|paket|"
    r"pakket|balení|sada|csomag|seti?"
)
#: Before "xN" or after "Nx", these make it a model, a zoom or a connection.
_MODEL_WORDS = (
    "bmw fuji fujifilm iphone galaxy redmi poco oppo vivo honor motorola moto nokia thinkpad mate "
    "model series tesla infiniti mazda for für pour para per для scanner sony ricoh zoom mercedes "
    "lens hp dell latitude gtx rtx rx ryzen core intel type xiaomi realme generation"
)
_MODELS = frozenset(_MODEL_WORDS.split())
_NOT_TIMES = (
    r"zoom|optical|faster|magnif\w*|speed|power|lens|macro|tele\w*|strength|dvd\w*|cd\w*|"
    r"concentrat\w*|thinner|stronger|brighter|longer|more|better|usb|hdmi|sata|ram|rapid|super|the|gross\w*|vergr\w*|"
    r"long|extra|large|xl|wide|gb|tb|mm|cm|m|in|inch"
)
#: After a number: a size, a part number, a measure.
_NO_SIZE = rf"(?!\s?(?:{_NOT_TIMES})\b)(?!\s?[x×]\s?\d)(?![.,/:-]\d)"
#: After a number of pieces: one thing that has so many.
_NO_SET = (
    r"(?!(?:[\s-]\S+){0,4}[\s-]"
    r"(?:sets?|suits?|outfits?|garnitur|bedding|kits?|tools?|puzzle|luggage)\b)"
)
_DOZEN = r"dozens?|dutzend|douzaines?|docenas?|d[uú]zias?|dozzin[ae]|дюжин[аыу]?|tucet|düzine|tuzin"
_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        rf"\b(?:{_BUNDLES})\s?(?:of|à|a|de|da|di|von|van|mit|with|из|z|s)\s?{_ANY}\b{_NO_SIZE}",
        rf"\b(?:(?:multi)?pack|set|lot|paket|набор|комплект|zestaw|sada)\s?{_ANY}\b{_NO_SIZE}",
        rf"(?<![\w.,/×-]){_ANY}\s?-?(?:{_PIECES})(?!\w){_NO_SET}",
        rf"(?<![\w.,/×-]){_ANY}\s?-?\s?(?:packs?|pk|lots?|count|ct|bundle)(?!\w)",
        rf"(?<![\w.,]){_N}\s?-?er[\s-]?(?:set|pack|packung|paket|pak|karton|bundle|sparset)\b",
        rf"\b{_N}\s?-?(?:teilige[srn]?\s)?(?:er)\s?(?:set|pack)\b",
        rf"[(（]\s?[x×]\s?{_N}\s?[)）]",
        rf"(?<!\d)(?<!\d )×\s?{_N}(?![\d.,]|\s?(?:cm|mm|m|inch|in|\")\b)(?!\s?[x×])",
        rf"^\W{{0,3}}{_N}\s?[x×]\s(?!\d)(?!(?:{_NOT_TIMES})\b)",
        rf"{_COUNT}\s?(?:个|個|件|双|雙|只|隻|条|條|盒|瓶|支|对|對|块|枚|包|张|台|部|顶)\s?(?:装|裝|入|组|組|打包|包邮|一组|/组|$|(?=[\s,，。/)）]))",
        rf"{_N}\s?(?:個|枚|本|点|足|着|台|セット|組|袋|箱|缶)\s?(?:セット|組|入り?|まとめ|パック|$|(?=[\s、。/)）]))",
        rf"{_N}\s?(?:개|켤레|족|매|쌍|벌|장|병|팩|세트)\s?(?:세트|입|묶음|일괄|$|(?=[\s,/)]))",
        rf"{_N}\s?(?:ชิ้น|คู่|ใบ|แพ็ค|ตัว)",
    )
]
_TIMES = re.compile(rf"(?<![\w.,])(?<!\d )x\s?{_N}(?=\s*$|\s?(?:{_PIECES}|packs?)(?!\w)|\s?[)\],])")
_DOZENS = re.compile(
    rf"(?:(?P<n>\d{{1,3}})\s?|\b(?:a|per|one|half a|le|la|une?|pro|за)\s)?\b(?:{_DOZEN})\b"
)
_DA = re.compile(r"(?P<n>\d{1,3}|[一" + _HAN + r"])\s?打(?:装|裝|$|(?=[\s,，/包]))")
_SETS = re.compile(r"\d\s?(?:件套|pc\s?set|-?piece\s?(?:set|suit|luggage|bedding))")
_WHOLESALE = re.compile(
    r"\b(?:moq|min(?:imum|\.)? (?:order|qty|quantity)|mindestbestell\w*|quantité minimum|"
    r"pedido mínimo|мин(?:имальный|\.) заказ|wholesale|bulk price|großhandel|en gros|mayoreo|"
    r"al por mayor|atacado|ingrosso|hurt|оптом|опт|toptan|grosir|bán buôn|bán sỉ)\b|"
    r"批发|起批|起订|混批|卸売|도매|ขายส่ง|جملة",
)
_UNCOUNTED = re.compile(
    r"\b(?:job ?lot|joblot|bulk lot|wholesale lot|mixed lot|lot of (?:assorted|various|mixed|many)|"
    r"konvolut|sammlung|lote de varios|lote variado|lot divers|stock lot)\b|"
    r"打包出|一堆|まとめ売り|일괄판매"
)
#: Attributes that say how many there are in it; "quantity" alone is often the stock.
_ATTRIBUTES = re.compile(
    r"^(?:number of (?:items|pieces|units|pairs|packs)|pack(?:age)? (?:size|quantity)|"
    r"unit (?:count|quantity)|"
    r"units per pack\w*|items? (?:in|per) (?:pack\w*|lot)|lot size|pieces per \w+|"
    r"item package quantity|"
    r"anzahl (?:der )?(?:einheiten|stücke?|artikel)|stückzahl|packungsgröße|nombre de pièces|"
    r"quantité par lot|número de (?:piezas|unidades|artículos)|unidades por paquete|"
    r"numero di pezzi|"
    r"количество (?:в упаковке|штук)|包装数量|件数|装箱数|入数|セット数|수량\(개입\))$"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """How many pieces one price buys.

    Parameters
    ----------
    units
        Pieces; a pair of shoes or earrings is one.
    phrase
        The words that say so, lower-case; empty where nothing does.
    wholesale
        Whether it is offered to resellers; the price is by the piece then, at a discount.
    counted
        False where it is a lot of an unknown number.
    """

    units: int = 1
    phrase: str = ""
    wholesale: bool = False
    counted: bool = True


def quantity(title: str, attributes: Iterable[tuple[str, str]] = ()) -> Quantity:
    """Read how many pieces the price is for.

    Parameters
    ----------
    attributes
        Names and values, as the listing shows them.
    """
    text = unicodedata.normalize("NFKC", title[:2000]).casefold()
    found = sorted((*_in_title(text), *_in_attributes(attributes)))
    wholesale = _WHOLESALE.search(text) is not None
    if found:
        return Quantity(found[0][0], found[0][1], wholesale)
    uncounted = _UNCOUNTED.search(text)
    if uncounted:
        return Quantity(1, uncounted.group(), wholesale, counted=False)
    return Quantity(wholesale=wholesale)


def _in_title(text: str) -> Iterator[tuple[int, str]]:
    # Suits, bedding and the like are one thing of several pieces; a least order is no lot.
    text = _SETS.sub(" ", text)
    text = re.sub(
        r"\b(?:moq|min(?:imum|\.)? (?:order|qty|quantity))\W{0,3}\d*\s?(?:pcs|pairs)?", " ", text
    )
    for match in _DOZENS.finditer(text):
        half = "half a" in match.group()
        yield (6 if half else 12 * int(match["n"] or 1)), match.group().strip()
    for match in _DA.finditer(text):
        yield 12 * _number(match["n"]), match.group().strip()
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield from _accepted(_number(match["n"]), match.group())
    for match in _TIMES.finditer(text):
        before = text[: match.start()].split()
        if not (before and before[-1] in _MODELS):
            yield from _accepted(int(match["n"]), match.group())


def _accepted(number: int, phrase: str) -> Iterator[tuple[int, str]]:
    # 2026 pcs is a year gone astray; one piece says nothing.
    if 2 <= number <= MOST and not 1990 <= number <= 2035:
        yield number, phrase.strip()


def _in_attributes(attributes: Iterable[tuple[str, str]]) -> Iterator[tuple[int, str]]:
    for name, value in attributes:
        if _ATTRIBUTES.match(name.strip().casefold().rstrip(":")):
            number = re.match(r"\s*(\d{1,4})(?!\d|[.,]\d)", value)
            if number:
                yield from _accepted(int(number[1]), f"{name.strip()}: {value.strip()[:20]}")


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _WORDS.get(text, 1)
