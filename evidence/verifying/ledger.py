"""The custody ledger in a bag: entries, the signed checkpoints, and what proves them.

The bag has only the entries of its case. That they are in the ledger which was signed, in
this order and word for word, is proved by the hashes; that none of the case was left out is not.

Source: RFC 9162, section 2.1; C2SP tlog-checkpoint and signed-note, with ECDSA P-384.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evidence.custody.merkle import leaf_hash, verify_consistency, verify_inclusion
from evidence.verifying.checks import (
    Damaged,
    Findings,
    Unchecked,
    is_sha256,
    json_object,
    sha256_hex,
)
from evidence.verifying.keys import Keys, key_id, read_base64, verify_signature
from evidence.verifying.work import Region

MAX_LEDGER_BYTES = 64 << 20
MAX_NOTE_BYTES = 1 << 12
MAX_CHECKPOINTS = 10_000

FOLDER = "data/ledger/"
ENTRIES = f"{FOLDER}entries.jsonl"
PROOFS = f"{FOLDER}proofs.json"
CHECKPOINT = f"{FOLDER}checkpoint.txt"
_ORIGIN = "touchstone-ledger-"
_LEAF = frozenset(
    {"v", "seq", "event", "subject", "actor", "occurred_at", "recorded_at", "details"}
)


@dataclass(frozen=True)
class Note:
    """A checkpoint as it was signed."""

    file: str
    origin: str
    size: int
    root: bytes
    sha256: str


@dataclass
class Custody:
    """What the ledger says, once it has been checked.

    Parameters
    ----------
    entries
        What each entry's text says, in order.
    notes
        The signed checkpoints by their size.
    files
        The members of the bag that the ledger's proofs name.
    """

    sound: bool = False
    entries: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[int, Note] = field(default_factory=dict)
    files: set[str] = field(default_factory=lambda: {ENTRIES, PROOFS, CHECKPOINT})


def check_ledger(
    members: Mapping[str, Region],
    public_keys: Mapping[str, bytes],
    keys: Keys,
    findings: Findings,
) -> Custody:
    """Check the ledger of a bag.

    Parameters
    ----------
    public_keys
        The keys that the bag brings along: id, SubjectPublicKeyInfo.
    """
    custody = Custody()
    proves = "whoever holds this key vouched for the ledger as it was then"
    try:
        proofs = json_object(PROOFS, _member(members, PROOFS).read(PROOFS, MAX_LEDGER_BYTES))
        earlier = proofs.get("earlier")
        if not isinstance(earlier, list) or len(earlier) > MAX_CHECKPOINTS:
            raise Damaged(PROOFS, "it does not list the earlier checkpoints")
        stated = [{**proofs, "file": proofs.get("checkpoint")}, *earlier]
        for place, one in enumerate(stated):
            note = _check_note(one, place == 0, members, public_keys, keys, findings, proves)
            if note is None:
                return custody
            if note.size in custody.notes:
                raise Damaged(note.file, "there are two checkpoints of this size")
            custody.notes[note.size] = note
            custody.files.add(note.file)
    except Damaged as damage:
        findings.fail("checkpoint", damage, proves)
        return custody
    latest = custody.notes[proofs["size"]]
    custody.sound = _check_entries(members, proofs, latest, custody, findings)
    custody.sound &= _history(earlier, custody, latest, findings)
    return custody


def _member(members: Mapping[str, Region], name: str) -> Region:
    if name not in members:
        raise Damaged(name, "it is missing")
    return members[name]


def _check_note(
    stated: object,
    latest: bool,
    members: Mapping[str, Region],
    public_keys: Mapping[str, bytes],
    keys: Keys,
    findings: Findings,
    proves: str,
) -> Note | None:
    """Check a checkpoint's signature and what the proofs say of it; None if it is not well."""
    if not isinstance(stated, dict) or type(stated.get("size")) is not int:
        raise Damaged(PROOFS, "it does not name its checkpoints")
    expected = CHECKPOINT if latest else f"{FOLDER}checkpoint-{stated['size']}.txt"
    if f"{FOLDER}{stated.get('file')}" != expected:
        raise Damaged(PROOFS, "it names a checkpoint by another name")
    raw = _member(members, expected).read(expected, MAX_NOTE_BYTES)
    by = ""
    try:
        note, signed, hint, signature = _read_note(expected, raw)
        if (note.size, note.root.hex()) != (stated["size"], stated.get("root")):
            raise Damaged(expected, "it is not the checkpoint that the proofs are of")
        spki = next((k for k in public_keys.values() if key_id(k)[:8] == hint.hex()), None)
        if spki is None:
            raise Damaged(expected, "it was signed by a key that the bag does not bring along")
        by = keys.name(spki)
        verify_signature(expected, spki, signature, signed)
        keys.demand(expected, spki)
    except Damaged as damage:
        findings.fail("checkpoint", damage, proves, by)
        return None
    except Unchecked as reason:
        findings.unchecked("checkpoint", expected, reason, proves)
    else:
        detail = f"{note.size} entries, root {note.root.hex()}"
        findings.say("checkpoint", expected, True, detail, proves, by)
    return note


