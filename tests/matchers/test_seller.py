"""What is known of a seller, as signals."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers import seller
from matchers.signals import SIGNALS
from matchers.values import Seller
from tests.matchers.listings import BRAND, NEW, OLD, listing


def measured(known: Seller | None, **said: object) -> dict[str, float]:
    found = list(seller.measure(listing(**said), BRAND, known))  # type: ignore[arg-type]
    assert all(one.reason.endswith(".") for one in found)
    return {one.name: one.value for one in found}


def test_nothing_known_is_said_to_be_unknown() -> None:
    assert measured(None, seller_id=None) == {"seller_unknown": 1.0}
    assert measured(Seller(), seller_id=None) == {"seller_unknown": 1.0}
    assert "seller_unknown" not in measured(OLD)


def test_a_brand_that_named_nobody_here_minds_nobody() -> None:
    assert "not_authorised" in measured(OLD)
    assert "not_authorised" not in measured(OLD, marketplace="elsewhere")
    reasons = [one.reason for one in seller.measure(listing(seller_id="expired"), BRAND, None)]
    assert any("for this product and day" in reason for reason in reasons)


def test_age_and_rating() -> None:
    young, old = measured(NEW), measured(OLD)
    assert young["seller_new"] == pytest.approx(1 - 28 / 365.25, abs=1e-6)
    assert young["seller_rating_low"] == pytest.approx(2 / 3, abs=1e-6)
    assert old["seller_established"] == 1.0
    assert not {"seller_new", "seller_rating_low"} & old.keys()
    # Joined after the listing was seen: the page errs, and nothing follows.
    assert "seller_new" not in measured(Seller(joined_on=date(2030, 1, 1), rating=1.0))


def test_the_share_of_the_brand_needs_a_shop_to_be_a_share_of() -> None:
    assert measured(NEW)["seller_brand_share"] == pytest.approx(8 / 9, abs=1e-6)
    assert "seller_brand_share" not in measured(Seller(listings=2, brand_listings=2))


@pytest.mark.parametrize(
    ("against", "genuine", "name"),
    [
        (0, 0, None),
        (1, 0, "seller_counterfeits"),
        (3, 1, "seller_counterfeits"),
        (1, 5, None),
        (0, 4, "seller_genuines"),
    ],
)
def test_verdicts(against: int, genuine: int, name: str | None) -> None:
    found = measured(Seller(counterfeits=against, genuines=genuine)).keys()
    assert found & {"seller_counterfeits", "seller_genuines"} == ({name} if name else set())


def test_the_way_that_goods_travel() -> None:
    at_home = Seller(country="DE", rating=1.0)
    assert "ships_elsewhere" in measured(at_home, ships_from="Shenzhen, China")
    assert "ships_elsewhere" not in measured(at_home, ships_from="Deutschland")
    assert "ships_elsewhere" not in measured(at_home, ships_from="somewhere nice")
    assert "ships_not_origin" in measured(at_home, ships_from="CN", origin="Italy")
    assert "ships_not_origin" not in measured(at_home, ships_from="IT", origin="Italia")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CN", "CN"), ("de", "DE"), ("China", "CN"), ("中国 深圳", "CN"), ("Hong Kong", "HK"),
        ("Made in Italy", "IT"), ("Berlin, DE", "DE"), ("Россия", "RU"), ("Germany or China", None),
        ("", None), (None, None), ("Atlantis", None), ("india ink", "IN"), ("Indiana", None),
    ],
)  # fmt: skip
def test_countries(text: str | None, code: str | None) -> None:
    assert seller.country_of(text) == code


@given(
    st.builds(
        Seller,
        joined_on=st.none() | st.dates(),
        rating=st.none() | st.floats(0, 1),
        country=st.none() | st.text(max_size=20),
        listings=st.integers(0, 10**6),
        brand_listings=st.integers(0, 10**6),
        counterfeits=st.integers(0, 10**6),
        genuines=st.integers(0, 10**6),
        shared_with=st.integers(0, 10**6),
    ),
    st.none() | st.text(max_size=30),
)
def test_any_seller_gives_bounded_signals_once_each(known: Seller, place: str | None) -> None:
    found = list(seller.measure(listing(ships_from=place, origin=place), BRAND, known))
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert one.name in SIGNALS
        assert 0 <= one.value <= 4
