"""What a listing's price says, held against the brand's floor and against other sellers."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2

from matchers.price import PriceReading
from matchers.signals import Measured
from matchers.values import PictureMatch

#: Spreads under the median from which on a price is unlike what others ask.
LOW_SPREADS = 2.0
#: Under this part of the floor nobody honest has new goods to sell.
FAR_UNDER = 0.45
#: How sure a picture match must be to count with the price.
SURE = 0.98
#: How far under floor and others a price is looked at; further is a slip of the pen.
MOST_HALVINGS, MOST_SPREADS = 4.0, 6.0


def floor_ratio(reading: PriceReading) -> float | None:
    """Unit price over the floor, of new goods; None where there is none to speak of."""
    return None if reading.second_hand else reading.floor_ratio


def measure(
    reading: PriceReading, match: PictureMatch | None, *, named: bool
) -> Iterator[Measured]:
    """The signals of a price reading.

    Parameters
    ----------
    match
        The maker's picture that is shown; counts with the price where it is `SURE`, and only
        beside the brand's name: what shows a picture alone may be another maker's.
    """
    said = " ".join(reading.reasons)
    if reading.part is not None:
        yield Measured("part_only", 1.0, said)
        return
    if reading.second_hand is not None:
        yield Measured("second_hand", 1.0, f"It is offered as used: {reading.second_hand!r}.")
    if reading.floor_ratio is None and reading.z is None and reading.brand_ratio is None:
        yield Measured("price_unknown", 1.0, said or "There is nothing to hold the price against.")
        return
    if reading.floor_ratio is not None:
        yield from _floor(reading.floor_ratio, reading.second_hand is not None, said)
    if reading.brand_ratio is not None and reading.brand_ratio < 1 and not reading.second_hand:
        yield Measured("price_under_brand", _halvings(reading.brand_ratio), said)
    ratio = floor_ratio(reading)
    sure = named and match is not None and match.confidence >= SURE
    if sure and ratio is not None and ratio < FAR_UNDER:
        yield Measured(
            "picture_and_price",
            1.0,
            f"It shows the maker's picture and asks {ratio:.2g} of the floor for new goods.",
            picture=match,
        )
    if reading.z is not None and not reading.second_hand:
        low = -reading.z - LOW_SPREADS
        if low > 0:
            yield Measured("price_under_others", round(min(MOST_SPREADS, low), 6), said)
        elif reading.z <= LOW_SPREADS and (reading.floor_ratio or 1.0) >= FAR_UNDER:
            # Where all are far under the floor, being like the others excuses nobody.
            yield Measured("price_like_others", 1.0, said)


def _floor(ratio: float, second_hand: bool, said: str) -> Iterator[Measured]:
    if ratio >= 1:
        yield Measured("price_fair", 1.0, said)
        return
    name = "price_used_under_floor" if second_hand else "price_under_floor"
    yield Measured(name, _halvings(ratio), said)


def _halvings(ratio: float) -> float:
    return round(min(MOST_HALVINGS, -log2(ratio)), 6) if ratio > 0 else MOST_HALVINGS
