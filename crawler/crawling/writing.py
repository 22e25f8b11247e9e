"""Writing in groups: what pages brought while the last transaction ran is in the next one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from crawler.crawling.frontier import Frontier, Superseded
from registry.database import Database

logger = logging.getLogger(__name__)

#: What is written in a transaction: effects of a page, and by how much counts go up for it.
Work = Callable[[Session], Mapping[str, float]]

TRIES = 8
#: An outage of the database is waited out for as long as a run may stand still.
OUTAGE_SECONDS = 600.0


class Writer:
    """Writes for one shard, each time with how far it is, so that a kill loses no count.

    Parameters
    ----------
    counts
        Where the shard is taken up.
    told
        What else is to be kept with the counts.
    """

    def __init__(
        self,
        database: Database,
        frontier: Frontier,
        counts: Mapping[str, float],
        told: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.counts: Counter[str] = Counter(counts)
        self._database = database
        self._frontier = frontier
        self._told = told
        self._works: list[tuple[Work, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._began = time.monotonic() - counts.get("seconds", 0.0)

    async def write(self, work: Work) -> None:
        """Have something written; returns when it is.

        Raises
        ------
        Superseded
            If the shard is in other hands.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._works.append((work, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await future

    async def _run(self) -> None:
        try:
            while self._works:
                # What is ready in this very moment goes along.
                await asyncio.sleep(0)
                batch, self._works = self._works, []
                try:
                    await asyncio.to_thread(self._store, [work for work, _ in batch])
                except Exception as error:  # each page is told; one alone may be at fault
                    if len(batch) > 1 and not isinstance(error, Superseded):
                        await self._one_by_one(batch)
                    else:
                        _tell(batch, error)
                else:
                    _tell(batch, None)
        finally:
            self._task = None

    async def _one_by_one(self, batch: list[tuple[Work, asyncio.Future[None]]]) -> None:
        for work, future in batch:
            try:
                await asyncio.to_thread(self._store, [work])
            except Exception as error:
                _tell([(work, future)], error)
            else:
                _tell([(work, future)], None)

    def _store(self, works: list[Work]) -> None:
        """One transaction; again if another was quicker, or the database is away."""
        until = time.monotonic() + OUTAGE_SECONDS
        tries = 0
        while True:
            counts = self.counts.copy()
            try:
                # What works look for of one another's, they find in `session.info`.
                with self._database.writing() as session, session.no_autoflush:
                    for work in works:
                        for name, number in work(session).items():
                            counts[name] += number  # type: ignore[assignment]
                    counts["seconds"] = time.monotonic() - self._began  # type: ignore[assignment]
                    self._frontier.held(
                        session,
                        asked=int(counts["asked"]),
                        browser_seconds=float(counts["browser_seconds"]),
                        stats={**_round(counts), **self._told()},
                    )
                self.counts = counts
                return
            except IntegrityError:
                # Two may have stored a seller that is new in the same moment.
                tries += 1
                if tries >= TRIES:
                    raise
            except OperationalError as error:
                if time.monotonic() > until:
                    raise
                logger.error("database: %s", " ".join(str(error.orig).split())[:200])
                time.sleep(0.5)


def _round(counts: Mapping[str, float]) -> dict[str, float]:
    return {
        name: round(number, 1) if isinstance(number, float) else number
        for name, number in counts.items()
        if name != "asked"
    }


def _tell(batch: list[tuple[Work, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, future in batch:
        with contextlib.suppress(asyncio.InvalidStateError):
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
