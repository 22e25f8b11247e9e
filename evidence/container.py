"""The ZIP container of a bundle, byte by byte: nothing in it may be free to change.

A ZIP file has fields that no checksum covers (times, versions, attributes, comments, gaps).
Our bundles are written with fixed values there, so a checker can work out every byte that
is not a member's own. Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from evidence.wacz import ZIP_MODE

MAX_MEMBERS = 10_000

_VERSION = 20
_UNIX = 3
_DATE = (0 << 9) | (1 << 5) | 1  # 1980-01-01, as MS-DOS counts
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")


class Damaged(Exception):
    """The container is not what we write.

    Parameters
    ----------
    part
        The member, or the part of the container, that is wrong.
    """

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.part = part
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Member:
    """A stored member: `size` bytes from `offset` on."""

    name: str
    offset: int
    size: int
    crc: int


def read_members(path: Path) -> list[Member]:
    """Read the container's directory.

    Raises
    ------
    Damaged
        If it is no ZIP file, or a member is packed, encrypted, named twice, or named so
        that it would be written outside its folder.
    """
    try:
        with zipfile.ZipFile(path) as container:
            infos = container.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Damaged("container", f"not a ZIP file that can be read: {error}") from error
    if len(infos) > MAX_MEMBERS:
        raise Damaged("container", f"more than {MAX_MEMBERS} members")
    members: list[Member] = []
    seen: set[str] = set()
    for info in infos:
        name = info.orig_filename
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
            raise Damaged(name, "its name leads outside the bundle")
        if name in seen:
            raise Damaged(name, "it is there twice")
        seen.add(name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise Damaged(name, "it is packed; members of a bundle are stored as they are")
        data = info.header_offset + _LOCAL.size + len(name.encode())
        members.append(Member(name, data, info.file_size, info.CRC))
    return members


def check_canonical(path: Path, members: list[Member]) -> None:
    """Compare every byte around the members with what it must be.

    Raises
    ------
    Damaged
        Naming the header that differs.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        place = 0
        for member in members:
            raw = member.name.encode()
            if member.offset != place + _LOCAL.size + len(raw):
                raise Damaged(member.name, "there are bytes before it that belong to nothing")
            expected = _LOCAL.pack(
                b"PK\3\4", _VERSION, 0, 0, 0, _DATE, member.crc, member.size, member.size,
                len(raw), 0,
            ) + raw  # fmt: skip
            _expect(stream, place, expected, member.name, "its local header was changed")
            place = member.offset + member.size
        directory = place
        header = 0
        for member in members:
            raw = member.name.encode()
            expected = _CENTRAL.pack(
                b"PK\1\2", _VERSION | _UNIX << 8, _VERSION, 0, 0, 0, _DATE, member.crc,
                member.size, member.size, len(raw), 0, 0, 0, 0, ZIP_MODE, header,
            ) + raw  # fmt: skip
            _expect(stream, place, expected, member.name, "its directory entry was changed")
            place += len(expected)
            header = member.offset + member.size
        end = _END.pack(
            b"PK\5\6", 0, 0, len(members), len(members), place - directory, directory, 0
        )
        _expect(stream, place, end, "container", "its end record was changed")
        if place + len(end) != size:
            raise Damaged("container", "there are bytes after its end")


def _expect(stream: BinaryIO, place: int, expected: bytes, part: str, reason: str) -> None:
    stream.seek(place)
    if stream.read(len(expected)) != expected:
        raise Damaged(part, reason)


def read_chunks(path: Path, member: Member) -> Iterator[bytes]:
    """A member's bytes, a megabyte at a time.

    Raises
    ------
    Damaged
        If they are not those whose CRC-32 the directory gives.
    """
    crc, left = 0, member.size
    with path.open("rb") as stream:
        stream.seek(member.offset)
        while left and (chunk := stream.read(min(left, 1 << 20))):
            left -= len(chunk)
            crc = zlib.crc32(chunk, crc)
            yield chunk
    if left or crc != member.crc:
        raise Damaged(member.name, "its bytes do not give its CRC-32")


def read_whole(path: Path, member: Member, limit: int) -> bytes:
    """A small member's bytes.

    Raises
    ------
    Damaged
        If it is larger than `limit`, or its CRC-32 does not fit.
    """
    if member.size > limit:
        raise Damaged(member.name, f"larger than {limit} bytes")
    return b"".join(read_chunks(path, member))
