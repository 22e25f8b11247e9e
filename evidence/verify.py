"""Verifying a bundle offline: every check says what it looked at and what it proves.

Nothing in here trusts the bundle, and nothing needs the database or the network. A bundle
that is not signed can be made anew as a whole by anybody; against that stands only its
SHA-256, which the database recorded when it was sealed. The report says so.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from evidence import warc
from evidence.container import (
    Damaged,
    Member,
    check_canonical,
    read_chunks,
    read_members,
    read_whole,
)
from evidence.wacz import WACZ_VERSION
from registry.blobs import sha256_of

MAX_MANIFEST_BYTES = 16 << 20
MAX_INDEX_BYTES = 64 << 20
ARCHIVE = "archive/data.warc.gz"
_OUTSIDE = frozenset({"datapackage.json", "datapackage-digest.json"})
_REQUIRED = frozenset({ARCHIVE, "indexes/index.cdx.gz", "indexes/index.idx", "pages/pages.jsonl"})
_SEALED_NAME = re.compile(r"^[0-9a-f]{64}\.wacz$")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    part
        The member of the bundle that the check is about.
    proves
        What follows if it is well.
    """

    name: str
    part: str
    ok: bool
    detail: str
    proves: str


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one bundle, in the order in which they were made."""

    sha256: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check is well."""
        return all(check.ok for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": self.ok,
            "sha256": self.sha256,
            "checks": [asdict(check) for check in self.checks],
        }


def verify(path: Path, *, expected_sha256: str | None = None) -> Report:
    """Check a bundle.

    Parameters
    ----------
    expected_sha256
        From a record that was kept apart from the bundle.

    Returns
    -------
    Report
        With a failed check for each part that is not what it was.
    """
    return _Verification(path).run(expected_sha256)


