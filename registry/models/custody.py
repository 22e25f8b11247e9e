"""Custody: cases, their exhibits, the ledger, its checkpoints, time stamps."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey, Sha256
from registry.models.brands import Brand
from registry.models.buying import Purchase
from registry.models.cases import Capture


class Case(Base):
    """A matter for which exhibits are kept.

    While `hold` is set, or until `retain_until` is over, none of its exhibits can be deleted.
    """

    __tablename__ = "cases"

    id: Mapped[PrimaryKey]
    reference: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str]
    brand_id: Mapped[UUID | None] = mapped_column(ForeignKey("brands.id"), index=True)
    hold: Mapped[bool] = mapped_column(default=False)
    retain_until: Mapped[date | None]
    opened_by: Mapped[str]
    created_at: Mapped[Created]

    brand: Mapped[Brand | None] = relationship()
    exhibits: Mapped[list[Exhibit]] = relationship(back_populates="case", order_by="Exhibit.number")


class Exhibit(Base):
    """A capture, a purchase or a file that belongs to a case.

    `kind` is capture, purchase or file; a file (a photograph, a letter) has its own name,
    type, hash and blob, the others point to their row. `sensitive` files are sealed apart.
    """

    __tablename__ = "exhibits"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        UniqueConstraint("case_id", "capture_id"),
        UniqueConstraint("case_id", "purchase_id"),
    )

    id: Mapped[PrimaryKey]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    capture_id: Mapped[UUID | None] = mapped_column(ForeignKey("captures.id"), index=True)
    purchase_id: Mapped[UUID | None] = mapped_column(ForeignKey("purchases.id"), index=True)
    name: Mapped[str]
    media_type: Mapped[str | None] = mapped_column(String(128))
    sha256: Mapped[Sha256 | None]
    blob: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    sensitive: Mapped[bool] = mapped_column(default=False)
    added_by: Mapped[str]
    created_at: Mapped[Created]
    deleted_at: Mapped[datetime | None]

    case: Mapped[Case] = relationship(back_populates="exhibits")
    capture: Mapped[Capture | None] = relationship()
    purchase: Mapped[Purchase | None] = relationship()


class LedgerEntry(Base):
    """A leaf of the custody ledger. The database refuses to change or delete one.

    `leaf` is the text whose bytes are hashed; the other columns repeat what it says, for
    searching.
    """

    __tablename__ = "ledger_entries"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    leaf: Mapped[str]
    leaf_hash: Mapped[Sha256]
    event: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(80), index=True)
    actor: Mapped[str]
    recorded_at: Mapped[datetime]


class Checkpoint(Base):
    """A signed statement of the ledger's size and root. Never changed, never deleted.

    `note` is the whole signed text.
    """

    __tablename__ = "checkpoints"

    id: Mapped[PrimaryKey]
    size: Mapped[int] = mapped_column(BigInteger, unique=True)
    root: Mapped[Sha256]
    note: Mapped[str]
    key_id: Mapped[Sha256]
    created_at: Mapped[Created]


class Stamp(Base):
    """A time stamp (RFC 3161) that was asked for, from one authority, of one digest.

    `about` is package (the bundle's file), archive (the WARC in it) or checkpoint (the
    signed note). `state` is awaiting or stamped; `token` is the authority's whole response.
    `tried_at` is when the authority was last asked in vain, and `error` what came of it.
    """

    __tablename__ = "stamps"
    __table_args__ = (UniqueConstraint("digest", "authority"),)

    id: Mapped[PrimaryKey]
    capture_id: Mapped[UUID | None] = mapped_column(ForeignKey("captures.id"), index=True)
    checkpoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("checkpoints.id"), index=True)
    about: Mapped[str] = mapped_column(String(16))
    digest: Mapped[Sha256]
    authority: Mapped[str]
    state: Mapped[str] = mapped_column(String(16), default="awaiting", index=True)
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    stamped_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    error: Mapped[str | None]
    created_at: Mapped[Created]

    capture: Mapped[Capture | None] = relationship(back_populates="stamps")
    checkpoint: Mapped[Checkpoint | None] = relationship()
