"""A case with exhibits of every kind, stamps, a checkpoint and a deleted capture."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from evidence.custody import cases, handling, ledger, retention
from evidence.signing.signer import KeySigner
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Capture, Stamp
from registry.models.base import utcnow
from tests.console.seed import Seeded
from tests.pictures import jpeg

CASE = "C-17"
HOSTILE_CASE = '<script>alert("case")</script> copies of the tote'
HOSTILE_DETAIL = "<img src=x onerror=alert(3)> \u202elaes"
AUTHORITY = "https://tsa.example/rfc3161"


def seed_custody(database: Database, blobs: Blobs, seeded: Seeded, folder: Path) -> None:
    """Fill in what came after the captures.

    Parameters
    ----------
    folder
        For the files that are added to the case.
    """
    signer = KeySigner(ec.generate_private_key(ec.SECP384R1()))
    first, second, gone = (seeded.captures[number] for number in (0, 1, 5))
    stored = []
    for name, data in (("parcel.jpg", jpeg(4)), ("label.jpg", jpeg(5)), ("letter.pdf", b"%PDF-1")):
        (folder / name).write_bytes(data)
        stored.append(cases.store_file(blobs, folder / name))
    with database.writing() as session:
        for number, capture_id in enumerate((first, second, gone)):
            capture = session.get_one(Capture, capture_id)
            capture.exchanges, capture.incomplete = 314, 2 if number == 0 else 0
            capture.key_id, capture.archive_sha256 = signer.key_id, "ab" * 32
            for about in ("package", "archive"):
                awaiting = number == 0 and about == "archive"
                session.add(
                    Stamp(
                        capture_id=capture_id,
                        about=about,
                        digest=f"{number}{about[0]}".ljust(64, "0"),
                        authority=AUTHORITY,
                        state="awaiting" if awaiting else "stamped",
                        stamped_at=None if awaiting else utcnow() + timedelta(hours=3),
                        error="no answer: <b>timed out</b> after 10 s" if awaiting else None,
                    )
                )
            details = {"url": capture.url, "status": capture.status, "http_status": 200}
            ledger.record(
                session,
                event="captured",
                subject=f"capture:{capture_id}",
                actor="touchstone",
                details=details,
                occurred_at=capture.captured_at,
            )
        cases.open_case(session, reference=CASE, title=HOSTILE_CASE, actor="Ada Lovelace")
        cases.add_capture(session, CASE, first, actor="Ada Lovelace")
        cases.add_purchase(session, CASE, seeded.purchases["ordered"], actor="Ada Lovelace")
        for number, file in enumerate(stored):
            cases.add_file(session, blobs, CASE, file, actor="Grace Hopper", sensitive=number == 1)
        retention.set_hold(session, CASE, actor="Ada Lovelace", reason="suit filed")
        handling.report(
            session,
            reference=CASE,
            event="parcel_received",
            actor="Grace Hopper",
            exhibit=2,
            occurred_at=utcnow() - timedelta(days=2),
            details={"carrier": "DHL", "tracking": "JD0146", "place": HOSTILE_DETAIL},
        )
        cases.open_case(
            session, reference="C-18", title="An empty one", actor="Ada", brand="velaro"
        )
        retention.delete(session, gone, actor="Grace Hopper", reason="a double")
        checkpoint = ledger.checkpoint(session, signer)
        assert checkpoint is not None
        session.add(
            Stamp(
                checkpoint_id=checkpoint.id,
                about="checkpoint",
                digest="c" * 64,
                authority=AUTHORITY,
                state="stamped",
                stamped_at=utcnow(),
            )
        )
        ledger.record(session, event="viewed", subject=f"capture:{second}", actor="Ada Lovelace")