class _Verification:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.checks: list[Check] = []
        self.members: dict[str, Member] = {}
        self.resources: dict[str, dict[str, Any]] = {}

    def run(self, expected: str | None) -> Report:
        sha256 = sha256_of(self.path)
        if expected is None and _SEALED_NAME.match(self.path.name):
            expected = self.path.stem
        if expected is not None:
            self._say(
                "SHA-256 of the file", self.path.name, sha256 == expected.lower(),
                f"{sha256}" + ("" if sha256 == expected.lower() else f", not {expected}"),
                "the bundle is the one that was recorded when it was sealed",
            )  # fmt: skip
        if self._container() and self._manifest():
            self._resources()
            if all(check.ok for check in self.checks):
                # Only bytes that the manifest vouches for are parsed any further.
                self._contents()
        return Report(sha256, tuple(self.checks))

    def _say(self, name: str, part: str, ok: bool, detail: str, proves: str) -> bool:
        self.checks.append(Check(name, part, ok, detail, proves))
        return ok

    def _container(self) -> bool:
        proves = "no byte of the container itself is free to change"
        try:
            members = read_members(self.path)
            check_canonical(self.path, members)
        except Damaged as damage:
            return self._say("container", damage.part, False, damage.reason, proves)
        self.members = {member.name: member for member in members}
        return self._say("container", "container", True, f"{len(members)} members", proves)

    def _manifest(self) -> bool:
        proves = "the list of parts is the one that was sealed"
        try:
            for name in sorted(_OUTSIDE):
                if name not in self.members:
                    raise Damaged(name, "it is missing")
            raw = read_whole(self.path, self.members["datapackage.json"], MAX_MANIFEST_BYTES)
            digest = _object(
                "datapackage-digest.json",
                read_whole(self.path, self.members["datapackage-digest.json"], 1 << 20),
            )
            package = _object("datapackage.json", raw)
            found = f"sha256:{hashlib.sha256(raw).hexdigest()}"
            if digest.get("path") != "datapackage.json" or digest.get("hash") != found:
                raise Damaged("datapackage-digest.json", "it is of another datapackage.json")
            if package.get("wacz_version") != WACZ_VERSION:
                raise Damaged("datapackage.json", f"it is not of WACZ {WACZ_VERSION}")
            self.resources = _listed(package)
        except Damaged as damage:
            return self._say("manifest", damage.part, False, damage.reason, proves)
        detail = f"{len(self.resources)} parts, made {package.get('created')}"
        return self._say("manifest", "datapackage.json", True, detail, proves)

    def _resources(self) -> None:
        there = set(self.members) - _OUTSIDE
        for name in sorted(there - set(self.resources)):
            self._say("listed", name, False, "it is not in the manifest", "nothing was added")
        for name in sorted(set(self.resources) - there):
            self._say("there", name, False, "it is missing", "nothing was taken away")
        for name in sorted(_REQUIRED - there - set(self.resources)):
            self._say("there", name, False, "a bundle needs it", "nothing was taken away")
        for name in sorted(there & set(self.resources)):
            resource, member = self.resources[name], self.members[name]
            digest = hashlib.sha256()
            try:
                for chunk in read_chunks(self.path, member):
                    digest.update(chunk)
            except Damaged as damage:
                self._say("SHA-256", name, False, damage.reason, "it is unchanged")
                continue
            found = f"sha256:{digest.hexdigest()}"
            ok = found == resource.get("hash") and member.size == resource.get("bytes")
            detail = f"{member.size} bytes, {found}" if ok else f"is {found}, {member.size} bytes"
            self._say("SHA-256", name, ok, detail, "it is unchanged since it was sealed")

    def _contents(self) -> None:
        proves = "the archive says of each record what the record is"
        try:
            index, records = self._archive()
            detail = f"{records} records"
            self._say("record digests", ARCHIVE, True, detail, proves)
        except Damaged as damage:
            self._say("record digests", damage.part, False, damage.reason, proves)
            return
        for name, check, what in (
            ("indexes/index.cdx.gz", self._index, "the index leads to the archive's records"),
            ("pages/pages.jsonl", self._pages, "each page listed was captured"),
        ):
            try:
                self._say("index" if "index" in name else "pages", name, True, check(index), what)
            except Damaged as damage:
                self._say("index" if "index" in name else "pages", damage.part, False,
                          damage.reason, what)  # fmt: skip

    def _archive(self) -> tuple[list[str], int]:
        """Check each record's own digests; the index lines that the archive gives."""
        member = self.members[ARCHIVE]
        records = 0
        try:
            with self.path.open("rb") as file:
                for record in ArchiveIterator(_Slice(file, member), check_digests=True):
                    stream = record.content_stream()
                    while stream.read(1 << 20):
                        pass
                    records += 1
                    checker = record.digest_checker
                    if record.rec_headers.get_header("WARC-Block-Digest") is None:
                        raise Damaged(ARCHIVE, f"record {records} has no digest")
                    if checker is not None and checker.passed is False:
                        url = record.rec_headers.get_header("WARC-Target-URI")
                        problem = "; ".join(checker.problems)
                        raise Damaged(ARCHIVE, f"record {records} ({url}): {problem}")
                file.seek(0)
                lines = sorted(warc.cdxj_lines(_Slice(file, member), "data.warc.gz"))
        except (ArchiveLoadFailed, OSError, EOFError, ValueError, AttributeError) as error:
            raise Damaged(ARCHIVE, f"cannot be read after record {records}: {error}") from error
        return lines, records

    def _index(self, expected: list[str]) -> str:
        """The index must be what the archive gives, block by block as the .idx cuts it."""
        name, over = "indexes/index.cdx.gz", "indexes/index.idx"
        packed = read_whole(self.path, self.members[name], MAX_INDEX_BYTES)
        places = read_whole(self.path, self.members[over], MAX_INDEX_BYTES).decode().splitlines()
        lines: list[str] = []
        end = 0
        for place in places[1:]:
            key, _, rest = place.partition(" {")
            where = _object(over, b"{" + rest.encode())
            block = packed[end : end + int(where.get("length", 0))]
            if where.get("offset") != end or where.get("digest") != _sha256(block):
                raise Damaged(over, "it does not lead to the blocks of the index")
            try:
                found = gzip.decompress(block).decode().splitlines()
            except (OSError, EOFError, UnicodeDecodeError) as error:
                raise Damaged(name, f"cannot be read: {error}") from error
            if not found or not found[0].startswith(f"{key} "):
                raise Damaged(over, "it names another first line")
            lines += found
            end += len(block)
        if end != len(packed) or lines != expected:
            raise Damaged(name, "it is not the index of this archive")
        return f"{len(lines)} responses"

    def _pages(self, index: list[str]) -> str:
        name = "pages/pages.jsonl"
        captured = {json.loads(line.split(" ", 2)[2])["url"].split("#")[0] for line in index}
        raw = read_whole(self.path, self.members[name], MAX_INDEX_BYTES)
        pages = [_object(name, line) for line in raw.splitlines()[1:]]
        for page in pages:
            url = str(page.get("url")).split("#")[0]
            if url not in captured and not url.startswith(("about:", "chrome-error:")):
                raise Damaged(name, f"{url} is not in the archive")
        if not pages:
            raise Damaged(name, "it lists no page")
        return f"{len(pages)} pages"


class _Slice(io.RawIOBase):
    """A member of the bundle as a file of its own, without a copy."""

    def __init__(self, file: io.BufferedReader, member: Member) -> None:
        self._file, self._member, self._at = file, member, 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = self._member.size - self._at
        take = left if size is None or size < 0 else min(size, left)
        self._file.seek(self._member.offset + self._at)
        data = self._file.read(take)
        self._at += len(data)
        return data


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _object(name: str, raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Damaged(name, f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Damaged(name, "not a JSON object")
    return value


def _listed(package: dict[str, Any]) -> dict[str, dict[str, Any]]:
    def entries() -> Iterator[tuple[str, dict[str, Any]]]:
        resources = package.get("resources")
        if not isinstance(resources, list) or not resources:
            raise Damaged("datapackage.json", "it lists no resources")
        for resource in resources:
            if not isinstance(resource, dict) or not isinstance(resource.get("path"), str):
                raise Damaged("datapackage.json", "a resource has no path")
            yield resource["path"], resource

    listed: dict[str, dict[str, Any]] = {}
    for path, resource in entries():
        if path in listed:
            raise Damaged("datapackage.json", f"{path} is listed twice")
        listed[path] = resource
    return listed
