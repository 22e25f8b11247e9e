"""The languages in which a marketplace is searched: its country's first, then English."""

from __future__ import annotations

from urllib.parse import urlsplit

#: Kinds that are at home in one place wherever their host ends; all others go by their host.
_BY_KIND = {
    "alibaba1688": ("zh",),
    "taobao": ("zh",),
    "tmall": ("zh",),
    "mercari": ("ja",),
    "kleinanzeigen": ("de",),
    "mercadolibre": ("es",),
}
_BY_DOMAIN = {
    "cn": "zh", "com.cn": "zh", "tw": "zh", "com.tw": "zh", "hk": "zh", "com.hk": "zh",
    "de": "de", "at": "de", "ch": "de", "fr": "fr", "be": "fr", "es": "es", "mx": "es",
    "com.mx": "es", "ar": "es", "com.ar": "es", "cl": "es", "co": "es", "com.co": "es", "pe": "es",
    "com.pe": "es", "com.uy": "es", "pt": "pt", "br": "pt", "com.br": "pt", "it": "it", "nl": "nl",
    "pl": "pl", "ru": "ru", "by": "ru", "kz": "ru", "jp": "ja", "co.jp": "ja", "kr": "ko",
    "co.kr": "ko", "tr": "tr", "com.tr": "tr", "th": "th", "co.th": "th", "vn": "vi", "id": "id",
    "co.id": "id", "ae": "ar", "sa": "ar", "eg": "ar",
}  # fmt: skip
KNOWN = ("en", *dict.fromkeys(_BY_DOMAIN.values()))

_SCRIPTS = {
    "zh": ((0x3400, 0x9FFF),),
    "ja": ((0x3040, 0x30FF), (0x3400, 0x9FFF)),
    "ko": ((0xAC00, 0xD7AF),),
    "ru": ((0x400, 0x4FF),),
    "th": ((0xE00, 0xE7F),),
    "ar": ((0x600, 0x6FF),),
}


def languages_of(kind: str, url: str) -> tuple[str, ...]:
    """Languages of a marketplace, the most used first; English is understood nearly anywhere."""
    own = _BY_KIND.get(kind)
    # The library of one country is under another domain in Brazil.
    labels = (urlsplit(url).hostname or "").split(".")
    by_host = _BY_DOMAIN.get(".".join(labels[-2:])) or _BY_DOMAIN.get(labels[-1])
    if kind == "mercadolibre" and by_host:
        own = (by_host,)
    first = own or ((by_host,) if by_host else ())
    return first if first == ("zh",) and own else tuple(dict.fromkeys((*first, "en")))


def speaks(text: str, languages: tuple[str, ...]) -> bool:
    """Whether a text is in a script that one of these languages is written in."""
    letters = [ord(c) for c in text if c.isalpha()]
    foreign = [c for c in letters if c > 0x24F]
    if not foreign:
        return True
    spans = [span for language in languages for span in _SCRIPTS.get(language, ())]
    return all(any(first <= c <= last for first, last in spans) for c in foreign)
