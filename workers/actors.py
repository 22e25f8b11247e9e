"""The Dramatiq actors: one for each kind of job, each a line that carries an id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import dramatiq

from crawler.crawling import revisits
from evidence.custody.checkpoints import checkpoint_job
from evidence.custody.retention import erase_job
from evidence.jobs import capture_job
from evidence.signing.timestamps import stamp_job
from insight.asking import ask_to_follow
from insight.following import follow_job
from insight.triage import assess
from purchases.ordering import purchase_job
from purchases.proposals import propose
from purchases.reconciling.job import reconcile_job
from registry import jobs
from registry.blobs import Blobs
from registry.models import Snapshot
from registry.settings import Settings
from workers.watching import crawl_job, watch_job

Handler = Callable[[jobs.Hold, Settings, Blobs], None]

#: Dramatiq works lower numbers first: what a person waits for before what fills a day.
_PRIORITIES = {
    "purchase": 0,
    "watch": 1,
    "assess": 1,
    "capture": 2,
    "reconcile": 2,
    "follow": 3,
    "stamp": 3,
    "checkpoint": 4,
    "erase": 4,
    "crawl": 5,
}


def assess_job(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
    """Assess a snapshot; a flagged one makes a capture job and a purchase proposal.

    One of which the model says that a person should look makes neither: it waits for them.
    """
    payload = hold.claim.payload
    assessment = assess(
        hold.database,
        blobs,
        settings,
        UUID(payload["snapshot_id"]),
        UUID(payload["plan_id"]),
        datetime.fromisoformat(payload["seen_at"]),
    )
    with hold.finishing() as session:
        session.add(assessment)
        session.flush()
        revisits.assessed(session, assessment)
        if assessment.flagged:
            jobs.enqueue(
                session,
                "capture",
                {"assessment_id": str(assessment.id)},
                key=f"capture:{assessment.snapshot_id}",
            )
            propose(session, assessment)
            listing_id = session.get_one(Snapshot, assessment.snapshot_id).listing_id
            ask_to_follow(session, listing_id, assessment.brand_id, assessment.plan_id, why="flag")


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "assess": assess_job,
        "capture": capture_job,
        "follow": follow_job,
        "purchase": purchase_job,
        "reconcile": reconcile_job,
        "stamp": stamp_job,
        "checkpoint": checkpoint_job,
        "erase": erase_job,
        "watch": watch_job,
        "crawl": crawl_job,
    }
)


def declare_actors(
    broker: dramatiq.Broker,
    run: Callable[[UUID], None],
    kinds: Mapping[str, Handler],
    *,
    namespace: str,
) -> dict[str, dramatiq.Actor[[str], None]]:
    """Declare an actor and a queue for each kind of job.

    Parameters
    ----------
    run
        Does the job of an id; raises only if it could not even say how the job ended.
    namespace
        Goes before the names of queues, for brokers that keep no installations apart.
    """

    def work(job_id: str) -> None:
        run(UUID(job_id))

    return {
        kind: dramatiq.actor(
            actor_name=f"{kind}_job",
            queue_name=f"{namespace}.{kind}",
            priority=_PRIORITIES.get(kind, 1),
            broker=broker,
        )(work)
        for kind in kinds
    }
