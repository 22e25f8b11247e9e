"""Single cases that readers of titles brought up: plurals, names of two words, lengths, fans."""

from __future__ import annotations

import pytest

from matchers.values import Term
from matchers.words import TermFinder

FINDER = TermFinder(
    [
        Term("UGG", nice_classes=frozenset({25})),
        Term("Coach", nice_classes=frozenset({18})),
        Term("3M"),
        Term("Nike"),
        Term("Lancome"),
        Term("Ducati"),
        Term("Louis Vuitton"),
        Term("Michael Kors"),
        Term("Dolce & Gabbana"),
        Term("D&G", nice_classes=frozenset({25})),
        Term("Abercrombie and Fitch"),
        Term("H&M", nice_classes=frozenset({25})),
        Term("Polo", nice_classes=frozenset({25})),
        Term("耐克"),
    ]
)


def found(text: str) -> list[tuple[str, str]]:
    return [(hit.term.text, hit.matched) for hit in FINDER.find(text)]


@pytest.mark.parametrize(
    ("text", "term", "written"),
    [
        ("UGGs boots for women", "UGG", "UGGs"),
        ("two Coaches handbags", "Coach", "Coaches"),
        ("Luis Vuitton wallet", "Louis Vuitton", "Luis Vuitton"),
        ("wallet Michael Korss", "Michael Kors", "Michael Korss"),
        ("Louis V u i t t o n belt", "Louis Vuitton", "Louis V u i t t o n"),
        ("L0uis Vuitton belt", "Louis Vuitton", "L0uis Vuitton"),
        ("Louis Vuittonbag new", "Louis Vuitton", "Louis Vuitton"),
        ("Dolce and Gabbana dress", "Dolce & Gabbana", "Dolce and Gabbana"),
        ("dolce und gabbana kleid", "Dolce & Gabbana", "dolce und gabbana"),
        ("DolceAndGabbana dress", "Dolce & Gabbana", "DolceAndGabbana"),
        ("D&G belt", "D&G", "D&G"),
        ("Abercrombie & Fitch hoodie", "Abercrombie and Fitch", "Abercrombie & Fitch"),
        ("3M respirator", "3M", "3M"),
        # No words, for they are spelt with an l, and with no t.
        ("lncome mascara", "Lancome", "lncome"),
        ("ducai helmet", "Ducati", "ducai"),
    ],
)
def test_the_mark_is_found(text: str, term: str, written: str) -> None:
    assert (term, written) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "usb cable 3m black", "cable 3 m long", "hdmi lead, 3m", "income tax guide",
        "sizes H and M left", "vitamins D and G", "Luis Garcia biography", "Michael Korda novel",
        "VW Polo floor mats", "football coach whistle",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert [hit for hit in FINDER.find(text) if not hit.weak] == []


OMITTED = TermFinder(
    [
        Term("Velaro", nice_classes=frozenset({18})),
        Term("Hermes"),
        Term("Nike"),
        Term("Lego"),
        Term("Canon"),
        Term("Vtech"),
    ]
)


@pytest.mark.parametrize(
    ("text", "term", "written", "weak"),
    [
        # What is left is a rare word, or one's plural, or three letters: the place says it.
        ("heres silk scarf", "Hermes", "heres", True),
        ("herms silk scarf", "Hermes", "herms", True),
        ("nke running shoes", "Nike", "nke", True),
        ("new sale cnon lens", "Canon", None, None),
        ("cnon camera", "Canon", "cnon", True),
        ("new lgo bricks", "Lego", "lgo", True),
        # Or goods of the mark's classes; and with what says that a mark follows it is no weak hit.
        ("Velar leather tote, brown", "Velaro", "Velar", True),
        ("brown leather tote by Velar", "Velaro", "Velar", False),
        ("velar consonants, a reader", "Velaro", None, None),
        ("a reader on velar consonants", "Velaro", None, None),
        # No rare word to sellers; and not spelt so, for the l is an i.
        ("tech gloves", "Vtech", None, None),
        ("igo charger", "Lego", None, None),
    ],
)
def test_a_letter_left_out_may_leave_a_rare_word_beside_what_speaks_for_the_mark(
    text: str, term: str, written: str | None, weak: bool | None
) -> None:
    hits = [hit for hit in OMITTED.find(text) if hit.term.text == term]
    assert [(hit.matched, hit.weak) for hit in hits] == ([(written, weak)] if written else [])


def test_for_fans_is_no_compatible_use_and_for_a_thing_is() -> None:
    assert [hit.compatible for hit in FINDER.find("poster for Nike fans")] == [False]
    assert [hit.compatible for hit in FINDER.find("insoles for Nike")] == [True]


def test_what_is_for_men_is_not_for_the_mark() -> None:
    assert [hit.compatible for hit in FINDER.find("耐克 男士专用 跑鞋")] == [False]
    assert [hit.compatible for hit in FINDER.find("耐克专用 鞋带")] == [True]
