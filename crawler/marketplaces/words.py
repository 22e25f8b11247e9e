"""What the words of a page mean: its visible text, advertisements, stock, a title's trimmings."""

from __future__ import annotations

import re
from typing import Any

from crawler.marketplaces.pages import MAX_TEXT, clean

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
#: What is written beside something paid for; some write it backwards, or with blanks inside.
_SPONSORED = re.compile(
    r"\b(?:sponsored|promoted|anzeige|gesponsert|sponsoris[ée]e?|patrocinad[oa]|promocionado"
    r"|sponsorizzato|gesponsord|reklam|promovido)\b|広告|スポンサー|プロモーション|赞助|广告|реклама",
    re.IGNORECASE,
)  # fmt: skip
#: What says that there is none to be had.
_NONE_LEFT = re.compile(
    r"out\W?of\W?stock|sold\W?out|unavailable|not available|discontinued|no longer"
    r"|nicht (?:mehr )?(?:verfügbar|auf lager)|ausverkauft|nicht lieferbar|rupture"
    r"|épuisé|indisponible"
    r"|hors stock|agotado|no disponible|sin stock|esgotado|indisponível|esaurito|non disponibile"
    r"|uitverkocht|niet beschikbaar|brak|нет в наличии|распродано|stokta yok|tükendi|hết hàng|habis"
    r"|無貨|缺货|售罄|已售|下架|売り切れ|在庫切れ|品切れ|現在お取り扱い",
    re.IGNORECASE,
)
_CONDITIONS = {
    "new": re.compile(
        r"(?:brand )?new\b|neu\b|neuf|nuev[oa]\b|nuovo|novo\b|nieuw|全新|新品|новое|未使用"
    ),
    "used": re.compile(
        r"used\b|pre-?owned|gebraucht|sehr gut|d'occasion|occasion|usad[oa]\b|usato"
        r"|tweedehands|二手|中古"
    ),
    "refurbished": re.compile(
        r"(?:certified |seller )?refurbished|general(?:über)?holt|reconditionn"
    ),
}
#: ``$12.99 40% OFF|``, ``12,34€ 40% DE DESCUENTO|``.
_PRICE_BEFORE = re.compile(
    r"^\s*\S{0,6}\s?\d[\d.,\u00a0 ]{0,15}\s?\S{0,6}\s+-?\d{1,2}\s?%[^|]{0,30}\|\s*", re.IGNORECASE
)
_MARKETPLACES = ("AliExpress", "AliExpress Mobile", "eBay", "Etsy", "Walmart.com", "DHgate.com")
_CENTS = re.compile(r"\s*[.,]?\d\d\s*")
_SKIPPED = frozenset(("script", "style", "noscript", "template"))


def visible_text(element: Any, without: str = "") -> str | None:
    """The text of an element, without scripts, styles, and elements of a class.

    It is walked and not searched for: a page may be nested ten thousand deep.
    """
    pieces: list[str] = []
    length = 0
    waiting: list[Any] = [element.root]
    while waiting and length <= MAX_TEXT:
        node = waiting.pop()
        if isinstance(node, str):
            if not node.isspace():
                pieces.append(node)
                length += len(node)
            continue
        # The tag of a comment is a function.
        if not isinstance(node.tag, str) or node.tag in _SKIPPED:
            continue
        if without and without in node.get("class", "").split():
            continue
        if node.tag == "sup" and pieces and _CENTS.fullmatch(node.text or ""):
            # ``49<sup>90</sup>``: cents stand above the line, with or without a point.
            before, cents = pieces[-1].rstrip(), (node.text or "").strip(" .,")
            if before[-1:].isdigit() or (before[-1:] in (".", ",") and before[-2:-1].isdigit()):
                pieces[-1] = f"{before.rstrip('.,')}.{cents}"
                continue
        for child in reversed(node):
            waiting += [child.tail, child] if child.tail else [child]
        if node.text:
            waiting.append(node.text)
    return clean(_INVISIBLE.sub("", " ".join(pieces)))


def says_sponsored(words: str) -> bool:
    """Whether a text says that a place was paid for, also backwards or spread out."""
    plain = _INVISIBLE.sub("", words)
    if _SPONSORED.search(plain) or _SPONSORED.search(plain[::-1]):
        return True
    return bool(re.search(r"\bs\s?p\s?o\s?n\s?s\s?o\s?r\s?e\s?d\b", plain, re.IGNORECASE))


def without_shop(title: str | None, shop: str | None) -> str | None:
    """A preview's title without what shops put around it: the price, their own name."""
    title = _PRICE_BEFORE.sub("", title or "")
    for name in filter(None, (shop, *_MARKETPLACES)):
        title = re.sub(rf"\s*[-|–—·:•»]\s*{re.escape(name)}\s*$", "", title, flags=re.IGNORECASE)
    return clean(title)


def availability_of(words: str | None) -> str | None:
    """What a page's words on its stock mean; None where it has none."""
    if not words:
        return None
    return "OutOfStock" if _NONE_LEFT.search(words) else "InStock"


def condition_of(words: str) -> str | None:
    """``new``, ``used``, ``refurbished``, or what a page says, in small letters."""
    word = re.split(r"[/#]", words)[-1].removesuffix("Condition").casefold()[:64]
    for known, pattern in _CONDITIONS.items():
        if pattern.match(word):
            return known
    return word or None
