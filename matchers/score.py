"""One score from all signals, each with its reason; gates first.

The score is the logistic function of a sum of log-odds; the weights are data
(`weights.yaml`). A price alone can never make a high score, and an authorised seller's
listing has none.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from matchers.lexicon.legacy import LexiconHit, find_lexicon, lexicon
from matchers.pictures.legacy import closest
from matchers.values import (
    Assessment,
    Authorisation,
    Brand,
    Listing,
    Money,
    PictureMatch,
    Product,
    Signal,
    Span,
)
from matchers.words.legacy import Hit, find_terms

_SECOND_HAND = re.compile(
    r"\b(used|second[- ]?hand|pre[- ]?owned|pre[- ]?loved|worn|vintage|refurbished|gebraucht|"
    r"d'occasion|occasion|usado|б/у)\b|二手|闲置|中古|9成新|九成新",
    re.IGNORECASE,
)
#: Where a brand may be claimed, and what that place is called.
_FIELDS = {"title": "title", "description": "description", "brand": "field for the brand"}
_TEXTS = ("title", "description")


class Weights(BaseModel):
    """The weights; weights.yaml says what each is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    bias: float
    brand_in_title: float
    brand_in_text: float
    brand_disguised: float
    brand_compatible: float
    picture_match: float
    picture_edited: float
    lexicon: tuple[float, ...]
    price_steps: tuple[tuple[float, float], ...]
    price_fair: float
    second_hand: float
    not_authorised: float
    rates_date: str
    rates: dict[str, Decimal]


@cache
def weights() -> Weights:
    """The weights that ship with this version."""
    text = files("matchers").joinpath("weights.yaml").read_text(encoding="utf-8")
    return Weights.model_validate(yaml.safe_load(text))


def assess(listing: Listing, brand: Brand) -> Assessment:
    """Judge a listing for a brand.

    Returns
    -------
    Assessment
        With score 0 and `gate` set where the seller is authorised for that brand, product
        and day, or where the listing does not claim the brand at all.
    """
    texts = [term.text for term in brand.terms]
    brand_hits = {name: find_terms(getattr(listing, name) or "", texts) for name in _FIELDS}
    match = closest(listing.pictures, brand.products)
    product = _product(listing, brand, match)
    signals = [
        signal
        for signal in (
            _brand_signal(brand, brand_hits),
            _picture_signal(match, product),
            _lexicon_signal({name: find_lexicon(getattr(listing, name)) for name in _TEXTS}),
            _price_signal(listing, product),
            _seller_signal(listing, brand),
        )
        if signal is not None
    ]
    gate = None
    if _authorised(listing, brand, product):
        gate = "authorised_seller"
    elif match is None and not any(brand_hits.values()):
        gate = "brand_not_claimed"
    total = weights().bias + sum(signal.contribution for signal in signals)
    return Assessment(
        score=0.0 if gate else round(1 / (1 + math.exp(-total)), 6),
        gate=gate,
        product_id=product.id if product else None,
        signals=tuple(signals),
        versions={"weights": weights().version, "lexicon": lexicon().version},
    )


def _product(listing: Listing, brand: Brand, match: PictureMatch | None) -> Product | None:
    """Which product it claims to be: by its picture, else by the most words of a name."""
    if match is not None:
        return next(p for p in brand.products if p.id == match.product_id)
    text = f"{listing.title} {listing.description}".casefold()
    known = {word.casefold() for term in brand.terms for word in term.text.split()}
    best, most = None, 0
    for product in brand.products:
        words = set(product.name.casefold().split()) - known
        found = sum(word in text for word in words)
        found += 2 * any(keyword.casefold() in text for keyword in product.keywords)
        if found > most:
            best, most = product, found
    return best


def _authorised(listing: Listing, brand: Brand, product: Product | None) -> bool:
    return any(_covers(allowed, listing, product) for allowed in brand.authorisations)


def _covers(allowed: Authorisation, listing: Listing, product: Product | None) -> bool:
    day = listing.seen_at.date()
    return (
        allowed.marketplace == listing.marketplace
        and allowed.seller_id == listing.seller_id
        and (allowed.valid_from is None or allowed.valid_from <= day)
        and (allowed.valid_until is None or day <= allowed.valid_until)
        # For a product that cannot be told, the doubt is the seller's.
        and (allowed.product_ids is None or product is None or product.id in allowed.product_ids)
    )


