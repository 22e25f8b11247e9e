"""Learning a model from investigators' verdicts, and whether it may replace the running one.

Logistic regression (scikit-learn) of the verdicts on the stored signal values. What is learned
is how far to depart from the running model: its log-odds are one more feature that costs
nothing to use, and the departures are drawn towards zero. So a signal that no verdict has
seen keeps its weight, in scale. Then a sigmoid calibration on scores that no fold was fitted
on.

A part of the verdicts is held back, by a hash of the group and never by the row, so that no
seller's goods are on both sides. The learned model replaces the running one only where it is
better on that part beyond chance, is calibrated no worse, and flags no more wrongly.

People look at what the queue shows them. A model learned from their verdicts says how likely
such a listing is a fake, not one from the whole marketplace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from insight import figures
from insight.figures import Bools, Floats
from matchers.model import Calibration, Model, sigmoid
from matchers.signals import SIGNALS

#: With fewer verdicts, or fewer of either answer, or from fewer groups, nothing is learned:
#: some ten of the rarer answer for each signal that commonly moves (Peduzzi et al. 1996), and
#: enough left over to tell two models apart.
LEAST_EXAMPLES, LEAST_OF_EACH, LEAST_GROUPS = 200, 60, 40
#: The part of the groups that is held back, and the least of either answer in it.
HELD_BACK, LEAST_HELD_BACK = 0.3, 15
#: A calibration error up to this is good enough not to be held against a model that is better.
GOOD_CALIBRATION = 0.03
#: Inverse strength with which departures are drawn to zero, and what makes the running
#: model's log-odds free of it.
_STRENGTH, _FREE = 0.3, 10.0
_FOLDS = 5
_NAMES = sorted(SIGNALS)


@dataclass(frozen=True, slots=True)
class Example:
    """A verdict with the signals that were before the person who gave it.

    Parameters
    ----------
    signals
        Value of each signal by name; absent ones were not measured.
    label
        Whether it was found counterfeit or a misuse of the mark.
    group
        Seller and product: what must not be on both sides of the split.
    """

    signals: dict[str, float]
    label: bool
    group: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """How good a model is on the part held back."""

    brier: float
    log_loss: float
    calibration_error: float
    average_precision: float
    wrongly_flagged: int
    flagged: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was tried, and why the running model was replaced or not.

    Parameters
    ----------
    brier_gain
        By how much the learned model's Brier score is lower, with its 95 % interval over
        groups.
    """

    examples: int
    positives: int
    groups: int
    held_back: int
    replaces: bool
    reason: str
    current_version: str
    learned_version: str | None = None
    current: Figures | None = None
    learned: Figures | None = None
    brier_gain: figures.Interval | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Learned:
    """The report, and the model where it is to replace the running one."""

    report: Report
    model: Model | None


def fit(examples: Sequence[Example], current: Model) -> Learned:
    """Learn a model from verdicts and try it against the running one.

    The same examples, in any order, give the same model.
    """
    rows = sorted(examples, key=lambda e: (e.group, e.decided_at, sorted(e.signals.items())))
    train = [row for row in rows if not is_held_back(row.group)]
    held = [row for row in rows if is_held_back(row.group)]
    about: dict[str, Any] = {
        "examples": len(rows), "positives": sum(row.label for row in rows),
        "groups": len({row.group for row in rows}), "held_back": len(held),
        "current_version": current.version,
    }  # fmt: skip
    lacking = _lacking(rows, train, held)
    if lacking:
        return Learned(Report(**about, replaces=False, reason=lacking), None)
    last = max(row.decided_at for row in rows).date()
    model = _learned(train, current, f"{len(train)} verdicts up to {last}")
    x, labels = _matrix(held), np.array([row.label for row in held])
    groups = [row.group for row in held]
    mine, theirs = _scores(model, x), _scores(current, x)
    gains = [
        figures.brier(theirs[drawn], labels[drawn]) - figures.brier(mine[drawn], labels[drawn])
        for drawn in figures.resampled(groups)
    ]
    gain = figures.Interval(
        figures.brier(theirs, labels) - figures.brier(mine, labels),
        *(float(q) for q in np.quantile(gains, (0.025, 0.975))),
    )
    learned, running = _figures(model, mine, labels), _figures(current, theirs, labels)
    objection = _objection(learned, running, gain)
    report = Report(
        **about, replaces=objection is None,
        reason=objection or "It is better on the verdicts that were held back.",
        learned_version=model.version, current=running, learned=learned, brier_gain=gain,
    )  # fmt: skip
    return Learned(report, model if objection is None else None)


