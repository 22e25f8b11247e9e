"""The operator's side of a takeover: taking it, reaching the browser, giving it back."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import aiohttp
from sqlalchemy.orm import Session

from crawler.browsing.sessions import ALIVE_SECONDS
from registry.errors import TouchstoneError
from registry.models import Takeover
from registry.models.base import utcnow
from registry.secrets import Vault

#: Longer than the other side keeps a request waiting.
SECONDS = 20.0
MAX_PICTURE = 8 << 20


class SeatLost(TouchstoneError):
    """Whoever asks is not, or no longer, the one who has taken the browser."""


class BrowserLost(TouchstoneError):
    """The process that has the browser does not answer."""


@dataclass(frozen=True, slots=True)
class Window:
    """Where a browser is reached, and by what words."""

    address: str
    certificate: str
    token: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What the page showed, as JPEG; pictures are numbered."""

    number: int
    jpeg: bytes
    page: str


def is_alive(takeover: Takeover, now: datetime | None = None) -> bool:
    """Whether the process that has the browser said so a moment ago."""
    return (now or utcnow()) - takeover.alive_at < timedelta(seconds=ALIVE_SECONDS)


def take(session: Session, takeover_id: UUID, by: str) -> str:
    """Take a browser, in a write transaction, also from somebody else: the seat's secret.

    Raises
    ------
    TouchstoneError
        If nobody is named, or there is nothing to take any more.
    """
    name = " ".join(by.split())[:200]
    if not name:
        raise TouchstoneError("your name is wanted: it stands in the history of takeovers")
    row = _open(session, takeover_id)
    secret = secrets.token_urlsafe(24)
    if row.taken_by is not None:
        row.note = f"{row.note or ''} taken from {row.taken_by} at {utcnow():%H:%M}".strip()
    row.state, row.taken_by = "taken", name
    row.taken_at = row.taken_at or utcnow()
    row.seat = sha256(secret.encode()).hexdigest()
    return secret


def give_back(
    session: Session, takeover_id: UUID, seat: str, *, done: bool, note: str = ""
) -> None:
    """End a takeover, in a write transaction.

    Parameters
    ----------
    done
        Whether what had to be done was done; else it is given up.
    """
    row = _open(session, takeover_id)
    _sits(row, seat)
    row.state = "given_back" if done else "abandoned"
    row.ended_at = utcnow()
    row.note = " ".join(f"{row.note or ''} {note}".split())[:1000] or None


def window(session: Session, vault: Vault, takeover_id: UUID, seat: str) -> Window:
    """The way to a browser, for the one who has taken it.

    Raises
    ------
    SeatLost
        For everybody else.
    """
    row = session.get(Takeover, takeover_id, populate_existing=True)
    if row is None or row.state != "taken":
        raise SeatLost("this browser was given back, or nobody has taken it")
    _sits(row, seat)
    token = vault.open(row.token, context=f"takeover:{row.id}").decode()
    return Window(row.address, row.certificate, token)


async def look(window: Window, after: int) -> Picture:
    """A newer picture than the one of that number, if one comes in time.

    Raises
    ------
    BrowserLost
        If the browser's process does not answer.
    """
    async with _asking(window) as client:
        try:
            url = f"https://{window.address}/picture?after={after}"
            async with client.get(url, ssl=_ssl(window)) as answer:
                if answer.status != 200:
                    raise BrowserLost(f"the browser's process answers {answer.status}")
                jpeg = await answer.content.read(MAX_PICTURE)
                while not answer.content.at_eof():
                    jpeg += await answer.content.read(MAX_PICTURE)
                    if len(jpeg) > MAX_PICTURE:
                        raise BrowserLost("that is no picture")
                return Picture(
                    int(answer.headers.get("X-Number", "0")),
                    jpeg,
                    answer.headers.get("X-Page", "")[:300],
                )
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise BrowserLost(f"the browser does not answer: {type(error).__name__}") from error


async def lend_hands(window: Window, events: list[dict[str, Any]]) -> None:
    """Pass on what a person did, in order.

    Raises
    ------
    BrowserLost
        If the browser's process does not answer.
    TouchstoneError
        If it does not know what that is.
    """
    async with _asking(window) as client:
        try:
            url = f"https://{window.address}/hands"
            async with client.post(url, json=events, ssl=_ssl(window)) as answer:
                if answer.status == 400:
                    raise TouchstoneError("that is neither mouse nor keys")
                if answer.status != 204:
                    raise BrowserLost(f"the browser's process answers {answer.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BrowserLost(f"the browser does not answer: {type(error).__name__}") from error


def _asking(window: Window) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {window.token}"},
        timeout=aiohttp.ClientTimeout(total=SECONDS),
    )


def _ssl(window: Window) -> aiohttp.Fingerprint:
    """Whoever has another certificate is not the process that wrote the row."""
    return aiohttp.Fingerprint(bytes.fromhex(window.certificate))


def _open(session: Session, takeover_id: UUID) -> Takeover:
    row = session.get(Takeover, takeover_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise TouchstoneError("there is no such takeover")
    if row.state not in ("open", "taken"):
        raise SeatLost("this browser was given back, or is gone")
    return row


def _sits(row: Takeover, seat: str) -> None:
    if row.seat is None or not hmac.compare_digest(row.seat, sha256(seat.encode()).hexdigest()):
        raise SeatLost(f"{row.taken_by or 'nobody'} has this browser, not you")
