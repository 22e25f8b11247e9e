"""Listings made by us after the structure of each marketplace's layouts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crawler.marketplaces.reading import read_page
from registry.money import Money
from tests.crawler.marketplaces.made import Made, asian, large, shops

PAGES = [*large.PAGES, *asian.PAGES, *shops.PAGES]


def _money(text: str | None) -> Money | None:
    if text is None:
        return None
    amount, currency = text.split()
    return Money(Decimal(amount), currency)


@pytest.mark.parametrize("made", PAGES, ids=lambda made: made.name)
def test_a_listing_is_read(made: Made) -> None:
    body = made.html.encode(made.encoding)
    read = read_page(body, made.url, kind=made.kind, what="listing")
    assert read.outcome == "listing", read.why
    assert read.title == made.title
    assert read.money == _money(made.money)
    assert (read.seller.name if read.seller else None) == made.seller
    if made.image is not None:
        assert read.images, "no picture"
        assert read.images[0].endswith(made.image)
    if made.availability is not None:
        assert read.availability == made.availability
    if made.brand is not None:
        assert read.brand == made.brand
    if made.ships_from is not None:
        assert read.ships_from == made.ships_from
    if made.condition is not None:
        assert read.condition == made.condition
