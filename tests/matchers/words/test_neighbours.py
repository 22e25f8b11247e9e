"""The table of misspellings gives what comparing with each word gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from matchers.words.neighbours import SWAPPED, Neighbours, allowed

WORDS = st.text(alphabet="abc", max_size=13)


@given(st.lists(WORDS, max_size=12, unique=True), WORDS)
def test_near_words_are_those_that_comparison_finds(words: list[str], word: str) -> None:
    expected = {
        (place, OSA.distance(word, other))
        for place, other in enumerate(words)
        if len(other) >= SWAPPED and OSA.distance(word, other) <= allowed(len(other))
    }
    assert set(Neighbours(words).near(word)) == expected


@given(st.text(alphabet="abcdef", min_size=SWAPPED, max_size=13), st.integers(0, 12))
def test_what_is_left_of_a_word_without_a_letter_is_known(word: str, at: int) -> None:
    at %= len(word)
    assert Neighbours(["velaro", word]).may_be_left(word[:at] + word[at + 1 :])


def test_hardly_anything_else_is_left_of_a_word() -> None:
    neighbours = Neighbours(["velaro", "balenciaga"])
    others = ("velar", "balencaga", "velare", "valenciaga", "pelikan", "x" * 50, "")
    assert [neighbours.may_be_left(word) for word in others] == [True, True, *[False] * 5]


@given(st.text(max_size=60))
def test_any_word_may_be_asked_for(word: str) -> None:
    assert all(distance <= 2 for _, distance in Neighbours(["velaro", "维拉罗包包"]).near(word))
