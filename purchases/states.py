"""Moving a purchase on: the only code that changes a state.

The database refuses ways that are not in the table, whoever writes the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evidence.custody import ledger
from matchers.values import Rates
from purchases import deadlines, money
from purchases.people import Machine
from purchases.ways import WAYS, Way
from registry.errors import TouchstoneError
from registry.models import (
    Examination,
    ExaminationRule,
    Listing,
    Marketplace,
    Person,
    Persona,
    Purchase,
    PurchaseEvent,
    PurchaseFile,
)
from registry.models.base import utcnow
from registry.money import Money

#: What is kept with the purchase and never enters the ledger, which is for ever and for all.
APART = frozenset({"sender_address", "recipient"})

MAX_DETAIL = 2000

_BY_STATES: Mapping[tuple[str, str], Way] = MappingProxyType(
    {(way.before, way.after): way for way in WAYS}
)


class IllegalMove(TouchstoneError):
    """The purchase is not in a state from which this may follow, or not for this person."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is told on the way; which of it is wanted, the way says.

    Parameters
    ----------
    rates
        The exchange rates by which limits are compared.
    details
        Texts; those named in `APART` are kept out of the ledger.
    """

    note: str | None = None
    limit: Money | None = None
    rates: Rates | None = None
    buyer: Person | None = None
    persona: UUID | None = None
    how: str | None = None
    order_number: str | None = None
    total: Money | None = None
    paid: Money | None = None
    refunded: Money | None = None
    examiner: Person | None = None
    second_examiner: Person | None = None
    outcome: str | None = None
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def move(
    session: Session,
    purchase: Purchase,
    to: str,
    *,
    by: Person | Machine,
    given: Given | None = None,
) -> None:
    """Bring a purchase into another state, with all that belongs to it, in one transaction.

    The state is compared in the database, not in memory: of two who move it at once, one
    comes too late. The ledger is told last, since whoever appends to it keeps all others
    waiting. An order number that another purchase has makes what the machine calls *ordered*
    *outcome unclear*: what it saw is kept, and a person settles whose it is.

    Raises
    ------
    IllegalMove
        If that state may not follow, if it is not for this person, or somebody was quicker.
    TouchstoneError
        If something that is wanted on this way is missing or does not fit, or a limit would
        be overrun.
    """
    given = given or Given()
    if isinstance(by, Machine) and given.order_number is not None:
        to, given = _whose_number(session, purchase, to, given)
    seen = purchase.state
    way = _BY_STATES.get((seen, to))
    if way is None:
        raise IllegalMove(f"purchase {purchase.id} is {seen}: it cannot become {to}")
    _admit(session, way, purchase, by)
    given = _checked(session, way, purchase, by, given)
    moved = session.scalars(
        update(Purchase)
        .where(Purchase.id == purchase.id, Purchase.state == seen)
        .values(state=to, note=given.note, **_columns(way, given, by))
        .returning(Purchase.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not moved:
        raise IllegalMove(f"purchase {purchase.id} is no longer {seen}: look again")
    session.refresh(purchase)
    deadlines.moved_on(session, purchase)
    entered = money.enter(session, way.money, purchase, given, by.name) if way.money else None
    files = _files(session, purchase, way)
    session.add(
        PurchaseEvent(
            purchase_id=purchase.id,
            actor=by.name,
            state=to,
            note=given.note,
            details={
                **given.details,
                **({"money": entered} if entered else {}),
                # Whose order list is read before another attempt. Not for the ledger.
                **({"persona_id": str(given.persona)} if given.persona else {}),
            },
        )
    )
    session.flush()
    if way.event is not None:
        told: dict[str, Any] = {k: v for k, v in given.details.items() if k not in APART}
        told |= {"state": to, "files": files} if files else {"state": to}
        if entered:
            told["money"] = entered
        if given.outcome is not None:
            told["verdict"] = given.outcome
        ledger.record(
            session,
            event=way.event,
            subject=f"purchase:{purchase.id}",
            actor=by.name,
            details=told,
        )


def _admit(session: Session, way: Way, purchase: Purchase, by: Person | Machine) -> None:
    """Let nobody go a way that is not theirs."""
    if isinstance(by, Machine):
        if not way.machine or purchase.how != "browser":
            raise IllegalMove(f"purchase {purchase.id}: a person decides whether it is {way.after}")
        return
    if way.machine and purchase.how != "hand":
        raise IllegalMove(f"purchase {purchase.id} is made in the browser: its checkout tells")
    # As the database has it, whatever the caller's object says.
    person = session.get(Person, by.id, populate_existing=True)
    if person is None or not person.active:
        raise IllegalMove(f"{by.name} acts here no longer")
    held = {office for office in way.offices if office in person.roles}
    if not held:
        raise IllegalMove(
            f"{person.name} may not make a purchase {way.after}: that takes the role "
            f"{' or '.join(way.offices) or 'of the machine'}"
        )
    now = _offices(purchase, person.name)
    others = now | _earlier(session, purchase, person.name)
    for office in held:
        if office in ("buyer", "examiner"):
            if office in now:
                return
        elif not others - {office}:
            return
    if others:
        has = " and ".join(sorted(others))
        raise IllegalMove(
            f"{person.name} is {has} of this purchase: another person makes it {way.after}"
        )
    raise IllegalMove(f"this purchase is not {person.name}'s: it was given to somebody else")


def _offices(purchase: Purchase, name: str) -> set[str]:
    """Which offices a person has in a purchase."""
    holders = (
        ("requester", purchase.requested_by),
        ("approver", purchase.approved_by),
        ("buyer", purchase.buyer),
        ("examiner", purchase.examiner),
        ("examiner", purchase.second_examiner),
    )
    wanted = name.casefold()
    return {office for office, holder in holders if holder and holder.casefold() == wanted}


def _earlier(session: Session, purchase: Purchase, name: str) -> set[str]:
    """Which offices a person had in earlier tries at a purchase: who saw it is not blind to it."""
    found, personas = set(), []
    told = session.execute(
        select(PurchaseEvent.state, PurchaseEvent.actor, PurchaseEvent.details).where(
            PurchaseEvent.purchase_id == purchase.id
        )
    )
    for state, actor, details in told:
        if state == "approved" and actor == name:
            found.add("approver")
        if details.get("persona_id"):
            personas.append(UUID(details["persona_id"]))
    buyers = session.scalars(
        select(Person.name)
        .join(Persona, Persona.person_id == Person.id)
        .where(Persona.id.in_(personas))
    )
    if name in set(buyers):
        found.add("buyer")
    return found


def _checked(
    session: Session, way: Way, purchase: Purchase, by: Person | Machine, given: Given
) -> Given:
    """What was given, cleaned; all that is wanted is there."""
    details = {name: " ".join(value.split()) for name, value in given.details.items()}
    given = replace(given, note=(given.note or "").strip() or None, details=details)
    for name, value in {**details, "note": given.note or ""}.items():
        if len(value) > MAX_DETAIL or "\x00" in value:
            raise TouchstoneError(f"{name}: at most {MAX_DETAIL} characters; add a file instead")
    missing = [name for name in way.needs if not getattr(given, name)]
    missing += [name for name in way.says if not details.get(name)]
    if missing:
        names = ", ".join(name.replace("_", " ") for name in missing)
        raise TouchstoneError(f"a purchase becomes {way.after} with: {names}")
    if given.outcome is not None and given.outcome not in way.outcomes:
        known = ", ".join(way.outcomes) or "none"
        raise TouchstoneError(f"{given.outcome!r} is no outcome here; there are: {known}")
    for person, office in (
        (given.buyer, "buyer"), (given.examiner, "examiner"), (given.second_examiner, "examiner"),
    ):  # fmt: skip
        if person is not None:
            _may_become(session, purchase, person, office)
    if given.limit is not None and given.limit.currency != purchase.limit_currency:
        raise TouchstoneError(
            f"the limit is in {given.limit.currency}, the price in {purchase.limit_currency}"
        )
    if isinstance(by, Machine):
        return given
    on_file = set(
        session.scalars(
            select(PurchaseFile.kind).where(PurchaseFile.purchase_id == purchase.id).distinct()
        )
    )
    lacking = [kind for kind in way.files if kind not in on_file]
    if lacking:
        raise TouchstoneError(
            f"a purchase becomes {way.after} with a file of: {', '.join(lacking)} "
            "(touchstone purchase file)"
        )
    if (
        way.before == "approved"
        and way.after == "assigned"
        and given.how not in ("browser", "hand")
    ):
        raise TouchstoneError("a purchase is made by browser or by hand")
    if given.order_number is not None:
        _of_no_other(session, purchase, given.order_number)
    _money_fits(way, purchase, by, given)
    _examined(session, way, purchase, given)
    return given


def _of_no_other(session: Session, purchase: Purchase, number: str) -> None:
    """An order is one purchase's: two that look alike must not both be taken for it."""
    other = _other_with(session, purchase, number)
    if other is not None:
        raise TouchstoneError(f"order {number} is that of purchase {other}")


