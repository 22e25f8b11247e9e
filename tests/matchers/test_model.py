"""The model: complete, exact, and refused where it is not what it should be."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.model import read_model, shipped, sigmoid
from matchers.signals import SIGNALS

FLOATS = st.floats(-50, 50, allow_nan=False)


def test_the_shipped_model_weighs_every_signal_and_reads_back() -> None:
    model = shipped()
    assert model.weights.keys() == SIGNALS.keys()
    assert 0 < model.limits.abstain < model.limits.flag < 1
    again = read_model(model.model_dump_json())
    assert again == model
    assert again.content_version() == model.content_version()


def test_what_the_version_says_follows_from_the_contents_alone() -> None:
    model = shipped()
    renamed = model.model_copy(update={"version": "x", "provenance": "y"})
    heavier = model.model_copy(update={"bias": model.bias + 0.1})
    assert renamed.content_version() == model.content_version() != heavier.content_version()


@pytest.mark.parametrize("name", [name for name, meaning in SIGNALS.items() if meaning.sign])
def test_a_sign_of_a_fake_never_speaks_for_a_listing(name: str) -> None:
    assert shipped().weights[name] > 0


@given(st.lists(FLOATS, max_size=30), st.integers(0, 9))
def test_the_score_is_a_probability_whatever_the_order(parts: list[float], seed: int) -> None:
    model = shipped()
    score = model.score(parts)
    assert 0 <= score <= 1
    assert score == round(score, 6)
    random.Random(seed).shuffle(parts)
    assert model.score(parts) == score


@given(st.floats(allow_nan=False))
def test_sigmoid_of_any_size(log_odds: float) -> None:
    assert 0 <= sigmoid(log_odds) <= 1
    if abs(log_odds) < 30:
        assert math.isclose(sigmoid(log_odds), 1 / (1 + math.exp(-log_odds)))


def edited(**changes: object) -> str:
    return json.dumps({**shipped().model_dump(), **changes})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weights: [", "not YAML"),
        ("", "model"),
        ("[1, 2]", "model"),
        (edited(weights={**shipped().weights, "moon": 1.0}), "moon"),
        (edited(limits={"abstain": 0.9, "flag": 0.5}), "abstain must not be above flag"),
        (edited(calibration={"slope": -1.0, "intercept": 0.0}), "calibration.slope"),
        (edited(bias=float("nan")), "bias"),
    ],
)
def test_what_is_no_model_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_model(text)


@given(st.text(max_size=60))
def test_any_text_is_a_model_or_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="model"):
        read_model(text)
