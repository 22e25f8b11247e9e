"""Packing a recorded visit as WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/).

The package is signed in the anonymous form of WACZ Signing and Verification 0.1.0
(https://specs.webrecorder.net/wacz-auth/0.1.0/).
"""

from __future__ import annotations

import base64
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

from evidence.signing.signer import Signer
from registry.blobs import sha256_of

WACZ_VERSION = "1.1.1"
AUTH_VERSION = "0.1.0"
#: The container's headers are the same for the same members, to the bit: the time of the
#: package stands in datapackage.json, where a hash covers it.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
ZIP_MODE = 0o100644 << 16
#: A member or an offset above this has ZIP64 fields, and nothing below has.
ZIP64_LIMIT = zipfile.ZIP64_LIMIT
MAX_BUNDLE_BYTES = 64 << 30


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the package, for `pages/pages.jsonl`."""

    id: UUID
    url: str
    ts: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A finished package.

    Parameters
    ----------
    sha256
        Of the whole file.
    parts
        SHA-256 of each part, by its path in the package.
    """

    sha256: str
    parts: Mapping[str, str]


def pack(
    folder: Path,
    target: Path,
    *,
    pages: Sequence[Page],
    software: str,
    created: datetime,
    title: str,
    signer: Signer,
) -> Packed:
    """Pack a folder of parts as one signed WACZ file.

    Parameters
    ----------
    folder
        Holds ``archive/``, ``indexes/`` and whatever else belongs in; every file goes in.
    target
        Appears whole or not at all.

    Raises
    ------
    OSError
        If the disk is full, or the parts are larger than `MAX_BUNDLE_BYTES`.
    TouchstoneError
        If the signer cannot sign.
    """
    _write_pages(folder / "pages", pages)
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    if sum((folder / name).stat().st_size for name in names) > MAX_BUNDLE_BYTES:
        raise OSError(f"the capture is larger than {MAX_BUNDLE_BYTES} bytes")
    stamp = created.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    partial = target.with_name(target.name + ".part")
    try:
        with partial.open("wb") as stream:
            with zipfile.ZipFile(stream, "w") as container:
                resources = [_add_file(container, name, folder / name) for name in names]
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
                _add_bytes(container, "datapackage.json", package)
                digest = _signed(package, signer, software=software, created=stamp)
                _add_bytes(container, "datapackage-digest.json", digest)
            stream.flush()
            os.fsync(stream.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    parts = {r["path"]: r["hash"].removeprefix("sha256:") for r in resources}
    return Packed(sha256_of(target), parts)


def _signed(package: bytes, signer: Signer, *, software: str, created: str) -> bytes:
    """The digest file: exactly the keys of the specification, or other tools refuse it."""
    digest = f"sha256:{hashlib.sha256(package).hexdigest()}"
    return _json(
        {
            "path": "datapackage.json",
            "hash": digest,
            "signedData": {
                "hash": digest,
                "created": created,
                "software": software,
                "version": AUTH_VERSION,
                "signature": base64.b64encode(signer.sign(digest.encode())).decode(),
                "publicKey": base64.b64encode(signer.public_key).decode(),
            },
        }
    )


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


def _add_file(container: zipfile.ZipFile, name: str, path: Path) -> dict[str, Any]:
    """Add a part, and describe it for the manifest by the bytes that went in."""
    info, digest, size = entry(name), hashlib.sha256(), 0
    large = path.stat().st_size > ZIP64_LIMIT
    with path.open("rb") as source, container.open(info, "w", force_zip64=large) as member:
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
            member.write(chunk)
    return {
        "name": name.rsplit("/", 1)[-1].lower(),
        "path": name,
        "hash": f"sha256:{digest.hexdigest()}",
        "bytes": size,
    }


def _add_bytes(container: zipfile.ZipFile, name: str, data: bytes) -> None:
    container.writestr(entry(name), data)
