"""The job that captures a flagged listing and keeps the bundle."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from uuid import UUID

from crawler.browser import find_chromium
from crawler.gate import Gate
from evidence.capture import Capture, capture
from registry import jobs, models
from registry.blobs import Blobs
from registry.settings import Settings


def capture_job(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
    """Capture the listing of an assessment.

    Captures happen at least once: a worker killed half-way leaves a blob that no row names
    or nothing, and the next one begins anew.
    """
    assessment_id = UUID(hold.claim.payload["assessment_id"])
    with hold.database.reading() as session:
        assessment = session.get_one(models.Assessment, assessment_id)
        listing = assessment.snapshot.listing
        why = {
            "operator": settings.operator,
            "why": f"assessment {assessment.id}: score {assessment.score:.3f} "
            f"over {assessment.threshold:.3f}",
            "assessment": str(assessment.id),
            "listing": f"{listing.marketplace.name} {listing.external_id}",
        }
    work = settings.data_dir / "work"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        made = asyncio.run(
            capture(
                listing.url,
                gate=Gate(settings.allowed_private_hosts),
                executable=find_chromium(settings.browser),
                folder=Path(folder),
                circumstances=why,
            )
        )
        row = keep(made, listing, settings, blobs)
    row.assessment_id = assessment_id
    with hold.finishing({"sha256": row.sha256, "status": row.status}) as session:
        session.add(row)


def keep(
    made: Capture, listing: models.Listing, settings: Settings, blobs: Blobs
) -> models.Capture:
    """Store a capture's bundle and screenshot, and describe it as a row not yet added."""
    sealed = made.sealed
    return models.Capture(
        listing_id=listing.id,
        url=made.final_url,
        status=made.status,
        http_status=made.http_status,
        sha256=sealed.sha256,
        blob=blobs.put_file(sealed.path, ".wacz"),
        size=sealed.path.stat().st_size,
        screenshot_blob=blobs.put_file(sealed.screenshot, ".png"),
        operator=settings.operator,
    )
