"""One result, and timing two things in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from registry.shares import wilson


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the table.

    Parameters
    ----------
    ours, peer
        What was measured of each, with its unit.
    verdict
        The two held against each other.
    """

    what: str
    ours: str
    peer: str
    verdict: str


def in_turn(
    ours: Callable[[], object], peer: Callable[[], object], rounds: int = 5
) -> tuple[float, float, str]:
    """Time two things in turn, so that a busy machine slows both.

    Returns
    -------
    tuple
        The median seconds of each, and the range of the ratio ours / peer over the rounds.
    """
    ours()
    peer()
    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(rounds)]
    ratios = sorted(mine / theirs for mine, theirs in pairs)
    middle = statistics.median(ratios)
    return (
        statistics.median(mine for mine, _ in pairs),
        statistics.median(theirs for _, theirs in pairs),
        f"{middle:.2f} × the peer's time ({ratios[0]:.2f} to {ratios[-1]:.2f})",
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interval(found: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of a share."""
    if not of:
        return 0.0, 1.0
    return wilson(found, of)
