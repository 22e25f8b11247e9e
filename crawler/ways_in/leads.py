"""Leads: addresses that somebody or something says are worth a visit, until a run sees them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import and_, insert, or_, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from crawler.marketplaces import KINDS
from crawler.ways_in.places import Place, Places
from registry import assessing
from registry.errors import TouchstoneError
from registry.models import ORIGINS, Assessment, Lead, Listing, Marketplace, Plan, Run, Snapshot
from registry.models.base import utcnow

#: Whoever names an address again after it was visited wants it visited again.
_RENEWED_BY = frozenset(("tip", "link", "list", "alike"))
#: A seller's shop is worth another visit after so long.
SHOP_AGAIN = timedelta(days=7)
#: Addresses that one page of a lead may add.
MAX_FROM_PAGE = 200
#: Leads without a marketplace that are looked at when one begins to be watched.
MAX_ADOPTED = 2_000
#: Of what is said of one listing, so many pieces are told.
MAX_SAID = 20
MAX_URL = 2_000
MAX_TEXT = 2_000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Told:
    """An address and what is said of it; the names are those of `registry.models.Lead`."""

    url: str
    origin: str
    who: str | None = None
    plan_id: UUID | None = None
    from_listing_id: UUID | None = None
    source: str | None = None
    context: str | None = None
    note: str | None = None


@dataclass(slots=True)
class Added:
    """What became of addresses: leads that are new, that wait again, and that were known."""

    new: int = 0
    again: int = 0
    known: int = 0
    refused: int = 0
    nowhere: int = 0

    def __iadd__(self, other: Added) -> Added:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def add(session: Session, brand_id: UUID, told: Iterable[Told], places: Places) -> Added:
    """Keep addresses that have passed the gate's look at their form.

    An address that is known is counted once more. One that a run has seen waits again, if
    whoever names it knows something new; one that a person refused stays refused.
    """
    added = Added()
    rest = iter(told)
    while batch := list(islice(rest, _BATCH)):
        found: dict[str, tuple[Told, Place]] = {}
        for one in batch:
            place = places.of(one.url)
            if place.key in found:
                added.known += 1
            else:
                found[place.key] = (one, place)
        before = {
            lead.key: lead
            for lead in session.scalars(
                select(Lead).where(Lead.brand_id == brand_id, Lead.key.in_(found))
            )
        }
        rows = []
        for key, (one, place) in found.items():
            lead = before.get(key)
            if lead is None:
                rows.append(_row(brand_id, one, place))
                added.nowhere += place.marketplace_id is None
            else:
                _name_again(lead, one, added)
        if rows:
            session.execute(insert(Lead), rows)
            added.new += len(rows)
        session.flush()
    return added


def _row(brand_id: UUID, told: Told, place: Place) -> dict[str, Any]:
    now = utcnow()
    return {
        "id": uuid7(),
        "brand_id": brand_id,
        "plan_id": told.plan_id,
        "marketplace_id": place.marketplace_id,
        "kind": place.kind,
        "url": told.url,
        "external_id": place.external_id,
        "page": place.page,
        "key": place.key,
        "origin": told.origin,
        "rank": ORIGINS.index(told.origin),
        "from_listing_id": told.from_listing_id,
        "source": told.source,
        "context": told.context[:MAX_TEXT] if told.context else None,
        "note": told.note[:MAX_TEXT] if told.note else None,
        "who": told.who,
        "times": 1,
        "state": "waiting",
        "created_at": now,
        "changed_at": now,
    }


def _name_again(lead: Lead, told: Told, added: Added) -> None:
    # A page that is read in every run says the same thing every time.
    same = told.origin == lead.origin and told.source == lead.source
    lead.times += 1
    lead.context = lead.context or (told.context[:MAX_TEXT] if told.context else None)
    lead.from_listing_id = lead.from_listing_id or told.from_listing_id
    rank = ORIGINS.index(told.origin)
    if rank < lead.rank:
        lead.origin, lead.rank, lead.source = told.origin, rank, told.source
    if lead.state == "refused":
        added.refused += 1
    elif lead.state in ("seen", "gone") and (
        (told.origin in _RENEWED_BY and not same)
        or (told.origin == "seller" and utcnow() - lead.changed_at > SHOP_AGAIN)
    ):
        lead.state, lead.changed_at = "waiting", utcnow()
        added.again += 1
    else:
        added.known += 1


def take(
    session: Session, plan_id: UUID, marketplace_id: UUID, run_id: UUID, limit: int
) -> list[Lead]:
    """Take leads for a run, the most telling origin first; nobody else gets them meanwhile.

    Those of a run that ended without settling them are taken over.
    """
    plan = session.get_one(Plan, plan_id)
    _adopt(session, session.get_one(Marketplace, marketplace_id))
    ended = select(Run.id).where(Run.state != "running")
    leads = session.scalars(
        select(Lead)
        .where(
            Lead.marketplace_id == marketplace_id,
            Lead.brand_id == plan.brand_id,
            or_(Lead.plan_id.is_(None), Lead.plan_id == plan_id),
            or_(
                Lead.state == "waiting",
                and_(Lead.state == "taken", Lead.run_id.in_(ended)),
            ),
        )
        .order_by(Lead.rank, Lead.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for lead in leads:
        lead.state, lead.run_id, lead.changed_at = "taken", run_id, utcnow()
    session.flush()
    return list(leads)


def settle(session: Session, lead_id: UUID, state: str, note: str | None = None) -> None:
    """Say what came of a lead: ``seen``, ``gone``, or ``waiting`` for another try.

    What a person has refused in the meantime stays so.
    """
    if state not in ("seen", "gone", "waiting"):
        raise ValueError(f"a lead cannot be settled as {state!r}")
    lead = session.get_one(Lead, lead_id, with_for_update=True, populate_existing=True)
    if lead.state not in ("taken", "waiting"):
        return
    lead.state, lead.changed_at = state, utcnow()
    lead.note = note[:MAX_TEXT] if note else lead.note
    if state == "seen" and lead.context:
        _judge_again(session, lead)
    session.flush()


def said_elsewhere(session: Session, listing: Listing, brand_id: UUID) -> list[dict[str, str]]:
    """What tips and other pages say of a listing, which it does not say itself."""
    rows = session.execute(
        select(Lead.origin, Lead.source, Lead.context)
        .where(
            Lead.marketplace_id == listing.marketplace_id,
            Lead.external_id == listing.external_id,
            Lead.brand_id == brand_id,
            Lead.context.is_not(None),
            Lead.state != "refused",
        )
        .order_by(Lead.id)
        .limit(MAX_SAID)
    )
    return [{"origin": o, "source": s or "", "said": c or ""} for o, s, c in rows]


def _judge_again(session: Session, lead: Lead) -> None:
    """Have a listing judged by what is said of it elsewhere, if it was judged without."""
    run = session.get(Run, lead.run_id) if lead.run_id else None
    plan_id = lead.plan_id or (run.plan_id if run else None)
    snapshot = session.scalar(
        select(Snapshot)
        .join(Listing, Snapshot.listing_id == Listing.id)
        .where(
            Listing.marketplace_id == lead.marketplace_id, Listing.external_id == lead.external_id
        )
        .order_by(Snapshot.id.desc())
        .limit(1)
    )
    if snapshot is None or plan_id is None:
        return
    before = select(Assessment.id).where(
        Assessment.snapshot_id == snapshot.id, Assessment.plan_id == plan_id
    )
    if session.scalar(before.limit(1)) is None:
        return  # the first assessment is on its way, and will know
    key = f"assess:lead:{lead.id}:{snapshot.id}"
    assessing.ask(session, snapshot.id, plan_id, utcnow(), key=key)


def add_found(
    session: Session, lead: Lead, found: Sequence[tuple[str, str]], places: Places | None = None
) -> Added:
    """Keep the listings that a lead's page leads to as leads of their own, if they are new.

    Parameters
    ----------
    found
        Addresses and the page's own ids of them; no more than `MAX_FROM_PAGE` are kept.
    """
    ids = [external_id for _, external_id in found]
    known = set(
        session.scalars(
            select(Listing.external_id).where(
                Listing.marketplace_id == lead.marketplace_id, Listing.external_id.in_(ids)
            )
        )
    )
    new = [url for url, external_id in found if external_id not in known][:MAX_FROM_PAGE]
    told = (
        Told(
            url,
            lead.origin,
            who=lead.who,
            plan_id=lead.plan_id,
            from_listing_id=lead.from_listing_id,
            source=lead.url,
            context=lead.context,
        )
        for url in new
    )
    return add(session, lead.brand_id, told, places or Places.watched(session))


def refuse(session: Session, lead_id: UUID, who: str, reason: str) -> Lead:
    """Have a lead never visited; said by a person, with a reason.

    Raises
    ------
    TouchstoneError
        If there is no such lead, it has been visited, or no reason is given.
    """
    lead = session.get(Lead, lead_id)
    if lead is None:
        raise TouchstoneError(f"there is no lead {lead_id}: see touchstone leads list")
    if not reason.strip():
        raise TouchstoneError("refuse: say why; who looks later wants to know")
    if lead.state in ("seen", "gone"):
        raise TouchstoneError(f"lead {lead_id} has been visited ({lead.state}): nothing to refuse")
    lead.state, lead.changed_at = "refused", utcnow()
    lead.note = f"{who}: {' '.join(reason.split())}"[:MAX_TEXT]
    session.flush()
    return lead


def _adopt(session: Session, marketplace: Marketplace) -> None:
    """Give a marketplace the leads that came before it was watched."""
    base = urlsplit(marketplace.url)
    front = f"{base.scheme}://{base.netloc}/"
    orphans = session.scalars(
        select(Lead)
        .where(
            Lead.marketplace_id.is_(None),
            Lead.state == "waiting",
            or_(Lead.kind == marketplace.kind, Lead.url.startswith(front, autoescape=True)),
        )
        .limit(MAX_ADOPTED)
    ).all()
    if not orphans or marketplace.kind not in KINDS:
        return
    places = Places([(marketplace.id, marketplace.kind, marketplace.url)])
    for lead in orphans:
        place = places.of(lead.url)
        if place.marketplace_id is not None:
            lead.marketplace_id, lead.kind = place.marketplace_id, place.kind
            lead.external_id, lead.page = place.external_id, place.page
    session.flush()
