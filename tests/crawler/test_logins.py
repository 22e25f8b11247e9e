"""Stored logins: sealed for their row, and one person asked at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from crawler.browsing.sessions import find_login, keep_login, lock_login, unlock_login
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Marketplace, StoredSession, Takeover
from registry.models.base import utcnow
from registry.secrets import Vault, open_vault
from registry.settings import Settings

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

STATE = {
    "cookies": [{"name": "sid", "value": "secret", "domain": ".shop.example", "path": "/"}],
    "origins": [],
}


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return open_vault(settings)


def shop(session: Session) -> UUID:
    row = Marketplace(name="shop", kind="bazaar", url="https://shop.example/")
    session.add(row)
    session.flush()
    return row.id


def test_it_is_kept_for_its_persona_and_opens_nowhere_else(
    database: Database, vault: Vault
) -> None:
    with database.writing() as session:
        where = shop(session)
        assert find_login(session, vault, where, "mina").state == "needs_login"
        keep_login(session, vault, where, "mina", STATE, "logged in")
        kept = find_login(session, vault, where, "mina")
        assert (kept.state, kept.cookies) == ("ok", STATE["cookies"])
        assert find_login(session, vault, where, "noor").storage is None
        mine = session.get_one(StoredSession, kept.id)
        assert b"secret" not in (mine.sealed or b"")
        theirs = session.get_one(StoredSession, find_login(session, vault, where, "noor").id)
        theirs.sealed = mine.sealed
        session.flush()
        with pytest.raises(TouchstoneError, match="sealed for something else"):
            find_login(session, vault, where, "noor")
        wrong: list[dict[str, Any]] = [
            {"cookies": {}},
            {"cookies": [{"name": "x"}]},
            {"cookies": ["x"]},
        ]
        for bad in wrong:
            with pytest.raises(TouchstoneError, match="storage state"):
                keep_login(session, vault, where, "mina", bad, "")


def test_one_person_is_asked_at_a_time(database: Database, vault: Vault) -> None:
    with database.writing() as session:
        login = find_login(session, vault, shop(session), "mina")
        assert lock_login(session, login.id)
        assert not lock_login(session, login.id), "its browser may still be starting"
        asked = Takeover(
            id=uuid7(), kind="crawl", subject=login.id, why="x", address="x", certificate="x",
            token=b"",
        )  # fmt: skip
        session.add(asked)
        session.get_one(StoredSession, login.id).updated_at -= timedelta(hours=1)
        session.flush()
        assert not lock_login(session, login.id), "somebody is being asked"
        asked.alive_at = utcnow() - timedelta(minutes=5)
        session.flush()
        assert lock_login(session, login.id), "whoever asked was lost"
        unlock_login(session, login.id, "nobody came")
        assert find_login(session, vault, login.marketplace_id, "mina").state == "needs_login"
