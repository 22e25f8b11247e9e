"""The generated tables say what they should."""

from __future__ import annotations

import pytest

from matchers.words.chinese import pinyin_of
from matchers.words.fold import KIND, KINDS, letters, plain
from matchers.words.vocabulary import chinese_words, vocabulary


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("NIKE", "nike"), ("Illl1|", "iiiii|"), ("O0o", "ooo"), ("Ｖｅ", "ve"), ("ⓥ🅥🄥🅅", "vvvv"),
        ("𝓿𝖛", "vv"), ("ᴠᴇ", "ve"), ("🇻", "v"), ("é", "e"), ("e\u0301", "e"), ("ø", "o"), ("ǝ",
        "e"),
        ("веларо", "beлapo"), ("αβ", "ab"), ("維", "维"), ("ﾅ", "ナ"), ("\u200b\u202e\ufeff", ""),
        ("ß", "ss"), ("Ｎｏ．１", "no．i"), ("⑨", "9"), ("กี้", "กี้"),
    ],
)  # fmt: skip
def test_characters_are_read_as_what_they_look_like(written: str, read: str) -> None:
    assert letters(written) == "".join(c for c in read if c not in "|．")


def test_every_kind_has_its_words() -> None:
    assert set(KIND.values()) <= set(KINDS)


def test_the_plain_spelling_keeps_l_and_o() -> None:
    assert plain("VÉLO 10") == "velo 10"


def test_ordinary_words_and_names_are_told_apart() -> None:
    known = vocabulary()
    assert known.has("coach")
    assert known.is_common("coach")
    assert known.has("panasonic")
    assert not known.is_common("panasonic")
    assert not known.has("velaro")
    assert not known.has_folded("veiaro")
    assert known.is_compound("fileholder".replace("l", "i"))
    assert not known.is_compound("adidas")


def test_chinese_is_known() -> None:
    assert pinyin_of("维拉罗") == ["wei", "la", "luo"]
    assert pinyin_of("维x") == []
    assert chinese_words().is_common("苹果")
    assert not chinese_words().has("维拉罗")
