"""How good probabilities are: Brier score, log loss, calibration error, precision and recall.

Arrays in, figures out; intervals by bootstrap over groups, because the listings of one seller
are no independent witnesses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Figure = Callable[[Floats, Bools], float]

BINS = 10
ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def brier(scores: Floats, labels: Bools) -> float:
    """Mean squared difference of probability and truth (Brier 1950); 0 is best."""
    return float(np.mean((scores - labels) ** 2))


def log_loss(scores: Floats, labels: Bools) -> float:
    """Mean negative log-likelihood in nats; a certain error counts as one in a million."""
    sure = np.clip(scores, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(labels, np.log(sure), np.log(1 - sure))))


def calibration_error(scores: Floats, labels: Bools) -> float:
    """Expected calibration error over ten bins of equal mass (Naeini et al. 2015)."""
    order = np.argsort(scores, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    gaps = [len(part) * abs(scores[part].mean() - labels[part].mean()) for part in bins]
    return float(sum(gaps) / len(scores))


def average_precision(scores: Floats, labels: Bools) -> float:
    """Area under the curve of precision over recall."""
    return float(average_precision_score(labels, scores))


def recall_at_load(load: float) -> Figure:
    """Of the positives, the part within the highest-scored part `load` of all."""

    def figure(scores: Floats, labels: Bools) -> float:
        most = max(1, round(load * len(scores)))
        first = np.argsort(-scores, kind="stable")[:most]
        return float(labels[first].sum() / max(1, labels.sum()))

    return figure


def precision_at(limit: float) -> Figure:
    """Of those scored `limit` or more, the part that is positive; 1 where there is none."""

    def figure(scores: Floats, labels: Bools) -> float:
        over = scores >= limit
        return float(labels[over].mean()) if over.any() else 1.0

    return figure


def recall_at(limit: float) -> Figure:
    """Of the positives, the part scored `limit` or more."""

    def figure(scores: Floats, labels: Bools) -> float:
        return float((scores[labels] >= limit).mean()) if labels.any() else 1.0

    return figure


def with_interval(
    figure: Figure, scores: Floats, labels: Bools, groups: Sequence[str], seed: int = 0
) -> Interval:
    """A figure and its interval."""
    drawn = [figure(scores[rows], labels[rows]) for rows in resampled(groups, seed)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(figure(scores, labels), float(low), float(high))


def resampled(
    groups: Sequence[str], seed: int = 0, rounds: int = ROUNDS
) -> Sequence[NDArray[np.intp]]:
    """Rows of bootstrap samples: whole groups drawn with replacement."""
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(inverse == place) for place in range(len(names))]
    dice = np.random.default_rng(seed)
    draws = dice.integers(len(members), size=(rounds, len(members)))
    return [np.concatenate([members[place] for place in draw]) for draw in draws]
