"""The counterfeit lexicon: its data, disguises, context, and what it makes of sentences."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from matchers.lexicon import Contexts, Entry, Lexicon, find_lexicon, languages, lexicon
from matchers.lexicon.entries import read_terms
from matchers.lexicon.folding import origins, squash
from matchers.lexicon.search import LONGEST_TEXT, MOST_SPOTS
from tests.matchers import sentences


def _severest(text: str) -> int:
    return max((hit.entry.severity for hit in find_lexicon(text)), default=0)


# ---------------------------------------------------------------- the data


def test_it_is_deep_in_english_and_chinese_and_broad() -> None:
    count = Counter(entry.language for entry in lexicon().entries)
    assert count["en"] >= 120
    assert count["zh"] >= 120
    assert len(count) >= 20
    assert sorted(count) == list(languages())


def test_its_version_names_a_day_and_the_content() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d\+[0-9a-f]{8}", lexicon().version)


def test_every_spelling_is_found_where_nothing_speaks_against_it() -> None:
    """No entry is dead: each is found when what it needs stands near."""
    groups = lexicon().contexts.groups

    def word(need: str) -> str:
        return word(groups[need[1:]][0]) if need.startswith("@") else need.rstrip("*")

    dead = []
    for entry in lexicon().entries:
        for text in entry.spellings():
            spelling = text.rstrip("*")
            if entry.upper:
                spelling = spelling.upper()
            setting = word(entry.needs[0]) if entry.needs else ""
            hits = find_lexicon(spelling, setting=setting, discounted=True)
            if not any(hit.start == 0 and hit.end == len(spelling) for hit in hits):
                dead.append((entry.id, text))
    assert dead == []


def test_an_entry_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="sevrity"):
        read_terms("en:\n  - {term: replica, meaning: a copy, sevrity: 3}")


def test_a_severity_beyond_four_is_refused() -> None:
    with pytest.raises(ValidationError, match="severity"):
        read_terms("en:\n  - {term: replica, meaning: a copy, severity: 5}")


def _one(entry_id: str, **more: object) -> Entry:
    return Entry.model_validate(
        {"id": entry_id, "language": "en", "term": "x", "meaning": "a copy", "severity": 1, **more}
    )


def _contexts() -> Contexts:
    names = ("negators", "warnings", "fillers", "after", "conjunctions", "guarantees")
    return Contexts.model_validate({"groups": {}, **dict.fromkeys(names, ())})


def test_two_entries_with_one_id_are_refused() -> None:
    with pytest.raises(ValidationError, match="two entries have the id en-x"):
        Lexicon(version="1", entries=(_one("en-x"), _one("en-x")), contexts=_contexts())


def test_a_group_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="en-x names the group @nowhere"):
        Lexicon(version="1", entries=(_one("en-x", needs=("@nowhere",)),), contexts=_contexts())


def test_optional_parts_give_both_spellings() -> None:
    assert _one("en-x", term="copy(s) of (the )bag").spellings() == [
        "copy of bag",
        "copy of the bag",
        "copys of bag",
        "copys of the bag",
    ]


def test_an_excuse_may_be_written_with_the_term() -> None:
    entry = _one("en-x", term="replica", unless=("replica jersey", "_ kit", "@toy", "film"))
    assert entry.excuses() == ("_ jersey", "_ kit", "@toy", "film")


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(("language", "text"), sentences.SELLING)
def test_an_offer_of_what_is_not_genuine_is_found(language: str, text: str) -> None:
    assert find_lexicon(text), language


@pytest.mark.parametrize(("language", "text"), sentences.DENYING)
def test_a_denial_does_not_count_and_says_why(language: str, text: str) -> None:
    assert find_lexicon(text) == [], language
    assert all(hit.discounted for hit in find_lexicon(text, discounted=True))


@pytest.mark.parametrize(("language", "text"), sentences.OTHERWISE)
def test_another_meaning_does_not_count(language: str, text: str) -> None:
    assert find_lexicon(text) == [], language


@pytest.mark.parametrize("text", sentences.HARDER_SELLING)
def test_a_harder_offer_is_found(text: str) -> None:
    assert find_lexicon(text)


@pytest.mark.parametrize("text", sentences.HARDER_QUIET)
def test_a_harder_denial_or_other_meaning_does_not_count(text: str) -> None:
    assert find_lexicon(text) == []


# ---------------------------------------------------------------- disguise


@pytest.mark.parametrize(
    ("text", "matched", "disguise"),
    [
        ("a r3plica bag of it", "r3plica bag", "digits or signs for letters"),
        ("the re plica of it", "re plica", "blanks or signs inside"),
        ("the r.e.p.l.i.c.a of it", "r.e.p.l.i.c.a", "blanks or signs inside"),
        ("the rеplica of it", "rеplica", "letters of another script"),
        ("the ⓡⓔⓟⓛⓘⓒⓐ of it", "ⓡⓔⓟⓛⓘⓒⓐ", "styled letters"),
        ("the rep\u200blica of it", "rep\u200blica", "invisible or combining characters"),
        ("这是高🌸仿的", "高🌸仿", "blanks or signs inside"),
        ("这是高*仿的", "高*仿", "blanks or signs inside"),
    ],
)
def test_a_disguise_is_undone_and_named(text: str, matched: str, disguise: str) -> None:
    (hit,) = find_lexicon(text)
    assert hit.matched == matched == text[hit.start : hit.end]
    assert disguise in hit.disguise


@pytest.mark.parametrize("text", ["高倣", "高仿", "復刻表 包", "Ａ貨", "1：1複刻", "原單 包"])
def test_traditional_and_full_width_forms_are_the_same_words(text: str) -> None:
    assert find_lexicon(text)


@pytest.mark.parametrize(
    "text",
    [
        "replicator",  # a longer word
        "prereplica",
        "ratio 11:1",
        "ratio 1:12",
        "born 1.1.2026",
        "444 quality",  # a number is no disguised word
        "our ep. lica",  # a sentence ends in it
        "质量高。仿佛",
        "质量高，仿佛",
        "фейковать",
    ],
)
def test_chance_is_no_disguise(text: str) -> None:
    assert find_lexicon(text) == []


def test_what_counts_only_in_capitals() -> None:
    assert [hit.entry.id for hit in find_lexicon("Nike sneakers UA")] == ["en-UA"]
    assert find_lexicon("nike sneakers ua") == []


# ---------------------------------------------------------------- context


def test_the_reason_names_the_words() -> None:
    (hit,) = find_lexicon("not a replica", discounted=True)
    assert hit.discounted == "negated by “not a”"
    (hit,) = find_lexicon("翡翠A货", discounted=True)
    assert hit.discounted == "excused by “翡翠”"
    (hit,) = find_lexicon("beware of fakes", discounted=True)
    assert hit.discounted == "a warning: “beware of”"


def test_a_negation_two_clauses_away_does_not_count() -> None:
    assert find_lexicon("Not worn. New. Replica.")
    assert find_lexicon("no tags, never worn, replica")


def test_two_negations_cancel() -> None:
    assert find_lexicon("it is not a replica") == []
    assert find_lexicon("it is not no replica")


def test_a_negation_carries_over_a_list_but_not_over_a_comma() -> None:
    assert find_lexicon("no replicas, fakes or knockoffs") == []
    assert find_lexicon("no replicas or fakes") == []
    (hit,) = find_lexicon("no replica, 1:1 quality")
    assert hit.matched == "1:1 quality"


def test_a_needed_word_may_stand_in_the_setting() -> None:
    assert find_lexicon("clean factory v4") == []
    assert find_lexicon("clean factory v4", setting="Velaro Orbit watch")


def test_an_excuse_may_stand_in_the_setting() -> None:
    assert find_lexicon("Replica, painted by hand")
    assert find_lexicon("Replica, painted by hand", setting="Museum shop, medieval helmet") == []


def test_without_a_brand_claim_only_what_speaks_for_itself_counts() -> None:
    assert find_lexicon("replica", brand_claimed=False) == []
    (hit,) = find_lexicon("replica", brand_claimed=False, discounted=True)
    assert hit.discounted == "no brand is claimed"
    assert find_lexicon("superfake", brand_claimed=False)


def test_of_overlapping_terms_the_longest_is_found_once() -> None:
    (hit,) = find_lexicon("Velaro super fake")
    assert hit.matched == "super fake"


def test_a_word_of_two_languages_counts_once() -> None:
    assert len(find_lexicon("Velaro replica")) == 1


def test_severity_orders_words() -> None:
    assert _severest("Velaro high copy") == 4
    assert _severest("Velaro replica") == 3
    assert _severest("Velaro bag, mall pull out, class A") == 2
    assert _severest("Velaro bag") == 0


# ---------------------------------------------------------------- any text


@given(st.text(max_size=300))
@example("ß" * 5 + "replica" + "İ" * 5)
@example("﷽ replica ﷽")
@example("é\u0301r\u0301e\u0301plica")
def test_any_text_gives_spans_in_the_original(text: str) -> None:
    for hit in find_lexicon(text, discounted=True):
        assert 0 <= hit.start < hit.end <= len(text)
        assert text[hit.start : hit.end] == hit.matched


_PIECES = st.sampled_from(
    ["replica", "no", "not", "or", ",", ".", "高仿", "不是", "1:1", "AAA", "fake", "bag",
     "watch", "копия", "нет", "*", "\u200b", " ", "コピー品", "ではありません", "짝퉁", "아님",
     "ของก๊อป", "r3p"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=20).map(" ".join))
def test_counted_hits_are_the_undiscounted_ones_and_do_not_overlap(text: str) -> None:
    everything = find_lexicon(text, discounted=True)
    counted = find_lexicon(text)
    assert counted == [hit for hit in everything if not hit.discounted]
    assert all(one.end <= other.start for one, other in pairwise(counted))
    assert find_lexicon(text) == counted


@given(st.text(max_size=200))
def test_every_place_in_the_squashed_text_is_one_in_the_original(text: str) -> None:
    places = origins(text)
    assert len(places) == len(squash(text))
    assert places == sorted(places)
    assert all(0 <= place < len(text) for place in places)


@given(
    st.sampled_from(["replica", "superfake", "高仿", "реплика", "スーパーコピー", "짝퉁"]),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
)
def test_normal_forms_do_not_matter(term: str, form: str) -> None:
    form_of = unicodedata.normalize(form, f"Velaro {term}")  # type: ignore[arg-type]
    assert find_lexicon(form_of)


def test_endless_text_is_read_up_to_a_limit() -> None:
    assert find_lexicon(" " * LONGEST_TEXT + "replica") == []
    assert 100 < len(find_lexicon("replica " * 2000)) <= MOST_SPOTS
