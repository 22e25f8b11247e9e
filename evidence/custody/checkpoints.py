"""Checkpoints of the custody ledger at an interval: when one is due, and the job that signs."""

from __future__ import annotations

import hashlib

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evidence.custody import ledger
from evidence.signing import timestamps
from evidence.signing.signer import open_signer
from registry import jobs
from registry.blobs import Blobs
from registry.models import Checkpoint, LedgerEntry
from registry.models.base import utcnow
from registry.settings import Settings

KIND = "checkpoint"


def ask_when_due(session: Session, settings: Settings) -> None:
    """Write a checkpoint job if the ledger grew and the last checkpoint is old enough.

    Any number of relays may ask, as often as they like: one job comes of it per interval,
    also where the one before ended dead.
    """
    last = session.execute(
        select(Checkpoint.size, Checkpoint.created_at).order_by(Checkpoint.size.desc()).limit(1)
    ).one_or_none()
    size = 0 if last is None else last.size
    newest = session.scalar(select(func.max(LedgerEntry.seq)))
    if newest is None or newest < size:
        return
    interval = settings.checkpoint_minutes * 60
    now = utcnow()
    if last is not None and (now - last.created_at).total_seconds() < interval:
        return
    period = int(now.timestamp() // interval)
    ledger.take_turn(session)  # of two who ask at once, the second finds the key
    jobs.enqueue(session, KIND, {}, key=f"{KIND}:{size}:{period}")


def checkpoint_job(hold: jobs.Hold, settings: Settings, _blobs: Blobs) -> None:
    """Sign the ledger as it is, and ask for the signature to be stamped."""
    signer = open_signer(settings)
    # Hashing a long ledger and signing take their time: no lock is held meanwhile.
    with hold.database.reading() as session:
        drawn = ledger.draw(session, signer)
    with hold.finishing({"size": None if drawn is None else drawn.size}) as session:
        if drawn is not None:
            enter(session, drawn, settings)


def enter(session: Session, drawn: Checkpoint, settings: Settings) -> Checkpoint | None:
    """Write a checkpoint and ask for its stamps; None if another covers as much by now."""
    made = ledger.enter(session, drawn)
    if made is not None:
        timestamps.request(
            session,
            digest=hashlib.sha256(made.note.encode()).hexdigest(),
            about=KIND,
            settings=settings,
            checkpoint_id=made.id,
        )
    return made
