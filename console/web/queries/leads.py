"""Tips that wait for a person, and leads by state."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from registry.models import Lead, Tip


def tips(session: Session, *, limit: int) -> Sequence[Tip]:
    """Tips that nobody has decided on, oldest first."""
    return session.scalars(
        select(Tip).where(Tip.state == "new").order_by(Tip.id).limit(limit)
    ).all()


def leads(
    session: Session, *, state: str, limit: int, before: UUID | None = None
) -> Sequence[Lead]:
    """Leads in a state, newest first; those before one, where it is given."""
    wanted = (
        select(Lead)
        .where(Lead.state == state)
        .order_by(Lead.id.desc())
        .limit(limit)
        .options(selectinload(Lead.marketplace), selectinload(Lead.plan), selectinload(Lead.brand))
    )
    if before is not None:
        wanted = wanted.where(Lead.id < before)
    return session.scalars(wanted).all()


def lead_tally(session: Session) -> dict[str, int]:
    """How many leads are in each state, and how many tips wait (``tips``)."""
    counted = session.execute(select(Lead.state, func.count()).group_by(Lead.state))
    found = {state: number for state, number in counted}  # noqa: C416 - rows are no pairs
    waiting = session.scalar(select(func.count()).where(Tip.state == "new")) or 0
    return {**found, "tips": waiting}
