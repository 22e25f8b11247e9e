"""A buyer's account at a bazaar, whose login is stored for the persona P-1."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx

from crawler.browsing.sessions import keep_login
from purchases.personas import EXAMPLE
from registry.database import Database
from registry.models import Assessment, Brand, Listing, Marketplace, Plan, Seller, Snapshot
from registry.secrets import open_vault
from registry.settings import Settings
from tests.servers import Bazaar

PASSWORD = "a long password"


@dataclass(frozen=True)
class Thing:
    """A listing of the bazaar that somebody proposed to buy."""

    assessment_id: UUID
    path: str
    title: str


@dataclass(frozen=True)
class Offer:
    """A listing of the bazaar, as its search shows it."""

    path: str
    title: str
    price: str


def things(shop: Bazaar) -> list[Offer]:
    """What the bazaar sells for euros."""
    rows: list[dict[str, Any]] = httpx.get(f"{shop.url}api/search?q=").json()["rows"]
    found = [Offer(row["url"], row["title"], row["price"]) for row in rows]
    return [one for one in found if one.price.startswith("€")]


def offered(database: Database, shop: Bazaar, number: int = 0) -> Thing:
    """A flagged assessment of a listing that the bazaar really has."""
    row = things(shop)[number]
    page = httpx.get(shop.url.rstrip("/") + row.path).text
    seller = re.search(r'<a[^>]*href="/seller/([^"]+)"[^>]*>([^<]+)<', page)
    assert seller is not None
    amount = Decimal(re.sub(r"[^\d,]", "", row.price).replace(",", "."))
    with database.writing() as session:
        brand = Brand(slug=f"velaro-{number}", name="Velaro", owner="V")
        market = Marketplace(
            name=f"m{number}", kind="bazaar", url=shop.url, mode="automatic", mode_by="Ann Admin"
        )
        plan = Plan(
            name=f"p{number}", brand=brand, marketplaces=[market], queries=["q"], browse=[],
            threshold=0.6, max_pages=9,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        listing = Listing(
            marketplace_id=market.id, external_id=row.path.split("/")[2],
            url=shop.url.rstrip("/") + row.path,
        )  # fmt: skip
        who = Seller(marketplace_id=market.id, external_id=seller[1], name=seller[2].strip())
        session.add_all([listing, who])
        session.flush()
        snapshot = Snapshot(
            listing_id=listing.id, seller_id=who.id, content_sha256="0" * 64, title=row.title,
            description="", amount=amount, currency="EUR",
        )  # fmt: skip
        session.add(snapshot)
        session.flush()
        assessment = Assessment(
            snapshot_id=snapshot.id, plan_id=plan.id, brand_id=brand.id, score=0.9,
            threshold=0.6, flagged=True, result={"signals": []}, inputs={},
        )  # fmt: skip
        session.add(assessment)
        session.flush()
        return Thing(assessment.id, row.path, row.title)


def sign_in(shop: Bazaar) -> httpx.Client:
    """Open a new account, and be signed in to it."""
    client = httpx.Client(base_url=shop.url, follow_redirects=True)
    page = client.get("/account/sign-in").text
    answer = client.post(
        "/account/sign-in",
        data={
            "csrf": _csrf(page),
            "email": f"{uuid4().hex}@example.com",
            "password": PASSWORD,
            "new": "yes",
        },
    )
    assert answer.url.path == "/account/orders"
    return client


def cookie(shop: Bazaar, token: str) -> dict[str, Any]:
    """What a browser has of a login, as Playwright keeps it."""
    return {
        "name": "bazaar_account", "value": token, "path": "/", "expires": -1, "httpOnly": True,
        "domain": urlsplit(shop.url).hostname, "secure": False, "sameSite": "Lax",
    }  # fmt: skip


def store_login(
    database: Database, settings: Settings, shop: Bazaar, client: httpx.Client | None = None
) -> None:
    """Keep a browser's login as that of the persona; one that has run out, without a client."""
    token = "run out" if client is None else client.cookies["bazaar_account"]
    with database.writing() as session:
        for market in session.query(Marketplace):
            storage = {"cookies": [cookie(shop, token)], "origins": []}
            keep_login(session, open_vault(settings), market.id, "P-1", storage, "a test")


def order_by_hand(client: httpx.Client, thing: Thing | Offer) -> str:
    """Order it with a browser that nobody else knows of; the order's number."""
    token = _csrf(client.get(thing.path).text)
    client.post("/cart/add", data={"csrf": token, "listing": thing.path.split("/")[2]})
    address = {key: str(value) for key, value in EXAMPLE.fields().items()}
    client.post("/checkout/address", data={"csrf": token, **address})
    client.post("/checkout/shipping", data={"csrf": token, "shipping": "standard"})
    client.post("/checkout/payment", data={"csrf": token, "payment": "invoice"})
    page = client.post("/checkout/place", data={"csrf": token}).text
    found = re.search(r"B-\d{8}", page)
    assert found is not None
    return found[0]


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def listed(client: httpx.Client) -> list[str]:
    """The order numbers that the account's list shows."""
    return re.findall(r'class="number">(B-\d{8})<', client.get("/account/orders").text)
