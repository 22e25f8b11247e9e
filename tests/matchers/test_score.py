"""The score: gates first, reasons for everything, the same inputs the same figure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import matchers
from matchers import Authorisation, Brand, Listing, Money, Product
from tests.pictures import jpeg

REFERENCE = matchers.fingerprint(jpeg(1, 500))
OTHER = matchers.fingerprint(jpeg(99, 500))
TOTE = Product(
    "tote", "Velaro Aria Tote", (), Money.parse("310.00 EUR"), Money.parse("480.00 EUR"),
    (REFERENCE,),
)  # fmt: skip
BELT = Product("belt", "Velaro Linea Belt", (), Money.parse("90.00 EUR"), None, ())
BRAND = Brand(
    "velaro",
    "Velaro",
    (matchers.Term("VELARO"), matchers.Term("веларо"), matchers.Term("维拉罗")),
    (TOTE, BELT),
    (
        Authorisation("bazaar", "good", None, date(2020, 1, 1), None),
        Authorisation("bazaar", "expired", None, None, date(2025, 12, 31)),
        Authorisation("bazaar", "belts", frozenset({"belt"}), None, None),
    ),
)


def listing(
    title: str = "Velaro Aria Tote", price: str | None = "35.00 EUR", **more: object
) -> Listing:
    values: dict[str, object] = {
        "description": "",
        "marketplace": "bazaar",
        "seller_id": "s-9",
        "seller_name": "Somebody",
        "brand": None,
        "condition": None,
        "pictures": (REFERENCE,),
        "seen_at": datetime(2026, 3, 1, tzinfo=UTC),
        **more,
    }
    return Listing(title=title, price=Money.parse(price) if price else None, **values)  # type: ignore[arg-type]


def test_an_open_fake_scores_high_and_says_why() -> None:
    found = matchers.assess(listing("Velaro Aria Tote replica 1:1"), BRAND)
    assert found.score > 0.95
    assert found.product_id == "tote"
    names = [signal.name for signal in found.signals]
    assert names == [
        "brand_in_title", "picture_match", "lexicon", "price_under_floor", "not_authorised",
    ]  # fmt: skip
    assert all(signal.reason.endswith(".") for signal in found.signals)
    title = "Velaro Aria Tote replica 1:1"
    marked = [title[s.start : s.end] for signal in found.signals for s in signal.spans]
    assert marked == ["Velaro", "replica", "1:1"]


@pytest.mark.parametrize(
    ("what", "least", "most"),
    [
        (listing("V3l4r0 Aria Tote", "45.00 EUR"), 0.9, 1.0),
        (listing("维*拉*罗 包 高仿", "300.00 CNY", pictures=()), 0.6, 1.0),
        (listing("Velaro Aria Tote, new", "420.00 EUR"), 0.0, 0.6),
        (listing("Velaro Aria Tote used, good", "90.00 EUR", pictures=(OTHER,)), 0.0, 0.6),
        (listing("Velaro Aria Tote", "90.00 EUR", condition="used"), 0.0, 0.6),
        (listing("strap for Velaro", "9.00 EUR", pictures=()), 0.0, 0.3),
        (listing("Velaro Aria Tote", "35.00 EUR", pictures=(OTHER,)), 0.0, 0.95),
    ],
    ids=["disguised", "chinese", "reseller", "used", "used picture", "strap", "cheap"],
)
def test_kinds_of_listing(what: Listing, least: float, most: float) -> None:
    assert least <= matchers.assess(what, BRAND).score <= most


def test_a_price_alone_never_flags() -> None:
    cheap = matchers.assess(listing("Aria Tote bag", "1.00 EUR", pictures=()), BRAND)
    assert (cheap.score, cheap.gate) == (0.0, "brand_not_claimed")


@given(
    title=st.text(max_size=60),
    price=st.decimals(min_value=0, max_value=10**6, places=2),
    pictured=st.booleans(),
)
def test_an_authorised_seller_is_never_flagged(title: str, price: Decimal, pictured: bool) -> None:
    found = matchers.assess(
        listing(
            f"Velaro replica {title}", f"{price} EUR", seller_id="good",
            pictures=(REFERENCE,) if pictured else (),
        ),
        BRAND,
    )  # fmt: skip
    assert (found.score, found.gate) == (0.0, "authorised_seller")


@pytest.mark.parametrize(
    ("seller", "changes", "gated"),
    [
        ("good", {}, True),
        ("good", {"marketplace": "other"}, False),
        ("good", {"seen_at": datetime(2019, 1, 1, tzinfo=UTC)}, False),
        ("expired", {}, False),
        ("expired", {"seen_at": datetime(2025, 12, 31, tzinfo=UTC)}, True),
        ("belts", {}, False),
        ("belts", {"title": "Velaro Linea Belt", "pictures": ()}, True),
    ],
)
def test_the_gate_is_for_brand_product_and_day(
    seller: str, changes: dict[str, object], gated: bool
) -> None:
    found = matchers.assess(listing(seller_id=seller, **changes), BRAND)  # type: ignore[arg-type]
    assert (found.gate == "authorised_seller") is gated


def test_currencies() -> None:
    def signal(price: str) -> str:
        found = matchers.assess(listing(price=price), BRAND)
        return next(s.name for s in found.signals if s.name.startswith("price"))

    assert signal("300.00 CNY") == "price_under_floor"
    assert signal("4000.00 CNY") == "price_fair"
    assert signal("300.00 VUV") == "price_not_comparable"


@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from([(), (REFERENCE,), (OTHER,)]))
def test_the_same_inputs_give_the_same_figure(
    title: str, description: str, pictures: tuple[matchers.Picture, ...]
) -> None:
    what = listing(title, description=description, pictures=pictures)
    first = matchers.assess(what, BRAND)
    again = matchers.assess(
        matchers.from_json(Listing, matchers.to_json(what)),
        matchers.from_json(Brand, matchers.to_json(BRAND)),
    )
    assert first == again
    assert matchers.from_json(matchers.Assessment, matchers.to_json(first)) == first
    assert 0 <= first.score <= 1
    for found in first.signals:
        for span in found.spans:
            assert 0 <= span.start < span.end <= len(getattr(what, span.field))


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        ("Velaro", "brand_in_text"),
        ("V3laro", "brand_disguised"),
        ("for Velaro", "brand_compatible"),
    ],
)
def test_a_brand_named_in_its_own_field_is_claimed(brand: str, name: str) -> None:
    found = matchers.assess(listing("Aria Tote replica", pictures=(), brand=brand), BRAND)
    assert found.gate is None
    signal = found.signals[0]
    assert (signal.name, [span.field for span in signal.spans]) == (name, ["brand"])
    span = signal.spans[0]
    assert brand[span.start : span.end] in brand.split()


@pytest.mark.parametrize("brand", [None, "", "Else"])
def test_another_brand_in_the_field_claims_nothing(brand: str | None) -> None:
    found = matchers.assess(listing("Red tote", pictures=(), brand=brand), BRAND)
    assert found.gate == "brand_not_claimed"
