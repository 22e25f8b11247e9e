"""Retry-After says how long in two ways, or in none."""

from __future__ import annotations

import pytest

from crawler.network.middlewares import retry_after


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5", 5.0), (" 120 ", 120.0), ("", None), ("soon", None), ("-3", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_in_its_forms(said: str, seconds: float | None) -> None:
    assert retry_after(said) == seconds
