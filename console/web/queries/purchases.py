"""Test purchases: the list, and all that is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from console.web.queries.custody import Log, custody_log
from evidence.custody.cases import subject_of
from registry.models import (
    Assessment,
    Capture,
    Case,
    Exhibit,
    Listing,
    MoneyTransaction,
    Person,
    Product,
    Purchase,
    PurchaseFile,
    Snapshot,
)

#: What a purchase is shown with.
PURCHASE_PARTS: tuple[ORMOption, ...] = (
    selectinload(Purchase.listing).selectinload(Listing.marketplace),
    selectinload(Purchase.assessment)
    .selectinload(Assessment.product)
    .selectinload(Product.references),
    selectinload(Purchase.assessment).selectinload(Assessment.brand),
    selectinload(Purchase.assessment)
    .selectinload(Assessment.snapshot)
    .selectinload(Snapshot.pictures),
    selectinload(Purchase.assessment)
    .selectinload(Assessment.snapshot)
    .selectinload(Snapshot.seller),
    selectinload(Purchase.events),
)

#: While an examiner is not to know where a thing came from.
_BLIND = ("sent_to_examiner", "examined")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a purchase and the exhibit that it is."""

    file: PurchaseFile
    exhibit: Exhibit


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of a purchase."""

    purchase: Purchase
    case: Case | None
    files: Sequence[File]
    captures: Sequence[Capture]
    transactions: Sequence[MoneyTransaction]
    custody: Log


def purchases(
    session: Session,
    *,
    state: str | None,
    limit: int,
    before: UUID | None = None,
    reader: Person | None = None,
) -> Sequence[Purchase]:
    """Purchases, newest first; in one state, and those before one, where these are given.

    What `reader` examines without knowing where it came from is left out.
    """
    wanted = select(Purchase).order_by(Purchase.id.desc()).limit(limit).options(*PURCHASE_PARTS)
    if state is not None:
        wanted = wanted.where(Purchase.state == state)
    if before is not None:
        wanted = wanted.where(Purchase.id < before)
    if reader is not None:
        examines = or_(
            Purchase.examiner == reader.name,
            func.coalesce(Purchase.second_examiner, "") == reader.name,
        )
        # An examiner who is not known yet is nobody: NULL must not hide the purchase.
        wanted = wanted.where(
            or_(Purchase.examiner.is_(None), Purchase.state.not_in(_BLIND), ~examines)
        )
    return session.scalars(wanted).all()


def purchase(session: Session, purchase_id: UUID) -> Purchase | None:
    """One purchase with what it is shown with."""
    return session.get(Purchase, purchase_id, options=PURCHASE_PARTS)


def is_blind_to(purchase: Purchase, reader: Person | None) -> bool:
    """Whether a person examines it and may not know yet where it came from."""
    examiners = (purchase.examiner, purchase.second_examiner)
    return reader is not None and reader.name in examiners and purchase.state in _BLIND


def purchase_story(session: Session, purchase_id: UUID) -> Story | None:
    """One purchase with its files, captures, money and custody; None if there is none."""
    found = purchase(session, purchase_id)
    if found is None:
        return None
    rows = session.execute(
        select(PurchaseFile, Exhibit)
        .join(Exhibit, Exhibit.id == PurchaseFile.exhibit_id)
        .where(PurchaseFile.purchase_id == purchase_id)
        .order_by(Exhibit.number)
    )
    files = [File(file, exhibit) for file, exhibit in rows]
    captures = session.scalars(
        select(Capture).where(Capture.purchase_id == purchase_id).order_by(Capture.id)
    ).all()
    transactions = session.scalars(
        select(MoneyTransaction)
        .where(MoneyTransaction.purchase_id == purchase_id)
        .order_by(MoneyTransaction.id)
        .options(selectinload(MoneyTransaction.postings))
    ).all()
    about = [
        f"purchase:{purchase_id}",
        *(subject_of(one.exhibit) for one in files),
        *(f"capture:{one.id}" for one in captures),
    ]
    return Story(
        purchase=found,
        case=session.get(Case, found.case_id) if found.case_id else None,
        files=files,
        captures=captures,
        transactions=transactions,
        custody=custody_log(session, about),
    )


def purchase_tally(session: Session) -> dict[str, int]:
    """How many purchases are in each state that any is in."""
    counted = session.execute(select(Purchase.state, func.count()).group_by(Purchase.state))
    return {state: number for state, number in counted}  # noqa: C416 - rows are not pairs to mypy
