"""What is to be bought, as it was approved."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from crawler.marketplaces import KINDS
from crawler.marketplaces.checkout import Checkout
from registry.models import Purchase
from registry.money import Money


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing of one seller, for a limit.

    Parameters
    ----------
    kind
        Of marketplace.
    price
        What the listing said when it was proposed; None where it said none.
    mode
        How it is bought there: ``rehearse``, ``assisted`` or ``automatic``.
    """

    url: str
    kind: str
    marketplace_id: UUID
    title: str
    seller: str | None
    price: Money | None
    limit: Money
    recipe: Checkout
    mode: str


def wanted_of(purchase: Purchase) -> Wanted | None:
    """What an approved purchase is to buy; None where no recipe says how."""
    snapshot, marketplace = purchase.snapshot, purchase.listing.marketplace
    recipe = KINDS[marketplace.kind].checkout
    if recipe is None:
        return None
    price = None
    if snapshot.amount is not None and snapshot.currency is not None:
        price = Money(snapshot.amount, snapshot.currency)
    return Wanted(
        url=purchase.listing.url,
        kind=marketplace.kind,
        marketplace_id=marketplace.id,
        title=snapshot.title,
        seller=snapshot.seller.name if snapshot.seller else None,
        price=price,
        limit=purchase.limit,
        recipe=recipe,
        mode=marketplace.mode,
    )
