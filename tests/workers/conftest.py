"""A broker of each sort with a database of each sort, and a worker on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pika
import pytest
import redis
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name, xq_name
from sqlalchemy import select

from registry import jobs
from registry.blobs import Blobs, open_blobs
from registry.database import Database
from registry.models import Job
from registry.settings import Settings
from tests.conftest import AMQP, REDIS, demand
from tests.workers.effects import metadata
from workers.actors import HANDLERS, Handler
from workers.runner import WorkerProcess

KINDS = ("effect", "slow", *HANDLERS)
PATIENCE_SECONDS = 60.0


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Wait for something to become true; give up with its name, long after it should be."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"in vain waited for: {what}")
        time.sleep(0.02)


@dataclass(frozen=True)
class Place:
    """One broker and one database, with what the tests do to them."""

    broker: str
    settings: Settings
    database: Database
    blobs: Blobs

    def put(self, number: int = 1, kind: str = "effect", **payload: Any) -> list[UUID]:
        """Enqueue jobs in one transaction."""
        with self.database.writing() as session:
            made = [jobs.enqueue(session, kind, payload) for _ in range(number)]
        return [job_id for job_id in made if job_id is not None]

    def jobs(self) -> dict[UUID, Job]:
        """All jobs as they are now."""
        with self.database.reading() as session:
            return {job.id: job for job in session.scalars(select(Job))}

    def states(self) -> dict[str, int]:
        """How many jobs are in each state."""
        with self.database.reading() as session:
            return jobs.tally(session)

    def left(self) -> int:
        """How many jobs have not ended."""
        states = self.states()
        return states["queued"] + states["running"]

    def wait_for_end(self) -> None:
        """Wait until every job is done or dead."""
        wait_until(lambda: not self.left(), "every job's end")

    def wait_for_done(self) -> None:
        """Wait until every job has ended, and make sure that it ended well."""
        self.wait_for_end()
        errors = {job.id: job.error for job in self.jobs().values() if job.state != "done"}
        assert not errors

    def worker(self, handlers: Mapping[str, Handler], **changes: Any) -> WorkerProcess:
        """A worker, not started."""
        settings = self.settings.model_copy(update=changes)
        return WorkerProcess(settings, self.database, self.blobs, handlers)

    @contextmanager
    def working(self, handlers: Mapping[str, Handler], **changes: Any) -> Iterator[WorkerProcess]:
        """A worker at work."""
        worker = self.worker(handlers, **changes)
        worker.start()
        try:
            yield worker
        finally:
            worker.stop(grace_seconds=5)

    def lose_messages(self, worker: WorkerProcess) -> int:
        """Have the broker lose everything of this test, queues included; how much it was.

        Other tests may use the same servers, so it is not FLUSHDB but what it does to us.
        """
        if isinstance(worker.broker, StubBroker):
            lost: int = sum(queue.qsize() for queue in worker.broker.queues.values())
            worker.broker.flush_all()
            return lost
        if self.broker == "redis":
            return _empty_redis(self.settings.broker_namespace)
        return _empty_rabbitmq(self.settings.broker_namespace)


def _empty_redis(namespace: str) -> int:
    with redis.Redis.from_url(REDIS) as client:
        keys = list(client.scan_iter(f"{namespace}:*"))
        waiting: int = sum(client.hlen(key) for key in keys if key.endswith(b".msgs"))
        if keys:
            client.delete(*keys)
        return waiting


def _empty_rabbitmq(namespace: str) -> int:
    waiting: int = 0
    connection = pika.BlockingConnection(pika.URLParameters(AMQP))
    channel = connection.channel()
    for kind in KINDS:
        queue = f"{namespace}.{kind}"
        for name in (queue, dq_name(queue), xq_name(queue)):
            waiting += channel.queue_delete(name).method.message_count
    connection.close()
    return waiting


@pytest.fixture(params=["embedded+sqlite", "redis+postgresql", "amqp+postgresql"])
def parts(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Which broker, and which database."""
    broker, database = request.param.split("+")
    return broker, database


@pytest.fixture
def database_url(request: pytest.FixtureRequest, parts: tuple[str, str]) -> str:
    """An empty database of the kind that goes with the broker."""
    url: str = request.getfixturevalue("sqlite_url" if parts[1] == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def settings(tmp_path: Path, parts: tuple[str, str], database_url: str) -> Iterator[Settings]:
    """Short leases, or every test of a loss would take a minute."""
    broker, _ = parts
    url = {"embedded": "embedded:", "redis": REDIS, "amqp": AMQP}[broker]
    if broker != "embedded":
        demand(broker, url)
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        broker_url=url,
        broker_namespace=f"test-{uuid4().hex[:12]}",
        operator="tester",
        lease_seconds=1.5,
        handover_seconds=1,
    )
    yield settings
    if broker == "redis":
        _empty_redis(settings.broker_namespace)
    elif broker == "amqp":
        _empty_rabbitmq(settings.broker_namespace)


@pytest.fixture
def place(parts: tuple[str, str], settings: Settings, database: Database) -> Place:
    """A broker and a database, ready for work."""
    metadata.create_all(database.engine)
    return Place(parts[0], settings, database, open_blobs(settings.evidence_store))