def _whose_number(session: Session, purchase: Purchase, to: str, given: Given) -> tuple[str, Given]:
    """Where the machine goes with an order number, and what it says, if another has that."""
    number = given.order_number
    assert number is not None
    other = _other_with(session, purchase, number)
    if other is None:
        return to, given
    said = f"the shop confirmed order {number}, which is that of purchase {other}"
    note = f"{said}; {given.note}"[:MAX_DETAIL] if given.note else said
    return "outcome_unclear", replace(given, order_number=None, note=note)


def _other_with(session: Session, purchase: Purchase, number: str) -> UUID | None:
    """The other purchase at the marketplace that has an order number; nobody enters one meanwhile.

    The lock is one that rows which refer to the marketplace do not wait for.
    """
    marketplace_id = purchase.listing.marketplace_id
    session.execute(
        select(Marketplace.id)
        .where(Marketplace.id == marketplace_id)
        .with_for_update(key_share=True)
    )
    return session.scalar(
        select(Purchase.id)
        .join(Listing, Listing.id == Purchase.listing_id)
        .where(
            Listing.marketplace_id == marketplace_id,
            Purchase.id != purchase.id,
            Purchase.order_number == number,
        )
        .limit(1)
    )


def _may_become(session: Session, purchase: Purchase, person: Person, office: str) -> None:
    there = session.get(Person, person.id, populate_existing=True)
    if there is None or not there.active or office not in there.roles:
        raise TouchstoneError(f"{person.name} is no {office}: touchstone people list")
    others = _offices(purchase, there.name) | _earlier(session, purchase, there.name)
    others -= {office} if office == "buyer" else set()
    if others:
        has = " and ".join(sorted(others))
        raise IllegalMove(f"{there.name} is {has} of this purchase, and cannot be its {office}")


