"""Who takes part: people with their roles, buyers' personas, secrets that only they see."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, PrimaryKey

#: What a person may be trusted with.
ROLES = ("requester", "approver", "buyer", "examiner", "finance", "administrator")


class Person(Base):
    """Somebody who acts under a name of their own; it stands in the ledger and never changes.

    Parameters
    ----------
    code_sha256
        Of the code by which they sign in to the console; None if they cannot.
    away_from, away_until
        The first and the last day on which they buy nothing; both or none.
    at_once
        How many purchases they may have on their way; None is any number.
    """

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint(
            "(away_from IS NULL) = (away_until IS NULL) AND "
            "(away_from IS NULL OR away_from <= away_until)",
            name="away",
        ),
        CheckConstraint("at_once IS NULL OR at_once > 0", name="at_once"),
    )

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    roles: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
    code_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    away_from: Mapped[date | None]
    away_until: Mapped[date | None]
    at_once: Mapped[int | None]
    created_at: Mapped[Created]

    def is_away(self, day: date) -> bool:
        """Whether they buy nothing on a day."""
        if self.away_from is None or self.away_until is None:
            return False
        return self.away_from <= day <= self.away_until


class Persona(Base):
    """Under what name and address a buyer buys, sealed; only its country is in the clear.

    `label` is what people call it. `secret` names the stored secret by which it pays.
    """

    __tablename__ = "personas"

    id: Mapped[PrimaryKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    label: Mapped[str] = mapped_column(String(64), unique=True)
    country: Mapped[str] = mapped_column(String(2))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    secret: Mapped[str | None] = mapped_column(ForeignKey("secrets.name"))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Created]

    person: Mapped[Person] = relationship()


class Secret(Base):
    """A means of payment or the like, sealed; everything else refers to it by its name."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    set_by: Mapped[str]
    created_at: Mapped[Created]
