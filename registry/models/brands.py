"""What is protected: brands, marks, products, reference pictures, authorised sellers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, Currency, PrimaryKey, Sha256
from registry.money import Money


class Brand(Base):
    """A registered brand and the words by which buyers look for it.

    `product_words` name its goods (bag, watch): beside one of them a mark counts that is
    short or a common word.
    """

    __tablename__ = "brands"

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    owner: Mapped[str]
    website: Mapped[str | None]
    keywords: Mapped[list[str]] = mapped_column(default=list)
    transliterations: Mapped[list[str]] = mapped_column(default=list)
    nicknames: Mapped[list[str]] = mapped_column(default=list)
    product_words: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[Created]

    marks: Mapped[list[Mark]] = relationship(
        back_populates="brand", cascade="all, delete-orphan", order_by="Mark.id"
    )
    products: Mapped[list[Product]] = relationship(
        back_populates="brand", cascade="all, delete-orphan", order_by="Product.sku"
    )
    authorisations: Mapped[list[Authorisation]] = relationship(
        back_populates="brand", cascade="all, delete-orphan", order_by="Authorisation.id"
    )


class Mark(Base):
    """A registered trademark: office, number, Nice classes; with its picture, if it has one."""

    __tablename__ = "marks"
    __table_args__ = (UniqueConstraint("brand_id", "office", "number"),)

    id: Mapped[PrimaryKey]
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    text: Mapped[str]
    office: Mapped[str] = mapped_column(String(16))
    number: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    nice_classes: Mapped[list[int]]
    registered_on: Mapped[date | None]
    picture_sha256: Mapped[Sha256 | None] = mapped_column(ForeignKey("pictures.sha256"))

    brand: Mapped[Brand] = relationship(back_populates="marks")
    picture: Mapped[Picture | None] = relationship()


class Product(Base):
    """A product of a brand, with its GTIN, its list price and the floor under it."""

    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("brand_id", "sku"),)

    id: Mapped[PrimaryKey]
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str]
    gtin: Mapped[str | None] = mapped_column(String(14))
    nice_class: Mapped[int | None]
    keywords: Mapped[list[str]] = mapped_column(default=list)
    list_amount: Mapped[Decimal | None]
    list_currency: Mapped[Currency | None]
    floor_amount: Mapped[Decimal | None]
    floor_currency: Mapped[Currency | None]

    brand: Mapped[Brand] = relationship(back_populates="products")
    references: Mapped[list[Reference]] = relationship(
        back_populates="product", cascade="all, delete-orphan", order_by="Reference.position"
    )

    @property
    def list_price(self) -> Money | None:
        """What the brand asks for it, if that was registered."""
        if self.list_amount is None or self.list_currency is None:
            return None
        return Money(self.list_amount, self.list_currency)

    @property
    def price_floor(self) -> Money | None:
        """The least that a genuine new one is sold for, if that was registered."""
        if self.floor_amount is None or self.floor_currency is None:
            return None
        return Money(self.floor_amount, self.floor_currency)


class Picture(Base):
    """A picture known by its SHA-256: its bytes are a blob, its fingerprint is here.

    Parameters
    ----------
    matcher
        Version of the picture matcher that made `fingerprint` and `traits`. Where it is not
        the one that runs, both are made again from the blob when they are wanted.
    traits
        What the index of registered pictures needs of it; None for a listing's picture.
    """

    __tablename__ = "pictures"

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    blob: Mapped[str]
    media_type: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[dict[str, Any]]
    matcher: Mapped[str | None] = mapped_column(String(64))
    #: Some 50 kB: read by the index alone.
    traits: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[Created]


class Reference(Base):
    """A picture of the genuine product, as the brand owner registered it."""

    __tablename__ = "references"
    __table_args__ = (UniqueConstraint("product_id", "sha256"),)

    id: Mapped[PrimaryKey]
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), index=True)
    sha256: Mapped[Sha256] = mapped_column(ForeignKey("pictures.sha256"))
    position: Mapped[int]

    product: Mapped[Product] = relationship(back_populates="references")
    picture: Mapped[Picture] = relationship()


class Authorisation(Base):
    """A seller whom the brand owner allows, on one marketplace, between two dates.

    `skus` is None where all products of the brand are meant.
    """

    __tablename__ = "authorisations"

    id: Mapped[PrimaryKey]
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    marketplace: Mapped[str] = mapped_column(String(64))
    seller_id: Mapped[str] = mapped_column(String(255))
    seller_name: Mapped[str | None]
    skus: Mapped[list[str] | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]

    brand: Mapped[Brand] = relationship(back_populates="authorisations")
