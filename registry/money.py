"""Amounts of money: an exact decimal and the ISO 4217 code of its currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from registry.currencies import CURRENCIES

#: What the database stores exactly on every server: 20 digits, 4 of them after the point.
PLACES = 4
MOST = Decimal(10**12)

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
        """Read what a person wrote, for example ``"310.00 EUR"``.

        Raises
        ------
        ValueError
            If it is written otherwise, is more than is stored exactly, or in a currency that
            there is not.
        """
        match = _TEXT.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not money: write it as '310.00 EUR'")
        if match["currency"] not in CURRENCIES:
            raise ValueError(f"{match['currency']} is no currency of ISO 4217")
        amount = Decimal(match["amount"])
        if amount > MOST or amount != round(amount, PLACES):
            raise ValueError(f"{text!r}: at most {PLACES} decimal places, and up to {MOST}")
        return cls(amount, match["currency"])

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
