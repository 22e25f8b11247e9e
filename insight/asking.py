"""Asking for a listing to be followed; apart from doing it, which needs the whole crawler."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from registry import jobs


def ask_to_follow(
    session: Session, listing_id: UUID, brand_id: UUID, plan_id: UUID, *, why: str
) -> UUID | None:
    """Have a listing's seller and likenesses followed; the job's id, None if it was there.

    Parameters
    ----------
    why
        What makes it worth it: ``flag``, or a verdict by its id. Each is followed once.
    """
    return jobs.enqueue(
        session,
        "follow",
        {"listing_id": str(listing_id), "brand_id": str(brand_id), "plan_id": str(plan_id)},
        key=f"follow:{listing_id}:{brand_id}:{why}",
    )
