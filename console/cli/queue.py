"""`touchstone queue`: the flagged listings, or those to look at, worst first."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from sqlalchemy import and_, func, select
from sqlalchemy.orm import selectinload

from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, table
from insight.holding import still_holds
from insight.verdicts import newest_verdicts
from registry.errors import TouchstoneError
from registry.models import Assessment, Brand, Capture, Listing, Purchase, Snapshot


class Outcome(StrEnum):
    """What the queue is asked for."""

    flag = "flag"
    abstain = "abstain"


def add_to(root: typer.Typer) -> None:
    """Put `queue` at the root."""
    root.command(
        "queue",
        epilog="Examples: `touchstone queue`, `touchstone queue --outcome abstain`, "
        "`touchstone queue --brand velaro --json`",
    )(queue)


def queue(
    brand: Annotated[str | None, typer.Option(help="Only this brand's.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    outcome: Annotated[
        Outcome,
        typer.Option(help="flag: the flagged ones; abstain: those that a person should look at."),
    ] = Outcome.flag,
    json: JsonFlag = False,
) -> None:
    """List flagged listings with score, kind, reasons, verdict. A score accuses nobody."""
    of_outcome = (
        Assessment.flagged
        if outcome is Outcome.flag
        else and_(~Assessment.flagged, Assessment.outcome != "pass")
    )
    wanted = (
        select(Assessment)
        .join(Snapshot, Assessment.snapshot_id == Snapshot.id)
        .where(of_outcome, still_holds())
        .order_by(Assessment.score.desc(), Assessment.id)
        .limit(limit)
        .options(
            selectinload(Assessment.brand),
            selectinload(Assessment.product),
            selectinload(Assessment.snapshot).selectinload(Snapshot.seller),
            selectinload(Assessment.snapshot)
            .selectinload(Snapshot.listing)
            .selectinload(Listing.marketplace),
        )
    )
    if brand is not None:
        wanted = wanted.join(Brand, Assessment.brand_id == Brand.id).where(Brand.slug == brand)
    with open_house() as house, house.database.reading() as session:
        known = session.scalars(select(Brand.slug).order_by(Brand.slug)).all()
        if brand is not None and brand not in known:
            there = ", ".join(known) or "none yet"
            raise TouchstoneError(f"brand {brand!r} is not registered; there are: {there}")
        assessments = session.scalars(wanted).all()
        listing_ids = [a.snapshot.listing_id for a in assessments]
        captures = dict(
            session.execute(
                select(Capture.listing_id, func.count())
                .where(Capture.listing_id.in_(listing_ids))
                .group_by(Capture.listing_id)
            ).all()
        )
        purchases = {
            purchase.listing_id: purchase
            for purchase in session.scalars(
                select(Purchase).where(Purchase.listing_id.in_(listing_ids)).order_by(Purchase.id)
            )
        }
        verdicts = newest_verdicts(session, listing_ids)
        rows = [
            _row(
                a,
                captures.get(a.snapshot.listing_id, 0),
                purchases.get(a.snapshot.listing_id),
                verdicts.get(a.snapshot.listing_id),
            )
            for a in assessments
        ]
    if json:
        emit_json(rows)
        return
    table(
        (
            "Score",
            "Kind",
            "Title",
            "Price",
            "Seller",
            "Product",
            "Captures",
            "Purchase",
            "Verdict",
            "Assessment",
        ),
        (
            (
                f"{r['score']:.2f}",
                (r["kind"] or "").replace("_", " "),
                f"{'(gone) ' if r['gone_at'] else ''}{r['title'][:60]}",
                r["price"],
                r["seller"],
                r["product"],
                r["captures"],
                r["purchase_state"],
                (r["verdict"] or "").replace("_", " "),
                r["assessment_id"],
            )
            for r in rows
        ),
        empty="Nothing is flagged." if outcome is Outcome.flag else "Nothing waits for a look.",
    )


def _row(
    a: Assessment, captures: int, purchase: Purchase | None, verdict: str | None
) -> dict[str, Any]:
    snapshot = a.snapshot
    return {
        "assessment_id": a.id,
        "listing_id": snapshot.listing_id,
        "marketplace": snapshot.listing.marketplace.name,
        "external_id": snapshot.listing.external_id,
        "url": snapshot.listing.url,
        "gone_at": snapshot.listing.gone_at,
        "score": a.score,
        "outcome": a.outcome,
        "kind": a.kind,
        "model_version": a.model_version,
        "title": snapshot.title,
        "price": snapshot.price and str(snapshot.price),
        "seller": snapshot.seller and (snapshot.seller.name or snapshot.seller.external_id),
        "brand": a.brand.slug,
        "product": a.product and a.product.sku,
        "reasons": [signal["reason"] for signal in a.result["signals"]],
        "verdict": verdict,
        "captures": captures,
        "purchase_id": purchase and purchase.id,
        "purchase_state": purchase and purchase.state,
    }