def _brand_signal(brand: Brand, hits: dict[str, list[Hit]]) -> Signal | None:
    found = [(name, hit) for name in _FIELDS for hit in hits[name]]
    if not found:
        return None
    spans = tuple(Span(name, hit.start, hit.end, hit.term, "brand") for name, hit in found)
    disguised = [hit for _, hit in found if hit.disguise and not hit.compatible]
    plain = [(name, hit) for name, hit in found if not hit.disguise and not hit.compatible]
    if disguised:
        hit = disguised[0]
        return Signal(
            "brand_disguised",
            weights().brand_disguised,
            f"The brand is written in disguise: {hit.matched!r} for {hit.term} "
            f"({', '.join(hit.disguise)}).",
            spans,
        )
    if not plain:
        return Signal(
            "brand_compatible",
            weights().brand_compatible,
            f"{brand.name} is only named as what the thing fits.",
            spans,
        )
    in_title = plain[0][0] == "title"
    return Signal(
        "brand_in_title" if in_title else "brand_in_text",
        weights().brand_in_title if in_title else weights().brand_in_text,
        f"{brand.name} is named in the {_FIELDS[plain[0][0]]}.",
        spans,
    )


def _picture_signal(match: PictureMatch | None, product: Product | None) -> Signal | None:
    if match is None or product is None:
        return None
    edited = match.view != "as it is"
    how = f", {match.view}" if edited else ""
    return Signal(
        "picture_match",
        weights().picture_match + (weights().picture_edited if edited else 0.0),
        f"A picture is the registered one of {product.name}{how} "
        f"({match.distance} of 64 bits differ).",
        picture=match,
    )


def _lexicon_signal(hits: dict[str, list[LexiconHit]]) -> Signal | None:
    found = [(name, hit) for name in _TEXTS for hit in hits[name]]
    if not found:
        return None
    worst = max((hit.entry for _, hit in found), key=lambda entry: entry.severity)
    return Signal(
        "lexicon",
        weights().lexicon[worst.severity],
        f"{worst.term!r}: {worst.meaning} (severity {worst.severity} of 4).",
        tuple(Span(name, hit.start, hit.end, hit.entry.id, "lexicon") for name, hit in found),
    )


def _price_signal(listing: Listing, product: Product | None) -> Signal | None:
    if listing.price is None or product is None or product.price_floor is None:
        return None
    floor = product.price_floor
    price, rate_note = _in_currency(listing.price, floor.currency)
    if price is None:
        return Signal(
            "price_not_comparable", 0.0, f"{listing.price} cannot be held against {floor}."
        )
    if floor.amount == 0:
        return None
    ratio = float(price / floor.amount)
    step = next((add for limit, add in weights().price_steps if ratio < limit), None)
    if step is None:
        reason = f"The price, {listing.price}, is not under the floor of {floor}{rate_note}."
        return Signal("price_fair", weights().price_fair, reason)
    reason = f"The price, {listing.price}, is {ratio:.0%} of the floor of {floor}{rate_note}."
    if _second_hand(listing):
        return Signal(
            "price_second_hand",
            step * weights().second_hand,
            f"{reason} It is offered as used, which counts for less.",
        )
    return Signal("price_under_floor", step, reason)


def _in_currency(price: Money, currency: str) -> tuple[Decimal | None, str]:
    if price.currency == currency:
        return price.amount, ""
    rates = weights().rates
    if price.currency not in rates or currency not in rates:
        return None, ""
    converted = price.amount / rates[price.currency] * rates[currency]
    return converted, f" (at the rates of {weights().rates_date})"


def _second_hand(listing: Listing) -> bool:
    said = f"{listing.condition or ''} {listing.title} {listing.description}"
    return bool(_SECOND_HAND.search(said))


def _seller_signal(listing: Listing, brand: Brand) -> Signal | None:
    if listing.seller_id is None:
        return None
    known = [a for a in brand.authorisations if a.marketplace == listing.marketplace]
    if not known:
        return None  # the brand named nobody here, so being unnamed means nothing
    name = listing.seller_name or listing.seller_id
    expired = any(a.seller_id == listing.seller_id for a in known)
    why = "is not authorised for this product and day" if expired else "is not authorised"
    return Signal("not_authorised", weights().not_authorised, f"The seller, {name}, {why}.")
