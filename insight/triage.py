"""Assessing a snapshot: rows to values, the matchers' word, an assessment to keep."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

import matchers
from matchers.values import to_json
from registry import models
from registry.standing import standing


def assess(
    session: Session, snapshot_id: UUID, plan_id: UUID, seen_at: datetime
) -> models.Assessment:
    """Judge a snapshot for a plan's brand and keep the figure with its inputs.

    Parameters
    ----------
    session
        The transaction in which the job ends that asked for this.
    seen_at
        When the listing was seen to say this, which may be long after it first did: who is
        authorised is a matter of that day.

    Returns
    -------
    Assessment
        `flagged` where the score is over the plan's threshold and no gate is shut.
    """
    snapshot = session.get_one(
        models.Snapshot,
        snapshot_id,
        options=[
            selectinload(models.Snapshot.pictures).selectinload(models.SnapshotPicture.picture),
            selectinload(models.Snapshot.listing).selectinload(models.Listing.marketplace),
            selectinload(models.Snapshot.seller),
        ],
    )
    plan = session.get_one(models.Plan, plan_id)
    brand = brand_values(session, plan.brand_id)
    listing = listing_values(snapshot, seen_at)
    verdict = matchers.assess(listing, brand)
    assessment = models.Assessment(
        snapshot_id=snapshot.id,
        plan_id=plan.id,
        brand_id=plan.brand_id,
        product_id=UUID(verdict.product_id) if verdict.product_id else None,
        score=verdict.score,
        threshold=plan.threshold,
        flagged=verdict.gate is None and verdict.score >= plan.threshold,
        gate=verdict.gate,
        result=to_json(verdict),
        inputs={
            "listing": to_json(listing),
            "brand": to_json(brand),
            "standing": standing(session, plan.brand_id, seen_at.date()),
        },
    )
    session.add(assessment)
    session.flush()
    return assessment


def listing_values(snapshot: models.Snapshot, seen_at: datetime) -> matchers.Listing:
    """A snapshot as the matchers see it; pictures that could not be had are left out."""
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
            if shown.picture is not None
        ),
        seen_at=seen_at,
    )


def brand_values(session: Session, brand_id: UUID) -> matchers.Brand:
    """A registered brand as the matchers see it."""
    brand = session.scalars(
        select(models.Brand)
        .where(models.Brand.id == brand_id)
        .options(
            selectinload(models.Brand.marks),
            selectinload(models.Brand.products)
            .selectinload(models.Product.references)
            .selectinload(models.Reference.picture),
            selectinload(models.Brand.authorisations),
        )
    ).one()
    ids = {product.sku: str(product.id) for product in brand.products}
    # A mark and a keyword may be the same word; it counts once.
    terms = dict.fromkeys([*(mark.text for mark in brand.marks), *brand.keywords])
    return matchers.Brand(
        id=str(brand.id),
        name=brand.name,
        terms=tuple(matchers.Term(text) for text in terms),
        products=tuple(
            matchers.Product(
                id=ids[product.sku],
                name=product.name,
                keywords=tuple(product.keywords),
                price_floor=product.price_floor,
                list_price=product.list_price,
                pictures=tuple(picture_values(r.picture) for r in product.references),
            )
            for product in brand.products
        ),
        authorisations=tuple(
            matchers.Authorisation(
                marketplace=allowed.marketplace,
                seller_id=allowed.seller_id,
                product_ids=(
                    None
                    if allowed.skus is None
                    else frozenset(ids[sku] for sku in allowed.skus if sku in ids)
                ),
                valid_from=allowed.valid_from,
                valid_until=allowed.valid_until,
            )
            for allowed in brand.authorisations
        ),
    )


def picture_values(picture: models.Picture) -> matchers.Picture:
    """The fingerprint that was worked out when the picture came in."""
    return matchers.from_json(matchers.Picture, {"sha256": picture.sha256, **picture.fingerprint})
