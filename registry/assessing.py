"""Asking for an assessment: what the job says, whoever wants one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from registry import jobs

KIND = "assess"


def order(snapshot_id: UUID, plan_id: UUID, seen_at: datetime) -> dict[str, str]:
    """The payload of the job that assesses a snapshot for a plan, as of when it was seen."""
    return {
        "snapshot_id": str(snapshot_id),
        "plan_id": str(plan_id),
        "seen_at": seen_at.isoformat(),
    }


def ask(session: Session, snapshot_id: UUID, plan_id: UUID, seen_at: datetime, *, key: str) -> bool:
    """Write that job into the caller's transaction; whether `key` was not used before."""
    made = jobs.enqueue(session, KIND, order(snapshot_id, plan_id, seen_at), key=key)
    return made is not None
