"""A broker or a database that is away, at the start and in the midst of work."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from registry import jobs
from registry.blobs import Blobs
from registry.errors import TouchstoneError
from registry.settings import Settings
from tests.conftest import AMQP, POSTGRES, REDIS, demand
from tests.workers.conftest import Place, wait_until
from tests.workers.effects import note, noted
from tests.workers.wire import Wire
from workers import broker


def finish(hold: jobs.Hold, _settings: Settings, _blobs: Blobs) -> None:
    with hold.finishing() as session:
        note(session, hold.claim)


def through(wire: Wire, url: str) -> str:
    """The URL of a service as it is called through the wire."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}127.0.0.1:{wire.port}").geturl()


@pytest.fixture
def wire(parts: tuple[str, str]) -> Iterator[Wire]:
    url, port = (REDIS, 6379) if parts[0] == "redis" else (AMQP, 5672)
    address = urlsplit(url)
    wire = Wire(address.hostname or "127.0.0.1", address.port or port)
    yield wire
    wire.flow()
    wire.cut()


remote = pytest.mark.parametrize(
    "parts", [("redis", "sqlite"), ("amqp", "postgresql")], ids="+".join
)


@remote
def test_a_broker_that_is_away_is_waited_for(
    place: Place, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    def said() -> list[str]:
        return [
            record.getMessage()
            for record in caplog.records
            if record.name == "workers.relay" and record.levelno == logging.ERROR
        ]

    in_hand: list[UUID] = []
    go_on = threading.Event()
    go_on.set()

    def hold_still(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
        in_hand.append(hold.claim.job_id)
        go_on.wait()
        finish(hold, settings, blobs)

    made = place.put(5)
    url = through(wire, place.settings.broker_url)
    with place.working({"effect": hold_still}, broker_url=url):
        wait_until(lambda: bool(said()), "a word about the outage")
        assert place.states()["queued"] == 5
        wire.mend()
        place.wait_for_done()

        caplog.clear()
        go_on.clear()
        made += place.put(10)
        wait_until(lambda: len(in_hand) == 7, "two jobs in hand")
        wire.cut()
        made += place.put(5)
        wait_until(lambda: bool(said()), "a word about the second outage")
        go_on.set()
        # What is in hand needs no broker to be finished.
        wait_until(lambda: place.states()["done"] >= 7, "the jobs in hand")
        wire.mend()
        place.wait_for_done()
    assert noted(place.database) == Counter(made)


@remote
def test_a_broker_that_falls_silent_holds_nobody(
    place: Place, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "SILENCE_SECONDS", 2)
    wire.mend()
    made = place.put(3)
    url = through(wire, place.settings.broker_url)
    with place.working({"effect": finish}, broker_url=url):
        place.wait_for_done()
        wire.stall()
        made += place.put(3)
        time.sleep(1)  # the relay tries to hand them over meanwhile
    # The worker above has stopped, with its broker silent. Another takes what it left.
    wire.flow()
    with place.working({"effect": finish}, broker_url=url):
        place.wait_for_done()
    assert noted(place.database) == Counter(made)


@pytest.mark.parametrize("parts", [("amqp", "postgresql")], ids="+".join)
def test_a_database_that_drops_its_connections_costs_no_job(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BACKOFF_SECONDS", 0.02)
    # A job whose every try met an outage would die of it, as it should.
    monkeypatch.setattr(jobs, "MAX_FAILURES", 1000)
    admin = create_engine(demand("postgresql", POSTGRES), isolation_level="AUTOCOMMIT")
    drop = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")

    def enough(least: int) -> bool:
        return len(noted(place.database)) >= least

    made = place.put(60)
    dropped = 0
    with place.working({"effect": finish}), admin.connect() as connection:
        for least in (10, 20, 30, 40):
            wait_until(partial(enough, least), "some jobs done")
            name = place.database.engine.url.database
            dropped += len(connection.execute(drop, {"name": name}).all())
            # The connections of this test's own questions are dropped as well.
            place.database.engine.dispose()
        place.wait_for_done()
    admin.dispose()
    assert dropped > 4
    assert noted(place.database) == Counter(made)


@pytest.mark.parametrize("url", ["redis://:s3cret@127.0.0.1:{}/0", "amqp://me:s3cret@127.0.0.1:{}"])
def test_a_broker_that_is_down_is_one_clear_line(url: str) -> None:
    nobody = Wire("127.0.0.1", 0)
    with pytest.raises(TouchstoneError) as caught:
        broker.check(Settings(broker_url=url.format(nobody.port)))
    line = str(caught.value)
    assert line.startswith(f"broker: 127.0.0.1:{nobody.port}")
    assert "TOUCHSTONE_BROKER_URL" in line
    assert "s3cret" not in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("url", "name"), [("embedded:", "embedded"), (REDIS, "Redis"), (AMQP, "RabbitMQ")]
)
def test_a_broker_that_is_up_is_said_to_be(url: str, name: str) -> None:
    said = broker.check(Settings(broker_url=url))
    assert name in said
    assert "guest:guest" not in said
