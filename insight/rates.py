"""Exchange rates of a day: the installation's own file, or the table that ships."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from matchers.price import shipped_rates
from matchers.values import Rates
from registry.brandfile import read_yaml
from registry.settings import Settings

Code = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Rate = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


class RatesFile(BaseModel):
    """``day: 2026-11-02`` and ``per_euro: {USD: "1.16", …}``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    day: date
    per_euro: dict[Code, Rate] = Field(min_length=1)


def running_rates(settings: Settings) -> Rates:
    """The rates that prices in different currencies are compared at.

    Raises
    ------
    TouchstoneError
        If `settings.rates_file` is no rates file: what is wrong in it, and where.
    """
    path = settings.rates_file
    if path is None:
        return shipped_rates()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0  # reading it says what is wrong
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Rates:
    file: RatesFile = read_yaml(path, RatesFile, "rates file")
    return Rates(file.day, {"EUR": Decimal(1), **file.per_euro})
