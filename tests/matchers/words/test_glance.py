"""The quick look never says that nothing is there where a proper look finds something."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matchers.values import Term
from matchers.words.finder import TermFinder
from matchers.words.glance import Glance
from matchers.words.index import Index
from matchers.words.looking import Looker
from matchers.words.needles import needles
from matchers.words.readings import as_it_stands

TERMS = [
    Term(text)
    for text in (
        "Velaro", "Louis Vuitton", "Nike", "Gucci", "UGG", "3M", "LV", "Coach", "Coca-Cola",
        "Skechers", "Balenciaga", "Leeds", "BMW", "Hello Kitty",
    )
]  # fmt: skip
INDEX = Index(TERMS, needles(TERMS))
GLANCE = Glance(INDEX)
LOOKER = Looker(INDEX)
BITS = st.sampled_from(
    ["velar", "velaro", "nike", "ugg", "coach", "boots", "balenc", "iaga", "skech", "ers", "gucc",
     "kitty", "nke", "skecher", "v", "l", "n", "k", "e", "a", "r", "o", "i", "g", "u", "c", "m",
     "s", "3", "0", "1", "4", "8", "2024", "-", ".", "*", "@", "$", "!", "/", "|", "(", ")", "'"]
)  # fmt: skip
TOKENS = st.one_of(
    st.lists(BITS, min_size=1, max_size=9).map("".join),
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=70),
)


@given(TOKENS)
def test_nothing_at_a_glance_is_nothing_on_looking(token: str) -> None:
    glanced = GLANCE(token)
    if glanced is None:
        return
    base = as_it_stands(token)
    seen = LOOKER.look(token, base)
    assert not seen.found
    assert not seen.parts
    assert "".join(glanced.words) == base.text
    assert glanced.leet == (seen.leet if seen.leet != base.text else "")


def test_ordinary_words_numbers_and_models_are_done_at_a_glance() -> None:
    for token in ("leather", "15-inch", "black/white", "dlex7177rm", "2gb", "(large)", "no."):
        assert GLANCE(token) is not None
    assert GLANCE("V3laro") is None


def test_a_finder_says_the_same_of_a_token_alone_and_after_others() -> None:
    finder = TermFinder(TERMS)
    first = finder.find("V3laro N*ke bag")
    assert [hit.term.text for hit in first] == ["Velaro", "Nike"]
    assert finder.find("V3laro N*ke bag") == first
