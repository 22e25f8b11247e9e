"""Assessing a snapshot: rows to values, the matchers' word, an assessment to keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session, selectinload

import matchers
from crawler.ways_in.leads import said_elsewhere
from insight.brands import brand_values, load_brand
from insight.comparables import comparables
from insight.models import running_model
from insight.prints import picture_values
from insight.rates import running_rates
from insight.references import open_index
from insight.relistings import find_relistings, known_hashes
from insight.sellers import seller_facts
from insight.showing import Showing, Stored, keep_renewed, look
from matchers import pictures
from matchers.model import Model
from matchers.values import Context, to_json
from registry import models
from registry.blobs import Blobs
from registry.database import Database
from registry.settings import Settings
from registry.standing import standing

#: Where pages say of which category a listing is, and where the thing was made.
_CATEGORY = ("category", "категория", "kategorie", "catégorie", "类目", "分类")
_ORIGIN = (
    "origin", "country of origin", "made in", "place of origin", "country/region of manufacture",
    "herkunftsland", "hergestellt in", "pays d'origine", "страна производства", "产地", "原产地",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Read:
    """What the first look at the database gives."""

    plan: models.Plan
    brand: matchers.Brand
    standing: str
    shown: tuple[Stored, ...]


def assess(
    database: Database,
    blobs: Blobs,
    settings: Settings,
    snapshot_id: UUID,
    plan_id: UUID,
    seen_at: datetime,
) -> models.Assessment:
    """Judge a snapshot for a plan's brand, from outside any transaction.

    Pictures are decoded and compared here, which may take a while: the caller keeps what
    comes back in the transaction in which the job ends.

    Parameters
    ----------
    seen_at
        When the listing was seen to say this, which may be long after it first did: who is
        authorised is a matter of that day.

    Returns
    -------
    Assessment
        Not yet in any session. `flagged` where the model's outcome is ``flag`` and the score
        is not under the plan's threshold, which can only ask for more than the model does.
    """
    opened = open_index(database, blobs, settings)
    with database.reading() as session:
        read = _read(session, snapshot_id, plan_id, seen_at)
    showing = look(opened, read.brand, read.shown, blobs)
    keep_renewed(database, showing.renewed)
    with database.reading() as session:
        snapshot = load_snapshot(session, snapshot_id)
        listing = replace(
            listing_values(snapshot, seen_at, without=showing.faults), matches=showing.matches
        )
        context = _context(session, settings, snapshot, read, listing)
        model = running_model(session)
        said = said_elsewhere(session, snapshot.listing, read.plan.brand_id)
    verdict = matchers.assess(listing, read.brand, context, model=model)
    return models.Assessment(
        snapshot_id=snapshot_id,
        plan_id=plan_id,
        brand_id=read.plan.brand_id,
        product_id=UUID(verdict.product_id) if verdict.product_id else None,
        score=verdict.score,
        threshold=read.plan.threshold,
        flagged=verdict.outcome == "flag" and verdict.score >= read.plan.threshold,
        outcome=_outcome(verdict, said),
        kind=verdict.kind,
        model_version=model.version,
        gate=verdict.gate,
        result=to_json(replace(verdict, versions={**verdict.versions, **opened.versions})),
        inputs={
            **_inputs(listing, read, context, model, opened.versions, showing),
            "said_elsewhere": said,
        },
    )


def _outcome(verdict: matchers.Assessment, said: list[dict[str, str]]) -> str:
    """The model's word, but that a person looks where others say what the listing does not.

    The score stays as it is: what a stranger writes beside a link is no measurement.
    """
    if said and verdict.outcome == "pass" and verdict.gate != "authorised_seller":
        return "abstain"
    return verdict.outcome


def load_snapshot(session: Session, snapshot_id: UUID) -> models.Snapshot:
    """A snapshot with what `listing_values` reads of it."""
    return session.get_one(
        models.Snapshot,
        snapshot_id,
        options=[
            selectinload(models.Snapshot.pictures).selectinload(models.SnapshotPicture.picture),
            selectinload(models.Snapshot.listing).selectinload(models.Listing.marketplace),
            selectinload(models.Snapshot.seller),
        ],
    )


def listing_values(
    snapshot: models.Snapshot, seen_at: datetime, *, without: dict[str, str] | None = None
) -> matchers.Listing:
    """A snapshot as the matchers see it; pictures that could not be had are left out."""
    left_out = without or {}
    said = {str(name): str(value) for name, value in snapshot.attributes.items()}
    return matchers.Listing(
        title=snapshot.title,
        description=snapshot.description,
        price=snapshot.price,
        marketplace=snapshot.listing.marketplace.name,
        seller_id=snapshot.seller.external_id if snapshot.seller else None,
        seller_name=snapshot.seller.name if snapshot.seller else None,
        brand=snapshot.brand,
        condition=snapshot.condition,
        pictures=tuple(
            picture_values(shown.picture)
            for shown in snapshot.pictures
            if shown.picture is not None and shown.picture.sha256 not in left_out
        ),
        seen_at=seen_at,
        category=_attribute(said, _CATEGORY),
        ships_from=snapshot.ships_from,
        origin=_attribute(said, _ORIGIN),
        attributes=tuple(sorted(said.items())),
    )


def _attribute(said: dict[str, str], names: tuple[str, ...]) -> str | None:
    """The first of these attributes that a listing has, by any case of its name."""
    by_name = {name.casefold().strip(" :："): value for name, value in said.items()}
    return next((by_name[name] for name in names if name in by_name), None)


def _read(session: Session, snapshot_id: UUID, plan_id: UUID, seen_at: datetime) -> _Read:
    snapshot = load_snapshot(session, snapshot_id)
    plan = session.get_one(models.Plan, plan_id)
    shown = tuple(
        Stored(
            shown.picture.sha256,
            shown.picture.blob,
            shown.picture.matcher == pictures.VERSION,
        )
        for shown in snapshot.pictures
        if shown.picture is not None
    )
    brand = brand_values(load_brand(session, plan.brand_id))
    said = standing(session, plan.brand_id, seen_at.date())
    return _Read(plan, brand, said, shown)


def _context(
    session: Session,
    settings: Settings,
    snapshot: models.Snapshot,
    read: _Read,
    listing: matchers.Listing,
) -> Context:
    brand_id, rates = read.plan.brand_id, running_rates(settings)
    makers = [picture.hash for product in read.brand.products for picture in product.pictures]
    return Context(
        seller=seller_facts(
            session,
            snapshot.seller,
            brand_id,
            snapshot.listing_id,
            [picture.sha256 for picture in listing.pictures],
        ),
        comparables=comparables(session, snapshot, read.brand, rates),
        rates=rates,
        relistings=find_relistings(
            session, known_hashes(settings.database), snapshot, listing.pictures, makers
        ),
    )


def _inputs(
    listing: matchers.Listing,
    read: _Read,
    context: Context,
    model: Model,
    searched: dict[str, str],
    showing: Showing,
) -> dict[str, object]:
    """Everything that the figure follows from: with it the assessment is worked out again."""
    return {
        "listing": to_json(listing),
        "brand": to_json(read.brand),
        "context": to_json(context),
        "model": model.model_dump(mode="json"),
        **searched,
        "faults": showing.faults,
        "standing": read.standing,
    }
