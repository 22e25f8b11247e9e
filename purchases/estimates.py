"""How many of a frame's listings are counterfeit, by the random arm and by nothing else.

What was bought on suspicion says how good the search is, and nothing of what it never looked
for. Of what was drawn and not decided (not bought, not delivered, inconclusive), nobody knows
what it is: it makes bounds, and is not left out in silence.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, joinedload

from registry.errors import TouchstoneError
from registry.models import FrameListing, Listing, Purchase, SampleFrame
from registry.shares import Z95, wilson

_BOUGHT_AT_RANDOM = and_(
    Purchase.frame_id == FrameListing.frame_id,
    Purchase.listing_id == FrameListing.listing_id,
    Purchase.arm == "random",
)
_DECIDED = {"genuine": False, "other_infringement": False, "counterfeit": True}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A listing of a sample: its stratum, its probability, and whether it is a counterfeit.

    `fake` is None where that is not decided.
    """

    stratum: str
    probability: float
    fake: bool | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share of counterfeits in a frame.

    Parameters
    ----------
    share
        Hájek's estimate over what is decided; None if nothing is.
    low, high
        Its 95 % interval: Wilson's for a simple random sample, otherwise by the stratified
        variance; None where a stratum has fewer than two decided.
    least, most
        The estimate over all that was drawn, if all undecided were genuine, or all fakes.
    """

    drawn: int
    decided: int
    fakes: int
    share: float | None
    low: float | None
    high: float | None
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Place:
    """A drawn listing: its place in its stratum, and the purchase that decides what it is."""

    stratum: str
    place: int
    probability: float
    listing: Listing
    purchase: Purchase | None


def places(session: Session, frame_id: UUID) -> list[Place]:
    """What was drawn of a frame, in the order of the draw; empty before it."""
    rows = session.execute(
        select(FrameListing, Listing, Purchase)
        .join(Listing, Listing.id == FrameListing.listing_id)
        .outerjoin(Purchase, _BOUGHT_AT_RANDOM)
        .where(FrameListing.frame_id == frame_id, FrameListing.drawn.is_not(None))
        .order_by(FrameListing.stratum, FrameListing.drawn)
        .options(joinedload(Listing.marketplace))
    )
    return [
        Place(row.stratum, row.drawn or 0, row.probability, listing, purchase)
        for row, listing, purchase in rows
    ]


def estimate(session: Session, frame_id: UUID) -> Estimate:
    """Estimate from the purchases of a drawn sample.

    Raises
    ------
    TouchstoneError
        If there is no such frame, or it was not drawn from.
    """
    frame = session.get(SampleFrame, frame_id)
    if frame is None or frame.seed is None:
        raise TouchstoneError(f"there is no drawn sample {frame_id}: touchstone sample draw")
    rows = session.execute(
        select(FrameListing.stratum, FrameListing.probability, Purchase.outcome)
        .outerjoin(Purchase, _BOUGHT_AT_RANDOM)
        .where(FrameListing.frame_id == frame_id, FrameListing.drawn.is_not(None))
    )
    return work_out(
        [Drawn(stratum, chance, _DECIDED.get(outcome or "")) for stratum, chance, outcome in rows]
    )


def work_out(sample: Sequence[Drawn]) -> Estimate:
    """The figures of a sample.

    Source: J. Hájek (1971); E. B. Wilson (1927); C.-E. Särndal, B. Swensson, J. Wretman, Model
    Assisted Survey Sampling (1992), 5.7, for the variance of a ratio in strata.

    Raises
    ------
    TouchstoneError
        If nothing was drawn.
    """
    if not sample:
        raise TouchstoneError("nothing was drawn: there is nothing to estimate from")
    whole = math.fsum(1 / one.probability for one in sample)
    fakes = math.fsum(1 / one.probability for one in sample if one.fake)
    open_ = math.fsum(1 / one.probability for one in sample if one.fake is None)
    decided = [one for one in sample if one.fake is not None]
    share = low = high = None
    if decided:
        share = fakes / math.fsum(1 / one.probability for one in decided)
        if len({(one.stratum, one.probability) for one in sample}) == 1:
            low, high = wilson(sum(one.fake is True for one in decided), len(decided))
        else:
            low, high = _stratified(decided, share)
    return Estimate(
        drawn=len(sample),
        decided=len(decided),
        fakes=sum(one.fake is True for one in decided),
        share=share,
        low=low,
        high=high,
        least=fakes / whole,
        most=(fakes + open_) / whole,
    )


def _stratified(decided: Sequence[Drawn], share: float) -> tuple[float | None, float | None]:
    strata: dict[str, list[Drawn]] = defaultdict(list)
    for one in decided:
        strata[one.stratum].append(one)
    whole = math.fsum(1 / one.probability for one in decided)
    variance = 0.0
    for ones in strata.values():
        if len(ones) < 2:
            return None, None
        # The residuals of the ratio, each with its weight; what is drawn whole varies not.
        parts = [(float(one.fake is True) - share) / one.probability / whole for one in ones]
        mean = math.fsum(parts) / len(parts)
        spread = math.fsum((part - mean) ** 2 for part in parts)
        left = max(0.0, 1 - ones[0].probability)
        variance += left * len(ones) / (len(ones) - 1) * spread
    half = Z95 * math.sqrt(variance)
    return max(0.0, share - half), min(1.0, share + half)
