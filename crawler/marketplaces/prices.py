"""Prices as pages write them: read exactly, or not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from registry.currencies import CURRENCIES
from registry.money import MOST, PLACES, Money

#: Blanks that group digits: of French, Polish, Swedish and other shops.
_GAP = " \u00a0\u2009\u202f"
_NUMBER = re.compile(
    rf"(?<![0-9])[1-9][0-9]{{0,2}}(?:[{_GAP}][0-9]{{3}}(?![0-9]))+(?:[.,][0-9]+)*"
    r"|[0-9]+(?:[.,'’][0-9]+)*"
)
_AMOUNT = re.compile(
    rf"(?P<whole>[0-9]+|[1-9][0-9]{{0,2}}(?P<groups>(?P<mark>[.,'’{_GAP}])[0-9]{{3}}"
    r"(?:(?P=mark)[0-9]{3})*))"
    r"(?:(?P<point>[.,])(?P<part>[0-9]{1,2}))?"
)
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")
#: ``1.299``: 1299 where the point groups, and many a shop puts it into its data like that.
_UNCLEAR = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
#: What may not stand right before an amount, and right after it: it would be another amount.
_BEFORE = re.compile(r"(?:[^\W\d_]|[.,'’]|[-−‐‑–—+±~≈<>≤≥(/×]\s*|\b[A-Z]{1,3}\s)$")
_AFTER = re.compile(r"[^\W\d_]|[.,'’]|\s*[-−‐‑–—+±%/×]|\s*[A-Z]{2,3}\b")


def read_price(
    text: str, currencies: Mapping[str, str], decimal: Mapping[str, str]
) -> Money | None:
    """Read a price as a marketplace writes it; None unless it is certain.

    Where ``3.350`` may be 3350 or 3.35, the marketplace's own decimal sign tells. A text
    with two numbers, a minus, or a currency sign that the marketplace does not have
    (``CA$`` where there is only ``$``) is no price.
    """
    numbers = _NUMBER.findall(text)
    if len(numbers) != 1 or any(c.isnumeric() and not c.isascii() for c in text):
        return None
    number = re.escape(numbers[0])
    for sign in sorted(currencies, key=len, reverse=True):
        known = r"\s?".join(map(re.escape, sign.split()))
        shown = re.findall(known, text)
        if not shown:
            continue
        found = re.search(rf"{known}\s*{number}|{number}\s*{known}", text)
        signs = [c for c in text if unicodedata.category(c) == "Sc"]
        if found is None or len(shown) > 1 or signs != [c for c in sign if c in signs]:
            return None
        if _BEFORE.search(text[: found.start()]) or _AFTER.match(text, found.end()):
            return None
        before = text[: found.start()].rstrip()
        if " " in numbers[0] and before and not before.endswith(":"):
            return None  # "size 40 299 €" costs 299
        currency = currencies[sign]
        return money(_amount(numbers[0], decimal.get(currency, ".")), currency)
    return None


def data_amount(value: Any) -> Decimal | None:
    """An amount out of structured data: a plain decimal, or written so that it has one meaning."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    if _PLAIN.fullmatch(text) and not _UNCLEAR.fullmatch(text):
        return Decimal(text)
    return _amount(text, None)


def money(amount: Decimal | None, currency: Any) -> Money | None:
    """Money, None if it is none that anything costs."""
    if amount is None or amount > MOST or not isinstance(currency, str):
        return None
    code = currency.strip().upper()
    if code not in CURRENCIES or amount != round(amount, PLACES):
        return None
    return Money(amount, code)


def _amount(number: str, point: str | None) -> Decimal | None:
    """A number with separators; `point` is the decimal sign, None if nobody said."""
    match = _AMOUNT.fullmatch(number)
    if match is None or (match["mark"] and match["mark"] == match["point"]):
        return None
    # One separator before three digits: by itself it says nothing.
    alone = len(match["groups"] or "") == 4 and match["part"] is None and match["mark"] in ".,"
    if alone and point in (None, match["mark"]):
        return None
    whole = re.sub(rf"[.,'’{_GAP}]", "", match["whole"])
    return Decimal(f"{whole}.{match['part']}" if match["part"] else whole)
