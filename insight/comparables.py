"""What others ask for a product on a marketplace, for holding a price against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

import matchers
from matchers import price
from matchers.values import Comparables, Rates
from registry.models import Assessment, Listing, Snapshot
from registry.money import Money

#: Newest assessments of a brand on a marketplace that are looked at.
MAX_ASSESSMENTS = 1_000
#: Of a description that is read for signs of use.
MAX_TEXT = 2_000
#: The readings know no day.
_WHENEVER = datetime(2000, 1, 1, tzinfo=UTC)


def comparables(
    session: Session, snapshot: Snapshot, brand: matchers.Brand, rates: Rates
) -> tuple[Comparables, ...]:
    """For each product of a brand, what other sellers ask where a listing stands.

    In the listing's own currency. Left out are the listing itself, offers that were flagged
    (fakes are no measure of what the genuine thing costs), and, by `matchers.price`, used
    things and lots; and products that too few sellers offer.
    """
    currency = snapshot.currency or "EUR"
    # Pictures say nothing of a price, and would be in the way of keeping what was read.
    products = {product.id: replace(product, pictures=()) for product in brand.products}
    asked: dict[str, list[price.UnitPrice]] = defaultdict(list)
    for product_id, offer in _offers(session, snapshot, UUID(brand.id)):
        product = products.get(product_id)
        unit = product and _unit_price(offer, product)
        if not unit or offer.price is None:
            continue
        here = price.convert(Money(unit.amount, offer.price.currency), currency, rates)
        if here is not None:
            asked[product_id].append(replace(unit, amount=here.amount))
    found = (
        price.comparables(prices, product_id, currency)
        for product_id, prices in sorted(asked.items())
    )
    return tuple(one for one in found if one is not None)


@lru_cache(maxsize=8_192)
def _unit_price(offer: matchers.Listing, product: matchers.Product) -> price.UnitPrice | None:
    """In the offer's own currency; kept, since every assessment of a brand asks again."""
    if offer.price is None:
        return None
    return price.asked(offer, price.price_reading(offer, product), offer.price.currency, None)


def _offers(
    session: Session, snapshot: Snapshot, brand_id: UUID
) -> Iterator[tuple[str, matchers.Listing]]:
    """The newest offers of a brand's products there, each listing once, with the product's id."""
    rows = session.execute(
        select(
            Assessment.product_id,
            Assessment.outcome,
            Snapshot.listing_id,
            Snapshot.seller_id,
            Snapshot.amount,
            Snapshot.currency,
            Snapshot.title,
            Snapshot.description,
            Snapshot.condition,
        )
        .join(Snapshot, Assessment.snapshot_id == Snapshot.id)
        .join(Listing, Snapshot.listing_id == Listing.id)
        .where(
            Assessment.brand_id == brand_id,
            Assessment.product_id.is_not(None),
            Listing.marketplace_id == snapshot.listing.marketplace_id,
            Listing.id != snapshot.listing_id,
        )
        .order_by(Assessment.id.desc())
        .limit(MAX_ASSESSMENTS)
    )
    seen: set[UUID] = set()
    for row in rows:
        if row.listing_id in seen:
            continue  # judged again since
        seen.add(row.listing_id)
        if row.outcome == "flag" or row.amount is None or row.currency is None:
            continue
        yield (
            str(row.product_id),
            matchers.Listing(
                title=row.title,
                description=row.description[:MAX_TEXT],
                price=Money(row.amount, row.currency),
                marketplace="",
                # A listing without a seller stands for itself.
                seller_id=str(row.seller_id or row.listing_id),
                seller_name=None,
                brand=None,
                condition=row.condition,
                pictures=(),
                seen_at=_WHENEVER,
            ),
        )
