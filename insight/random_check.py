"""The random check: a frame of listings seen is frozen, and a sample drawn that all can verify.

The search for suspects says nothing of what it never looked for. A sample in which every
listing had a known chance does, as long as nobody could choose what is in it: so frame, strata
and size are set and hashed before the seed is known, and a frame is drawn from once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from evidence.custody import ledger
from insight.sampling import (
    DIMENSIONS,
    Drawn,
    Seen,
    allocate,
    draw,
    frame_text,
    sample_text,
    sha256,
    stratify,
)
from registry import alarms
from registry.errors import TouchstoneError
from registry.models import (
    Brand,
    FrameListing,
    LedgerEntry,
    Listing,
    Marketplace,
    Plan,
    Run,
    SampleFrame,
    Sighting,
    Snapshot,
)
from registry.models.base import utcnow

MAX_SEED = 500


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified, and what came of it."""

    name: str
    ok: bool
    said: str


def freeze(
    session: Session,
    *,
    since: datetime,
    until: datetime,
    size: int,
    actor: str,
    brand: str | None = None,
    marketplaces: Sequence[str] = (),
    by: Sequence[str] = DIMENSIONS,
) -> SampleFrame:
    """Freeze the frame of the listings seen in a window, in a write transaction.

    Parameters
    ----------
    since, until
        The window, half open.
    size
        How many listings will be drawn.
    brand
        A slug: what was seen for that brand only.
    marketplaces
        Names; empty is all.
    by
        Of `DIMENSIONS`: what makes the strata.

    Raises
    ------
    TouchstoneError
        If nothing was seen, or the size does not fit.
    """
    unknown = [name for name in by if name not in DIMENSIONS]
    if unknown:
        raise TouchstoneError(f"{unknown[0]!r} makes no strata; there are: {', '.join(DIMENSIONS)}")
    if since >= until:
        raise TouchstoneError("the window ends before it begins")
    if until > utcnow():
        raise TouchstoneError("the window is not over: what is not seen yet cannot be frozen")
    by = list(dict.fromkeys(by))
    seen = _seen(session, since, until, brand, marketplaces)
    if not seen:
        raise TouchstoneError("no listing was seen in that window: there is nothing to freeze")
    strata = stratify(seen, by)
    counted = Counter(strata.values())
    shares = allocate(counted, size)
    terms: dict[str, Any] = {
        "since": _stamp(since),
        "until": _stamp(until),
        "brand": brand,
        "marketplaces": sorted(set(marketplaces)),
        "by": by,
        "size": size,
        "strata": [[name, counted[name], shares[name]] for name in sorted(counted)],
    }
    # What an unhealthy run did not see is not in the frame: the frame says so itself.
    blind = _blind_runs(session, since, until, brand, marketplaces)
    if blind:
        terms["blind"] = blind
    frame = SampleFrame(
        terms=terms,
        strata=terms["strata"],
        listings=len(strata),
        size=size,
        sha256=sha256(frame_text(terms, strata)),
        frozen_by=actor,
    )
    session.add(frame)
    session.flush()
    session.execute(
        insert(FrameListing),
        [
            {
                "frame_id": frame.id,
                "listing_id": UUID(listing_id),
                "stratum": stratum,
                "probability": shares[stratum] / counted[stratum],
            }
            for listing_id, stratum in sorted(strata.items())
        ],
    )
    ledger.record(
        session,
        event="frame_frozen",
        subject=f"sample:{frame.id}",
        actor=actor,
        details={"sha256": frame.sha256, "listings": frame.listings, "size": size},
    )
    return frame


def _blind_runs(
    session: Session,
    since: datetime,
    until: datetime,
    brand: str | None,
    marketplaces: Sequence[str],
) -> list[list[str]]:
    """Marketplace and run, where a run of the window was unhealthy."""
    brand_id = session.scalar(select(Brand.id).where(Brand.slug == brand)) if brand else None
    found = alarms.gaps(session, since, until, brand_id, marketplaces)
    return [[marketplace, str(run_id)] for marketplace, run_id in found]


