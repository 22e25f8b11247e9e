"""Two who have one purchase: one of them buys, and the other one changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from purchases.buying.guard import Guard
from purchases.ordering import given_up, purchase_job
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Job, Purchase
from registry.models.base import utcnow
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.conftest import Shop, flagged


def two_jobs(
    database: Database, settings: Settings, *, clicked: bool
) -> tuple[UUID, jobs.Hold, jobs.Hold]:
    """A purchase whose first worker stands before its click or after it, and a second job."""
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database))
    with database.writing() as session:
        first = jobs.claim(session, session.scalars(select(Job.id)).one(), "first", 60)
        again = jobs.enqueue(session, "purchase", {"purchase_id": str(purchase_id)})
        assert again is not None
        second = jobs.claim(session, again, "second", 60)
        session.execute(
            update(Purchase).values(state="ordering", clicked_at=utcnow() if clicked else None)
        )
    assert first is not None
    assert second is not None
    return purchase_id, jobs.Hold(database, first, 60), jobs.Hold(database, second, 60)


@pytest.mark.parametrize("clicked", [False, True], ids=["before the click", "after the click"])
def test_the_second_leaves_a_purchase_alone_that_a_worker_has(
    database: Database, settings: Settings, blobs: Blobs, clicked: bool
) -> None:
    purchase_id, _, second = two_jobs(database, settings, clicked=clicked)
    purchase_job(second, settings, blobs)
    with database.reading() as session:
        # The first one waits for what comes of its click: nothing is unclear yet.
        assert session.get_one(Purchase, purchase_id).state == "ordering"
        assert session.get_one(Job, second.claim.job_id).state == "done"


def test_two_who_see_each_other_do_not_both_leave_it(
    database: Database, settings: Settings, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has decided to leave it to the first, which begins only now."""
    purchase_id, first, second = two_jobs(database, settings, clicked=True)
    begun: list[jobs.Hold] = []
    writing = jobs.Hold.writing

    @contextmanager
    def then_the_first(hold: jobs.Hold) -> Iterator[Session]:
        with writing(hold) as session:
            yield session
        if hold is second and not begun:
            begun.append(first)
            purchase_job(first, settings, blobs)

    monkeypatch.setattr(jobs.Hold, "writing", then_the_first)
    purchase_job(second, settings, blobs)
    with database.reading() as session:
        assert session.get_one(Purchase, purchase_id).state == "outcome_unclear"


def test_the_second_is_not_given_up_for_the_first(database: Database, settings: Settings) -> None:
    purchase_id, _, second = two_jobs(database, settings, clicked=True)
    with database.writing() as session:
        given_up(session, second.claim.job_id, "it was lost again and again")
    with database.reading() as session:
        assert session.get_one(Purchase, purchase_id).state == "ordering"


def test_the_second_goes_on_when_the_first_fell_silent(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    purchase_id, first, second = two_jobs(database, settings, clicked=True)
    with database.writing() as session:
        session.get_one(Job, first.claim.job_id).lease_until = utcnow()
    purchase_job(second, settings, blobs)
    with database.reading() as session:
        assert session.get_one(Purchase, purchase_id).state == "outcome_unclear"


def test_who_lost_the_job_after_the_intent_does_not_click(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    open_shop: Callable[[str], Shop],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = open_shop("normal")
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database, shop.url))
    with database.writing() as session:
        claim = jobs.claim(session, session.scalars(select(Job.id)).one(), "frozen", 60)
    assert claim is not None
    click_comes = Guard.click_comes

    async def frozen(self: Guard) -> None:
        """Sleep for so long that another one says that the outcome is unclear."""
        await click_comes(self)
        with database.writing() as session:
            session.get_one(Job, claim.job_id).lease_until = utcnow()
            session.flush()
            jobs.sweep(session, 30)
            successor = jobs.claim(session, claim.job_id, "successor", 60)
        assert successor is not None
        purchase_job(jobs.Hold(database, successor, 60), settings, blobs)

    monkeypatch.setattr(Guard, "click_comes", frozen)
    with pytest.raises(jobs.LeaseLost):
        purchase_job(jobs.Hold(database, claim, 60), settings, blobs)
    with database.reading() as session:
        assert session.get_one(Purchase, purchase_id).state == "outcome_unclear"
    # Somebody may have settled it since, because the shop had no order.
    assert shop.orders() == 0
