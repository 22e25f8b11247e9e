"""Checking a WACZ: its manifest, its signature, its parts, and what the parts say.

Source: WACZ 1.1.1; WACZ Signing and Verification 0.1.0, anonymous signatures.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evidence.verifying.checks import (
    Damaged,
    Findings,
    Unchecked,
    json_object,
)
from evidence.verifying.container import Digest, Member
from evidence.verifying.indexes import (
    INDEX,
    MAX_INDEX_BYTES,
    OVER,
    PAGES,
    check_index,
    check_pages,
    cuts_from,
    read_index,
)
from evidence.verifying.keys import Keys, read_base64, verify_signature
from evidence.verifying.warcs import read_archive
from evidence.verifying.work import Region, Work

WACZ_VERSION = "1.1.1"
AUTH_VERSION = "0.1.0"
MAX_MANIFEST_BYTES = 8 << 20
#: Below this, one stretch of an archive is read as fast as two.
_WORTH_CUTTING = 4 << 20

ARCHIVE = "archive/data.warc.gz"
MANIFEST = "datapackage.json"
DIGEST = "datapackage-digest.json"
_OUTSIDE = frozenset({MANIFEST, DIGEST})
_REQUIRED = frozenset({ARCHIVE, INDEX, OVER, PAGES})
_SIGNED = frozenset({"hash", "created", "software", "version", "signature", "publicKey"})

_LISTED = "the list of parts is the one that was sealed"
_KEY = "whoever holds this key sealed exactly this list of parts"


@dataclass
class Sealed:
    """What was found out about a bundle, for what is said elsewhere of it.

    Parameters
    ----------
    archive_sha256
        Of the WARC in it.
    created
        The time that the bundle gives for itself.
    spki
        The key that signed it, if one did.
    """

    archive_sha256: str = ""
    created: str = ""
    spki: bytes = b""
    members: dict[str, Member] = field(default_factory=dict)


class WaczCheck:
    """A WACZ whose container is well, before anything in it has been looked at."""

    def __init__(
        self, whole: Region, members: list[Member], findings: Findings, work: Work
    ) -> None:
        self.whole, self.members = whole, members
        self._findings, self._work = findings, work
        self.sealed = Sealed(members={member.name: member for member in members})
        proves = "no byte of the container itself is free to change"
        findings.say("container", "container", True, f"{len(members)} members", proves)

    def run(self, digests: Sequence[Digest], keys: Keys) -> Sealed:
        """Check what is in it.

        Parameters
        ----------
        digests
            Of the members, in their order.
        """
        hashed = {m.name: digests[place] for place, m in enumerate(self.members)}
        try:
            package, resources = self._manifest(hashed)
        except Damaged as damage:
            self._findings.fail("manifest", damage, _LISTED)
            return self.sealed
        self.sealed.created = str(package.get("created"))
        detail = f"{len(resources)} parts, made {self.sealed.created}"
        self._findings.say("manifest", MANIFEST, True, detail, _LISTED)
        sound = self._signature(package, hashed[MANIFEST].sha256, keys)
        if self._resources(resources, hashed) and sound:
            self.sealed.archive_sha256 = hashed[ARCHIVE].sha256
            # Only bytes that the manifest vouches for are parsed any further.
            self._contents()
        return self.sealed

    def _manifest(
        self, hashed: Mapping[str, Digest]
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        for name in sorted(_OUTSIDE):
            if name not in hashed:
                raise Damaged(name, "it is missing")
        for name in sorted(_OUTSIDE):
            self._same_crc(name, hashed)
        digest = self._object(DIGEST)
        found = f"sha256:{hashed[MANIFEST].sha256}"
        if digest.get("path") != MANIFEST or digest.get("hash") != found:
            raise Damaged(DIGEST, f"it is of another {MANIFEST}")
        if set(digest) - {"path", "hash", "signedData"}:
            raise Damaged(DIGEST, "it holds something that does not belong there")
        package = self._object(MANIFEST)
        if package.get("wacz_version") != WACZ_VERSION:
            raise Damaged(MANIFEST, f"it is not of WACZ {WACZ_VERSION}")
        return package, _listed(package)

    def _object(self, name: str) -> dict[str, Any]:
        return json_object(name, self._read(name, MAX_MANIFEST_BYTES))

    def _read(self, name: str, limit: int) -> bytes:
        return self.sealed.members[name].region.read(name, limit)

    def _same_crc(self, name: str, hashed: Mapping[str, Digest]) -> None:
        member, digest = self.sealed.members[name], hashed[name]
        if digest.size != member.region.size or digest.crc != member.crc:
            raise Damaged(name, "its bytes do not give its CRC-32")

    def _signature(self, package: Mapping[str, Any], manifest: str, keys: Keys) -> bool:
        """Whether whoever signed this is who may; that it was not looked at is no fault."""
        by = ""
        try:
            said = self._object(DIGEST).get("signedData")
            if not isinstance(said, dict):
                raise Damaged(DIGEST, "the signature is missing")
            if set(said) != _SIGNED or said["version"] != AUTH_VERSION:
                raise Damaged(DIGEST, "its signature is not of the form that we write")
            if said["hash"] != f"sha256:{manifest}":
                raise Damaged(DIGEST, f"its signature is of another {MANIFEST}")
            spki = read_base64(DIGEST, said["publicKey"])
            signature = read_base64(DIGEST, said["signature"])
            by = keys.name(spki)
            verify_signature(DIGEST, spki, signature, f"sha256:{manifest}".encode())
            # The signature does not cover these two; the manifest, which it covers, has them.
            if said["created"] != package.get("created"):
                raise Damaged(DIGEST, "it gives another time than the signed manifest")
            if said["software"] != package.get("software"):
                raise Damaged(DIGEST, "it names other software than the signed manifest")
            keys.demand(DIGEST, spki)
        except Damaged as damage:
            return self._findings.fail("signature", damage, _KEY, by)
        except Unchecked as reason:
            self._findings.unchecked("signature", DIGEST, reason, _KEY)
            return True
        self.sealed.spki = spki
        detail = f"ECDSA P-384 over sha256:{manifest}"
        return self._findings.say("signature", DIGEST, True, detail, _KEY, by)

    def _resources(
        self, resources: Mapping[str, dict[str, Any]], hashed: Mapping[str, Digest]
    ) -> bool:
        sound = True
        there = set(hashed) - _OUTSIDE
        for name in sorted(there - set(resources)):
            reason = Damaged(name, "it is not in the manifest")
            sound &= self._findings.fail("listed", reason, "nothing was added")
        for name in sorted((set(resources) | _REQUIRED) - there):
            why = "it is missing" if name in resources else "a bundle needs it"
            sound &= self._findings.fail("there", Damaged(name, why), "nothing was taken away")
        for name in sorted(there & set(resources)):
            resource, digest = resources[name], hashed[name]
            found = f"sha256:{digest.sha256}"
            ok = found == resource.get("hash") and digest.size == resource.get("bytes")
            detail = f"{digest.size} bytes, {found}"
            if not ok:
                detail = f"is {found}, {digest.size} bytes"
            elif digest.crc != self.sealed.members[name].crc:
                ok, detail = False, "its bytes do not give its CRC-32"
            proves = "it is unchanged since it was sealed"
            sound &= self._findings.say("SHA-256", name, ok, detail, proves)
        return sound

    def _contents(self) -> None:
        members, findings = self.sealed.members, self._findings
        proves = "the index leads to the archive's records, all of them"
        try:
            lines = read_index(members[INDEX].region, members[OVER].region, self._work)
        except Damaged as damage:
            findings.fail("index", damage, proves)
            return
        archive = members[ARCHIVE].region
        shares = min(os.cpu_count() or 1, archive.size // _WORTH_CUTTING) if lines else 1
        cuts = cuts_from(lines, archive.size, shares) if shares > 1 else []
        digests = "the archive says of each record what the record is"
        try:
            tally = read_archive(ARCHIVE, archive, self._work, cuts, MAX_INDEX_BYTES)
        except Damaged as damage:
            findings.fail("record digests", damage, digests)
            return
        detail = f"{tally.records} records"
        for reason, number in sorted(tally.truncated.items()):
            detail += f", {number} truncated ({reason})"
        findings.say("record digests", ARCHIVE, True, detail, digests)
        try:
            findings.say("index", INDEX, True, check_index(lines, ARCHIVE, tally.found), proves)
        except Damaged as damage:
            findings.fail("index", damage, proves)
        proves = "each page listed was captured"
        try:
            pages = self._read(PAGES, MAX_INDEX_BYTES)
            findings.say("pages", PAGES, True, check_pages(pages, tally.found), proves)
        except Damaged as damage:
            findings.fail("pages", damage, proves)


def _listed(package: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources of a manifest by their path."""
    resources = package.get("resources")
    if not isinstance(resources, list) or not resources:
        raise Damaged(MANIFEST, "it lists no resources")
    listed: dict[str, dict[str, Any]] = {}
    for resource in resources:
        if not isinstance(resource, dict) or not isinstance(resource.get("path"), str):
            raise Damaged(MANIFEST, "a resource has no path")
        path = resource["path"]
        if path in listed:
            raise Damaged(MANIFEST, f"{path} is listed twice")
        listed[path] = resource
    return listed
