"""Going through the whole ledger: is it the one that was written, and the one that was signed?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from evidence.custody import merkle
from evidence.custody.ledger import TIME_FORMAT, BadNote, Note, canonical, origin_of, parse_note
from evidence.signing.signer import verifies
from evidence.verifying import Check
from evidence.verifying.checks import Damaged
from evidence.verifying.stamps import check_stamp
from registry.models import Capture, Checkpoint, Exhibit, LedgerEntry, Stamp

#: So many faults of a kind are named; the rest is counted.
NAMED = 5
STEP = 1000


#: What follows from each check if it is well.
PROVES = {
    "sequence": "No entry was taken out, and none put in between.",
    "leaves": "No text was changed without its hash.",
    "columns": "What is searched and shown is what was written.",
    "lines": "No capture and no deletion is kept from the ledger.",
    "checkpoint notes": "The checkpoints are of this ledger.",
    "checkpoint roots": "Nothing before the last checkpoint was changed since it was signed.",
    "signatures": "This installation has signed the checkpoints.",
    "stamps": "Others, with clocks of their own, saw the checkpoints by then.",
}


@dataclass(slots=True)
class _Faults:
    named: list[str] = field(default_factory=list)
    number: int = 0

    def add(self, fault: str) -> None:
        self.number += 1
        if len(self.named) < NAMED:
            self.named.append(fault)

    def check(self, name: str, otherwise: str) -> Check:
        detail = otherwise
        if self.number:
            more = f"; and {self.number - len(self.named)} more" * (self.number > len(self.named))
            detail = "; ".join(self.named) + more
        return Check(name, "ledger", not self.number, detail, PROVES[name])


class _Walk:
    """One pass over all entries, in bounded memory."""

    def __init__(self, sizes: set[int], expected: set[tuple[str, str]]) -> None:
        self.frontier = merkle.Frontier()
        self.origin = ""
        self.roots: dict[int, bytes] = {}
        self.sequence, self.hashes, self.columns = _Faults(), _Faults(), _Faults()
        self.expected = expected
        self._sizes = sizes

    def take(self, row: Row[Any]) -> None:
        place = self.frontier.size
        if row.seq != place:
            self.sequence.add(f"entry {row.seq} stands where entry {place} belongs")
        hashed = merkle.leaf_hash(row.leaf.encode("utf-8", "surrogatepass"))
        if hashed.hex() != row.leaf_hash:
            self.hashes.add(f"entry {row.seq} is not the text that was hashed")
        self.origin = self.origin or origin_of(hashed.hex())
        self._compare(row)
        self.frontier.append(hashed)
        if self.frontier.size in self._sizes:
            self.roots[self.frontier.size] = self.frontier.root()

    def _compare(self, row: Row[Any]) -> None:
        try:
            said = json.loads(row.leaf)
            written = canonical(said) == row.leaf
        except (ValueError, RecursionError):
            said, written = None, False
        if not isinstance(said, dict) or not written:
            self.columns.add(f"entry {row.seq} is not JSON as the ledger writes it")
            return
        shown = {
            "seq": row.seq,
            "event": row.event,
            "subject": row.subject,
            "actor": row.actor,
            "recorded_at": row.recorded_at.strftime(TIME_FORMAT),
        }
        for name, value in shown.items():
            if said.get(name) != value:
                self.columns.add(f"entry {row.seq}: the column {name} is not what the leaf says")
        self.expected.discard((said.get("event", ""), said.get("subject", "")))


def audit(
    session: Session,
    keys: Mapping[str, bytes],
    *,
    against: Sequence[tuple[str, str]] = (),
    show: Callable[[int, int], None] = lambda done, total: None,
) -> list[Check]:
    """Check every entry and every checkpoint.

    Parameters
    ----------
    keys
        The public keys that may have signed: id, SubjectPublicKeyInfo (DER).
    against
        Checkpoint notes that were kept elsewhere, each with its name. Only these can show
        that somebody who rules the database and the signing key rewrote the ledger.
    show
        Called with the number of entries done and of all.
    """
    expected = _expected(session)
    checkpoints = session.scalars(select(Checkpoint).order_by(Checkpoint.size)).all()
    kept: list[tuple[str, Note | None]] = []
    for name, text in against:
        try:
            kept.append((name, parse_note(text)))
        except BadNote:
            kept.append((name, None))
    sizes = {row.size for row in checkpoints} | {note.size for _, note in kept if note}
    walk = _Walk(sizes, expected)
    total = session.scalar(select(func.count()).select_from(LedgerEntry)) or 0
    entries = select(LedgerEntry.__table__).order_by(LedgerEntry.seq)
    for row in session.execute(entries.execution_options(yield_per=STEP)):
        walk.take(row)
        if walk.frontier.size % STEP == 0:
            show(walk.frontier.size, total)
    size = walk.frontier.size
    show(size, size)

    lines = _Faults()
    for event, subject in sorted(walk.expected):
        lines.add(f"no entry says that {subject} was {event}")
    return [
        walk.sequence.check("sequence", f"{size} entries, numbered without a gap"),
        walk.hashes.check("leaves", "every entry is the text that was hashed"),
        walk.columns.check("columns", "what is shown of each entry is what its text says"),
        lines.check("lines", "every signed capture and every deletion has its line"),
        *_check_checkpoints(checkpoints, walk, keys),
        _check_stamps(session, checkpoints),
        *(_check_kept(name, note, walk, keys) for name, note in kept),
    ]


def _expected(session: Session) -> set[tuple[str, str]]:
    """What the other tables say that the ledger must say. Read before the ledger is."""
    captures = session.execute(select(Capture.id, Capture.key_id, Capture.deleted_at)).all()
    files = session.scalars(
        select(Exhibit.id).where(Exhibit.kind == "file", Exhibit.deleted_at.is_not(None))
    )
    return (
        {("captured", f"capture:{row.id}") for row in captures if row.key_id}
        | {("deleted", f"capture:{row.id}") for row in captures if row.deleted_at}
        | {("deleted", f"exhibit:{exhibit_id}") for exhibit_id in files}
    )


def _check_checkpoints(
    checkpoints: Sequence[Checkpoint], walk: _Walk, keys: Mapping[str, bytes]
) -> list[Check]:
    notes, roots, signatures = _Faults(), _Faults(), _Faults()
    for row in checkpoints:
        if row.size > walk.frontier.size:
            roots.add(
                f"checkpoint {row.size} was signed, but only {walk.frontier.size} entries are left"
            )
        elif walk.roots.get(row.size, b"").hex() != row.root:
            roots.add(f"the first {row.size} entries are not those of checkpoint {row.size}")
        try:
            note = parse_note(row.note)
        except BadNote:
            notes.add(f"checkpoint {row.size} has no note that can be read")
            continue
        if (note.size, note.root.hex(), note.origin) != (row.size, row.root, walk.origin):
            notes.add(f"checkpoint {row.size}: its note speaks of something else")
        key = keys.get(row.key_id)
        if key is None:
            signatures.add(f"checkpoint {row.size} is signed with {row.key_id}, unknown here")
        elif not _signed(note, key):
            signatures.add(f"checkpoint {row.size}: the signature is not good")
    number = len(checkpoints)
    covered = checkpoints[-1].size if checkpoints else 0
    left = max(0, walk.frontier.size - covered)
    return [
        notes.check("checkpoint notes", f"{number} notes say what their columns say"),
        roots.check(
            "checkpoint roots",
            f"{number} checkpoints, each the beginning of the next and of the ledger; "
            f"{left} entries came after the last",
        ),
        signatures.check("signatures", f"{number} signatures are good, by keys known here"),
    ]


def _check_stamps(session: Session, checkpoints: Sequence[Checkpoint]) -> Check:
    """Whether each time stamp is a good one of its checkpoint's note."""
    faults, good, awaited = _Faults(), 0, 0
    notes = {row.id: row for row in checkpoints}
    for stamp in session.scalars(select(Stamp).where(Stamp.checkpoint_id.is_not(None))):
        row = notes.get(stamp.checkpoint_id) if stamp.checkpoint_id else None
        if row is None:
            faults.add(f"{stamp.authority} stamped a checkpoint that is gone")
            continue
        if stamp.token is None:
            awaited += 1
            continue
        name = f"checkpoint {row.size}, {stamp.authority}"
        digest = hashlib.sha256(row.note.encode()).hexdigest()
        try:
            check_stamp(name, stamp.token, {digest: "note"}, ())
            good += 1
        except Damaged as damaged:
            faults.add(f"{name}: {damaged}")
    waiting = f"; {awaited} are awaited" if awaited else ""
    return faults.check("stamps", f"{good} stamps are of the checkpoints that they name{waiting}")


def _check_kept(name: str, note: Note | None, walk: _Walk, keys: Mapping[str, bytes]) -> Check:
    """Whether the ledger goes on from a checkpoint that somebody kept."""
    ok, detail = _compare_kept(note, walk, keys)
    proves = "Nothing before it was changed since it was kept, by whomever."
    return Check(f"kept note {name}", "ledger", ok, detail, proves)


def _compare_kept(note: Note | None, walk: _Walk, keys: Mapping[str, bytes]) -> tuple[bool, str]:
    size = walk.frontier.size
    if note is None:
        return False, "this is no checkpoint note of a custody ledger"
    if not any(_signed(note, key) for key in keys.values()):
        return False, "no key that is known here has signed it"
    if note.origin != walk.origin:
        return False, "it is of another ledger, or this one was begun anew"
    if note.size > size:
        return False, f"it counts {note.size} entries, the ledger has {size}: cut off"
    if walk.roots[note.size] != note.root:
        return False, f"the first {note.size} entries were changed since"
    return True, f"the ledger still begins with its {note.size} entries"


def _signed(note: Note, key: bytes) -> bool:
    return note.hint == hashlib.sha256(key).digest()[:4] and verifies(
        key, note.signature, note.signed
    )
