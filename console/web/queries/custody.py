"""Cases, their exhibits, and the custody ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from evidence.custody.cases import subject_of, subjects
from registry.models import (
    Capture,
    Case,
    Checkpoint,
    Exhibit,
    LedgerEntry,
    Listing,
    Purchase,
    Stamp,
)


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the ledger, as its leaf says it."""

    seq: int
    event: str
    subject: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    details: dict[str, Any]
    leaf: str
    leaf_hash: str

    @classmethod
    def of(cls, entry: LedgerEntry) -> Line:
        """Read an entry."""
        said = json.loads(entry.leaf)
        return cls(
            seq=entry.seq,
            event=said["event"],
            subject=said["subject"],
            actor=said["actor"],
            occurred_at=datetime.fromisoformat(said["occurred_at"]),
            recorded_at=datetime.fromisoformat(said["recorded_at"]),
            details=said["details"],
            leaf=entry.leaf,
            leaf_hash=entry.leaf_hash,
        )

    @property
    def late(self) -> bool:
        """Whether it was entered a good while after it happened."""
        return (self.recorded_at - self.occurred_at).total_seconds() > 300


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in the list of cases."""

    case: Case
    exhibits: int


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with its exhibits and its log.

    `earlier` counts the entries that came before the log's first.
    """

    case: Case
    exhibits: Sequence[Exhibit]
    log: Sequence[Line]
    earlier: int

    @property
    def numbers(self) -> dict[str, int]:
        """The exhibit that each subject of the log is."""
        return {subject_of(exhibit): exhibit.number for exhibit in self.exhibits}


@dataclass(frozen=True, slots=True)
class Log:
    """The newest entries about something, oldest first, and how many came before them."""

    lines: Sequence[Line]
    earlier: int


@dataclass(frozen=True, slots=True)
class LedgerState:
    """How far the ledger has come, and up to where it is signed and stamped."""

    size: int
    checkpoint: Checkpoint | None
    stamps: Sequence[Stamp]
    lines: Sequence[Line]


def cases(session: Session, *, limit: int = 200) -> Sequence[CaseRow]:
    """Cases, newest first."""
    number = (
        select(func.count()).where(Exhibit.case_id == Case.id).correlate(Case).scalar_subquery()
    )
    found = session.execute(
        select(Case, number).order_by(Case.id.desc()).limit(limit).options(selectinload(Case.brand))
    )
    return [CaseRow(case, exhibits) for case, exhibits in found]


def case_file(session: Session, reference: str, *, limit: int = 200) -> CaseFile | None:
    """A case with all that its page shows; None if there is none."""
    case = session.scalar(
        select(Case)
        .where(Case.reference == reference)
        .options(
            selectinload(Case.brand),
            selectinload(Case.exhibits)
            .selectinload(Exhibit.capture)
            .selectinload(Capture.listing)
            .selectinload(Listing.marketplace),
            selectinload(Case.exhibits)
            .selectinload(Exhibit.purchase)
            .selectinload(Purchase.listing)
            .selectinload(Listing.marketplace),
        )
    )
    if case is None:
        return None
    log = custody_log(session, subjects(case), limit=limit)
    return CaseFile(case, case.exhibits, log.lines, log.earlier)


def cases_of(session: Session, capture_id: UUID) -> Sequence[Case]:
    """The cases that a capture belongs to."""
    return session.scalars(
        select(Case)
        .where(Case.id.in_(select(Exhibit.case_id).where(Exhibit.capture_id == capture_id)))
        .order_by(Case.reference)
    ).all()


def custody_log(session: Session, about: Iterable[str], *, limit: int = 200) -> Log:
    """What the ledger says about some subjects."""
    wanted = LedgerEntry.subject.in_(list(about))
    total = session.scalar(select(func.count()).select_from(LedgerEntry).where(wanted)) or 0
    found = session.scalars(
        select(LedgerEntry).where(wanted).order_by(LedgerEntry.seq.desc()).limit(limit)
    ).all()
    return Log([Line.of(entry) for entry in reversed(found)], total - len(found))


def ledger_state(session: Session, *, limit: int, before: int | None = None) -> LedgerState:
    """The ledger's size, its newest checkpoint, and its newest entries, newest first."""
    last = session.scalar(select(func.max(LedgerEntry.seq)))
    checkpoint = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    wanted = select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(LedgerEntry.seq < before)
    return LedgerState(
        size=0 if last is None else last + 1,
        checkpoint=checkpoint,
        stamps=()
        if checkpoint is None
        else session.scalars(
            select(Stamp).where(Stamp.checkpoint_id == checkpoint.id).order_by(Stamp.id)
        ).all(),
        lines=[Line.of(entry) for entry in session.scalars(wanted)],
    )
