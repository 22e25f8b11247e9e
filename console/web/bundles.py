"""What is inside a sealed bundle, read out of the store: what is missing, parts to look at.

All of it came from a marketplace. A part leaves here as a picture, as plain text, as a
download, or as a document that may neither run nor ask for anything.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from console.web.security import BLOB_POLICY
from registry.blobs import CHUNK, Blobs

MAX_RECORD_BYTES = 8 << 20
MAX_PARTS = 200
#: So many of what is missing are listed on the page; the record in the bundle has all.
MAX_GAPS = 100

#: The rendered page as it stood: its pictures and styles are in it, its scripts stay dead, and
#: nothing is asked for. The origin of a sandboxed document is nobody's.
DOCUMENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline' data:",
        "font-src data:",
        "media-src data:",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "sandbox",
    )
)


@dataclass(frozen=True, slots=True)
class Kind:
    """How parts of one kind are called and sent."""

    title: str
    media_type: str
    shown: bool
    policy: str = BLOB_POLICY


_TEXT = "text/plain; charset=utf-8"

#: By folder and ending; other members of a bundle are not handed out one by one.
KINDS = {
    ("screenshots", "png"): Kind("Screenshot", "image/png", True),
    ("pdf", "pdf"): Kind("Printed page", "application/pdf", False),
    ("dom", "html"): Kind("Page as rendered", "text/html; charset=utf-8", True, DOCUMENT_POLICY),
    ("text", "txt"): Kind("Visible text", _TEXT, True),
    ("extra", "har"): Kind("Requests (HAR)", "application/json", False),
    ("extra", "json"): Kind("Record", _TEXT, True),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A member of the bundle that can be opened."""

    name: str
    kind: Kind
    size: int

    @property
    def label(self) -> str:
        """Its name without folder and ending: ``01-listing``."""
        return self.name.split("/")[-1].rsplit(".", 1)[0].replace("-", " ")


@dataclass(frozen=True, slots=True)
class Gap:
    """A request without its whole answer, and why."""

    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Inside:
    """What a bundle holds; empty where the store or the bundle cannot be read."""

    parts: tuple[Part, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    fault: str | None = None

    @property
    def first_view(self) -> Part | None:
        """The screenshot of what was seen first, without scrolling."""
        return next((part for part in self.parts if part.name.endswith("-first-seen.png")), None)


def look_into(blobs: Blobs, key: str) -> Inside:
    """Read what the capture's page says of a bundle."""
    try:
        with blobs.open(key) as stream, zipfile.ZipFile(stream) as package:
            parts = tuple(
                Part(info.filename, kind, info.file_size)
                for info in package.infolist()
                if (kind := _kind(info)) is not None
            )
            about = _record(package, "extra/capture.json")
    except FileNotFoundError:
        return Inside(fault="The store has no such bundle any more.")
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        return Inside(fault=f"The bundle cannot be read: {error}")
    return Inside(parts[:MAX_PARTS], about, _gaps(about))


def send_part(blobs: Blobs, key: str, name: str, *, prefix: str) -> Response:
    """A part as a response.

    Parameters
    ----------
    prefix
        What the name of the download begins with.

    Raises
    ------
    HTTPException
        404, if the store has no such bundle or the bundle no such part.
    """
    try:
        stream = blobs.open(key)
    except FileNotFoundError as error:
        raise HTTPException(404, "The store has no such bundle any more.") from error
    try:
        package = zipfile.ZipFile(stream)
        info = package.getinfo(name)
        kind = _kind(info)
        if kind is None:
            raise KeyError(name)
        member = package.open(info)
    except (KeyError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        stream.close()
        raise HTTPException(404, "There is no such part in this bundle.") from error
    filename = f"{prefix}-{name.split('/')[-1]}"
    return StreamingResponse(
        _chunks(stream, member, info.file_size),
        media_type=kind.media_type,
        headers={
            "Content-Security-Policy": kind.policy,
            "Content-Length": str(info.file_size),
            "Content-Disposition": f"{'inline' if kind.shown else 'attachment'}; "
            f"filename*=UTF-8''{quote(filename, safe='')}",
            "X-DNS-Prefetch-Control": "off",
            "Connection-Allowlist": "(response-origin)",
        },
    )


def _kind(info: zipfile.ZipInfo) -> Kind | None:
    folder, _, rest = info.filename.partition("/")
    # Stored members only, as our bundles have them: what is sent is no longer than it says.
    if info.compress_type != zipfile.ZIP_STORED or "/" in rest:
        return None
    return KINDS.get((folder, rest.rpartition(".")[2]))


def _chunks(stream: BinaryIO, member: Any, size: int) -> Iterator[bytes]:
    with stream, member:
        while size > 0 and (chunk := member.read(min(CHUNK, size))):
            size -= len(chunk)
            yield chunk


def _record(package: zipfile.ZipFile, name: str) -> dict[str, Any]:
    try:
        info = package.getinfo(name)
        if info.file_size > MAX_RECORD_BYTES or info.compress_type != zipfile.ZIP_STORED:
            return {}
        value = json.loads(package.read(info))
    except (KeyError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _gaps(about: dict[str, Any]) -> tuple[Gap, ...]:
    found = about.get("incomplete")
    return tuple(
        Gap(
            str(gap.get("url", ""))[:500],
            ", ".join(str(gap[why])[:200] for why in ("error", "truncated") if gap.get(why)),
        )
        for gap in (found if isinstance(found, list) else [])[:MAX_GAPS]
        if isinstance(gap, dict)
    )
