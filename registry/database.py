"""The database: engine, transactions, migrations. SQLite and PostgreSQL alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from registry.errors import TouchstoneError

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is loaded by the few that ask for the schema: it takes a third of a second, and a crawl
# is begun for each shard.

BUSY_SECONDS = 30.0


class Database:
    """One engine and the two ways to use it.

    Reading and writing are told apart because SQLite must be: a transaction that begins as
    a reader and then writes can fail with SQLITE_BUSY at once, whatever the timeout, so a
    writer takes its lock at BEGIN.

    Parameters
    ----------
    url
        SQLAlchemy URL, ``sqlite:///…`` or ``postgresql+psycopg://…``.

    Raises
    ------
    TouchstoneError
        If the URL is not one of these.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            self.backend = parsed.get_backend_name()
            if self.backend not in ("sqlite", "postgresql"):
                raise TouchstoneError(f"database: {self.backend} is not SQLite or PostgreSQL")
            if self.backend == "sqlite":
                if parsed.database in (None, "", ":memory:"):
                    raise TouchstoneError("database: SQLite needs a file: sqlite:////path/to.db")
                self._file: Path | None = Path(str(parsed.database))
                self.engine: Engine = create_engine(
                    parsed, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}
                )
                event.listen(self.engine, "connect", _prepare_sqlite)
                event.listen(self.engine, "begin", _begin_sqlite)
            else:
                self._file = None
                self.engine = create_engine(parsed, pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError) as error:
            raise TouchstoneError(f"database: {url!r} is not a database URL") from error
        self._write = sessionmaker(self.engine, expire_on_commit=False)
        self._read = sessionmaker(
            self.engine.execution_options(touchstone_reading=True), expire_on_commit=False
        )

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block and rolls back on an error."""
        with self._write.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view; nothing is committed."""
        with self._read() as session:
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    # Migrations

    def migrate(self) -> None:
        """Bring the schema to the newest version; does nothing where it is there already.

        Raises
        ------
        TouchstoneError
            If the database cannot be reached or written.
        """
        from alembic import command

        if self._file is not None:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise TouchstoneError(
                    f"database: cannot make the folder {self._file.parent}: {error.strerror}"
                ) from error
        with _explained(self.engine), self.engine.connect() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()

    def revision(self) -> str | None:
        """The schema's version, None for an empty database."""
        from alembic.runtime.migration import MigrationContext

        if self._file is not None and not self._file.exists():
            return None
        with _explained(self.engine), self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    @staticmethod
    def newest_revision() -> str:
        """The schema version that this code wants."""
        from alembic.script import ScriptDirectory

        head = ScriptDirectory.from_config(_alembic()).get_current_head()
        assert head is not None
        return head

    def ready(self) -> None:
        """Make sure that the schema is there.

        The embedded default sets itself up; a shared database server is migrated only when
        somebody asks for it, since other processes may still run older code.

        Raises
        ------
        TouchstoneError
            If the schema is missing, older or newer than this code.
        """
        current, newest = self.revision(), self.newest_revision()
        if current == newest:
            return
        if self.backend == "sqlite":
            self.migrate()
            return
        raise TouchstoneError(
            f"database: schema is {current or 'missing'}, this version wants {newest}: "
            "run 'touchstone init'"
        )


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise TouchstoneError(
            f"database: cannot use {engine.url.render_as_string()}: {reason}"
        ) from error
    except DBAPIError as error:
        raise TouchstoneError(f"database: {str(error.orig).strip().splitlines()[0]}") from error


def _alembic() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "registry:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # FULL: a committed fact survives a power cut, as the truth must.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("touchstone_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
