"""Keeping a sealed bundle: into the store, then into the database and the custody ledger."""

from __future__ import annotations

from sqlalchemy.orm import Session

from evidence.capturing.capture import Capture
from evidence.custody import ledger
from evidence.signing import timestamps
from registry import models
from registry.blobs import Blobs
from registry.models.base import utcnow
from registry.settings import Settings


def keep(
    made: Capture, listing: models.Listing, settings: Settings, blobs: Blobs
) -> models.Capture:
    """Store a capture's bundle and screenshot, and describe it as a row not yet added.

    Raises
    ------
    OSError
        If the store cannot take them.
    """
    sealed = made.sealed
    captured_at = utcnow()  # storing may take its time
    return models.Capture(
        listing_id=listing.id,
        url=made.final_url,
        status=made.status,
        http_status=made.http_status,
        sha256=sealed.sha256,
        blob=blobs.put_file(sealed.path, ".wacz"),
        size=sealed.path.stat().st_size,
        archive_sha256=sealed.archive_sha256,
        key_id=sealed.key_id,
        exchanges=sealed.exchanges,
        incomplete=sealed.incomplete,
        screenshot_blob=blobs.put_file(sealed.screenshot, ".png"),
        captured_at=captured_at,
        operator=settings.operator,
    )


def enter(session: Session, row: models.Capture, settings: Settings, *, actor: str) -> None:
    """Add a kept capture, in the transaction that ends the job: row, stamps asked for, ledger.

    Parameters
    ----------
    actor
        Who captured it.
    """
    session.add(row)
    session.flush()
    timestamps.request(
        session, digest=row.sha256, about="package", settings=settings, capture_id=row.id
    )
    if row.archive_sha256 is not None:
        # The WARC of its own, so that it can be dated without the package around it.
        timestamps.request(
            session, digest=row.archive_sha256, about="archive", settings=settings,
            capture_id=row.id,
        )  # fmt: skip
    # Last: who appends to the ledger keeps all others waiting until the transaction ends.
    subject = f"capture:{row.id}"
    ledger.record(
        session,
        event="captured",
        subject=subject,
        actor=actor,
        occurred_at=row.captured_at,
        details={"url": row.url, "status": row.status, "http_status": row.http_status},
    )
    ledger.record(
        session,
        event="sealed",
        subject=subject,
        actor=actor,
        occurred_at=row.captured_at,
        details={
            "sha256": row.sha256,
            "archive_sha256": row.archive_sha256,
            "size": row.size,
            "key_id": row.key_id,
            "exchanges": row.exchanges,
            "incomplete": row.incomplete,
        },
    )
