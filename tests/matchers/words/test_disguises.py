"""Disguises are seen through, said in words, and marked where they stand."""

from __future__ import annotations

import itertools

import pytest

from matchers.values import Term
from matchers.words import TermFinder

TERMS = (
    "VELARO", "Kelmont", "Louis Vuitton", "Nike", "Gucci", "UGG", "3M", "LV", "Coach", "Citroën",
    "Coca-Cola", "веларо", "维拉罗", "耐克", "阿迪达斯", "ナイキ", "나이키", "نايك", "נייק", "ไนกี้",
)  # fmt: skip
FINDER = TermFinder([Term(text) for text in TERMS])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("New Velaro bag", "Velaro"),
        ("new VELARO's bag", "VELARO"),
        ("сумка Веларо новая", "Веларо"),
        ("正品维拉罗包", "维拉罗"),
        ("正品Velaro包", "Velaro"),
        ("citroen c3 floor mats", "citroen"),
        ("CITROËN mats", "CITROËN"),
        ("coca cola sign", "coca cola"),
        ("CocaCola sign", "CocaCola"),
        ("louis vuitton wallet", "louis vuitton"),
        ("NIKE air", "NIKE"),
        ("ナイキ スニーカー", "ナイキ"),
        ("나이키운동화", "나이키"),
        ("حذاء نايك جديد", "نايك"),
        ("נעלי נייק חדשות", "נייק"),
        ("รองเท้าไนกี้แท้", "ไนกี้"),
    ],
)
def test_a_plain_mention_is_found_and_nothing_is_undone(text: str, written: str) -> None:
    hits = [hit for hit in FINDER.find(text) if not hit.disguise]
    assert [hit.matched for hit in hits] == [written]
    assert text[hits[0].start : hits[0].end] == written


@pytest.mark.parametrize(
    ("text", "written", "undone"),
    [
        ("V3l4r0 bag", "V3l4r0", "digits or signs"),
        ("bag ve1aro", "ve1aro", "digits or signs"),
        ("VeIaro tote", "VeIaro", "look alike"),
        ("V€L@RO tote", "V€L@RO", "digits or signs"),
        ("$ave: ke!m0nt", "ke!m0nt", "digits or signs"),
        ("Vеlаrо tote", "Vеlаrо", "another script"),
        ("νεlαrο tote", "νεlαrο", "another script"),
        ("V.e.l.a.r.o tote", "V.e.l.a.r.o", "signs between"),
        ("tote V E L A R O new", "V E L A R O", "spaces between"),
        ("tote V 3 l @ r 0 new", "V 3 l @ r 0", "digits or signs"),
        ("v-3-l-4-r-0", "v-3-l-4-r-0", "signs between"),
        ("Vel-aro tote", "Vel-aro", "signs between"),
        ("new V*laro tote", "V*laro", "hidden by a sign"),
        ("正品耐、克鞋", "耐、克", "signs between"),
        ("Vel aro tote", "Vel aro", "spaces between"),
        ("v🔥e🔥l🔥a🔥r🔥o tote", "v🔥e🔥l🔥a🔥r🔥o", "signs between"),
        ("Vellaro tote", "Vellaro", "repeated"),
        ("Velaaaro tote", "Velaaaro", "repeated"),
        ("Guccci belt", "Guccci", "repeated"),
        ("Vlearo tote", "Vlearo", "swapped"),
        ("Velro tote", "Velro", "dropped"),
        ("Velarto tote", "Velarto", "added"),
        ("Vekaro tote", "Vekaro", "changed"),
        ("V\u200bel\u200baro tote", "V\u200bel\u200baro", "hidden"),
        ("V\u202eel\u202caro tote", "V\u202eel\u202caro", "direction"),
        ("Vélaro tote", "Vélaro", "accents"),
        ("v\u0336e\u0336l\u0336a\u0336r\u0336o\u0336 tote",
         "v\u0336e\u0336l\u0336a\u0336r\u0336o\u0336", "combining"),
        ("Ｖｅｌａｒｏ tote", "Ｖｅｌａｒｏ", "full-width"),
        ("𝗩𝗲𝗹𝗮𝗿𝗼 tote", "𝗩𝗲𝗹𝗮𝗿𝗼", "mathematical"),
        ("ⓥⓔⓛⓐⓡⓞ tote", "ⓥⓔⓛⓐⓡⓞ", "circled"),
        ("🅅🄴🄻🄰🅁🄾 tote", "🅅🄴🄻🄰🅁🄾", "circled or squared"),
        ("🇻🇪🇱🇦🇷🇴 tote", "🇻🇪🇱🇦🇷🇴", "flag"),
        ("ᴠᴇʟᴀʀᴏ tote", "ᴠᴇʟᴀʀᴏ", "small capitals"),
        ("oɹɐlǝʌ tote", "oɹɐlǝʌ", "upside-down"),
        ("oralev tote", "oralev", "from the end"),
        ("velarobag", "velaro", "joined"),
        ("bestvelaro", "velaro", "joined"),
        ("uggboots", "ugg", "joined"),
        ("U.G.G boots", "U.G.G", "signs between"),
        ("L0uis Vu!tton bag", "L0uis Vu!tton", "digits or signs"),
        ("Luois Vuitton bag", "Luois Vuitton", "misspelt"),
        ("uoʇʇᴉnʌ sᴉnol bag", "uoʇʇᴉnʌ sᴉnol", "upside-down"),
        ("维*拉*罗 包", "维*拉*罗", "signs between"),
        ("维 拉 罗", "维 拉 罗", "spaces between"),
        ("耐*克 运动鞋", "耐*克", "signs between"),
        ("正品維拉羅包", "維拉羅", "traditional"),
        ("正品naike鞋", "naike", "pinyin"),
        ("耐ke 运动鞋", "耐ke", "pinyin"),
        ("阿底达斯运动鞋", "阿底达斯", "changed"),
        ("威拉罗女包", "威拉罗", "same sound"),
    ],
)  # fmt: skip
def test_a_disguise_is_seen_through_and_said(text: str, written: str, undone: str) -> None:
    hits = FINDER.find(text)
    # The pinyin of one mark may be that of another; both are found, each in the same place.
    assert {hit.matched for hit in hits} == {written}
    assert text[hits[0].start : hits[0].end] == written
    assert any(undone in word for hit in hits for word in hit.disguise), hits


