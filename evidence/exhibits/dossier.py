"""What a case consists of, read from the database for its bag."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from evidence.exhibits.sealing import SEALED, suffix_of
from registry import models
from registry.errors import TouchstoneError

WACZ_TYPE = "application/wacz"
#: Shorter ones (a country's code, a year, a short postcode) stand in too many innocent words.
LEAST_SECRET = 5
#: Fields of the buyer that stand for a person. A town or a country does not.
SECRET_FIELDS = ("name", "email", "line1", "line2", "postcode", "phone", "card")


@dataclass(slots=True)
class Item:
    """An exhibit, and where it goes in the bag.

    Parameters
    ----------
    path
        Below ``data/``; None for what was deleted.
    sealed
        Whether its file is encrypted.
    assessment, snapshot
        Why a capture was made or a thing bought, and what the listing said then.
    sealed_part
        What of a purchase's record lies sealed apart.
    """

    row: models.Exhibit
    path: str | None
    sealed: bool
    assessment: models.Assessment | None = None
    snapshot: models.Snapshot | None = None
    sealed_part: dict[str, Any] | None = None
    sha256: str | None = None
    size: int | None = None

    @property
    def number(self) -> int:
        """Its number in the case."""
        return self.row.number

    @property
    def capture(self) -> models.Capture | None:
        """The capture that it is, if it is one."""
        return self.row.capture

    @property
    def purchase(self) -> models.Purchase | None:
        """The purchase that it is, if it is one."""
        return self.row.purchase

    @property
    def subject(self) -> str:
        """What the ledger calls the thing itself."""
        for kind in ("capture", "purchase"):
            if row := getattr(self.row, kind):
                return f"{kind}:{row.id}"
        return f"exhibit:{self.row.id}"

    @property
    def deleted_at(self) -> datetime | None:
        """When its file was deleted."""
        return self.row.deleted_at or (self.capture.deleted_at if self.capture else None)

    @property
    def blob(self) -> str | None:
        """Where its file lies in the blob store."""
        return self.capture.blob if self.capture else self.row.blob

    @property
    def media_type(self) -> str:
        """Of its file, opened."""
        if self.row.kind == "capture":
            return WACZ_TYPE
        if self.row.kind == "purchase":
            return "application/json"
        return self.row.media_type or "application/octet-stream"

    @property
    def of_checkout(self) -> bool:
        """Whether it shows a checkout, and so the buyer's name and address."""
        return self.capture is not None and self.capture.purchase_id is not None


@dataclass(slots=True)
class Dossier:
    """A case with all that belongs to it, detached from the database."""

    case: models.Case
    items: list[Item]
    captures_of: dict[UUID, list[models.Capture]] = field(default_factory=dict)

    @property
    def subjects(self) -> set[str]:
        """All that the ledger may have written about it."""
        found = {f"case:{self.case.id}"}
        for item in self.items:
            found |= {item.subject, f"exhibit:{item.row.id}"}
        return found


class Redaction:
    """Keeps the buyer's name and address out of what people are given.

    Parameters
    ----------
    buyers
        The fields of each buyer; empty where nothing is to be hidden.
    """

    def __init__(self, buyers: Iterable[Mapping[str, str]]) -> None:
        secrets = {
            form
            for buyer in buyers
            for name in SECRET_FIELDS
            if len(value := " ".join(buyer.get(name, "").split())) >= LEAST_SECRET
            for form in (value, quote(value), quote_plus(value))
        }
        longest_first = sorted(secrets, key=len, reverse=True)
        # Whole words only: digits of a postcode may well stand in a hash.
        words = "|".join(re.escape(secret) for secret in longest_first)
        self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if secrets else None

    def text(self, text: str) -> str:
        """The text with each of them replaced by ``[sealed]``."""
        return self._pattern.sub(SEALED, text) if self._pattern else text

    def holds(self, text: str) -> bool:
        """Whether one of them is in the text."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def all(self, value: Any) -> Any:
        """The same of every text in something that JSON can hold."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.all(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.all(part) for part in value]
        return value


