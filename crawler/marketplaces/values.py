"""Values out of data in which anything may stand: texts, sellers, attributes."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawler.marketplaces import structured
from crawler.marketplaces.embedded import dig
from crawler.marketplaces.facts import SellerRef
from crawler.marketplaces.pages import MAX_ID, clean

MAX_ATTRIBUTES = 200


def text(said: Any) -> str | None:
    """Clean text out of data, where anything may stand."""
    return clean(structured.text(said))


def named_seller(name: str | None) -> SellerRef | None:
    """A seller of whom only the name is known."""
    name = clean(name)
    return SellerRef(f"name:{name}"[:MAX_ID], name, None) if name else None


def seller(id_: Any, name: Any, url: str | None = None) -> SellerRef | None:
    """A seller by the marketplace's own id, by the name where there is none."""
    known = clean(str(id_)) if isinstance(id_, str | int) and not isinstance(id_, bool) else None
    called = (
        clean(str(name)) if isinstance(name, str | int) and not isinstance(name, bool) else None
    )
    if known is None:
        found = named_seller(called)
        return SellerRef(found.id, found.name, url) if found else None
    return SellerRef(known[:MAX_ID], called, url)


def query(url: str, name: str) -> str | None:
    """A parameter of an address."""
    try:
        return parse_qs(urlsplit(url).query).get(name, [None])[0]
    except ValueError:
        return None


def strings(value: Any) -> tuple[str, ...]:
    """The texts in a list out of data."""
    return tuple(one for one in structured.listed(value) if isinstance(one, str))


def pairs(value: Any, name: str, said: str) -> tuple[tuple[str, str], ...]:
    """Attributes out of data: a list of objects with a name and a value each."""
    found = []
    for one in structured.listed(value)[:MAX_ATTRIBUTES]:
        key, words = text(dig(one, name)), text(dig(one, said))
        if key and words:
            found.append((key[:100], words[:500]))
    return tuple(found[:60])