def _money_fits(way: Way, purchase: Purchase, by: Person | Machine, given: Given) -> None:
    if given.total is not None:
        _under_limit(purchase, given.total, "the order")
    # Whoever bought it is under the limit, whatever other roles they have.
    over = isinstance(by, Person) and "finance" in by.roles and by.name != purchase.buyer
    if given.paid is not None and not over:
        _under_limit(purchase, given.paid, "the payment, unless finance enters it,")
    if given.outcome == "refunded" and given.refunded is None:
        raise TouchstoneError("refunded: how much came back is wanted, as '49.00 EUR'")
    if given.refunded is not None and given.outcome != "refunded":
        raise TouchstoneError("money that came back belongs to the outcome refunded")


def _under_limit(purchase: Purchase, amount: Money, what: str) -> None:
    if amount.currency != purchase.limit_currency or amount.amount > purchase.limit_amount:
        raise TouchstoneError(f"{what} may be at most {purchase.limit}; it is {amount}")


def _examined(session: Session, way: Way, purchase: Purchase, given: Given) -> None:
    """Each examiner got it in their own hands and filled in the form, before it is examined."""
    if way.after == "sent_to_examiner":
        rule = session.get(ExaminationRule, purchase.brand_id)
        wanted = 1 if rule is None else rule.examiners
        if (wanted > 1) is not (given.second_examiner is not None):
            raise TouchstoneError(f"{purchase.brand.name} asks for {wanted} examiner(s)")
        if given.second_examiner is given.examiner:
            raise IllegalMove("two examiners are two persons")
    if way.before not in ("sent_to_examiner", "examined"):
        return
    found = {
        one.examiner: one.outcome
        for one in session.scalars(
            select(Examination).where(Examination.purchase_id == purchase.id)
        )
    }
    for name in filter(None, (purchase.examiner, purchase.second_examiner)):
        if name not in found:
            raise TouchstoneError(f"{name} has not filled in the examination form yet")
    if given.outcome is not None:
        said = set(found.values())
        if given.outcome not in said and given.outcome != "inconclusive":
            raise TouchstoneError(f"no examiner found it {given.outcome}")
        if len(said) > 1 and given.outcome != "inconclusive":
            raise TouchstoneError("the examiners differ: what they differ on is inconclusive")


def _columns(way: Way, given: Given, by: Person | Machine) -> dict[str, Any]:
    """The columns of the purchase that change with a way."""
    now = utcnow()
    set_: dict[str, Any] = {}
    if way.after == "approved":
        assert given.limit is not None
        # Another approval starts anew: who bought before may be another one now.
        set_ |= {"approved_by": by.name, "approved_at": now, "limit_amount": given.limit.amount}
        set_ |= {"buyer": None, "persona_id": None, "how": None, "assigned_at": None}
    if way.after == "assigned":
        assert given.buyer is not None
        set_ |= {"buyer": given.buyer.name, "persona_id": given.persona, "how": given.how}
        set_ |= {"assigned_at": now}
    if given.order_number is not None:
        set_["order_number"] = given.order_number
    if given.total is not None:
        set_ |= {"order_amount": given.total.amount, "order_currency": given.total.currency}
    if given.examiner is not None:
        set_["examiner"] = given.examiner.name
    if given.second_examiner is not None:
        set_["second_examiner"] = given.second_examiner.name
    if given.outcome is not None:
        set_["outcome"] = given.outcome
    return set_


def _files(session: Session, purchase: Purchase, way: Way) -> list[str]:
    if not way.files:
        return []
    return list(
        session.scalars(
            select(PurchaseFile.sha256)
            .where(PurchaseFile.purchase_id == purchase.id, PurchaseFile.kind.in_(way.files))
            .order_by(PurchaseFile.exhibit_id)
        )
    )
