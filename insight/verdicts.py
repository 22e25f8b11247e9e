"""What named people say of listings: the verdicts that models learn from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from insight.asking import ask_to_follow
from registry.errors import TouchstoneError
from registry.models import VERDICTS, Assessment, Verdict

MAX_NAME = 200
MAX_NOTE = 4000


def record(session: Session, assessment_id: UUID, verdict: str, by: str, note: str = "") -> Verdict:
    """Keep what a person says of the listing that an assessment judged.

    A second thought is another verdict; the newest counts.

    Raises
    ------
    TouchstoneError
        If there is no such assessment or verdict, or nobody's name is given.
    """
    name = " ".join(by.split())
    if not name:
        raise TouchstoneError("verdict: the name of the person who gives it is wanted")
    if len(name) > MAX_NAME or len(note) > MAX_NOTE:
        raise TouchstoneError(
            f"verdict: a name has at most {MAX_NAME} characters, a note at most {MAX_NOTE}"
        )
    if "\x00" in name or "\x00" in note:
        raise TouchstoneError("verdict: there is a NUL character in the name or the note")
    if verdict not in VERDICTS:
        raise TouchstoneError(f"there is no verdict {verdict!r}; there are: {', '.join(VERDICTS)}")
    assessment = session.get(Assessment, assessment_id, options=[selectinload(Assessment.snapshot)])
    if assessment is None:
        raise TouchstoneError(
            f"there is no assessment {assessment_id}: touchstone queue --json names them"
        )
    said = Verdict(
        listing_id=assessment.snapshot.listing_id,
        brand_id=assessment.brand_id,
        assessment_id=assessment.id,
        verdict=verdict,
        by=name,
        note=note.strip() or None,
        model_version=assessment.model_version,
    )
    session.add(said)
    session.flush()
    if verdict == "counterfeit":
        ask_to_follow(session, said.listing_id, said.brand_id, assessment.plan_id, why=str(said.id))
    return said


def of_listings(session: Session, listing_ids: Collection[UUID]) -> Sequence[Verdict]:
    """Every verdict on these listings, newest first."""
    return session.scalars(
        select(Verdict).where(Verdict.listing_id.in_(listing_ids)).order_by(Verdict.id.desc())
    ).all()


def newest_verdicts(session: Session, listing_ids: Collection[UUID]) -> dict[UUID, str]:
    """The newest verdict on each listing that has one, of any brand."""
    found = session.execute(
        select(Verdict.listing_id, Verdict.verdict)
        .where(Verdict.listing_id.in_(listing_ids))
        .order_by(Verdict.id)
    )
    # Oldest first, so that the newest stays.
    return {listing_id: said for listing_id, said in found}  # noqa: C416 - rows are no pairs
