"""SIGKILL in the midst of captures: never half a bundle, never one lost, nothing left over."""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from evidence.verifying import verify
from registry.database import Database
from registry.models import Capture, Job
from registry.settings import Settings
from tests.evidence.crashing import alive, descendants, flag, start, tiny_shop

#: How many captures are in hand when their worker is killed, over all kills.
HITS = 200
AT_ONCE = 14
LISTINGS = 42
#: From the start of a worker to its kill: from its first claim to the end of its captures.
LIFE_SECONDS = (0.3, 3.5)


def running(database: Database) -> int:
    with database.reading() as session:
        found = session.scalar(select(func.count()).where(Job.state == "running"))
    return found or 0


def left(database: Database) -> int:
    with database.reading() as session:
        found = session.scalar(select(func.count()).where(Job.state.in_(("queued", "running"))))
    return found or 0


def check_what_is_visible(database: Database, store: Path) -> None:
    """Every blob is whole, and every row has its blob."""
    with database.reading() as session:
        rows = list(session.scalars(select(Capture)))
    for row in rows:
        assert (store / row.blob).is_file(), "a row without its bundle"
        assert row.screenshot_blob is not None
        assert (store / row.screenshot_blob).is_file(), "a row without its picture"
    for path in store.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            assert path.name.startswith(digest), "half a blob is visible"


def wait_for_end(orphans: set[int]) -> None:
    """What a dead worker had started ends by itself."""
    deadline = time.monotonic() + 30
    while alive(orphans) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(orphans), "kills left processes"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_captures_whose_worker_is_killed(database: Database, settings: Settings) -> None:
    # The seed chooses the points; the machine adds its own chance to where exactly they fall.
    chance = random.Random("killed captures")
    settings = settings.model_copy(update={"lease_seconds": 5.0, "worker_threads": AT_ONCE})
    store = settings.data_dir / "evidence"
    # Short: Chromium makes sockets in it.
    temporary = Path(tempfile.mkdtemp(prefix="kills-"))
    hits = 0
    orphans: set[int] = set()
    with tiny_shop() as url:
        flagged = flag(database, url, LISTINGS)
        while hits < HITS:
            worker = start(settings, temporary)
            deadline = time.monotonic() + 60
            while not running(database) and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(chance.uniform(*LIFE_SECONDS))
            orphans |= descendants(worker.pid)
            hit = running(database)
            worker.kill()
            worker.join()
            hits += hit
            check_what_is_visible(database, store)
            if left(database) < 2 * AT_ONCE:
                flagged |= flag(database, url, LISTINGS, first=len(flagged))
        wait_for_end(orphans)
        last = start(settings, temporary)
        deadline = time.monotonic() + 300
        while left(database) and time.monotonic() < deadline:
            time.sleep(0.1)
        last.terminate()
        last.join(60)
        assert last.exitcode == 0

    check_what_is_visible(database, store)
    with database.reading() as session:
        states = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
        rows = list(session.scalars(select(Capture)))
    assert set(states) == {"done"}, states
    # Each job ended once, with its bundle.
    assert sorted(str(row.assessment_id) for row in rows) == sorted(map(str, flagged))
    assert {row.status for row in rows} == {"complete"}
    for row in rows[:5]:
        assert verify(store / row.blob, expected_sha256=row.sha256).ok
    # Nothing is left of the dead: no working folders, no profiles, and no processes, as was seen.
    assert not list((settings.data_dir / "work").iterdir())
    assert not list(temporary.iterdir()), "profiles of dead browsers"
    temporary.rmdir()
