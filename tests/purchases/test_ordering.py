"""Ordering in a real browser: at most once, whatever the shop or the machine does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from purchases import modes, ordering, proposals
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Capture, Job, Purchase
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.conftest import Shop, flagged

OpenShop = Callable[[str], Shop]


def assigned(database: Database, settings: Settings, shop: Shop, mode: str = "automatic") -> UUID:
    assessment_id = flagged(database, shop.url, mode=mode)
    return staff.approved_and_assigned(database, settings, assessment_id)


def run(database: Database, settings: Settings, blobs: Blobs) -> None:
    """Work off the purchase's job as a worker does."""
    with database.writing() as session:
        job_id = session.scalars(select(Job.id).where(Job.state == "queued")).one()
        claim = jobs.claim(session, job_id, "worker", 60)
    assert claim is not None
    ordering.purchase_job(jobs.Hold(database, claim, 60), settings, blobs)


def look(database: Database, purchase_id: UUID) -> Purchase:
    with database.reading() as session:
        return session.scalars(select(Purchase).where(Purchase.id == purchase_id)).one()


@pytest.mark.parametrize(
    ("mode", "state", "orders"),
    [
        ("normal", "ordered", 1),
        ("slow", "ordered", 1),
        ("close", "ordered", 1),
        ("beacon", "ordered", 1),
        ("drop", "outcome_unclear", 1),
        ("cut", "outcome_unclear", 1),
        ("error", "outcome_unclear", 1),
        ("spin", "outcome_unclear", 1),
        ("dearer", "stopped", 0),
        ("other", "stopped", 0),
        ("gone", "stopped", 0),
    ],
)
def test_what_comes_of_it(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    open_shop: OpenShop,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    state: str,
    orders: int,
) -> None:
    # How long a confirmation is waited for; the slow shop takes 3 seconds.
    monkeypatch.setattr("purchases.buying.outcome.OUTCOME_SECONDS", 8.0)
    monkeypatch.setattr("purchases.buying.walking.STEP_MILLISECONDS", 4_000)
    if mode == "spin":
        monkeypatch.setattr("evidence.capturing.recorder.STEP_SECONDS", 6.0)
    shop = open_shop(mode)
    purchase_id = assigned(database, settings, shop)
    run(database, settings, blobs)
    purchase = look(database, purchase_id)
    assert (purchase.state, shop.orders()) == (state, orders), purchase.note
    assert (purchase.clicked_at is not None) is (orders > 0)
    assert purchase.order_number == ("B-1" if state == "ordered" else None)
    if state != "ordered":
        assert purchase.note
    with database.reading() as session:
        capture = session.scalars(select(Capture)).one()
        assert capture.purchase_id == purchase_id
    # The job is done, and another message about it changes nothing.
    with database.reading() as session:
        assert [job.state for job in session.scalars(select(Job))] == ["done"]


def test_a_page_that_orders_twice_by_itself_orders_once_at_most(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    open_shop: OpenShop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which of its requests is first is the browser's to say, and whether the form's cuts it off.

    If it is the script's that leaves, the page that confirms the order is never seen.
    """
    monkeypatch.setattr("purchases.buying.outcome.OUTCOME_SECONDS", 8.0)
    shop = open_shop("twice")
    purchase_id = assigned(database, settings, shop)
    run(database, settings, blobs)
    purchase = look(database, purchase_id)
    assert purchase.clicked_at is not None
    assert purchase.state in (["outcome_unclear"], ["outcome_unclear", "ordered"])[shop.orders()]


def test_where_an_unclear_order_ended_is_said_without_what_the_address_asks(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    open_shop: OpenShop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("purchases.buying.outcome.OUTCOME_SECONDS", 1.0)
    purchase_id = assigned(database, settings, open_shop("lost"))
    run(database, settings, blobs)
    purchase = look(database, purchase_id)
    assert purchase.state == "outcome_unclear"
    assert purchase.note is not None
    assert purchase.note.endswith("the page was 127.0.0.1/checkout/wait")


def test_a_rehearsal_stops_before_the_click_and_can_be_approved_again(
    database: Database, settings: Settings, blobs: Blobs, open_shop: OpenShop
) -> None:
    shop = open_shop("normal")
    purchase_id = assigned(database, settings, shop, "rehearse")
    run(database, settings, blobs)
    purchase = look(database, purchase_id)
    assert (purchase.state, purchase.clicked_at, shop.orders()) == ("rehearsed", None, 0)
    assert str(purchase.order_amount) == "40.00"
    with database.writing() as session:
        modes.set_mode(session, "m", "automatic", "Ann Admin")
        proposals.approve(session, purchase_id, "Ada Lovelace")
        staff.assign(session, settings, purchase_id)
    run(database, settings, blobs)
    assert (look(database, purchase_id).state, shop.orders()) == ("ordered", 1)


@pytest.mark.parametrize("late", [False, True], ids=["before the click", "after the click"])
def test_a_killed_buyer_never_orders_twice(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    open_shop: OpenShop,
    late: bool,
) -> None:
    shop = open_shop("hang" if late else "normal")
    purchase_id = assigned(database, settings, shop)
    buyer = subprocess.Popen(
        [sys.executable, "-m", "tests.purchases.buyer"],
        env={
            **os.environ,
            "TOUCHSTONE_DATA_DIR": str(settings.data_dir),
            "TOUCHSTONE_DATABASE_URL": settings.database,
            "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        },
        start_new_session=True,
    )
    deadline = time.monotonic() + 60

    def there() -> bool:
        return shop.orders() > 0 if late else look(database, purchase_id).state == "ordering"

    while not there() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(buyer.pid, signal.SIGKILL)
    buyer.wait()
    assert look(database, purchase_id).state == "ordering"
    assert shop.orders() == int(late)

    # The sweeper gives the job to another worker.
    with database.writing() as session:
        job = session.scalars(select(Job)).one()
        assert job.lease_until is not None
        job.lease_until = job.created_at
    with database.writing() as session:
        assert jobs.sweep(session, 30).lost == 1
    run(database, settings, blobs)
    purchase = look(database, purchase_id)
    assert shop.orders() == 1
    assert purchase.state == ("outcome_unclear" if late else "ordered")


def test_two_workers_with_the_same_job_order_once(
    database: Database, settings: Settings, blobs: Blobs, open_shop: OpenShop
) -> None:
    shop = open_shop("normal")
    purchase_id = assigned(database, settings, shop)
    with database.writing() as session:
        job_id = session.scalars(select(Job.id)).one()
        first = jobs.claim(session, job_id, "one", -1)
        jobs.sweep(session, 30)
        second = jobs.claim(session, job_id, "two", 60)
    assert first is not None
    assert second is not None
    ordering.purchase_job(jobs.Hold(database, second, 60), settings, blobs)
    with pytest.raises(jobs.LeaseLost):
        ordering.purchase_job(jobs.Hold(database, first, 60), settings, blobs)
    assert (look(database, purchase_id).state, shop.orders()) == ("ordered", 1)
