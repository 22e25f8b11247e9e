"""Logins that are kept: what a browser had stored at a marketplace for a persona, sealed.

A person logs in, in a browser that the console shows (`crawler.browsing.takeover`); what the
browser then has (cookies, local storage) is kept for the crawls of that persona.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from registry.errors import TouchstoneError
from registry.models import StoredSession, Takeover
from registry.models.base import utcnow
from registry.secrets import Vault

MAX_BYTES = 8 << 20
#: A process with a browser for a person says so more often than this, or is gone.
ALIVE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Login:
    """A stored login as a browser takes it.

    Parameters
    ----------
    storage
        Playwright's storage state; None where nobody has logged in yet.
    """

    id: UUID
    marketplace_id: UUID
    persona: str
    state: str
    storage: dict[str, Any] | None
    updated_at: datetime

    @property
    def cookies(self) -> list[dict[str, Any]]:
        """Its cookies."""
        return list((self.storage or {}).get("cookies", ()))


def find_login(session: Session, vault: Vault, marketplace_id: UUID, persona: str) -> Login:
    """The login of a persona at a marketplace, made without content if there is none.

    In a write transaction.

    Raises
    ------
    SecretsError
        If it cannot be opened.
    """
    row = _row(session, marketplace_id, persona)
    if row is None:
        row = StoredSession(id=uuid7(), marketplace_id=marketplace_id, persona=persona)
        session.add(row)
        session.flush()
    storage = None
    if row.sealed is not None:
        storage = json.loads(vault.open(row.sealed, context=f"session:{row.id}"))
    return Login(row.id, marketplace_id, persona, row.state, storage, row.updated_at)


def keep_login(
    session: Session,
    vault: Vault,
    marketplace_id: UUID,
    persona: str,
    storage: Mapping[str, Any],
    note: str,
) -> None:
    """Keep what a browser has of a login.

    Raises
    ------
    TouchstoneError
        If it is not what Playwright calls a storage state.
    """
    checked = check_storage(storage)
    data = json.dumps(checked, ensure_ascii=False).encode()
    if len(data) > MAX_BYTES:
        raise TouchstoneError(f"session: {len(data) >> 20} MB are more than a login needs")
    row = _row(session, marketplace_id, persona)
    if row is None:
        row = StoredSession(id=uuid7(), marketplace_id=marketplace_id, persona=persona)
        session.add(row)
    row.sealed = vault.seal(data, context=f"session:{row.id}")
    row.state, row.note, row.updated_at = "ok", note, utcnow()
    session.flush()


def check_storage(storage: Mapping[str, Any]) -> dict[str, Any]:
    """What of a storage state is one: cookies and origins, and nothing else.

    Raises
    ------
    TouchstoneError
        If these are not lists of objects, or a cookie lacks what makes it one.
    """
    cookies, origins = storage.get("cookies", []), storage.get("origins", [])
    whole = isinstance(cookies, list) and isinstance(origins, list)
    if not whole or not all(
        isinstance(cookie, dict)
        and all(isinstance(cookie.get(part), str) for part in ("name", "value", "domain", "path"))
        for cookie in cookies
    ):
        raise TouchstoneError(
            "session: this is no storage state as Playwright writes it: an object with "
            "'cookies' (each with name, value, domain, path) and 'origins'"
        )
    return {"cookies": cookies, "origins": origins}


def lock_login(session: Session, login_id: UUID) -> bool:
    """Be the one who has a person log in; False while another has.

    In a write transaction. One whose process was lost gives way.
    """
    row = session.get_one(StoredSession, login_id, with_for_update=True, populate_existing=True)
    if row.state == "locked" and _is_being_asked(session, login_id):
        return False
    row.state, row.updated_at = "locked", utcnow()
    return True


def unlock_login(session: Session, login_id: UUID, note: str) -> None:
    """Nobody logged in: it needs a login still."""
    row = session.get_one(StoredSession, login_id, populate_existing=True)
    row.state, row.note, row.updated_at = "needs_login", note, utcnow()


def _is_being_asked(session: Session, login_id: UUID) -> bool:
    newest = session.scalar(
        select(Takeover)
        .where(Takeover.subject == login_id, Takeover.state.in_(("open", "taken")))
        .order_by(Takeover.opened_at.desc())
        .limit(1)
    )
    if newest is not None:
        return (utcnow() - newest.alive_at).total_seconds() < ALIVE_SECONDS
    # Locked a moment ago, and the browser still starts.
    row = session.get_one(StoredSession, login_id)
    return (utcnow() - row.updated_at).total_seconds() < ALIVE_SECONDS


def _row(session: Session, marketplace_id: UUID, persona: str) -> StoredSession | None:
    found: StoredSession | None = session.scalar(
        select(StoredSession).where(
            StoredSession.marketplace_id == marketplace_id, StoredSession.persona == persona
        )
    )
    return found
