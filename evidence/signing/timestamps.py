"""Time stamps (RFC 3161): asked for when something is sealed, and for as long as it takes.

A seal never waits for an authority. What is sealed is marked awaiting in the same
transaction, a job asks each authority on its own, and one that is away is asked again and
again, ever less often; how late a stamp came can be seen.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evidence.custody import ledger
from evidence.signing.authorities import AuthorityFailed, Token, ask
from registry import jobs, models
from registry.blobs import Blobs
from registry.database import Database
from registry.models.base import utcnow
from registry.settings import Settings

ACTOR = "touchstone"
#: Seconds before an authority is asked again; doubled with every failure, up to the cap.
#: The first is far enough off not to keep a command that works until it is idle.
BACKOFF_SECONDS = 60.0
BACKOFF_CAP_SECONDS = 900.0
#: One that failed is left alone for so long, or a thousand awaiting stamps would keep every
#: worker waiting for it.
REST_SECONDS = 60.0


def request(
    session: Session,
    *,
    digest: str,
    about: str,
    settings: Settings,
    capture_id: UUID | None = None,
    checkpoint_id: UUID | None = None,
) -> None:
    """Ask every configured authority for a stamp, in the caller's transaction.

    Parameters
    ----------
    digest
        SHA-256 as hexadecimal digits.
    about
        package, archive or checkpoint.
    """
    for authority in settings.timestamp_authorities:
        known = select(models.Stamp.id).where(
            models.Stamp.digest == digest, models.Stamp.authority == authority
        )
        if session.scalar(known) is not None:
            continue
        stamp = models.Stamp(
            capture_id=capture_id,
            checkpoint_id=checkpoint_id,
            about=about,
            digest=digest,
            authority=authority,
        )
        session.add(stamp)
        session.flush()
        jobs.enqueue(session, "stamp", {"stamp_id": str(stamp.id)})


def stamp_job(hold: jobs.Hold, settings: Settings, _blobs: Blobs) -> None:
    """Ask an authority for one stamp; if it fails, a job for later follows this one."""
    stamp_id = UUID(hold.claim.payload["stamp_id"])
    tries = int(hold.claim.payload.get("tries", 0))
    with hold.database.reading() as session:
        stamp = session.get(models.Stamp, stamp_id)
        rested = _resting_until(session, stamp.authority) if stamp is not None else None
    if stamp is None or stamp.state != "awaiting":
        with hold.finishing({"state": "stamped" if stamp else "gone"}):
            return
    if stamp.authority not in settings.timestamp_authorities:
        with hold.finishing({"state": "awaiting"}) as session:
            _failed(session, stamp_id, "it is not among the configured authorities any longer")
            return
    if rested is not None:
        later = rested + timedelta(seconds=REST_SECONDS * random.random())
        with hold.finishing({"state": "awaiting"}) as session:
            _again(session, stamp_id, tries, later)
            return
    try:
        token = ask(stamp.authority, stamp.digest, settings.timestamp_roots)
    except AuthorityFailed as failure:
        pause = min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2 ** min(tries, 8))
        with hold.finishing({"state": "awaiting"}) as session:
            _failed(session, stamp_id, str(failure))
            # Spread, so that what failed together does not come back together.
            later = utcnow() + timedelta(seconds=pause * random.uniform(0.75, 1.25))
            _again(session, stamp_id, tries + 1, later)
        return
    with hold.finishing({"state": "stamped"}) as session:
        _stamped(session, stamp_id, token)


def ask_awaiting(
    database: Database, settings: Settings, *, checkpoint_id: UUID | None = None
) -> Iterator[models.Stamp]:
    """Ask now for every stamp that is awaited from a configured authority.

    Parameters
    ----------
    checkpoint_id
        Only for those of this checkpoint.

    Yields
    ------
    models.Stamp
        Each as it is afterwards. An authority that does not answer is asked no second time.
    """
    wanted = select(models.Stamp).where(
        models.Stamp.state == "awaiting",
        models.Stamp.authority.in_(settings.timestamp_authorities),
    )
    if checkpoint_id is not None:
        wanted = wanted.where(models.Stamp.checkpoint_id == checkpoint_id)
    with database.reading() as session:
        awaiting = session.scalars(wanted.order_by(models.Stamp.id)).all()
    away: dict[str, AuthorityFailed] = {}
    for stamp in awaiting:
        try:
            if stamp.authority in away:
                raise away[stamp.authority]
            token = ask(stamp.authority, stamp.digest, settings.timestamp_roots)
        except AuthorityFailed as failure:
            if failure.away:
                away[stamp.authority] = failure
            with database.writing() as session:
                _failed(session, stamp.id, str(failure))
        else:
            with database.writing() as session:
                _stamped(session, stamp.id, token)
        with database.reading() as session:
            yield session.get_one(models.Stamp, stamp.id)


def describe(stamp: models.Stamp, sealed_at: datetime) -> dict[str, Any]:
    """A stamp for JSON, its token left out.

    Parameters
    ----------
    sealed_at
        When what is stamped was sealed; the delay counts from there.
    """
    late = None if stamp.stamped_at is None else (stamp.stamped_at - sealed_at).total_seconds()
    return {
        "about": stamp.about,
        "authority": stamp.authority,
        "state": stamp.state,
        "stamped_at": stamp.stamped_at,
        "delay_seconds": late,
        "tried_at": stamp.tried_at,
        "error": stamp.error,
    }


def _resting_until(session: Session, authority: str) -> datetime | None:
    """Until when an authority that failed a moment ago is left alone."""
    failed = session.scalar(
        select(models.Stamp.tried_at)
        .where(
            models.Stamp.authority == authority,
            models.Stamp.state == "awaiting",
            models.Stamp.tried_at > utcnow() - timedelta(seconds=REST_SECONDS),
        )
        .order_by(models.Stamp.tried_at.desc())
        .limit(1)
    )
    return None if failed is None else failed + timedelta(seconds=REST_SECONDS)


def _again(session: Session, stamp_id: UUID, tries: int, later: datetime) -> None:
    payload = {"stamp_id": str(stamp_id), "tries": tries}
    jobs.enqueue(session, "stamp", payload, available_at=later)


def _failed(session: Session, stamp_id: UUID, error: str) -> None:
    session.execute(
        update(models.Stamp)
        .where(models.Stamp.id == stamp_id, models.Stamp.state == "awaiting")
        .values(error=error, tried_at=utcnow())
    )


def _stamped(session: Session, stamp_id: UUID, token: Token) -> None:
    """Keep a token, unless another came first.

    A checkpoint's stamp is not noted in the ledger: that would ask for the next checkpoint,
    and so on for ever.
    """
    capture_id = session.scalars(
        update(models.Stamp)
        .where(models.Stamp.id == stamp_id, models.Stamp.state == "awaiting")
        .values(state="stamped", token=token.response, stamped_at=token.at, error=None)
        .returning(models.Stamp.capture_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if capture_id is None:
        return
    stamp = session.get_one(models.Stamp, stamp_id)
    ledger.record(
        session,
        event="stamped",
        subject=f"capture:{capture_id}",
        actor=ACTOR,
        occurred_at=token.at,
        details={
            "about": stamp.about,
            "digest": stamp.digest,
            "authority": stamp.authority,
            "token_sha256": hashlib.sha256(token.response).hexdigest(),
        },
    )
