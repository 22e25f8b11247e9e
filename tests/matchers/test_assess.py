"""Assessments: gates first, reasons for everything, the same inputs the same figure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.assess import assess
from matchers.model import shipped
from matchers.signals_words import text_of
from matchers.values import (
    Assessment,
    Brand,
    Context,
    Listing,
    Money,
    Rates,
    Relisting,
    Seller,
    Term,
    from_json,
    to_json,
)
from tests.matchers.listings import BRAND, NEW, OLD, listing, logo, matched

RATES = Rates(
    datetime(2026, 2, 28, tzinfo=UTC).date(),
    {"EUR": Decimal(1), "CNY": Decimal("8.2"), "USD": Decimal("1.1")},
)
KNOWN = Context(rates=RATES)


def names(found: Assessment) -> list[str]:
    return [signal.name for signal in found.signals]


def test_an_open_fake_is_flagged_and_says_why() -> None:
    title = "Velaro Aria Tote replica 1:1"
    found = assess(listing(title), BRAND, Context(seller=NEW, rates=RATES))
    assert (found.outcome, found.kind, found.product_id) == ("flag", "counterfeit", "tote")
    assert found.score > 0.95
    assert {"brand_in_title", "picture_match", "price_under_floor", "not_authorised"} <= set(
        names(found)
    )
    assert any(name.startswith("lexicon_") for name in names(found))
    assert all(signal.reason.endswith(".") for signal in found.signals)
    marked = {title[s.start : s.end] for signal in found.signals for s in signal.spans}
    assert "Velaro" in marked
    assert any("replica" in words for words in marked)
    match = next(s.picture for s in found.signals if s.name == "picture_match")
    assert match is not None
    assert match.listing_outline
    assert match.reference_outline


def test_the_score_is_the_sum_of_what_the_signals_say() -> None:
    found = assess(listing("V3l4r0 Aria Tote 1:1"), BRAND, Context(seller=NEW, rates=RATES))
    model = shipped()
    assert found.score == model.score(signal.contribution for signal in found.signals)
    for signal in found.signals:
        assert signal.contribution == model.contribution(signal.name, signal.value)
    assert set(found.versions) == {"model", "lexicon", "words", "pictures", "price", "rates"}
    assert found.versions["model"] == model.version


@pytest.mark.parametrize(
    ("what", "context", "outcome", "kind"),
    [
        (listing("V3l4r0 Aria Tote", "45.00 EUR"), KNOWN, "flag", "counterfeit"),
        (
            listing("维*拉*罗 包 高仿", "300.00 CNY", pictures=(), matches=()),
            KNOWN, "flag", "counterfeit",
        ),
        (
            listing("Velaro Aria Tote", "60.00 EUR", matches=(matched("mirrored"),)),
            Context(seller=NEW, rates=RATES), "flag", "counterfeit",
        ),
        (listing("Velaro Aria Tote, new", "420.00 EUR"), Context(seller=OLD), "pass", None),
        (listing("Velaro Aria Tote, new", "420.00 EUR"), KNOWN, "pass", None),
        (
            listing("Velaro Aria Tote used, good", "90.00 EUR", matches=()),
            Context(seller=OLD), "pass", None,
        ),
        (listing("Velaro Aria Tote", "90.00 EUR", condition="used"), KNOWN, "pass", None),
        (listing("strap for Velaro", "9.00 EUR", matches=()), KNOWN, "pass", None),
        (listing("Box only – Velaro Aria Tote", "9.00 EUR", matches=()), KNOWN, "pass", None),
        (listing("Velaro Aria Tote", "250.00 EUR"), Context(seller=OLD), "abstain", "price_breach"),
        (
            listing("Velaro Aria Tote", "260.00 EUR", description="Parallel import, sealed."),
            Context(seller=OLD), "abstain", "grey_import",
        ),
        (
            listing("Tote bag in the style of Velaro", "40.00 EUR", matches=(), pictures=()),
            KNOWN, None, "trademark_use",
        ),
    ],
    ids=[
        "disguised", "chinese", "mirrored", "reseller", "stranger", "used", "used picture",
        "strap", "box", "cheap", "import", "style",
    ],
)  # fmt: skip
def test_kinds_of_listing(
    what: Listing, context: Context, outcome: str | None, kind: str | None
) -> None:
    found = assess(what, BRAND, context)
    assert found.kind == kind or (outcome is None and found.outcome == "pass"), found
    assert found.outcome == outcome or outcome is None, found


def test_the_makers_picture_at_a_price_that_cannot_be_is_a_sign() -> None:
    def judged(price: str, title: str = "Velaro Aria Tote", **more: object) -> Assessment:
        what = listing(title, price, **more)
        return assess(what, BRAND, Context(seller=NEW, rates=RATES))

    assert judged("60.00 EUR").kind == "counterfeit"
    assert "picture_and_price" in names(judged("60.00 EUR"))
    for fair in (judged("200.00 EUR"), judged("60.00 EUR", condition="used"),
                 judged("60.00 EUR", matches=(matched(confidence=0.8),))):  # fmt: skip
        assert "picture_and_price" not in names(fair)
        assert fair.outcome != "flag"
    nameless = judged("60.00 EUR", title="Red leather bag")
    assert "picture_and_price" not in names(nameless)
    assert nameless.outcome != "flag"


def test_what_only_fits_or_is_not_made_by_the_brand_claims_no_product() -> None:
    for title in (
        "Strap for Velaro Aria – fits, not made by Velaro",
        "Strap fits Velaro Aria Tote",
    ):
        found = assess(listing(title, "12.00 EUR", matches=()), BRAND, KNOWN)
        assert "brand_compatible" in names(found), title
        assert "price_under_floor" not in names(found)
        assert found.outcome == "pass"


def test_an_honest_denial_is_no_confession() -> None:
    denied = assess(
        listing("Velaro Aria Tote", "330.00 EUR", description="100% genuine, not a replica."),
        BRAND, Context(seller=OLD),
    )  # fmt: skip
    assert denied.outcome == "pass"
    assert not any(name.startswith("lexicon") for name in names(denied))


def test_a_price_alone_never_flags() -> None:
    cheap = assess(listing("Red leather bag", "1.00 EUR", pictures=(), matches=()), BRAND)
    assert (cheap.score, cheap.gate, cheap.outcome) == (0.0, "brand_not_claimed", "pass")


@given(
    price=st.decimals(min_value=0, max_value=10**5, places=2),
    seller=st.sampled_from([None, OLD, NEW]),
    ships=st.sampled_from([None, "CN", "DE"]),
    pictured=st.booleans(),
)
def test_no_price_flags_without_a_sign(
    price: Decimal, seller: Seller | None, ships: str | None, pictured: bool
) -> None:
    # Far under the floor the maker's picture is one: see `picture_and_price`.
    matches = (matched(),) if pictured and price > 150 else ()
    what = listing("Velaro Aria Tote", f"{price} EUR", matches=matches, ships_from=ships)
    found = assess(what, BRAND, Context(seller=seller, rates=RATES))
    assert found.outcome != "flag"
    assert found.kind in (None, "price_breach", "grey_import", "counterfeit")


@given(
    title=st.text(max_size=60),
    price=st.decimals(min_value=0, max_value=10**6, places=2),
    pictured=st.booleans(),
)
def test_an_authorised_seller_is_never_flagged(title: str, price: Decimal, pictured: bool) -> None:
    found = assess(
        listing(
            f"Velaro replica {title}", f"{price} EUR", seller_id="good",
            matches=(matched("mirrored"),) if pictured else (),
        ),
        BRAND,
        Context(seller=NEW, relistings=(Relisting("l", 1.0, "counterfeit", ("picture",)),)),
    )  # fmt: skip
    assert (found.score, found.gate, found.outcome) == (0.0, "authorised_seller", "pass")
    assert found.kind is None


@pytest.mark.parametrize(
    ("seller", "changes", "gated"),
    [
        ("good", {}, True),
        ("good", {"marketplace": "other"}, False),
        ("good", {"seen_at": datetime(2019, 1, 1, tzinfo=UTC)}, False),
        ("expired", {}, False),
        ("expired", {"seen_at": datetime(2025, 12, 31, tzinfo=UTC)}, True),
        ("belts", {}, False),
        ("belts", {"title": "Velaro Linea Belt", "pictures": (), "matches": ()}, True),
    ],
)
def test_the_gate_is_for_brand_product_and_day(
    seller: str, changes: dict[str, object], gated: bool
) -> None:
    found = assess(listing(seller_id=seller, **changes), BRAND)  # type: ignore[arg-type]
    assert (found.gate == "authorised_seller") is gated


def test_a_picture_or_a_logo_claims_the_brand_without_a_word() -> None:
    nameless = listing("Red bag", "35.00 EUR", matches=())
    assert assess(nameless, BRAND).gate == "brand_not_claimed"
    for match, name in ((matched("mirrored"), "picture_match"), (logo(), "logo_seen")):
        found = assess(listing("Red bag", "35.00 EUR", matches=(match,)), BRAND)
        assert found.gate is None
        assert name in names(found)


def test_another_brands_picture_is_not_ours() -> None:
    other = Brand("other", "Kestrix", (), (), ())
    found = assess(listing("Red bag", matches=(matched(), logo())), other)
    assert found.gate == "brand_not_claimed"


def test_currencies() -> None:
    def signal(price: str, context: Context = KNOWN) -> str:
        found = assess(listing(price=price), BRAND, context)
        return next(s.name for s in found.signals if s.name.startswith("price"))

    assert signal("300.00 CNY") == "price_under_floor"
    assert signal("4000.00 CNY") == "price_fair"
    assert signal("300.00 VUV") == "price_unknown"


@pytest.mark.parametrize(
    ("title", "price", "wanted"),
    [
        # Of two bags and belts the belt has the lowest floor, 90 EUR.
        ("Velaro goods", "22.50 EUR", 2.0),
        ("Velaro goods", "95.00 EUR", None),
        # Words that name goods of a class, of which the tote is the only product.
        ("Velaro leather handbag", "155.00 EUR", 1.0),
        # No registered product is of that kind: nothing to hold it against.
        ("Velaro perfume", "9.00 EUR", None),
        ("strap for Velaro", "9.00 EUR", None),
        ("used Velaro goods", "22.50 EUR", None),
    ],
)
def test_of_an_unknown_product_the_brands_lowest_such_floor_counts(
    title: str, price: str, wanted: float | None
) -> None:
    bare = listing(title, price, pictures=(), matches=())
    found = assess(bare, BRAND, KNOWN)
    values = {s.name: s.value for s in found.signals}
    assert values.get("price_under_brand") == wanted
    assert "price_under_floor" not in values
    # It is no sign, and no breach of a floor that may be another product's.
    assert found.kind != "price_breach"


def test_several_pieces_for_one_price_are_no_bargain_and_no_alibi() -> None:
    lot = assess(listing("Lot of 5: Velaro Aria Tote", "1600.00 EUR"), BRAND, KNOWN)
    assert "price_fair" in names(lot)
    wholesale = assess(listing("10 pcs Velaro Aria Tote", "350.00 EUR"), BRAND, KNOWN)
    assert "price_under_floor" in names(wholesale)


def test_a_relisting_of_a_fake_is_flagged_and_one_of_a_genuine_thing_is_not() -> None:
    def judged(verdict: str | None) -> Assessment:
        again = (Relisting("earlier", 0.95, verdict, ("picture", "title")),)
        what = listing("Velaro Aria Tote", "120.00 EUR", matches=())
        return assess(what, BRAND, Context(seller=NEW, rates=RATES, relistings=again))

    assert judged("counterfeit").outcome == "flag"
    assert judged("genuine").outcome != "flag"
    assert judged("genuine").score < judged(None).score < judged("counterfeit").score


def test_earlier_verdicts_count_for_and_against_a_seller() -> None:
    def score(against: int, genuine: int) -> float:
        seller = Seller(counterfeits=against, genuines=genuine)
        return assess(listing(), BRAND, Context(seller=seller)).score

    assert score(0, 3) < score(0, 0) < score(1, 0) < score(4, 0)
    assert score(1, 20) <= score(0, 0)


_TEXTS = st.text(max_size=120) | st.sampled_from(
    ["Velaro Aria Tote replica 1:1", "V.e.l.a.r.o", "维*拉罗 高仿", "for Velaro", "velarostyle"]
)


@given(
    title=_TEXTS,
    description=_TEXTS,
    brand=st.none() | st.text(max_size=30),
    attributes=st.lists(st.tuples(st.text(max_size=8), _TEXTS), max_size=3),
    view=st.sampled_from([None, "as it is", "mirrored", "anything else"]),
    context=st.sampled_from([Context(), KNOWN, Context(seller=NEW, rates=RATES)]),
)
def test_any_text_ends_in_the_same_assessment_twice(
    title: str, description: str, brand: str | None, attributes: list[tuple[str, str]],
    view: str | None, context: Context,
) -> None:  # fmt: skip
    what = listing(
        title, description=description, brand=brand, attributes=tuple(attributes),
        matches=(matched(view),) if view else (),
    )  # fmt: skip
    first = assess(what, BRAND, context)
    again = assess(
        from_json(Listing, to_json(what)),
        from_json(Brand, to_json(BRAND)),
        from_json(Context, to_json(context)),
    )
    assert first == again
    assert from_json(Assessment, to_json(first)) == first
    assert 0 <= first.score <= 1
    assert (first.kind is None) is (first.outcome == "pass")
    for found in first.signals:
        for span in found.spans:
            assert 0 <= span.start < span.end <= len(text_of(what, span.field))


@given(st.permutations([matched(), matched("mirrored"), matched("turned", 0.6), logo()]))
def test_the_order_of_matches_means_nothing(matches: list[object]) -> None:
    one = assess(listing(matches=tuple(matches)), BRAND)
    other = assess(listing(matches=tuple(reversed(matches))), BRAND)
    assert one == other


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        ("Velaro", "brand_in_text"),
        ("V3laro", "brand_disguised"),
        ("for Velaro", "brand_compatible"),
    ],
)
def test_a_brand_named_in_its_own_field_is_claimed(brand: str, name: str) -> None:
    what = listing("Leather tote replica", pictures=(), matches=(), brand=brand)
    found = assess(what, BRAND)
    assert found.gate is None
    signal = found.signals[0]
    assert (signal.name, [span.field for span in signal.spans]) == (name, ["brand"])
    span = signal.spans[0]
    assert brand[span.start : span.end] in brand.split()


@pytest.mark.parametrize("brand", [None, "", "Else"])
def test_another_brand_in_the_field_claims_nothing(brand: str | None) -> None:
    found = assess(listing("Red tote", pictures=(), matches=(), brand=brand), BRAND)
    assert found.gate == "brand_not_claimed"


def test_money_that_is_nothing_and_a_floor_of_nothing() -> None:
    assert "price_unknown" in names(assess(listing(price=None), BRAND))
    assert 0 <= assess(listing(price="0 EUR"), BRAND).score <= 1
    free = Brand(
        "velaro", "Velaro", BRAND.terms,
        tuple(type(p)(p.id, p.name, (), Money(Decimal(0), "EUR"), None, p.pictures)
              for p in BRAND.products),
        (),
    )  # fmt: skip
    assert 0 <= assess(listing(), free).score <= 1


def test_a_mark_of_one_letter_does_not_keep_the_others_from_being_found() -> None:
    brand = replace(BRAND, terms=(Term("X"), Term("耐"), *BRAND.terms))
    assert assess(listing("Velaro Aria Tote"), brand) == assess(listing("Velaro Aria Tote"), BRAND)


@pytest.mark.parametrize(("against", "outcome"), [(1, "abstain"), (2, "abstain"), (3, "flag")])
def test_one_verdict_on_other_goods_flags_nobody(against: int, outcome: str) -> None:
    seller = replace(NEW, counterfeits=against)
    found = assess(listing("Velaro Aria Tote", "200.00 EUR"), BRAND, replace(KNOWN, seller=seller))
    assert found.outcome == outcome
