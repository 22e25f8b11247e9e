"""Learning from verdicts: nothing from too few, and a replacement only where it is better."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insight import figures
from insight.learning import LEAST_EXAMPLES, Example, fit, is_held_back
from matchers.model import Model, shipped, sigmoid
from matchers.signals import SIGNALS

NOW = datetime(2026, 6, 1, tzinfo=UTC)
#: How often each signal is seen in the made-up verdicts.
SEEN = ("brand_in_title", "picture_match", "price_under_floor", "seller_new", "lexicon_2",
        "import_words", "brand_misspelt", "own_pictures")  # fmt: skip


def verdicts(truth: Model, number: int, seed: int, groups: int = 120) -> list[Example]:
    """Verdicts of people who see what `truth` sees."""
    dice = Random(seed)
    found = []
    for _ in range(number):
        signals = {name: round(dice.uniform(0.3, 2), 3) for name in SEEN if dice.random() < 0.5}
        sure = truth.score(truth.contribution(name, value) for name, value in signals.items())
        group = f"seller {dice.randrange(groups)}"
        found.append(Example(signals, dice.random() < sure, group, NOW))
    return found


def other(model: Model, bias: float, **weights: float) -> Model:
    changed = {**model.weights, **weights}
    return model.model_copy(update={"weights": changed, "bias": bias, "version": "other"})


#: On this marketplace a misspelt mark is a fake, and price says nothing.
TRUTH = other(shipped(), -3.0, brand_misspelt=4.0, price_under_floor=0.0, import_words=2.0,
              lexicon_2=0.0)  # fmt: skip


def test_too_few_verdicts_teach_nothing() -> None:
    learned = fit(verdicts(TRUTH, LEAST_EXAMPLES - 1, 1), shipped())
    assert learned.model is None
    assert not learned.report.replaces
    assert str(LEAST_EXAMPLES) in learned.report.reason
    one_sided = [replace(e, label=False) for e in verdicts(TRUTH, 900, 1)]
    assert "rarer" in fit(one_sided, shipped()).report.reason
    one_seller = [replace(e, group="s") for e in verdicts(TRUTH, 900, 1)]
    assert "sellers" in fit(one_seller, shipped()).report.reason
    assert fit([], shipped()).model is None


def test_a_model_that_is_better_on_what_it_did_not_see_replaces() -> None:
    examples = verdicts(TRUTH, 1500, 2)
    current = shipped()
    learned = fit(examples, current)
    assert learned.report.replaces, learned.report
    model = learned.model
    assert model is not None
    assert learned.report.brier_gain is not None
    assert learned.report.brier_gain.low > 0
    assert model.version == f"learned-{model.content_version()}"
    assert current.version in model.provenance
    assert model.limits == current.limits
    assert json.loads(json.dumps(learned.report.to_json()))["replaces"] is True
    # It learned what is so there, and kept what nobody was asked about, in scale.
    assert model.weights["brand_misspelt"] > current.weights["brand_misspelt"]
    unseen = [name for name in SIGNALS if name not in SEEN and current.weights[name]]
    scales = {round(model.weights[name] / current.weights[name], 3) for name in unseen}
    assert len(scales) == 1
    # On verdicts of another day it is better too.
    fresh = verdicts(TRUTH, 1500, 3)
    labels = np.array([e.label for e in fresh])

    def scores(by: Model) -> figures.Floats:
        return np.array(
            [by.score(by.contribution(n, v) for n, v in e.signals.items()) for e in fresh]
        )

    assert figures.brier(scores(model), labels) < figures.brier(scores(current), labels)
    assert figures.calibration_error(scores(model), labels) < 0.06


def test_the_running_model_stays_where_it_is_right_already() -> None:
    learned = fit(verdicts(TRUTH, 1200, 4), TRUTH)
    assert learned.model is None
    assert learned.report.learned_version is not None
    assert "not better beyond chance" in learned.report.reason


def test_the_order_of_the_verdicts_means_nothing() -> None:
    examples = verdicts(TRUTH, 600, 5)
    shuffled = list(examples)
    Random(1).shuffle(shuffled)
    assert fit(examples, shipped()) == fit(shuffled, shipped())


def test_no_group_is_on_both_sides_and_the_part_is_about_what_it_should_be() -> None:
    names = [f"seller {n}" for n in range(2000)]
    assert all(is_held_back(name) == is_held_back(name) for name in names)
    assert 0.26 < sum(map(is_held_back, names)) / len(names) < 0.34


def test_figures_of_a_sure_and_a_calibrated_judge() -> None:
    dice = np.random.default_rng(1)
    sure = dice.uniform(size=20_000)
    labels = dice.uniform(size=20_000) < sure
    assert figures.calibration_error(sure, labels) < 0.02
    assert figures.calibration_error(np.sqrt(sure), labels) > 0.1
    assert figures.brier(labels.astype(float), labels) == 0
    assert figures.log_loss(labels.astype(float), labels) < 1e-5
    assert figures.average_precision(sure, labels) > 0.7
    assert figures.recall_at_load(1.0)(sure, labels) == 1
    assert figures.recall_at_load(0.1)(sure, labels) < 0.25
    assert figures.precision_at(1.1)(sure, labels) == 1
    interval = figures.with_interval(
        figures.brier, sure, labels, [str(n % 99) for n in range(20_000)]
    )
    assert interval.low < interval.value < interval.high


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.builds(
            Example,
            signals=st.dictionaries(st.sampled_from([*SEEN, "gone since"]), st.floats(-4, 4)),
            label=st.booleans(),
            group=st.text(max_size=3),
            decided_at=st.just(NOW),
        ),
        max_size=30,
    ),
    st.integers(0, 50),
)
def test_any_verdicts_end_in_a_report(examples: list[Example], times: int) -> None:
    many = [replace(e, group=f"{e.group}{n}") for n in range(times) for e in examples]
    learned = fit(many, shipped())
    assert learned.report.examples == len(many)
    assert learned.report.reason
    assert (learned.model is not None) is learned.report.replaces


@pytest.mark.parametrize("log_odds", [-700.0, 0.0, 700.0])
def test_certain_scores_are_still_probabilities(log_odds: float) -> None:
    assert 0 <= sigmoid(log_odds) <= 1
