"""What the random arm says: published figures, whole counts, and bounds that hold."""

from __future__ import annotations

import random
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from purchases import proposals
from purchases.estimates import Drawn, estimate, work_out
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment, FrameListing, SampleFrame
from registry.shares import wilson
from tests.purchases.conftest import flagged


@pytest.mark.parametrize(
    ("hits", "number", "low", "high"),
    # GAO-18-216: 20 of 47; Jordan: 0 of 15. And a textbook's 8 of 10.
    [(20, 47, 0.295, 0.567), (0, 15, 0.0, 0.204), (8, 10, 0.490, 0.943)],
)
def test_wilson_is_that_of_the_books(hits: int, number: int, low: float, high: float) -> None:
    assert wilson(hits, number) == pytest.approx((low, high), abs=6e-4)
    made = work_out([Drawn("all", 0.1, turn < hits) for turn in range(number)])
    assert made.share == pytest.approx(hits / number)
    assert (made.low, made.high) == wilson(hits, number)
    assert made.least == made.most == pytest.approx(made.share)


def test_strata_count_by_their_size() -> None:
    # 100 listings of which 10 are drawn, half of them fakes; 10 of which 5, none of them.
    sample = [Drawn("large", 0.1, turn < 5) for turn in range(10)]
    sample += [Drawn("small", 0.5, False) for _ in range(5)]
    made = work_out(sample)
    assert made.share == pytest.approx(50 / 110)
    # By hand: (100/110)² · 0.9 · 0.25/9, and nothing of a stratum without a difference.
    half = 1.959964 * (100 / 110) * (0.9 * 0.25 / 9) ** 0.5
    assert made.low == pytest.approx(50 / 110 - half, abs=1e-6)
    assert made.high == pytest.approx(50 / 110 + half, abs=1e-6)
    assert work_out([*sample, Drawn("one", 0.5, True)]).low is None


def test_what_is_not_decided_makes_bounds() -> None:
    sample = [Drawn("all", 0.2, fake) for fake in (True, True, False, None, None)]
    made = work_out(sample)
    assert (made.drawn, made.decided, made.fakes) == (5, 3, 2)
    assert made.share == pytest.approx(2 / 3)
    assert (made.least, made.most) == pytest.approx((0.4, 0.8))
    nothing = work_out([Drawn("all", 0.2, None)])
    assert (nothing.share, nothing.low, nothing.least, nothing.most) == (None, None, 0.0, 1.0)
    with pytest.raises(TouchstoneError):
        work_out([])


drawn = st.builds(
    Drawn,
    st.sampled_from("ab"),
    st.sampled_from([0.1, 0.5, 1.0]),
    st.sampled_from([True, False, None]),
)


@given(st.lists(drawn, min_size=1, max_size=40))
def test_every_figure_is_a_share_and_in_order(sample: list[Drawn]) -> None:
    made = work_out(sample)
    assert 0 <= made.least <= made.most <= 1 + 1e-12
    if made.share is not None:
        assert made.least - 1e-12 <= made.share <= made.most + 1e-12
        if made.low is not None and made.high is not None:
            assert made.low - 1e-12 <= made.share <= made.high + 1e-12


def test_the_interval_covers_what_it_should() -> None:
    """Drawn again and again from a frame whose share is known, in two strata."""
    dice = random.Random(11)
    frame = {"a": [turn < 60 for turn in range(200)], "b": [turn < 5 for turn in range(100)]}
    truth, covered, middle = 65 / 300, 0, 0.0
    rounds = 600
    for _ in range(rounds):
        sample = [
            Drawn(name, number / len(frame[name]), fake)
            for name, number in (("a", 60), ("b", 40))
            for fake in dice.sample(frame[name], number)
        ]
        made = work_out(sample)
        assert made.share is not None
        assert made.low is not None
        assert made.high is not None
        covered += made.low <= truth <= made.high
        middle += made.share
    assert middle / rounds == pytest.approx(truth, abs=0.005)
    assert covered / rounds > 0.92


def test_suspicion_has_no_part_in_it(database: Database) -> None:
    assessment_id = flagged(database)
    with database.writing() as session:
        assessment = session.get_one(Assessment, assessment_id)
        frame = SampleFrame(
            terms={"brand": "velaro"}, strata=[], listings=1, size=1, sha256="0" * 64,
            frozen_by="Ann", seed="1",
        )  # fmt: skip
        session.add(frame)
        session.flush()
        frame_id = frame.id
        session.add(
            FrameListing(
                frame_id=frame.id, listing_id=assessment.snapshot.listing_id, stratum="all",
                probability=0.5, drawn=1,
            )
        )  # fmt: skip
        suspected = proposals.propose(session, assessment)
        assert suspected is not None
        suspected.outcome = "counterfeit"
        session.flush()
        made = estimate(session, frame_id)
        assert (made.drawn, made.decided) == (1, 0)
        (bought,) = proposals.propose_drawn(session, frame_id, "Rae Requester")
        bought.outcome = "genuine"
        session.flush()
        made = estimate(session, frame_id)
        assert (made.decided, made.share) == (1, 0.0)
        assert len(session.scalars(select(FrameListing)).all()) == 1
    with database.reading() as session, pytest.raises(TouchstoneError, match="no drawn sample"):
        estimate(session, uuid4())
