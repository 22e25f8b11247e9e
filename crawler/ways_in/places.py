"""Whose address an address is: a marketplace under watch, else a kind that knows its host."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from w3lib.url import canonicalize_url, url_query_cleaner

from crawler.marketplaces import KINDS, Definition
from registry.models import Marketplace

#: What links are tagged with on their way; the page is the same without.
_TAGS = (
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id", "fbclid",
    "gclid", "dclid", "msclkid", "igshid", "yclid", "mc_cid", "mc_eid", "_ga", "spm", "scm",
    "share_token", "ref_src",
)  # fmt: skip
_FRONT = re.compile(r"^(?:www|m|mobile)\.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address leads.

    Parameters
    ----------
    marketplace_id
        The marketplace under watch; None if there is none for it.
    kind
        The definition that knows its pages, if one does.
    external_id
        The page's own id of the listing; None if the address is not seen to be a listing's.
    page
        ``listing``, or ``list`` where it may lead to listings, such as a shop.
    key
        The same for every way to write the address of one page.
    """

    marketplace_id: UUID | None
    kind: str | None
    external_id: str | None
    page: Literal["listing", "list"]
    key: str


class Places:
    """The marketplaces under watch, by host."""

    def __init__(self, marketplaces: Iterable[tuple[UUID, str, str]]) -> None:
        self._by_host: dict[str, tuple[UUID, Definition]] = {}
        self._by_kind: dict[str, list[tuple[UUID, str]]] = defaultdict(list)
        for marketplace_id, kind, url in marketplaces:
            definition = KINDS.get(kind)
            if definition is None:
                continue
            self._by_host.setdefault(urlsplit(url).netloc.lower(), (marketplace_id, definition))
            if definition.hosts is not None:
                self._by_kind[kind].append((marketplace_id, url))

    @classmethod
    def watched(cls, session: Session) -> Places:
        """Those of a database."""
        rows = session.execute(
            select(Marketplace.id, Marketplace.kind, Marketplace.url).order_by(Marketplace.id)
        )
        return cls((row[0], row[1], row[2]) for row in rows)

    def of(self, url: str) -> Place:
        """Where an address that the gate takes leads."""
        parts = urlsplit(url)
        netloc, host = parts.netloc.lower(), parts.hostname or ""
        watched = self._by_host.get(netloc)
        if watched is not None:
            return _place(url, host, watched[0], watched[1])
        definition = _by_host(host)
        if definition is None:
            return _place(url, host, None, None)
        for marketplace_id, base in self._by_kind[definition.kind]:
            # Shops of other countries are other marketplaces, and have other listings.
            if _site(host) == _site(urlsplit(base).hostname or ""):
                return _place(url, host, marketplace_id, definition)
        return _place(url, host, None, definition)


def canonical(url: str) -> str:
    """An address without fragment, campaign tags and the order of its query."""
    return str(canonicalize_url(url_query_cleaner(url, _TAGS, remove=True, unique=False)))


@lru_cache(maxsize=10_000)
def _by_host(host: str) -> Definition | None:
    found = (d for d in KINDS.values() if d.hosts is not None and d.hosts.fullmatch(host))
    return next((d for d in found if (d.kind == "tmall") == ("tmall" in host)), None)


def _site(host: str) -> str:
    """``amazon.co.uk`` of ``smile.amazon.co.uk``: what is left without the front label."""
    labels = host.split(".")
    keep = 3 if len(labels) > 2 and len(labels[-2]) <= 3 and len(labels[-1]) == 2 else 2
    return ".".join(labels[-keep:])


def _place(url: str, host: str, marketplace_id: UUID | None, known: Definition | None) -> Place:
    external_id = known.external_id(url) if known is not None else None
    if external_id is not None:
        says = f"{_FRONT.sub('', host)} {urlsplit(url).port or ''} {external_id}"
    else:
        says = canonical(url)
    return Place(
        marketplace_id,
        known.kind if known is not None else None,
        external_id,
        "listing" if external_id is not None else "list",
        hashlib.sha256(says.encode()).hexdigest(),
    )
