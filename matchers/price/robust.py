"""Robust statistics of what others ask.

Prices spread by factors, so all is done on natural logarithms: median, and median absolute
deviation, which 1.4826 makes a standard deviation of a normal distribution. Genuine prices of
one product spread by .17 to .28 (docs/matching.md); less than the lower of these is chance.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from matchers.values import Comparables, Money

#: Fewer sellers say nothing of a distribution.
LEAST_COMPARABLES = 5
#: A standard deviation of logarithms below which the spread is not believed.
LEAST_SPREAD = 0.17
_NORMAL = 1.4826


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What a seller asks for one piece, in the currency of the comparison."""

    amount: Decimal
    seller_id: str
    second_hand: bool = False
    lot: bool = False


def comparables(
    prices: Iterable[UnitPrice],
    product_id: str,
    currency: str,
    least: int = LEAST_COMPARABLES,
) -> Comparables | None:
    """The distribution of what sellers ask for one piece, new.

    Second-hand things, lots and prices of nothing are left out; a seller counts once, with the
    median of its prices, so that nobody moves the median by listing often.

    Parameters
    ----------
    least
        The number of sellers under which there is none.

    Returns
    -------
    Comparables or None
        None where there are too few sellers.
    """
    by_seller: dict[str, list[float]] = defaultdict(list)
    for price in prices:
        if price.amount > 0 and not price.second_hand and not price.lot:
            by_seller[price.seller_id].append(math.log(price.amount))
    logs = [statistics.median(each) for each in by_seller.values()]
    if len(logs) < max(least, 1):
        return None
    middle = statistics.median(logs)
    spread = statistics.median(abs(value - middle) for value in logs)
    return Comparables(product_id, len(logs), middle, spread, currency)


def robust_z(unit: Money, others: Comparables) -> float:
    """How many standard deviations of the logarithm a price lies over (+) or under (-) the median.

    Raises
    ------
    ValueError
        If the price is zero or in another currency.
    """
    if unit.currency != others.currency or unit.amount <= 0:
        raise ValueError(f"{unit} is no price in {others.currency}")
    spread = max(_NORMAL * others.log_mad, LEAST_SPREAD)
    return (math.log(unit.amount) - others.log_median) / spread
