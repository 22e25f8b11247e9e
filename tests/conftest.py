"""Real parts for the tests: databases, brokers, settings.

A service that a test needs and that does not answer is a failure that says how to start
it, never a skip.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import hypothesis
import pytest
from sqlalchemy import create_engine, make_url, text

from registry.blobs import Blobs, open_blobs
from registry.database import Database
from registry.settings import Settings

# faiss would start a thread for each core in each of the test processes; they wait by spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test asserts a time: how fast it is stands in benchmarks/.
hypothesis.settings.register_profile("touchstone", deadline=None)
hypothesis.settings.load_profile("touchstone")

#: Files that take minutes: first, so that they do not go on alone when all else is done.
LONG = (
    "cli/test_chain.py",
    "purchases/test_faults.py",
    "purchases/test_ordering.py",
    "purchases/test_orders.py",
    "purchases/test_taken_over.py",
    "purchases/test_faults.py",
    "purchases/test_oscar_orders.py",
    "purchases/test_taken_over.py",
    "crawler/test_watch.py",
    "crawler/test_recrawl.py",
    "workers/test_kill.py",
    "cli/test_marketplaces.py",
    "workers/test_watching.py",
    "workers/test_scheduler.py",
    "evidence/test_crash.py",
    "crawler/test_killed.py",
    "cli/test_match.py",
    "cli/test_sessions.py",
    "cli/test_ways_in.py",
    "workers/test_processes.py",
    "test_oscar_shop.py",
    "evidence/test_tamper.py",
    "crawler/test_hostile_urls.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files by how long they take (with `--no-loadscope-reorder`)."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(here).as_posix() if item.path.is_relative_to(here) else ""
        return LONG.index(name) if name in LONG else len(LONG)

    items.sort(key=place)


POSTGRES = os.environ.get(
    "TOUCHSTONE_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/test"
)
REDIS = os.environ.get("TOUCHSTONE_TEST_REDIS", "redis://127.0.0.1:6379/15")
AMQP = os.environ.get("TOUCHSTONE_TEST_AMQP", "amqp://guest:guest@127.0.0.1:5672")

HOW_TO_START = {
    "postgresql": "apt-get install postgresql, trust 127.0.0.1 in pg_hba.conf, create the "
    "database 'test'; or set TOUCHSTONE_TEST_POSTGRES",
    "redis": "apt-get install redis-server && redis-server --daemonize yes; or set "
    "TOUCHSTONE_TEST_REDIS",
    "amqp": "apt-get install rabbitmq-server && rabbitmq-server -detached; or set "
    "TOUCHSTONE_TEST_AMQP",
}


def demand(service: str, url: str) -> str:
    """Make sure that a service answers; fail with the way to start it if not."""
    parts = urlsplit(url)
    default = {"postgresql": 5432, "redis": 6379, "amqp": 5672}[service]
    address = (parts.hostname or "127.0.0.1", parts.port or default)
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as error:
        pytest.fail(
            f"{service} does not answer at {address[0]}:{address[1]} ({error}): "
            f"{HOW_TO_START[service]}",
            pytrace=False,
        )
    return url


@contextmanager
def _postgres(template: str | None = None) -> Iterator[str]:
    """A fresh PostgreSQL database, empty or a copy, dropped afterwards: its URL."""
    admin = create_engine(demand("postgresql", POSTGRES), isolation_level="AUTOCOMMIT")
    name = f"touchstone_test_{uuid4().hex}"
    copied = f' TEMPLATE "{template}"' if template else ""
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"{copied}'))
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh PostgreSQL database, dropped afterwards; empty, unless the test has `database`."""
    template = None
    if "database" in request.fixturenames:
        template = make_url(request.getfixturevalue("migrated_postgres")).database
    with _postgres(template) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'touchstone.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


# Migrating takes longer than most tests: it is done once, and what came of it is copied.


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "touchstone.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()
    database.close()
    return file


@pytest.fixture(scope="session")
def migrated_postgres() -> Iterator[str]:
    """A migrated PostgreSQL database, to be copied: nobody may be connected to it then."""
    with _postgres() as url:
        database = Database(url)
        database.migrate()
        database.close()
        yield url


@pytest.fixture
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """A migrated database of each kind, at `database_url`."""
    if database_url.startswith("sqlite"):
        shutil.copy(request.getfixturevalue("migrated_file"), str(make_url(database_url).database))
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings for one test, with loopback allowed, since the shops are there."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        allowed_private_hosts=("127.0.0.1",),
        operator="tester",
        person_minutes=0,
    )


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    """An empty blob store in a folder."""
    return open_blobs(settings.evidence_store)
