"""People and what each may do: the only way to be somebody who acts on a purchase."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from registry.errors import TouchstoneError
from registry.models import ROLES, Person


class Machine:
    """Touchstone itself, which proposes and runs checkouts; no text from outside becomes it."""

    name: Final = "touchstone"


MACHINE: Final = Machine()


def add(session: Session, name: str, roles: Iterable[str]) -> Person:
    """Enter a person.

    Raises
    ------
    TouchstoneError
        If the name is unfit or taken, or a role is none.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable() or len(name) > 200:
        raise TouchstoneError("a person has a name in up to 200 printable characters")
    if name.casefold() == MACHINE.name:
        raise TouchstoneError(f"{name!r} is the program's own name: no person has it")
    if _called(session, name) is not None:
        raise TouchstoneError(f"there is a person called {name} already: see people list")
    person = Person(name=name, roles=_roles(roles))
    session.add(person)
    session.flush()
    return person


def change(
    session: Session,
    name: str,
    *,
    roles: Iterable[str] | None = None,
    active: bool | None = None,
) -> Person:
    """Give a person other roles, or let them act no longer. A name never changes.

    Raises
    ------
    TouchstoneError
        If there is no such person, or a role is none.
    """
    person = find(session, name, even_if_gone=True)
    if roles is not None:
        person.roles = _roles(roles)
    if active is not None:
        person.active = active
    session.flush()
    return person


def set_away(session: Session, name: str, since: date | None, until: date | None) -> Person:
    """Say from when to when a person buys nothing, both days included; None: they are here.

    Raises
    ------
    TouchstoneError
        If there is no such person, or the days make no sense.
    """
    person = find(session, name)
    if (since is None) != (until is None) or (since and until and since > until):
        raise TouchstoneError("away: give the first day and the last, in this order")
    person.away_from, person.away_until = since, until
    session.flush()
    return person


def set_at_once(session: Session, name: str, number: int | None) -> Person:
    """Say how many purchases a buyer may have on their way; None is any number.

    Raises
    ------
    TouchstoneError
        If there is no such person, or it is no number of purchases.
    """
    person = find(session, name)
    if number is not None and number < 1:
        raise TouchstoneError("at once: one or more")
    person.at_once = number
    session.flush()
    return person


def find(session: Session, name: str, *, even_if_gone: bool = False) -> Person:
    """The person of a name, however it is spaced or capitalised.

    Raises
    ------
    TouchstoneError
        If nobody is called so, or they act no longer.
    """
    name = " ".join(name.split())
    if not name or name.casefold() == MACHINE.name:
        raise TouchstoneError("a person decides this: give your name")
    person = _called(session, name)
    if person is None:
        raise TouchstoneError(
            f"nobody is called {name[:200]!r} here: touchstone people add NAME --role …"
        )
    if not person.active and not even_if_gone:
        raise TouchstoneError(f"{person.name} acts here no longer: touchstone people change")
    return person


def everybody(session: Session) -> Sequence[Person]:
    """All people, by name."""
    return session.scalars(select(Person).order_by(func.lower(Person.name))).all()


def with_role(session: Session, role: str) -> list[Person]:
    """Who acts and has a role, by name."""
    return [person for person in everybody(session) if person.active and role in person.roles]


def new_code(session: Session, name: str) -> str:
    """Make the code by which a person signs in to the console; the one before is void.

    It is shown once: only its hash is kept, and 128 random bits need no slow one.

    Raises
    ------
    TouchstoneError
        If there is no such person.
    """
    person = find(session, name)
    code = secrets.token_urlsafe(16)
    person.code_sha256 = _hash(code)
    session.flush()
    return code


def by_code(session: Session, code: str) -> Person | None:
    """Whose code that is; None if it is nobody's who acts."""
    person = session.scalar(select(Person).where(Person.code_sha256 == _hash(code)))
    return person if person is not None and person.active else None


def has_code(session: Session, name: str) -> bool:
    """Whether somebody is called so who signs in with a code."""
    person = _called(session, " ".join(name.split()))
    return person is not None and person.active and person.code_sha256 is not None


def _called(session: Session, name: str) -> Person | None:
    # Not by the database's lower(): SQLite's knows only ASCII.
    wanted = name.casefold()
    return next((one for one in everybody(session) if one.name.casefold() == wanted), None)


def _roles(roles: Iterable[str]) -> list[str]:
    wanted = sorted(set(roles), key=lambda role: ROLES.index(role) if role in ROLES else -1)
    unknown = [role for role in wanted if role not in ROLES]
    if unknown:
        raise TouchstoneError(f"there is no role {unknown[0]!r}; there are: {', '.join(ROLES)}")
    return wanted


def _hash(code: str) -> str:
    return hashlib.sha256(code.strip().encode()).hexdigest()
