"""Shops on the common platforms, crawled by real processes: all of it, and as it is."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from crawler.crawling.watch import watch
from registry.database import Database
from registry.models import Brand, Listing, Marketplace, Plan, Snapshot
from registry.settings import Settings
from tests.crawler.platform_shops import PLATFORMS, SITE, Platform, Shopify, serving

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

#: Three pages of a list, the last of them short.
COUNT = 31


def crawl(
    settings: Settings, database: Database, shop: Platform, browse: str, queries: list[str]
) -> list[Snapshot]:
    """Watch a shop once; what is known of each listing, newest."""
    with database.writing() as session:
        plan = Plan(
            name="bags",
            brand=Brand(slug="velaro", name="Velaro", owner="V"),
            marketplaces=[Marketplace(name="shop", kind=shop.kind, url=shop.url + "/")],
            queries=queries,
            browse=[browse],
            threshold=0.6,
            max_pages=400,
        )
        session.add(plan)
        session.flush()
        plan_id = plan.id
    for _ in watch(settings, database, plan_id):
        pass
    with database.reading() as session:
        assert session.scalars(select(Listing.gone_at)).all() == [None] * COUNT
        return list(
            session.scalars(
                select(Snapshot)
                .order_by(Snapshot.id)
                .options(
                    joinedload(Snapshot.seller),
                    joinedload(Snapshot.listing),
                    selectinload(Snapshot.pictures),
                )
            )
        )


def check(shop: Platform, found: list[Snapshot]) -> None:
    """Hold what was stored against what is true, field by field."""
    assert len(found) == len(shop.products) == COUNT
    by_title = {snapshot.title: snapshot for snapshot in found}
    for product in shop.products:
        snapshot = by_title[product.title]
        assert (snapshot.amount, snapshot.currency) == (product.price, "EUR"), product
        stock = "OutOfStock" if product.sold_out else "InStock"
        assert snapshot.availability == stock, product
        assert snapshot.seller is not None
        assert snapshot.seller.name == SITE
        assert [one.url for one in snapshot.pictures][:1] == [shop.picture(product)], product


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda one: one.kind)
def test_a_shop_is_crawled_whole_and_read_right(
    settings: Settings, database: Database, platform: type[Platform]
) -> None:
    with serving(platform, COUNT) as shop:
        found = crawl(settings, database, shop, shop.browse, ["corsa", "no such thing"])
        check(shop, found)
        # Each page of the shop was asked for once, in however many lists it stands.
        pages = [path for path in shop.asked if not path.startswith("/media/")]
        assert len(pages) == len(set(pages))


def test_a_shopify_shop_is_crawled_by_its_public_json(
    settings: Settings, database: Database
) -> None:
    with serving(Shopify, COUNT) as shop:
        check(shop, crawl(settings, database, shop, "/products.json", []))