def collect(
    session: Session, reference: str, redaction: Redaction, *, include_sensitive: bool
) -> Dossier:
    """Read a case with its exhibits, for use after the session.

    Raises
    ------
    TouchstoneError
        If there is no such case, or nothing in it.
    """
    capture_listing = selectinload(models.Exhibit.capture).joinedload(models.Capture.listing)
    purchase = selectinload(models.Exhibit.purchase)
    case = session.scalar(
        select(models.Case)
        .where(models.Case.reference == reference)
        .options(
            joinedload(models.Case.brand),
            selectinload(models.Case.exhibits).options(
                capture_listing.joinedload(models.Listing.marketplace),
                selectinload(models.Exhibit.capture).selectinload(models.Capture.stamps),
                purchase.selectinload(models.Purchase.events),
                purchase.joinedload(models.Purchase.listing).joinedload(models.Listing.marketplace),
            ),
        )
    )
    if case is None:
        raise TouchstoneError(f"there is no case {reference!r}; see touchstone case list")
    if not case.exhibits:
        raise TouchstoneError(f"case {reference!r} has no exhibits: add some first")
    items = [
        _item(session, row, redaction, include_sensitive=include_sensitive) for row in case.exhibits
    ]
    bought = [item.purchase.id for item in items if item.purchase]
    captures_of: dict[UUID, list[models.Capture]] = {}
    for capture in session.scalars(
        select(models.Capture)
        .where(models.Capture.purchase_id.in_(bought))
        .order_by(models.Capture.id)
    ):
        assert capture.purchase_id is not None
        captures_of.setdefault(capture.purchase_id, []).append(capture)
    return Dossier(case, items, captures_of)


def _item(
    session: Session, row: models.Exhibit, redaction: Redaction, *, include_sensitive: bool
) -> Item:
    item = Item(row, None, sealed=False)
    item.sealed = not include_sensitive and (row.sensitive or item.of_checkout)
    item.assessment, item.snapshot = _said(session, item)
    if item.capture:
        item.sha256, item.size = item.capture.sha256, item.capture.size
    elif row.kind == "file":
        item.sha256, item.size = row.sha256, row.size
    if item.deleted_at is None:
        # What a person called the file may be the very thing that is sealed.
        name = "exhibit" if item.sealed else redaction.text(row.name)
        item.path = (
            f"sealed/{row.number:03d}.bin"
            if item.sealed
            else f"exhibits/{row.number:03d}-{_file_name(name, row.kind, item.media_type)}"
        )
    return item


def _said(session: Session, item: Item) -> tuple[models.Assessment | None, models.Snapshot | None]:
    """The assessment behind an exhibit, and what the listing said at the time."""
    capture, purchase = item.capture, item.purchase
    about = capture or purchase
    if about is None:
        return None, None
    assessment_id = about.assessment_id
    if assessment_id is None and capture is not None and capture.purchase_id is not None:
        bought = session.get(models.Purchase, capture.purchase_id)
        assessment_id = bought.assessment_id if bought else None
    options = [joinedload(models.Snapshot.seller), selectinload(models.Snapshot.pictures)]
    if assessment_id is not None:
        assessment = session.get_one(
            models.Assessment,
            assessment_id,
            options=[
                joinedload(models.Assessment.snapshot).options(*options),
                joinedload(models.Assessment.brand),
                joinedload(models.Assessment.product),
                joinedload(models.Assessment.plan),
            ],
        )
        return assessment, assessment.snapshot
    assert capture is not None
    snapshot = session.scalar(
        select(models.Snapshot)
        .where(
            models.Snapshot.listing_id == capture.listing_id,
            models.Snapshot.seen_at <= capture.captured_at,
        )
        .order_by(models.Snapshot.seen_at.desc())
        .limit(1)
        .options(*options)
    )
    return None, snapshot


def _file_name(name: str, kind: str, media_type: str) -> str:
    """A file's name in the bag: plain ASCII, no longer than people like to read."""
    if kind == "purchase":
        return "purchase.json"
    suffix = suffix_of(media_type)
    stem = name.rsplit(".", 1)[0] if kind == "file" else name
    return f"{slug(stem, kind)}{suffix}"


def slug(text: str, otherwise: str, longest: int = 60) -> str:
    """Letters, digits, points and dashes of ASCII; `otherwise` if nothing is left.

    >>> slug("Fäke / Tasche №7", "x")
    'Fake-Tasche-No7'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    made = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:longest].strip("-")
    return made or otherwise


def numbers_of(items: Iterable[Item]) -> dict[str, int]:
    """The exhibit's number by each of its subjects in the ledger."""
    numbers = {}
    for item in items:
        numbers[item.subject] = numbers[f"exhibit:{item.row.id}"] = item.number
    return numbers
