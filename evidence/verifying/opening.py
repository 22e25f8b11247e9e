"""Verifying offline: every check says what it looked at, what it proves, and by whom.

Nothing in here trusts what it is given, nothing needs the database or the network, and
nothing is ever written to disk. A bundle can be made anew as a whole by anybody with a key of
their own; against that stand the key's id and the bundle's SHA-256, kept apart from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from evidence.verifying.bag import BagCheck, open_inner
from evidence.verifying.checks import Damaged, Findings, Report, Unchecked
from evidence.verifying.container import Digest, Member, digest_of, digests_of, read_members
from evidence.verifying.files import MARKS, bag_top, folder_files
from evidence.verifying.keys import Keys, read_pem
from evidence.verifying.stamps import MAX_TOKEN_BYTES, check_stamp
from evidence.verifying.wacz import Sealed, WaczCheck
from evidence.verifying.work import Region, Work, total

_SEALED_NAME = re.compile(r"[0-9a-f]{64}\.wacz")
_RECORDED = "it is the one that was recorded when it was sealed"
_SEEN = "the authority saw this digest at the time that it gives"


def verify(
    path: Path,
    *,
    expected_sha256: str | None = None,
    key: str | frozenset[str] | None = None,
    roots: bytes | None = None,
    known: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Check a WACZ with the stamps beside it, a bag (ZIP or unpacked), or a folder of such.

    Parameters
    ----------
    expected_sha256
        From a record that was kept apart from the bundle.
    key
        Id of the key (SHA-256 of its SubjectPublicKeyInfo), or of the keys, that may have
        signed.
    roots
        Certificates in PEM of time-stamping authorities that are trusted. Without them, a
        stamp proves only what the certificate in it claims, and the report says so.
    known
        What is known here of keys, by their ids; goes into the report.
    progress
        Called with the bytes that were read since the last call, from any thread.

    Returns
    -------
    Report
        With a failed check for each part that is not what it was.
    """
    pinned = frozenset({key} if isinstance(key, str) else key or ())
    findings = Findings()
    anchors: tuple[bytes, ...] = ()
    if roots is not None:
        try:
            anchors = tuple(read_pem("roots", roots, "CERTIFICATE"))
        except Damaged as damage:
            findings.fail("roots", damage, "the roots given can be read")
    verification = _Verification(findings, Keys(pinned, known), anchors, progress)
    sha256 = verification.run(path, expected_sha256)
    return Report(sha256, tuple(findings.checks))


