"""The parts that a command works with, opened from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from registry.blobs import Blobs, open_blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class House:
    """Settings, database and blob store of one installation."""

    settings: Settings
    database: Database
    blobs: Blobs


@contextmanager
def open_house() -> Iterator[House]:
    """Open the installation that the settings describe.

    Raises
    ------
    TouchstoneError
        If a setting does not fit or the database cannot be used.
    """
    settings = load_settings()
    database = Database(settings.database)
    try:
        database.ready()
        yield House(settings, database, open_blobs(settings.evidence_store))
    finally:
        database.close()


def parse_id(text: str, what: str) -> UUID:
    """An id as people paste it.

    Raises
    ------
    TouchstoneError
        If it is none.
    """
    try:
        return UUID(text)
    except ValueError as error:
        article = "an" if what[0] in "aeiou" else "a"
        raise TouchstoneError(f"{text!r} is not the id of {article} {what}") from error


def parse_day(text: str, what: str) -> date:
    """A day as people type it.

    Raises
    ------
    TouchstoneError
        If it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise TouchstoneError(f"{what}: {text!r} is no day, such as 2026-11-25") from error