def _read_note(part: str, raw: bytes) -> tuple[Note, bytes, bytes, bytes]:
    """A note; the bytes under its signature; the hint at the key; the signature."""
    try:
        origin, size, root, blank, signature, end = raw.decode("utf-8").split("\n")
        dash, name, seal = signature.split(" ")
        fits = (dash, name, blank, end) == ("—", origin, "", "") and size == str(int(size))
        if not fits or not origin.startswith(_ORIGIN):
            raise ValueError("not as the ledger writes it")
    except ValueError as error:
        raise Damaged(part, f"it is no checkpoint: {error}") from error
    sealed = read_base64(part, seal)
    note = Note(part, origin, int(size), read_base64(part, root), sha256_hex(raw))
    return note, f"{origin}\n{size}\n{root}\n".encode(), sealed[:4], sealed[4:]


def _check_entries(
    members: Mapping[str, Region],
    proofs: Mapping[str, Any],
    latest: Note,
    custody: Custody,
    findings: Findings,
) -> bool:
    proves = "each entry stands in the signed ledger, word for word and at its place"
    try:
        raw = _member(members, ENTRIES).read(ENTRIES, MAX_LEDGER_BYTES)
        inclusion = proofs.get("inclusion")
        if not isinstance(inclusion, dict):
            raise Damaged(PROOFS, "it proves no entry")
        for line in _lines(raw):
            entry = json_object(ENTRIES, line)
            seq, leaf = entry.get("seq"), entry.get("leaf")
            if set(entry) != {"seq", "leaf"} or type(seq) is not int or not isinstance(leaf, str):
                raise Damaged(ENTRIES, "a line is no entry")
            custody.entries.append(_entry(seq, leaf, custody.entries))
            path = _path(inclusion.get(str(seq)), f"entry {seq}")
            encoded = leaf.encode("utf-8", "replace")
            if not verify_inclusion(leaf_hash(encoded), seq, latest.size, path, latest.root):
                raise Damaged(ENTRIES, f"entry {seq} is not in the ledger that was signed")
            origin = _ORIGIN + leaf_hash(encoded).hex()[:16]
            if seq == 0 and latest.origin != origin:
                raise Damaged(latest.file, "it is of a ledger that begins with another entry")
        if len(inclusion) != len(custody.entries):
            raise Damaged(ENTRIES, "entries are missing that the proofs are of")
        if not custody.entries:
            raise Damaged(ENTRIES, "it has no entry")
    except Damaged as damage:
        return findings.fail("ledger entries", damage, proves)
    detail = f"{len(custody.entries)} entries of {latest.size}"
    return findings.say("ledger entries", ENTRIES, True, detail, proves)


def _lines(raw: bytes) -> list[bytes]:
    if raw and not raw.endswith(b"\n"):
        raise Damaged(ENTRIES, "its last line has no end")
    return raw.split(b"\n")[:-1]


def _entry(seq: int, leaf: str, before: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    said = json_object(ENTRIES, leaf.encode("utf-8", "replace"))
    written = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if set(said) != _LEAF or said["seq"] != seq or written != leaf or not _are_texts(said):
        raise Damaged(ENTRIES, f"entry {seq} is not written as the ledger writes it")
    if before and before[-1]["seq"] >= seq:
        raise Damaged(ENTRIES, f"entry {seq} comes after entry {before[-1]['seq']}")
    return said


def _are_texts(said: Mapping[str, Any]) -> bool:
    return all(isinstance(said[name], str) for name in ("event", "subject", "actor"))


def _path(value: object, what: str) -> list[bytes]:
    if not isinstance(value, list) or len(value) > 128 or not all(map(is_sha256, value)):
        raise Damaged(PROOFS, f"it has no proof of {what}")
    return [bytes.fromhex(step) for step in value]


def _history(
    earlier: Sequence[Mapping[str, Any]], custody: Custody, latest: Note, findings: Findings
) -> bool:
    proves = "nothing that this earlier checkpoint covers was changed since"
    sound = True
    for one in earlier:
        note = custody.notes[one["size"]]
        try:
            path = _path(one.get("consistency"), f"checkpoint {note.size}")
            if note.origin != latest.origin or not verify_consistency(
                note.size, latest.size, note.root, latest.root, path
            ):
                raise Damaged(note.file, "the ledger does not go on from it")
        except Damaged as damage:
            sound = findings.fail("ledger history", damage, proves)
            continue
        findings.say("ledger history", note.file, True, f"{note.size} entries", proves)
    return sound
