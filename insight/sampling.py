"""Drawing a sample that anybody can draw again: strata, shares, and an order by hash.

Pure: values in, values out. The algorithm is in docs/scheduling.md, exact to the byte, so that
it can be done without this code.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from registry.errors import TouchstoneError

FRAME_HEADER = "touchstone-frame-1"
SAMPLE_HEADER = "touchstone-sample-1"

#: By what listings can be told apart.
DIMENSIONS = ("marketplace", "price", "seller")
#: A currency with fewer prices than this has one band.
LEAST_FOR_BANDS = 8
#: Sellers with up to so many listings in the frame, and those with more.
SELLER_SIZES = (1, 9, 99)


@dataclass(frozen=True, slots=True)
class Seen:
    """A listing as it was last seen in the window.

    Parameters
    ----------
    seller
        Anything that tells sellers apart; None if the page named none.
    """

    listing_id: str
    marketplace: str
    amount: Decimal | None
    currency: str | None
    seller: str | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A listing in the sample: its place is counted within its stratum, from 1 on."""

    stratum: str
    place: int
    listing_id: str


def stratify(seen: Sequence[Seen], by: Sequence[str]) -> dict[str, str]:
    """Put each listing into a stratum: listing id to the stratum's name.

    Prices fall into the quarters of their currency, sellers into sizes by how many listings
    they have in the frame. Both follow from the frame itself.
    """
    edges = _price_edges(seen)
    sizes = Counter(listing.seller for listing in seen)
    names: dict[str, Callable[[Seen], str]] = {
        "marketplace": lambda listing: listing.marketplace,
        "price": lambda listing: _price_band(listing, edges),
        "seller": lambda listing: _seller_size(listing, sizes),
    }
    return {
        listing.listing_id: " | ".join(names[dimension](listing) for dimension in by) or "all"
        for listing in seen
    }


def _price_edges(seen: Iterable[Seen]) -> dict[str, tuple[Decimal, ...]]:
    amounts: dict[str, list[Decimal]] = {}
    for listing in seen:
        if listing.amount is not None and listing.currency is not None:
            amounts.setdefault(listing.currency, []).append(listing.amount)
    edges: dict[str, tuple[Decimal, ...]] = {}
    for currency, values in amounts.items():
        values.sort()
        count = len(values)
        quarters = () if count < LEAST_FOR_BANDS else (1, 2, 3)
        cut = dict.fromkeys(values[-(-count * quarter // 4) - 1] for quarter in quarters)
        edges[currency] = tuple(edge for edge in cut if edge < values[-1])
    return edges


def _price_band(listing: Seen, edges: Mapping[str, tuple[Decimal, ...]]) -> str:
    if listing.amount is None or listing.currency is None:
        return "no price"
    bounds = edges[listing.currency]
    for edge in bounds:
        if listing.amount <= edge:
            return f"{listing.currency} up to {edge:f}"
    return f"{listing.currency} over {bounds[-1]:f}" if bounds else f"{listing.currency} any"


def _seller_size(listing: Seen, sizes: Mapping[str | None, int]) -> str:
    if listing.seller is None:
        return "no seller"
    low = 1
    for high in SELLER_SIZES:
        if sizes[listing.seller] <= high:
            return f"seller of {high}" if low == high else f"seller of {low} to {high}"
        low = high + 1
    return f"seller of {low} or more"


def allocate(sizes: Mapping[str, int], size: int) -> dict[str, int]:
    """How many listings to draw from each stratum.

    Each stratum gives one; what is left is shared in proportion to what they still have, by
    largest remainders (Hamilton), ties by name. So no listing has a probability of nought, and
    none of more than one.

    Raises
    ------
    TouchstoneError
        If the sample is larger than the frame, or smaller than the number of strata.
    """
    total, strata = sum(sizes.values()), len(sizes)
    if size > total:
        raise TouchstoneError(f"a sample of {size} is more than the frame has, which is {total}")
    if size < max(1, strata):
        raise TouchstoneError(
            f"a sample of {size} leaves some of the {strata} strata without a listing, and what "
            "is true of them would never show: draw more, or tell listings apart by less (--by)"
        )
    left, room = size - strata, total - strata
    quotas = {
        name: Fraction(left * (count - 1), room) if room else Fraction(0)
        for name, count in sizes.items()
    }
    shares = {name: int(quota) for name, quota in quotas.items()}
    short = left - sum(shares.values())
    by_remainder = sorted(quotas, key=lambda name: (shares[name] - quotas[name], name))
    for name in by_remainder[:short]:
        shares[name] += 1
    return {name: 1 + share for name, share in shares.items()}


def canonical_json(value: Mapping[str, Any]) -> str:
    """JSON with sorted names and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def frame_text(terms: Mapping[str, Any], strata: Mapping[str, str]) -> str:
    """The text whose SHA-256 freezes a frame: what was asked for, then a line a listing.

    Parameters
    ----------
    strata
        Listing id to stratum.
    """
    lines = [FRAME_HEADER, canonical_json(terms)]
    lines += [f"{listing_id}\t{strata[listing_id]}" for listing_id in sorted(strata)]
    return "\n".join(lines) + "\n"


def order_key(frame_sha256: str, seed: str, listing_id: str) -> str:
    """What a listing is sorted by in the draw."""
    return sha256(f"{SAMPLE_HEADER}\n{frame_sha256}\n{seed}\n{listing_id}")


def draw(
    strata: Mapping[str, str], shares: Mapping[str, int], frame_sha256: str, seed: str
) -> list[Drawn]:
    """Draw the sample: from each stratum those that come first in the order of the hashes.

    Parameters
    ----------
    strata
        Listing id to stratum.
    shares
        Stratum to how many are drawn from it.
    """
    members: dict[str, list[tuple[str, str]]] = {}
    for listing_id, stratum in strata.items():
        key = order_key(frame_sha256, seed, listing_id)
        members.setdefault(stratum, []).append((key, listing_id))
    return [
        Drawn(stratum, place, listing_id)
        for stratum in sorted(members)
        for place, (_, listing_id) in enumerate(sorted(members[stratum])[: shares[stratum]], 1)
    ]


def sample_text(frame_sha256: str, seed: str, sample: Iterable[Drawn]) -> str:
    """The text whose SHA-256 stands for a sample."""
    lines = [SAMPLE_HEADER, frame_sha256, seed]
    lines += [f"{one.stratum}\t{one.place}\t{one.listing_id}" for one in sample]
    return "\n".join(lines) + "\n"


def sha256(text: str) -> str:
    """The SHA-256 of a text in UTF-8, as hex."""
    return hashlib.sha256(text.encode()).hexdigest()
