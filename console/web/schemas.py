"""What the JSON API answers: the shapes, and how rows become them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

import matchers
from console.web.queries import Card, CardPage, History, LedgerState, Version
from console.web.verdicts import Verdict as Word
from matchers.values import Seller
from registry import models
from registry.money import Money


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Amount(_Answer):
    """Money; the amount as text, so that no reader makes a float of it."""

    amount: str
    currency: str


class Capture(_Answer):
    """A sealed bundle."""

    id: UUID
    listing_id: UUID
    assessment_id: UUID | None
    purchase_id: UUID | None
    url: str
    status: str
    http_status: int | None
    sha256: str
    size: int
    archive_sha256: str | None
    key_id: str | None
    exchanges: int
    incomplete: int
    captured_at: datetime
    operator: str
    deleted_at: datetime | None


class Stamp(_Answer):
    """A time stamp that was asked for; the token itself is in a case's export."""

    about: str
    digest: str
    authority: str
    state: str
    created_at: datetime
    stamped_at: datetime | None
    error: str | None


class StampedCapture(Capture):
    """A sealed bundle with its time stamps."""

    stamps: list[Stamp]


class LedgerEntry(_Answer):
    """An entry of the custody ledger; the leaf is the very text that is hashed."""

    seq: int
    leaf: str
    leaf_hash: str


class Checkpoint(_Answer):
    """A signed statement of the ledger's size and root."""

    size: int
    root: str
    note: str
    key_id: str
    created_at: datetime
    stamps: list[Stamp]


class Ledger(_Answer):
    """The custody ledger: its size, its newest checkpoint, entries with the newest first."""

    size: int
    checkpoint: Checkpoint | None
    entries: list[LedgerEntry]


class PurchaseStep(_Answer):
    """Who did what to a purchase, when."""

    at: datetime
    actor: str
    state: str
    note: str | None


class Purchase(_Answer):
    """A test purchase."""

    id: UUID
    listing_id: UUID
    assessment_id: UUID
    state: str
    limit: Amount
    requested_by: str
    approved_by: str | None
    approved_at: datetime | None
    clicked_at: datetime | None
    order_number: str | None
    total: Amount | None
    note: str | None
    created_at: datetime
    events: list[PurchaseStep]


class Job(_Answer):
    """A job of the outbox."""

    id: UUID
    kind: str
    key: str | None
    state: str
    payload: dict[str, Any]
    failures: int
    losses: int
    error: str | None
    created_at: datetime
    available_at: datetime
    claimed_by: str | None
    lease_until: datetime | None
    finished_at: datetime | None


class Jobs(_Answer):
    """How many jobs are in each state, and the newest."""

    tally: dict[str, int]
    jobs: list[Job]


class Run(_Answer):
    """A crawl run."""

    id: UUID
    plan: str
    brand: str
    marketplaces: list[str]
    state: str
    started_at: datetime
    finished_at: datetime | None
    stats: dict[str, Any]
    error: str | None


class Assessment(_Answer):
    """A score with its signals; `contribution` of a signal is in log-odds.

    `outcome` is the model's word (flag, abstain, pass); `flagged` says that the plan's
    threshold is met too.
    """

    id: UUID
    plan: str
    brand: str
    product_sku: str | None
    score: float
    threshold: float
    flagged: bool
    outcome: str
    kind: str | None
    model_version: str | None
    gate: str | None
    signals: list[matchers.Signal]
    versions: dict[str, str]
    seller: Seller | None
    created_at: datetime


class Verdict(_Answer):
    """What a named person said of a listing, for a brand; the newest counts."""

    id: UUID
    listing_id: UUID
    assessment_id: UUID
    verdict: str
    by: str
    note: str | None
    model_version: str | None
    created_at: datetime


class QueueItem(_Answer):
    """A listing in the queue."""

    listing_id: UUID
    marketplace: str
    external_id: str
    url: str
    title: str
    price: Amount | None
    price_floor: Amount | None
    seller_id: str | None
    seller_name: str | None
    last_seen_at: datetime
    changed_since: bool
    assessment: Assessment
    picture_match: matchers.PictureMatch | None
    capture: Capture | None
    purchase_id: UUID | None
    purchase_state: str | None
    verdict: Verdict | None


class Queue(_Answer):
    """A stretch of the queue; the next begins `after`, unless that is null."""

    total: int
    items: list[QueueItem]
    after: UUID | None


class PictureShown(_Answer):
    """A picture of a snapshot; without a SHA-256 where its bytes could not be had."""

    position: int
    url: str
    sha256: str | None
    fault: str | None


class Snapshot(_Answer):
    """What a listing said, which fields that changed, and how it was judged."""

    id: UUID
    seen_at: datetime
    content_sha256: str
    title: str
    description: str
    price: Amount | None
    availability: str | None
    condition: str | None
    brand: str | None
    ships_from: str | None
    attributes: dict[str, Any]
    seller_id: str | None
    seller_name: str | None
    pictures: list[PictureShown]
    changed_fields: list[str]
    sightings: int
    assessments: list[Assessment]


class Absence(_Answer):
    """That a listing was gone, and since when it is back, if it is."""

    gone_at: datetime
    why: str
    back_at: datetime | None