@pytest.mark.parametrize(
    "text",
    [
        "velour jacket", "solar panel", "a lover of art", "Vel 9 aromatherapy", "various colours",
        "各种维生素 拉链 罗纹", "", "V", "shoes Skechers", "level aroma candle", "Mike",
        "cable 3 m long", "dlex7177rm", "kx-tg7622b", "3m2 of cloth", "iv drip", "panike",
        "1 2 3 4 5 6", "louis and vuit", "guest towel", "耐用 克拉", "耐心。克服", "打耐磨克数",
    ],
)  # fmt: skip
def test_ordinary_words_and_figures_are_left_alone(text: str) -> None:
    assert FINDER.find(text) == []


def test_the_letters_of_two_words_are_no_mark() -> None:
    # "shoes Skechers": collapsing the s across the gap would make it so.
    finder = TermFinder([Term("Oeskechers"), Term("Sharp")])
    assert finder.find("shoes Skechers") == []
    assert finder.find("dash arp") == finder.find("dash arps") == []


def test_a_hit_ends_with_the_marks_that_combine_with_its_last_letter() -> None:
    text = "x velaro\u0301\u0301 y"
    (hit,) = FINDER.find(text)
    assert hit.matched == "velaro\u0301\u0301"


def test_hits_of_one_term_do_not_overlap_and_the_plainest_is_kept() -> None:
    hits = FINDER.find("velaro ve-laro velarovelaro")
    spans = [(hit.start, hit.end) for hit in hits if hit.term.text == "VELARO"]
    assert spans[0] == (0, 6)
    assert hits[0].disguise == ()
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


@pytest.mark.parametrize("text", ["", " ", "…!?", "v", "\u200b\u0301", "V" + "e" * 200])
def test_a_term_that_cannot_be_found_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="term"):
        TermFinder([Term("Velaro"), Term(text)])


def test_a_finder_of_nothing_finds_nothing() -> None:
    assert TermFinder([]).find("Velaro 维拉罗") == []


def test_terms_may_repeat() -> None:
    hits = TermFinder([Term("Velaro"), Term("VELARO")]).find("velaro")
    assert [hit.index for hit in hits] == [0, 1]
