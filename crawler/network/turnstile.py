"""Where the requests of one process wait for their turn at a host."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from crawler.network import politeness
from crawler.network.politeness import Grant, Pace
from registry.database import Database

logger = logging.getLogger(__name__)

#: So long what was agreed holds without asking again.
REFRESH_SECONDS = 1.5
#: A time that was not used by then is let go: those who wait would else all go at once.
STALE_SECONDS = 1.0
#: A pause that lasts longer is not waited for: the run says so, and ends without the host.
MAX_WAIT_SECONDS = 300.0


class HostPaused(Exception):
    """A host that wants to be left alone for longer than a run can wait."""


@dataclass(slots=True)
class _Lane:
    """One host, as this process knows it."""

    name: str
    pace: Pace
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    times: deque[float] | None = None
    places: int | None = None
    paused_until: float = 0.0
    paused_why: str = ""
    held_until: float = 0.0
    busy: int = 0
    waiting: int = 0
    used: int = 0
    given: int = 0
    asked_at: float = 0.0


class Turnstile:
    """Lets requests through as was agreed with all other workers.

    Parameters
    ----------
    pace_of
        The ceiling of a host.
    """

    def __init__(self, database: Database, pace_of: Callable[[str], Pace]) -> None:
        self._database = database
        self._pace_of = pace_of
        self._holder = politeness.new_holder()
        self._lanes: dict[str, _Lane] = {}
        self._beats: asyncio.Task[None] | None = None
        #: How many requests it has let through.
        self.turns = 0

    @property
    def held(self) -> bool:
        """Whether a request waits for a moment that was agreed on, as slow hosts want it."""
        now = time.time()
        return any(lane.held_until > now for lane in tuple(self._lanes.values()))

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait until one more request may be under way at a host, and hold its place.

        Raises
        ------
        HostPaused
            If the host wants to be left alone for long.
        """
        lane = self._lanes.get(host)
        if lane is None:
            lane = self._lanes[host] = _Lane(host, self._pace_of(host))
        lane.waiting += 1
        try:
            async with lane.lock:
                await self._enter(lane)
        finally:
            lane.waiting -= 1
        self.turns += 1
        try:
            yield
        finally:
            lane.busy -= 1
            lane.freed.set()

    async def pause(self, host: str, seconds: float, why: str) -> None:
        """Have every worker leave a host alone for so long."""

        def work() -> datetime:
            with self._database.writing() as session:
                return politeness.pause(session, host, seconds, why)

        until = await asyncio.to_thread(work)
        lane = self._lanes.get(host)
        if lane is not None:
            lane.paused_until, lane.paused_why = until.timestamp(), why
        logger.warning("%s: %s: left alone until %s", host, why, f"{until:%H:%M:%S} UTC")

    async def note_crawl_delay(self, host: str, seconds: float | None) -> None:
        """Keep what robots.txt says, for every worker."""

        def work() -> None:
            with self._database.writing() as session:
                politeness.note_crawl_delay(session, host, seconds)

        await asyncio.to_thread(work)
        lane = self._lanes.get(host)
        if lane is not None:
            lane.asked_at = 0.0

    async def close(self) -> None:
        """Give back what is held."""
        if self._beats is not None:
            self._beats.cancel()

        def work() -> None:
            with self._database.writing() as session:
                politeness.leave(session, self._holder)

        if any(not lane.pace.free for lane in self._lanes.values()):
            await asyncio.to_thread(work)

    async def _enter(self, lane: _Lane) -> None:
        while True:
            now = time.time()
            if now - lane.asked_at > REFRESH_SECONDS:
                await self._ask(lane)
                continue
            if lane.paused_until > now:
                if lane.paused_until - now > MAX_WAIT_SECONDS:
                    until = datetime.fromtimestamp(lane.paused_until).astimezone()
                    raise HostPaused(f"{lane.name} is left alone until {until}: {lane.paused_why}")
                lane.held_until = lane.paused_until
                await asyncio.sleep(min(lane.paused_until - now, REFRESH_SECONDS))
                continue
            if lane.places is not None and lane.busy >= lane.places:
                lane.freed.clear()
                try:
                    await asyncio.wait_for(lane.freed.wait(), REFRESH_SECONDS)
                except TimeoutError:
                    pass
                continue
            if lane.times is not None:
                while lane.times and lane.times[0] < now - STALE_SECONDS:
                    lane.times.popleft()
                if not lane.times:
                    await self._ask(lane)
                    if not lane.times:  # no place either
                        await asyncio.sleep(REFRESH_SECONDS)
                    continue
                if lane.times[0] > now:
                    lane.held_until = lane.times[0]
                    await asyncio.sleep(min(lane.times[0] - now, REFRESH_SECONDS))
                    continue
                lane.times.popleft()
            lane.used += 1
            lane.busy += 1
            return

    async def _ask(self, lane: _Lane) -> None:
        """Agree anew. An outage of the database is waited out: nobody may go on alone."""
        wanted = 0
        if lane.waiting:
            # Twice as many where the last ones did not last, or each would be asked for alone.
            more = 2 * lane.used if lane.used >= lane.given else lane.used
            wanted = max(1, lane.waiting, more)
        while True:
            try:
                grant = await asyncio.to_thread(self._agree, lane, wanted, lane.busy)
                break
            except SQLAlchemyError as error:
                logger.error("%s: %s: %s", lane.name, type(error).__name__, error)
                await asyncio.sleep(REFRESH_SECONDS)
        lane.asked_at = time.time()
        lane.places = grant.places
        if grant.times is None:
            lane.times = None
        else:
            kept = lane.times or ()
            lane.times = deque([*kept, *(at.timestamp() for at in grant.times)])
            lane.used, lane.given = 0, len(grant.times)
        if grant.paused_until is not None:
            lane.paused_until = grant.paused_until.timestamp()
            lane.paused_why = grant.paused_why or ""
        if self._beats is None and not lane.pace.free:
            self._beats = asyncio.create_task(self._beat())

    def _agree(self, lane: _Lane, wanted: int, busy: int) -> Grant:
        if lane.pace.free:
            with self._database.reading() as session:
                seen = politeness.look(session, lane.name)
            if seen is not None:
                return seen
        # Times that are still good need not be asked for again.
        left = len(lane.times or ())
        with self._database.writing() as session:
            return politeness.ask(
                session,
                lane.name,
                self._holder,
                lane.pace,
                wanted=max(0, wanted - left),
                busy=busy,
            )

    async def _beat(self) -> None:
        """Say that requests which take long are still under way."""
        while True:
            await asyncio.sleep(politeness.LEASE_SECONDS / 3)
            for lane in tuple(self._lanes.values()):
                late = time.time() - lane.asked_at > politeness.LEASE_SECONDS / 4
                if lane.busy and late and not lane.pace.free and not lane.lock.locked():
                    async with lane.lock:
                        await self._ask(lane)
