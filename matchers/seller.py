"""What is known of the seller, as signals.

None of them is a sign of a fake but earlier verdicts: many honest sellers are new, many ship
from elsewhere, and hardly any is authorised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from math import log, log2

from matchers.signals import Measured
from matchers.values import Brand, Listing, Seller

YEAR = 365.25
#: Of a seller's listings; below, its share of a brand says nothing.
LEAST_LISTINGS = 5

_COUNTRIES = {
    "AE": "uae|emirates|dubai", "AT": "austria|österreich", "AU": "australia",
    "BE": "belgium|belgien|belgique", "CA": "canada",
    "CH": "switzerland|schweiz|suisse|swiss",
    "CN": "china|prc|中国|中國|китай|shenzhen|guangzhou|yiwu|putian|深圳|广州|莆田|义乌",
    "CZ": "czechia|czech republic|tschechien", "DE": "germany|deutschland|германия|德国",
    "DK": "denmark|dänemark", "ES": "spain|spanien|españa|西班牙",
    "FR": "france|frankreich|франция|法国", "GB": "united kingdom|uk|england|great britain|英国",
    "GR": "greece|griechenland", "HK": "hong kong|hongkong|香港",
    "IE": "ireland|irland", "IN": "india|indien", "IT": "italy|italien|italia|италия|意大利",
    "JP": "japan|япония|日本", "KR": "south korea|korea|韩国", "MX": "mexico|méxico",
    "MY": "malaysia", "NL": "netherlands|niederlande|holland|荷兰", "NO": "norway|norwegen",
    "PL": "poland|polen|polska|польша", "PT": "portugal", "RU": "russia|russland|россия",
    "SE": "sweden|schweden", "SG": "singapore|singapur", "TH": "thailand",
    "TR": "turkey|türkei|türkiye|турция", "TW": "taiwan|台湾", "UA": "ukraine|украина",
    "US": "united states|usa|u\\.s\\.a?\\.?|сша|美国", "VN": "vietnam|viet nam|越南",
}  # fmt: skip
_NAMES = [
    (code, re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE))
    for code, names in _COUNTRIES.items()
]
_HAN_NAMES = {
    name: code for code, names in _COUNTRIES.items() for name in names.split("|")
    if "\u4e00" <= name[0] <= "\u9fff"
}  # fmt: skip


def country_of(text: str | None) -> str | None:
    """The ISO 3166-1 code of a country that a text names, alone or in an address.

    None where it names none that is known here, or more than one.
    """
    if not text:
        return None
    bare = text.strip().upper()
    if bare in _COUNTRIES:
        return bare
    found = {code for code, name in _NAMES if name.search(text)}
    found |= {code for name, code in _HAN_NAMES.items() if name in text}
    if not found:
        last = re.split(r"[,\s]+", bare)[-1]
        found = {last} & _COUNTRIES.keys()
    return found.pop() if len(found) == 1 else None


def measure(listing: Listing, brand: Brand, seller: Seller | None) -> Iterator[Measured]:
    """The signals of a listing's seller on the day of the listing."""
    yield from _authorisation(listing, brand)
    yield from _journey(listing, seller)
    if seller is None or (seller.joined_on is None and seller.rating is None):
        yield Measured("seller_unknown", 1.0, "Neither the seller's age nor a rating is known.")
    if seller is None:
        return
    if seller.joined_on is not None:
        yield from _age(seller.joined_on, listing.seen_at.date())
    if seller.rating is not None and seller.rating < 0.9:
        low = min(1.0, (0.9 - seller.rating) / 0.3)
        yield Measured(
            "seller_rating_low", round(low, 6), f"The seller's rating is {seller.rating:.0%}."
        )
    if seller.listings >= LEAST_LISTINGS and seller.brand_listings:
        share = min(1.0, seller.brand_listings / seller.listings)
        yield Measured(
            "seller_brand_share", round(share, 6),
            f"{seller.brand_listings} of the seller's {seller.listings} listings that are known "
            f"here name {brand.name}.",
        )  # fmt: skip
    yield from _verdicts(seller)
    if seller.shared_with:
        others = "seller shows" if seller.shared_with == 1 else "sellers show"
        yield Measured(
            "pictures_shared", round(min(4.0, log2(1 + seller.shared_with)), 6),
            f"{seller.shared_with} other {others} one of these pictures.",
        )  # fmt: skip


def _authorisation(listing: Listing, brand: Brand) -> Iterator[Measured]:
    if listing.seller_id is None:
        return
    known = [a for a in brand.authorisations if a.marketplace == listing.marketplace]
    if not known:
        return  # the brand named nobody here, so being unnamed means nothing
    name = listing.seller_name or listing.seller_id
    expired = any(a.seller_id == listing.seller_id for a in known)
    why = "is not authorised for this product and day" if expired else "is not authorised"
    yield Measured("not_authorised", 1.0, f"The seller, {name}, {why}.")


def _age(joined: date, day: date) -> Iterator[Measured]:
    years = (day - joined).days / YEAR
    if years >= 3:
        yield Measured(
            "seller_established", 1.0, f"The seller joined {years:.0f} years before, on {joined}."
        )
    elif 0 <= years < 1:
        days = (day - joined).days
        yield Measured(
            "seller_new", round(1 - years, 6), f"The seller joined {days} days before, on {joined}."
        )


def _verdicts(seller: Seller) -> Iterator[Measured]:
    if seller.counterfeits:
        odds = log((seller.counterfeits + 1) / (seller.genuines + 0.5))
        if odds > 0:
            yield Measured(
                "seller_counterfeits", round(min(3.0, odds), 6),
                f"People found {seller.counterfeits} of this seller's listings counterfeit and "
                f"{seller.genuines} genuine.",
            )  # fmt: skip
    elif seller.genuines:
        yield Measured(
            "seller_genuines", round(min(3.0, log(1 + seller.genuines)), 6),
            f"People found {seller.genuines} of this seller's listings genuine, none counterfeit.",
        )  # fmt: skip


def _journey(listing: Listing, seller: Seller | None) -> Iterator[Measured]:
    origin = country_of(listing.ships_from)
    if origin is None:
        return
    at_home = country_of(seller.country) if seller else None
    if at_home is not None and at_home != origin:
        yield Measured(
            "ships_elsewhere", 1.0, f"It ships from {origin}; the seller says to be in {at_home}."
        )
    made = country_of(listing.origin)
    if made is not None and made != origin:
        yield Measured(
            "ships_not_origin", 1.0, f"It ships from {origin}; it is said to be made in {made}."
        )