class _Verification:
    def __init__(
        self,
        findings: Findings,
        keys: Keys,
        roots: tuple[bytes, ...],
        progress: Callable[[int], None] | None,
    ) -> None:
        self._findings, self._keys, self._roots = findings, keys, roots
        self._progress = progress

    def run(self, path: Path, expected: str | None) -> str | None:
        """Check whatever it is; its SHA-256 if it is a file."""
        try:
            if path.is_dir():
                self._folder(path, expected)
                return None
            if not path.is_file():
                raise Damaged(path.name, "there is no such file")
            return self._file(path, expected, self._findings)
        except OSError as error:
            why = f"it cannot be read: {error}"
            self._findings.fail("file", Damaged(path.name, why), "it can be read")
        except Damaged as damage:
            self._findings.fail("file", damage, "it can be read")
        except Exception as error:  # whatever was overlooked here must not pass for well
            why = f"it cannot be judged: {type(error).__name__}: {error}"
            self._findings.fail("file", Damaged(path.name, why), "it can be read")
        return None

    def _work(self, size: int) -> Work:
        return Work(size, self._progress)

    # Files

    def _file(self, path: Path, expected: str | None, findings: Findings) -> str:
        whole = Region(path, 0, path.stat().st_size)
        work = self._work(whole.size)
        if expected is None and _SEALED_NAME.fullmatch(path.name):
            expected = path.stem
        try:
            members = read_members(whole)
            top = bag_top(members)
        except Damaged as damage:
            sha256 = digest_of(whole, work).sha256
            self._expect(path.name, sha256, expected, findings)
            proves = "no byte of the container itself is free to change"
            findings.fail("container", damage, proves)
            return sha256
        if top is not None:
            return self._zipped_bag(whole, members, top, expected, findings, work)
        check = WaczCheck(whole, members, findings, work)
        digest, *digests = digests_of([whole, *(member.region for member in members)], work)
        self._expect(path.name, digest.sha256, expected, findings)
        sealed = check.run(digests, self._keys)
        self._sidecars(path, digest.sha256, sealed, findings)
        return digest.sha256

    def _expect(self, part: str, sha256: str, expected: str | None, findings: Findings) -> None:
        if expected is None:
            return
        ok = sha256 == expected.strip().lower()
        detail = sha256 if ok else f"{sha256}, not {expected}"
        findings.say("SHA-256 of the file", part, ok, detail, _RECORDED)

    def _sidecars(self, path: Path, sha256: str, sealed: Sealed, findings: Findings) -> set[Path]:
        """Check the stamps that lie beside a package."""
        named = re.compile(re.escape(path.name) + r"(\.\d+)?\.tsr")
        found = {other for other in path.parent.iterdir() if named.fullmatch(other.name)}
        digests = {sha256: path.name}
        if sealed.archive_sha256:
            digests[sealed.archive_sha256] = "the WARC in it"
        for other in sorted(found):
            try:
                region = Region(other, 0, other.stat().st_size)
                data = region.read(other.name, MAX_TOKEN_BYTES)
                made = check_stamp(other.name, data, digests, self._roots)
            except Damaged as damage:
                findings.fail("time stamp", damage, _SEEN)
            except Unchecked as reason:
                findings.unchecked("time stamp", other.name, reason, _SEEN)
            else:
                detail = f"{made.digest}, {made.detail}"
                by = made.authority.subject
                findings.say("time stamp", other.name, True, detail, _SEEN, by)
        return found

    # Bags

    def _zipped_bag(
        self,
        whole: Region,
        members: list[Member],
        top: str,
        expected: str | None,
        findings: Findings,
        work: Work,
    ) -> str:
        proves = "no byte of the container itself is free to change"
        findings.say("container", "container", True, f"{len(members)} members", proves)
        files = {member.name[len(top) + 1 :]: member.region for member in members}
        sha256, digests = self._bag(whole, files, findings, work, expected)
        for member in members:
            name = member.name[len(top) + 1 :]
            if digests[name].crc != member.crc:
                damage = Damaged(name, "its bytes do not give its CRC-32")
                findings.fail("container", damage, proves)
        return sha256

    def _bag(
        self,
        whole: Region | None,
        files: Mapping[str, Region],
        findings: Findings,
        work: Work,
        expected: str | None = None,
    ) -> tuple[str, dict[str, Digest]]:
        """Hash all that is in a bag side by side, then check it."""
        inner = open_inner(files, findings, work)
        names = list(files)
        regions = [files[name] for name in names]
        spans: dict[str, range] = {}
        for name, check in inner.items():
            spans[name] = range(len(regions), len(regions) + len(check.members))
            regions += [member.region for member in check.members]
        if whole is not None:
            regions.append(whole)
        digests = digests_of(regions, work)
        by_name = dict(zip(names, digests))  # noqa: B905 - Python 3.9 has no strict
        if whole is not None:
            self._expect(whole.path.name, digests[-1].sha256, expected, findings)
        opened = {
            name: (check, [digests[place] for place in spans[name]])
            for name, check in inner.items()
        }
        BagCheck(files, by_name, opened, findings, self._keys, self._roots).run()
        return digests[-1].sha256, by_name

    # Folders

    def _folder(self, path: Path, expected: str | None) -> None:
        if expected is not None:
            damage = Damaged(path.name, "a folder has no SHA-256 of its own: give the ZIP file")
            self._findings.fail("SHA-256 of the file", damage, _RECORDED)
        try:
            files = folder_files(path)
        except Damaged as damage:
            self._findings.fail("folder", damage, "it holds files and folders, nothing else")
            return
        if MARKS & set(files):
            self._bag(None, files, self._findings, self._work(total(files.values())))
            return
        bundles = [name for name in files if name.endswith((".wacz", ".zip"))]
        proves = "there is something to check"
        if not bundles:
            nothing = Damaged(path.name, "there is no bundle in it (.wacz, .zip, or a bag)")
            self._findings.fail("folder", nothing, proves)
            return
        stamps = {path / name for name in files if name.endswith(".tsr")}
        detail = f"{len(bundles)} bundles, {len(stamps)} stamps"
        left = len(files) - len(bundles) - len(stamps)
        detail += f"; {left} other files, which were not looked at" if left else ""
        self._findings.say("folder", path.name, True, detail, proves)
        for name in sorted(bundles):
            self._file(path / name, None, self._findings.inside(name))
        beside = re.compile(r"(.+\.wacz)(\.\d+)?\.tsr")
        for stamp in sorted(stamps):
            named = beside.fullmatch(stamp.name)
            if named is None or not (stamp.parent / named[1]).is_file():
                part = stamp.relative_to(path).as_posix()
                self._findings.fail("time stamp", Damaged(part, "it lies beside nothing"), _SEEN)
