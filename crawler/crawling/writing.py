"""Writing in groups: what pages brought while the last transaction ran is in the next one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from crawler.crawling.frontier import Frontier, Settled, Superseded
from crawler.crawling.store import Seen, Target, store_all
from registry.database import Database

logger = logging.getLogger(__name__)

#: What is done in a transaction, and by how much counts go up for it.
Work = Callable[[Session], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Brought:
    """What a page brought, and is written in one transaction.

    Parameters
    ----------
    settled
        What came of the page; None if it is still to be visited.
    counts
        By how much counts go up, beside what the works say.
    seen
        The listing that it showed, which is stored with those of other pages.
    """

    settled: Settled | None = None
    counts: Mapping[str, float] = field(default_factory=dict)
    works: Sequence[Work] = ()
    seen: Seen | None = None


_Waiting = tuple[Brought, asyncio.Future[None]]

TRIES = 8
#: An outage of the database is waited out for as long as a run may stand still.
OUTAGE_SECONDS = 600.0


class Writer:
    """Writes for one shard, each time with how far it is, so that a kill loses no count.

    Parameters
    ----------
    target
        The run, for what listings said.
    counts
        Where the shard is taken up.
    told
        What else is to be kept with the counts.
    """

    def __init__(
        self,
        database: Database,
        frontier: Frontier,
        target: Target,
        counts: Mapping[str, float],
        told: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.counts: Counter[str] = Counter(counts)
        self._database = database
        self._frontier = frontier
        self._target = target
        self._told = told
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._began = time.monotonic() - counts.get("seconds", 0.0)

    async def write(self, brought: Brought) -> None:
        """Have it written; returns when it is.

        Raises
        ------
        Superseded
            If the shard is in other hands.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((brought, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                # What is ready in this very moment goes along.
                await asyncio.sleep(0)
                batch, self._waiting = self._waiting, []
                try:
                    await asyncio.to_thread(self._store, [brought for brought, _ in batch])
                except Exception as error:  # each page is told; one alone may be at fault
                    if len(batch) > 1 and not isinstance(error, Superseded):
                        await self._one_by_one(batch)
                    else:
                        _tell(batch, error)
                else:
                    _tell(batch, None)
        finally:
            self._task = None

    async def _one_by_one(self, batch: list[_Waiting]) -> None:
        for one in batch:
            try:
                await asyncio.to_thread(self._store, [one[0]])
            except Exception as error:
                _tell([one], error)
            else:
                _tell([one], None)

    def _store(self, pages: Sequence[Brought]) -> None:
        """One transaction; again if another was quicker, or the database is away."""
        until = time.monotonic() + OUTAGE_SECONDS
        tries = 0
        while True:
            counts = self.counts.copy()
            try:
                # What works look for of one another's, they find in `session.info`.
                with self._database.writing() as session, session.no_autoflush:
                    for told in self._do(session, pages):
                        for name, number in told.items():
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

    def _do(self, session: Session, pages: Sequence[Brought]) -> Iterator[Mapping[str, float]]:
        """All that pages brought; by how much counts go up."""
        for new in store_all(session, self._target, [page.seen for page in pages if page.seen]):
            yield {"listings": 1, "new" if new else "unchanged": 1}
        for page in pages:
            yield page.counts
            # Behind what was seen: a lead asks what is known of its listing.
            for work in page.works:
                yield work(session)
        self._frontier.settle(session, [page.settled for page in pages if page.settled])


def _round(counts: Mapping[str, float]) -> dict[str, float]:
    return {
        name: round(number, 1) if isinstance(number, float) else number
        for name, number in counts.items()
        if name != "asked"
    }


def _tell(batch: list[_Waiting], error: Exception | None) -> None:
    for _, future in batch:
        with contextlib.suppress(asyncio.InvalidStateError):
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
