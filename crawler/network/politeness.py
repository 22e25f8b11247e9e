"""How fast a host may be asked, by all workers together, and when it wants to be left alone.

What is agreed stands in the database: times at which somebody may ask (`Host.next_at`), and
places for requests that are under way (`HostLease`). A process is given a few of either at
once and asks again every second or so; what it was given and cannot use, since it was
killed, is worthless a moment later and blocks nobody for long.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry.models import Host, HostLease
from registry.models.base import utcnow

#: Times are given for so long ahead, and places for so long.
AHEAD_SECONDS = 2.0
LEASE_SECONDS = 30.0
#: Where there are more processes than places, one gives its place up after so long.
TENURE_SECONDS = 10.0
#: A server may say more; this long is obeyed.
MAX_PAUSE_SECONDS = 86_400.0
MAX_CRAWL_DELAY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What all workers together may ask of a host; None is no ceiling."""

    per_second: float | None = None
    at_once: int | None = None

    @property
    def free(self) -> bool:
        """Whether there is no ceiling at all."""
        return self.per_second is None and self.at_once is None


#: No ceiling.
FREE = Pace()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a process was given.

    Parameters
    ----------
    times
        When it may ask, each for one request; None is at any time.
    places
        How many requests at once; None is any number.
    """

    times: Sequence[datetime] | None
    places: int | None
    paused_until: datetime | None
    paused_why: str | None


def new_holder() -> str:
    """A name for this process, by which others on this machine see whether it lives."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid4().hex[:8]}"


def ask(session: Session, name: str, holder: str, pace: Pace, *, wanted: int, busy: int) -> Grant:
    """Agree with the others, in a write transaction, on what this process may do next.

    Parameters
    ----------
    wanted
        How many times it would like to have.
    busy
        How many requests it has under way: places that it cannot give up.
    """
    host = _locked(session, name)
    now = utcnow()
    places = None
    if pace.at_once is not None:
        places = _places(session, name, holder, pace.at_once, busy, now)
    seconds = max(1 / pace.per_second if pace.per_second else 0.0, host.crawl_delay or 0.0)
    times: list[datetime] | None = None
    if seconds:
        start = max(now, host.next_at, host.paused_until or now)
        apart = timedelta(seconds=seconds)
        ahead = (now + timedelta(seconds=AHEAD_SECONDS) - start) / apart
        number = min(wanted, max(1, int(ahead) + 1)) if places != 0 else 0
        times = [start + place * apart for place in range(number)]
        if number:
            host.next_at = start + number * apart
    return Grant(times, places, host.paused_until, host.paused_why)


def look(session: Session, name: str) -> Grant | None:
    """What is agreed on a host without a ceiling; None if it has one of its own after all."""
    host = session.get(Host, name, populate_existing=True)
    if host is None:
        return Grant(None, None, None, None)
    return None if host.crawl_delay else Grant(None, None, host.paused_until, host.paused_why)


def pause(session: Session, name: str, seconds: float, why: str) -> datetime:
    """Have every worker leave a host alone for so long; the longest pause counts."""
    host = _locked(session, name)
    until = utcnow() + timedelta(seconds=min(seconds, MAX_PAUSE_SECONDS))
    if host.paused_until is None or host.paused_until < until:
        host.paused_until, host.paused_why = until, why[:500]
    return host.paused_until


def note_crawl_delay(session: Session, name: str, seconds: float | None) -> None:
    """Keep what robots.txt says of the time between two requests."""
    host = session.get(Host, name)
    if host is None and seconds is None:
        return
    _locked(session, name).crawl_delay = (
        None if seconds is None else min(seconds, MAX_CRAWL_DELAY_SECONDS)
    )


def leave(session: Session, holder: str) -> None:
    """Give all places of a process back."""
    session.execute(delete(HostLease).where(HostLease.holder == holder))


def _locked(session: Session, name: str) -> Host:
    """The row of a host, made if need be, which others wait for until the commit."""
    for _ in range(2):
        host = session.get(Host, name, with_for_update=True, populate_existing=True)
        if host is not None:
            return host
        try:
            with session.begin_nested():
                session.add(Host(name=name, next_at=utcnow()))
        except IntegrityError:
            pass  # another was quicker
    return session.get_one(Host, name, with_for_update=True, populate_existing=True)


def _places(
    session: Session, name: str, holder: str, at_once: int, busy: int, now: datetime
) -> int:
    mine, others = None, []
    for lease in session.scalars(
        select(HostLease).where(HostLease.host == name).execution_options(populate_existing=True)
    ).all():
        if lease.holder == holder:
            mine = lease
        elif lease.until < now or _is_dead(lease.holder):
            session.delete(lease)
        else:
            others.append(lease)
    if mine is None:
        mine = HostLease(host=name, holder=holder, places=0, since=now)
        session.add(mine)
    mine.until = now + timedelta(seconds=LEASE_SECONDS)
    share = max(1, at_once // (len(others) + 1))
    free = max(0, at_once - sum(lease.places for lease in others))
    waiting = [lease for lease in others if lease.places == 0]
    if mine.places == 0:
        # Who has waited longer comes first.
        free -= sum(lease.since < mine.since for lease in waiting)
    places = min(max(share, busy), max(free, 0))
    tired = now - mine.since > timedelta(seconds=TENURE_SECONDS)
    if waiting and len(others) >= at_once and not busy and mine.places and tired:
        places = 0
    if (places == 0) != (mine.places == 0):
        mine.since = now
    mine.places = places
    return places


def _is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that is no more."""
    host, pid, _ = holder.rsplit(":", 2)
    if host != socket.gethostname()[:40]:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError, ValueError):
        pass
    return False
