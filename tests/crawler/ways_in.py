"""Brands, plans and runs for the tests of the ways in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from registry.models import Brand, Listing, Mark, Marketplace, Plan, Product, Run


def planned(session: Session, **said: Any) -> Plan:
    """A plan for a brand on one marketplace, by default without queries."""
    brand = Brand(
        slug="velaro",
        name="Velaro",
        owner="V",
        transliterations=["веларо", "维拉罗"],
        nicknames=["vela"],
        product_words=["bag", "包"],
    )
    brand.marks = [Mark(text="VELARO", office="EUIPO", number="1", kind="word", nice_classes=[18])]
    brand.products = [
        Product(sku="T", name="Velaro Aria Tote", gtin="4006381333931", keywords=["aria tote"]),
        Product(sku="B", name="Velaro Linea Belt"),
    ]
    market = Marketplace(name="m", kind="bazaar", url="http://shop.example/")
    plan = Plan(
        name="p",
        brand=brand,
        marketplaces=[market],
        **{"queries": [], "browse": [], "threshold": 0.6, "max_pages": 9, **said},
    )
    session.add(plan)
    session.flush()
    return plan


def run_of(session: Session, plan: Plan, state: str = "running") -> Run:
    """A run of a plan."""
    run = Run(plan_id=plan.id, state=state)
    session.add(run)
    session.flush()
    return run


def listed(session: Session, marketplace_id: UUID, external_id: str) -> Listing:
    """A listing that was seen."""
    listing = Listing(
        marketplace_id=marketplace_id,
        external_id=external_id,
        url=f"http://shop.example/item/{external_id}/x",
    )
    session.add(listing)
    session.flush()
    return listing
