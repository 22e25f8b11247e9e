"""A blob in parts: the player reads out of a bundle only what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

from registry.blobs import CHUNK

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)


def send_range(
    stream: BinaryIO, size: int, asked: Headers, *, media_type: str, etag: str
) -> Response:
    """A file, or the one range of it that was asked for (RFC 9110, section 14).

    Parameters
    ----------
    stream
        Can be searched; closed when it was sent.
    size
        Its length in bytes.
    etag
        Its strong validator, in quotes.

    Returns
    -------
    Response
        206 with the range; 416 for one beyond the end; else 200 with everything, also where
        several ranges were asked for, which no player does.
    """
    headers = {"Accept-Ranges": "bytes", "ETag": etag}
    wanted = asked.get("range")
    first, last, status = 0, size - 1, 200
    # A range of what the asker no longer holds to be the same file is none.
    if wanted is not None and asked.get("if-range", etag) == etag:
        match = _ONE_RANGE.fullmatch(wanted)
        if match is not None and (match[1] or match[2]):
            if match[1]:
                first = int(match[1])
                last = min(int(match[2]), size - 1) if match[2] else size - 1
                fits = first < size and (not match[2] or int(match[2]) >= first)
            else:
                first = max(0, size - int(match[2]))
                fits = int(match[2]) > 0 and size > 0
            if not fits:
                stream.close()
                return Response(
                    status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"}
                )
            status = 206
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    length = last - first + 1
    headers["Content-Length"] = str(length)
    return StreamingResponse(
        _part(stream, first, length), status_code=status, headers=headers, media_type=media_type
    )


def _part(stream: BinaryIO, first: int, length: int) -> Iterator[bytes]:
    with stream:
        stream.seek(first)
        while length > 0 and (chunk := stream.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk
