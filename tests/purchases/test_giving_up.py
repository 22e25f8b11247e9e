"""A purchase whose last try failed, and what a basket may show of a title."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import update

from purchases import manual, proposals
from purchases.buying.checking import is_title
from purchases.ordering import purchase_job
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment, Job, Purchase
from registry.models.base import utcnow
from registry.settings import Settings
from tests.purchases import staff
from tests.purchases.conftest import flagged
from tests.workers.conftest import wait_until
from workers.relay import Relay


def claimed(database: Database, settings: Settings, failures: int) -> tuple[UUID, jobs.Hold]:
    """An assigned purchase, and its job with so many failures behind it."""
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database))
    with database.writing() as session:
        (job_id,) = session.scalars(update(Job).values(failures=failures).returning(Job.id))
        claim = jobs.claim(session, job_id, "w", 60)
    assert claim is not None
    return purchase_id, jobs.Hold(database, claim, 60)


@pytest.mark.parametrize(
    ("failures", "state"), [(0, "ordering"), (jobs.MAX_FAILURES - 1, "stopped")]
)
def test_the_last_failure_stops_the_purchase(
    database: Database, settings: Settings, blobs: Blobs, failures: int, state: str
) -> None:
    purchase_id, hold = claimed(database, settings, failures)
    settings.secrets_file.unlink()
    with pytest.raises(TouchstoneError, match=r"secrets\.key"):
        purchase_job(hold, settings, blobs)
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert purchase.state == state
        if state == "stopped":
            assert purchase.note is not None
            assert "secrets.key" in purchase.note
    if state == "stopped":
        # A person may try again; what is left of the old job does nothing.
        purchase_job(hold, settings, blobs)
        with database.writing() as session:
            proposals.approve(session, purchase_id, "Ada Lovelace")


@pytest.mark.parametrize(
    ("before", "clicked", "after"),
    [
        ("assigned", False, "stopped"),
        ("ordering", False, "stopped"),
        ("ordering", True, "outcome_unclear"),
        ("rejected", False, "rejected"),
    ],
)
def test_a_job_that_lost_its_last_worker(
    database: Database, settings: Settings, before: str, clicked: bool, after: str
) -> None:
    purchase_id, hold = claimed(database, settings, 0)
    with database.writing() as session:
        session.execute(update(Job).values(losses=jobs.MAX_LOSSES - 1, lease_until=Job.created_at))
        session.execute(
            update(Purchase).values(state=before, clicked_at=utcnow() if clicked else None)
        )
    relay = Relay(settings, database, lambda *_: None, [])
    relay.start()
    wait_until(lambda: state_of(database, hold.claim.job_id) == "dead", "the sweep")
    relay.stop()
    relay.join()
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert purchase.state == after
        assert (after == before) or (purchase.note or "").startswith("given up: ")


def test_a_dead_job_is_requeued_after_another_approval(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    purchase_id, hold = claimed(database, settings, jobs.MAX_FAILURES - 1)
    old = hold.claim.job_id
    settings.secrets_file.unlink()
    with pytest.raises(TouchstoneError) as failed:
        purchase_job(hold, settings, blobs)
    with database.writing() as session:
        jobs.fail(session, hold.claim, str(failed.value))
        proposals.approve(session, purchase_id, "Ada Lovelace")
        jobs.requeue(session, old)
    with database.writing() as session:
        claim = jobs.claim(session, old, "w", 60)
    assert claim is not None
    purchase_job(jobs.Hold(database, claim, 60), settings, blobs)
    assert state_of(database, old) == "done"
    with database.writing() as session:
        # It waits for the newer job, as it did.
        assert session.get_one(Purchase, purchase_id).state == "approved"


def test_what_was_stopped_can_be_rejected(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    purchase_id, hold = claimed(database, settings, jobs.MAX_FAILURES - 1)
    settings.secrets_file.unlink()
    with pytest.raises(TouchstoneError):
        purchase_job(hold, settings, blobs)
    with database.writing() as session:
        assert proposals.reject(session, purchase_id, "Ada Lovelace").state == "rejected"


def state_of(database: Database, job_id: UUID) -> str:
    with database.reading() as session:
        return session.get_one(Job, job_id).state


def test_a_new_proposal_after_nothing_was_ordered(database: Database, settings: Settings) -> None:
    assessment_id = flagged(database)
    purchase_id = staff.approved_and_assigned(database, settings, assessment_id, by_hand=True)
    with database.writing() as session:
        manual.begin(session, purchase_id, "Bea Buyer")
        manual.tell(session, purchase_id, "Bea Buyer", "outcome_unclear", note="the phone died")
        proposals.settle(session, purchase_id, "Ada Lovelace", ordered=False, note="asked the shop")
        first = session.get_one(Assessment, assessment_id)
        again = Assessment(
            snapshot_id=first.snapshot_id, plan_id=first.plan_id, brand_id=first.brand_id,
            score=0.9, threshold=0.6, flagged=True, result={"signals": []}, inputs={},
        )  # fmt: skip
        session.add(again)
        session.flush()
        assert proposals.propose(session, again) is not None


@pytest.mark.parametrize(
    ("shown", "ok"),
    [
        ("Velaro Aria Tote, navy, with dust bag", True),
        ("Velaro Aria Tote, navy…", True),
        ("Velaro Aria Tote, navy ...", True),
        ("Velaro Aria Tote, navy", False),
        ("Velaro Aria Tote, navy.", False),
        ("V", False),
        ("V…", False),
        ("…", False),
        ("", False),
        ("Another Tote, navy, with…", False),
    ],
)
def test_what_a_basket_shows_of_a_title(shown: str, ok: bool) -> None:
    assert is_title(shown, "Velaro  Aria Tote, navy, with dust bag") is ok
