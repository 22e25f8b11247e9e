"""Photographs, videos and papers of a purchase: exhibits of its case, kept as they came."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import ExifTags, Image, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Session

from evidence.custody.cases import StoredFile, add_file, add_purchase, open_case
from purchases import people
from purchases.proposals import find
from purchases.states import IllegalMove
from purchases.ways import FILES
from registry.blobs import Blobs
from registry.errors import TouchstoneError
from registry.models import Case, Exhibit, Purchase, PurchaseFile


def add(
    session: Session,
    blobs: Blobs,
    purchase_id: UUID,
    stored: StoredFile,
    *,
    by: str,
    kind: str,
    sent_sha256: str | None = None,
) -> PurchaseFile:
    """Make a stored file an exhibit of the purchase's case, which is opened if there is none.

    Parameters
    ----------
    by
        The buyer of the purchase, an examiner of it, or an administrator.
    kind
        Of `FILES`: what it shows.
    sent_sha256
        The hash that was worked out before it was sent.

    Raises
    ------
    TouchstoneError
        If it arrived as something else than was sent, the person has no part in the
        purchase, or the case has these bytes already.
    """
    if kind not in FILES:
        raise TouchstoneError(f"there is no kind {kind!r}; there are: {', '.join(FILES)}")
    if sent_sha256 is not None and sent_sha256.casefold() != stored.sha256:
        raise TouchstoneError(
            f"{stored.name}: it arrived as {stored.sha256}, and was sent as {sent_sha256}: "
            "send it again"
        )
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    part = {purchase.buyer, purchase.examiner, purchase.second_examiner}
    if person.name not in part and "administrator" not in person.roles:
        raise IllegalMove(f"{person.name} has no part in this purchase")
    if person.name in (purchase.examiner, purchase.second_examiner) and kind != "examination":
        raise IllegalMove(f"{person.name} examines it: their files are of the examination")
    taken = read_taken(stored.path)
    case = case_of(session, purchase, actor=person.name)
    exhibit = add_file(
        session, blobs, case.reference, stored, actor=person.name, sensitive=True
    )  # what a parcel shows is somebody's address
    row = PurchaseFile(
        exhibit_id=exhibit.id,
        purchase_id=purchase.id,
        kind=kind,
        sha256=stored.sha256,
        sent_sha256=None if sent_sha256 is None else sent_sha256.casefold(),
        taken=taken,
        added_by=person.name,
    )
    session.add(row)
    session.flush()
    return row


def case_of(session: Session, purchase: Purchase, *, actor: str) -> Case:
    """The case of a purchase, of which it is an exhibit; opened where there is none yet."""
    if purchase.case_id is None:
        case = open_case(
            session,
            reference=f"TP-{purchase.id.hex[-12:].upper()}",
            title=f"Test purchase for {purchase.brand.name}",
            actor=actor,
            brand=purchase.brand.slug,
        )
        purchase.case_id = case.id
        session.flush()
    case = session.get_one(Case, purchase.case_id)
    there = session.scalar(
        select(Exhibit.id).where(Exhibit.case_id == case.id, Exhibit.purchase_id == purchase.id)
    )
    if there is None:
        add_purchase(session, case.reference, purchase.id, actor=actor)
    return case


def read_taken(path: Path) -> dict[str, Any]:
    """When and where a picture says that it was taken; empty if it is none or says nothing.

    Its pixels are not decoded, and the file is left as it is.
    """
    try:
        with Image.open(path) as picture:
            exif = picture.getexif()
            inner = exif.get_ifd(ExifTags.IFD.Exif)
            position = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return {}
    found: dict[str, Any] = {}
    at = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    if isinstance(at, str):
        try:
            # The camera's own clock, in no zone that it tells.
            found["at"] = datetime.strptime(at.strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(
                tzinfo=UTC
            ).strftime("%Y-%m-%d %H:%M:%S")  # fmt: skip
        except ValueError:
            pass
    for name, value_tag, sign_tag, negative in (
        ("latitude", ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S"),
        ("longitude", ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W"),
    ):
        degrees = _degrees(position.get(value_tag))
        if degrees is not None:
            found[name] = -degrees if position.get(sign_tag) == negative else degrees
    return found


def _degrees(parts: Any) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    # Not a number where the camera divided by nought.
    return round(value, 6) if 0 <= value <= 180 else None
