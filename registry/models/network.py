"""The network: how fast hosts may be asked, proxies, logins that are kept, takeovers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey
from registry.models.watching import Marketplace


class Host(Base):
    """A host that crawls ask, and when it may be asked next, whoever asks.

    Times up to `next_at` are promised to somebody. Nobody asks before `paused_until`.
    """

    __tablename__ = "hosts"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    next_at: Mapped[datetime]
    crawl_delay: Mapped[float | None]
    paused_until: Mapped[datetime | None]
    paused_why: Mapped[str | None]


class HostLease(Base):
    """How many requests at once a process may have at a host, until it must ask again.

    One that has none waits: it is counted, so that the others make room.
    """

    __tablename__ = "host_leases"

    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64), primary_key=True)
    places: Mapped[int]
    since: Mapped[Created]
    until: Mapped[datetime]


class Proxy(Base):
    """A proxy under a name; its address, which may have a password in it, is sealed."""

    __tablename__ = "proxies"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    shown: Mapped[str]
    sealed: Mapped[bytes]
    updated_at: Mapped[Created]


class StoredSession(Base):
    """A login at a marketplace: what the browser had kept of it, sealed.

    States: ok, needs_login, locked while a person is being asked to log in.
    """

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("marketplace_id", "persona"),)

    id: Mapped[PrimaryKey]
    marketplace_id: Mapped[UUID] = mapped_column(ForeignKey("marketplaces.id"))
    persona: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes | None]
    state: Mapped[str] = mapped_column(String(16), default="needs_login")
    note: Mapped[str | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    marketplace: Mapped[Marketplace] = relationship()


class Takeover(Base):
    """A live browser that waits for a person, or that a person has.

    `kind` is crawl, purchase or session; `subject` the stored session or the purchase. States:
    open, taken, given_back, abandoned. The process that has the browser says again and again, in
    `alive_at`, that it lives; it is reached at `address`, whose certificate has the hash
    `certificate`, by whoever knows the token.
    """

    __tablename__ = "takeovers"
    __table_args__ = (Index("ix_takeovers_state_opened_at", "state", "opened_at"),)

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[UUID]
    why: Mapped[str]
    marketplace_id: Mapped[UUID | None] = mapped_column(ForeignKey("marketplaces.id"))
    state: Mapped[str] = mapped_column(String(16), default="open")
    address: Mapped[str]
    certificate: Mapped[str] = mapped_column(String(64))
    token: Mapped[bytes]
    opened_at: Mapped[Created]
    alive_at: Mapped[Created]
    taken_at: Mapped[datetime | None]
    taken_by: Mapped[str | None]
    #: SHA-256 of what only the browser knows in which it was taken.
    seat: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]
    note: Mapped[str | None]

    marketplace: Mapped[Marketplace | None] = relationship()
