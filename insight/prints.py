"""Fingerprints of stored pictures, made again where another version of the matcher made them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

import matchers
from matchers import pictures
from matchers.pictures.decode import MAX_BYTES
from registry.blobs import Blobs
from registry.brandfile import Fingerprinted
from registry.database import Database
from registry.models import Picture

#: Rows asked for at a time: SQLite takes no more than some thousands of values.
BATCH = 500


def outdated(session: Session, sha256s: Collection[str]) -> list[str]:
    """Which of these registered pictures have no traits of the matcher that runs."""
    found: list[str] = []
    wanted = sorted(sha256s)
    for start in range(0, len(wanted), BATCH):
        found += session.scalars(
            select(Picture.sha256).where(
                Picture.sha256.in_(wanted[start : start + BATCH]),
                or_(
                    Picture.matcher.is_(None),
                    Picture.matcher != pictures.VERSION,
                    Picture.traits.is_(None),
                ),
            )
        )
    return sorted(found)


def bring_up_to_date(database: Database, blobs: Blobs, sha256: str, *, traits: bool) -> str | None:
    """Work out a stored picture's fingerprint, and its traits if asked, from its bytes.

    Returns
    -------
    str or None
        Why it could not be done, None if it was.
    """
    with database.reading() as session:
        key = session.get_one(Picture, sha256).blob
    try:
        data = read_blob(blobs, key)
        found = fingerprint(data)
        made = pictures.traits(pictures.decode(data)).to_bytes() if traits else None
    except (matchers.PictureError, OSError) as error:
        return str(error) or type(error).__name__
    with database.writing() as session:
        row = session.get_one(Picture, sha256)
        row.fingerprint, row.matcher = found, pictures.VERSION
        # Of another version they would be no use to the index.
        row.traits = made
    return None


def fingerprint(data: bytes) -> dict[str, Any]:
    """A picture's fingerprint as it is stored.

    Raises
    ------
    PictureError
        If it is no picture that may be decoded.
    """
    values: dict[str, Any] = matchers.to_json(pictures.fingerprint(data))
    del values["sha256"]
    return values


def fingerprinted(data: bytes) -> Fingerprinted:
    """A picture that is to be registered: fingerprint, and traits for the index.

    Raises
    ------
    PictureError
        If it is no picture that may be decoded.
    """
    media = pictures.media_type(data)
    return Fingerprinted(
        data=data,
        media_type=media,
        suffix="." + media.removeprefix("image/"),
        sha256=hashlib.sha256(data).hexdigest(),
        fingerprint=fingerprint(data),
        matcher=pictures.VERSION,
        traits=pictures.traits(pictures.decode(data)).to_bytes(),
    )


def read_blob(blobs: Blobs, key: str) -> bytes:
    """The bytes of a stored picture.

    Raises
    ------
    OSError
        If the store has it no more, or it is larger than any picture that was stored.
    """
    with blobs.open(key) as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(f"{key} is larger than {MAX_BYTES} bytes")
    return data


def picture_values(picture: Picture) -> matchers.Picture:
    """A stored picture's fingerprint as the matchers see it.

    One of another version has no hash: it is known by its SHA-256 alone.
    """
    kept = picture.fingerprint
    current = picture.matcher == pictures.VERSION
    return matchers.Picture(
        sha256=picture.sha256,
        width=int(kept.get("width", 0)),
        height=int(kept.get("height", 0)),
        hash=str(kept.get("hash", "")) if current else "",
    )
