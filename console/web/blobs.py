"""Stored bytes on their way to a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from console.web.security import BLOB_POLICY
from registry.blobs import CHUNK, Blobs

#: Kinds of pictures that a browser may show. SVG is not among them: it can carry script.
SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"})


def send_blob(
    blobs: Blobs, key: str, media_type: str, *, filename: str, length: int | None = None
) -> Response:
    """A blob as a response: shown if it is a picture of a known kind, else a download.

    Parameters
    ----------
    filename
        The name for the download; ours, never one that a marketplace chose.
    length
        Its size in bytes, where that is known.

    Raises
    ------
    HTTPException
        404, if the store has no such blob.
    """
    try:
        stream = blobs.open(key)
    except FileNotFoundError as error:
        raise HTTPException(404, "The store has no such file any more.") from error
    shown = media_type in SHOWN
    headers = {
        "Content-Security-Policy": BLOB_POLICY,
        # Addressed by content: what is under this address never changes.
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{filename}"',
    }
    if length is not None:
        headers["Content-Length"] = str(length)
    return StreamingResponse(
        _chunks(stream),
        headers=headers,
        media_type=media_type if shown else "application/octet-stream",
    )


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while chunk := stream.read(CHUNK):
            yield chunk