class Listing(_Answer):
    """A listing with everything known of it, newest first."""

    id: UUID
    marketplace: str
    external_id: str
    url: str
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None
    absences: list[Absence]
    next_visit_at: datetime | None
    sightings: int
    snapshots: list[Snapshot]
    captures: list[Capture]
    purchases: list[Purchase]
    verdicts: list[Verdict]


def money(value: Money | None) -> Amount | None:
    """Money, if there is any."""
    return None if value is None else Amount(amount=str(value.amount), currency=value.currency)


def assessment(row: models.Assessment, verdict: Word) -> Assessment:
    """An assessment with what was read from its stored result."""
    return Assessment(
        id=row.id,
        plan=row.plan.name,
        brand=row.brand.slug,
        product_sku=row.product.sku if row.product else None,
        score=row.score,
        threshold=row.threshold,
        flagged=row.flagged,
        outcome=row.outcome,
        kind=row.kind,
        model_version=row.model_version,
        gate=row.gate,
        signals=list(verdict.signals),
        versions=verdict.versions,
        seller=verdict.seller,
        created_at=row.created_at,
    )


def queue(page: CardPage) -> Queue:
    """A stretch of the queue."""
    return Queue(total=page.total, items=[_item(card) for card in page.cards], after=page.after)


def _item(card: Card) -> QueueItem:
    row, snapshot = card.assessment, card.assessment.snapshot
    listing, seller = snapshot.listing, snapshot.seller
    return QueueItem(
        listing_id=listing.id,
        marketplace=listing.marketplace.name,
        external_id=listing.external_id,
        url=listing.url,
        title=snapshot.title,
        price=money(snapshot.price),
        price_floor=money(row.product.price_floor) if row.product else None,
        seller_id=seller.external_id if seller else None,
        seller_name=seller.name if seller else None,
        last_seen_at=listing.last_seen_at,
        changed_since=card.changed_since,
        assessment=assessment(row, card.verdict),
        picture_match=card.match,
        capture=Capture.model_validate(card.capture) if card.capture else None,
        purchase_id=card.purchase.id if card.purchase else None,
        purchase_state=card.purchase.state if card.purchase else None,
        verdict=Verdict.model_validate(card.said) if card.said else None,
    )


def purchase(row: models.Purchase) -> Purchase:
    """A test purchase with its events."""
    paid = row.order_amount, row.order_currency
    total = None if paid[0] is None or paid[1] is None else Money(paid[0], paid[1])
    limit = Amount(amount=str(row.limit.amount), currency=row.limit.currency)
    return Purchase(
        id=row.id,
        listing_id=row.listing_id,
        assessment_id=row.assessment_id,
        state=row.state,
        limit=limit,
        requested_by=row.requested_by,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        clicked_at=row.clicked_at,
        order_number=row.order_number,
        total=money(total),
        note=row.note,
        created_at=row.created_at,
        events=[PurchaseStep.model_validate(event) for event in row.events],
    )


def run(row: models.Run) -> Run:
    """A crawl run with the names of what it crawled for."""
    return Run(
        id=row.id,
        plan=row.plan.name,
        brand=row.plan.brand.slug,
        marketplaces=[place.name for place in row.plan.marketplaces],
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        stats=row.stats,
        error=row.error,
    )


def ledger(state: LedgerState) -> Ledger:
    """The custody ledger."""
    row, checkpoint = state.checkpoint, None
    if row is not None:
        checkpoint = Checkpoint(
            size=row.size,
            root=row.root,
            note=row.note,
            key_id=row.key_id,
            created_at=row.created_at,
            stamps=[Stamp.model_validate(stamp) for stamp in state.stamps],
        )
    entries = [LedgerEntry.model_validate(line) for line in state.lines]
    return Ledger(size=state.size, checkpoint=checkpoint, entries=entries)


def listing(history: History) -> Listing:
    """A listing's history."""
    row = history.listing
    return Listing(
        id=row.id,
        marketplace=row.marketplace.name,
        external_id=row.external_id,
        url=row.url,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        gone_at=row.gone_at,
        absences=[Absence.model_validate(absence) for absence in row.absences],
        next_visit_at=row.next_visit_at,
        sightings=history.sightings_total,
        snapshots=[_snapshot(version) for version in history.versions],
        captures=[Capture.model_validate(capture) for capture in history.captures],
        purchases=[purchase(bought) for bought in history.purchases],
        verdicts=[Verdict.model_validate(said) for said in history.said],
    )


def _snapshot(version: Version) -> Snapshot:
    row = version.snapshot
    changed = [change.field for change in version.changes.fields] if version.changes else []
    if version.changes and (version.changes.pictures_gone or version.changes.pictures_new):
        changed.append("pictures")
    return Snapshot(
        id=row.id,
        seen_at=row.seen_at,
        content_sha256=row.content_sha256,
        title=row.title,
        description=row.description,
        price=money(row.price),
        availability=row.availability,
        condition=row.condition,
        brand=row.brand,
        ships_from=row.ships_from,
        attributes=row.attributes,
        seller_id=row.seller.external_id if row.seller else None,
        seller_name=row.seller.name if row.seller else None,
        pictures=[PictureShown.model_validate(picture) for picture in row.pictures],
        changed_fields=changed,
        sightings=version.sightings,
        assessments=[assessment(judged, verdict) for judged, verdict in version.assessments],
    )
