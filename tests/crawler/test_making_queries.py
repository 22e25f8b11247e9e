"""Queries made from a brand's words: put together by language, disguised, none twice."""

from __future__ import annotations

import pytest

from crawler.queries.languages import languages_of, speaks
from crawler.queries.making import Words, as_searched, make, suspect_words
from crawler.queries.spellings import disguised
from matchers.lexicon import find_lexicon
from matchers.values import Term
from matchers.words import TermFinder

WORDS = Words(
    marks=("VELARO",),
    transliterations=("веларо", "维拉罗"),
    nicknames=("vela",),
    keywords=("velaro", "Véla-ro"),
    product_words=("bag", "包"),
    products=(("Velaro Aria Tote", ("aria tote",)), ("Linea Belt", ())),
)


def test_words_are_put_together_by_the_language_of_the_marketplace() -> None:
    english = {made.text: made.why for made in make(WORDS, ("en",))}
    assert "VELARO replica" in english
    assert "VELARO bag" in english
    assert "vela replica" in english
    assert "VELARO Linea Belt" in english
    assert not [text for text in english if "高仿" in text or "包" in text]
    chinese = {made.text: made.why for made in make(WORDS, ("zh",))}
    for text in ("维拉罗", "维拉罗 高仿", "VELARO A货", "维拉罗 包", "维拉luo"):
        assert text in chinese
    assert "VELARO replica" not in chinese
    assert chinese["VELARO A货"] == "VELARO with 'A货' (zh), said of what is not genuine"


def test_no_query_is_the_same_to_a_search_as_another() -> None:
    for languages in (("en",), ("zh",), ("de", "en"), ("ru", "en"), ("ja", "en")):
        keys = [as_searched(made.text) for made in make(WORDS, languages)]
        assert len(keys) == len(set(keys)) > 30
    assert as_searched("Véla-Ro  BAG!") == as_searched("bag vela ro")
    assert as_searched("Ｖｅｌａｒｏ") == as_searched("velaro")
    assert as_searched("v e l a r o") != as_searched("o r a l e v")


def test_the_first_of_them_are_of_every_sort() -> None:
    first = make(WORDS, ("en",), 12)
    assert len(first) == 12
    assert first[0].text == "VELARO"
    assert [made.worth for made in first] == sorted((m.worth for m in first), reverse=True)
    whys = " ".join(made.why for made in first)
    for part in ("the mark", "what buyers call it", "goods", "product", "hide it", "not genuine"):
        assert part in whys


def test_the_same_words_make_the_same_queries() -> None:
    assert make(WORDS, ("de", "en")) == make(WORDS, ("de", "en"))


@pytest.mark.parametrize("mark", ["Velaro", "Nordkette", "Rolex", "维拉罗"])
def test_disguised_spellings_are_the_mark_to_our_own_finder(mark: str) -> None:
    spellings = dict(disguised(mark))
    assert len(spellings) >= 2
    finder = TermFinder((Term(mark),))
    for spelling in spellings:
        assert finder.find(spelling), spelling
        assert as_searched(spelling) != as_searched(mark)


def test_a_short_mark_has_no_disguises_and_words_of_dictionaries_are_none() -> None:
    assert list(disguised("LV")) == []
    assert "target" not in dict(disguised("targe t"))
    assert "coch" not in [text for text in dict(disguised("coach")) if text == "couch"]


def test_every_suspect_word_is_in_the_lexicon() -> None:
    for language, words in suspect_words().items():
        for word in words:
            text = f"velaro {word} " + ("包" if language == "zh" else "bag")
            assert find_lexicon(text, discounted=True), (language, word)


def test_languages_by_host_and_kind() -> None:
    assert languages_of("amazon", "https://www.amazon.de/") == ("de", "en")
    assert languages_of("amazon", "https://www.amazon.com/") == ("en",)
    assert languages_of("taobao", "https://world.taobao.com/") == ("zh",)
    assert languages_of("mercadolibre", "https://lista.mercadolivre.com.br/") == ("pt", "en")
    assert languages_of("shopee", "https://shopee.co.th/") == ("th", "en")
    assert languages_of("schema.org", "https://bags.example/") == ("en",)
    assert speaks("велaro", ("ru", "en"))
    assert not speaks("维拉罗", ("ru", "en"))
    assert speaks("brésil", ("fr",))
