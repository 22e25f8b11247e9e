"""The custody ledger: what happened to an exhibit, who did it and when, in a Merkle tree.

An entry is written in the transaction of the fact that it tells of, and never changed: the
database refuses. A checkpoint is a signed statement of the ledger's size and root; whoever
holds an older one can prove that nothing before it was altered since. See docs/custody.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from evidence.custody import merkle
from registry.errors import TouchstoneError
from registry.models import Checkpoint, LedgerEntry
from registry.models.base import utcnow

if TYPE_CHECKING:
    from evidence.signing.signer import Signer

#: What can happen. The words stand in every ledger: none is ever renamed or taken away.
EVENTS = frozenset(
    {
        "captured", "sealed", "stamped", "viewed", "exported", "handed_over", "parcel_received",
        "opened", "examined", "verdict", "deleted", "hold_set", "hold_released", "retention_set",
        "case_opened", "exhibit_added", "corrected", "key_rotated",
        "frame_frozen", "sample_drawn", "moved",
        "mode_set", "taken_over",
    }
)  # fmt: skip

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"

_SUBJECT = re.compile(
    r"(capture|case|exhibit|marketplace|purchase|sample):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|key:[0-9a-f]{64}"
)

#: PostgreSQL's advisory lock of all who append: any number, as long as it is always this.
_LOCK = 0x70756368


def record(
    session: Session,
    *,
    event: str,
    subject: str,
    actor: str,
    details: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
) -> LedgerEntry:
    """Append an entry, in the caller's write transaction.

    Who appends holds the ledger until the transaction ends, so this comes after all other
    locks of rows, and nothing slow comes after it.

    Parameters
    ----------
    event
        One of `EVENTS`.
    subject
        ``capture:<uuid>``, ``case:<uuid>``, ``exhibit:<uuid>``, ``marketplace:<uuid>``,
        ``purchase:<uuid>``, ``sample:<uuid>``, or ``key:<id>`` for the key that signs from then on.
    details
        Whatever JSON can hold. It stays for ever: no name or address of a private person.
    occurred_at
        When it happened, if that was not now.

    Raises
    ------
    TouchstoneError
        If nobody is named, or the time has no zone.
    ValueError
        If event or subject are none.
    """
    if event not in EVENTS:
        raise ValueError(f"{event!r} is no event of the ledger")
    if not _SUBJECT.fullmatch(subject):
        raise ValueError(f"{subject!r} is no subject of the ledger")
    actor = " ".join(actor.split())
    if not actor or not actor.isprintable() or len(actor) > 200:
        raise TouchstoneError("the ledger wants the name of who did it, in up to 200 characters")
    if occurred_at is not None and occurred_at.tzinfo is None:
        raise TouchstoneError("a time in the ledger needs its zone: 2026-11-25T14:00:00+01:00")
    take_turn(session)
    last = session.scalar(select(func.max(LedgerEntry.seq)))
    seq = 0 if last is None else last + 1
    now = utcnow()
    leaf = canonical(
        {
            "v": 1,
            "seq": seq,
            "event": event,
            "subject": subject,
            "actor": actor,
            "occurred_at": _stamp(occurred_at or now),
            "recorded_at": _stamp(now),
            "details": dict(details or {}),
        }
    )
    entry = LedgerEntry(
        seq=seq,
        leaf=leaf,
        leaf_hash=merkle.leaf_hash(leaf.encode()).hex(),
        event=event,
        subject=subject,
        actor=actor,
        recorded_at=now,
    )
    session.add(entry)
    session.flush()
    return entry


def take_turn(session: Session) -> None:
    """Wait for all others who append; SQLite has one writer at a time anyway.

    On PostgreSQL, statements after this see what those wrote who had the lock before, since
    each has a view of its own.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def canonical(value: Mapping[str, Any]) -> str:
    """The one way in which the ledger writes JSON."""
    written = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    # Half a surrogate pair is no text in UTF-8, and a page may well send one.
    return written.encode("utf-8", "replace").decode()


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime(TIME_FORMAT)


# Checkpoints


class BadNote(TouchstoneError):
    """A text that is no checkpoint note."""


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint's text, taken apart. Its signature has not been checked.

    Parameters
    ----------
    hint
        The first four bytes of the SHA-256 of the key that is said to have signed.
    """

    origin: str
    size: int
    root: bytes
    hint: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes under the signature."""
        return _body(self.origin, self.size, self.root).encode()

    def __str__(self) -> str:
        seal = base64.b64encode(self.hint + self.signature).decode()
        return f"{self.signed.decode()}\n— {self.origin} {seal}\n"


