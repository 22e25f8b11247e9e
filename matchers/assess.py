"""One assessment of a listing for a brand: gates first, then signals, one probability, a kind.

Pure: what comes out follows from the arguments and from data that ships with a version, so an
assessment is replayed from its stored inputs to the same figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from matchers import kinds, lexicon, pictures, price, relisting, seller, words
from matchers import signals_pictures as picture_signals
from matchers import signals_price as price_signals
from matchers import signals_words as word_signals
from matchers.model import Model, shipped
from matchers.signals import Measured
from matchers.values import (
    Assessment,
    Authorisation,
    Brand,
    Context,
    Listing,
    PictureMatch,
    Product,
    Signal,
)


def assess(
    listing: Listing, brand: Brand, context: Context | None = None, *, model: Model | None = None
) -> Assessment:
    """Judge a listing for a brand.

    Parameters
    ----------
    listing
        With `matches` filled by whoever holds the reference index.
    context
        What is known around it; without, nothing is.
    model
        The running model; without, the one that ships with this version.

    Returns
    -------
    Assessment
        With score 0 and `gate` set where the seller is authorised for that brand, product
        and day, or where neither a word nor a picture of the listing claims the brand.
    """
    context = context or Context()
    model = model or shipped()
    wording = word_signals.read(listing, brand)
    match = picture_signals.best_match(listing, brand)
    product = _product(listing, brand, match, wording)
    # What only fits the product, or looks like it, is not to be had at its price.
    sure = match is not None and match.confidence >= price_signals.SURE
    offered = product if wording.offers or sure else None
    floor = None
    if offered is None and wording.offers:
        classes = words.classes_of(f"{listing.title} {listing.category or ''}")
        floor = price.lowest_floor(brand.products, classes, context.rates)
    reading = price.price_reading(listing, offered, context, brand_floor=floor)
    measured = [
        *word_signals.measure(brand, wording),
        *picture_signals.measure(listing, brand, match, product),
        *price_signals.measure(reading, match, named=wording.offers),
        *seller.measure(listing, brand, context.seller),
        *relisting.measure(context.relistings),
    ]
    signals = tuple(_weighed(model, one) for one in measured)
    gate = None
    if any(_covers(allowed, listing, product) for allowed in brand.authorisations):
        gate = "authorised_seller"
    elif not wording.claims and not match and not picture_signals.best_logo(listing, brand):
        gate = "brand_not_claimed"
    score = 0.0 if gate else model.score(signal.contribution for signal in signals)
    outcome, kind = (
        ("pass", None)
        if gate
        else kinds.decide(
            score, signals, model.limits, product=offered is not None,
            named=wording.offers,
            floor_ratio=price_signals.floor_ratio(reading),
        )
    )  # fmt: skip
    return Assessment(
        score=score,
        gate=gate,
        product_id=product.id if product else None,
        signals=signals,
        versions=versions(model, context),
        outcome=outcome,
        kind=kind,
    )


def versions(model: Model, context: Context) -> dict[str, str]:
    """Of everything that an assessment rests on beside its inputs."""
    rates = {"rates": context.rates.day.isoformat()} if context.rates else {}
    return {
        "model": model.version,
        "lexicon": lexicon.lexicon().version,
        "words": words.VERSION,
        "pictures": pictures.VERSION,
        "price": price.VERSION,
        **rates,
    }


def _weighed(model: Model, one: Measured) -> Signal:
    return Signal(
        one.name, model.contribution(one.name, one.value), one.reason, one.spans, one.picture,
        one.value,
    )  # fmt: skip


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


def _product(
    listing: Listing, brand: Brand, match: PictureMatch | None, wording: word_signals.Wording
) -> Product | None:
    """Which product it claims to be: by its picture, else by the most words of a name."""
    if match is not None:
        return next(p for p in brand.products if p.id == match.product_id)
    said = f"{listing.title} {listing.description}".casefold()
    marks = {word for term in brand.terms if term.kind != "product" for word in _names(term.text)}
    named = {hit.term.text.casefold() for _, hit in wording.products}
    best, most = None, 0
    for product in brand.products:
        found = sum(_stands(word, said) for word in set(_names(product.name)) - marks)
        keywords = {keyword.casefold() for keyword in (*product.keywords, product.name)}
        found += 2 * any(_stands(keyword, said) or keyword in named for keyword in keywords)
        if found > most:
            best, most = product, found
    return best


def _names(text: str) -> Iterator[str]:
    return iter(text.casefold().split())


def _stands(word: str, said: str) -> bool:
    """Whether a word stands in a text by itself; scripts without blanks know no such thing."""
    if not word.strip():
        return False
    if not word.isascii():
        return word in said
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", said) is not None
