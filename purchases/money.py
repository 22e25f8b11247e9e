"""The money of test purchases: reserved at approval, settled at payment, always in balance.

Every transaction has postings that add up to nought in each currency, in whole
ten-thousandths; none is ever changed. Whoever reserves waits for all others who do, so that
two approvals at once cannot both take what is left under a limit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from matchers.price import shipped_rates
from matchers.values import Rates
from registry.errors import TouchstoneError
from registry.models import (
    ACCOUNTS,
    UNITS,
    Brand,
    Case,
    Listing,
    Marketplace,
    MoneyLimit,
    MoneyPosting,
    MoneyTransaction,
    Purchase,
)
from registry.models.base import utcnow
from registry.money import Money

if TYPE_CHECKING:
    from purchases.states import Given

PERIODS = ("purchase", "month", "ever")

#: PostgreSQL's advisory lock of all who reserve money: any number, as long as it stays.
_LOCK = 0x6D6F6E65


class LimitReached(TouchstoneError):
    """A limit would be overrun."""


# Entering


def enter(session: Session, kind: str, purchase: Purchase, given: Given, by: str) -> str | None:
    """Write the transaction of a way, and say what it was; None if there was nothing to do.

    Raises
    ------
    LimitReached
        If a reservation would overrun a limit.
    TouchstoneError
        If an amount does not fit.
    """
    take_turn(session)
    rates = given.rates or shipped_rates()
    reserved = _reserved(session, purchase.id)
    if kind == "reserve":
        _within_limits(session, purchase, rates)
        moved = {("reserved", purchase.limit.currency): units(purchase.limit)}
        said = f"{purchase.limit} reserved"
    elif kind == "release":
        moved = {("reserved", currency): -held for currency, held in reserved.items()}
        said = "the reservation is released"
    elif kind == "settle":
        assert given.paid is not None
        moved = {("reserved", currency): -held for currency, held in reserved.items()}
        moved[("spent", given.paid.currency)] = units(given.paid)
        said = f"{given.paid} paid"
    else:
        # What never was paid is no longer reserved; what came back is no longer spent.
        moved = {("reserved", currency): -held for currency, held in reserved.items()}
        said = "nothing came back"
        if given.refunded is not None:
            paid = _sums(session, "spent", MoneyTransaction.purchase_id == purchase.id)
            if units(given.refunded) > paid.get(given.refunded.currency, 0):
                raise TouchstoneError(f"{given.refunded} is more than was paid")
            moved[("spent", given.refunded.currency)] = -units(given.refunded)
            said = f"{given.refunded} came back"
    return said if _post(session, kind, purchase, moved, by, rates) else None


def _post(
    session: Session,
    kind: str,
    purchase: Purchase,
    moved: Mapping[tuple[str, str], int],
    by: str,
    rates: Rates,
) -> bool:
    """Write a transaction: what is moved, and the budget's half of it."""
    postings = {key: amount for key, amount in moved.items() if amount}
    for (_, currency), amount in list(postings.items()):
        key = ("budget", currency)
        postings[key] = postings.get(key, 0) - amount
    if not postings:
        return False
    first = session.execute(
        select(MoneyTransaction.id, MoneyTransaction.month, MoneyTransaction.rates_day)
        .where(MoneyTransaction.purchase_id == purchase.id, MoneyTransaction.kind == "reserve")
        .order_by(MoneyTransaction.id.desc())
        .limit(1)
    ).first()
    fresh = kind == "reserve" or first is None
    # What belongs to a reservation counts in its month and at its rate, so that it cancels out.
    kept: dict[str, str | None] = {}
    if not fresh and first is not None:
        for currency, per_euro in session.execute(
            select(MoneyPosting.currency, MoneyPosting.per_euro).where(
                MoneyPosting.transaction_id == first.id
            )
        ):
            kept[currency] = per_euro
    transaction = MoneyTransaction(
        purchase_id=purchase.id,
        kind=kind,
        month=f"{utcnow():%Y-%m}" if fresh or first is None else first.month,
        rates_day=rates.day if fresh or first is None else first.rates_day,
        by=by,
    )
    transaction.postings = [
        MoneyPosting(
            account=account,
            currency=currency,
            units=amount,
            per_euro=kept.get(currency) or _text(rates.per_euro.get(currency)),
        )
        for (account, currency), amount in postings.items()
        if amount
    ]
    session.add(transaction)
    session.flush()
    return True


def units(amount: Money) -> int:
    """An amount in ten-thousandths, exactly."""
    return int(amount.amount * UNITS)


def amount_of(number: int) -> Decimal:
    """Ten-thousandths as people write money."""
    whole = Decimal(number) / UNITS
    cents = whole.quantize(Decimal("0.01"))
    return cents if cents == whole else whole


