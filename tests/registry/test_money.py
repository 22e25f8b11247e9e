"""Money as people write it: exact, bounded, in a currency that there is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.currencies import CURRENCIES
from registry.money import MOST, Money


@given(
    st.decimals(min_value=0, max_value=MOST, places=4, allow_nan=False),
    st.sampled_from(sorted(CURRENCIES)),
)
def test_what_is_written_is_read_again(amount: Decimal, currency: str) -> None:
    money = Money(amount, currency)
    assert Money.parse(str(money)) == money


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("310", "write it as"),
        ("310,00 EUR", "write it as"),
        ("-1 EUR", "write it as"),
        ("310.00 XXQ", "no currency"),
        ("310.12345 EUR", "decimal places"),
        ("999999999999999999999999999999.00 EUR", "up to"),
        ("1" * 5000 + " EUR", "up to"),
    ],
)
def test_what_is_no_money_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Money.parse(text)
