"""Whatever the text and the terms: spans fall in the text, and terms do not disturb each other."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.values import Term
from matchers.words import Hit, TermFinder

TERMS = [
    Term(text)
    for text in (
        "VELARO", "Vel", "Velar", "aro", "Louis Vuitton", "Louis", "Nike", "Nikon", "UGG", "3M",
        "Coach", "Coca-Cola", "веларо", "维拉罗", "维拉", "耐克", "阿迪达斯", "达斯", "ナイキ",
        "나이키", "نايك", "ไนกี้",
    )
]  # fmt: skip
FINDER = TermFinder(TERMS)
#: Bits of which disguises are made, so that chance meets them.
BITS = st.sampled_from(
    [
        "velaro",
        "VELARO",
        "V3l4r0",
        "nike",
        "ugg",
        "3m",
        "louis",
        "vuitton",
        "coach",
        "维",
        "拉",
        "罗",
        "耐",
        "克",
        "阿",
        "迪",
        "达",
        "斯",
        "nai",
        "ke",
        "wei",
        "la",
        "ナ",
        "イ",
        "キ",
        "나",
        "이",
        "키",
        "v",
        "e",
        "l",
        "a",
        "r",
        "o",
        "V.",
        ".a",
        "r0",
        "\u200b",
        "́",
        "\u202e",
        "🔥",
        "🇻",
        "Ｖ",
        "𝗩",
        "ⓥ",
        "ʌ",
        "ǝ",
        "в",
        "е",
        "for",
        "fits",
        "适用于",
        "-",
        "*",
        ".",
        "/",
        "2024",
        "boots",
        "bag",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(BITS, max_size=14).map("".join),
    st.lists(BITS, max_size=14).map(" ".join),
)


def _key(hit: Hit) -> tuple[object, ...]:
    return hit.term, hit.start, hit.end, hit.matched, hit.disguise, hit.compatible, hit.weak


@given(TEXTS, st.none() | st.text(max_size=20), st.text(max_size=40))
def test_spans_always_fall_in_the_text(text: str, category: str | None, context: str) -> None:
    for hit in FINDER.find(text, category=category, context=context):
        assert 0 <= hit.start < hit.end <= len(text)
        assert hit.matched == text[hit.start : hit.end]
        assert TERMS[hit.index] is hit.term


@given(TEXTS)
def test_the_same_text_gives_the_same_hits_from_any_finder(text: str) -> None:
    assert FINDER.find(text) == FINDER.find(text) == TermFinder(TERMS).find(text)


@given(TEXTS, st.sets(st.sampled_from(range(len(TERMS))), min_size=1))
def test_terms_do_not_disturb_each_other(text: str, some: set[int]) -> None:
    chosen = [TERMS[index] for index in sorted(some)]
    alone = [_key(hit) for hit in TermFinder(chosen).find(text)]
    among = [_key(hit) for hit in FINDER.find(text) if hit.index in some]
    assert sorted(alone, key=repr) == sorted(among, key=repr)


@given(st.lists(st.text(max_size=12), max_size=4), TEXTS)
def test_any_terms_are_taken_or_refused(texts: list[str], text: str) -> None:
    try:
        finder = TermFinder([Term(term) for term in texts])
    except ValueError:
        return
    for hit in finder.find(text + "".join(texts)):
        assert hit.matched == (text + "".join(texts))[hit.start : hit.end] != ""


@given(st.sampled_from([term.text for term in TERMS if term.text not in ("UGG", "3M")]),
       st.text(st.characters(codec="utf-8"), max_size=20))  # fmt: skip
def test_a_term_between_blanks_is_always_found(term: str, around: str) -> None:
    text = f"{around} \n{term}\n {around}"
    at = len(around) + 2
    spans = {(hit.start, hit.end) for hit in FINDER.find(text) if hit.term.text == term}
    if term not in ("Coach", "Vel", "aro"):
        assert any(start <= at and at + len(term) <= end for start, end in spans)


@pytest.mark.parametrize(
    "unit",
    ["v", "velaro", "ve la ro ", "v.", "\u0301", "v\u0301", "V3l4r0 ", "维", "维拉", "耐 ", "a b ",
     "\u200b", "\u202e", "🔥", "$", "1", "for ", "ǝ", "ʌ ǝ ", "l1", "4@", "()"],
)  # fmt: skip
def test_a_flood_ends_in_few_hits(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    hits = FINDER.find(text)
    assert all(text[hit.start : hit.end] == hit.matched for hit in hits)
    assert len(hits) <= 100 * len(TERMS)


def test_many_terms_are_found_each() -> None:
    chance = random.Random(5)
    words = {
        "".join(chance.choices("bdfgkmnprstvz", k=4) + chance.choices("aeou", k=4))
        for _ in range(3000)
    }
    terms = [Term(word) for word in sorted(words)]
    finder = TermFinder(terms)
    for term in terms[::50]:
        assert term in [hit.term for hit in finder.find(f"new {term.text} here")]
