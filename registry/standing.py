"""What a brand's judgement depends on, as one hash: if it changes, listings are judged again."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from registry.models import Brand, Product


def standing(session: Session, brand_id: UUID, day: date) -> str:
    """Hash the registered brand as it stands on a day.

    An authorisation that begins or ends changes it, though no row does.
    """
    brand = session.scalars(
        select(Brand)
        .where(Brand.id == brand_id)
        .options(
            selectinload(Brand.marks),
            selectinload(Brand.products).selectinload(Product.references),
            selectinload(Brand.authorisations),
        )
    ).one()
    said = {
        "name": brand.name,
        "marks": sorted(
            [mark.text, mark.kind, sorted(mark.nice_classes), str(mark.picture_sha256)]
            for mark in brand.marks
        ),
        "words": [
            sorted(words)
            for words in (
                brand.keywords,
                brand.transliterations,
                brand.nicknames,
                brand.product_words,
            )
        ],
        "products": sorted(
            [
                product.sku,
                product.name,
                sorted(product.keywords),
                product.nice_class,
                str(product.price_floor),
                str(product.list_price),
                sorted(reference.sha256 for reference in product.references),
            ]
            for product in brand.products
        ),
        "authorisations": sorted(
            [
                allowed.marketplace,
                allowed.seller_id,
                json.dumps(allowed.skus and sorted(allowed.skus)),
                str(allowed.valid_from),
                str(allowed.valid_until),
                (allowed.valid_from is None or allowed.valid_from <= day)
                and (allowed.valid_until is None or day <= allowed.valid_until),
            ]
            for allowed in brand.authorisations
        ),
    }
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
