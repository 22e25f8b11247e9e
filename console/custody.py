"""What people do with evidence in the console, put into the custody ledger."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from evidence.custody import ledger
from registry.database import Database
from registry.models import LedgerEntry
from registry.models.base import utcnow
from registry.settings import Settings

#: Looking again at the same within this time is the same view.
ONE_VIEW = timedelta(hours=1)


def note_view(database: Database, settings: Settings, subject: str) -> None:
    """Enter that the console's operator looks at something, unless that was entered just now.

    Parameters
    ----------
    subject
        As the ledger names it: ``capture:<uuid>``, ``exhibit:<uuid>``.
    """
    seen = select(LedgerEntry.seq).where(
        LedgerEntry.subject == subject,
        LedgerEntry.event == "viewed",
        LedgerEntry.actor == settings.operator,
        LedgerEntry.recorded_at > utcnow() - ONE_VIEW,
    )
    # Asked first in a transaction that only reads: most views are no news.
    with database.reading() as session:
        if session.scalar(seen.limit(1)) is not None:
            return
    with database.writing() as session:
        ledger.record(
            session,
            event="viewed",
            subject=subject,
            actor=settings.operator,
            details={"where": "console"},
        )


def note_export(database: Database, settings: Settings, capture_id: UUID, *, sha256: str) -> None:
    """Enter that the console's operator takes a copy of a bundle away.

    Parameters
    ----------
    sha256
        Of the bundle.
    """
    with database.writing() as session:
        ledger.record(
            session,
            event="exported",
            subject=f"capture:{capture_id}",
            actor=settings.operator,
            details={"where": "console", "what": "bundle", "sha256": sha256},
        )
