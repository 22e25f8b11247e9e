"""Requests with a body as addresses: any body has one, and it can stand in an index."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.packing.posting import MAX_BODY, body_as_query
from evidence.verifying.indexes import posted_address, surt

_KINDS = (
    "application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "multipart/form-data", "application/octet-stream", "",
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "query"),
    [
        ("application/json", b'{"a": {"b": 1.0, "c": [true, null]}}', "b=1&c=true&c.2_=null"),
        ("application/json", '{"q": "包 &"}'.encode(), "q=%E5%8C%85+%26"),
        ("application/json", b"[", ""),
        ("text/plain", b'{"a": 2.5}', "a=2.5"),
        ("text/plain; charset=UTF-8", b"words", ""),
        ("application/x-www-form-urlencoded", b"a=1+2&b=%41%26", "a=1+2&b=A%26"),
        ("application/x-www-form-urlencoded", b"a=%ff", ""),
        ("application/octet-stream", b"\x00\xff", "__wb_post_data=AP8="),
        ("", b"", "__wb_post_data="),
    ],
)
def test_as_the_player_writes_it(kind: str, body: bytes, query: str) -> None:
    assert body_as_query(kind, body) == query


@given(st.sampled_from(_KINDS), st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_any_body_has_a_query_that_can_stand_in_an_index(kind: str, body: bytes) -> None:
    query = body_as_query(kind, body)
    assert query.isascii()
    assert query.isprintable()
    assert " " not in query
    key = surt(posted_address("https://www.shop.example/x?b=1&a=2", "POST", query))
    assert key.startswith("example,shop)/x?")
    assert len(key.split()) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_flattened(value: object) -> None:
    query = body_as_query("application/json", json.dumps(value).encode())
    assert len(query) <= 3 * MAX_BODY
    assert query.isascii()


def test_deep_json_ends() -> None:
    assert body_as_query("application/json", b"[" * 100_000) == ""