def take_turn(session: Session) -> None:
    """Wait for all others who reserve; SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _text(rate: Decimal | None) -> str | None:
    return None if rate is None else str(rate)


# Limits


def set_limit(
    session: Session,
    *,
    period: str,
    most: Money | None,
    currency: str | None = None,
    by: str,
    brand: str | None = None,
    marketplace: str | None = None,
    case: str | None = None,
    only_currency: str | None = None,
) -> MoneyLimit:
    """Set a limit, or take it away by giving none; the newest of the same terms counts.

    Raises
    ------
    TouchstoneError
        If something that is named is not there.
    """
    if period not in PERIODS:
        raise TouchstoneError(f"{period!r} is no period; there are: {', '.join(PERIODS)}")
    limit = MoneyLimit(
        period=period,
        brand_id=_id(session, Brand.id, Brand.slug == brand, f"brand {brand}", brand),
        marketplace_id=_id(
            session, Marketplace.id, Marketplace.name == marketplace,
            f"marketplace {marketplace}", marketplace,
        ),
        case_id=_id(session, Case.id, Case.reference == case, f"case {case}", case),
        only_currency=only_currency,
        amount=None if most is None else most.amount,
        currency=most.currency if most is not None else currency or "EUR",
        set_by=by,
    )  # fmt: skip
    session.add(limit)
    session.flush()
    return limit


def _id(
    session: Session, column: object, which: ColumnElement[bool], what: str, name: str | None
) -> UUID | None:
    if name is None:
        return None
    found: UUID | None = session.scalar(select(column).where(which))  # type: ignore[call-overload]
    if found is None:
        raise TouchstoneError(f"there is no {what}")
    return found


def limits(session: Session) -> list[MoneyLimit]:
    """The limits in force."""
    newest: dict[tuple[object, ...], MoneyLimit] = {}
    for limit in session.scalars(select(MoneyLimit).order_by(MoneyLimit.id)):
        terms = (
            limit.period, limit.brand_id, limit.marketplace_id, limit.case_id, limit.only_currency,
        )  # fmt: skip
        newest[terms] = limit
    return [limit for limit in newest.values() if limit.amount is not None]


@dataclass(frozen=True, slots=True)
class Used:
    """A limit, in words, with what is taken of it."""

    limit: MoneyLimit
    terms: str
    most: Money
    used: Decimal


def use_of_limits(session: Session, rates: Rates, month: str) -> list[Used]:
    """What is reserved and spent under each limit in force, in a month or in all."""
    found = []
    for limit in limits(session):
        assert limit.amount is not None
        used = Decimal(0)
        if limit.period != "purchase":
            used = _committed(session, limit, limit.currency, rates, month)
        most = Money(limit.amount, limit.currency)
        found.append(Used(limit, words(session, limit), most, used))
    return found


def words(session: Session, limit: MoneyLimit) -> str:
    """What a limit is on."""
    of = [
        f"brand {session.get_one(Brand, limit.brand_id).slug}" if limit.brand_id else "",
        f"marketplace {session.get_one(Marketplace, limit.marketplace_id).name}"
        if limit.marketplace_id
        else "",
        f"case {session.get_one(Case, limit.case_id).reference}" if limit.case_id else "",
        f"in {limit.only_currency}" if limit.only_currency else "",
    ]
    period = {"purchase": "one purchase", "month": "a month", "ever": "in all"}[limit.period]
    return ", ".join(filter(None, (period, *of)))


def _within_limits(session: Session, purchase: Purchase, rates: Rates) -> None:
    wanted = purchase.limit
    marketplace_id = session.scalar(
        select(Listing.marketplace_id).where(Listing.id == purchase.listing_id)
    )
    for limit in limits(session):
        if (
            (limit.brand_id and limit.brand_id != purchase.brand_id)
            or (limit.marketplace_id and limit.marketplace_id != marketplace_id)
            or (limit.case_id and limit.case_id != purchase.case_id)
            or (limit.only_currency and limit.only_currency != wanted.currency)
        ):
            continue
        assert limit.amount is not None
        more = _in(wanted.amount, wanted.currency, None, limit.currency, rates)
        used = Decimal(0)
        if limit.period != "purchase":
            used = _committed(session, limit, limit.currency, rates, f"{utcnow():%Y-%m}")
        if used + more > limit.amount:
            left = (limit.amount - used).quantize(Decimal("0.01"))
            raise LimitReached(
                f"the limit of {limit.amount} {limit.currency} on {words(session, limit)} has "
                f"{left} {limit.currency} left; this takes {more.quantize(Decimal('0.01'))} "
                f"({wanted}, rates of {rates.day})"
            )


def _committed(
    session: Session, limit: MoneyLimit, currency: str, rates: Rates, month: str
) -> Decimal:
    """What is reserved and spent of a limit's purchases, in its currency."""
    wanted = (
        select(MoneyPosting.currency, MoneyPosting.per_euro, func.sum(MoneyPosting.units))
        .join(MoneyTransaction, MoneyTransaction.id == MoneyPosting.transaction_id)
        .join(Purchase, Purchase.id == MoneyTransaction.purchase_id)
        .where(MoneyPosting.account.in_(("reserved", "spent")))
        .group_by(MoneyPosting.currency, MoneyPosting.per_euro)
    )
    if limit.period == "month":
        wanted = wanted.where(MoneyTransaction.month == month)
    if limit.brand_id:
        wanted = wanted.where(Purchase.brand_id == limit.brand_id)
    if limit.case_id:
        wanted = wanted.where(Purchase.case_id == limit.case_id)
    if limit.marketplace_id:
        wanted = wanted.join(Listing, Listing.id == Purchase.listing_id).where(
            Listing.marketplace_id == limit.marketplace_id
        )
    if limit.only_currency:
        wanted = wanted.where(MoneyPosting.currency == limit.only_currency)
    return sum(
        (
            _in(Decimal(int(taken)) / UNITS, posted, per_euro, currency, rates)
            for posted, per_euro, taken in session.execute(wanted)
            if taken
        ),
        Decimal(0),
    )


