"""Checking the bag of a case: its exhibits, keys, ledger and time stamps, against each other.

The signed manifests are the word of whoever exported the bag. The ledger is older than that: so
every exhibit is also looked for in it, and every stamp is held against the exhibit that it is
said to be of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evidence.verifying.authorities import certificate_name
from evidence.verifying.checks import (
    Damaged,
    Findings,
    Unchecked,
    is_sha256,
    json_object,
    sha256_hex,
)
from evidence.verifying.container import Digest, read_members
from evidence.verifying.exhibits import (
    CASE,
    MAX_JSON_BYTES,
    Exhibit,
    archives_of,
    check_custody,
    read_case,
)
from evidence.verifying.files import SIGNATURE, TAGS, check_manifests
from evidence.verifying.keys import (
    MAX_KEY_BYTES,
    Keys,
    key_id,
    read_base64,
    read_pem,
    verify_signature,
)
from evidence.verifying.ledger import Custody, check_ledger
from evidence.verifying.stamps import MAX_TOKEN_BYTES, check_stamp, read_token
from evidence.verifying.wacz import Sealed, WaczCheck
from evidence.verifying.work import Region, Work

STAMPS = "data/stamps/index.json"
#: What people read. Nothing hangs on it but the signed manifests.
_PAPERS = frozenset(
    {
        "data/report.html", "data/report.pdf", "data/declaration-fre-902.html",
        "data/declaration-zh.html", "data/HOW-TO-VERIFY.md", "data/verify.py",
    }
)  # fmt: skip


class BagCheck:
    """A bag whose files have been hashed."""

    def __init__(
        self,
        files: Mapping[str, Region],
        digests: Mapping[str, Digest],
        inner: Mapping[str, tuple[WaczCheck, list[Digest]]],
        findings: Findings,
        keys: Keys,
        roots: tuple[bytes, ...],
    ) -> None:
        self._files, self._digests, self._inner = files, digests, inner
        self._findings, self._keys, self._roots = findings, keys, roots
        self._known: set[str] = {CASE, STAMPS, *_PAPERS}
        self._sealed: dict[str, Sealed] = {}
        self._certificates: set[str] = set()

    def run(self) -> None:
        """Check it. What the manifests do not vouch for is looked into no further."""
        if not check_manifests(self._files, self._digests, self._findings):
            return
        self._signature()
        proves = "the bag says of each exhibit what the exhibit is"
        try:
            case = read_case(self._files, self._digests)
        except Damaged as damage:
            self._findings.fail("exhibits", damage, proves)
            return
        self._known.update(case.files)
        self._findings.say("exhibits", CASE, True, f"{len(case.exhibits)} exhibits", proves)
        for path, (check, digests) in sorted(self._inner.items()):
            self._sealed[path] = check.run(digests, self._keys)
        public_keys = self._public_keys()
        self._signers(case.exhibits, public_keys)
        custody = check_ledger(self._files, public_keys, self._keys, self._findings)
        self._known |= custody.files
        if custody.sound:
            check_custody(case, custody, self._findings)
        self._stamps(case.exhibits, custody)
        self._stored_certificates()
        for name in sorted(set(self._files) - self._known):
            if name.startswith("data/"):
                stray = Damaged(name, "nothing in the bag speaks of it")
                self._findings.fail("listed", stray, "nothing was added")

    def _signature(self) -> None:
        """Look who signed the manifests; whoever it was, the rest is looked at as well."""
        proves = "every file of the bag is the one that the key's holder put into it"
        by = ""
        try:
            if SIGNATURE not in self._files:
                raise Damaged(SIGNATURE, "the signature is missing")
            raw = self._files[SIGNATURE].read(SIGNATURE, MAX_KEY_BYTES)
            said = json_object(SIGNATURE, raw)
            digest = f"sha256:{self._digests[TAGS].sha256}"
            if said.get("path") != TAGS or said.get("hash") != digest:
                raise Damaged(SIGNATURE, f"it is of another {TAGS}")
            spki = read_base64(SIGNATURE, said.get("publicKey"))
            signature = read_base64(SIGNATURE, said.get("signature"))
            order = ("path", "hash", "signature", "publicKey")
            plain = json.dumps({name: said[name] for name in order}, indent=2) + "\n"
            if plain.encode() != raw:
                raise Damaged(SIGNATURE, "it is not of the form that we write")
            by = self._keys.name(spki)
            verify_signature(SIGNATURE, spki, signature, digest.encode())
            self._keys.demand(SIGNATURE, spki)
        except Damaged as damage:
            self._findings.fail("signature", damage, proves, by)
        except Unchecked as reason:
            self._findings.unchecked("signature", SIGNATURE, reason, proves)
        else:
            detail = f"ECDSA P-384 over {digest}"
            self._findings.say("signature", SIGNATURE, True, detail, proves, by)

    # Keys

    def _public_keys(self) -> dict[str, bytes]:
        """The public keys in the bag: for convenience; whose they are, they do not prove."""
        found: dict[str, bytes] = {}
        for name in self._below("data/keys/", ".pem"):
            proves = "the key is the one that its name says; whose it is must be known otherwise"
            try:
                blocks = read_pem(name, self._files[name].read(name, MAX_KEY_BYTES), "PUBLIC KEY")
                made = key_id(blocks[0])
                if len(blocks) != 1 or name != f"data/keys/{made}.pem":
                    raise Damaged(name, f"it is the key {made}")
            except Damaged as damage:
                self._findings.fail("key", damage, proves)
                continue
            found[made] = blocks[0]
            self._findings.say("key", name, True, self._keys.name(blocks[0]), proves)
        return found

    def _below(self, folder: str, suffix: str) -> Iterator[str]:
        for name in sorted(self._files):
            if name.startswith(folder) and name.endswith(suffix):
                self._known.add(name)
                yield name

    def _signers(self, exhibits: Sequence[Exhibit], public_keys: Mapping[str, bytes]) -> None:
        for exhibit in exhibits:
            sealed = self._sealed.get(exhibit.path or "")
            if sealed is None or not sealed.spki:
                continue
            made = key_id(sealed.spki)
            if made not in public_keys or exhibit.key_id not in (None, made):
                self._findings.fail(
                    "signer", Damaged(exhibit.name, f"it was signed by another key: {made}"),
                    "it was signed by the key that the bag names for it",
                )  # fmt: skip

    # Stamps

    def _stamps(self, exhibits: Sequence[Exhibit], custody: Custody) -> None:
        proves = "every stamp that was asked for is here, or is said to be awaited"
        try:
            index = self._stamp_index()
        except Damaged as damage:
            self._findings.fail("stamps", damage, proves)
            return
        awaited = sum(1 for stamp in index if stamp["file"] is None)
        detail = f"{len(index) - awaited} stamps, {awaited} awaited"
        self._findings.say("stamps", STAMPS, True, detail, proves)
        for stamp in index:
            if stamp["file"] is not None:
                self._stamp(stamp, exhibits, custody)

    def _stamp_index(self) -> list[dict[str, Any]]:
        if STAMPS not in self._files:
            raise Damaged(STAMPS, "it is missing")
        raw = self._files[STAMPS].read(STAMPS, MAX_JSON_BYTES)
        # A list, read by the reader of objects, which is the strict one.
        index = json_object(STAMPS, b'{"stamps":' + raw + b"}")["stamps"]
        if not isinstance(index, list):
            raise Damaged(STAMPS, "it is no list")
        for stamp in index:
            if not isinstance(stamp, dict) or not is_sha256(stamp.get("digest")):
                raise Damaged(STAMPS, "an entry of it is no stamp")
            file = stamp.get("file")
            if (file is None) != (stamp.get("state") == "awaiting"):
                raise Damaged(STAMPS, "a stamp is neither here nor awaited")
            if file is None:
                continue
            name = f"data/stamps/{file}"
            if name not in self._files or name in self._known:
                raise Damaged(name, "it is missing, or listed twice")
            self._known.add(name)
        return index

    def _stamp(
        self, stamp: Mapping[str, Any], exhibits: Sequence[Exhibit], custody: Custody
    ) -> None:
        part = f"data/stamps/{stamp['file']}"
        proves = "the authority saw this digest at the time that it gives"
        try:
            of = self._stamped(stamp, exhibits, custody)
            data = self._files[part].read(part, MAX_TOKEN_BYTES)
            self._certificates.update(map(sha256_hex, read_token(part, data).certificates))
            made = check_stamp(part, data, {str(stamp["digest"]): of}, self._roots)
        except Damaged as damage:
            self._findings.fail("time stamp", Damaged(part, damage.reason), proves)
        except Unchecked as reason:
            self._findings.unchecked("time stamp", part, reason, proves)
        else:
            detail = f"{of}, {made.detail}"
            self._findings.say("time stamp", part, True, detail, proves, made.authority.subject)

    def _stamped(
        self, stamp: Mapping[str, Any], exhibits: Sequence[Exhibit], custody: Custody
    ) -> str:
        """What a stamp is of, once its digest has been found to be that thing's.

        Raises
        ------
        Damaged
            If it is not.
        """
        about, subject, digest = stamp.get("about"), stamp.get("subject"), stamp["digest"]
        if about == "checkpoint":
            for note in custody.notes.values():
                if subject == f"checkpoint:{note.size}" and digest == note.sha256:
                    return note.file
        for exhibit in exhibits:
            if exhibit.subject != subject:
                continue
            if about == "package" and digest == exhibit.sha256:
                return exhibit.name
            if about == "archive" and digest in self._archives(exhibit, custody):
                return f"the WARC of {exhibit.name}"
        raise Damaged(STAMPS, "it is a stamp of nothing that is in this bag")

    def _archives(self, exhibit: Exhibit, custody: Custody) -> set[str]:
        """The digest of an exhibit's WARC: worked out, or as the ledger has it if sealed."""
        sealed = self._sealed.get(exhibit.path or "")
        return archives_of(exhibit, custody) if sealed is None else {sealed.archive_sha256}

    def _stored_certificates(self) -> None:
        proves = "it is a certificate out of the stamps, for tools that want it apart"
        for name in self._below("data/certificates/", ".pem"):
            try:
                data = self._files[name].read(name, MAX_KEY_BYTES)
                blocks = read_pem(name, data, "CERTIFICATE")
                made = certificate_name(name, blocks[0])
                if len(blocks) != 1 or name != f"data/certificates/{made}.pem":
                    raise Damaged(name, f"it is the certificate {made}")
                if made not in self._certificates:
                    raise Damaged(name, "it is in no stamp")
            except Damaged as damage:
                self._findings.fail("certificate", damage, proves)
            except Unchecked as reason:
                self._findings.unchecked("certificate", name, reason, proves)
            else:
                self._findings.say("certificate", name, True, "", proves)


def open_inner(files: Mapping[str, Region], findings: Findings, work: Work) -> dict[str, WaczCheck]:
    """Open the containers of the packages in a bag; one that is damaged is put down as such."""
    opened = {}
    for name in sorted(files):
        if name.startswith("data/exhibits/") and name.endswith(".wacz"):
            within = findings.inside(name)
            try:
                members = read_members(files[name])
            except Damaged as damage:
                proves = "no byte of the container itself is free to change"
                within.fail("container", damage, proves)
                continue
            opened[name] = WaczCheck(files[name], members, within, work)
    return opened
