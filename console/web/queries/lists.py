"""The plain lists: captures, jobs, runs, brands, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from crawler.browsing.sessions import ALIVE_SECONDS
from purchases import deadlines
from registry import alarms
from registry.models import (
    Brand,
    Capture,
    Job,
    Listing,
    Picture,
    Plan,
    PlanMarketplace,
    Product,
    Purchase,
    Run,
    Takeover,
    Tip,
)
from registry.models.base import utcnow


def waiting(session: Session) -> dict[str, int]:
    """How many things wait for a person: purchases to decide on or late, dead jobs, alarms."""
    undecided = ("proposed", "approved", "outcome_unclear")
    purchases = select(func.count()).where(
        or_(Purchase.state.in_(undecided), Purchase.id.in_(deadlines.alarmed()))
    )
    dead = select(func.count()).where(Job.state == "dead")
    since = utcnow() - timedelta(seconds=ALIVE_SECONDS)
    browsers = select(func.count()).where(Takeover.state == "open", Takeover.alive_at > since)
    tips = select(func.count()).where(Tip.state == "new")
    return {
        "tips": session.scalar(tips) or 0,
        "takeovers": session.scalar(browsers) or 0,
        "purchases": session.scalar(purchases) or 0,
        "jobs": session.scalar(dead) or 0,
        "alarms": alarms.count_waiting(session),
    }


def captures(session: Session, *, limit: int, before: UUID | None = None) -> Sequence[Capture]:
    """Captures, newest first; those before one, where it is given."""
    wanted = (
        select(Capture)
        .order_by(Capture.id.desc())
        .limit(limit)
        .options(selectinload(Capture.listing).selectinload(Listing.marketplace))
    )
    if before is not None:
        wanted = wanted.where(Capture.id < before)
    return session.scalars(wanted).all()


def capture(session: Session, capture_id: UUID) -> Capture | None:
    """One capture with its listing."""
    return session.get(
        Capture,
        capture_id,
        options=[
            selectinload(Capture.listing).selectinload(Listing.marketplace),
            selectinload(Capture.stamps),
        ],
    )


def jobs(session: Session, *, state: str | None, limit: int) -> Sequence[Job]:
    """Jobs, newest first; in one state, where it is given."""
    wanted = select(Job).order_by(Job.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(Job.state == state)
    return session.scalars(wanted).all()


def runs(session: Session, *, limit: int) -> Sequence[Run]:
    """Crawl runs, newest first."""
    return session.scalars(
        select(Run)
        .order_by(Run.id.desc())
        .limit(limit)
        .options(
            selectinload(Run.plan)
            .selectinload(Plan.places)
            .selectinload(PlanMarketplace.marketplace),
            selectinload(Run.plan).selectinload(Plan.brand),
        )
    ).all()


def brands(session: Session) -> Sequence[Brand]:
    """All brands with what was registered for them."""
    return session.scalars(
        select(Brand)
        .order_by(Brand.name)
        .options(
            selectinload(Brand.marks),
            selectinload(Brand.products).selectinload(Product.references),
            selectinload(Brand.authorisations),
        )
    ).all()


def plan_names(session: Session) -> Sequence[str]:
    """The names of all plans."""
    return session.scalars(select(Plan.name).order_by(Plan.name)).all()


def picture(session: Session, sha256: str) -> Picture | None:
    """A picture by the SHA-256 of its bytes."""
    return session.get(Picture, sha256)
