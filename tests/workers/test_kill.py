"""SIGKILL at any point, again and again: every job ends once, and no order goes out twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from registry.models import Assessment, Persona, Purchase, Snapshot
from registry.models.base import utcnow
from tests.purchases import staff
from tests.purchases.conftest import flagged
from tests.workers.conftest import Place, wait_until
from tests.workers.effects import noted
from tests.workers.killable import appended, killable

#: How many jobs wait at the start of each round: more than a worker does before its kill comes.
EFFECTS = 150

#: What the worker has just said when it is killed, and how often it may have said so before.
ROUNDS = (
    *[("ready", 1)] * 3,
    *[("claimed", 12)] * 6,
    *[("written", 8)] * 3,
    *[("intended", 1)] * 2,
    *[("ordered", 1)] * 2,
)


def put_purchase(place: Place) -> tuple[UUID, UUID]:
    """A purchase that was assigned to a buyer, and its job."""
    with place.database.writing() as session:
        first = session.scalars(select(Assessment).order_by(Assessment.id)).first()
        assert first is not None
        snapshot = Snapshot(
            listing_id=first.snapshot.listing_id, content_sha256="0" * 64, title="Tote",
            description="",
        )  # fmt: skip
        session.add(snapshot)
        session.flush()
        assessment = Assessment(
            snapshot_id=snapshot.id, plan_id=first.plan_id, brand_id=first.brand_id, score=0.9,
            threshold=0.6, flagged=True, result={}, inputs={},
        )  # fmt: skip
        session.add(assessment)
        session.flush()
        purchase = Purchase(
            listing_id=snapshot.listing_id, assessment_id=assessment.id,
            snapshot_id=snapshot.id, brand_id=first.brand_id, state="assigned",
            limit_amount=Decimal(40), limit_currency="EUR", requested_by="touchstone",
            approved_by="Ada Lovelace", buyer="Bea Buyer", how="browser", assigned_at=utcnow(),
            persona_id=session.scalars(select(Persona.id)).one(),
        )  # fmt: skip
        session.add(purchase)
        session.flush()
        purchase_id = purchase.id
    (job_id,) = place.put(1, kind="purchase", purchase_id=str(purchase_id))
    return purchase_id, job_id


@pytest.mark.parametrize(
    "parts", [("embedded", "sqlite"), ("redis", "postgresql"), ("amqp", "postgresql")], ids="+".join
)
def test_every_job_ends_once_whoever_is_killed(
    place: Place, parts: tuple[str, str], tmp_path: Path
) -> None:
    # The seed chooses the points; the machine adds its own chance to where exactly they fall.
    chance = random.Random(f"{parts} kills")
    rounds = [(mark, chance.randint(1, most)) for mark, most in ROUNDS]
    chance.shuffle(rounds)
    settings = place.settings.model_copy(update={"lease_seconds": 1.0})

    flagged(place.database)
    settings.data_dir.mkdir(parents=True)
    staff.enter(place.database, settings)
    made: list[UUID] = []
    bought: dict[UUID, UUID] = {}
    kills = 0
    for mark, number in rounds:
        made += place.put(EFFECTS - place.left())
        if mark in ("intended", "ordered"):
            bought.update(put_purchase(place) for _ in range(2))
        with killable(settings, tmp_path) as worker:
            worker.wait_for(mark, number)
            if mark == "ready":
                # It relays and claims its first jobs now.
                time.sleep(chance.uniform(0, 0.4))
            elif mark not in ("intended", "ordered"):
                time.sleep(chance.uniform(0, 0.03))
            kills += worker.kill()
    assert kills == len(rounds)

    # Nobody kills the worker that has these in hand.
    bought.update(put_purchase(place) for _ in range(2))
    with killable(settings, tmp_path) as worker:

        def ended() -> bool:
            worker.drain()
            return not place.left()

        wait_until(ended, "every job's end")
        assert worker.end() == 0

    ends = place.jobs()
    assert {job.state for job in ends.values()} == {"done"}
    assert set(ends) == {*made, *bought.values()}
    assert sum(job.losses for job in ends.values()) > 0, "no kill has hit a job"

    assert noted(place.database) == Counter(made)
    assert set(appended(tmp_path / "outside")) == set(made)

    orders = Counter(appended(tmp_path / "orders"))
    assert set(orders.values()) == {1}, "an order went out twice"
    with place.database.reading() as session:
        rows = session.scalars(select(Purchase)).all()
    assert {purchase.id for purchase in rows} == set(bought)
    # Whatever is said to be ordered was; of what is unclear, both may be true.
    states = {purchase.id: purchase.state for purchase in rows}
    assert set(states.values()) == {"ordered", "outcome_unclear"}
    assert {purchase for purchase, state in states.items() if state == "ordered"} <= set(orders)
