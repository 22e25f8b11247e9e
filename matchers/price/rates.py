"""Exchange rates of a day, and converting by them."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib.resources import files

import yaml
from pydantic import TypeAdapter

from matchers.values import Money, Rates

_RATES = TypeAdapter(Rates)


@cache
def shipped_rates() -> Rates:
    """The rates that ship with this version: a fallback where the settings give none newer."""
    text = files("matchers").joinpath("rates.yaml").read_text(encoding="utf-8")
    return _RATES.validate_python(yaml.safe_load(text))


def convert(money: Money, currency: str, rates: Rates | None) -> Money | None:
    """The same amount in another currency, unrounded; None where a rate is missing."""
    if money.currency == currency:
        return money
    source = _rate(money.currency, rates)
    target = _rate(currency, rates)
    if source is None or target is None:
        return None
    return Money(money.amount / source * target, currency)


def _rate(currency: str, rates: Rates | None) -> Decimal | None:
    if rates is None:
        return None
    rate = Decimal(1) if currency == "EUR" else rates.per_euro.get(currency)
    return rate if rate is not None and rate > 0 else None
