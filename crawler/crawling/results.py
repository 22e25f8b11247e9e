"""What a page of results leads to: listings to visit, and those that need not be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.crawling import revisits
from crawler.crawling.frontier import Page
from crawler.crawling.store import Target
from registry.models import Listing, Snapshot
from registry.models.base import utcnow
from registry.money import Money


@dataclass(frozen=True, slots=True)
class Shown:
    """A listing as a page of results shows it; `money` is None where that is not read."""

    url: str
    external_id: str
    money: Money | None = None


def sort_out(
    session: Session,
    target: Target,
    shown: Mapping[str, Shown],
    rank: int,
    *,
    everything: bool,
) -> tuple[list[Page], list[tuple[UUID, UUID]]]:
    """Tell the listings that are to be visited from those that are known and not due.

    Those known that are to be visited are noted as seen.

    Parameters
    ----------
    shown
        By the page's own ids.
    rank
        For the listings that are new.
    everything
        Whether all are to be visited, and read whether they changed or not.

    Returns
    -------
    tuple
        Pages to visit; listings to note as seen, with their newest snapshots.
    """
    now = utcnow()
    newest = (
        select(Snapshot.id)
        .where(Snapshot.listing_id == Listing.id)
        .order_by(Snapshot.id.desc())
        .limit(1)
        .correlate(Listing)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Listing, Snapshot.id, Snapshot.amount, Snapshot.currency)
        .join(Snapshot, Snapshot.id == newest)
        .where(Listing.marketplace_id == target.marketplace_id, Listing.external_id.in_(shown))
    )
    known = {
        listing.external_id: (listing, snapshot_id, _money(amount, currency))
        for listing, snapshot_id, amount, currency in rows
    }
    visits: list[Page] = []
    seen: list[tuple[UUID, UUID]] = []
    for external_id, one in shown.items():
        if external_id not in known:
            visits.append(Page("listing", one.url, rank, external_id, {"external_id": external_id}))
            continue
        listing, snapshot_id, price = known[external_id]
        if everything or _is_due(listing, price, one, now):
            # If nothing can be read in its page, it is there all the same (`revisits.note_gone`).
            listing.last_seen_at = now
            visits.append(visit_of(listing, rank + 1, one.url, afresh=everything))
        else:
            seen.append((listing.id, snapshot_id))
    return visits, seen


def visit_of(listing: Listing, rank: int, url: str | None = None, *, afresh: bool = False) -> Page:
    """A visit to a known listing, which asks whether its page is the one of last time.

    Parameters
    ----------
    afresh
        Whether it does not ask that.
    """
    arguments = {"external_id": listing.external_id, "listing": str(listing.id)}
    if not afresh:
        marks = {
            "etag": listing.etag,
            "last_modified": listing.last_modified,
            "page_sha256": listing.page_sha256,
        }
        arguments |= {name: mark for name, mark in marks.items() if mark}
    return Page("listing", url or listing.url, rank, listing.external_id, arguments)


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def _is_due(listing: Listing, price: Money | None, shown: Shown, now: datetime) -> bool:
    if listing.gone_at is not None or listing.next_visit_at is None or listing.misses:
        return True
    if listing.next_visit_at <= now:
        return True
    # Another price than last time: the page has changed. Where results show another price than
    # pages do, this would go on for ever, so it counts once in a while only.
    here = shown.money
    return (
        price is not None
        and here is not None
        and here.currency == price.currency
        and here.amount != price.amount
        and (listing.visited_at is None or now - listing.visited_at >= revisits.SOONEST)
    )
