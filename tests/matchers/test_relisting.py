"""Relisting memory: the fake that came back is known, the honest offer beside it is not it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.relisting import LEAST, Traits, measure, relistings
from matchers.values import Money, Relisting

PICTURE = "00ff" * 16
MAKERS = "3333" * 16
TEXT = "Mirror quality, nobody can tell. Stamps and serial included, ask for more."
GONE = Traits(
    "gone", "Velaro Aria tote 1:1 cognac", TEXT, Money.parse("49.90 EUR"), (PICTURE,),
    "Lucky Harbour 17", "CN", date(2026, 1, 3), "counterfeit",
)  # fmt: skip


def flipped(text: str, bits: int) -> str:
    """The hash with its lowest bits turned over."""
    return f"{int(text, 16) ^ ((1 << bits) - 1):064x}"


BACK = Traits(
    "back", "Velaro Aria tote 1:1 cognac!!", TEXT, Money.parse("50.50 EUR"),
    (flipped(PICTURE, 10),), "Lucky Harbor Store 3", "CN", date(2026, 5, 1),
)  # fmt: skip


def test_a_fake_under_another_seller_is_known_again() -> None:
    found = relistings(BACK, [GONE])
    assert [(r.listing_id, r.verdict) for r in found] == [("gone", "counterfeit")]
    assert found[0].likeness > 0.9
    assert {"picture", "title", "description", "price", "seller name"} <= set(found[0].traits)


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"title": "Bag", "description": "", "price": None, "seller_name": "Else"}, True),
        ({"hashes": (flipped(PICTURE, 128),)}, True),
        ({"hashes": (), "seller_name": None}, False),
        ({"hashes": (flipped(PICTURE, 100),), "seller_name": "Attic of Eve"}, False),
        ({"hashes": (), "title": "Else", "description": "Else"}, False),
        ({"listing_id": "gone"}, False),
    ],
    ids=["picture alone", "name and words", "words alone", "words of another", "name", "itself"],
)
def test_what_it_takes(changes: dict[str, object], known: bool) -> None:
    assert bool(relistings(replace(BACK, **changes), [GONE])) is known  # type: ignore[arg-type]


def test_the_makers_picture_is_nobodys_trait() -> None:
    fake, honest = replace(GONE, hashes=(MAKERS,)), replace(
        BACK, hashes=(flipped(MAKERS, 4),), title="Velaro Aria tote", description="New.",
        seller_name="Good Old Shop", price=Money.parse("400 EUR"),
    )  # fmt: skip
    assert relistings(honest, [fake])
    assert relistings(honest, [fake], makers=[MAKERS]) == ()


def test_the_judged_come_first_and_no_more_than_asked() -> None:
    others = [replace(GONE, listing_id=f"g-{n}", verdict=None) for n in range(9)]
    found = relistings(BACK, [*others, replace(GONE, title="Velaro Aria 1:1")], most=3)
    assert len(found) == 3
    assert found[0].verdict == "counterfeit"


@pytest.mark.parametrize(
    ("verdict", "name"),
    [
        ("counterfeit", "relisting_counterfeit"),
        ("trademark_use", "relisting_counterfeit"),
        ("genuine", "relisting_genuine"),
        (None, "relisting_unjudged"),
        ("unclear", "relisting_unjudged"),
    ],
)
def test_the_signal_follows_the_verdict(verdict: str | None, name: str) -> None:
    found = list(measure([Relisting("l", 0.8, verdict, ("picture",))]))
    assert [(one.name, one.value) for one in found] == [(name, 0.8)]
    assert "picture" in found[0].reason
    assert list(measure([])) == []


_HASHES = st.lists(st.integers(0, 2**256 - 1).map(lambda n: f"{n:064x}"), max_size=2).map(tuple)
_TRAITS = st.builds(
    Traits, listing_id=st.sampled_from("abc"), title=st.text(max_size=40),
    description=st.text(max_size=90),
    price=st.none() | st.decimals(0, 999, places=2).map(lambda a: Money(a, "EUR")),
    hashes=_HASHES, seller_name=st.none() | st.text(max_size=20),
    seller_country=st.none() | st.sampled_from(["CN", "DE"]),
    seller_joined_on=st.none() | st.dates(), verdict=st.none() | st.just("genuine"),
)  # fmt: skip


@given(_TRAITS, st.lists(_TRAITS, max_size=4), _HASHES)
def test_any_traits_give_likenesses_in_order(
    one: Traits, others: list[Traits], makers: tuple[str, ...]
) -> None:
    found = relistings(one, others, makers)
    assert found == relistings(one, list(reversed(others)), makers) or len(
        {o.listing_id for o in others}
    ) < len(others)
    for again in found:
        assert LEAST <= again.likeness <= 1
        assert again.listing_id != one.listing_id
        assert again.traits
