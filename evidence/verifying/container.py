"""The ZIP container of a bundle, byte by byte: nothing in it may be free to change.

A ZIP file has fields that no checksum covers (times, versions, attributes, comments, gaps).
Our bundles are written by CPython's `zipfile` with fixed values there, so a checker can work
out every byte that is not a member's own. A member or a place above 2 GiB, or more than 65,535
members, have ZIP64 structures where that module puts them; they are worked out as well.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16; `zipfile` of CPython 3.11.4 and later.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from evidence.verifying.checks import Damaged
from evidence.verifying.work import Region, Work, read_exactly

MAX_MEMBERS = 100_000
MAX_DIRECTORY_BYTES = 64 << 20

#: Where `zipfile` begins to write ZIP64: it counts in signed numbers.
ZIP64_LIMIT = (1 << 31) - 1
ZIP64_MEMBERS = (1 << 16) - 1

_MODE = 0o100644 << 16
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3
_UTF8 = 0x800
_DATE = (0 << 9) | (1 << 5) | 1  # 1980-01-01, as MS-DOS counts
_FULL = 0xFFFFFFFF
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")


@dataclass(frozen=True)
class Member:
    """A stored member."""

    name: str
    region: Region
    crc: int


@dataclass(frozen=True)
class _Entry:
    """What the directory says of a member that cannot be worked out."""

    name: str
    raw: bytes
    size: int
    crc: int

    @property
    def flags(self) -> int:
        return 0 if self.name.isascii() else _UTF8

    @property
    def wide(self) -> bool:
        """Whether the member is large enough for ZIP64 fields."""
        return self.size > ZIP64_LIMIT

    def local(self) -> bytes:
        """The local header, as it must be."""
        extra, size = b"", self.size
        if self.wide:
            extra, size = struct.pack("<HHQQ", 1, 16, size, size), _FULL
        version = _VERSION_64 if self.wide else _VERSION
        return (
            _LOCAL.pack(
                b"PK\3\4", version, self.flags, 0, 0, _DATE, self.crc, size, size,
                len(self.raw), len(extra),
            ) + self.raw + extra
        )  # fmt: skip

    def central(self, offset: int) -> bytes:
        """The directory entry, as it must be."""
        long: list[int] = []
        size = self.size
        if size > ZIP64_LIMIT:
            long += [size, size]
            size = _FULL
        if offset > ZIP64_LIMIT:
            long.append(offset)
            offset = _FULL
        extra = struct.pack(f"<HH{len(long)}Q", 1, 8 * len(long), *long) if long else b""
        version = _VERSION_64 if long or self.wide else _VERSION
        return (
            _CENTRAL.pack(
                b"PK\1\2", version | _UNIX << 8, version, self.flags, 0, 0, _DATE, self.crc,
                size, size, len(self.raw), len(extra), 0, 0, 0, _MODE, offset,
            ) + self.raw + extra
        )  # fmt: skip


def read_members(whole: Region) -> list[Member]:
    """Read the container's directory, and compare every byte around the members.

    Raises
    ------
    Damaged
        Naming what is not as we write it. Also if a member is packed, named twice, a link, or
        named so that it would be written outside its folder.
    """
    with whole.open() as stream:
        count, length, start = _read_end(stream, whole)
        stream.seek(whole.offset + start)
        directory = read_exactly(stream, length)
        entries = _entries(directory, count)
        offsets, at = [], 0
        members: list[Member] = []
        for entry in entries:
            expected = entry.local()
            stream.seek(whole.offset + at)
            if read_exactly(stream, len(expected)) != expected:
                raise Damaged(entry.name, "its local header was changed, or it was moved")
            offsets.append(at)
            at += len(expected)
            members.append(Member(entry.name, whole.sub(at, entry.size), entry.crc))
            at += entry.size
            if at > start:
                raise Damaged(entry.name, "it reaches into the directory")
    if at != start:
        raise Damaged("container", "there are bytes before the directory that belong to nothing")
    at = 0
    for entry, offset in zip(entries, offsets):  # noqa: B905 - Python 3.9 has no strict
        expected = entry.central(offset)
        if directory[at : at + len(expected)] != expected:
            raise Damaged(entry.name, "its directory entry was changed")
        at += len(expected)
    if at != length:
        raise Damaged("container", "there are bytes in the directory that belong to nothing")
    return members


def _read_end(stream: BinaryIO, whole: Region) -> tuple[int, int, int]:
    """The number of members, and the directory's length and place."""
    most = min(whole.size, _END_64.size + _LOCATOR.size + _END.size)
    stream.seek(whole.offset + whole.size - most)
    tail = read_exactly(stream, most)
    if len(tail) < _END.size or tail[-_END.size :][:4] != b"PK\5\6":
        raise Damaged("container", "not a ZIP file that ends as ours do")
    count, _, length, start, _ = _END.unpack(tail[-_END.size :])[3:]
    if len(tail) == _END_64.size + _LOCATOR.size + _END.size and tail[-42:-38] == b"PK\6\7":
        count, length, start = _END_64.unpack(tail[: _END_64.size])[7:]
    if count > MAX_MEMBERS or length > MAX_DIRECTORY_BYTES:
        raise Damaged("container", f"more than {MAX_MEMBERS} members")
    expected = _end(count, length, start)
    if start + length + len(expected) != whole.size or not tail.endswith(expected):
        raise Damaged("container", "its end record was changed, or does not fit the file")
    return count, length, start