def _body(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def parse_note(note: str) -> Note:
    """Take a checkpoint's text apart.

    Raises
    ------
    BadNote
        If it is written in any other way than this ledger writes it.

    Source: C2SP tlog-checkpoint and signed-note, with ECDSA P-384 for their Ed25519.
    """
    lines = note.split("\n")
    try:
        origin, size, root, blank, signature, end = lines
        dash, name, seal = signature.split(" ")
        sealed = base64.b64decode(seal, validate=True)
        made = Note(
            origin, int(size), base64.b64decode(root, validate=True), sealed[:4], sealed[4:]
        )
    except (ValueError, binascii.Error) as error:
        raise BadNote("this is no checkpoint note of a custody ledger") from error
    if (dash, name, blank, end) != ("—", origin, "", "") or str(made) != note:
        raise BadNote("this is no checkpoint note as the ledger writes them")
    ours = re.fullmatch(r"touchstone-ledger-[0-9a-f]{16}", origin)
    if not ours or made.size < 1 or len(made.root) != 32:
        raise BadNote("this is a checkpoint note, but not of a custody ledger of ours")
    return made


def origin_of(first_leaf_hash: str) -> str:
    """The ledger's name in its notes: no two ledgers begin alike."""
    return f"touchstone-ledger-{first_leaf_hash[:16]}"


def checkpoint(session: Session, signer: Signer) -> Checkpoint | None:
    """Sign the ledger as it is, in the caller's write transaction; None if nothing is new.

    Raises
    ------
    TouchstoneError
        If the ledger is not the one that was signed before: nothing is signed then.
    """
    drawn = draw(session, signer)
    return None if drawn is None else enter(session, drawn)


def draw(session: Session, signer: Signer) -> Checkpoint | None:
    """Make the checkpoint of what a session sees, without writing it; None if nothing is new.

    Every leaf is hashed again, and the newest checkpoint must come out on the way: a ledger
    that was tampered with gets no signature of ours.

    Raises
    ------
    TouchstoneError
        If it does not.
    """
    last = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    frontier = merkle.Frontier()
    origin = ""
    rows = session.execute(
        select(LedgerEntry.seq, LedgerEntry.leaf)
        .order_by(LedgerEntry.seq)
        .execution_options(yield_per=1000)
    )
    for seq, leaf in rows:
        hashed = merkle.leaf_hash(leaf.encode())
        origin = origin or origin_of(hashed.hex())
        if seq != frontier.size:
            raise TouchstoneError(f"the ledger lacks entry {frontier.size}: {_REMEDY}")
        frontier.append(hashed)
        if last is not None and frontier.size == last.size and frontier.root().hex() != last.root:
            raise TouchstoneError(f"the ledger was changed before entry {last.size}: {_REMEDY}")
    if last is not None and frontier.size < last.size:
        raise TouchstoneError(f"the ledger lacks entry {frontier.size}: {_REMEDY}")
    if frontier.size == (0 if last is None else last.size):
        return None
    root = frontier.root()
    note = Note(
        origin=origin,
        size=frontier.size,
        root=root,
        hint=hashlib.sha256(signer.public_key).digest()[:4],
        signature=signer.sign(_body(origin, frontier.size, root).encode()),
    )
    return Checkpoint(size=note.size, root=root.hex(), note=str(note), key_id=signer.key_id)


_REMEDY = "nothing was signed; see touchstone ledger verify"


def enter(session: Session, drawn: Checkpoint) -> Checkpoint | None:
    """Write a checkpoint; None if another one covers as much by now."""
    take_turn(session)
    covered = session.scalar(select(func.max(Checkpoint.size)))
    if covered is not None and covered >= drawn.size:
        return None
    session.add(drawn)
    session.flush()
    return drawn


# Proofs


def tree(session: Session, size: int | None = None) -> merkle.Tree:
    """The tree of the first `size` entries, for whoever wants more than one proof."""
    hashes = select(LedgerEntry.leaf_hash).order_by(LedgerEntry.seq)
    if size is not None:
        hashes = hashes.where(LedgerEntry.seq < size)
    rows = session.scalars(hashes.execution_options(yield_per=1000))
    return merkle.Tree(bytes.fromhex(row) for row in rows)


def inclusion_proof(session: Session, seq: int, size: int) -> list[bytes]:
    """What proves that entry `seq` is in the ledger of `size` entries."""
    return tree(session, size).inclusion_proof(seq, size)


def consistency_proof(session: Session, old: int, new: int) -> list[bytes]:
    """What proves that the ledger of `new` entries begins with that of `old`."""
    return tree(session, new).consistency_proof(old, new)
