"""Turns at hosts for whoever asks for one page at a time.

They are agreed on with all other workers as those of a crawl are (`crawler.network.turnstile`,
which lets many requests of one process wait at once).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from crawler.network import politeness
from crawler.network.politeness import Pace
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models.base import utcnow

#: Where all places are taken, it is looked again so soon.
AGAIN_SECONDS = 0.5
#: Longer is not waited for, where nobody says how long.
MAX_WAIT_SECONDS = 60.0


class NoTurn(TouchstoneError):
    """A host that may not be asked soon enough: others ask it, or it wants to be left alone."""


class Turns:
    """Turns of one process.

    Parameters
    ----------
    pace_of
        The ceiling of a host; one that has none is asked without a word to the database.
    """

    def __init__(self, database: Database, pace_of: Callable[[str], Pace]) -> None:
        self._database = database
        self._pace_of = pace_of
        self._holder = politeness.new_holder()

    @contextmanager
    def turn(self, host: str, until: float | None = None) -> Iterator[None]:
        """Wait until a host may be asked, and hold the place.

        Parameters
        ----------
        until
            By `time.monotonic`, when it must have come.

        Raises
        ------
        NoTurn
            If it does not come by then.
        """
        pace = self._pace_of(host)
        if pace.free:
            yield
            return
        try:
            self._wait(host, pace, time.monotonic() + MAX_WAIT_SECONDS if until is None else until)
            yield
        finally:
            if pace.at_once is not None:
                with self._database.writing() as session:
                    politeness.leave(session, self._holder)

    def _wait(self, host: str, pace: Pace, until: float) -> None:
        while True:
            with self._database.writing() as session:
                grant = politeness.ask(session, host, self._holder, pace, wanted=1, busy=0)
            now = utcnow()
            at = max(now, grant.paused_until or now, *(grant.times or (now,)))
            seconds = (at - now).total_seconds()
            if grant.places == 0:
                seconds = max(seconds, AGAIN_SECONDS)
            if seconds > until - time.monotonic():
                raise NoTurn(f"{host} may not be asked before {_when(at)}{_why(grant)}")
            time.sleep(seconds)
            if grant.places != 0:
                return


def _when(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"


def _why(grant: politeness.Grant) -> str:
    return f": {grant.paused_why}" if grant.paused_why else ""
