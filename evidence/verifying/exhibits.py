"""The exhibits of a case as its bag lists them, held against its files and its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evidence.verifying.checks import Damaged, Findings, is_sha256, json_object
from evidence.verifying.container import Digest
from evidence.verifying.ledger import ENTRIES, Custody
from evidence.verifying.work import Region

MAX_JSON_BYTES = 16 << 20
CASE = "data/case.json"
_SEAL_HEAD, _SEAL_CHUNK, _SEAL_TAG = 8 + 32, 1 << 20, 16
_CUSTODY = "this very file is the one that the signed ledger speaks of"
_COMPLETE = "the ledger says which exhibits and entries this bag was given; none is missing"


@dataclass
class Exhibit:
    """An exhibit, as ``case.json`` lists it."""

    number: int
    id: str
    kind: str
    subject: str
    path: str | None
    sha256: str | None
    size: int | None
    sealed: bool
    key_id: str | None
    deleted: bool
    files: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For messages."""
        return self.path or f"exhibit {self.number}"


@dataclass(frozen=True)
class Case:
    """What ``case.json`` says.

    Parameters
    ----------
    name
        Of the bag, by the case's reference and the time of the export.
    withheld
        Numbers of the ledger entries that are not shown, since they name a private person.
    """

    name: str
    exhibits: tuple[Exhibit, ...]
    withheld: tuple[int, ...]

    @property
    def files(self) -> list[str]:
        """All files that exhibits name."""
        return [path for exhibit in self.exhibits for path in exhibit.files]


def read_case(files: Mapping[str, Region], digests: Mapping[str, Digest]) -> Case:
    """Read ``case.json``, and hold the exhibits' files against it.

    Raises
    ------
    Damaged
        Naming the file that is not as it says, or what it lacks.
    """
    if CASE not in files:
        raise Damaged(CASE, "it is missing")
    said = json_object(CASE, files[CASE].read(CASE, MAX_JSON_BYTES))
    case, exported, listed = (said.get(key) for key in ("case", "exported", "exhibits"))
    if not isinstance(case, dict) or not isinstance(exported, dict) or said.get("v") != 1:
        raise Damaged(CASE, "it does not describe a case")
    withheld = said.get("withheld_entries")
    if not isinstance(listed, list) or not isinstance(withheld, list):
        raise Damaged(CASE, "it does not list the exhibits")
    if any(type(seq) is not int for seq in withheld):
        raise Damaged(CASE, "it withholds entries without a number")
    exhibits = tuple(_exhibit(one) for one in listed)
    if len({exhibit.number for exhibit in exhibits}) != len(exhibits):
        raise Damaged(CASE, "two exhibits have one number")
    at = "".join(c for c in str(exported.get("at")).partition(".")[0] if c.isdigit() or c == "T")
    made = Case(f"{case.get('reference')}-{at}Z", exhibits, tuple(withheld))
    if len(set(made.files)) != len(made.files):
        raise Damaged(CASE, "two exhibits name one file")
    for exhibit in exhibits:
        _check_files(exhibit, files, digests)
    return made


