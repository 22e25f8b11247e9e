"""Amounts of money: an exact decimal and the ISO 4217 code of its currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_TEXT = re.compile(r"^\s*(?P<amount>\d+(?:\.\d+)?)\s+(?P<currency>[A-Z]{3})\s*$")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency.

    Parameters
    ----------
    amount
        Non-negative and finite, in the currency's main unit (euros, not cents).
    currency
        Three capital letters, ISO 4217.

    Raises
    ------
    ValueError
        If the amount is negative or not finite, or the code is not three capitals.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not self.amount.is_finite() or self.amount < 0:
            raise ValueError(f"an amount of money must be zero or more, not {self.amount}")
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise ValueError(f"{self.currency!r} is not an ISO 4217 code such as EUR")

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read what `str` writes, for example ``"310.00 EUR"``."""
        match = _TEXT.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not money: write it as '310.00 EUR'")
        try:
            return cls(Decimal(match["amount"]), match["currency"])
        except InvalidOperation as error:  # pragma: no cover - the pattern admits only decimals
            raise ValueError(f"{text!r} is not money") from error

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
