"""The blob store: files under their own SHA-256, written once, never changed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

import fsspec

from registry.errors import TouchstoneError

CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def blob_key(sha256: str, suffix: str) -> str:
    """Where a blob lies in the store: ``ab/abcdef….wacz``."""
    return f"{sha256[:2]}/{sha256}{suffix}"


class Blobs(Protocol):
    """A write-once store addressed by content.

    Putting what is there already is no error and changes nothing.
    """

    def put_bytes(self, data: bytes, suffix: str) -> str:
        """Store bytes and return their key."""

    def put_file(self, path: Path, suffix: str) -> str:
        """Store a file's bytes and return their key; the file stays where it is."""

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading.

        Raises
        ------
        FileNotFoundError
            If there is none of that key.
        """

    def delete(self, key: str) -> None:
        """Remove a blob for good; that there is none is no error.

        Whether it may go is not asked here: `evidence.custody.retention` decides that.
        """

    def check(self) -> None:
        """Try that the store can be written.

        Raises
        ------
        OSError
            If not.
        """


class LocalBlobs:
    """A folder. A blob appears whole or not at all: temporary file, fsync, link."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_bytes(self, data: bytes, suffix: str) -> str:
        return self._put(hashlib.sha256(data).hexdigest(), suffix, iter((data,)))

    def put_file(self, path: Path, suffix: str) -> str:
        return self._put(sha256_of(path), suffix, _chunks(path))

    def open(self, key: str) -> BinaryIO:
        return self._place(key).open("rb")

    def delete(self, key: str) -> None:
        place = self._place(key)
        try:
            place.unlink()
        except FileNotFoundError:
            return
        sync_folder(place.parent)

    def check(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.root) as stream:
            stream.write(b"touchstone")

    def _place(self, key: str) -> Path:
        place = (self.root / key).resolve()
        if not place.is_relative_to(self.root.resolve()):
            raise FileNotFoundError(key)
        return place

    def _put(self, sha256: str, suffix: str, chunks: Iterator[bytes]) -> str:
        key = blob_key(sha256, suffix)
        place = self._place(key)
        if place.exists():
            return key
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".part-")
        try:
            digest = hashlib.sha256()
            with os.fdopen(descriptor, "wb") as stream:
                for chunk in chunks:
                    digest.update(chunk)
                    stream.write(chunk)
                stream.flush()
                os.fsync(stream.fileno())
            if digest.hexdigest() != sha256:
                raise OSError(f"the file changed while it was stored as {key}")
            os.chmod(name, 0o444)
            try:
                # A link refuses to replace, where a rename would.
                os.link(name, place)
            except FileExistsError:
                pass
            sync_folder(place.parent)
        finally:
            os.unlink(name)
        return key


class RemoteBlobs:
    """An object store through fsspec. A blob is put only where there is none.

    ``mode="create"`` is one conditional request (If-None-Match) to S3, also where a file goes
    in parts; nobody looks first and writes then.
    """

    def __init__(self, url: str) -> None:
        self.filesystem, self.root = fsspec.core.url_to_fs(url)

    def put_bytes(self, data: bytes, suffix: str) -> str:
        key = blob_key(hashlib.sha256(data).hexdigest(), suffix)
        try:
            self.filesystem.pipe_file(f"{self.root}/{key}", data, mode="create")
        except FileExistsError:
            pass
        return key

    def put_file(self, path: Path, suffix: str) -> str:
        sha256 = sha256_of(path)
        key = blob_key(sha256, suffix)
        try:
            self.filesystem.put_file(str(path), f"{self.root}/{key}", mode="create")
        except FileExistsError:
            return key
        if sha256_of(path) != sha256:
            self.delete(key)
            raise OSError(f"the file changed while it was stored as {key}")
        return key

    def open(self, key: str) -> BinaryIO:
        stream: Any = self.filesystem.open(f"{self.root}/{key}", "rb")
        return stream  # type: ignore[no-any-return]

    def delete(self, key: str) -> None:
        try:
            self.filesystem.rm_file(f"{self.root}/{key}")
        except FileNotFoundError:
            pass

    def check(self) -> None:
        self.filesystem.pipe_file(f"{self.root}/.touchstone", b"touchstone")


def open_blobs(url: str) -> Blobs:
    """The store that a URL names: ``file://`` or ``s3://``.

    Raises
    ------
    TouchstoneError
        If the URL is of another kind.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return LocalBlobs(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return RemoteBlobs(url.rstrip("/"))
    raise TouchstoneError(
        f"evidence store: {url!r} is neither file:///folder nor s3://bucket/folder"
    )


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of an open file, a megabyte at a time."""
    while chunk := stream.read(CHUNK):
        yield chunk


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from read_chunks(stream)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder, or the lack of an old one, survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
