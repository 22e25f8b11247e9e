"""Workers as processes: frozen, asked to stop, and two at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from tests.workers.conftest import Place, wait_until
from tests.workers.effects import noted
from tests.workers.killable import killable


def test_a_worker_that_was_frozen_writes_nothing_over_its_successor(
    place: Place, tmp_path: Path
) -> None:
    (job_id,) = place.put(kind="slow")
    with killable(place.settings, tmp_path) as frozen:
        frozen.wait_for("claimed")
        os.kill(frozen.process.pid, signal.SIGSTOP)
        with killable(place.settings, tmp_path) as successor:
            assert successor.wait_for("ended") == job_id
            os.kill(frozen.process.pid, signal.SIGCONT)
            assert frozen.wait_for("lost") == job_id
    job = place.jobs()[job_id]
    assert (job.state, job.losses, job.failures) == ("done", 1, 0)
    assert job.result == {"fence": 2}
    assert noted(place.database) == Counter([job_id])


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has(place: Place, tmp_path: Path) -> None:
    place.put(6, kind="slow")
    with killable(place.settings, tmp_path) as worker:
        worker.wait_for("claimed", 2)
        assert worker.end() == 0
    states = place.states()
    assert states["done"] >= 2
    assert (states["running"], states["dead"]) == (0, 0)
    assert {(job.losses, job.failures) for job in place.jobs().values()} == {(0, 0)}

    with killable(place.settings, tmp_path) as worker:
        place.wait_for_done()
        assert worker.end() == 0
    assert noted(place.database) == Counter(list(place.jobs()))
    assert {job.losses for job in place.jobs().values()} == {0}


def test_two_workers_share_the_work(place: Place, tmp_path: Path) -> None:
    with (
        killable(place.settings, tmp_path) as one,
        killable(place.settings, tmp_path) as other,
    ):
        one.wait_for("ready")
        other.wait_for("ready")
        made = place.put(60)

        def ended() -> bool:
            one.drain()
            other.drain()
            return not place.left()

        wait_until(ended, "every job's end")
        pids = {str(one.process.pid), str(other.process.pid)}
    done = place.jobs()
    assert {job.state for job in done.values()} == {"done"}
    assert noted(place.database) == Counter(made)
    workers = {str(job.claimed_by).rpartition(":")[2] for job in done.values()}
    # Without a broker of their own, whoever looks first has the whole lot.
    assert workers <= pids if place.broker == "embedded" else workers == pids


@pytest.mark.parametrize("parts", [("embedded", "sqlite"), ("redis", "postgresql")], ids="+".join)
def test_python_m_workers_works_until_sigterm(place: Place, tmp_path: Path) -> None:
    # A capture of an assessment that there is not: it fails, and that shows who worked.
    (job_id,) = place.put(kind="capture", assessment_id=str(uuid7()))
    settings = place.settings
    process = subprocess.Popen(
        [sys.executable, "-m", "workers"],
        env={
            **os.environ,
            "TOUCHSTONE_DATA_DIR": str(settings.data_dir),
            "TOUCHSTONE_DATABASE_URL": settings.database,
            "TOUCHSTONE_BROKER_URL": settings.broker_url,
            "TOUCHSTONE_BROKER_NAMESPACE": settings.broker_namespace,
        },
    )
    try:
        wait_until(lambda: place.jobs()[job_id].failures > 0, "the job's first try")
        process.terminate()
        assert process.wait(timeout=40) == 0
    finally:
        process.kill()
        process.wait()
    job = place.jobs()[job_id]
    assert job.claimed_by is not None
    assert job.claimed_by.endswith(f":{process.pid}")
    assert job.error is not None
    assert job.error.startswith("NoResultFound")
