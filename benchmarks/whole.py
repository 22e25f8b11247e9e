"""The whole judgement, on marketplaces of which the truth is known.

The peer is the rule of thumb that a listing which names the brand under the price floor is a
fake; it does not know the product and gets whichever floor of the brand suits it best.

Weights, calibration and limits of the shipped model were set on worlds of the seeds `TUNED_ON`;
what is reported comes from `SEEDS`, which nothing was set on. Both come from the same hand, so
this says how the parts work together, not how many real fakes are found.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

import cv2
import faiss
import numpy as np

from bazaar.world import RATES, make
from benchmarks.market import Case, market
from benchmarks.measure import Result
from insight import figures
from insight.figures import Bools, Floats, with_interval
from matchers.values import Assessment

TUNED_ON = (1, 2, 3, 4)
SEEDS = (90_001, 90_002, 90_003)
LISTINGS = 140
#: The part of all listings that people have the time to look at.
LOAD = 0.3


@dataclass(frozen=True)
class Judged:
    """Cases with what was said of them, and what they are."""

    cases: Sequence[Case]
    verdicts: Sequence[Assessment]

    @classmethod
    def of(cls, seeds: Sequence[int], listings: int, folder: Path) -> Judged:
        """Make the worlds of these seeds, and judge every listing."""
        cases: list[Case] = []
        for seed in seeds:
            world = folder / str(seed)
            make(world, seed, listings, "http://127.0.0.1:8765/")
            cases += market(world)
        return cls(cases, [case.assess() for case in cases])

    @property
    def fakes(self) -> Bools:
        """Which are fakes."""
        return np.array([bool(case.truth["is_fake"]) for case in self.cases])

    @property
    def against(self) -> Bools:
        """Which are fakes or misuse the mark: what the score is the probability of."""
        return np.array(
            [case.truth["is_fake"] or case.truth.get("infringes", False) for case in self.cases]
        )

    @property
    def flagged(self) -> Bools:
        """Which were flagged as counterfeit or as a misuse of the mark."""
        return np.array([verdict.outcome == "flag" for verdict in self.verdicts])

    @property
    def accused(self) -> Bools:
        """Which were flagged as counterfeit."""
        kinds: Bools = np.array([v.kind == "counterfeit" for v in self.verdicts])
        return self.flagged & kinds

    @property
    def scores(self) -> Floats:
        """Of each."""
        return np.array([verdict.score for verdict in self.verdicts])

    @property
    def groups(self) -> list[str]:
        """World and seller of each."""
        return [case.group for case in self.cases]


def run() -> Iterator[Result]:
    """Fakes found, honest sellers spared, probabilities calibrated."""
    cv2.setNumThreads(1)
    faiss.omp_set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        judged = Judged.of(SEEDS, LISTINGS, Path(folder))
    rule = _rule(judged)
    yield _found(judged, rule)
    yield _spared(judged, rule)
    yield from _probabilities(judged)


def _found(judged: Judged, rule: Bools) -> Result:
    fakes, groups = judged.fakes, judged.groups

    def rates(flagged: Bools) -> tuple[figures.Interval, figures.Interval, float]:
        scores = flagged.astype(np.float64)
        precision = with_interval(figures.precision_at(0.5), scores, fakes, groups)
        recall = with_interval(figures.recall_at(0.5), scores, fakes, groups)
        f1 = 2 * precision.value * recall.value / max(1e-9, precision.value + recall.value)
        return precision, recall, f1

    mine, theirs = rates(judged.accused), rates(rule)
    return Result(
        f"{fakes.sum()} fakes flagged as counterfeit among {len(fakes)} listings "
        f"(seeds {SEEDS[0]} to {SEEDS[-1]})",
        f"precision {mine[0]}, recall {mine[1]}",
        f"brand named and price under the floor: precision {theirs[0]}, recall {theirs[1]}",
        f"F1 {mine[2]:.3f} against {theirs[2]:.3f}",
    )


def _spared(judged: Judged, rule: Bools) -> Result:
    honest = ~judged.against
    mine, theirs = int((judged.flagged & honest).sum()), int((rule & honest).sum())
    looked = int((np.array([v.outcome == "abstain" for v in judged.verdicts]) & honest).sum())
    return Result(
        f"honest listings flagged, of {honest.sum()} (authorised, resellers, grey imports, used, "
        "lots, spare parts, look-alikes, others)",
        f"{mine}; {looked} more for a person to look at",
        f"the same rule: {theirs}",
        f"{mine} against {theirs}",
    )


def _probabilities(judged: Judged) -> Iterator[Result]:
    scores, labels, groups = judged.scores, judged.against, judged.groups
    cheap = _cheapness(judged)
    # The peer's ranks have no scale: only what follows from their order is compared.
    orders: dict[str, figures.Figure] = {
        "area under precision and recall": figures.average_precision,
        f"recall when people look at {LOAD:.0%} of all": figures.recall_at_load(LOAD),
    }
    for name, figure in orders.items():
        mine = with_interval(figure, scores, labels, groups)
        theirs = with_interval(figure, cheap, labels, groups)
        yield Result(
            name, str(mine), f"price over the floor, lowest first: {theirs}",
            f"{mine.value:.3f} against {theirs.value:.3f}",
        )  # fmt: skip
    rate = np.full(len(scores), labels.mean())
    for name, figure in (
        ("expected calibration error, ten bins of equal mass", figures.calibration_error),
        ("Brier score", figures.brier),
    ):
        mine = with_interval(figure, scores, labels, groups)
        yield Result(
            name,
            str(mine),
            f"the base rate for all: {figure(rate, labels):.3f}",
            f"{mine.value:.3f}",
        )


def _named(case: Case) -> bool:
    text = f"{case.listing.title} {case.listing.description}".casefold()
    return any(t.text.casefold() in text for t in case.brand.terms if t.kind != "product")


def _ratio(case: Case, which: Callable[[list[Decimal]], Decimal]) -> float:
    price = case.listing.price
    assert price is not None
    floors = [p.price_floor.amount for p in case.brand.products if p.price_floor]
    return float(price.amount / RATES[price.currency] / which(floors))


def _rule(judged: Judged) -> Bools:
    def flagged(which: Callable[[list[Decimal]], Decimal]) -> Bools:
        return np.array([_named(case) and _ratio(case, which) < 1 for case in judged.cases])

    def f1(found: Bools) -> float:
        return float(2 * (found & judged.fakes).sum() / max(1, found.sum() + judged.fakes.sum()))

    return max((flagged(which) for which in (min, statistics.median, max)), key=f1)


def _cheapness(judged: Judged) -> Floats:
    ratio = partial(_ratio, which=statistics.median)
    return np.array([-ratio(case) if _named(case) else -1e9 for case in judged.cases])
