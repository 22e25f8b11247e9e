"""Killing a worker or its browser, and giving a purchase that is under way to another worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from registry import jobs
from registry.database import Database
from registry.models import Job, Purchase
from registry.models.base import utcnow
from tests.purchases.faults import processes

#: How long a request waits until another worker has the job as well.
TAKEN_SECONDS = 4.0
#: How long after the review page the intent to order is looked for.
INTENT_SECONDS = 10.0


class Striker:
    """What befalls the machine and not the shop.

    Attributes
    ----------
    shared
        The wares whose purchase two workers had at the same time.
    browsers
        The Chromium processes of killed workers: none should live on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, tuple[UUID, UUID]] = {}
        self.shared: set[int] = set()
        self.browsers: set[int] = set()

    def know(self, number: int, purchase_id: UUID, job_id: UUID) -> None:
        """Remember whose a ware is."""
        self._known[number] = purchase_id, job_id

    async def owner(self, port: int) -> int | None:
        """The worker whose connection it is."""
        return await asyncio.to_thread(processes.owner, port)

    async def intended(self, number: int) -> bool:
        """Wait until the intent to order is committed; whether it was."""
        return await asyncio.to_thread(self._wait, lambda: self._clicked(number), INTENT_SECONDS)

    async def strike(self, fault: str, number: int, port: int, pid: int | None = None) -> None:
        """Do it, and come back when it is done."""
        await asyncio.to_thread(self._strike, fault, number, port, pid)

    def _strike(self, fault: str, number: int, port: int, pid: int | None) -> None:
        if fault in ("kill_worker", "kill_browser"):
            pid = pid or processes.owner(port)
            if pid is not None:
                self._kill(fault, pid)
        elif fault == "lost_lease":
            self._lose_lease(number)
        else:
            self._ask_again(number)

    def _kill(self, fault: str, pid: int) -> None:
        found = processes.browsers(pid)
        if fault == "kill_browser":
            for browser in found:
                processes.kill(browser)
        else:
            self.browsers.update(found)
            processes.kill(pid)

    def _lose_lease(self, number: int) -> None:
        """What happens to a worker that fell silent, except that it did not."""
        _, job_id = self._known[number]
        with self._database.writing() as session:
            job = session.get(Job, job_id, with_for_update=True)
            if job is None or job.state != "running":
                return
            fence = job.fence
            job.lease_until = utcnow() - timedelta(seconds=1)
            session.flush()
            jobs.sweep(session, 3600)
        if self._wait(lambda: self._job(job_id).fence > fence, TAKEN_SECONDS):
            self.shared.add(number)

    def _ask_again(self, number: int) -> None:
        """A second job for the same purchase."""
        purchase_id, _ = self._known[number]
        with self._database.writing() as session:
            job_id = jobs.enqueue(session, "purchase", {"purchase_id": str(purchase_id)})
        assert job_id is not None
        if self._wait(lambda: self._job(job_id).fence > 0, TAKEN_SECONDS):
            self.shared.add(number)

    def _job(self, job_id: UUID) -> Job:
        with self._database.reading() as session:
            return session.get_one(Job, job_id)

    def _clicked(self, number: int) -> bool:
        with self._database.reading() as session:
            purchase = session.get_one(Purchase, self._known[number][0])
            return purchase.clicked_at is not None

    def _wait(self, true: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True
