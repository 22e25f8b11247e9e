"""Short marks and common words need context; compatible use is told from use as a mark."""

from __future__ import annotations

import pytest

from matchers.values import Term
from matchers.words import Hit, TermFinder

SHOES = frozenset({25})
BAGS = frozenset({18})
FINDER = TermFinder(
    [
        Term("Velaro"),
        Term("Coach", nice_classes=BAGS),
        Term("Gap", nice_classes=SHOES),
        Term("Apple", nice_classes=frozenset({9})),
        Term("UGG", product_words=("boots", "雪地靴")),
        Term("Shell", nice_classes=frozenset({4})),
        Term("Orange", nice_classes=frozenset({38})),
        Term("iPhone", kind="product"),
        Term("Dyson"),
        Term("苹果"),
    ]
)


def _one(text: str, *, category: str | None = None, context: str = "") -> Hit | None:
    hits = FINDER.find(text, category=category, context=context)
    assert len(hits) < 2, hits
    return hits[0] if hits else None


@pytest.mark.parametrize(
    "text",
    [
        "Coach leather handbag", "brown leather purse by Coach", "gap jeans women",
        "Apple laptop 13",
        "UGG boots", "women snow boots ugg", "ugg 雪地靴", "genuine Coach wallet",
        "soft Gap® hoodie",
    ],
)  # fmt: skip
def test_a_common_word_is_the_mark_beside_its_goods(text: str) -> None:
    hit = _one(text)
    assert hit is not None
    assert not hit.weak


@pytest.mark.parametrize(
    "text",
    [
        "tickets for the bus and the coach", "mind the gap poster", "print of an apple in oil",
        "silicone cover in orange for kids", "how to close a gap in a wall",
    ],
)  # fmt: skip
def test_a_common_word_elsewhere_is_no_hit_or_a_weak_one(text: str) -> None:
    assert all(hit.weak or hit.compatible for hit in FINDER.find(text))


def test_an_article_before_it_leaves_nothing() -> None:
    assert FINDER.find("please mind the gap") == []


def test_the_category_counts() -> None:
    text = "navy item, size M, gap"
    with_goods, with_others = _one(text, category="Clothing > Jeans"), _one(text, category="Coffee")
    assert with_goods is not None
    assert with_others is None or with_others.weak
    assert not with_goods.weak


def test_other_text_of_the_listing_counts() -> None:
    text = "size M, from gap, new"
    alone, beside = _one(text), _one(text, context="Blue jeans and a jacket")
    assert beside is not None
    assert not beside.weak
    assert alone is None or alone.weak


def test_capitals_among_small_letters_count() -> None:
    plain, capital = _one("black handmade thing from gap"), _one("black handmade thing from Gap")
    assert capital is not None
    assert plain is None or plain.weak


@pytest.mark.parametrize(
    "text",
    [
        "case for iPhone", "strap for Velaro tote", "compatible with Velaro",
        "filter fits Dyson v8",
        "Hülle für iPhone", "coque pour iPhone", "funda para iPhone", "чехол для iPhone",
        "适用于iPhone 手机壳", "兼容Dyson", "replacement filter for Dyson", "works with Dyson",
        "case for Samsung, Huawei and iPhone", "case for apple iPhone", "iPhone用ケース",
        "iPhone 15 compatible case", "苹果专用手机壳",
    ],
)  # fmt: skip
def test_compatible_use_is_demoted_and_not_dropped(text: str) -> None:
    hits = FINDER.find(text)
    assert hits
    assert all(hit.compatible for hit in hits)


@pytest.mark.parametrize(
    "text",
    ["Velaro strap for tote", "bag for women Velaro", "iPhone with case", "shoes for men, Velaro",
     "Dyson filter", "gift for her: Velaro bag"],
)  # fmt: skip
def test_use_as_a_mark_is_not_compatible_use(text: str) -> None:
    assert [hit.compatible for hit in FINDER.find(text)] == [False]


def test_a_short_mark_joined_to_goods_needs_goods_of_its_own() -> None:
    plain, shoes = Term("MAC"), Term("UGG", nice_classes=frozenset({25}))
    finder = TermFinder([plain, shoes])
    assert finder.find("maccase premium leather ipad 2 flight jacket") == []
    assert [hit.term for hit in finder.find("uggboots in brown")] == [shoes]
    assert finder.find("uggblender with two speeds") == []
