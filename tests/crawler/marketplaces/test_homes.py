# ruff: noqa: E501
"""Prices as real shops show them, and what a sign means where."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.marketplaces.homes import Home, amount_of, home_of, read_shown
from registry.money import Money

NOWHERE = Home()


@pytest.mark.parametrize(
    ("text", "home", "money"),
    [
        ("US $349.99/ea", None, "349.99 USD"),
        ("EUR 164,00 oder Preisvorschlag", None, "164.00 EUR"),
        ("1 189,000 TND Taxe incluse", None, "1189.000 TND"),
        ("579,000 DT", None, "579.000 TND"),
        ("1.189,000 DT", None, "1189.000 TND"),
        ("€ 3.350", None, "3350 EUR"),
        ("3.350,50 €", None, "3350.50 EUR"),
        ("CHF 1'200", None, "1200 CHF"),
        ("Fr. 1’200.50", None, "1200.50 CHF"),
        ("2 pairs from $349", None, "349 USD"),
        ("97,39 - 128,72 €", None, "97.39 EUR"),
        ("€ 97,39 - 128,72", None, "97.39 EUR"),
        ("US $0.99 – US $5.00", None, "0.99 USD"),
        ("40% OFF $12.50", None, "12.50 USD"),
        ("R$ 1.249", None, "1249 BRL"),
        ("Rp1.299.000", None, "1299000 IDR"),
        ("₹1,23,456.00", None, "123456.00 INR"),
        ("1.250.000₫", None, "1250000 VND"),
        ("¥4,500", "JPY", "4500 JPY"),
        ("¥4,500", "CNY", "4500 CNY"),
        ("￥149.00 - 159.00", "CNY", "149.00 CNY"),
        ("1,928 円", None, "1928 JPY"),
        ("$20.00", "CAD", "20.00 CAD"),
        ("$20.00 USD", "CAD", "20.00 USD"),
        ("COP $ 45.000", None, "45000 COP"),
        ("C $45.00", None, "45.00 CAD"),
        ("AU $12.50", "USD", "12.50 AUD"),
        ("HK$1,280", None, "1280 HKD"),
        ("1 299 kr", "SEK", "1299 SEK"),
        ("1 299 kr", None, None),
        ("249,99 zł", None, "249.99 PLN"),
        ("Rs. 1,499", "PKR", "1499 PKR"),
        ("٣٬٥٠٠ ر.س", None, "3500 SAR"),
        ("$24.96 /mo.", None, "24.96 USD"),
        ("1299", None, None),
        ("FIRM 5", None, None),
        ("free", None, None),
        ("15 %", None, None),
        ("", None, None),
        ("€" + "9" * 40, None, None),
    ],
)
def test_a_shown_price_is_read_by_where_the_shop_is(
    text: str, home: str | None, money: str | None
) -> None:
    read = read_shown(text, Home(home))
    assert (str(read) if read else None) == money


@pytest.mark.parametrize(
    ("url", "language", "usual", "currency"),
    [
        ("https://www.amazon.ca/dp/x", None, "USD", "CAD"),
        ("https://www.amazon.com.mx/dp/x", None, "USD", "MXN"),
        ("https://www.amazon.com.au/dp/x", None, "USD", "AUD"),
        ("https://www.amazon.co.jp/dp/x", None, "USD", "JPY"),
        ("https://www.amazon.com/dp/x", "de-DE", "USD", "USD"),
        ("https://shop.example/", "en-AU", None, "AUD"),
        ("https://shop.example/", "ja", None, "JPY"),
        ("https://shop.example/", "en", None, None),
        ("http://[", None, None, None),
    ],
)
def test_where_a_page_is_at_home(
    url: str, language: str | None, usual: str | None, currency: str | None
) -> None:
    assert home_of(url, language, usual).currency == currency


@given(st.decimals(min_value=1, max_value=10**8, places=2), st.sampled_from(["EUR", "USD", "BRL"]))
def test_a_written_amount_is_read_back_in_either_style(amount: Decimal, code: str) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    for written in (english, german, english.replace(",", " "), german.replace(".", "\u202f")):
        assert amount_of(written, code) == amount
        assert read_shown(f"{written} {code}", NOWHERE) == Money(amount, code)


pieces = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["€", "US $", "$", "kr", "DT", "TND", "1", "12", ".", ",", "'", " ", "-", "299", "000", "%"]),
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map("".join), st.sampled_from([None, "CAD", "TND", "XYZ", ""]))
def test_any_text_ends_in_money_or_none(text: str, currency: str | None) -> None:
    read = read_shown(text, Home("CAD"), currency)
    assert read is None or (read.amount >= 0 and len(read.currency) == 3)
