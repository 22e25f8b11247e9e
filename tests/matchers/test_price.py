"""What a price says: quantities, conditions, currencies, floors, other sellers."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.price import (
    LEAST_COMPARABLES,
    LEAST_SPREAD,
    UnitPrice,
    asked,
    comparables,
    convert,
    part_of,
    price_reading,
    quantity,
    second_hand,
    shipped_rates,
)
from matchers.price.robust import robust_z
from matchers.values import Comparables, Context, Listing, Money, Product, Rates
from registry.currencies import CURRENCIES

RATES = Rates(date(2026, 11, 2), {"USD": Decimal("1.16"), "CNY": Decimal("8.25")})
BAG = Product("bag", "Velaro Lumo tote", (), Money(Decimal(310), "EUR"), None, ())


def _listing(
    title: str = "Velaro Lumo tote",
    description: str = "",
    condition: str | None = None,
    price: Money | None = Money(Decimal(100), "EUR"),  # noqa: B008
    attributes: tuple[tuple[str, str], ...] = (),
    seller: str | None = "s-1",
) -> Listing:
    return Listing(
        title=title,
        description=description,
        price=price,
        marketplace="bazaar",
        seller_id=seller,
        seller_name=seller,
        brand=None,
        condition=condition,
        pictures=(),
        seen_at=datetime(2026, 11, 2, tzinfo=UTC),
        attributes=attributes,
    )


# ---------------------------------------------------------------- quantities


@pytest.mark.parametrize(
    ("title", "units"),
    [
        ("2 pairs Velaro sneakers", 2),
        ("lot of 10 Velaro bags", 10),
        ("Velaro socks, pack of 3", 3),
        ("Velaro socks x5", 5),
        ("Velaro socks (x5)", 5),
        ("Velaro socks ×5", 5),
        ("10 pcs Velaro watch", 10),
        ("24pcs/lot Velaro scarf", 24),
        ("3er Set Velaro", 3),
        ("2er-Pack Velaro Socken", 2),
        ("2x Velaro socks", 2),
        ("2 pack charger", 2),
        ("Velaro charger two-pack", 2),
        ("set of two mugs", 2),
        ("1 dozen Velaro shirts", 12),
        ("Velaro shirts, price per dozen", 12),
        ("half a dozen Velaro cups", 6),
        ("Lot de 6 Velaro", 6),
        ("lote de 5 camisetas", 5),
        ("5 pares de zapatillas", 5),
        ("confezione da 4 Velaro", 4),
        ("набор 3 шт Velaro", 3),
        ("Velaro 4 szt.", 4),
        ("Velaro 3 adet", 3),
        ("Velaro 2双 球鞋", 2),
        ("Velaro 两双 球鞋", 2),
        ("Velaro 10个装", 10),
        ("Velaro 3条装 内裤", 3),
        ("一打 Velaro 袜子", 12),
        ("Velaro 10足セット", 10),
        ("Velaro 양말 10켤레 세트", 10),
        ("Velaro 5 ชิ้น", 5),
    ],
)
def test_a_quantity_is_read(title: str, units: int) -> None:
    assert quantity(title).units == units


@pytest.mark.parametrize(
    "title",
    [
        "Velaro iPhone 12 case",
        "Velaro sneakers size 42",
        "rug 6x9",
        "carpet 50 x 50",
        "2026 new Velaro bag",
        "Velaro 2026 pcs",
        "mats for BMW X5",
        "Fuji X100",
        "telescope 10x zoom",
        "4x4 jeep toy",
        "Velaro 3-piece luggage set",
        "床品 四件套 5件套",
        "1 pair Velaro earrings",
        "一对 Velaro 耳环",
        "一双 Velaro 球鞋",
        "100 piece puzzle",
        "3 in 1 charger",
        "Velaro dunk 2 colors",
        "canvas carry case 010-10231",
        "1gb kit 2 x 512mb",
        "Velaro No. 5 eau de parfum 100 ml",
        "婴儿 8个月 外套",
    ],
)
def test_another_number_is_no_quantity(title: str) -> None:
    assert quantity(title).units == 1


def test_attributes_tell_the_quantity_but_not_the_stock() -> None:
    assert quantity("Velaro", [("Number of items", "6")]).units == 6
    assert quantity("Velaro", [("包装数量", "3")]).units == 3
    assert quantity("Velaro", [("Quantity available", "60"), ("Quantity", "60")]).units == 1


def test_where_two_places_disagree_the_smaller_is_taken() -> None:
    assert quantity("lot of 10 Velaro, 2 pack").units == 2


def test_wholesale_is_by_the_piece_and_a_job_lot_has_no_number() -> None:
    assert quantity("Velaro bag wholesale, MOQ 50 pcs").wholesale
    assert quantity("Velaro bag wholesale, MOQ 50 pcs").units == 1
    assert quantity("Velaro 批发 混批").wholesale
    assert not quantity("job lot of Velaro bags").counted


def test_a_product_that_is_a_pack_is_one() -> None:
    socks = Product("socks", "Velaro socks 3 pack", (), Money(Decimal(30), "EUR"), None, ())
    one = price_reading(_listing("Velaro socks 3 pack"), socks)
    two = price_reading(_listing("Velaro socks 6 pack"), socks)
    assert one.quantity.units == 1
    assert two.quantity.units == 2


# ---------------------------------------------------------------- condition


@pytest.mark.parametrize(
    ("title", "description", "condition"),
    [
        ("Velaro", "", "https://schema.org/UsedCondition"),
        ("Velaro", "", "RefurbishedCondition"),
        ("Velaro", "", "Pre-owned"),
        ("Velaro", "", "used"),
        ("Used Velaro tote", "", None),
        ("Velaro tote, pre-owned", "", "new"),
        ("Velaro Tasche, gebraucht", "", None),
        ("Sac Velaro d'occasion", "", None),
        ("Bolso Velaro de segunda mano", "", None),
        ("Bolsa Velaro usada", "", None),
        ("Borsa Velaro usata", "", None),
        ("Velaro tas tweedehands", "", None),
        ("Torebka Velaro używana", "", None),
        ("Сумка Velaro б/у", "", None),
        ("Velaro çanta ikinci el", "", None),
        ("二手 Velaro 包", "", None),
        ("閒置 Velaro 包", "", None),
        ("Velaro バッグ 中古", "", None),
        ("Velaro 가방 중고", "", None),
        ("กระเป๋า Velaro มือสอง", "", None),
        ("Túi Velaro đã qua sử dụng", "", None),
        ("Tas Velaro bekas", "", None),
        ("حقيبة Velaro مستعملة", "", None),
        ("Velaro tote", "Gently used, some scratches", None),
        ("Velaro Tasche", "Leichte Gebrauchsspuren", None),
        ("Velaro 包", "自用两年，轻微磨损", None),
    ],
)
def test_second_hand_is_told(title: str, description: str, condition: str | None) -> None:
    assert second_hand(_listing(title, description, condition))


@pytest.mark.parametrize(
    ("title", "description", "condition"),
    [
        ("Velaro tote", "", "https://schema.org/NewCondition"),
        ("Velaro tote", "never used", None),
        ("Velaro tote, unused", "", None),
        ("Velaro tote, never worn", "", None),
        ("Velaro tote", "Can be used for travel. Used by artists.", None),
        ("Velaro tote vintage style", "", None),
        ("Velaro Tasche", "Ungetragen, mit Karton", "Neu"),
        ("Robe Velaro pour toute occasion", "", None),
        ("Velaro 包 全新 未使用", "", None),
        ("Velaro tote", "second hand look", "NewCondition"),
        ("Velaro 合成新材料", "", None),
    ],
)
def test_new_is_not_second_hand(title: str, description: str, condition: str | None) -> None:
    assert second_hand(_listing(title, description, condition)) is None


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Velaro tote box only", "its packaging"),
        ("Empty box for Velaro watch", "its packaging"),
        ("Velaro Uhr nur Karton", "its packaging"),
        ("Velaro dust bag", "its packaging"),
        ("Velaro 空盒", "its packaging"),
        ("Velaro watch strap only", "a part of it"),
        ("Replacement strap Velaro", "a part of it"),
        ("Velaro watch for parts", "broken"),
        ("Velaro Uhr defekt", "broken"),
        ("Velaro 時計 ジャンク", "broken"),
        ("Velaro perfume decant 5 ml", "a sample or a small filling"),
        ("Velaro perfume sample 2 ml", "a sample or a small filling"),
        ("Velaro 香水 分装", "a sample or a small filling"),
        ("Velaro tote deposit", "a deposit or a part payment"),
        ("Velaro 包 定金", "a deposit or a part payment"),
        ("Velaro dress rental", "lent, not sold"),
        ("Платье Velaro напрокат", "lent, not sold"),
        ("Velaro poster", "paper, pictures or files of it"),
        ("Velaro tote, starting bid", "an auction's first bid"),
    ],
)
def test_what_is_not_the_whole_thing_is_told(title: str, kind: str) -> None:
    found = part_of(_listing(title))
    assert found is not None
    assert found[0] == kind
    reading = price_reading(_listing(title), BAG)
    assert not reading.comparable
    assert reading.floor_ratio is None
    assert kind in " ".join(reading.reasons)


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("Velaro tote with dust bag", ""),
        ("Velaro tote + box + dust bag", ""),
        ("Velaro tote", "Comes with dust bag, care card and the Velaro box."),
        ("Velaro tote", "Not broken, not for rent, no deposit."),
        ("Velaro watch, extra links included", ""),
        ("Velaro location tracker", ""),
        ("Velaro tote, Hong Kong", ""),
    ],
)
def test_the_whole_thing_with_extras_is_whole(title: str, description: str) -> None:
    assert part_of(_listing(title, description)) is None


def test_a_product_that_is_a_strap_is_whole() -> None:
    strap = Product("strap", "Velaro replacement strap", (), Money(Decimal(50), "EUR"), None, ())
    assert price_reading(_listing("Velaro replacement strap"), strap).comparable
    assert not price_reading(_listing("Velaro replacement strap"), BAG).comparable


# ---------------------------------------------------------------- readings


def test_a_price_is_read_by_the_piece_against_the_floor() -> None:
    reading = price_reading(_listing("lot of 10 Velaro Lumo tote"), BAG)
    assert reading.unit_price == Money(Decimal(10), "EUR")
    assert reading.floor_ratio == pytest.approx(10 / 310)
    assert reading.reasons == (
        "100 EUR for 10 pieces (“lot of 10”) is 10.00 EUR each.",
        "10.00 EUR is 0.032 of the floor of 310 EUR.",
    )


def test_another_currency_is_converted_and_the_day_said() -> None:
    yuan = _listing(price=Money(Decimal(825), "CNY"))
    reading = price_reading(yuan, BAG, Context(rates=RATES))
    assert reading.floor_ratio == pytest.approx(100 / 310)
    assert "at the rates of 2026-11-02" in reading.reasons[0]


def test_without_a_rate_nothing_is_compared_and_it_is_said() -> None:
    reading = price_reading(_listing(price=Money(Decimal(825), "CNY")), BAG)
    assert reading.floor_ratio is None
    assert reading.reasons == ("There is no rate to compare CNY with EUR.",)


@pytest.mark.parametrize("price", [None, Money(Decimal(0), "EUR")])
def test_no_price_says_nothing(price: Money | None) -> None:
    reading = price_reading(_listing(price=price), BAG)
    assert (reading.unit_price, reading.floor_ratio, reading.z) == (None, None, None)
    assert reading.reasons == ("No price is named.",)


def test_an_unknown_product_has_no_floor_and_no_comparables() -> None:
    others = Comparables("bag", 9, math.log(300), 0.1, "EUR")
    reading = price_reading(_listing(), None, Context(comparables=(others,)))
    assert (reading.floor_ratio, reading.z) == (None, None)


def test_a_price_is_held_against_other_sellers() -> None:
    others = Comparables("bag", 9, math.log(300), 0.0, "EUR")
    reading = price_reading(_listing(), BAG, Context(comparables=(others,)))
    assert reading.z == pytest.approx(math.log(1 / 3) / LEAST_SPREAD)
    assert reading.comparables == others
    assert "9 sellers ask 300.00 EUR in the median" in reading.reasons[-1]


def test_comparables_of_another_product_or_too_few_are_not_used() -> None:
    context = Context(
        comparables=(
            Comparables("belt", 9, math.log(300), 0.1, "EUR"),
            Comparables("bag", LEAST_COMPARABLES - 1, math.log(300), 0.1, "EUR"),
        )
    )
    assert price_reading(_listing(), BAG, context).z is None


def test_comparables_in_the_listings_own_currency_are_preferred() -> None:
    euro = Comparables("bag", 90, math.log(300), 0.1, "EUR")
    yuan = Comparables("bag", 9, math.log(2000), 0.1, "CNY")
    reading = price_reading(
        _listing(price=Money(Decimal(2000), "CNY")),
        BAG,
        Context(comparables=(euro, yuan), rates=RATES),
    )
    assert reading.comparables == yuan
    assert reading.z == pytest.approx(0)


# ---------------------------------------------------------------- comparables


def _asks(*amounts: float) -> list[UnitPrice]:
    return [UnitPrice(Decimal(str(a)), f"s-{at}") for at, a in enumerate(amounts)]


def test_the_distribution_is_robust() -> None:
    found = comparables(_asks(290, 300, 310, 305, 295, 3), "bag", "EUR")
    assert found is not None
    assert math.exp(found.log_median) == pytest.approx(297.5, rel=0.01)
    assert found.count == 6


def test_too_few_sellers_are_no_distribution() -> None:
    assert comparables(_asks(*[300] * (LEAST_COMPARABLES - 1)), "bag", "EUR") is None
    assert comparables(_asks(*[300] * LEAST_COMPARABLES), "bag", "EUR") is not None


def test_a_seller_counts_once_with_its_median() -> None:
    flood = [UnitPrice(Decimal(3), "flood")] * 100
    found = comparables([*flood, *_asks(300, 300, 300, 300)], "bag", "EUR")
    assert found is not None
    assert found.count == 5
    assert math.exp(found.log_median) == pytest.approx(300)


def test_second_hand_lots_and_nothing_are_left_out() -> None:
    left_out = [
        UnitPrice(Decimal(3), "used", second_hand=True),
        UnitPrice(Decimal(3), "lot", lot=True),
        UnitPrice(Decimal(0), "zero"),
    ]
    assert comparables([*left_out, *_asks(1, 1, 1, 1)], "bag", "EUR") is None


def test_a_listing_becomes_one_of_the_prices() -> None:
    listing = _listing("Used Velaro Lumo tote", price=Money(Decimal(825), "CNY"))
    reading = price_reading(listing, BAG, Context(rates=RATES))
    price = asked(listing, reading, "EUR", RATES)
    assert price == UnitPrice(Decimal(100), "s-1", second_hand=True)
    part = _listing("Velaro Lumo tote box only")
    assert asked(part, price_reading(part, BAG), "EUR", RATES) is None


def test_a_price_in_another_currency_has_no_z() -> None:
    with pytest.raises(ValueError, match="no price in EUR"):
        robust_z(Money(Decimal(1), "USD"), Comparables("bag", 5, 0.0, 0.1, "EUR"))


# ---------------------------------------------------------------- rates


def test_shipped_rates_are_dated_and_of_real_currencies() -> None:
    rates = shipped_rates()
    assert rates.day >= date(2026, 1, 1)
    assert len(rates.per_euro) >= 30
    assert set(rates.per_euro) <= set(CURRENCIES)
    assert all(rate > 0 for rate in rates.per_euro.values())


def test_a_rate_of_nothing_is_no_rate() -> None:
    broken = Rates(date(2026, 1, 1), {"USD": Decimal(0)})
    assert convert(Money(Decimal(1), "USD"), "EUR", broken) is None
    assert convert(Money(Decimal(1), "EUR"), "USD", broken) is None


_CODES = st.sampled_from(sorted(shipped_rates().per_euro))
_AMOUNTS = st.decimals("0.01", "1000000", places=2)


@given(_AMOUNTS, _CODES, _CODES)
def test_there_and_back_is_the_same_amount(amount: Decimal, one: str, other: str) -> None:
    there = convert(Money(amount, one), other, shipped_rates())
    assert there is not None
    back = convert(there, one, shipped_rates())
    assert back is not None
    assert abs(back.amount / amount - 1) < Decimal("1e-20")


@given(_AMOUNTS, _AMOUNTS, st.decimals("0.001", "1000", places=3))
def test_scale_does_not_matter(price: Decimal, floor: Decimal, factor: Decimal) -> None:
    def ratio(by: Decimal) -> float | None:
        product = Product("p", "Velaro", (), Money(floor * by, "EUR"), None, ())
        return price_reading(_listing(price=Money(price * by, "EUR")), product).floor_ratio

    assert ratio(Decimal(1)) == pytest.approx(ratio(factor), rel=1e-12)


@given(
    st.text(max_size=200),
    st.text(max_size=200),
    st.none() | st.text(max_size=30),
    st.none() | st.builds(Money, st.decimals(0, 10**12, places=2), _CODES),
    st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=3),
)
def test_any_listing_has_a_reading(
    title: str,
    description: str,
    condition: str | None,
    price: Money | None,
    attributes: list[tuple[str, str]],
) -> None:
    listing = _listing(title, description, condition, price, tuple(attributes))
    others = Comparables("bag", 9, math.log(300), 0.1, "EUR")
    context = Context(comparables=(others,), rates=shipped_rates())
    reading = price_reading(listing, BAG, context)
    assert reading == price_reading(listing, BAG, context)
    assert reading.quantity.units >= 1
    if reading.floor_ratio is not None:
        assert reading.comparable
        assert reading.floor_ratio >= 0


_NUMBERED = st.lists(
    st.sampled_from(
        ["2", "10", "x", "pcs", "pack", "of", "lot", "dozen", "双", "个装", "pairs", "-"]
    ),
    max_size=8,
).map(" ".join)


@given(_NUMBERED)
def test_a_quantity_is_within_bounds(title: str) -> None:
    assert 1 <= quantity(title).units <= 5000


@given(st.lists(st.decimals("0.01", "100000", places=2), min_size=5, max_size=30))
def test_the_median_lies_between_the_prices(amounts: list[Decimal]) -> None:
    found = comparables([UnitPrice(a, str(at)) for at, a in enumerate(amounts)], "p", "EUR")
    assert found is not None
    assert math.log(min(amounts)) - 1e-9 <= found.log_median <= math.log(max(amounts)) + 1e-9
    assert found.log_mad >= 0
