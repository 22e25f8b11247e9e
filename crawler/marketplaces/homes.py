"""Prices as real shops show them, read by where the shop is at home.

`prices.read_price` reads a shop whose signs and separators are known to the letter. Here is
what the open web needs: any currency's sign, ``$`` by country, three decimals for dinars, and
``3.350`` as 3350, since nobody asks for thousandths of a euro.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from urllib.parse import urlsplit

from crawler.marketplaces.prices import money as checked
from registry.currencies import CURRENCIES
from registry.money import Money

#: Longer texts are no price, and a page decides how long they are.
MAX_TEXT = 500

#: Signs that mean one currency wherever they stand.
_SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "руб": "RUB", "₩": "KRW", "₫": "VND",
    "₱": "PHP", "฿": "THB", "₺": "TRY", "TL": "TRY", "₪": "ILS", "₴": "UAH", "грн": "UAH",
    "₦": "NGN", "₸": "KZT", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "lei": "RON", "лв": "BGN",
    "US$": "USD", "US $": "USD", "U$S": "USD", "R$": "BRL", "S$": "SGD", "SG$": "SGD", "A$": "AUD",
    "AU$": "AUD", "AU $": "AUD", "C$": "CAD", "C $": "CAD", "CA$": "CAD", "CDN$": "CAD",
    "NZ$": "NZD", "HK$": "HKD", "HK $": "HKD", "NT$": "TWD", "MX$": "MXN", "RM": "MYR",
    "Rp": "IDR", "S/": "PEN", "DT": "TND", "د.ت": "TND", "د.م.": "MAD", "د.إ": "AED",
    "ر.س": "SAR", "SR": "SAR", "৳": "BDT", "CN¥": "CNY", "JP¥": "JPY", "RMB": "CNY", "円": "JPY",
    "Fr.": "CHF", "SFr.": "CHF", "Dhs": "AED", "Lek": "ALL",
}  # fmt: skip
#: Signs that several countries use, and what is meant where nothing tells (None: nothing is).
_SHARED: dict[str, tuple[str | None, frozenset[str]]] = {
    "$": (
        "USD",
        frozenset(
            [
                "USD",
                "CAD",
                "AUD",
                "NZD",
                "MXN",
                "ARS",
                "CLP",
                "COP",
                "UYU",
                "SGD",
                "HKD",
                "TWD",
                "BRL",
                "DOP",
                "BBD",
                "JMD",
                "TTD",
            ]
        ),
    ),
    "¥": ("CNY", frozenset(("CNY", "JPY"))),
    "￥": ("CNY", frozenset(("CNY", "JPY"))),
    "元": ("CNY", frozenset(("CNY", "TWD", "HKD"))),
    "kr": (None, frozenset(("SEK", "NOK", "DKK", "ISK"))),
    "Rs": ("INR", frozenset(("INR", "PKR", "LKR", "NPR", "MUR"))),
    "Rs.": ("INR", frozenset(("INR", "PKR", "LKR", "NPR", "MUR"))),
    "DH": ("MAD", frozenset(("MAD", "AED"))),
    "DA": ("DZD", frozenset(("DZD",))),
}
#: By the end of the host's name.
_BY_DOMAIN = {
    "co.uk": "GBP", "uk": "GBP", "com.au": "AUD", "au": "AUD", "ca": "CAD", "co.nz": "NZD",
    "nz": "NZD", "com.mx": "MXN", "mx": "MXN", "com.br": "BRL", "br": "BRL", "com.ar": "ARS",
    "ar": "ARS", "cl": "CLP", "com.co": "COP", "co": "COP", "com.pe": "PEN", "pe": "PEN",
    "com.uy": "UYU", "uy": "UYU", "com.ve": "VES", "co.jp": "JPY", "jp": "JPY", "cn": "CNY",
    "com.cn": "CNY", "com.tw": "TWD", "tw": "TWD", "com.hk": "HKD", "hk": "HKD", "com.sg": "SGD",
    "sg": "SGD", "com.my": "MYR", "my": "MYR", "co.th": "THB", "th": "THB", "co.id": "IDR",
    "id": "IDR", "vn": "VND", "com.ph": "PHP", "ph": "PHP", "in": "INR", "com.pk": "PKR",
    "pk": "PKR", "lk": "LKR", "com.bd": "BDT", "com.tr": "TRY", "tr": "TRY", "ae": "AED",
    "sa": "SAR", "eg": "EGP", "tn": "TND", "ma": "MAD", "dz": "DZD", "co.za": "ZAR", "za": "ZAR",
    "co.kr": "KRW", "kr": "KRW", "ru": "RUB", "com.ua": "UAH", "ua": "UAH", "pl": "PLN",
    "cz": "CZK", "hu": "HUF", "ro": "RON", "bg": "EUR", "se": "SEK", "no": "NOK", "dk": "DKK",
    "ch": "CHF", "co.il": "ILS", "us": "USD",
    **dict.fromkeys(
        ("de", "fr", "it", "es", "nl", "be", "at", "fi", "ie", "pt", "gr", "lu", "sk", "si", "ee",
         "lv", "lt", "mt", "cy", "hr", "com.be", "eu"), "EUR",
    ),
}  # fmt: skip
_THREE_DECIMALS = frozenset(("TND", "KWD", "BHD", "OMR", "JOD", "IQD", "LYD"))

_NUMBER = re.compile(
    # groups apart by a blank or an apostrophe, or by points and commas
    r"\d{1,3}(?:[ \u00a0\u2009\u202f'’]\d{3}(?!\d))+(?:[.,]\d{1,3}(?!\d))?"
    r"|\d+(?:[.,]\d+)*"
)
_WORDS = sorted({*_SIGNS, *_SHARED}, key=len, reverse=True)
#: A sign that is a word stands alone: the ``RM`` of ``FIRM`` is none.
_SIGN = re.compile(
    "|".join(
        (r"(?<![^\W\d_])" if word[0].isalpha() else "")
        + re.escape(word).replace(r"\ ", r"\s?")
        + (r"(?![^\W\d_])" if word[-1].isalpha() else "")
        for word in _WORDS
    )
)
_CODE = re.compile(r"(?<![^\W\d_])[A-Z]{3}(?![^\W\d_])")
#: What joins a sign or a code to a number.
_JOIN = re.compile(r"[\s\u00a0:*]{0,3}")
_SPLIT = re.compile(r"(?<=\d)[ \u00a0]+(?=[.,]\d{2}(?!\d))")
_RANGE = re.compile(r"\s*(?:[-–—−~至]|to|bis|à|a)\s*", re.IGNORECASE)
_DIGITS = str.maketrans(
    "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９٫٬．，", "012345678901234567890123456789.,.,"
)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a shop is at home: the currency meant by a sign that several countries share."""

    currency: str | None = None


