"""Sealing sensitive exhibits: encrypted apart, provably the same when they are opened.

The format (all numbers big-endian)::

    "TSSEAL1\n"            8 bytes
    salt                  32 bytes, random
    chunk, chunk, …       each 1 MiB of plaintext (the last may be shorter) and a tag of 16

Each file has its own key, HKDF-SHA256(key, salt, "touchstone sealed exhibit"), for
AES-256-GCM; the nonce of a chunk is its number (11 bytes, from 0) and a byte that is 1 for
the last chunk and 0 for the others, so that no chunk can be moved, repeated or cut off.

Source: the STREAM construction of Hoang, Reyhanitabar, Rogaway, Vizár (CRYPTO 2015), as in
Tink's AES-GCM-HKDF streaming; RFC 5869.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from registry.blobs import sync_folder
from registry.errors import TouchstoneError

MAGIC = b"TSSEAL1\n"
SALT_BYTES = 32
CHUNK_BYTES = 1 << 20
TAG_BYTES = 16

SEALED = "[sealed]"

_Place = Path | zipfile.Path

MAX_CASE_BYTES = 64 << 20


def new_key() -> bytes:
    """A key for the sealed part of one bag."""
    return secrets.token_bytes(32)


def sealed_size(size: int) -> int:
    """How many bytes `size` bytes have when they are sealed."""
    chunks = max(1, -(-size // CHUNK_BYTES))
    return len(MAGIC) + SALT_BYTES + size + chunks * TAG_BYTES


def seal(chunks: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    """Encrypt a stream. An empty one has one empty chunk."""
    salt = secrets.token_bytes(SALT_BYTES)
    cipher = _cipher(key, salt)
    yield MAGIC + salt
    number, held = 0, b""
    for block in _blocks(chunks):
        # The last block is known only when nothing comes after it.
        if held:
            yield cipher.encrypt(_nonce(number, last=False), held, None)
            number += 1
        held = block
    yield cipher.encrypt(_nonce(number, last=True), held, None)


def open_sealed(stream: BinaryIO, key: bytes) -> Iterator[bytes]:
    """Decrypt what `seal` made; nothing comes out that was not put in.

    Raises
    ------
    TouchstoneError
        If it is of another format, of another key, or was changed.
    """
    head = stream.read(len(MAGIC) + SALT_BYTES)
    if len(head) != len(MAGIC) + SALT_BYTES or not head.startswith(MAGIC):
        raise TouchstoneError("this is no sealed exhibit")
    cipher = _cipher(key, head[len(MAGIC) :])
    number, held = 0, _read(stream)
    while True:
        following = _read(stream) if len(held) == CHUNK_BYTES + TAG_BYTES else b""
        try:
            yield cipher.decrypt(_nonce(number, last=not following), held, None)
        except (InvalidTag, ValueError) as error:
            raise TouchstoneError(
                "the key does not open it: it is another bag's key, or the sealed file was changed"
            ) from error
        if not following:
            return
        number, held = number + 1, following


def commit(salt: bytes, value: str) -> str:
    """A commitment to a redacted value: HMAC-SHA256 of it under its salt."""
    return hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()


def write_key(path: Path, key: bytes) -> None:
    """Write the key, readable by its owner only.

    Raises
    ------
    TouchstoneError
        If there is something at `path`.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise TouchstoneError(f"{path} is there already: name another file") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(f"{key.hex()}\n")
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(path.parent)


def read_key(path: Path) -> bytes:
    """Read a key.

    Raises
    ------
    TouchstoneError
        If there is none in the file.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TouchstoneError(f"{path}: the key cannot be read: {error}") from error
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise TouchstoneError(f"{path}: a key is 64 hexadecimal digits")
    return bytes.fromhex(text)


# Opening what is sealed in a bag


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed file that was opened and is the one that the bag names."""

    number: int
    path: Path
    sha256: str
    size: int