def _check_files(
    exhibit: Exhibit, files: Mapping[str, Region], digests: Mapping[str, Digest]
) -> None:
    for path in exhibit.files:
        if path not in files:
            raise Damaged(path, f"exhibit {exhibit.number} is missing")
    if exhibit.path is None:
        if not exhibit.deleted:
            raise Damaged(CASE, f"exhibit {exhibit.number} has no file, and was not deleted")
        return
    found = digests[exhibit.path]
    if exhibit.sealed:
        chunks = max(1, -(-(exhibit.size or 0) // _SEAL_CHUNK))
        if found.size != _SEAL_HEAD + (exhibit.size or 0) + chunks * _SEAL_TAG:
            raise Damaged(exhibit.path, "what is sealed in it has another length")
    elif (found.sha256, found.size) != (exhibit.sha256, exhibit.size):
        raise Damaged(exhibit.path, f"it is not exhibit {exhibit.number} as the case lists it")


def _exhibit(said: object) -> Exhibit:
    """Read an exhibit's entry."""
    if not isinstance(said, dict):
        raise Damaged(CASE, "an exhibit is no object")
    number, path, sealed_part = said.get("number"), said.get("path"), said.get("sealed_part")
    if type(number) is not int or not isinstance(said.get("subject"), str):
        raise Damaged(CASE, "an exhibit has no number or no subject")
    fits = isinstance(path, str) and is_sha256(said.get("sha256")) and _is_size(said.get("size"))
    if (path is not None and not fits) or not _is_sha256_or_none(said.get("sha256")):
        raise Damaged(CASE, f"exhibit {number} is not described whole")
    files = [] if path is None else [path]
    if sealed_part is not None:
        if not isinstance(sealed_part, dict) or not isinstance(sealed_part.get("path"), str):
            raise Damaged(CASE, f"exhibit {number} has a sealed part that is not described")
        files.append(sealed_part["path"])
    return Exhibit(
        number=number,
        id=str(said.get("id")),
        kind=str(said.get("kind")),
        subject=said["subject"],
        path=path,
        sha256=said.get("sha256"),
        size=said.get("size"),
        sealed=said.get("sealed") is True,
        key_id=said.get("key_id"),
        deleted=said.get("deleted_at") is not None,
        files=files,
    )


def _is_sha256_or_none(value: object) -> bool:
    return value is None or is_sha256(value)


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


# The ledger


def check_custody(case: Case, custody: Custody, findings: Findings) -> None:
    """Hold the case against what the ledger says of it."""
    try:
        detail = _complete(case, custody)
    except Damaged as damage:
        findings.fail("completeness", damage, _COMPLETE)
    else:
        findings.say("completeness", ENTRIES, True, detail, _COMPLETE)
    for exhibit in case.exhibits:
        if exhibit.kind == "purchase" and not exhibit.deleted:
            continue  # its record is written for the bag; the export's entry has its hash
        try:
            detail = _in_ledger(exhibit, custody)
        except Damaged as damage:
            findings.fail("custody", damage, _CUSTODY)
        else:
            findings.say("custody", exhibit.name, True, detail, _CUSTODY)


def _complete(case: Case, custody: Custody) -> str:
    """Hold exhibits and entries against the entry that the export made of itself."""
    exports = [
        entry
        for entry in custody.entries
        if entry["event"] == "exported" and _details(entry).get("bag") == case.name
    ]
    if len(exports) != 1:
        raise Damaged(ENTRIES, f"it has {len(exports)} entries of the export of {case.name}")
    (export,) = exports
    said = _details(export)
    given = [{"number": e.number, "sha256": e.sha256} for e in case.exhibits if e.path]
    if said.get("exhibits") != given:
        raise Damaged(CASE, "it lists other exhibits than the ledger says were exported")
    subjects = {str(export["subject"]), *(e.subject for e in case.exhibits)}
    subjects |= {f"exhibit:{exhibit.id}" for exhibit in case.exhibits}
    for entry in custody.entries:
        if entry["subject"] not in subjects:
            raise Damaged(ENTRIES, f"entry {entry['seq']} is not about this case")
        if _details(entry).get("corrects") == export["seq"]:
            raise Damaged(ENTRIES, f"entry {entry['seq']} says that there is no such bag")
    before = [entry for entry in custody.entries if entry["seq"] < export["seq"]]
    withheld = [seq for seq in case.withheld if seq < export["seq"]]
    if said.get("withheld") != withheld or said.get("entries") != len(before):
        raise Damaged(ENTRIES, f"entries of the case before entry {export['seq']} are missing")
    detail = f"entry {export['seq']}, by {export['actor']}"
    return f"{detail}; not shown: {', '.join(map(str, withheld))}" if withheld else detail


def _in_ledger(exhibit: Exhibit, custody: Custody) -> str:
    """Find an exhibit in the ledger with its SHA-256, and its deletion if it was deleted."""
    entries = [entry for entry in custody.entries if entry["subject"] == exhibit.subject]
    if exhibit.deleted and not any(entry["event"] == "deleted" for entry in entries):
        raise Damaged(exhibit.name, "the ledger does not tell of its deletion")
    if exhibit.sha256 is None:
        return f"deleted, {exhibit.subject}"
    said = {
        _details(entry)["sha256"]: entry["seq"]
        for entry in entries
        if entry["event"] in ("sealed", "exhibit_added")
        and is_sha256(_details(entry).get("sha256"))
    }
    if set(said) != {exhibit.sha256}:
        reason = "the ledger speaks of another file" if said else "the ledger lacks it"
        raise Damaged(exhibit.name, reason)
    return f"entry {said[exhibit.sha256]}, {exhibit.subject}"


def archives_of(exhibit: Exhibit, custody: Custody) -> set[str]:
    """The digests of an exhibit's WARC that the ledger has: of what is sealed or deleted."""
    return {
        str(_details(entry).get("archive_sha256"))
        for entry in custody.entries
        if custody.sound and entry["subject"] == exhibit.subject and entry["event"] == "sealed"
    }


def _details(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    details = entry["details"]
    return details if isinstance(details, dict) else {}
