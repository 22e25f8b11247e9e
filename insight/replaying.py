"""Working an assessment out again from what was kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

import matchers
from matchers.model import Model
from matchers.values import Context, to_json
from registry.errors import TouchstoneError
from registry.models import Assessment

_SEARCHED = ("index", "embedding")


@dataclass(frozen=True, slots=True)
class Replay:
    """An assessment then and now.

    Parameters
    ----------
    same
        Whether score, outcome, kind, gate and every signal are what they were.
    differences
        In words, what is not.
    versions_then, versions_now
        Of model, lexicon, words, pictures, rates. Where they differ the figures may.
    """

    assessment_id: UUID
    same: bool
    differences: tuple[str, ...]
    score_then: float
    score_now: float
    outcome_then: str
    outcome_now: str
    versions_then: dict[str, str]
    versions_now: dict[str, str]


def replay(session: Session, assessment_id: UUID) -> Replay:
    """Work an assessment out again: same listing, brand, context and model, no picture needed.

    Raises
    ------
    TouchstoneError
        If there is no such assessment, or its inputs are of a version that cannot be read.
    """
    kept = session.get(Assessment, assessment_id)
    if kept is None:
        raise TouchstoneError(
            f"there is no assessment {assessment_id}: touchstone queue --json names them"
        )
    if "model" not in kept.inputs:
        raise TouchstoneError(
            f"assessment {assessment_id} is older than models: its inputs do not hold one; "
            "it is judged anew when its listing is seen again"
        )
    try:
        again = matchers.assess(
            matchers.from_json(matchers.Listing, kept.inputs["listing"]),
            matchers.from_json(matchers.Brand, kept.inputs["brand"]),
            matchers.from_json(Context, kept.inputs["context"]),
            model=Model.model_validate(kept.inputs["model"]),
        )
    except (ValueError, KeyError) as error:
        raise TouchstoneError(
            f"the inputs of assessment {assessment_id} cannot be read by this version: "
            f"{' '.join(str(error).split())[:300]}"
        ) from error
    now: dict[str, Any] = to_json(again)
    # The index is no part of the matchers: which one was searched, and by what model, are inputs.
    searched = {name: kept.inputs[name] for name in _SEARCHED if name in kept.inputs}
    now["versions"] = {**now["versions"], **searched}
    then = kept.result
    differences = tuple(_differences(then, now))
    return Replay(
        assessment_id=assessment_id,
        same=not differences,
        differences=differences,
        score_then=then["score"],
        score_now=now["score"],
        outcome_then=then["outcome"],
        outcome_now=now["outcome"],
        versions_then=then["versions"],
        versions_now=now["versions"],
    )


def _differences(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    found = [
        f"{name}: {then.get(name)} then, {now.get(name)} now"
        for name in ("score", "outcome", "kind", "gate", "product_id")
        if then.get(name) != now.get(name)
    ]
    before, after = _by_name(then), _by_name(now)
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            found.append(f"signal {name}: then, not now")
        elif name not in before:
            found.append(f"signal {name}: now, not then")
        elif before[name] != after[name]:
            found.append(f"signal {name}: not as it was")
    if not found and then.get("versions") != now.get("versions"):
        return []  # another version that says the same
    return found


def _by_name(result: dict[str, Any]) -> dict[str, list[Any]]:
    signals: dict[str, list[Any]] = {}
    for signal in result["signals"]:
        signals.setdefault(signal["name"], []).append(signal)
    return signals
