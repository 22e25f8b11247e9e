"""Whether a listing is an earlier one come back, under another seller or another id.

Who was taken down returns with the same photographs, nearly the same words and price, and a
shop name that rhymes with the old one. Each trait alone has honest reasons, most of all the
maker's own pictures and words, which everyone copies; so the maker's pictures do not count,
and words and price alone never make a relisting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from rapidfuzz import fuzz

from matchers.signals import Measured
from matchers.values import Money, Relisting

#: Bits of 256: pictures nearer than the first are the same one, further than the second are
#: not; two pictures of different things are about 128 apart.
SAME_BITS, OTHER_BITS = 24, 72
#: From which likeness on it is told.
LEAST = 0.65
#: What a full likeness of each trait leaves of the doubt that they are one.
_DOUBT_LEFT = {
    "picture": 0.2, "seller name": 0.5, "description": 0.6, "title": 0.75, "joined": 0.85,
    "price": 0.9, "country": 0.97,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Traits:
    """What a listing can be known again by.

    Parameters
    ----------
    listing_id
        The caller's id; a listing is no relisting of itself.
    verdict
        What people said of it, if they did; of the listing asked about, not looked at.
    hashes
        256-bit hashes of its pictures, 64 hexadecimal digits each.
    """

    listing_id: str
    title: str
    description: str = ""
    price: Money | None = None
    hashes: tuple[str, ...] = ()
    seller_name: str | None = None
    seller_country: str | None = None
    seller_joined_on: date | None = None
    verdict: str | None = None


def relistings(
    listing: Traits, earlier: Iterable[Traits], makers: Iterable[str] = (), most: int = 5
) -> tuple[Relisting, ...]:
    """The earlier listings that this one may be, the likest first.

    Parameters
    ----------
    makers
        Hashes of the brand's reference pictures: what shows one as it is, is nobody's trait.
    most
        How many to tell.
    """
    known = [int(text, 16) for text in makers if text]
    mine = _own(listing.hashes, known)
    found = []
    for other in earlier:
        if other.listing_id == listing.listing_id:
            continue
        alike = _alike(listing, mine, other, _own(other.hashes, known))
        doubt = 1.0
        for trait, likeness in alike.items():
            doubt *= 1 - likeness * (1 - _DOUBT_LEFT[trait])
        likeness = round(1 - doubt, 6)
        if likeness >= LEAST and ("picture" in alike or "seller name" in alike):
            traits = tuple(sorted(alike, key=lambda trait: _DOUBT_LEFT[trait]))
            found.append(Relisting(other.listing_id, likeness, other.verdict, traits))
    # What people have judged says more than what nobody looked at.
    found.sort(key=lambda r: (r.verdict is None, -r.likeness, r.listing_id))
    return tuple(found[:most])


def _own(hashes: Iterable[str], makers: list[int]) -> list[int]:
    own = [int(text, 16) for text in hashes if text]
    return [h for h in own if all((h ^ m).bit_count() > SAME_BITS for m in makers)]


def _alike(one: Traits, ones: list[int], other: Traits, others: list[int]) -> dict[str, float]:
    """Each trait that is alike, and how much, over 0 to 1."""
    bits = min(((a ^ b).bit_count() for a in ones for b in others), default=256)
    name, other_name = _bare(one.seller_name), _bare(other.seller_name)
    alike = {
        "picture": _between(OTHER_BITS - bits, 0, OTHER_BITS - SAME_BITS),
        "title": _between(fuzz.token_sort_ratio(one.title, other.title), 80, 96),
        "description": _description(one.description, other.description),
        "price": _price(one.price, other.price),
    }
    if len(name) >= 4 and len(other_name) >= 4:
        alike["seller name"] = _between(fuzz.ratio(name, other_name), 82, 95)
    if one.seller_country and one.seller_country == other.seller_country:
        alike["country"] = 1.0
    if one.seller_joined_on and other.seller_joined_on:
        days = abs((one.seller_joined_on - other.seller_joined_on).days)
        alike["joined"] = _between(14 - days, 0, 13)
    return {trait: likeness for trait, likeness in alike.items() if likeness > 0}


def _between(value: float, none: float, full: float) -> float:
    return round(min(1.0, max(0.0, (value - none) / (full - none))), 6)


def _description(one: str, other: str) -> float:
    if min(len(one), len(other)) < 40:
        return 0.0  # too short to be anybody's own
    return _between(fuzz.token_sort_ratio(one[:4000], other[:4000]), 85, 97)


def _price(one: Money | None, other: Money | None) -> float:
    if one is None or other is None or one.currency != other.currency:
        return 0.0
    high, low = max(one.amount, other.amount), min(one.amount, other.amount)
    return 1.0 if high > 0 and low / high >= 0.97 else 0.0


def _bare(name: str | None) -> str:
    """A shop's name without what tells one of its accounts from the next."""
    words = re.sub(r"[\d_\W]+", " ", (name or "").casefold()).split()
    return " ".join(w for w in words if w not in {"shop", "store", "official", "outlet", "ltd"})


def measure(found: Sequence[Relisting]) -> Iterator[Measured]:
    """The signal of the earlier listings that a listing is like: the likest judged one's."""
    judged = [r for r in found if r.verdict in ("counterfeit", "trademark_use", "genuine")]
    best = max(judged or found, key=lambda r: (r.likeness, r.listing_id), default=None)
    if best is None:
        return
    alike = ", ".join(best.traits)
    if best.verdict in ("counterfeit", "trademark_use"):
        what = "counterfeit" if best.verdict == "counterfeit" else "a misuse of the mark"
        name, said = "relisting_counterfeit", f"which was found {what}"
    elif best.verdict == "genuine":
        name, said = "relisting_genuine", "which was found genuine"
    else:
        name, said = "relisting_unjudged", "which nobody has judged"
    yield Measured(
        name, best.likeness, f"It is like the listing {best.listing_id}, {said}: the same {alike}."
    )
