"""How long what belongs to a case is kept, and the only way to delete it.

Rows are locked in the order that `evidence.custody.cases` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from evidence.custody.cases import find_case, locked, locking, subject_of, take_blob_turn
from evidence.custody.ledger import record
from registry import jobs
from registry.blobs import Blobs
from registry.errors import TouchstoneError
from registry.models import Capture, Case, Exhibit, Picture, Purchase
from registry.models.base import utcnow
from registry.settings import Settings


class Refused(TouchstoneError):
    """What a hold, or a retention that is not over, forbids."""


# Hold and retention


def set_hold(session: Session, reference: str, *, actor: str, reason: str) -> Case:
    """Put a case on hold: nothing of it can be deleted until the hold is released."""
    return _hold(session, reference, True, actor, reason)


def release_hold(session: Session, reference: str, *, actor: str, reason: str) -> Case:
    """Release a hold. What the retention covers still cannot be deleted."""
    return _hold(session, reference, False, actor, reason)


def _hold(session: Session, reference: str, hold: bool, actor: str, reason: str) -> Case:
    case = find_case(session, reference, lock=True)
    if case.hold == hold:
        raise TouchstoneError(f"case {reference} is {'' if hold else 'not '}on hold already")
    case.hold = hold
    event = "hold_set" if hold else "hold_released"
    _note(session, case, event, actor, {"reason": _reason(reason)})
    return case


def retain(session: Session, reference: str, until: date, *, actor: str, reason: str = "") -> Case:
    """Keep what belongs to a case until a day is over, in UTC.

    Raises
    ------
    TouchstoneError
        If that is shorter than before, and no reason is given.
    """
    case = find_case(session, reference, lock=True)
    before = case.retain_until
    if before is not None and until < before and not reason.strip():
        raise TouchstoneError(
            f"case {reference} is kept until {before}: to keep it for less, give a reason"
        )
    case.retain_until = until
    details = {
        "until": until.isoformat(),
        "before": None if before is None else before.isoformat(),
        "reason": " ".join(reason.split()),
    }
    _note(session, case, "retention_set", actor, details)
    return case


# Deletion


def delete(session: Session, item_id: UUID, *, actor: str, reason: str) -> Capture | Exhibit:
    """Delete a capture's bundle, or the file of an exhibit: the only way to do so.

    Its row, its hash and its lines in the ledger stay. The bytes are erased by a job, once
    this is committed.

    Parameters
    ----------
    item_id
        Of a capture, or of an exhibit that is a file.

    Raises
    ------
    Refused
        If a case to which it belongs is on hold or must be kept.
    TouchstoneError
        If there is no such thing, or it was deleted already.
    """
    why = _reason(reason)
    item, holders = _lock_item(session, item_id)
    if item.deleted_at is not None:
        raise TouchstoneError(f"{item_id} was deleted already, {item.deleted_at:%Y-%m-%d %H:%M}Z")
    today = utcnow().date()
    for case in holders:
        if case.hold:
            raise Refused(f"case {case.reference} is on hold: nothing of it can be deleted")
        if case.retain_until is not None and today <= case.retain_until:
            raise Refused(
                f"case {case.reference} is kept until {case.retain_until}: nothing of it can be "
                "deleted before"
            )
    item.deleted_at = utcnow()
    if isinstance(item, Capture):
        session.execute(
            update(Exhibit)
            .where(Exhibit.capture_id == item.id, Exhibit.deleted_at.is_(None))
            .values(deleted_at=item.deleted_at)
        )
        subject = f"capture:{item.id}"
    else:
        subject = subject_of(item)
    jobs.enqueue(session, "erase", {"item_id": str(item_id)}, key=f"erase:{item_id}")
    details = {"sha256": item.sha256, "size": item.size, "reason": why}
    record(session, event="deleted", subject=subject, actor=actor, details=details)
    return item


def _lock_item(session: Session, item_id: UUID) -> tuple[Capture | Exhibit, Sequence[Case]]:
    """What is to be deleted, and the cases that may forbid it; all locked."""
    item: Capture | Exhibit
    capture = session.get(Capture, item_id)
    if capture is not None:
        holding = Exhibit.capture_id == item_id
        if capture.purchase_id is not None:
            # A case that holds the purchase holds what was captured of it.
            locked(session, Purchase, capture.purchase_id, "purchase")
            holding = or_(holding, Exhibit.purchase_id == capture.purchase_id)
        item = locked(session, Capture, item_id, "capture")
    else:
        item = locked(session, Exhibit, item_id, "capture or file")
        if item.kind != "file":
            what = f"capture {item.capture_id}" if item.capture_id else "a purchase, which stays"
            raise TouchstoneError(f"exhibit {item_id} is no file but {what}")
        holding = Exhibit.id == item_id
    cases = select(Case).where(Case.id.in_(select(Exhibit.case_id).where(holding)))
    return item, session.scalars(locking(cases.order_by(Case.id))).all()


def erase_job(hold: jobs.Hold, _settings: Settings, blobs: Blobs) -> None:
    """Remove the bytes of what was deleted, unless something that is kept has the same."""
    item_id = UUID(hold.claim.payload["item_id"])
    result: dict[str, Any] = {"erased": []}
    with hold.finishing(result) as session:
        item = session.get(Capture, item_id) or session.get_one(Exhibit, item_id)
        if item.deleted_at is None:
            raise RuntimeError(f"{item_id} was not deleted: nothing is erased")
        take_blob_turn(session)
        shot = item.screenshot_blob if isinstance(item, Capture) else None
        for key in (item.blob, shot):
            if key is not None and not _named(session, key):
                blobs.delete(key)
                result["erased"].append(key)


def _named(session: Session, key: str) -> bool:
    """Whether a row that is not deleted names a blob."""
    capture = select(Capture.id).where(
        Capture.deleted_at.is_(None), or_(Capture.blob == key, Capture.screenshot_blob == key)
    )
    exhibit = select(Exhibit.id).where(Exhibit.deleted_at.is_(None), Exhibit.blob == key)
    picture = select(Picture.sha256).where(Picture.blob == key)
    return any(session.scalar(rows.limit(1)) is not None for rows in (capture, exhibit, picture))


def _note(session: Session, case: Case, event: str, actor: str, details: dict[str, Any]) -> None:
    record(session, event=event, subject=f"case:{case.id}", actor=actor, details=details)


def _reason(reason: str) -> str:
    said = " ".join(reason.split())
    if not said:
        raise TouchstoneError("a reason is wanted: it stands in the ledger")
    return said