def open_bag(bag: Path, key: bytes, folder: Path) -> list[Opened]:
    """Open all that is sealed in a bag, a ZIP file or unpacked, into a folder.

    Each file is compared with the SHA-256 and the size that ``case.json`` gives for it. It is
    written under a name that is made here: a bag may come from anybody.

    Raises
    ------
    TouchstoneError
        If the bag cannot be read, the key is not its own, a file is not the one that was
        sealed, or is there already.
    """
    opened = []
    try:
        with _root(bag) as root:
            top, case = _case(root)
            folder.mkdir(parents=True, exist_ok=True)
            for part in _parts(case):
                with _within(top, part["path"]).open("rb") as stream:
                    opened.append(_open_one(stream, key, part, folder))
    except (
        zipfile.BadZipFile, KeyError, ValueError, TypeError, NotImplementedError, EOFError,
        RuntimeError, zlib.error,
    ) as error:  # fmt: skip
        raise TouchstoneError(f"{bag}: this bag cannot be read: {error}") from error
    return opened


@contextmanager
def _root(bag: Path) -> Iterator[_Place]:
    if bag.is_dir():
        yield bag
        return
    with zipfile.ZipFile(bag) as container:
        yield zipfile.Path(container)


def _case(root: _Place) -> tuple[_Place, dict[str, Any]]:
    """The bag's own folder, the one given or one in it, and its `case.json`."""
    for top in (root, *root.iterdir()):
        place = top / "data" / "case.json"
        if place.is_file():
            with place.open("rb") as stream:
                data = stream.read(MAX_CASE_BYTES + 1)
            if len(data) > MAX_CASE_BYTES:
                raise ValueError("its case.json is too large")
            case = json.loads(data)
            if not isinstance(case, dict):
                raise ValueError("its case.json is no object")
            return top, case
    raise ValueError("it has no case.json")


def _within(top: _Place, path: str) -> _Place:
    """A file of the bag; a link or a name that leads out of it is none."""
    place = top / path
    if isinstance(place, Path) and not place.resolve().is_relative_to(Path(str(top)).resolve()):
        raise ValueError(f"{path} is not in it")
    if not place.is_file():
        raise ValueError(f"{path} is missing")
    return place


def _parts(case: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for exhibit in case["exhibits"]:
        if exhibit.get("sealed"):
            yield {key: exhibit[key] for key in ("number", "path", "sha256", "size", "media_type")}
        elif exhibit.get("sealed_part"):
            yield {"number": exhibit["number"], **exhibit["sealed_part"]}


def _open_one(stream: Any, key: bytes, part: dict[str, Any], folder: Path) -> Opened:
    number = int(part["number"])
    target = folder / f"{number:03d}{suffix_of(str(part['media_type']))}"
    if target.exists() or target.is_symlink():
        raise TouchstoneError(f"{target} is there already: name another folder")
    descriptor, partial = tempfile.mkstemp(dir=folder, prefix=".part-")
    try:
        digest, size = hashlib.sha256(), 0
        with os.fdopen(descriptor, "wb") as sink:
            for chunk in open_sealed(stream, key):
                digest.update(chunk)
                size += len(chunk)
                sink.write(chunk)
            sink.flush()
            os.fsync(sink.fileno())
        if digest.hexdigest() != part["sha256"] or size != part["size"]:
            raise TouchstoneError(f"exhibit {number}: what was sealed is not what the bag names")
        Path(partial).rename(target)
    finally:
        Path(partial).unlink(missing_ok=True)
    return Opened(number, target, digest.hexdigest(), size)


#: Only these: a name's ending decides what a double click does.
_SUFFIXES = {
    "application/wacz": ".wacz",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "image/heic": ".heic",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "text/plain": ".txt",
    "message/rfc822": ".eml",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "audio/mpeg": ".mp3",
}


def suffix_of(media_type: str) -> str:
    """The ending of a file of this type; ``.bin`` for one that is not known here."""
    return _SUFFIXES.get(media_type.split(";")[0].strip().lower(), ".bin")


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    derive = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"touchstone sealed exhibit")
    return AESGCM(derive.derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks of CHUNK_BYTES; the last one may be shorter."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held)


def _read(stream: BinaryIO) -> bytes:
    """A sealed chunk, or what is left; a pipe may give less at a time."""
    parts, left = [], CHUNK_BYTES + TAG_BYTES
    while left and (data := stream.read(left)):
        parts.append(data)
        left -= len(data)
    return b"".join(parts)