def _seen(
    session: Session,
    since: datetime,
    until: datetime,
    brand: str | None,
    marketplaces: Sequence[str],
) -> list[Seen]:
    """Each listing as it was last seen in the window."""
    newest = func.row_number().over(
        partition_by=Sighting.listing_id, order_by=(Sighting.seen_at.desc(), Sighting.id.desc())
    )
    sightings = select(Sighting.listing_id, Sighting.snapshot_id, newest.label("age")).where(
        Sighting.seen_at >= since, Sighting.seen_at < until
    )
    if brand is not None:
        brand_id = session.scalar(select(Brand.id).where(Brand.slug == brand))
        if brand_id is None:
            raise TouchstoneError(f"brand {brand!r} is not registered")
        sightings = (
            sightings.join(Run, Run.id == Sighting.run_id)
            .join(Plan, Plan.id == Run.plan_id)
            .where(Plan.brand_id == brand_id)
        )
    last = sightings.subquery()
    wanted = (
        select(
            Listing.id, Marketplace.name, Snapshot.amount, Snapshot.currency, Snapshot.seller_id
        )
        .join(last, last.c.listing_id == Listing.id)
        .join(Snapshot, Snapshot.id == last.c.snapshot_id)
        .join(Marketplace, Marketplace.id == Listing.marketplace_id)
        .where(last.c.age == 1)
    )  # fmt: skip
    if marketplaces:
        known = set(session.scalars(select(Marketplace.name)))
        if strange := sorted(set(marketplaces) - known):
            raise TouchstoneError(f"there is no marketplace {strange[0]!r}; see marketplace list")
        wanted = wanted.where(Marketplace.name.in_(marketplaces))
    return [
        Seen(str(listing_id), name, amount, currency, str(seller_id) if seller_id else None)
        for listing_id, name, amount, currency, seller_id in session.execute(wanted)
    ]


