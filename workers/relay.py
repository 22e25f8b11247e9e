"""Handing the outbox over to the broker, and sweeping up after brokers and workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from uuid import UUID

from evidence.custody import checkpoints
from purchases.ordering import given_up
from registry import jobs
from registry.database import Database
from registry.settings import Settings

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
OUTAGE_CAP_SECONDS = 10.0


class Relay(threading.Thread):
    """One thread that hands due jobs over and puts lost ones back.

    Any number of these may run, in any number of processes: what two of them hand over
    comes twice, and the second claim finds the job taken.

    Parameters
    ----------
    send
        Gives a job's id to the broker; may raise anything when the broker is away.
    kinds
        The kinds of job that are handed over; others wait for a worker that knows them.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        send: Callable[[str, UUID], None],
        kinds: Collection[str],
    ) -> None:
        super().__init__(name="relay", daemon=True)
        self._settings = settings
        self._database = database
        self._send = send
        self._kinds = kinds
        self._halt = threading.Event()

    def run(self) -> None:
        """Relay until `stop`; an outage of the broker or the database is waited out."""
        pause, outages = POLL_SECONDS, 0
        swept_at = 0.0
        sweep_every = min(self._settings.lease_seconds, self._settings.handover_seconds) / 4
        while not self._halt.wait(pause):
            try:
                if time.monotonic() - swept_at >= sweep_every:
                    self._sweep()
                    self._ask_for_checkpoint()
                    swept_at = time.monotonic()
                handed = self._hand_over()
                pause, outages = (0.0 if handed else POLL_SECONDS), 0
            except Exception as error:  # whatever it is, jobs must go on when it is over
                outages += 1
                pause = min(OUTAGE_CAP_SECONDS, POLL_SECONDS * 2**outages)
                logger.error("relay: %s: %s; again in %.1f s", type(error).__name__, error, pause)

    def stop(self) -> None:
        """Hand nothing over any more; what is on its way may still go."""
        self._halt.set()

    def _hand_over(self) -> int:
        with self._database.reading() as session:
            due = jobs.awaiting_handover(session, self._kinds)
        if not due:
            return 0
        sent: list[UUID] = []
        try:
            for job_id, kind in due:
                self._send(kind, job_id)
                sent.append(job_id)
        finally:
            if sent:
                with self._database.writing() as session:
                    jobs.mark_handed_over(session, sent)
        return len(sent)

    def _sweep(self) -> None:
        with self._database.writing() as session:
            swept = jobs.sweep(session, self._settings.handover_seconds)
            for job_id, kind in swept.dead:
                if kind == "purchase":
                    given_up(session, job_id, "its worker was lost again and again")
        if swept.lost or swept.dead:
            logger.warning(
                "%d jobs lost their worker, %d of them for good",
                swept.lost + len(swept.dead),
                len(swept.dead),
            )

    def _ask_for_checkpoint(self) -> None:
        if checkpoints.KIND in self._kinds:
            with self._database.writing() as session:
                checkpoints.ask_when_due(session, self._settings)
