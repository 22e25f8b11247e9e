"""docs/purchases.md is drawn from the code."""

from __future__ import annotations

from pathlib import Path

from purchases.deadlines import DAYS
from purchases.ways import FILES, STATES, WAYS, as_table, following, mermaid
from registry.models import OUTCOMES


def test_the_picture_in_the_docs_is_that_of_the_code() -> None:
    page = Path("docs/purchases.md").read_text(encoding="utf-8")
    drawn = page.split("<!-- ways: begin -->\n")[1].split("\n<!-- ways: end -->")[0]
    assert drawn == f"```mermaid\n{mermaid()}\n```\n\n{as_table()}"


def test_the_days_in_the_docs_are_those_of_the_code() -> None:
    page = Path("docs/purchases.md").read_text(encoding="utf-8")
    told = page.split("<!-- days: begin -->\n")[1].split("\n<!-- days: end -->")[0]
    days = ", ".join(f"{state.replace('_', ' ')} {number}" for state, number in DAYS.items())
    assert " ".join(told.split()) == f"{days}."
    # Whatever has a way on, waits for somebody.
    assert set(DAYS) == {state for state in STATES if following(state)}


def test_the_table_hangs_together() -> None:
    assert len({(way.before, way.after) for way in WAYS}) == len(WAYS)
    assert {outcome for way in WAYS for outcome in way.outcomes} == set(OUTCOMES)
    assert {kind for way in WAYS for kind in way.files} <= set(FILES)
    reached = {"proposed"}
    for _ in STATES:
        reached |= {way.after for way in WAYS if way.before in reached}
    assert reached == set(STATES)
