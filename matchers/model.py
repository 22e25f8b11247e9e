"""The model: what each signal weighs, and how the sum becomes a probability.

Linear log-odds, so that every signal's part can be told apart: ``bias + Σ weight × value``,
then a sigmoid calibration (Platt 1999) of that sum, and two limits that part the probabilities
into three outcomes. `model.yaml` ships hand-set weights and says what each is for;
`insight.learning` makes others from investigators' verdicts.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from matchers.signals import SIGNALS

#: Digits after the point that scores and contributions are kept with. Coarser than the last
#: bits in which the libraries of two machines differ, so a replay gives the same figure.
DIGITS = 6


class Calibration(BaseModel):
    """``probability = sigmoid(slope × log-odds + intercept)``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    slope: float = Field(default=1.0, gt=0)
    intercept: float = 0.0


class Limits(BaseModel):
    """From which probability a person looks (`abstain`), and from which it is flagged."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    abstain: float = Field(gt=0, lt=1)
    flag: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.abstain > self.flag:
            raise ValueError("abstain must not be above flag")
        return self


class Model(BaseModel):
    """A model; equal contents judge equally.

    Parameters
    ----------
    version
        Names it in every assessment.
    provenance
        Where the weights come from, in a sentence.
    weights
        Log-odds for a signal's value of 1, by the names of `matchers.signals.SIGNALS`. One that
        a stored model does not know, for it is younger, weighs nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    version: str
    provenance: str
    bias: float
    weights: dict[str, float]
    calibration: Calibration
    limits: Limits

    @model_validator(mode="after")
    def _complete(self) -> Self:
        strange = sorted(self.weights.keys() - SIGNALS.keys())
        if strange:
            raise ValueError(f"weights: unknown {strange}")
        return self

    def contribution(self, name: str, value: float) -> float:
        """What a signal of that value adds to the log-odds of the score."""
        return round(self.calibration.slope * self.weights.get(name, 0.0) * value, DIGITS) + 0.0

    @property
    def base(self) -> float:
        """The log-odds of a listing without any signal."""
        return round(self.calibration.slope * self.bias + self.calibration.intercept, DIGITS)

    def score(self, contributions: Iterable[float]) -> float:
        """The probability that follows from the contributions; their order means nothing."""
        return round(sigmoid(math.fsum((self.base, *contributions))), DIGITS)

    def content_version(self) -> str:
        """A version that follows from what the model says: twelve hexadecimal digits."""
        said = self.model_dump(mode="json", exclude={"version", "provenance"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def sigmoid(log_odds: float) -> float:
    """The probability of log-odds; of any size, without overflow."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1 + odds)


def read_model(text: str) -> Model:
    """A model from YAML or JSON.

    Raises
    ------
    ValueError
        If it is no model: what is wrong, and where.
    """
    try:
        return Model.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ValueError(f"the model is not YAML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'model'}: {e['msg']}" for e in error.errors()
        )
        raise ValueError(f"this is no model: {wrong}") from error


@cache
def shipped() -> Model:
    """The model that ships with this version."""
    return read_model(files("matchers").joinpath("model.yaml").read_text(encoding="utf-8"))
