"""So many purchases, fed to workers that are killed, until every job has ended."""

from __future__ import annotations

import time
from contextlib import closing
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from purchases import proposals
from registry.database import Database
from registry.models import (
    Assessment,
    Brand,
    Job,
    Listing,
    Marketplace,
    Plan,
    Seller,
    Snapshot,
)
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.faults.processes import Workers, left
from tests.purchases.faults.shop import Shop, Ware
from tests.purchases.faults.striking import Striker

WORKERS = 5
#: So many purchases are in hand at a time: a worker is free for what must be had by two.
AT_ONCE = 4
#: Seconds for each purchase after which something hangs, long after it should have ended.
PATIENCE_SECONDS = 60.0


class Trial:
    """One database, one shop, some workers.

    Attributes
    ----------
    bought
        Ware → its purchase.
    died
        How many workers were killed.
    """

    def __init__(
        self, settings: Settings, database: Database, shop: Shop, striker: Striker
    ) -> None:
        self.settings = settings
        self.database = database
        self.bought: dict[int, UUID] = {}
        self.died = 0
        self._shop = shop
        self._striker = striker

    def run(self, wares: list[Ware]) -> None:
        """Buy them all."""
        with self.database.writing() as session:
            self._market(session)
        waiting = list(reversed(wares))
        deadline = time.monotonic() + PATIENCE_SECONDS * (1 + len(wares) / AT_ONCE)
        workers = Workers(self.settings, WORKERS)
        with closing(workers):
            while waiting or self._live():
                while waiting and self._live() < AT_ONCE:
                    self._assign(waiting.pop())
                workers.tend()
                if time.monotonic() > deadline:
                    pytest.fail(f"in vain waited for the end of {self._live()} purchases")
                time.sleep(0.1)
            assert set(workers.end()) == {0}, "a worker did not end when it was asked to"
        self.died = workers.died
        assert not left(self._striker.browsers, 30), "a browser outlived its worker"

    def _live(self) -> int:
        """How many purchases a worker has or will have in hand."""
        with self.database.reading() as session:
            live = select(func.count()).where(
                Job.kind == "purchase", Job.state.in_(("queued", "running"))
            )
            return session.scalar(live) or 0

    def _market(self, session: Session) -> None:
        brand = Brand(slug="velaro", name="Velaro", owner="V")
        market = Marketplace(
            name="m", kind="bazaar", url=self._shop.url, mode="automatic", mode_by="Ann Admin"
        )
        plan = Plan(
            name="p", brand=brand, marketplaces=[market], queries=["q"], browse=[],
            threshold=0.6, max_pages=9,
        )  # fmt: skip
        session.add(plan)

    def _assign(self, ware: Ware) -> None:
        """Have a listing found, flagged, approved and assigned, as people do it."""
        with self.database.writing() as session:
            plan = session.scalars(select(Plan)).one()
            market_id = plan.marketplaces[0].id
            listing = Listing(
                marketplace_id=market_id, external_id=str(ware.number),
                url=f"{self._shop.url}item/{ware.number}/tote",
            )  # fmt: skip
            seller = Seller(
                marketplace_id=market_id, external_id=str(ware.number), name=ware.seller
            )
            session.add_all([listing, seller])
            session.flush()
            snapshot = Snapshot(
                listing_id=listing.id, seller_id=seller.id, content_sha256="0" * 64,
                title=ware.title, description="", amount=ware.price, currency="EUR",
            )  # fmt: skip
            session.add(snapshot)
            session.flush()
            assessment = Assessment(
                snapshot_id=snapshot.id, plan_id=plan.id, brand_id=plan.brand_id, score=0.9,
                threshold=0.6, flagged=True, result={"signals": []}, inputs={},
            )  # fmt: skip
            session.add(assessment)
            session.flush()
            purchase = proposals.propose(session, assessment)
            assert purchase is not None
            proposals.approve(session, purchase.id, "Ada Lovelace")
            staff.assign(session, self.settings, purchase.id)
            job_id = session.scalars(
                select(Job.id).where(Job.kind == "purchase").order_by(Job.id.desc()).limit(1)
            ).one()
            # Before the commit: a worker may be at the shop right after it.
            self.bought[ware.number] = purchase.id
            self._striker.know(ware.number, purchase.id, job_id)


def price(number: int) -> Decimal:
    """What a ware costs: odd cents, so that a sum that is right is right to the cent."""
    return Decimal(2000 + number * 137 % 1999) / 100


def unfinished(database: Database) -> list[str]:
    """Jobs of any kind that did not end well."""
    with database.reading() as session:
        rows = session.scalars(select(Job).where(Job.state != "done"))
        return [f"{job.kind} {job.id} is {job.state}: {job.error}" for job in rows]
