"""Cases and their exhibits: what belongs to a matter.

Whoever changes anything here locks rows in one order, so that nobody waits in a circle:
purchase, capture or exhibit; then cases, by id; then the ledger.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from evidence.custody.ledger import record
from registry.blobs import Blobs
from registry.errors import TouchstoneError
from registry.models import Brand, Capture, Case, Exhibit, Purchase

#: An uncut video of an unboxing is long; what is longer belongs on a disk in a locker.
MAX_FILE_BYTES = 8 << 30

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

#: PostgreSQL's advisory lock of all who put a blob that may be there, or remove one.
_BLOB_LOCK = 0x626C6F62

_Row = TypeVar("_Row", Capture, Case, Exhibit, Purchase)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are in the blob store, and that no exhibit names yet."""

    path: Path
    name: str
    media_type: str
    sha256: str
    blob: str
    size: int


# Cases


def open_case(
    session: Session,
    *,
    reference: str,
    title: str,
    actor: str,
    brand: str | None = None,
    retain_until: date | None = None,
) -> Case:
    """Open a case.

    Parameters
    ----------
    reference
        What people call it; letters, digits, dots, dashes and underlines, since it becomes
        the name of a folder.
    brand
        The brand's slug, if it is about one.

    Raises
    ------
    TouchstoneError
        If the reference is taken or unfit, or there is no such brand.
    """
    if not _REFERENCE.fullmatch(reference):
        raise TouchstoneError(
            f"{reference!r} is no reference for a case: use up to 64 letters, digits, '.', '-', '_'"
        )
    if session.scalar(select(Case.id).where(Case.reference == reference)) is not None:
        raise TouchstoneError(f"there is a case {reference} already")
    owner = None
    if brand is not None:
        owner = session.scalar(select(Brand).where(Brand.slug == brand))
        if owner is None:
            raise TouchstoneError(f"there is no brand {brand}; see brand list")
    case = Case(
        reference=reference,
        title=" ".join(title.split()),
        brand_id=None if owner is None else owner.id,
        retain_until=retain_until,
        opened_by=actor,
    )
    session.add(case)
    session.flush()
    details = {
        "reference": reference,
        "title": case.title,
        "retain_until": None if retain_until is None else retain_until.isoformat(),
    }
    record(session, event="case_opened", subject=f"case:{case.id}", actor=actor, details=details)
    return case


def find_case(session: Session, reference: str, *, lock: bool = False) -> Case:
    """The case of a reference.

    Raises
    ------
    TouchstoneError
        If there is none.
    """
    wanted = select(Case).where(Case.reference == reference)
    case = session.scalar(locking(wanted) if lock else wanted)
    if case is None:
        raise TouchstoneError(f"there is no case {reference}; see case list")
    return case


def find_exhibit(session: Session, case: Case, number: int) -> Exhibit:
    """An exhibit of a case.

    Raises
    ------
    TouchstoneError
        If there is none of that number.
    """
    wanted = select(Exhibit).where(Exhibit.case_id == case.id, Exhibit.number == number)
    exhibit = session.scalar(wanted)
    if exhibit is None:
        raise TouchstoneError(f"case {case.reference} has no exhibit {number}; see case show")
    return exhibit


def subject_of(exhibit: Exhibit) -> str:
    """The ledger's name for what an exhibit is."""
    if exhibit.capture_id is not None:
        return f"capture:{exhibit.capture_id}"
    if exhibit.purchase_id is not None:
        return f"purchase:{exhibit.purchase_id}"
    return f"exhibit:{exhibit.id}"


def subjects(case: Case) -> list[str]:
    """The ledger's names for a case and all that belongs to it."""
    return [f"case:{case.id}", *(subject_of(exhibit) for exhibit in case.exhibits)]


# Exhibits


def add_capture(
    session: Session, reference: str, capture_id: UUID, *, actor: str, name: str | None = None
) -> Exhibit:
    """Make a capture an exhibit of a case.

    Raises
    ------
    TouchstoneError
        If there is no such capture or case, if it was deleted, or if it is one already.
    """
    capture = locked(session, Capture, capture_id, "capture")
    case = find_case(session, reference, lock=True)
    return _add_capture(session, case, capture, actor, name)


def add_purchase(session: Session, reference: str, purchase_id: UUID, *, actor: str) -> Exhibit:
    """Make a test purchase an exhibit of a case, and with it each capture made of it.

    Raises
    ------
    TouchstoneError
        If there is no such purchase or case, or if it is an exhibit of it already.
    """
    purchase = locked(session, Purchase, purchase_id, "purchase")
    made = select(Capture).where(Capture.purchase_id == purchase_id).order_by(Capture.id)
    captures = session.scalars(locking(made)).all()
    case = find_case(session, reference, lock=True)
    _refuse_again(session, case, Exhibit.purchase_id == purchase_id)
    exhibit = Exhibit(
        kind="purchase",
        purchase_id=purchase_id,
        name=f"Test purchase {purchase.order_number or purchase_id}",
        media_type="application/json",
    )
    _add(session, case, exhibit, actor, {})
    there = session.scalars(select(Exhibit.capture_id).where(Exhibit.case_id == case.id)).all()
    for capture in captures:
        if capture.deleted_at is None and capture.id not in there:
            _add_capture(session, case, capture, actor, None)
    return exhibit


