"""The outbox: what is written once ends once, whoever dies in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from registry import jobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Job
from registry.models.base import utcnow


def put(database: Database, key: str | None = None) -> Job:
    with database.writing() as session:
        job_id = jobs.enqueue(session, "assess", {"n": 1}, key=key)
        assert job_id is not None
    with database.reading() as session:
        return session.get_one(Job, job_id)


def claim(database: Database, job: Job, lease_seconds: float = 60) -> jobs.Claim | None:
    with database.writing() as session:
        return jobs.claim(session, job.id, "worker", lease_seconds)


def state(database: Database, job: Job) -> Job:
    with database.reading() as session:
        return session.scalars(select(Job).where(Job.id == job.id)).one()


def make_due(database: Database, job: Job) -> None:
    with database.writing() as session:
        session.execute(update(Job).where(Job.id == job.id).values(available_at=utcnow()))


def test_a_job_lives_and_dies_with_its_fact(database: Database) -> None:
    def fact_that_fails() -> None:
        with database.writing() as session:
            jobs.enqueue(session, "assess", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fact_that_fails()
    with database.reading() as session:
        assert session.scalars(select(Job)).all() == []


def test_a_key_is_used_once_whatever_became_of_it(database: Database) -> None:
    job = put(database, key="assess:1")
    with database.writing() as session:
        assert jobs.enqueue(session, "assess", {}, key="assess:1") is None
    held = claim(database, job)
    assert held is not None
    with database.writing() as session:
        jobs.finish(session, held)
    with database.writing() as session:
        assert jobs.enqueue(session, "assess", {}, key="assess:1") is None


def test_only_one_worker_gets_a_job(database: Database) -> None:
    job = put(database)
    assert claim(database, job) is not None
    assert claim(database, job) is None


def test_a_silent_worker_loses_its_job_and_may_write_nothing(database: Database) -> None:
    job = put(database)
    slow = claim(database, job, lease_seconds=-1)
    assert slow is not None
    with database.writing() as session:
        assert jobs.sweep(session, 30) == jobs.Swept(forgotten=0, lost=1, dead=[])
    quick = claim(database, job)
    assert quick is not None
    assert quick.fence > slow.fence

    hold = jobs.Hold(database, slow, 60)
    with pytest.raises(jobs.LeaseLost), hold.finishing({"by": "slow"}) as session:
        jobs.enqueue(session, "capture", {}, key="of the slow one")
    with jobs.Hold(database, quick, 60).finishing({"by": "quick"}) as session:
        jobs.enqueue(session, "capture", {}, key="of the quick one")

    with database.reading() as session:
        keys = session.scalars(select(Job.key).where(Job.kind == "capture")).all()
    assert keys == ["of the quick one"]
    ended = state(database, job)
    assert (ended.state, ended.result) == ("done", {"by": "quick"})


def test_a_late_failure_of_a_lost_job_changes_nothing(database: Database) -> None:
    job = put(database)
    slow = claim(database, job, lease_seconds=-1)
    assert slow is not None
    with database.writing() as session:
        jobs.sweep(session, 30)
    assert claim(database, job) is not None
    with database.writing() as session:
        jobs.fail(session, slow, "late")
    assert state(database, job).state == "running"


def test_a_forgotten_message_is_handed_over_again(database: Database) -> None:
    job = put(database)
    with database.writing() as session:
        jobs.mark_handed_over(session, [job.id])
    with database.writing() as session:
        assert jobs.awaiting_handover(session, ["assess"]) == []
        session.execute(update(Job).values(handed_over_at=utcnow() - timedelta(seconds=31)))
    with database.writing() as session:
        assert jobs.sweep(session, 30).forgotten == 1
        assert jobs.awaiting_handover(session, ["assess"]) == [(job.id, "assess")]


def test_failures_back_off_then_end_dead_then_a_person_requeues(database: Database) -> None:
    job = put(database)
    pauses = []
    for attempt in range(jobs.MAX_FAILURES):
        make_due(database, job)
        held = claim(database, job)
        assert held is not None
        assert held.failures == attempt
        with database.writing() as session:
            dead = jobs.fail(session, held, "ValueError: broken")
        after = state(database, job)
        assert dead == (attempt == jobs.MAX_FAILURES - 1)
        if not dead:
            assert claim(database, job) is None, "not due yet"
            pauses.append((after.available_at - utcnow()).total_seconds())
    assert pauses == sorted(pauses)
    assert after.state == "dead"
    assert after.error == "ValueError: broken"

    with database.writing() as session:
        jobs.requeue(session, job.id)
    again = claim(database, job)
    assert again is not None
    assert again.failures == 0


def test_a_job_that_kills_its_workers_does_not_go_round_for_ever(database: Database) -> None:
    job = put(database)
    for _ in range(jobs.MAX_LOSSES):
        assert claim(database, job, lease_seconds=-1) is not None
        with database.writing() as session:
            jobs.sweep(session, 30)
    ended = state(database, job)
    assert ended.state == "dead"
    assert ended.losses == jobs.MAX_LOSSES


@pytest.mark.parametrize("missing", [True, False])
def test_only_a_dead_job_is_requeued(database: Database, missing: bool) -> None:
    job = put(database)
    if missing:
        with database.writing() as session:
            session.delete(session.get_one(Job, job.id))
    with pytest.raises(TouchstoneError), database.writing() as session:
        jobs.requeue(session, job.id)


def test_a_long_queue_is_handed_over_by_and_by(database: Database) -> None:
    with database.writing() as session:
        for _ in range(8):
            jobs.enqueue(session, "assess", {})
        jobs.enqueue(session, "capture", {})
    with database.writing() as session:
        first = jobs.awaiting_handover(session, ["assess", "capture"], window=5)
        assert [kind for _, kind in first] == ["assess"] * 5 + ["capture"]
        jobs.mark_handed_over(session, [job_id for job_id, _ in first])
    with database.reading() as session:
        assert jobs.awaiting_handover(session, ["assess", "capture"], window=5) == []
        assert len(jobs.awaiting_handover(session, ["assess"], window=7)) == 2


def test_a_job_given_back_costs_no_try(database: Database) -> None:
    job = put(database)
    held = claim(database, job)
    assert held is not None
    with database.writing() as session:
        jobs.give_back(session, held)
    again = claim(database, job)
    assert again is not None
    assert (again.failures, state(database, job).losses) == (0, 0)
