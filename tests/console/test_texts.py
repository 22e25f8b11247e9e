"""Marked words, compared texts and addresses, for any text at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.web.changes import MAX_WORDS, compare
from console.web.marking import marked, web_address
from evidence.exhibits.wording import short_size
from matchers import Span

TEXTS = st.text(alphabet=st.one_of(st.sampled_from("<>&\"' ab维\u202e\U0001f45c"), st.characters()))
SPANS = st.lists(
    st.builds(
        Span,
        field=st.sampled_from(["title", "description"]),
        start=st.integers(0, 30),
        end=st.integers(0, 40),
        term=st.text(alphabet="<>\"'&ab", max_size=5),
        kind=st.sampled_from(["brand", "product", "lexicon", '"><script>']),
    ),
    max_size=6,
)
MARK = re.compile(r'<mark class="(?:name|lexicon)" title="[^"<>]*">|</mark>')


@given(TEXTS, SPANS)
def test_marking_adds_marks_and_changes_nothing(text: str, spans: list[Span]) -> None:
    shown = str(marked(text, spans, "title"))
    bare = MARK.sub("", shown)
    assert "<" not in bare
    assert ">" not in bare
    # Not html.unescape: it also mends code points that HTML forbids.
    for escaped, plain in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#34;", '"'),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ):
        bare = bare.replace(escaped, plain)
    assert bare == text


@given(TEXTS, SPANS)
def test_every_place_pointed_at_is_marked(text: str, spans: list[Span]) -> None:
    parts = re.split(r"(<mark [^>]*>|</mark>)", str(marked(text, spans, "title")))
    covered: list[bool] = []
    inside = False
    for part in parts:
        if part.startswith(("<mark", "</mark")):
            inside = part.startswith("<mark")
            continue
        length = len(re.sub(r"&(?:lt|gt|amp|#34|#39);", "x", part))
        covered += [inside] * length
    wanted = {
        place
        for span in spans
        if span.field == "title"
        for place in range(span.start, min(span.end, len(text)))
    }
    assert {place for place, mark in enumerate(covered) if mark} == wanted


@given(TEXTS, TEXTS)
def test_a_comparison_holds_both_texts_whole(before: str, after: str) -> None:
    pieces = compare(before, after)
    assert "".join(p.text for p in pieces if p.kind != "new") == before
    assert "".join(p.text for p in pieces if p.kind != "gone") == after
    assert (before == after) == all(piece.kind == "same" for piece in pieces)


def test_a_very_long_text_is_compared_as_a_whole() -> None:
    before, after = "a " * MAX_WORDS, "b " * MAX_WORDS
    assert [(p.kind, p.text) for p in compare(before, after)] == [("gone", before), ("new", after)]


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JaVaScRiPt://bazaar.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//bazaar.example/",
        "http:bazaar.example",
        "https://[::1",
        "ftp://bazaar.example/",
    ],
)
def test_only_addresses_of_the_web_become_links(url: str | None) -> None:
    assert web_address(url) is None


def test_addresses_of_the_web_stay_as_they_are() -> None:
    for url in (
        "https://bazaar.example/item/1?a=b#c",
        "http://127.0.0.1:8000/",
        "HTTPS://X.example/",
    ):
        assert web_address(url) == url


def test_sizes() -> None:
    assert [short_size(n) for n in (0, 999, 1000, 50_300, 3_400_000, 12_000_000_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "50.3 kB",
        "3.4 MB",
        "12000.0 GB",
    ]