def store_file(blobs: Blobs, path: Path, *, name: str | None = None) -> StoredFile:
    """Store a file's bytes, for `add_file`; before the transaction, since it takes its time.

    Raises
    ------
    TouchstoneError
        If it is no file, empty, too large, or changes while it is read.
    """
    try:
        if not path.is_file():
            raise TouchstoneError(f"{path}: there is no such file")
        size = path.stat().st_size
        if not 0 < size <= MAX_FILE_BYTES:
            raise TouchstoneError(f"{path}: {size} bytes; 1 to {MAX_FILE_BYTES} can be kept")
        blob = blobs.put_file(path, ".bin")
        if path.stat().st_size != size:
            raise TouchstoneError(f"{path}: it changed while it was read: wait until it is whole")
    except PermissionError as error:
        raise TouchstoneError(f"{path}: {error.strerror}") from error
    shown = "".join(c for c in name or path.name if c.isprintable() and c not in "/\\").strip()
    media_type, encoding = mimetypes.guess_type(shown)
    return StoredFile(
        path=path,
        name=shown[:200] or "file",
        media_type=media_type if media_type and not encoding else "application/octet-stream",
        sha256=Path(blob).stem,
        blob=blob,
        size=size,
    )


def add_file(
    session: Session,
    blobs: Blobs,
    reference: str,
    stored: StoredFile,
    *,
    actor: str,
    sensitive: bool = False,
) -> Exhibit:
    """Make a stored file an exhibit of a case.

    Raises
    ------
    TouchstoneError
        If there is no such case, or if it has the same bytes already.
    """
    case = find_case(session, reference, lock=True)
    same = (Exhibit.sha256 == stored.sha256) & Exhibit.deleted_at.is_(None)
    _refuse_again(session, case, same)
    take_blob_turn(session)
    exhibit = Exhibit(
        kind="file",
        name=stored.name,
        media_type=stored.media_type,
        sha256=stored.sha256,
        blob=stored.blob,
        size=stored.size,
        sensitive=sensitive,
    )
    _add(session, case, exhibit, actor, {"sha256": stored.sha256, "size": stored.size})
    try:
        blobs.open(stored.blob).close()
    except FileNotFoundError:
        # The same bytes were an exhibit before, and were erased since they were stored.
        if blobs.put_file(stored.path, ".bin") != stored.blob:
            raise TouchstoneError(f"{stored.path}: it changed since it was read") from None
    return exhibit


def _add_capture(
    session: Session, case: Case, capture: Capture, actor: str, name: str | None
) -> Exhibit:
    if capture.deleted_at is not None:
        raise TouchstoneError(f"capture {capture.id} was deleted: it can be no exhibit")
    _refuse_again(session, case, Exhibit.capture_id == capture.id)
    host = urlsplit(capture.url).hostname or "a page"
    exhibit = Exhibit(
        kind="capture",
        capture_id=capture.id,
        name=name or f"Capture of {host}",
        media_type="application/wacz",
    )
    return _add(session, case, exhibit, actor, {"sha256": capture.sha256, "size": capture.size})


def _add(
    session: Session, case: Case, exhibit: Exhibit, actor: str, details: dict[str, Any]
) -> Exhibit:
    last = session.scalar(select(func.max(Exhibit.number)).where(Exhibit.case_id == case.id))
    exhibit.case_id = case.id
    exhibit.number = (last or 0) + 1
    exhibit.added_by = actor
    session.add(exhibit)
    session.flush()
    details |= {"case": case.reference, "number": exhibit.number, "name": exhibit.name}
    record(
        session, event="exhibit_added", subject=subject_of(exhibit), actor=actor, details=details
    )
    return exhibit


def _refuse_again(session: Session, case: Case, which: Any) -> None:
    number = session.scalar(select(Exhibit.number).where(Exhibit.case_id == case.id, which))
    if number is not None:
        raise TouchstoneError(f"that is exhibit {number} of case {case.reference} already")


# What they share


def locked(session: Session, model: type[_Row], row_id: UUID, what: str) -> _Row:
    row = session.scalar(locking(select(model).where(model.id == row_id)))
    if row is None:
        raise TouchstoneError(f"there is no {what} {row_id}")
    return row


def locking(wanted: Select[_Row]) -> Select[_Row]:
    """Rows that nobody else changes until we commit, as they are once they are ours.

    Weak enough that rows may still be added that refer to them.
    """
    return wanted.with_for_update(key_share=True).execution_options(populate_existing=True)


def take_blob_turn(session: Session) -> None:
    """Keep everybody else from erasing; SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _BLOB_LOCK})
