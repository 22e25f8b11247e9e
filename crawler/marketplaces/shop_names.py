"""What a shop calls itself: by its data, its pages' titles, and at last its domain."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from crawler.marketplaces import structured
from crawler.marketplaces.embedded import assigned, dig
from crawler.marketplaces.reader import Reading
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import text

MAX_NAME = 60

_ORGANISATION = re.compile(
    r"(?:Online|Web)?(?:Organization|Store|Shop|WebSite|LocalBusiness|Corporation|OnlineBusiness)$"
)
#: Parts of a host that name no shop.
_PREFIXES = frozenset(("www", "m", "mobile", "shop", "store", "en", "de", "fr", "es", "it", "us"))
_SECOND_LEVEL = frozenset(("co", "com", "net", "org", "or", "ne", "ac", "gov", "edu"))
_BETWEEN = re.compile(r"\s+[|\-–—·•:»]\s+|\s*\|\s*")


def shop_name(page: Reading) -> str | None:
    """What the shop calls itself; some write a slogan there, so its domain is held beside."""
    names = [name for one in _said(page) if (name := text(one))]
    host = bare(urlsplit(page.address).hostname or "")
    for name in names:
        if len(bare(name)) > 2 and bare(name) in host:
            return name
    for name in names:
        if len(name) <= MAX_NAME:
            return name
    for title in page.css("title::text").getall()[:1]:
        parts = [part for one in _BETWEEN.split(title) if (part := text(one))]
        for part in (parts[-1:] + parts[:1]) if len(parts) > 1 else []:
            if len(bare(part)) > 2 and bare(part) in host:
                return part
    return domain_name(page.address)


def domain_name(address: str) -> str | None:
    """The name in a domain: ``blue`` of ``www.blue.co.uk``."""
    host = (urlsplit(address).hostname or "").lower()
    labels = [label for label in host.split(".") if label]
    if len(labels) < 2 or labels[-1].isdigit() or labels[-1] == "invalid":
        return None
    del labels[-1]
    if len(labels) > 1 and labels[-1] in _SECOND_LEVEL:
        del labels[-1]
    rest = [label for label in labels if label not in _PREFIXES]
    return rest[-1] if rest else None


def bare(name: str) -> str:
    """A name without case, blanks and signs."""
    return re.sub(r"[\W_]", "", name.casefold())


def _said(page: Reading) -> list[Any]:
    said: list[Any] = page.css(
        "meta[property='og:site_name']::attr(content), "
        "meta[name='application-name']::attr(content), "
        "meta[name='apple-mobile-web-app-title']::attr(content)"
    ).getall()[:4]
    data = structured.json_ld(page.html)
    nodes = [node for top in data for node in [top, *listed(dig(top, "@graph"))]]
    nodes += [dig(node, "publisher") for node in nodes]
    nodes += [dig(node, "isPartOf") for node in nodes]
    said += [
        node.get("name")
        for node in nodes
        if isinstance(node, dict)
        if any(_ORGANISATION.search(str(kind)) for kind in listed(node.get("@type")))
    ]
    said += [dig(state, "shop", "name") for state in assigned(page.html, "prestashop", most=1)]
    said += page.css(
        "[itemtype$='/Organization'] > [itemprop='name']::attr(content), "
        "[itemtype$='/Organization'] > [itemprop='name']::text"
    ).getall()[:2]
    return said
