"""An account at a real shop: ordered signed in, found again in its list of orders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from parsel import Selector
from sqlalchemy import select

from crawler.browsing.sessions import keep_login
from crawler.marketplaces import KINDS
from evidence.signing.signer import open_signer
from purchases import ordering, orders
from purchases.reconciling.lists import read_orders
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import (
    Assessment,
    Brand,
    Job,
    Listing,
    Marketplace,
    Plan,
    Purchase,
    Snapshot,
)
from registry.models.base import utcnow
from registry.secrets import open_vault
from registry.settings import Settings
from tests.oscar_shop import Shop, start
from tests.purchases import staff


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database: it is the shop that is tried here."""
    return sqlite_url


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with start(tmp_path / "oscar", products=20) as shop:
        yield shop


def register(shop: Shop) -> httpx.Client:
    """Open an account; whoever does is signed in."""
    client = httpx.Client(base_url=shop.url, follow_redirects=True, timeout=60)
    page = Selector(client.get("/accounts/login/").text)
    token = page.css("#register_form input[name=csrfmiddlewaretoken]::attr(value)").get("")
    answer = client.post(
        "/accounts/login/",
        data={
            "csrfmiddlewaretoken": token, "registration-email": "buyer@example.com",
            "registration-password1": "correct horse staple",
            "registration-password2": "correct horse staple", "registration_submit": "Register",
            "registration-redirect_url": "",
        },
    )  # fmt: skip
    assert answer.url.path != "/accounts/login/", re.findall("<li>[^<]*error[^<]*", answer.text)
    return client


def proposed(database: Database, settings: Settings, shop: Shop, client: httpx.Client) -> str:
    """A purchase of a listing of the shop, by a persona with a login there; its title."""
    page = Selector(client.get("/search/?q=velaro+replica").text)
    link = page.css("article.product_pod h3 a")[0].attrib
    url = urljoin(shop.url, link["href"])
    price = Selector(client.get(url).text).css(".product_main > .price_color::text").get("")
    cookies = [
        {
            "name": one.name, "value": one.value, "path": "/", "expires": -1, "httpOnly": True,
            "domain": urlsplit(shop.url).hostname, "secure": False, "sameSite": "Lax",
        }
        for one in client.cookies.jar
    ]  # fmt: skip
    with database.writing() as session:
        brand = Brand(slug="velaro", name="Velaro", owner="V")
        market = Marketplace(
            name="oscar", kind="oscar", url=shop.url, mode="automatic", mode_by="Ann Admin"
        )
        plan = Plan(
            name="p", brand=brand, marketplaces=[market], queries=["q"], browse=[],
            threshold=0.6, max_pages=9,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        listing = Listing(marketplace_id=market.id, external_id="1", url=url)
        session.add(listing)
        session.flush()
        snapshot = Snapshot(
            listing_id=listing.id, content_sha256="0" * 64, title=link["title"], description="",
            amount=Decimal(price.strip("£")), currency="GBP",
        )  # fmt: skip
        session.add(snapshot)
        session.flush()
        assessment = Assessment(
            snapshot_id=snapshot.id, plan_id=plan.id, brand_id=brand.id, score=0.9,
            threshold=0.6, flagged=True, result={"signals": []}, inputs={},
        )  # fmt: skip
        session.add(assessment)
        session.flush()
        storage = {"cookies": cookies, "origins": []}
        keep_login(session, open_vault(settings), market.id, "P-1", storage, "a test")
        assessment_id = assessment.id
    staff.approved_and_assigned(database, settings, assessment_id)
    return link["title"]


def test_an_order_with_an_account_is_in_its_list(
    database: Database, settings: Settings, blobs: Blobs, shop: Shop, tmp_path: Path
) -> None:
    client = register(shop)
    title = proposed(database, settings, shop, client)
    client.close()
    with database.writing() as session:
        claim = jobs.claim(session, session.scalars(select(Job.id)).one(), "worker", 300)
    assert claim is not None
    ordering.purchase_job(jobs.Hold(database, claim, 300), settings, blobs)
    with database.reading() as session:
        purchase = session.scalars(select(Purchase)).one()
        assert (purchase.state, purchase.note) == ("ordered", None)
        login = orders.login_of(session, open_vault(settings), purchase)
        assert login is not None
        number, total = purchase.order_number, purchase.order_amount
    recipe = KINDS["oscar"].checkout
    assert recipe is not None
    read = read_orders(
        shop.url, recipe, login, utcnow() - timedelta(hours=1), settings=settings,
        folder=tmp_path, signer=open_signer(settings), circumstances={"operator": "tester"},
    )  # fmt: skip
    assert read.problem is None
    (listed,) = read.orders
    assert (listed.number, listed.title) == (number, title)
    assert listed.total is not None
    assert (listed.total.amount, listed.total.currency) == (total, "GBP")
    assert listed.at is not None
    assert abs(listed.at - utcnow()) < timedelta(minutes=10)
    assert [order.number for order in shop.orders()] == [number]
