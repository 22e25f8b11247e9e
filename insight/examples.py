"""People's verdicts as what a model learns from; and learning, from the database to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from insight.learning import Example, Learned, fit
from insight.models import keep, running_model
from registry.models import Assessment, Snapshot, Verdict

#: Grey imports and price breaches are genuine goods. Unclear is no answer.
_FAKE = {
    "counterfeit": True,
    "trademark_use": True,
    "grey_import": False,
    "price_breach": False,
    "genuine": False,
}


def examples(session: Session) -> list[Example]:
    """The newest verdict on every listing, for each brand, with the signals then.

    Verdicts on what a gate had stopped are left out: no model is asked there. So are those on
    assessments older than signals that carry what was measured.
    """
    newest: dict[tuple[UUID, UUID], Verdict] = {}
    for said in session.scalars(
        select(Verdict)
        .order_by(Verdict.id)
        .options(
            selectinload(Verdict.assessment)
            .selectinload(Assessment.snapshot)
            .selectinload(Snapshot.listing)
        )
    ):
        newest[(said.listing_id, said.brand_id)] = said
    found = []
    for said in newest.values():
        judged = said.assessment
        if said.verdict not in _FAKE or judged.gate is not None or judged.model_version is None:
            continue
        snapshot = judged.snapshot
        # Of a listing without a seller nothing is known that others share.
        who = f"{snapshot.listing.marketplace_id}:{snapshot.seller_id or snapshot.listing_id}"
        found.append(
            Example(
                signals=_measured(judged.result["signals"]),
                label=_FAKE[said.verdict],
                group=f"{who}:{judged.product_id}",
                decided_at=said.created_at,
            )
        )
    return found


def _measured(signals: list[dict[str, Any]]) -> dict[str, float]:
    return {signal["name"]: float(signal["value"]) for signal in signals}


def learn(session: Session, *, keep_it: bool = True) -> Learned:
    """Fit a model from all verdicts; it judges from now on where it is better, and only then.

    Parameters
    ----------
    keep_it
        Whether to put a better one in its place, or only to say what would be done.
    """
    learned = fit(examples(session), running_model(session))
    if learned.model is not None and keep_it:
        report = {**learned.report.to_json(), "provenance": learned.model.provenance}
        keep(session, learned.model, report, active=True)
    return learned