def _in(amount: Decimal, of: str, per_euro: str | None, to: str, rates: Rates) -> Decimal:
    """An amount in another currency, at the rate that was kept with it, or today's."""
    if of == to:
        return amount
    own = Decimal(per_euro) if per_euro else rates.per_euro.get(of)
    other = rates.per_euro.get(to)
    if own is None or other is None:
        lacking = of if own is None else to
        raise TouchstoneError(
            f"there is no exchange rate for {lacking}, and a limit is in {to}: put it into the "
            "rates file (TOUCHSTONE_RATES_FILE)"
        )
    return amount / own * other


# Reading


def balance(session: Session) -> dict[str, dict[str, Decimal]]:
    """What is in each account: currency → account → amount; each currency adds up to nought."""
    found: dict[str, dict[str, Decimal]] = defaultdict(
        lambda: dict.fromkeys(ACCOUNTS, Decimal("0.00"))
    )
    for account in ACCOUNTS:
        for currency, number in _sums(session, account).items():
            found[currency][account] = amount_of(number)
    return dict(sorted(found.items()))


def faults(session: Session) -> list[str]:
    """What is wrong in the ledger; nothing ever should be."""
    uneven = session.execute(
        select(MoneyPosting.transaction_id, MoneyPosting.currency, func.sum(MoneyPosting.units))
        .group_by(MoneyPosting.transaction_id, MoneyPosting.currency)
        .having(func.sum(MoneyPosting.units) != 0)
    )
    found = [f"transaction {one} is off by {amount_of(int(n))} {c}" for one, c, n in uneven]
    below = session.execute(
        select(MoneyTransaction.purchase_id, MoneyPosting.account, MoneyPosting.currency)
        .join(MoneyTransaction, MoneyTransaction.id == MoneyPosting.transaction_id)
        .where(MoneyPosting.account != "budget")
        .group_by(MoneyTransaction.purchase_id, MoneyPosting.account, MoneyPosting.currency)
        .having(func.sum(MoneyPosting.units) < 0)
    )
    found += [f"purchase {one} has less than nought {account} ({c})" for one, account, c in below]
    return found


def transactions(
    session: Session, purchase_id: UUID | None = None, limit: int = 200
) -> Sequence[MoneyTransaction]:
    """Transactions, newest first."""
    wanted = select(MoneyTransaction).order_by(MoneyTransaction.id.desc()).limit(limit)
    if purchase_id is not None:
        wanted = wanted.where(MoneyTransaction.purchase_id == purchase_id)
    return session.scalars(wanted).all()


def _reserved(session: Session, purchase_id: UUID) -> dict[str, int]:
    return _sums(session, "reserved", MoneyTransaction.purchase_id == purchase_id)


def _sums(session: Session, account: str, *which: ColumnElement[bool]) -> dict[str, int]:
    rows = session.execute(
        select(MoneyPosting.currency, func.sum(MoneyPosting.units))
        .join(MoneyTransaction, MoneyTransaction.id == MoneyPosting.transaction_id)
        .where(MoneyPosting.account == account, *which)
        .group_by(MoneyPosting.currency)
    )
    return {currency: int(number) for currency, number in rows if number}
