"""A thousand purchases under SIGKILL, cut connections, errors and workers with the same job.

As many as it takes for each fault at each place over both databases; `make faults` runs more
of them.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from sqlalchemy import select

from registry.database import Database
from registry.models import Purchase
from registry.settings import Settings
from tests.conftest import REDIS, demand
from tests.purchases.faults import drawing, reckoning
from tests.purchases.faults.shop import Orders, Shop, Ware
from tests.purchases.faults.striking import Striker
from tests.purchases.faults.trial import Trial, price

PURCHASES = int(os.environ.get("TOUCHSTONE_TEST_PURCHASES", 2 * drawing.LEAST)) // 2
SEED = int(os.environ.get("TOUCHSTONE_TEST_SEED", "6"))


def test_each_cell_is_drawn_once_between_the_halves() -> None:
    drawn = [
        (cell.place, cell.fault)
        for half in (0, 1)
        for cell in drawing.draw(drawing.LEAST, SEED, half)
        if cell is not None
    ]
    assert set(drawn) == set(drawing.CELLS)


@pytest.fixture
def namespace() -> Iterator[str]:
    """Keys in Redis that are gone at the end."""
    name = f"test-{uuid4().hex[:12]}"
    yield name
    with redis.Redis.from_url(REDIS) as client:
        if keys := list(client.scan_iter(f"{name}:*")):
            client.delete(*keys)


def test_no_purchase_is_ordered_twice_and_none_is_lost(
    database: Database, settings: Settings, tmp_path: Path, namespace: str
) -> None:
    half = int(database.backend == "postgresql")
    cells = drawing.draw(PURCHASES, SEED, half)
    wares = [Ware(number, price(number), cell) for number, cell in enumerate(cells, 1)]
    settings = settings.model_copy(
        update={
            "worker_threads": 1,
            "lease_seconds": 5.0,
            "handover_seconds": 1.0,
            "broker_namespace": namespace,
            "broker_url": demand("redis", REDIS),
        }
    )
    striker = Striker(database)
    table = Orders(tmp_path / "orders.db")
    shop = Shop(table, wares, striker)
    began = time.monotonic()
    with shop.open():
        trial = Trial(settings, database, shop, striker)
        trial.run(wares)
    orders = table.by_ware()
    seconds = time.monotonic() - began
    print(told(database, wares, trial, striker, orders, seconds))

    assert list(reckoning.wrong(database, trial.bought, orders)) == []
    if PURCHASES >= drawing.LEAST:
        # A shop that sold nothing, and faults that befell nobody, would tell nothing.
        assert set(reckoning.states(database)) == {"ordered", "outcome_unclear", "stopped"}
        befallen = [ware for ware in wares if ware.cell is not None]
        assert sum(ware.struck for ware in befallen) > 0.9 * len(befallen)
        assert trial.died > 0
        assert striker.shared

    # Reserved is what may be owed, until it is known; then what the shop took is spent.
    with database.reading() as session:
        limits = reckoning.reserved(session)
    assert reckoning.accounts(database) == {
        "budget": -limits, "reserved": limits, "spent": Decimal(0),
    }  # fmt: skip
    reckoning.settle(database, trial.bought, orders)
    sold = sum((total for found in orders.values() for _, total in found), Decimal(0))
    assert reckoning.accounts(database) == {
        "budget": -sold, "reserved": Decimal(0), "spent": sold,
    }  # fmt: skip
    assert set(reckoning.states(database)) <= {"paid", "failed", "stopped"}
    assert reckoning.custody(database, settings) == []


def told(
    database: Database,
    wares: list[Ware],
    trial: Trial,
    striker: Striker,
    orders: reckoning.Orders,
    seconds: float,
) -> str:
    """What happened, in a few lines; `make faults` shows them."""
    with database.reading() as session:
        state = {row.id: row.state for row in session.scalars(select(Purchase))}
    ends: Counter[tuple[str, str]] = Counter()
    for ware in wares:
        fault = "none" if ware.cell is None else ware.cell.fault
        end = state[trial.bought[ware.number]]
        ends[fault, f"{end}, in the shop: {len(orders.get(ware.number, []))}"] += 1
    struck = sum(ware.struck for ware in wares)
    lines = [
        f"{database.backend}: {len(wares)} purchases, seed {SEED}, {struck} struck, "
        f"{trial.died} workers killed, {len(striker.shared)} with two workers at once, "
        f"{sum(map(len, orders.values()))} orders in the shop, {seconds:.0f} s",
        *(f"  {fault:13} {number:4} {end}" for (fault, end), number in sorted(ends.items())),
    ]
    return "\n" + "\n".join(lines)
