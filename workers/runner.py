"""A worker: takes jobs from the broker, claims them in the database, works them off."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import FrameType
from uuid import UUID

import dramatiq
from sqlalchemy import and_, func, or_, select

from evidence.capturing.browsing import close_shared
from insight.embeddings import open_embedder
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Job
from registry.models.base import utcnow
from registry.settings import Settings
from workers import watching
from workers.actors import HANDLERS, Handler, declare_actors
from workers.broker import make_broker
from workers.relay import Relay

logger = logging.getLogger(__name__)

#: The kind of job that is a whole crawl.
CRAWLS = "crawl"
#: How long a stop waits for a broker, beyond the grace that jobs have.
FAREWELL_SECONDS = 5.0
#: What is due no sooner does not keep a worker that ends when it is idle.
IDLE_SECONDS = 30.0


class WorkerProcess:
    """The parts of a worker: relay, sweeper, Dramatiq's threads, and the heartbeat.

    Parameters
    ----------
    handlers
        What does the work of each kind of job.

    Raises
    ------
    TouchstoneError
        If the settings name a picture model that cannot be used: no job could be judged.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        blobs: Blobs,
        handlers: Mapping[str, Handler] = HANDLERS,
    ) -> None:
        self._settings = settings
        self._database = database
        self._blobs = blobs
        self._handlers = handlers
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        if "assess" in handlers:
            open_embedder(settings)
        self.broker = make_broker(settings)
        actors = declare_actors(
            self.broker, self.run_job, handlers, namespace=settings.broker_namespace
        )

        def send(kind: str, job_id: UUID) -> None:
            actors[kind].send(str(job_id))

        self._relay = Relay(settings, database, send, handlers.keys())
        # A crawl may take hours: it has threads of its own, or two of them would hold up all else.
        queues = {actor.queue_name for kind, actor in actors.items() if kind != CRAWLS}
        crawls = {actor.queue_name for kind, actor in actors.items() if kind == CRAWLS}
        self._workers = [
            dramatiq.Worker(self.broker, queues=names, worker_threads=threads)
            for names, threads in (
                (queues, settings.worker_threads),
                (crawls, settings.crawl_threads),
            )
            if names
        ]
        self._in_hand: dict[UUID, jobs.Claim] = {}
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._heartbeat = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to work; returns at once."""
        for worker in self._workers:
            worker.start()
        self._relay.start()
        self._heartbeat.start()

    def stop(self, grace_seconds: float = 30.0) -> None:
        """Finish what is in hand, give back what is not finished in time."""
        self._relay.stop()
        watching.break_off()
        leaving = threading.Thread(
            target=self._leave, args=(grace_seconds,), name="leaving", daemon=True
        )
        leaving.start()
        # A broker that fell silent does not hold us: all that it has is messages.
        leaving.join(grace_seconds + FAREWELL_SECONDS)
        self._halt.set()
        with self._lock:
            left = list(self._in_hand.values())
        for claim in left:
            with self._database.writing() as session:
                jobs.give_back(session, claim)
        close_shared()

    def _leave(self, grace_seconds: float) -> None:
        for worker in self._workers:
            worker.stop(timeout=int(grace_seconds * 1000))
        if self._relay.is_alive():
            self._relay.join()
        self.broker.close()

    def run_until_idle(self, show: Callable[[dict[str, int]], None]) -> None:
        """Work until every job is done or dead, telling the states on the way.

        A job that failed waits for its next try, and so does this; but not for one whose time
        is further off than `IDLE_SECONDS`, such as a stamp of an authority that is away.
        """
        self.start()
        try:
            while True:
                with self._database.reading() as session:
                    left = session.scalar(
                        select(func.count())
                        .where(
                            or_(
                                Job.state == "running",
                                and_(
                                    Job.state == "queued",
                                    Job.available_at <= utcnow() + timedelta(seconds=IDLE_SECONDS),
                                ),
                            )
                        )
                        .where(Job.kind.in_(self._handlers))
                    )
                    # Told after it was counted: else the last states could be of a moment before.
                    states = jobs.tally(session)
                show(states)
                if not left:
                    return
                time.sleep(0.2)
        finally:
            self.stop()

    def run_job(self, job_id: UUID) -> None:
        """Claim a job and do it. Whatever happens is written in its row, and nothing raised."""
        with self._database.writing() as session:
            claim = jobs.claim(session, job_id, self._name, self._settings.lease_seconds)
        if claim is None:
            return  # done already, or in other hands: the message came twice
        with self._lock:
            self._in_hand[job_id] = claim
        hold = jobs.Hold(self._database, claim, self._settings.lease_seconds)
        try:
            self._handlers[claim.kind](hold, self._settings, self._blobs)
            logger.info("%s %s done", claim.kind, job_id)
        except jobs.LeaseLost:
            logger.warning("%s %s went to another worker; nothing was written", claim.kind, job_id)
        except Exception as error:
            logger.debug("%s %s failed", claim.kind, job_id, exc_info=True)
            self._note(claim, error)
        finally:
            with self._lock:
                self._in_hand.pop(job_id, None)

    def _note(self, claim: jobs.Claim, error: Exception) -> None:
        message = " ".join(f"{type(error).__name__}: {error}".split())[:2000]
        with self._database.writing() as session:
            dead = jobs.fail(session, claim, message)
        if dead:
            logger.error(
                "%s %s is dead: %s; touchstone job requeue %s",
                claim.kind,
                claim.job_id,
                message,
                claim.job_id,
            )

    def _beat(self) -> None:
        lease = self._settings.lease_seconds
        while not self._halt.wait(lease / 4):
            with self._lock:
                held = list(self._in_hand.values())
            for claim in held:
                try:
                    with self._database.writing() as session:
                        jobs.extend(session, claim, lease)
                except jobs.LeaseLost:
                    continue  # its own thread finds out when it wants to write
                except Exception as error:  # an outage: the next beat may still be in time
                    logger.error("heartbeat: %s: %s", type(error).__name__, error)


def serve_until_signalled(worker: WorkerProcess) -> None:
    """Work until SIGTERM or SIGINT, then stop with grace."""
    halt = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        halt.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    worker.start()
    halt.wait()
    worker.stop()
