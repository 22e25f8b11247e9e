"""What proves the custody of a case: ledger entries, checkpoints, time stamps, keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from rfc3161_client import decode_timestamp_response
from sqlalchemy import select
from sqlalchemy.orm import Session

from evidence.custody import ledger
from evidence.exhibits.bag import BagWriter
from evidence.exhibits.dossier import Dossier, Redaction
from evidence.signing.signer import pem_of
from registry.errors import TouchstoneError
from registry.models import Checkpoint, LedgerEntry, Stamp


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry in the bag: its text, and what that says."""

    seq: int
    leaf: str
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stamped:
    """A time stamp that was asked for, as ``stamps/index.json`` lists it.

    Parameters
    ----------
    about
        package, archive or checkpoint.
    since
        When the thing was made: what the delay counts from.
    file
        The authority's answer, below ``data/stamps/``; None while it is awaited.
    """

    about: str
    subject: str
    digest: str
    authority: str
    state: str
    since: datetime
    requested_at: datetime
    stamped_at: datetime | None
    error: str | None
    file: str | None


@dataclass(frozen=True, slots=True)
class Proofs:
    """All that is in the bag besides the exhibits, for whoever describes it.

    Parameters
    ----------
    files
        File below ``data/ledger/`` of each checkpoint, by its size.
    withheld
        Numbers of the ledger entries that name the buyer, and are not in the bag.
    """

    checkpoint: Checkpoint
    earlier: list[Checkpoint]
    files: dict[int, str]
    entries: list[Entry]
    withheld: list[int]
    stamps: list[Stamped]
    certificates: list[str]
    keys: list[str]


def write(
    bag: BagWriter,
    session: Session,
    dossier: Dossier,
    checkpoint: Checkpoint,
    redaction: Redaction,
    keys: Mapping[str, bytes],
) -> Proofs:
    """Write ledger, stamps, certificates and keys.

    Parameters
    ----------
    checkpoint
        Of the whole ledger, made for this bag.
    keys
        Public keys that may be wanted: id, SubjectPublicKeyInfo.
    """
    entries, withheld = _entries(session, dossier, redaction, checkpoint.size)
    earlier = _earlier(session, entries, checkpoint.size)
    files = _ledger(bag, session, checkpoint, earlier, entries)
    asked = [
        (stamp, f"capture:{item.capture.id}", item.capture.captured_at)
        for item in dossier.items
        if item.capture is not None
        for stamp in item.capture.stamps
    ]
    for made in (*earlier, checkpoint):
        stamps = session.scalars(
            select(Stamp).where(Stamp.checkpoint_id == made.id).order_by(Stamp.id)
        )
        asked += [(stamp, f"checkpoint:{made.size}", made.created_at) for stamp in stamps]
    stamped, certificates = _stamps(bag, asked)
    used = {item.capture.key_id for item in dossier.items if item.capture}
    used |= {made.key_id for made in (*earlier, checkpoint)}
    known = sorted(key_id for key_id in used if key_id and key_id in keys)
    for key_id in known:
        bag.add_bytes(f"keys/{key_id}.pem", pem_of(keys[key_id]))
    return Proofs(checkpoint, earlier, files, entries, withheld, stamped, certificates, known)


def shown_so_far(session: Session, dossier: Dossier, redaction: Redaction) -> dict[str, Any]:
    """How many entries a bag shows and which it withholds, for the entry of its export.

    So none of them can be left out of the bag unseen: the tree's hashes do not show that.
    """
    shown, withheld = _entries(session, dossier, redaction)
    return {"entries": len(shown), "withheld": withheld}


def _entries(
    session: Session, dossier: Dossier, redaction: Redaction, size: int | None = None
) -> tuple[list[Entry], list[int]]:
    """The entries about the case, and the numbers of those that must not be shown.

    A leaf cannot be redacted: its hash is in the tree.

    Parameters
    ----------
    size
        Only those among the ledger's first so many.

    Raises
    ------
    TouchstoneError
        If the bag would prove nothing without one of these.
    """
    wanted = (
        select(LedgerEntry.seq, LedgerEntry.leaf)
        .where(LedgerEntry.subject.in_(sorted(dossier.subjects)))
        .order_by(LedgerEntry.seq)
    )
    if size is not None:
        wanted = wanted.where(LedgerEntry.seq < size)
    shown: list[Entry] = []
    withheld: list[int] = []
    for seq, leaf in session.execute(wanted):
        entry = Entry(seq, leaf, json.loads(leaf))
        if not redaction.holds(leaf):
            shown.append(entry)
        elif entry.said["event"] == "exhibit_added":
            # Without this entry, nobody could prove that the exhibit is the one in the ledger.
            raise TouchstoneError(
                f"ledger entry {seq}, which added an exhibit, names the buyer and cannot be "
                "redacted: export with --include-sensitive"
            )
        else:
            withheld.append(seq)
    return shown, withheld


