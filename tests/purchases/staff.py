"""People with one role each, and a persona for the buyer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from purchases import assigning, people, personas, proposals
from registry.database import Database
from registry.models import Assessment, Person, Purchase
from registry.secrets import open_vault
from registry.settings import Settings

STAFF: Mapping[str, str] = MappingProxyType(
    {
        "Rae Requester": "requester",
        "Ada Lovelace": "approver",
        "Bea Buyer": "buyer",
        "Eve Examiner": "examiner",
        "Sol Second": "examiner",
        "Finn Finance": "finance",
        "Ann Admin": "administrator",
    }
)


def enter(database: Database, settings: Settings) -> None:
    """Enter them all, if they are not there yet."""
    with database.writing() as session:
        if session.scalar(select(Person.id).limit(1)) is not None:
            return
        for name, role in STAFF.items():
            people.add(session, name, [role])
        buyer = people.find(session, "Bea Buyer")
        personas.add(session, open_vault(settings), buyer, "P-1", personas.EXAMPLE)


def assign(
    session: Session, settings: Settings, purchase_id: UUID, *, by_hand: bool = False
) -> Purchase:
    """Give an approved purchase to Bea."""
    how: Literal["browser", "hand"] = "hand" if by_hand else "browser"
    return assigning.assign(session, open_vault(settings), purchase_id, "Ada Lovelace", how=how)


def approved_and_assigned(
    database: Database, settings: Settings, assessment_id: UUID, *, by_hand: bool = False
) -> UUID:
    """A purchase that was proposed, approved and assigned; its id."""
    enter(database, settings)
    with database.writing() as session:
        made = proposals.propose(session, session.get_one(Assessment, assessment_id))
        assert made is not None
        proposals.approve(session, made.id, "Ada Lovelace")
        return assign(session, settings, made.id, by_hand=by_hand).id