def _end(count: int, length: int, start: int) -> bytes:
    """What must stand after the directory."""
    wide = b""
    if count > ZIP64_MEMBERS or start > ZIP64_LIMIT or length > ZIP64_LIMIT:
        wide = _END_64.pack(
            b"PK\6\6", 44, _VERSION_64, _VERSION_64, 0, 0, count, count, length, start
        ) + _LOCATOR.pack(b"PK\6\7", 0, start + length, 1)
    count = min(count, 0xFFFF)
    return wide + _END.pack(b"PK\5\6", 0, 0, count, count, min(length, _FULL), min(start, _FULL), 0)


def _entries(directory: bytes, count: int) -> list[_Entry]:
    """What the directory says; whether it says it in the one right way is seen later."""
    entries: list[_Entry] = []
    seen: set[str] = set()
    at = 0
    for _ in range(count):
        if len(directory) - at < _CENTRAL.size or directory[at : at + 4] != b"PK\1\2":
            raise Damaged("container", "its directory cannot be read")
        (_, _, _, flags, method, _, _, crc, packed, size, named, extra, noted, _, _, mode, _) = (
            _CENTRAL.unpack_from(directory, at)
        )
        at += _CENTRAL.size
        raw = directory[at : at + named]
        try:
            name = raw.decode("utf-8" if flags & _UTF8 else "ascii")
        except UnicodeDecodeError as error:
            raise Damaged(repr(raw), "its name cannot be read") from error
        at += named
        if size == _FULL and extra >= 20 and len(directory) - at >= 20:
            size, packed = struct.unpack_from("<QQ", directory, at + 4)
        at += extra + noted
        check_name(name, seen)
        if stat.S_ISLNK(mode >> 16):
            raise Damaged(name, "it is a symbolic link")
        if method != 0 or packed != size:
            raise Damaged(name, "it is packed; members of a bundle are stored as they are")
        entries.append(_Entry(name, raw, size, crc))
    return entries


def check_name(name: str, seen: set[str]) -> None:
    """Refuse a name that would be written elsewhere, or over another, by whoever unpacks it.

    Parameters
    ----------
    seen
        The names before, as a file system that does not tell cases apart sees them.

    Raises
    ------
    Damaged
    """
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or ":" in name or set(parts) & {"", ".", ".."}:
        raise Damaged(name, "its name leads outside the bundle, or nowhere")
    if name.casefold() in seen:
        raise Damaged(name, "it is there twice")
    seen.add(name.casefold())


@dataclass(frozen=True)
class Digest:
    """What a member's bytes give."""

    sha256: str
    size: int
    crc: int


def digest_of(region: Region, work: Work) -> Digest:
    """Read a region once."""
    digest, crc, size = hashlib.sha256(), 0, 0
    for chunk in region.chunks():
        digest.update(chunk)
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        work.done(len(chunk))
    return Digest(digest.hexdigest(), size, crc)


def digests_of(regions: Sequence[Region], work: Work) -> list[Digest]:
    """The digests of regions, read side by side."""
    # The largest first: else one of them may be all that is left to do at the end.
    order = sorted(range(len(regions)), key=lambda place: -regions[place].size)
    tasks = [partial(digest_of, regions[place], work) for place in order]
    made = work.each(tasks, sum(region.size for region in regions))
    found = dict(zip(order, made))  # noqa: B905 - Python 3.9 has no strict
    return [found[place] for place in range(len(regions))]
