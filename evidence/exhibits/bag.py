"""Writing a bag (BagIt 1.0, RFC 8493) as one ZIP file, in one pass, whole or not at all."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from evidence.packing import wacz
from evidence.signing.signer import Signer
from registry.blobs import sync_folder
from registry.errors import TouchstoneError

_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


class BagWriter:
    """A bag on its way to `target`: a context that leaves no half file behind.

    Members are stored as they are, in the order in which they come, with the fixed headers
    of `evidence.packing.wacz.entry`; a member of more than 2 GiB, or behind as much, gets ZIP64
    fields. Nothing is ever whole in memory.

    Parameters
    ----------
    target
        Appears when `finish` has been called, and only then.
    name
        The bag's folder in the ZIP file.

    Raises
    ------
    TouchstoneError
        If there is something at `target`.
    OSError
        If the disk is full.
    """

    def __init__(self, target: Path, name: str) -> None:
        self.target = target
        self.name = name
        self._payload: dict[str, str] = {}
        self._octets = 0

    def __enter__(self) -> Self:
        _refuse(self.target)
        descriptor, self._partial = tempfile.mkstemp(
            dir=self.target.parent, prefix=f".{self.target.name}.", suffix=".part"
        )
        self._stream = os.fdopen(descriptor, "w+b")
        self._container = zipfile.ZipFile(self._stream, "w")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A disk that is full is so still; what is thrown away need not be written.
        with contextlib.suppress(OSError, ValueError):
            self._container.close()
        with contextlib.suppress(OSError):
            self._stream.close()
        Path(self._partial).unlink(missing_ok=True)

    def add(self, path: str, chunks: Iterable[bytes], size: int) -> str:
        """Write a payload file.

        Parameters
        ----------
        path
            Below ``data/``, of plain ASCII.
        size
            How many bytes will come: ZIP wants to know before.

        Returns
        -------
        str
            Its SHA-256.

        Raises
        ------
        OSError
            If another number of bytes came, or the disk is full.
        """
        place = f"data/{path}"
        assert place not in self._payload, f"{place} is there twice"
        digest = self._write(place, chunks, size)
        self._payload[place] = digest
        self._octets += size
        return digest

    def add_bytes(self, path: str, data: bytes) -> str:
        """Write a small payload file and return its SHA-256."""
        return self.add(path, (data,), len(data))

    def finish(self, info: Mapping[str, str], signer: Signer) -> str:
        """Write the tag files and their signature, and put the bag where it belongs.

        Parameters
        ----------
        info
            Fields of ``bag-info.txt``; ``Payload-Oxum`` is added.
        signer
            Signs the tag manifest, and through it every file of the bag.

        Returns
        -------
        str
            SHA-256 of the ZIP file.
        """
        fields = {**info, "Payload-Oxum": f"{self._octets}.{len(self._payload)}"}
        tags = {
            "bagit.txt": _DECLARATION,
            "bag-info.txt": "".join(f"{k}: {one_line(v)}\n" for k, v in fields.items()).encode(),
            "manifest-sha256.txt": _manifest(self._payload),
        }
        sums = {name: self._write(name, (data,), len(data)) for name, data in tags.items()}
        manifest = _manifest(sums)
        self._write("tagmanifest-sha256.txt", (manifest,), len(manifest))
        signature = sign_manifest(manifest, signer)
        self._write("signature.json", (signature,), len(signature))
        self._container.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.seek(0)
        digest = hashlib.file_digest(self._stream, "sha256").hexdigest()
        # Made by mkstemp for its owner only; who may read a case is for its owner to say.
        os.chmod(self._partial, 0o600)
        _refuse(self.target)
        Path(self._partial).rename(self.target)
        sync_folder(self.target.parent)
        return digest

    def _write(self, place: str, chunks: Iterable[bytes], size: int) -> str:
        assert place.isascii(), "the canonical container knows names in ASCII only"
        info = wacz.entry(f"{self.name}/{place}")
        large = size > wacz.ZIP64_LIMIT
        digest, came = hashlib.sha256(), 0
        with self._container.open(info, "w", force_zip64=large) as member:
            for chunk in chunks:
                came += len(chunk)
                if came > size:
                    raise OSError(f"{place}: more than the {size} bytes that it should have")
                digest.update(chunk)
                member.write(chunk)
        if came != size:
            raise OSError(f"{place}: {came} bytes came, not {size}")
        return digest.hexdigest()


def sign_manifest(manifest: bytes, signer: Signer) -> bytes:
    """The signature over a tag manifest, in the manner of WACZ Signing and Verification."""
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    said = {
        "path": "tagmanifest-sha256.txt",
        "hash": digest,
        "signature": base64.b64encode(signer.sign(digest.encode())).decode(),
        "publicKey": base64.b64encode(signer.public_key).decode(),
    }
    return json.dumps(said, indent=2).encode() + b"\n"


def _manifest(sums: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {place}\n" for place, digest in sorted(sums.items())).encode()


def one_line(text: str) -> str:
    """Text without control characters and line breaks, as tag files want it."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(kept.split())


def _refuse(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise TouchstoneError(f"{target} is there already: name another file")
    if not target.parent.is_dir():
        raise TouchstoneError(f"{target.parent} is not a folder: make it, or name another file")
