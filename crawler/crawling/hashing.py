"""What is kept of a picture that was fetched: its bytes, and what it is told by.

A room of its own since what it needs (OpenCV, NumPy) takes as long to load as a crawl takes for
its first two hundred pages: `crawler.crawling.galleries` loads it with the first picture.
"""

from __future__ import annotations

from typing import Any

import matchers
from crawler.crawling.galleries import Faulty
from matchers import pictures
from registry.blobs import Blobs
from registry.models.base import utcnow


def keep(blobs: Blobs, data: bytes) -> dict[str, Any]:
    """Hash a picture and keep it; what is to be stored of it.

    Raises
    ------
    Faulty
        If it is no picture that can be read.
    """
    try:
        values = matchers.to_json(matchers.fingerprint(data))
        media_type = matchers.media_type(data)
    except matchers.PictureError as error:
        raise Faulty(str(error)) from error
    sha256: str = values.pop("sha256")
    blob = blobs.put_bytes(data, "." + media_type.removeprefix("image/"))
    return picture_row(sha256, blob, media_type, values)


def picture_row(
    sha256: str, blob: str, media_type: str, fingerprint: dict[str, Any]
) -> dict[str, Any]:
    """What is to be stored of a picture."""
    return {
        "sha256": sha256,
        "blob": blob,
        "media_type": media_type,
        "fingerprint": fingerprint,
        "matcher": pictures.VERSION,
        "created_at": utcnow(),
    }
