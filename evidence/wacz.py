"""Packing a recorded visit as WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/)."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from registry.blobs import sha256_of

WACZ_VERSION = "1.1.1"
#: The container's headers are the same for the same members, to the bit: the time of the
#: package stands in datapackage.json, where a hash covers it.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
ZIP_MODE = 0o100644 << 16
#: Above this, ZIP64 structures would be needed, which the canonical container has not.
MAX_BUNDLE_BYTES = 0xFFFF_0000


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the package, for `pages/pages.jsonl`."""

    id: UUID
    url: str
    ts: datetime
    title: str
    text: str


def pack(
    folder: Path,
    target: Path,
    *,
    pages: Sequence[Page],
    software: str,
    created: datetime,
    title: str,
) -> str:
    """Pack a folder of parts as one WACZ file.

    Parameters
    ----------
    folder
        Holds ``archive/``, ``indexes/`` and whatever else belongs in; every file goes in.
    target
        Appears whole or not at all.

    Returns
    -------
    str
        SHA-256 of the file.
    """
    _write_pages(folder / "pages", pages)
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    resources = [
        {
            "name": name.rsplit("/", 1)[-1].lower(),
            "path": name,
            "hash": f"sha256:{sha256_of(folder / name)}",
            "bytes": (folder / name).stat().st_size,
        }
        for name in names
    ]
    if sum(int(str(resource["bytes"])) for resource in resources) > MAX_BUNDLE_BYTES:
        raise OSError(f"the capture is larger than {MAX_BUNDLE_BYTES} bytes")
    stamp = created.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    package = _json(
        {
            "profile": "data-package",
            "wacz_version": WACZ_VERSION,
            "software": software,
            "title": title,
            "created": stamp,
            "modified": stamp,
            "mainPageUrl": pages[0].url,
            "mainPageDate": pages[0].ts.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "resources": resources,
        }
    )
    digest = _json(
        {
            "path": "datapackage.json",
            "hash": f"sha256:{hashlib.sha256(package).hexdigest()}",
        }
    )
    partial = target.with_name(target.name + ".part")
    try:
        with partial.open("wb") as stream:
            with zipfile.ZipFile(stream, "w") as container:
                for name in names:
                    _add_file(container, name, folder / name)
                _add_bytes(container, "datapackage.json", package)
                _add_bytes(container, "datapackage-digest.json", digest)
            stream.flush()
            os.fsync(stream.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return sha256_of(target)


def _write_pages(folder: Path, pages: Sequence[Page]) -> None:
    folder.mkdir(exist_ok=True)
    header = {"format": "json-pages-1.0", "id": "pages", "title": "Pages", "hasText": True}
    lines: list[Mapping[str, Any]] = [header]
    lines += [
        {
            "id": str(page.id),
            "url": page.url,
            "ts": page.ts.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "title": page.title,
            "text": page.text,
        }
        for page in pages
    ]
    (folder / "pages.jsonl").write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8"
    )


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def entry(name: str) -> zipfile.ZipInfo:
    """A member as the canonical container describes it.

    Members are stored, not deflated: a deflated stream has bits that change nothing, and a
    changed bit anywhere in the file must show.
    """
    info = zipfile.ZipInfo(name, date_time=ZIP_EPOCH)
    info.compress_type = zipfile.ZIP_STORED
    info.create_system = 3
    info.external_attr = ZIP_MODE
    return info


def _add_file(container: zipfile.ZipFile, name: str, path: Path) -> None:
    info = entry(name)
    info.file_size = path.stat().st_size
    with path.open("rb") as source, container.open(info, "w") as member:
        while chunk := source.read(1 << 20):
            member.write(chunk)


def _add_bytes(container: zipfile.ZipFile, name: str, data: bytes) -> None:
    container.writestr(entry(name), data)
