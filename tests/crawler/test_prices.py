"""Prices: read exactly or not at all, from texts and from structured data."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazaar.app import price_text
from crawler.marketplaces import KINDS
from crawler.marketplaces.prices import data_amount, read_price
from registry.money import Money

EUROPEAN = ({"€": "EUR", "US $": "USD", "¥": "CNY"}, {"EUR": ","})
WIDE = (
    {"€": "EUR", "$": "USD", "US $": "USD", "R$": "BRL", "CA$": "CAD", "HK$": "HKD", "kr": "SEK"},
    {"EUR": ",", "BRL": ",", "SEK": ","},
)


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("€ 1.310,00", "1310.00 EUR"),
        ("€ 3.350", "3350 EUR"),
        ("€ 0,99", "0.99 EUR"),
        ("€ 39,00", "39.00 EUR"),
        ("€ 1.234.567", "1234567 EUR"),
        ("12.50 €", "12.50 EUR"),
        ("1'299.00 €", "1299.00 EUR"),
        ("1,299.00 €", "1299.00 EUR"),
        ("19,99 €*", "19.99 EUR"),
        ("1 299,00 €", "1299.00 EUR"),
        ("1\u00a0299 €", "1299 EUR"),
        ("Prix : 12\u202f345\u202f678,50 €", "12345678.50 EUR"),
        ("iPhone 12 500 €", None),
        ("1 299 12 €", None),
        ("1 2990 €", None),
        ("US $49.90", "49.90 USD"),
        ("US$49.90", "49.90 USD"),
        ("US $1,249.90", "1249.90 USD"),
        ("US $ 12.00", "12.00 USD"),
        ("¥1,280.00", "1280.00 CNY"),
        ("¥ 71.31", "71.31 CNY"),
        ("Total: ¥ 71.31 for all", "71.31 CNY"),
        ("1310", None),
        ("price on request", None),
        ("free €", None),
        ("€ -", None),
        ("", None),
        ("-5,00 €", None),
        ("− 5,00 €", None),
        ("€ -5,00", None),
        ("5,00- €", None),
        ("€ ,50", None),
        ("€ 0.350", None),
        ("€ 1,299", None),
        ("€ 12.3456", None),
        ("was 20,00 € now 10,00 €", None),
        ("12 €–15 €", None),
        ("€ 12 - 15", None),
        ("50 % € 5", None),
        ("٣٫٥ €", None),
        ("€ 12½", None),
        ("¥12万", None),
        ("€12k", None),
        ("R$ 10,00", None),
        ("€ 12 ₿", None),
        ("€ 20,00 CHF", None),
        (f"€ {'9' * 40}", None),
    ],
)
def test_prices_are_read_by_the_marketplaces_own_separators(text: str, money: str | None) -> None:
    read = read_price(text, *EUROPEAN)
    assert (str(read) if read else None) == money


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("R$ 1.310,00", "1310.00 BRL"),
        ("CA$20", "20 CAD"),
        ("HK$20.00", "20.00 HKD"),
        ("$20.00", "20.00 USD"),
        ("1.310,00 kr", "1310.00 SEK"),
        ("A$ 20.00", None),
        ("AU $20.00", None),
        ("NT$20", None),
        ("$20 CAD", None),
    ],
)
def test_a_currency_that_the_marketplace_does_not_have_is_not_taken_for_another(
    text: str, money: str | None
) -> None:
    read = read_price(text, *WIDE)
    assert (str(read) if read else None) == money


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_a_written_price_is_read_back(amount: Decimal) -> None:
    for currency in ("EUR", "USD", "CNY"):
        assert read_price(price_text(str(amount), currency), *EUROPEAN) == Money(amount, currency)


@given(
    st.decimals(min_value=0, max_value=10**9, places=2),
    st.sampled_from([KINDS["bazaar"], KINDS["oscar"]]),
    st.data(),
)
def test_a_formatted_amount_in_any_currency_of_a_marketplace_comes_back_exact(
    amount: Decimal, kind: object, data: st.DataObject
) -> None:
    page = kind.listing_page  # type: ignore[attr-defined]
    sign = data.draw(st.sampled_from(sorted(page.CURRENCIES)))
    currency = page.CURRENCIES[sign]
    text = f"{amount:,.2f}"
    if page.DECIMAL.get(currency) == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    blank = data.draw(st.sampled_from(["", " "]))
    written = data.draw(st.sampled_from([f"{sign}{blank}{text}", f"{text}{blank}{sign}"]))
    assert read_price(written, page.CURRENCIES, page.DECIMAL) == Money(amount, currency)


pieces = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["€", "US $", "$", "kr", "1", "12", ".", ",", "'", " ", "-", "299", "00"]),
)


@given(st.lists(pieces, max_size=10).map("".join))
def test_any_text_ends_in_money_or_in_none(text: str) -> None:
    for table in (EUROPEAN, WIDE):
        read = read_price(text, *table)
        assert read is None or read.currency in table[0].values()
    data_amount(text)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("12.50", "12.50"),
        (49.9, "49.9"),
        (35, "35"),
        ("49.900000", "49.900000"),
        ("12,50", "12.50"),
        ("1.299,00", "1299.00"),
        ("1,299.00", "1299.00"),
        ("1,299", None),
        ("1.299", None),
        (-5, None),
        (1e22, None),
        (float("nan"), None),
        ("1e3", None),
        ("", None),
        ("€ 12", None),
        (True, None),
        (None, None),
        ({"a": 1}, None),
    ],
)
def test_an_amount_in_structured_data_has_one_meaning(value: object, amount: str | None) -> None:
    read = data_amount(value)
    assert (str(read) if read is not None else None) == amount
