"""Pages saved from real marketplaces: title, price, currency, picture, seller, card by card."""

from __future__ import annotations

from functools import lru_cache

import pytest

from crawler.marketplaces.reading import PageRead, read_page
from tests.crawler.marketplaces.saved import (
    ABSENT,
    DATA,
    FIELDS,
    INDEX,
    SavedPage,
    right,
    saved_pages,
)

pytestmark = pytest.mark.skipif(not INDEX.is_file(), reason=ABSENT)

PRODUCTS, RESULTS = saved_pages("product"), saved_pages("listing")
LEAST = 0.95
#: Saved before its pictures were there.
NOT_LOADED = frozenset(("lazada_ph_search",))
#: Cards that are there only as samples, hidden, on eBay: the index counts them.
SAMPLES = {"ebay_search_switch_ja": 2}


@lru_cache
def read_saved(page: SavedPage) -> PageRead:
    return read_page(page.body)


def test_the_folder_holds_what_its_index_says() -> None:
    assert len(PRODUCTS) >= 11, "fewer product pages than when this was written"
    assert len(RESULTS) >= 5
    missing = [
        p.name for p in PRODUCTS + RESULTS if not (DATA / "pages" / f"{p.name}.html.gz").is_file()
    ]
    assert not missing


@pytest.mark.parametrize("page", PRODUCTS, ids=lambda page: page.name)
def test_a_saved_listing_is_read(page: SavedPage) -> None:
    read = read_saved(page)
    assert read.outcome == "listing"
    wrong = [name for name, ok in right(page, read).items() if not ok]
    assert not wrong, f"{page.name}: {wrong} wrong: read {read}, true is {page.truth}"


def test_the_share_of_fields_that_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    marks = {page.name: right(page, read_saved(page)) for page in PRODUCTS}
    shares = {}
    with capsys.disabled():
        print(f"\n{'field':14}right of shown")
        for name in FIELDS:
            said = [found[name] for found in marks.values() if name in found]
            shares[name] = sum(said) / len(said)
            print(f"{name:14}{sum(said):5} of {len(said)}")
    assert all(share >= LEAST for share in shares.values()), shares


@pytest.mark.parametrize("page", RESULTS, ids=lambda page: page.name)
def test_a_saved_page_of_results_is_read(page: SavedPage) -> None:
    read = read_saved(page)
    count = page.truth["cards"]
    if count is None:
        assert (read.outcome, read.cards) == ("empty", ())
        return
    assert len(read.cards) == count - SAMPLES.get(page.name, 0)
    assert len({card.url for card in read.cards}) == len(read.cards)
    assert all(card.url.startswith("https://") for card in read.cards)
    assert sum(bool(card.name) for card in read.cards) == len(read.cards)
    priced = sum(card.money is not None for card in read.cards)
    assert priced >= 0.9 * len(read.cards), "some say that they are not to be had, and no price"
    if page.name not in NOT_LOADED:
        assert sum(bool(card.image) for card in read.cards) == len(read.cards)


def test_sponsored_places_are_told_from_the_others() -> None:
    by_name = {page.name: page for page in RESULTS}
    for name in ("ebay_search_switch_ja", "amazon_search_laptop", "mercadolibre_mx_search"):
        cards = read_saved(by_name[name]).cards
        paid = sum(card.sponsored for card in cards)
        assert 0 < paid < len(cards) / 2, f"{name}: {paid} of {len(cards)}"