def is_held_back(group: str) -> bool:
    """Whether a group is of the part held back: by its name alone, today and next year."""
    number = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big")
    return number / 2**64 < HELD_BACK


def _lacking(
    rows: Sequence[Example], train: Sequence[Example], held: Sequence[Example]
) -> str | None:
    """What there is too little of, in a sentence."""
    positives = sum(row.label for row in rows)
    rarer = min(positives, len(rows) - positives)
    groups = len({row.group for row in rows})
    counts = (
        (len(rows), LEAST_EXAMPLES, "verdicts"),
        (rarer, LEAST_OF_EACH, "verdicts of the rarer answer"),
        (groups, LEAST_GROUPS, "sellers and products"),
        (_rarer(held), LEAST_HELD_BACK, "of the rarer answer among those held back"),
        (_rarer(train), _FOLDS, "of the rarer answer to learn from"),
    )
    for there, least, what in counts:
        if there < least:
            return f"There are {there} {what}; it takes {least}."
    return None


def _rarer(rows: Sequence[Example]) -> int:
    positives = sum(row.label for row in rows)
    return min(positives, len(rows) - positives)


def _objection(learned: Figures, running: Figures, gain: figures.Interval) -> str | None:
    if gain.low <= 0:
        return f"It is not better beyond chance: the Brier score gains {gain}."
    if learned.log_loss >= running.log_loss:
        return "Its log loss is not lower: it errs more surely."
    if learned.calibration_error > max(running.calibration_error, GOOD_CALIBRATION):
        return (
            f"It is calibrated worse: {learned.calibration_error:.3f} against "
            f"{running.calibration_error:.3f}."
        )
    if learned.wrongly_flagged > running.wrongly_flagged:
        return (
            f"It flags {learned.wrongly_flagged} wrongly, the running one "
            f"{running.wrongly_flagged}."
        )
    return None


def _matrix(rows: Sequence[Example]) -> Floats:
    return np.array([[row.signals.get(name, 0.0) for name in _NAMES] for row in rows])


def _log_odds(model: Model, x: Floats) -> Floats:
    """Before calibration."""
    weights = np.array([model.weights.get(name, 0.0) for name in _NAMES])
    odds: Floats = x @ weights + model.bias
    return odds


def _scores(model: Model, x: Floats) -> Floats:
    log_odds = _log_odds(model, x) * model.calibration.slope + model.calibration.intercept
    return np.array([sigmoid(value) for value in log_odds])


def _figures(model: Model, scores: Floats, labels: Bools) -> Figures:
    over = scores >= model.limits.flag
    return Figures(
        brier=figures.brier(scores, labels),
        log_loss=figures.log_loss(scores, labels),
        calibration_error=figures.calibration_error(scores, labels),
        average_precision=figures.average_precision(scores, labels),
        wrongly_flagged=int((over & ~labels).sum()),
        flagged=int(over.sum()),
    )


def _learned(train: Sequence[Example], current: Model, source: str) -> Model:
    x, labels = _matrix(train), np.array([row.label for row in train])
    groups = [row.group for row in train]
    features = np.hstack([x, _FREE * _log_odds(current, x)[:, None]])
    apart = np.zeros(len(train))
    for rest, fold in GroupKFold(min(_FOLDS, len(set(groups)))).split(features, labels, groups):
        if len(set(labels[rest])) < 2:
            return current
        fitted = _regression(_STRENGTH).fit(features[rest], labels[rest])
        apart[fold] = fitted.decision_function(features[fold])
    # The fit of the calibration is all but free; the slope stays positive, or it says nothing.
    platt = _regression(1e3).fit(apart[:, None], labels)
    slope, intercept = max(0.05, float(platt.coef_[0][0])), float(platt.intercept_[0])
    fitted = _regression(_STRENGTH).fit(features, labels)
    departures: NDArray[np.float64] = fitted.coef_[0]
    scale = float(departures[-1]) * _FREE
    weights = {
        name: round(scale * current.weights.get(name, 0.0) + float(departures[place]), 6)
        for place, name in enumerate(_NAMES)
    }
    model = Model(
        version="unnamed",
        provenance=f"Learned from {source}, starting from model {current.version}.",
        bias=round(scale * current.bias + float(fitted.intercept_[0]), 6),
        weights=weights,
        calibration=Calibration(slope=round(slope, 6), intercept=round(intercept, 6)),
        limits=current.limits,
    )
    return model.model_copy(update={"version": f"learned-{model.content_version()}"})


def _regression(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=5000, tol=1e-8)
