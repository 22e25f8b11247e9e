"""The pictures of a listing: fetched only where they may be new, hashed beside the crawl."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from scrapy import Request
from scrapy.crawler import Crawler
from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.crawling.store import SeenPicture
from registry.blobs import Blobs
from registry.models import Snapshot, SnapshotPicture


class Faulty(Exception):
    """A picture that did not come, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What an address said of its content, to ask whether it has changed."""

    etag: str | None
    last_modified: str | None

    @classmethod
    def of(cls, headers: Any) -> Marks:
        """Those of an answer, as far as they are of use."""

        def said(name: str) -> str | None:
            text = (headers.get(name) or b"").decode("latin-1").strip()
            return text if text and len(text) <= 256 and text.isprintable() else None

        return cls(said("ETag"), said("Last-Modified"))

    def asking(self) -> dict[str, str]:
        """The headers that ask."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


def known_pictures(session: Session, listing_id: UUID) -> dict[str, SnapshotPicture]:
    """The pictures that a listing showed last, by address, as far as their bytes were had."""
    newest = (
        select(Snapshot.id)
        .where(Snapshot.listing_id == listing_id)
        .order_by(Snapshot.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.scalars(select(SnapshotPicture).where(SnapshotPicture.snapshot_id == newest))
    return {row.url: row for row in rows if row.sha256}


class Gallery:
    """Fetches pictures for one crawl."""

    def __init__(self, crawler: Crawler, blobs: Blobs) -> None:
        self._crawler = crawler
        self._blobs = blobs

    async def fetch(
        self, urls: Sequence[str], known: Mapping[str, SnapshotPicture]
    ) -> list[SeenPicture]:
        """Fetch pictures, hash them, keep them.

        Parameters
        ----------
        known
            Those of last time, by address: they are only asked whether they have changed.
        """
        return list(await asyncio.gather(*(self._fetch(url, known.get(url)) for url in urls)))

    async def _fetch(self, url: str, known: SnapshotPicture | None) -> SeenPicture:
        """A second try if it came broken or not at all."""
        fault = None
        for _ in range(2):
            try:
                return await self._fetch_once(url, known)
            except Faulty as error:
                fault = str(error)
            except Exception as error:  # any download may fail in any way; the listing stays
                fault = f"{type(error).__name__}: {error}"[:300]
        return SeenPicture(url, None, fault)

    async def _fetch_once(self, url: str, known: SnapshotPicture | None) -> SeenPicture:
        engine = self._crawler.engine
        assert engine is not None
        before = Marks(known.etag, known.last_modified) if known else Marks(None, None)
        response = await engine.download_async(Request(url, headers=before.asking()))
        if response.status == 304 and known is not None:
            return SeenPicture(url, known.sha256, None, before.etag, before.last_modified)
        if response.status != 200:
            raise Faulty(f"HTTP {response.status}")
        row = await asyncio.to_thread(self._keep, response.body)
        marks = Marks.of(response.headers)
        return SeenPicture(url, row["sha256"], None, marks.etag, marks.last_modified, row)

    def _keep(self, data: bytes) -> dict[str, Any]:
        from crawler.crawling import hashing  # see there why not before

        return hashing.keep(self._blobs, data)
