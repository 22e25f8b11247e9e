"""Relisting memory: earlier listings, under another seller or id, that show the same pictures.

Candidates come from the database by the pictures' hashes, exact ones by SHA-256 and near ones
by the 256-bit hash; how alike they are is for `matchers.relisting`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

import matchers
from insight.prints import picture_values
from insight.verdicts import newest_verdicts
from matchers import pictures, relisting
from matchers.pictures.hashes_index import HashIndex
from matchers.values import Relisting
from registry.models import Listing, Picture, Seller, Snapshot, SnapshotPicture

#: Listings compared at most, the newest first.
MAX_CANDIDATES = 40
#: Of the pictures known, the newest so many are looked through, and no more than `BATCH` older
#: ones: about 200 bytes each.
MAX_KNOWN = 500_000
#: Pictures like one that are followed to their listings at most.
MAX_ALIKE = 60
#: New pictures are read this many at a time; no more are compared one by one.
BATCH = 5_000
#: Bits of 256 up to which a picture is worth a second look.
NEAR_BITS = 40
_FLAT = "0" * 64


class KnownHashes:
    """The whole-picture hashes of every listing picture, in memory; grows with the database.

    The first so many are in an index; those that came since are compared one by one, until
    they are a batch and a new index is made of all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = HashIndex.build(np.zeros((0, 32), np.uint8))
        self._sha256s: list[str] = []
        self._hashes: NDArray[np.uint8] = np.zeros((0, 32), np.uint8)
        self._seen: set[str] = set()
        self._after: object | None = None

    def refresh(self, session: Session) -> None:
        """Take in the pictures that came since the last time."""
        with self._lock:
            while self._take(session):
                pass
            if len(self._hashes) - len(self._index) > BATCH:
                self._hashes = self._hashes[-MAX_KNOWN:]
                self._sha256s = self._sha256s[-MAX_KNOWN:]
                self._index = HashIndex.build(self._hashes)

    def _take(self, session: Session) -> bool:
        wanted = (
            select(Picture.sha256, Picture.created_at, Picture.fingerprint["hash"].as_string())
            .where(Picture.matcher == pictures.VERSION)
            .order_by(Picture.created_at, Picture.sha256)
            .limit(BATCH)
        )
        if self._after is not None:
            # Not "after": two may have come in the same moment, and one is seen twice then.
            wanted = wanted.where(Picture.created_at >= self._after)
        rows = session.execute(wanted).all()
        new = [
            (sha256, text)
            for sha256, _, text in rows
            if sha256 not in self._seen and text and text != _FLAT and len(text) == 64
        ]
        self._seen.update(sha256 for sha256, _ in new)
        if new:
            self._hashes = np.concatenate([self._hashes, _rows(text for _, text in new)])
            self._sha256s += [sha256 for sha256, _ in new]
        before, self._after = self._after, rows[-1][1] if rows else self._after
        return len(rows) == BATCH and self._after != before

    def alike(self, hashes: Iterable[str], bits: int) -> list[str]:
        """SHA-256 of the known pictures no further than so many bits from one of these.

        Raises
        ------
        ValueError
            If `bits` is above `matchers.pictures.hashes_index.MAX_RADIUS`.
        """
        mine = _rows(hashes)
        found: dict[str, int] = {}
        with self._lock:
            _, places, distances = self._index.search(mine, bits)
            near = list(zip(places.tolist(), distances.tolist(), strict=True))
            begin = len(self._index)
            rest = self._hashes[begin:].view(np.uint64)
            for one in mine.view(np.uint64):
                apart = np.bitwise_count(rest ^ one).sum(axis=1)
                near += [(begin + n, int(apart[n])) for n in np.flatnonzero(apart <= bits)]
            for place, distance in near:
                sha256 = self._sha256s[place]
                found[sha256] = min(distance, found.get(sha256, distance))
        return sorted(found, key=lambda sha256: (found[sha256], sha256))[:MAX_ALIKE]


