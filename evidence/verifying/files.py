"""The files of a bag, in a ZIP file or unpacked, and the manifests over them.

Source: RFC 8493 (BagIt 1.0), section 2.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from evidence.verifying.checks import Damaged, Findings
from evidence.verifying.container import MAX_MEMBERS, Digest, Member, check_name
from evidence.verifying.work import Region

MAX_TAG_BYTES = 32 << 20
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD = "manifest-sha256.txt"
TAGS = "tagmanifest-sha256.txt"
#: Over the tag manifest, which therefore cannot list it.
SIGNATURE = "signature.json"
_TAG_FILES = frozenset({"bagit.txt", "bag-info.txt", PAYLOAD})
#: Any of these in a folder makes it a bag, if perhaps not a whole one.
MARKS = _TAG_FILES | {TAGS}
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_OXUM = re.compile(r"^Payload-Oxum: (\d+)\.(\d+)$", re.MULTILINE | re.ASCII)


def folder_files(folder: Path) -> dict[str, Region]:
    """All files below a folder, by their path in it.

    Raises
    ------
    Damaged
        If there is a link, something that is no file, or more than any bundle has.
    """
    found: dict[str, Region] = {}
    seen: set[str] = set()
    for root, folders, names in os.walk(folder):
        for name in sorted([*folders, *names]):
            path = Path(root) / name
            part = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise Damaged(part, "it is a symbolic link")
            if stat.S_ISDIR(mode):
                continue
            if not stat.S_ISREG(mode):
                raise Damaged(part, "it is no file")
            check_name(part, seen)
            if len(found) == MAX_MEMBERS:
                raise Damaged(part, f"more than {MAX_MEMBERS} files")
            found[part] = Region(path, 0, path.lstat().st_size)
    return found


def bag_top(members: list[Member]) -> str | None:
    """The folder of a ZIP file that is a bag; None if it has none.

    Raises
    ------
    Damaged
        If there is something beside it.
    """
    tops = {
        member.name.partition("/")[0]
        for member in members
        if member.name.partition("/")[2] in MARKS
    }
    for top in tops:
        for member in members:
            if not member.name.startswith(f"{top}/"):
                raise Damaged(member.name, "it is beside the bag's folder")
        return top
    return None


def check_manifests(
    files: Mapping[str, Region], digests: Mapping[str, Digest], findings: Findings
) -> bool:
    """Hold every file against the manifests, and the manifests against each other."""
    try:
        for name in sorted(MARKS):
            if name not in files:
                raise Damaged(name, "it is missing")
        if files["bagit.txt"].read("bagit.txt", MAX_TAG_BYTES) != DECLARATION:
            raise Damaged("bagit.txt", "it is not that of a bag of ours")
        tags = _read_manifest(TAGS, files)
        payload = _read_manifest(PAYLOAD, files)
    except Damaged as damage:
        return findings.fail("bag", damage, "it is a bag as RFC 8493 has it")
    findings.say(
        "bag", TAGS, True, f"{len(payload)} files, {len(tags)} of its own",
        "it is a bag as RFC 8493 has it; who made it, its signature says",
    )  # fmt: skip
    data = {name for name in files if name.startswith("data/")}
    sound = _compare(
        TAGS, tags, set(files) - data - {TAGS, SIGNATURE}, _TAG_FILES, digests, findings
    )
    sound &= _compare(PAYLOAD, payload, data, frozenset(), digests, findings)
    try:
        _check_oxum(files)
    except Damaged as damage:
        sound = findings.fail("bag", damage, "it has as many files and bytes as it says")
    return sound


def _read_manifest(name: str, files: Mapping[str, Region]) -> dict[str, str]:
    try:
        text = files[name].read(name, MAX_TAG_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Damaged(name, "it is not UTF-8") from error
    listed: dict[str, str] = {}
    if not text.endswith("\n"):
        raise Damaged(name, "its last line has no end")
    for line in text.split("\n")[:-1]:
        found = _LINE.fullmatch(line)
        if found is None:
            raise Damaged(name, f"a line of it cannot be read: {line[:200]!r}")
        digest, path = found.groups()
        if path in listed:
            raise Damaged(name, f"{path} is listed twice")
        listed[path] = digest
    if list(listed) != sorted(listed):
        raise Damaged(name, "it is not sorted")
    return listed


def _check_oxum(files: Mapping[str, Region]) -> None:
    raw = files["bag-info.txt"].read("bag-info.txt", MAX_TAG_BYTES)
    said = _OXUM.findall(raw.decode("utf-8", "replace"))
    sizes = [region.size for name, region in files.items() if name.startswith("data/")]
    if said != [(str(sum(sizes)), str(len(sizes)))]:
        raise Damaged("bag-info.txt", "it gives another number of files or bytes (Payload-Oxum)")


def _compare(
    manifest: str,
    listed: Mapping[str, str],
    there: set[str],
    needed: frozenset[str],
    digests: Mapping[str, Digest],
    findings: Findings,
) -> bool:
    sound = True
    for name in sorted(there - set(listed)):
        damage = Damaged(name, f"it is not in {manifest}")
        sound = findings.fail("listed", damage, "nothing was added")
    for name in sorted((set(listed) | needed) - there):
        sound = findings.fail("there", Damaged(name, "it is missing"), "nothing was taken away")
    for name in sorted(there & set(listed)):
        found = digests[name].sha256
        ok = found == listed[name]
        detail = f"{digests[name].size} bytes, sha256:{found}"
        if not ok:
            detail = f"is sha256:{found}, not sha256:{listed[name]}"
        sound &= findings.say("SHA-256", name, ok, detail, f"it is the one that {manifest} lists")
    return sound
