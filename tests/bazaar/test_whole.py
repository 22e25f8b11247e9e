"""The whole judgement on a marketplace that nobody has seen before."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from benchmarks.whole import Judged


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    # Another world every time: a rule that fits one of them by chance is found out.
    seed = secrets.randbelow(10**9)
    folder: Path = tmp_path_factory.mktemp(f"world-{seed}")
    return Judged.of([seed], 48, folder)


def of_kind(judged: Judged, *kinds: str) -> list[tuple[str, str, float]]:
    return [
        (case.listing.title, verdict.outcome, verdict.score)
        for case, verdict in zip(judged.cases, judged.verdicts, strict=True)
        if case.truth["kind"] in kinds
    ]


def test_no_authorised_seller_is_flagged_and_none_without_the_brand(judged: Judged) -> None:
    plain = of_kind(judged, "genuine_authorised", "unrelated")
    assert plain
    assert {outcome for _, outcome, _ in plain} == {"pass"}, plain


def test_honest_listings_are_not_flagged(judged: Judged) -> None:
    honest = judged.flagged & ~judged.against
    titles = [case.listing.title for case, wrong in zip(judged.cases, honest, strict=True) if wrong]
    # Of some thirty; the benchmark measures how rare one is.
    assert len(titles) <= 1, titles


def test_most_fakes_are_flagged_and_none_is_lost(judged: Judged) -> None:
    fakes = of_kind(judged, "open_fake", "disguised_fake", "quiet_fake", "relisted_fake")
    assert len(fakes) >= 12
    assert sum(outcome == "flag" for _, outcome, _ in fakes) >= 0.75 * len(fakes), fakes
    assert sum(outcome == "pass" for _, outcome, _ in fakes) <= 1, fakes
    assert judged.fakes.sum() == len(fakes)


def test_every_judgement_says_why(judged: Judged) -> None:
    for verdict in judged.verdicts:
        assert verdict.gate or verdict.signals
        assert all(signal.reason for signal in verdict.signals)
