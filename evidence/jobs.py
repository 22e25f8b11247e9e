"""The job that captures a flagged listing and keeps the bundle."""

from __future__ import annotations

import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.async_api import Browser

from crawler.browsing.browser import find_chromium
from crawler.marketplaces import KINDS
from crawler.network.gate import gate_of
from evidence.capturing.browsing import shared
from evidence.capturing.capture import Capture, Order, capture_in
from evidence.capturing.workspace import workspace
from evidence.custody.keeping import enter, keep
from evidence.signing.signer import open_signer
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
        definition = KINDS.get(listing.marketplace.kind)
        why = {
            "operator": settings.operator,
            "why": f"assessment {assessment.id}: score {assessment.score:.3f} "
            f"over {assessment.threshold:.3f}",
            "assessment": str(assessment.id),
            "listing": f"{listing.marketplace.name} {listing.external_id}",
        }
    signer = open_signer(settings)  # before anything is visited: without one, nothing is sealed
    gate = gate_of(settings)
    browsing = shared(find_chromium(settings.browser))
    with workspace(settings.data_dir) as folder:

        def visit(browser: Browser) -> Coroutine[Any, Any, Capture]:
            # A visit is made again if the browser dies under it: a place of its own each time.
            place = Path(tempfile.mkdtemp(dir=folder))
            order = Order(listing.url, gate, place, why, signer, definition, settings)
            return capture_in(browser, order)

        row = keep(browsing.run(visit), listing, settings, blobs)
    row.assessment_id = assessment_id
    with hold.finishing({"sha256": row.sha256, "status": row.status}) as session:
        enter(session, row, settings, actor=settings.operator)