def draw_sample(
    session: Session, frame_id: UUID, *, seed: str, source: str, actor: str
) -> list[Drawn]:
    """Draw the sample of a frame, in a write transaction. It can be done once.

    Parameters
    ----------
    seed
        Made public after the frame was frozen, by somebody who has no part in this: the
        numbers of a lottery, a beacon's pulse.
    source
        Where that can be read.

    Raises
    ------
    TouchstoneError
        If it was drawn already, or the frame is not what was frozen.
    """
    frame = session.scalar(
        select(SampleFrame)
        .where(SampleFrame.id == frame_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if frame is None:
        raise TouchstoneError(f"there is no frame {frame_id}: see touchstone sample show")
    if frame.seed is not None:
        raise TouchstoneError(
            f"frame {frame.id} was drawn from on {frame.drawn_at:%Y-%m-%d %H:%M} UTC; who may "
            "draw again can choose what comes out: freeze another frame"
        )
    for name, text in (("seed", seed), ("source", source)):
        if not text.strip() or not text.isprintable() or len(text) > MAX_SEED:
            raise TouchstoneError(f"the {name} must be one printable line, up to {MAX_SEED} signs")
    strata = _strata(session, frame.id)
    if sha256(frame_text(frame.terms, strata)) != frame.sha256:
        raise TouchstoneError(f"frame {frame.id} is not what was frozen; nothing was drawn")
    shares = {name: share for name, _, share in frame.strata}
    sample = draw(strata, shares, frame.sha256, seed)
    frame.seed, frame.seed_source = seed, source
    frame.sample_sha256 = sha256(sample_text(frame.sha256, seed, sample))
    frame.drawn_by, frame.drawn_at = actor, utcnow()
    session.flush()
    session.execute(
        update(FrameListing),
        [
            {"frame_id": frame.id, "listing_id": UUID(one.listing_id), "drawn": one.place}
            for one in sample
        ],
    )
    ledger.record(
        session,
        event="sample_drawn",
        subject=f"sample:{frame.id}",
        actor=actor,
        details={
            "frame_sha256": frame.sha256,
            "sample_sha256": frame.sample_sha256,
            "seed": seed,
            "source": source,
        },
    )
    return sample


def canonical(session: Session, frame_id: UUID) -> str:
    """The frame's text, as it is in the database now: its SHA-256 is the frame's.

    Raises
    ------
    TouchstoneError
        If there is no such frame.
    """
    return frame_text(find_frame(session, frame_id).terms, _strata(session, frame_id))


def find_frame(session: Session, frame_id: UUID) -> SampleFrame:
    """The frame of an id.

    Raises
    ------
    TouchstoneError
        If there is none.
    """
    frame = session.get(SampleFrame, frame_id)
    if frame is None:
        raise TouchstoneError(f"there is no frame {frame_id}: see touchstone sample show")
    return frame


def verify(session: Session, frame_id: UUID) -> list[Check]:
    """Hold a frame and its sample against their hashes, the ledger and a draw done again."""
    frame = find_frame(session, frame_id)
    rows = session.execute(
        select(
            FrameListing.listing_id,
            FrameListing.stratum,
            FrameListing.probability,
            FrameListing.drawn,
        ).where(FrameListing.frame_id == frame_id)
    ).all()
    strata = {str(row.listing_id): row.stratum for row in rows}
    shares = {name: share for name, _, share in frame.strata}
    counted = Counter(strata.values())
    chances = {name: shares.get(name, 0) / count for name, count in counted.items()}
    entries = _entries(session, frame_id)
    frozen = [entry for entry in entries if entry["event"] == "frame_frozen"]
    checks = [
        _check(
            "frame",
            sha256(frame_text(frame.terms, strata)) == frame.sha256,
            f"{len(strata)} listings hash to {frame.sha256}",
            "the listings are not those that were frozen: the hash differs",
        ),
        _check(
            "ledger: frozen",
            [entry["details"]["sha256"] for entry in frozen] == [frame.sha256],
            "the custody ledger names this hash",
            "the custody ledger does not name this hash",
        ),
        _check(
            "strata",
            frame.strata == frame.terms["strata"]
            and frame.size == frame.terms["size"]
            and counted == {name: count for name, count, _ in frame.strata}
            and _allocated(counted, frame.size) == shares,
            f"{frame.size} of {len(counted)} strata, shared by the rule",
            "sizes of strata, or what is drawn from them, do not follow the rule",
        ),
        _check(
            "probabilities",
            all(row.probability == chances[row.stratum] for row in rows),
            "every listing has that of its stratum",
            "a listing has another probability than its stratum",
        ),
    ]
    if frame.seed is None:
        return checks
    kept = sorted(
        (row.stratum, row.drawn, str(row.listing_id)) for row in rows if row.drawn is not None
    )
    again = draw(strata, {**dict.fromkeys(counted, 0), **shares}, frame.sha256, frame.seed)
    told = [entry for entry in entries if entry["event"] == "sample_drawn"]
    expected = [(frame.sha256, frame.sample_sha256, frame.seed, frame.seed_source)]
    names = ("frame_sha256", "sample_sha256", "seed", "source")
    return [
        *checks,
        _check(
            "draw",
            kept == [(one.stratum, one.place, one.listing_id) for one in again]
            and sha256(sample_text(frame.sha256, frame.seed, again)) == frame.sample_sha256,
            f"drawn again from the seed: the same {len(again)} listings",
            "drawn again from the seed, other listings come out",
        ),
        _check(
            "ledger: drawn",
            [tuple(entry["details"].get(name) for name in names) for entry in told] == expected
            and bool(frozen)
            and frozen[0]["seq"] < told[0]["seq"],
            "the custody ledger names seed and sample, after the frame",
            "the custody ledger does not name this seed and this sample once, after the frame",
        ),
    ]


def _check(name: str, ok: bool, good: str, bad: str) -> Check:
    return Check(name, ok, good if ok else bad)


def _allocated(counted: Counter[str], size: int) -> dict[str, int] | None:
    try:
        return allocate(counted, size)
    except TouchstoneError:
        return None


def _entries(session: Session, frame_id: UUID) -> list[dict[str, Any]]:
    leaves = session.scalars(
        select(LedgerEntry.leaf)
        .where(LedgerEntry.subject == f"sample:{frame_id}")
        .order_by(LedgerEntry.seq)
    )
    return [json.loads(leaf) for leaf in leaves]


def _strata(session: Session, frame_id: UUID) -> dict[str, str]:
    rows = session.execute(
        select(FrameListing.listing_id, FrameListing.stratum).where(
            FrameListing.frame_id == frame_id
        )
    )
    return {str(listing_id): stratum for listing_id, stratum in rows}


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
