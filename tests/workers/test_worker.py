"""A worker in this process: every job ends once, whatever the broker does with its message."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from uuid import UUID

import pytest

from registry import jobs
from registry.blobs import Blobs
from registry.settings import Settings
from tests.workers.conftest import Place, wait_until
from tests.workers.effects import note, noted


class Hands:
    """Handlers that remember what they were called for, and wait where they are told to."""

    def __init__(self) -> None:
        self.ran: list[UUID] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.broken = False

    def effect(self, hold: jobs.Hold, _settings: Settings, _blobs: Blobs) -> None:
        self.ran.append(hold.claim.job_id)
        self.go_on.wait()
        if self.broken:
            raise ValueError("the shop\nis closed")
        with hold.finishing({"fence": hold.claim.fence}) as session:
            note(session, hold.claim)


@pytest.fixture
def hands() -> Hands:
    return Hands()


def test_every_job_is_done_once(place: Place, hands: Hands) -> None:
    before = place.put(15)
    with place.working({"effect": hands.effect}):
        after = place.put(15)
        place.wait_for_done()
    assert noted(place.database) == Counter(before + after)
    assert Counter(hands.ran) == Counter(before + after)
    assert {job.result["fence"] for job in place.jobs().values() if job.result} == {1}


def test_a_job_whose_fact_was_rolled_back_never_runs(place: Place, hands: Hands) -> None:
    def fact_that_fails() -> None:
        with place.database.writing() as session:
            jobs.enqueue(session, "effect", {})
            raise RuntimeError

    with place.working({"effect": hands.effect}):
        with pytest.raises(RuntimeError):
            fact_that_fails()
        (later,) = place.put()
        place.wait_for_done()
    assert hands.ran == [later]


def test_a_failing_job_is_retried_then_dead_then_requeued_by_a_person(
    place: Place,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(jobs, "BACKOFF_SECONDS", 0.02)
    hands.broken = True
    (job_id,) = place.put()
    with place.working({"effect": hands.effect}):
        place.wait_for_end()
        dead = place.jobs()[job_id]
        assert (dead.state, dead.failures) == ("dead", jobs.MAX_FAILURES)
        assert dead.error == "ValueError: the shop is closed"
        assert hands.ran == [job_id] * jobs.MAX_FAILURES
        assert not noted(place.database)

        def errors() -> list[str]:
            return [
                record.getMessage()
                for record in caplog.records
                if record.levelno >= logging.ERROR and record.name.startswith("workers")
            ]

        wait_until(lambda: len(errors()) == 1, "one word about it")  # said after it is committed
        (said,) = errors()
        assert f"touchstone job requeue {job_id}" in said
        assert "the shop is closed" in said

        hands.broken = False
        with place.database.writing() as session:
            jobs.requeue(session, job_id)
        place.wait_for_done()
    assert noted(place.database) == Counter([job_id])
    assert place.jobs()[job_id].error is None


def test_a_broker_that_forgets_everything_costs_no_job(place: Place, hands: Hands) -> None:
    hands.go_on.clear()
    made = place.put(30)
    with place.working({"effect": hands.effect}) as worker:
        wait_until(
            lambda: (
                len(hands.ran) == 2
                and all(
                    job.handed_over_at or job.state == "running" for job in place.jobs().values()
                )
            ),
            "all jobs at the broker",
        )
        assert place.lose_messages(worker) > 0
        hands.go_on.set()
        place.wait_for_done()
    assert noted(place.database) == Counter(made)


def test_a_message_that_comes_again_and_again_is_one_job(place: Place, hands: Hands) -> None:
    # One thread works its messages in order: when the last job is done, the copies were seen.
    worker = place.worker({"effect": hands.effect}, worker_threads=1)
    (job_id,) = place.put()
    actor = worker.broker.get_actor("effect_job")
    for _ in range(5):
        actor.send(str(job_id))
    worker.start()
    try:
        place.wait_for_done()
        for _ in range(5):
            actor.send(str(job_id))
        (last,) = place.put()
        place.wait_for_done()
    finally:
        worker.stop(grace_seconds=5)
    assert hands.ran == [job_id, last]
    assert noted(place.database) == Counter([job_id, last])


def test_a_long_job_keeps_its_lease(place: Place) -> None:
    def long(hold: jobs.Hold, settings: Settings, _blobs: Blobs) -> None:
        # Over the lease by more than the sweeper's and the heartbeat's periods.
        threading.Event().wait(settings.lease_seconds * 2)
        with hold.finishing() as session:
            note(session, hold.claim)

    (job_id,) = place.put()
    with place.working({"effect": long}):
        place.wait_for_done()
    job = place.jobs()[job_id]
    assert (job.fence, job.losses) == (1, 0)


def test_a_job_in_hand_is_given_back_when_the_worker_stops(place: Place, hands: Hands) -> None:
    hands.go_on.clear()
    (job_id,) = place.put()
    worker = place.worker({"effect": hands.effect})
    worker.start()
    wait_until(lambda: hands.ran == [job_id], "the job in hand")
    worker.stop(grace_seconds=0.2)
    job = place.jobs()[job_id]
    assert (job.state, job.failures, job.losses) == ("queued", 0, 0)

    # The old hands are still at it in their thread; they may write nothing any more.
    with place.working({"effect": hands.effect}):
        hands.go_on.set()
        place.wait_for_done()
    assert noted(place.database) == Counter([job_id])
    assert place.jobs()[job_id].result == {"fence": 2}


def test_run_until_idle_waits_for_what_is_to_be_tried_again(
    place: Place, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BACKOFF_SECONDS", 0.3)
    failed: set[UUID] = set()

    def fails_once(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
        if hold.claim.job_id not in failed:
            failed.add(hold.claim.job_id)
            raise ValueError("not yet")
        hands.effect(hold, settings, blobs)

    made = place.put(5)
    place.put(1, kind="unknown")  # of a kind that this worker does not know: not waited for
    shown: list[dict[str, int]] = []
    place.worker({"effect": fails_once}).run_until_idle(shown.append)
    assert noted(place.database) == Counter(made)
    assert shown[-1] == {"queued": 1, "running": 0, "done": 5, "dead": 0}
    assert {job.failures for job in place.jobs().values() if job.kind == "effect"} == {1}
