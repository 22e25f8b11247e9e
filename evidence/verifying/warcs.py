"""Reading a gzipped WARC, record by record, and checking each record's digests.

A record is a gzip member of its own. Nothing is ever whole in memory: a body of gigabytes is
hashed as it is unpacked, and what may be unpacked in all is bounded.

Source: ISO 28500:2017 (WARC 1.1), RFC 1952.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from evidence.verifying.checks import Damaged
from evidence.verifying.work import CHUNK, Region, Work

#: What unpacks: this, or in our house a quicker one of the same interface.
inflating: Any = zlib

MAX_HEAD_BYTES = 1 << 20
_VERSIONS = (b"WARC/1.0", b"WARC/1.1")
_FIRST_STEP = 1 << 13
_LAST_STEP = 1 << 18
_TYPES = frozenset(
    {"warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion"}
)
_HTTP = ("response", "request", "revisit")
_REPEATABLE = frozenset({"warc-concurrent-to", "warc-protocol"})


@dataclass(frozen=True)
class Record:
    """What is remembered of a record.

    Parameters
    ----------
    offset, length
        Of its gzip member in the archive.
    head
        Its fields, names in lower case.
    http
        The head of the HTTP message in it, as it stands there; empty if it holds none.
    """

    offset: int
    length: int
    head: dict[str, str]
    http: bytes

    @property
    def type(self) -> str:
        """WARC-Type."""
        return self.head["warc-type"]

    @property
    def url(self) -> str:
        """WARC-Target-URI, empty if it has none; a space as indexes write it."""
        return self.head.get("warc-target-uri", "").replace(" ", "%20")


@dataclass
class Tally:
    """What a stretch of an archive holds.

    Parameters
    ----------
    found
        Responses and revisits, which the index is of.
    end
        Where the stretch ended.
    """

    end: int = 0
    records: int = 0
    found: list[Record] = field(default_factory=list)
    truncated: dict[str, int] = field(default_factory=dict)
    weight: int = 0


class _Unpacker:
    """The records of a region one after another, unpacked piece by piece."""

    def __init__(self, part: str, region: Region, start: int, work: Work) -> None:
        self._part, self._work = part, work
        self._chunks = region.chunks(start)
        self._chunk = b""
        self._at = 0
        self._machine = inflating.decompressobj(31)
        self._step = _FIRST_STEP
        self.place = start

    def begin(self) -> bool:
        """Go to the next record; whether there is one."""
        self._machine = inflating.decompressobj(31)
        self._step = _FIRST_STEP
        return self._fill()

    def piece(self) -> bytes:
        """The next bytes of the record, empty at its end."""
        while not self._machine.eof:
            if not self._fill():
                raise self.damaged("it breaks off")
            fed = memoryview(self._chunk)[self._at : self._at + self._step]
            try:
                out: bytes = self._machine.decompress(fed, CHUNK)
            except inflating.error as error:
                raise self.damaged(f"it cannot be unpacked: {error}") from error
            rest = self._machine.unused_data or self._machine.unconsumed_tail
            taken = len(fed) - len(rest)
            self._at += taken
            self.place += taken
            self._work.done(taken)
            self._step = min(self._step * 2, _LAST_STEP)
            if out:
                self._work.unpacked(self._part, len(out))
                return out
        return b""

    def damaged(self, reason: str) -> Damaged:
        return Damaged(self._part, f"{reason}, at byte {self.place}")

    def _fill(self) -> bool:
        if self._at == len(self._chunk):
            self._chunk, self._at = next(self._chunks, b""), 0
        return bool(self._chunk)


def read_archive(
    part: str, region: Region, work: Work, cuts: Sequence[int], max_weight: int
) -> Tally:
    """Check every record of an archive.

    Parameters
    ----------
    cuts
        Where records may begin, from an index that nobody has vouched for: the stretches
        between are read side by side. If the records do not meet there, all is read anew.
    max_weight
        Bytes of records' heads that may be kept, which bounds the memory.

    Raises
    ------
    Damaged
        Naming what is wrong, and where.
    """
    starts = [0, *cuts]
    ends = [*cuts, region.size]
    if len(starts) > 1:
        tasks = [
            partial(_stretch, part, region, start, end, work, max_weight)
            for start, end in zip(starts, ends)  # noqa: B905 - Python 3.9 has no strict
        ]
        try:
            tallies = work.each(tasks, region.size)
            if [tally.end for tally in tallies] == ends:
                return _joined(part, tallies, max_weight)
        except Damaged:
            pass  # the cuts may be at fault; if the archive is, that comes out again
    return _joined(part, [_stretch(part, region, 0, region.size, work, max_weight)], max_weight)


def _joined(part: str, tallies: Sequence[Tally], max_weight: int) -> Tally:
    whole = Tally(tallies[-1].end)
    for tally in tallies:
        whole.records += tally.records
        whole.found += tally.found
        whole.weight += tally.weight
        for reason, number in tally.truncated.items():
            whole.truncated[reason] = whole.truncated.get(reason, 0) + number
    if whole.weight > max_weight:
        raise Damaged(part, "it has more records than can be kept in mind")
    if whole.records == 0:
        raise Damaged(part, "it has no record")
    _check_revisits(part, whole.found)
    return whole


def _check_revisits(part: str, found: Sequence[Record]) -> None:
    """Each revisit must lead to a response with the payload that it speaks of."""
    there = {
        (r.head.get("warc-payload-digest"), r.head.get("warc-target-uri"), r.head.get("warc-date"))
        for r in found
        if r.type == "response"
    }
    for record in found:
        names = ("warc-payload-digest", "warc-refers-to-target-uri", "warc-refers-to-date")
        if record.type == "revisit" and tuple(map(record.head.get, names)) not in there:
            raise Damaged(part, f"{record.url} is a revisit of a response that is not there")


def _stretch(part: str, region: Region, start: int, end: int, work: Work, max_weight: int) -> Tally:
    tally = Tally()
    unpacker = _Unpacker(part, region, start, work)
    while unpacker.place < end and unpacker.begin():
        record = _read_record(unpacker)
        tally.records += 1
        reason = record.head.get("warc-truncated")
        if reason is not None:
            tally.truncated[reason] = tally.truncated.get(reason, 0) + 1
        if record.type in ("response", "revisit"):
            tally.weight += len(record.http) + sum(map(len, record.head.values())) + 500
            if tally.weight > max_weight:
                raise unpacker.damaged("it has more records than can be kept in mind")
            tally.found.append(record)
    tally.end = unpacker.place
    return tally


def _read_record(unpacker: _Unpacker) -> Record:
    begun = unpacker.place
    head, rest = _until_blank_line(unpacker, b"")
    fields = _fields(unpacker, head)
    length = fields.get("content-length", "")
    if not length.isdecimal() or len(length) > 18:
        raise unpacker.damaged("a record does not say how long it is")
    http = _read_block(unpacker, fields, int(length), rest)
    return Record(begun, unpacker.place - begun, fields, http)


def _until_blank_line(unpacker: _Unpacker, buffered: bytes) -> tuple[bytes, bytes]:
    """Bytes up to the first empty line, with it, and what was read after."""
    while True:
        place = buffered.find(b"\r\n\r\n")
        if place >= 0:
            return buffered[: place + 4], buffered[place + 4 :]
        if len(buffered) > MAX_HEAD_BYTES:
            raise unpacker.damaged("the head of a record has no end")
        piece = unpacker.piece()
        if not piece:
            raise unpacker.damaged("the head of a record has no end")
        buffered += piece


def _fields(unpacker: _Unpacker, head: bytes) -> dict[str, str]:
    version, *lines = head[:-4].split(b"\r\n")
    if version not in _VERSIONS:
        raise unpacker.damaged("this is no WARC record")
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        key = name.decode("ascii", "replace").lower()
        if not colon or (key in fields and key not in _REPEATABLE):
            raise unpacker.damaged("a record's fields cannot be read")
        fields[key] = value.strip().decode("utf-8", "replace")
    if fields.get("warc-type") not in _TYPES:
        raise unpacker.damaged("a record is of no type that is known")
    return fields


def _read_block(unpacker: _Unpacker, fields: dict[str, str], length: int, rest: bytes) -> bytes:
    """Hash a record's block; the HTTP head in it."""
    kind, claimed = fields["warc-type"], fields.get("warc-payload-digest")
    block = hashlib.sha256()
    # A revisit's payload is elsewhere: its digest is looked for among the responses.
    payload = hashlib.sha256() if claimed is not None and kind != "revisit" else None
    http = b""
    if kind in _HTTP and fields.get("content-type", "").startswith("application/http"):
        http, rest = _until_blank_line(unpacker, rest)
        block.update(http)
    url = fields.get("warc-target-uri", kind)
    left, tail = length - len(http), b""
    while rest or (rest := unpacker.piece()):
        body = rest[: max(left, 0)]
        left -= len(body)
        block.update(body)
        if payload is not None:
            payload.update(body)
        tail += rest[len(body) :]
        rest = b""
        if len(tail) > 4:
            break
    if left != 0 or tail != b"\r\n\r\n":
        raise unpacker.damaged(f"the record of {url} is not as long as it says")
    said = fields.get("warc-block-digest")
    if said is None:
        raise unpacker.damaged(f"the record of {url} has no digest")
    if said != f"sha256:{block.hexdigest()}":
        raise unpacker.damaged(f"the record of {url} is not what its digest says")
    if payload is not None and claimed != f"sha256:{payload.hexdigest()}":
        raise unpacker.damaged(f"the payload of {url} is not what its digest says")
    return http