def _rows(hashes: Iterable[str]) -> NDArray[np.uint8]:
    """Hashes of 64 hexadecimal digits as rows of 32 bytes."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, 32)


_known: dict[str, KnownHashes] = {}
_known_lock = threading.Lock()


def known_hashes(database_url: str) -> KnownHashes:
    """The one of this process for a database."""
    with _known_lock:
        return _known.setdefault(database_url, KnownHashes())


def find_relistings(
    session: Session,
    known: KnownHashes,
    snapshot: Snapshot,
    shown: Sequence[matchers.Picture],
    makers: Collection[str],
) -> tuple[Relisting, ...]:
    """The earlier listings that a snapshot's listing may be.

    Parameters
    ----------
    shown
        The fingerprints of its pictures.
    makers
        Hashes of the brand's own pictures, which everybody shows.
    """
    mine = tuple(p.hash for p in shown if p.hash and p.hash != _FLAT)
    makers = [text for text in makers if text and text != _FLAT]
    alike = pictures_alike(session, known, mine, makers, NEAR_BITS)
    if not alike:
        return ()
    candidates = _candidates(session, snapshot, alike)
    verdicts = newest_verdicts(session, [c.listing_id for c in candidates])
    traits = [_traits(c, verdicts.get(c.listing_id)) for c in candidates]
    return relisting.relistings(_traits(snapshot, None, mine), traits, makers)


def pictures_alike(
    session: Session, known: KnownHashes, hashes: Iterable[str], makers: Sequence[str], bits: int
) -> list[str]:
    """SHA-256 of the listings' pictures that look like these, but for the brand's own."""
    own = _not_of_makers([text for text in hashes if text and text != _FLAT], makers)
    if not own:
        return []
    known.refresh(session)
    # By hash the exact same picture is found too.
    return known.alike(own, bits)


def _not_of_makers(hashes: Sequence[str], makers: Collection[str]) -> list[str]:
    numbers = [int(text, 16) for text in makers]
    return [
        text
        for text in hashes
        if all((int(text, 16) ^ m).bit_count() > relisting.SAME_BITS for m in numbers)
    ]


def _candidates(session: Session, snapshot: Snapshot, alike: Sequence[str]) -> list[Snapshot]:
    """The newest snapshot of each earlier listing that shows one of these pictures."""
    if not alike:
        return []
    listing = snapshot.listing
    rows = session.execute(
        select(Snapshot.listing_id, Snapshot.id)
        .join(SnapshotPicture, SnapshotPicture.snapshot_id == Snapshot.id)
        .join(Listing, Snapshot.listing_id == Listing.id)
        .where(
            SnapshotPicture.sha256.in_(alike),
            Snapshot.listing_id != listing.id,
            Listing.first_seen_at < listing.first_seen_at,
        )
        .order_by(Snapshot.id)
    )
    last: dict[UUID, UUID] = {listing_id: snapshot_id for listing_id, snapshot_id in rows}  # noqa: C416
    chosen = sorted(last.values(), reverse=True)[:MAX_CANDIDATES]
    found = session.scalars(
        select(Snapshot)
        .where(Snapshot.id.in_(chosen))
        .options(
            selectinload(Snapshot.listing),
            selectinload(Snapshot.seller),
            selectinload(Snapshot.pictures).selectinload(SnapshotPicture.picture),
        )
        .order_by(Snapshot.id.desc())
    ).all()
    return [other for other in found if _may_be_one(snapshot, other)]


def _may_be_one(snapshot: Snapshot, other: Snapshot) -> bool:
    """Two that one seller offers side by side are two listings, not one come back."""
    if snapshot.seller_id is None or snapshot.seller_id != other.seller_id:
        return True
    return other.listing.last_seen_at < snapshot.listing.first_seen_at


def _traits(
    snapshot: Snapshot, verdict: str | None, hashes: tuple[str, ...] | None = None
) -> relisting.Traits:
    seller: Seller | None = snapshot.seller
    if hashes is None:
        shown = (p.picture for p in snapshot.pictures if p.picture is not None)
        hashes = tuple(
            values.hash
            for values in map(picture_values, shown)
            if values.hash and values.hash != _FLAT
        )
    return relisting.Traits(
        listing_id=str(snapshot.listing_id),
        title=snapshot.title,
        description=snapshot.description,
        price=snapshot.price,
        hashes=hashes,
        seller_name=seller.name if seller else None,
        seller_country=seller.country if seller else None,
        seller_joined_on=seller.joined_on if seller else None,
        verdict=verdict,
    )
