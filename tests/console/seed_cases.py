"""What came of the seeded listings: verdicts, purchases and jobs in every state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

import matchers
from purchases import people
from registry import jobs
from registry.models import Assessment, Job, Product, Purchase, PurchaseEvent, Snapshot

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
#: A slanted area of the listing's picture, nearly the whole of the reference.
LISTING_OUTLINE = ((0.12, 0.2), (0.85, 0.1), (0.9, 0.82), (0.18, 0.92))
REFERENCE_OUTLINE = ((0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95))


def verdict(
    snapshot: Snapshot, product: Product, number: int, *, how: str, score: float, distance: int
) -> matchers.Assessment:
    """What the matchers might say of a snapshot, with a given figure; every fifth unseen."""
    assert product.floor_amount is not None
    assert snapshot.amount is not None
    shown = snapshot.pictures[0].sha256
    assert shown is not None
    match = matchers.PictureMatch(
        product_id=str(product.id),
        listing_sha256=shown,
        reference_sha256=product.references[0].sha256,
        distance=distance,
        view="mirrored" if number % 4 == 3 else "as it is",
        inliers=0 if number % 4 == 1 else 42,
        confidence=0.98,
        listing_outline=() if number % 4 == 1 else LISTING_OUTLINE,
        reference_outline=() if number % 4 == 1 else REFERENCE_OUTLINE,
    )
    share = snapshot.amount / product.floor_amount
    signals = [
        matchers.Signal(
            "picture_match",
            2.4,
            f"A picture is the registered one of {product.name} "
            f"({match.distance} of 256 bits differ).",
            picture=match,
        ),
        matchers.Signal(
            f"brand_{how}",
            1.6,
            "The brand is written in disguise."
            if how == "disguised"
            else f"{product.brand.name} is named in the title.",
            spans(snapshot, "title", "elaro", "velaro", "brand", before=1),
        ),
        matchers.Signal(
            "lexicon",
            1.9,
            "'replica': a word by which copies are sold (severity 4 of 4).",
            spans(snapshot, "title", "replica", "en-replica", "lexicon")
            + spans(snapshot, "title", "高仿", "zh-gaofang", "lexicon")
            + spans(snapshot, "description", "1:1", "any-1to1", "lexicon"),
        ),
        matchers.Signal(
            "price_under_floor",
            1.4,
            f"The price, {snapshot.price}, is {share:.0%} of the floor of {product.price_floor}.",
        ),
        matchers.Signal("seller_unknown", -0.3, "The seller is not on the brand's list."),
    ]
    if number % 5 == 4:
        del signals[0]
    return matchers.Assessment(
        score=score,
        gate=None,
        product_id=str(product.id),
        signals=tuple(signals),
        versions={"weights": "2026-11", "lexicon": "2026-11"},
    )


def spans(
    snapshot: Snapshot, name: str, text: str, term: str, kind: str, before: int = 0
) -> tuple[matchers.Span, ...]:
    """Where a text stands in a field, as the matchers would report it."""
    start = str(getattr(snapshot, name)).find(text)
    if start < 0:
        return ()
    return (matchers.Span(name, max(0, start - before), start + len(text), term, kind),)


def seed_purchases(session: Session, assessments: list[Assessment]) -> dict[str, UUID]:
    """A purchase in each state; their ids by it."""
    lives: dict[str, tuple[str, ...]] = {
        "proposed": (),
        "rejected": ("rejected",),
        "approved": ("approved",),
        "ordering": ("approved", "assigned", "ordering"),
        "ordered": ("approved", "assigned", "ordering", "ordered"),
        "rehearsed": ("approved", "assigned", "ordering", "rehearsed"),
        "outcome_unclear": ("approved", "assigned", "ordering", "outcome_unclear"),
        "stopped": ("approved", "assigned", "ordering", "stopped"),
        "failed": ("approved", "assigned", "ordering", "outcome_unclear", "failed"),
    }
    for name, role in (
        ("Ada Lovelace", "approver"), ("Grace Hopper", "approver"), ("Bea Buyer", "buyer"),
        ("Eve Examiner", "examiner"), ("Finn Finance", "finance"),
    ):  # fmt: skip
        people.add(session, name, [role])
    made = {}
    for (state, life), assessment in zip(lives.items(), assessments, strict=True):
        purchase = Purchase(
            listing_id=assessment.snapshot.listing_id,
            assessment=assessment,
            snapshot=assessment.snapshot,
            brand=assessment.brand,
            state=state,
            limit_amount=Decimal("80.00"),
            limit_currency="EUR",
            requested_by="touchstone",
            approved_by="Ada Lovelace" if "approved" in life else None,
            approved_at=NOW if "approved" in life else None,
            buyer="Bea Buyer" if "assigned" in life else None,
            how="browser" if "assigned" in life else None,
            clicked_at=NOW if state in ("ordered", "outcome_unclear", "failed") else None,
            order_number="B-100017" if state == "ordered" else None,
            order_amount=Decimal("64.90") if state == "ordered" else None,
            order_currency="EUR" if state == "ordered" else None,
            note="the total is 91.20 EUR, over the limit" if state == "stopped" else None,
        )
        purchase.events = [
            PurchaseEvent(
                actor="Ada Lovelace" if step == "approved" else "touchstone",
                state=step,
                at=NOW + timedelta(seconds=number * 40),
                note="<i>no order number on the page</i>" if step == "outcome_unclear" else None,
            )
            for number, step in enumerate(("proposed", *life))
        ]
        session.add(purchase)
        session.flush()
        made[state] = purchase.id
    return made


def seed_jobs(session: Session, assessments: list[Assessment]) -> dict[str, UUID]:
    """Capture jobs in every state; the first of each by it."""
    made: dict[str, UUID] = {}
    states = ("dead", "running", "queued", "done")
    for number, assessment in enumerate(assessments):
        job_id = jobs.enqueue(
            session,
            "capture",
            {"assessment_id": str(assessment.id)},
            key=f"capture:{assessment.snapshot_id}",
        )
        assert job_id is not None
        state = states[number % len(states)]
        job = session.get_one(Job, job_id)
        job.state = state
        if state == "dead":
            job.failures, job.finished_at = 5, NOW
            job.error = "CaptureFailed: <b>timed out</b> after 60 s at https://bazaar.example/"
        elif state == "running":
            job.claimed_by, job.lease_until = "worker-1", NOW + timedelta(minutes=1)
        elif state == "done":
            job.finished_at = NOW
        made.setdefault(state, job_id)
    session.flush()
    return made
