"""A registered brand as the matchers see it: its words, products, pictures, sellers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

import matchers
from insight.prints import picture_values
from matchers.values import TermKind
from registry import models

#: What is written in these marks is their name, not a word that is claimed.
_WORDLESS = ("figurative", "shape")


def load_brand(session: Session, brand_id: UUID) -> models.Brand:
    """A brand with everything that was registered for it."""
    return session.scalars(
        select(models.Brand)
        .where(models.Brand.id == brand_id)
        .options(
            selectinload(models.Brand.marks).selectinload(models.Mark.picture),
            selectinload(models.Brand.products)
            .selectinload(models.Product.references)
            .selectinload(models.Reference.picture),
            selectinload(models.Brand.authorisations),
        )
    ).one()


def brand_values(brand: models.Brand) -> matchers.Brand:
    """A registered brand, loaded by `load_brand`, as the matchers see it."""
    ids = {product.sku: str(product.id) for product in brand.products}
    logos = {mark.picture.sha256: mark.picture for mark in brand.marks if mark.picture is not None}
    return matchers.Brand(
        id=str(brand.id),
        name=brand.name,
        terms=terms(brand),
        products=tuple(
            matchers.Product(
                id=ids[product.sku],
                name=product.name,
                keywords=tuple(product.keywords),
                price_floor=product.price_floor,
                list_price=product.list_price,
                pictures=tuple(picture_values(r.picture) for r in product.references),
                nice_class=product.nice_class,
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
        logos=tuple(picture_values(picture) for _, picture in sorted(logos.items())),
    )


def terms(brand: models.Brand) -> tuple[matchers.Term, ...]:
    """The words that a brand claims, each once: marks before what is derived from them.

    A mark that is registered at several offices has the Nice classes of them all; what
    stands for the marks (transliterations, nicknames, keywords) has those of all marks.
    """
    marks = [mark for mark in brand.marks if mark.kind not in _WORDLESS]
    classes = frozenset(number for mark in brand.marks for number in mark.nice_classes)
    goods = tuple(brand.product_words)
    found: dict[str, matchers.Term] = {}

    def add(text: str, kind: TermKind, nice: frozenset[int]) -> None:
        key = text.casefold()
        known = found.get(key)
        if known is None:
            found[key] = matchers.Term(text, kind, nice, goods)
        elif known.kind == kind == "mark":
            found[key] = matchers.Term(known.text, kind, known.nice_classes | nice, goods)

    for mark in marks:
        add(mark.text, "mark", frozenset(mark.nice_classes))
    for text in brand.transliterations:
        add(text, "transliteration", classes)
    for text in brand.nicknames:
        add(text, "nickname", classes)
    for text in brand.keywords:
        # A keyword in another script is how the mark is written there.
        add(text, "nickname" if text.isascii() else "transliteration", classes)
    for product in brand.products:
        own = frozenset() if product.nice_class is None else frozenset({product.nice_class})
        add(product.name, "product", own)
    return tuple(found.values())
