"""Under what names and addresses buyers buy: sealed, and opened for one purchase at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from registry import models
from registry.errors import TouchstoneError
from registry.models import Person, Purchase, Secret
from registry.secrets import Vault

#: While the buyer has something to do with the name and the address.
OPEN_STATES = ("assigned", "ordering", "outcome_unclear", "ordered", "paid", "shipped")


class Persona(BaseModel):
    """Who buys. Never the brand's own account or address."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    name: str = Field(min_length=3, max_length=100, pattern=r"\S\s+\S")
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    line1: str = Field(min_length=1)
    city: str = Field(min_length=1)
    postcode: str = Field(min_length=1)
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")
    phone: str = ""

    def fields(self) -> dict[str, str]:
        """The fields that a checkout recipe can name."""
        first, _, last = self.name.rpartition(" ")
        return {**self.model_dump(), "first_name": first, "last_name": last}


EXAMPLE = Persona(
    name="Test Buyer",
    email="buyer@example.com",
    line1="1 Example Street",
    city="London",
    postcode="EC1A 1BB",
    country="GB",
)


def add(
    session: Session,
    vault: Vault,
    person: Person,
    label: str,
    persona: Persona,
    secret: str | None = None,
) -> models.Persona:
    """Seal a persona for a buyer.

    Parameters
    ----------
    label
        What people call it; it says nothing of who it is.
    secret
        The name of the stored secret by which it pays.

    Raises
    ------
    TouchstoneError
        If the person is no buyer, the label is taken, or there is no such secret.
    """
    label = " ".join(label.split())
    if not label or len(label) > 64 or not label.isprintable():
        raise TouchstoneError("a persona's label has up to 64 printable characters")
    if "buyer" not in person.roles:
        raise TouchstoneError(f"{person.name} is no buyer: touchstone people change")
    if session.scalar(select(models.Persona.id).where(models.Persona.label == label)):
        raise TouchstoneError(f"there is a persona {label!r} already")
    if secret is not None and session.get(Secret, secret) is None:
        raise TouchstoneError(f"there is no secret {secret!r}: touchstone secret set {secret}")
    row = models.Persona(
        person_id=person.id, label=label, country=persona.country, sealed=b"", secret=secret
    )
    session.add(row)
    session.flush()
    text = json.dumps(persona.model_dump(), ensure_ascii=False)
    row.sealed = vault.seal(text.encode(), context=_context(row.id))
    session.flush()
    return row


def everyone(session: Session) -> Sequence[models.Persona]:
    """All personas with their buyers, by label."""
    return session.scalars(
        select(models.Persona)
        .options(joinedload(models.Persona.person))
        .order_by(models.Persona.label)
    ).all()


def find(session: Session, label: str) -> models.Persona:
    """The persona of a label.

    Raises
    ------
    TouchstoneError
        If there is none.
    """
    row = session.scalar(
        select(models.Persona)
        .where(models.Persona.label == " ".join(label.split()))
        .options(joinedload(models.Persona.person))
    )
    if row is None:
        raise TouchstoneError(f"there is no persona {label!r}: touchstone persona list")
    return row


def unsealed(vault: Vault, row: models.Persona) -> Persona:
    """A persona opened, for the checkout and for what keeps it out of bags.

    Raises
    ------
    SecretsError
        If it cannot be opened.
    """
    return Persona.model_validate_json(vault.open(row.sealed, context=_context(row.id)))


def of_purchase(session: Session, vault: Vault, purchase: Purchase) -> Persona:
    """The persona that was chosen for a purchase.

    Raises
    ------
    TouchstoneError
        If none was, or it cannot be opened.
    """
    if purchase.persona_id is None:
        raise TouchstoneError(f"purchase {purchase.id} has no buyer's persona: assign it anew")
    return unsealed(vault, session.get_one(models.Persona, purchase.persona_id))


def shown_to(session: Session, vault: Vault, purchase: Purchase, person: Person) -> Persona:
    """The persona of a purchase, for its buyer and while there is something to do with it.

    Raises
    ------
    TouchstoneError
        If it is somebody else, or that time is over.
    """
    if purchase.buyer != person.name or not person.active:
        raise TouchstoneError(f"this purchase is not {person.name}'s to buy")
    if purchase.state not in OPEN_STATES:
        raise TouchstoneError("name and address are shown only while the purchase is on its way")
    return of_purchase(session, vault, purchase)


def set_secret(session: Session, vault: Vault, name: str, value: str, *, by: str) -> Secret:
    """Seal a secret under a name, over the one before.

    Raises
    ------
    TouchstoneError
        If the name or the value is unfit.
    """
    if not name.replace("-", "").isalnum() or not name.isascii() or len(name) > 64:
        raise TouchstoneError("a secret's name has up to 64 letters, digits and dashes")
    if not value.strip():
        raise TouchstoneError("the secret is empty")
    row = session.get(Secret, name) or Secret(name=name)
    row.sealed = vault.seal(value.strip().encode(), context=f"secret:{name}")
    row.set_by = by
    session.add(row)
    session.flush()
    return row


def means_of(session: Session, vault: Vault, purchase: Purchase, person: Person) -> str | None:
    """How a purchase's persona pays, for its buyer, as `shown_to`; None if nothing is stored.

    Raises
    ------
    TouchstoneError
        As there.
    """
    shown_to(session, vault, purchase, person)
    row = session.get_one(models.Persona, purchase.persona_id)
    if row.secret is None:
        return None
    sealed = session.get_one(Secret, row.secret).sealed
    return vault.open(sealed, context=f"secret:{row.secret}").decode()


def _context(persona_id: UUID) -> str:
    return f"persona:{persona_id}"