def home_of(url: str, language: str | None = None, currency: str | None = None) -> Home:
    """The home of a page, by what is most particular: its host, its language's country.

    Parameters
    ----------
    language
        The page's ``lang``, such as ``en-AU``.
    currency
        What is meant where nothing else tells.
    """
    try:
        host = (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        host = ""
    labels = host.split(".")
    for ending in (".".join(labels[-2:]), labels[-1]):
        if ending in _BY_DOMAIN:
            return Home(_BY_DOMAIN[ending])
    if currency is None and language:
        country = re.split(r"[-_]", language)[-1].lower()
        currency = (
            "JPY" if language == "ja" else _BY_DOMAIN.get(country) if "-" in language else None
        )
    return Home(currency)


def read_shown(text: str | None, home: Home, currency: str | None = None) -> Money | None:
    """The price that a text shows; of several the first that stands by a currency's sign.

    Parameters
    ----------
    currency
        That of a number without a sign; without it such a number is no price.
    """
    if not text or len(text) > MAX_TEXT:
        return None
    # ``49 .90``: an element begins with the point.
    text = _SPLIT.sub("", text.translate(_DIGITS))
    numbers = [n for n in _NUMBER.finditer(text) if not re.match(r"\s*%", text[n.end() :])]
    for place, number in enumerate(numbers):
        found = _currency_by(text, number.start(), number.end(), home)
        if found is None and place + 1 < len(numbers):
            # ``97,39 - 128,72 €``: the sign stands by the end of the range.
            after = numbers[place + 1]
            if _RANGE.fullmatch(text[number.end() : after.start()]):
                found = _currency_by(text, after.start(), after.end(), home)
        if found is not None:
            return checked(amount_of(number.group(), found), found)
    if currency is not None and numbers:
        code = currency.strip().upper()
        return checked(amount_of(numbers[0].group(), code), code)
    return None


def read_high(text: str | None, low: Money) -> Money | None:
    """The end of the range that a text shows from a price on; None if it shows none."""
    if not text or len(text) > MAX_TEXT:
        return None
    text = _SPLIT.sub("", text.translate(_DIGITS))
    numbers = list(_NUMBER.finditer(text))
    for number, after in pairwise(numbers):
        between = _SIGN.sub("", _CODE.sub("", text[number.end() : after.start()]))
        if amount_of(number.group(), low.currency) == low.amount and _RANGE.fullmatch(between):
            high = checked(amount_of(after.group(), low.currency), low.currency)
            return high if high is not None and high.amount > low.amount else None
    return None


def amount_of(number: str, currency: str) -> Decimal | None:
    """A number with separators as an amount of a currency; None if it can be none."""
    bare = re.sub(r"[ \u00a0\u2009\u202f'’]", "", number)
    marks = re.findall(r"[.,]", bare)
    if not marks:
        return Decimal(bare) if len(bare) <= 15 else None
    whole, last = re.split(r"[.,](?=[^.,]*$)", bare)
    grouped = len(last) == 3 and currency not in _THREE_DECIMALS and whole.strip("0") != ""
    if marks.count(marks[-1]) > 1:
        grouped = True
    elif len(set(marks)) == 2 or (
        len(marks) == 1 and re.search(r"[ \u00a0\u2009\u202f'’]", number)
    ):
        grouped = False
    if len(bare) > 20 or (not grouped and len(last) > 4):
        return None
    digits = re.sub(r"[.,]", "", whole)
    return Decimal(f"{digits}{last}" if grouped else f"{digits}.{last}")


def currency_of(sign: str, home: Home) -> str | None:
    """The currency that a sign or a code means here."""
    sign = sign.strip()
    if sign.upper() in CURRENCIES:
        return sign.upper()
    sign = re.sub(r"\s+", " ", sign)
    for known in (sign, sign.replace(" ", "")):
        if known in _SIGNS:
            return _SIGNS[known]
        if known in _SHARED:
            usual, users = _SHARED[known]
            return home.currency if home.currency in users else usual
    return None


def _currency_by(text: str, start: int, end: int, home: Home) -> str | None:
    """The currency whose sign or code stands right before or right after a number."""
    before, after = text[max(0, start - 12) : start], text[end : end + 12]
    # A code says more than a sign: ``$20.00 CAD``, ``COP $ 45.000``.
    codes = [c for c in _CODE.finditer(before) if _joins(before[c.end() :], sign=True)]
    codes += [c for c in _CODE.finditer(after) if _joins(after[: c.start()])]
    for code in codes:
        if code.group() in CURRENCIES:
            return code.group()
    for sign in reversed(list(_SIGN.finditer(before))):
        if _joins(before[sign.end() :]):
            return currency_of(sign.group(), home)
    for sign in _SIGN.finditer(after):
        if _joins(after[: sign.start()]):
            return currency_of(sign.group(), home)
    return None


def _joins(between: str, *, sign: bool = False) -> bool:
    if sign:
        between = _SIGN.sub("", between)
    return _JOIN.fullmatch(between) is not None
