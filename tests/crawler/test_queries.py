"""Queries counted by what they bring, rested when they bring nothing, tried again."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.queries.choosing import (
    LONGEST_REST,
    REST_AFTER,
    PlannedQuery,
    Standing,
    queries_of,
    standings,
)
from crawler.queries.yields import found
from registry.database import Database
from registry.models import Assessment, Listing, Plan, QueryHit, QueryYield, Snapshot, Verdict
from tests.crawler.ways_in import listed, planned, run_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


def test_a_page_is_counted_by_what_it_brought(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session)
        market, run = plan.marketplaces[0].id, run_of(session, plan)
        ids = (plan.id, market)
        found(session, *ids, run.id, "velaro", ["1", "2", "3"])
        found(session, *ids, run.id, "velaro", ["3", "4"])
        found(session, *ids, run.id, "vela", ["1", "5"])
        found(session, *ids, run.id, "nothing", [])
        assert counted(session) == {
            "velaro": (2, 4, 4), "vela": (1, 2, 1), "nothing": (1, 0, 0),
        }  # fmt: skip
        again = run_of(session, plan)
        found(session, *ids, again.id, "vela", ["1", "5", "6", "2"])
        assert counted(session, again.id) == {"vela": (1, 4, 1)}
        hits = session.scalars(select(QueryHit).where(QueryHit.external_id == "5")).all()
        assert [(hit.first_run_id, hit.run_id) for hit in hits] == [(run.id, again.id)]


def counted(session: Session, run_id: object = None) -> dict[str, tuple[int, int, int]]:
    rows = session.scalars(select(QueryYield))
    return {
        row.query: (row.pages, row.found, row.new)
        for row in rows
        if run_id is None or row.run_id == run_id
    }


def asked(session: Session, plan: Plan) -> dict[str, Standing]:
    session.flush()
    return {q.text: q for q in standings(session, plan, plan.marketplaces[0]) if q.asked}


def play(session: Session, plan: Plan, brings: dict[str, list[str]]) -> list[str]:
    """A run in which queries bring what is said, and others nothing; the queries asked."""
    run = run_of(session, plan)
    market = plan.marketplaces[0]
    texts = [query.text for query in queries_of(session, plan, market, run.id)]
    for text in texts:
        found(session, plan.id, market.id, run.id, text, brings.get(text, []))
    # What the run counts itself changes nothing of what it was to do.
    assert [q.text for q in queries_of(session, plan, market, run.id)] == texts
    run.state = "finished"
    return texts


def test_given_queries_are_always_asked_and_made_ones_up_to_a_number(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session, queries=["velaro", "my own words"], generate=10)
        first = asked(session, plan)
        assert len(first) == 12
        assert first["my own words"].why == "given in the plan"
        # The mark itself is made as well, but is given already.
        assert "VELARO" not in first
        for _ in range(REST_AFTER + 2):
            assert {"velaro", "my own words"} <= set(play(session, plan, {}))
        place = plan.place(plan.marketplaces[0].id)
        place.queries = ["only here"]
        assert "velaro" not in asked(session, plan)
        assert "only here" in asked(session, plan)


def test_a_plan_that_makes_none_asks_what_is_given(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session, queries=["velaro"], depth=4)
        assert queries_of(session, plan, plan.marketplaces[0]) == [PlannedQuery("velaro", 4)]


def test_what_brings_nothing_rests_ever_longer_and_is_tried_again(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session, generate=200)
        runs = [play(session, plan, {"VELARO": [str(n)]}) for n in range(40)]
        turns = [n for n, texts in enumerate(runs) if "VELARO replica" in texts]
        gaps = [b - a for a, b in itertools.pairwise(turns)]
        assert turns[:REST_AFTER] == [0, 1, 2]
        assert gaps[REST_AFTER - 1 :] == [3, 5, 9, 17][: len(gaps) - REST_AFTER + 1]
        assert max(gaps) <= LONGEST_REST + 1
        assert all("VELARO" in texts for texts in runs)
        rest = {q.text: q.rests for q in standings(session, plan, plan.marketplaces[0])}
        assert rest["VELARO"] == 0
        assert rest["VELARO replica"] > 0


def test_a_query_that_brings_something_after_its_rest_is_awake(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session, generate=200)
        for _ in range(REST_AFTER):
            play(session, plan, {})
        assert "VELARO replica" not in asked(session, plan)
        for _ in range(2):
            play(session, plan, {})
        assert "VELARO replica" in asked(session, plan)
        play(session, plan, {"VELARO replica": ["77"]})
        assert asked(session, plan)["VELARO replica"].barren == 0


def test_places_that_become_free_go_to_queries_never_asked(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session, generate=10)
        first = play(session, plan, {"VELARO": ["1"], "vela": ["2"]})
        second = play(session, plan, {"VELARO": ["3"], "vela": ["4"]})
        assert {"VELARO", "vela"} <= set(second)
        assert len(set(second) - set(first)) >= 2
        seen = set(first) | set(second)
        for n in range(10):
            seen |= set(play(session, plan, {"VELARO": [f"a{n}"], "vela": [f"b{n}"]}))
        assert len(seen) > 30


def test_what_led_to_fakes_goes_first_and_deeper(database: Database) -> None:
    with database.writing() as session:
        plan = planned(session, generate=8, depth=4)
        market = plan.marketplaces[0].id
        texts = play(session, plan, {"VELARO": ["1", "2", "3"], "vela": ["9"]})
        judged(session, plan, listed(session, market, "9"), "counterfeit")
        judged(session, plan, listed(session, market, "1"), "counterfeit", "genuine")
        chosen = asked(session, plan)
        assert chosen["vela"].confirmed == 1
        assert chosen["vela"].flagged == 1
        assert chosen["VELARO"].confirmed == 0
        assert chosen["VELARO"].flagged == 1
        ranked = queries_of(session, plan, plan.marketplaces[0])
        assert [query.text for query in ranked[:2]] == ["vela", "VELARO"]
        depths = {query.text: query.depth for query in ranked}
        assert (depths["vela"], depths["VELARO"]) == (8, 4)
        barren = [text for text in texts if text in depths and text not in ("vela", "VELARO")]
        assert {depths[text] for text in barren} <= {2}


def judged(session: Session, plan: Plan, listing: Listing, *verdicts: str) -> None:
    snapshot = Snapshot(
        listing_id=listing.id, content_sha256="0" * 64, title="t", description="", attributes={}
    )
    session.add(snapshot)
    session.flush()
    assessment = Assessment(
        snapshot_id=snapshot.id, plan_id=plan.id, brand_id=plan.brand_id, score=0.9,
        threshold=0.6, flagged=True, outcome="flag", result={}, inputs={},
    )  # fmt: skip
    session.add(assessment)
    session.flush()
    for verdict in verdicts:
        session.add(
            Verdict(
                listing_id=listing.id,
                brand_id=plan.brand_id,
                assessment_id=assessment.id,
                verdict=verdict,
                by="Ada",
            )
        )
        session.flush()