def _earlier(session: Session, entries: Iterable[Entry], size: int) -> list[Checkpoint]:
    """Of the checkpoints that were stamped before: the first that covers each entry about a
    thing's coming in, which says the most about its age, and the last of all.
    """
    stamped = list(
        session.scalars(
            select(Checkpoint)
            .where(
                Checkpoint.size < size,
                select(Stamp.id)
                .where(Stamp.checkpoint_id == Checkpoint.id, Stamp.state == "stamped")
                .exists(),
            )
            .order_by(Checkpoint.size)
        )
    )
    wanted = {stamped[-1].size: stamped[-1]} if stamped else {}
    for entry in entries:
        if entry.said["event"] in ("captured", "exhibit_added", "case_opened"):
            first = next((made for made in stamped if made.size > entry.seq), None)
            if first is not None:
                wanted[first.size] = first
    return [wanted[size] for size in sorted(wanted)]


def _ledger(
    bag: BagWriter,
    session: Session,
    checkpoint: Checkpoint,
    earlier: list[Checkpoint],
    entries: list[Entry],
) -> dict[int, str]:
    lines = (json.dumps({"seq": e.seq, "leaf": e.leaf}, ensure_ascii=False) for e in entries)
    bag.add_bytes("ledger/entries.jsonl", "".join(f"{line}\n" for line in lines).encode())
    files = {made.size: f"checkpoint-{made.size}.txt" for made in earlier}
    files[checkpoint.size] = "checkpoint.txt"
    for made in (*earlier, checkpoint):
        bag.add_bytes(f"ledger/{files[made.size]}", made.note.encode())
    tree = ledger.tree(session, checkpoint.size)

    def steps(proof: list[bytes]) -> list[str]:
        return [step.hex() for step in proof]

    proofs = {
        "checkpoint": "checkpoint.txt",
        "size": checkpoint.size,
        "root": checkpoint.root,
        "inclusion": {
            str(entry.seq): steps(tree.inclusion_proof(entry.seq, checkpoint.size))
            for entry in entries
        },
        "earlier": [
            {
                "file": files[made.size],
                "size": made.size,
                "root": made.root,
                "consistency": steps(tree.consistency_proof(made.size, checkpoint.size)),
            }
            for made in earlier
        ],
    }
    bag.add_bytes("ledger/proofs.json", to_json(proofs))
    return files


def _stamps(
    bag: BagWriter, asked: list[tuple[Stamp, str, datetime]]
) -> tuple[list[Stamped], list[str]]:
    stamped: list[Stamped] = []
    certificates: dict[str, bytes] = {}
    for stamp, subject, since in asked:
        file = None
        if stamp.token is not None:
            file = f"{sum(1 for other in stamped if other.file) + 1}.tsr"
            bag.add_bytes(f"stamps/{file}", stamp.token)
            for der in decode_timestamp_response(stamp.token).signed_data.certificates:
                certificates[hashlib.sha256(der).hexdigest()] = der
        stamped.append(
            Stamped(
                about=stamp.about,
                subject=subject,
                digest=stamp.digest,
                authority=stamp.authority,
                state=stamp.state,
                since=since,
                requested_at=stamp.created_at,
                stamped_at=stamp.stamped_at,
                error=stamp.error,
                file=file,
            )
        )
    index = [
        {
            "about": stamp.about,
            "subject": stamp.subject,
            "digest": stamp.digest,
            "authority": stamp.authority,
            "state": stamp.state,
            "requested_at": moment(stamp.requested_at),
            "stamped_at": moment(stamp.stamped_at),
            "error": stamp.error,
            "file": stamp.file,
        }
        for stamp in stamped
    ]
    bag.add_bytes("stamps/index.json", to_json(index))
    for sha256, der in sorted(certificates.items()):
        pem = load_der_x509_certificate(der).public_bytes(Encoding.PEM)
        bag.add_bytes(f"certificates/{sha256}.pem", pem)
    return stamped, sorted(certificates)


def to_json(value: Any) -> bytes:
    """JSON as the bag's files have it; half a surrogate pair is no text in UTF-8."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def moment(at: datetime | None) -> str | None:
    """A time as the bag's files have it."""
    return None if at is None else at.strftime(ledger.TIME_FORMAT)
