"""Words: disguises are seen through, ordinary words are left alone, places are right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.lexicon import find_lexicon, lexicon
from matchers.words import find_terms

TERMS = ("VELARO", "веларо", "维拉罗")


@pytest.mark.parametrize(
    ("text", "written", "undone"),
    [
        ("New Velaro bag", "Velaro", None),
        ("new VELARO's bag", "VELARO", None),
        ("сумка Веларо новая", "Веларо", None),
        ("正品维拉罗包", "维拉罗", None),
        ("V3l4r0 bag", "V3l4r0", "digits or signs"),
        ("bag ve1aro", "ve1aro", "digits or signs"),
        ("V€L@RO tote", "V€L@RO", "digits or signs"),
        ("Vеlаrо tote", "Vеlаrо", "another script"),
        ("V.e.l.a.r.o tote", "V.e.l.a.r.o", "pulled apart"),
        ("tote V E L A R O new", "V E L A R O", "pulled apart"),
        ("Vel-aro tote", "Vel-aro", "pulled apart"),
        ("Vellaro tote", "Vellaro", "misspelt"),
        ("Velaaaro tote", "Velaaaro", "repeated"),
        ("Vlearo tote", "Vlearo", "misspelt"),
        ("V\u200bel\u200baro tote", "V\u200bel\u200baro", "hidden"),
        ("Vélaro tote", "Vélaro", "accents"),
        ("Ｖｅｌａｒｏ tote", "Ｖｅｌａｒｏ", "unusual forms"),
        ("𝗩𝗲𝗹𝗮𝗿𝗼 tote", "𝗩𝗲𝗹𝗮𝗿𝗼", "unusual forms"),
        ("velarobag", "velarobag", "joined"),
        ("维*拉*罗 包", "维*拉*罗", "pulled apart"),
        ("维 拉 罗", "维 拉 罗", "pulled apart"),
    ],
)
def test_a_mark_is_found_and_what_was_undone_is_said(
    text: str, written: str, undone: str | None
) -> None:
    (hit,) = find_terms(text, TERMS)
    assert text[hit.start : hit.end] == hit.matched == written
    if undone is None:
        assert hit.disguise == ()
    else:
        assert any(undone in reason for reason in hit.disguise), hit.disguise


@pytest.mark.parametrize(
    "text",
    [
        "Valero gas card", "velour jacket", "solar panel", "a lover of art", "Vel 9 aromatherapy",
        "volare", "各种维生素 拉链 罗纹", "", "V", "shoes Skechers", "level aroma candle",
    ],
)  # fmt: skip
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert find_terms(text, TERMS) == []


def test_what_a_thing_fits_is_told_from_what_it_is() -> None:
    assert find_terms("strap for Velaro tote", TERMS)[0].compatible
    assert find_terms("compatible with Velaro", TERMS)[0].compatible
    assert not find_terms("Velaro strap for tote", TERMS)[0].compatible


@given(st.text(max_size=120), st.lists(st.text(max_size=12), max_size=4))
def test_spans_always_fall_in_the_text(text: str, terms: list[str]) -> None:
    for hit in find_terms(text, (*TERMS, *terms)):
        assert 0 <= hit.start < hit.end <= len(text)
        assert text[hit.start : hit.end] == hit.matched
    for found in find_lexicon(text):
        assert text[found.start : found.end].casefold() == found.entry.term.casefold()


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Velaro replica bag", "replica"),
        ("bag 1:1 top", "1:1"),
        ("AAA quality bag", "aaa quality"),
        ("维拉罗高仿包", "高仿"),
        ("сумка реплика", "реплика"),
        ("顶级复刻 包", "顶级复刻"),
    ],
)
def test_lexicon_terms_are_found(text: str, term: str) -> None:
    assert [hit.entry.term for hit in find_lexicon(text)] == [term]


@pytest.mark.parametrize(
    "text",
    [
        "model car scale 1:1", "8 AAA batteries, aaa quality battery", "this is not a replica",
        "no replica!", "不是高仿", "Keine Fälschung", "翡翠A货手镯", "faux fake fur",
        "unreplicated", "не реплика",
    ],
)  # fmt: skip
def test_context_and_negation_count(text: str) -> None:
    assert find_lexicon(text) == []


def test_the_lexicon_is_well_kept() -> None:
    ids = [entry.id for entry in lexicon().terms]
    assert len(ids) == len(set(ids)) >= 60
    assert {"en", "zh", "ru", "de", "es", "fr"} <= {entry.language for entry in lexicon().terms}
