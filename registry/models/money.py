"""The money of test purchases: transactions with double entries, and limits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from registry.models.base import Base, Created, Currency, PrimaryKey

#: Where money can be. What leaves one is in another: each transaction adds up to nought.
ACCOUNTS = ("budget", "reserved", "spent")
#: Postings are whole numbers of these, in which every stored amount is exact.
UNITS = 10_000


class MoneyTransaction(Base):
    """Money that moved, and why. Never changed, never deleted.

    Parameters
    ----------
    month
        In which it counts, as ``2026-11``: that in which the purchase was approved.
    rates_day
        Of which day the exchange rates in its postings are.
    """

    __tablename__ = "money_transactions"
    __table_args__ = (
        CheckConstraint("kind IN ('reserve', 'release', 'settle', 'refund')", name="kind"),
    )

    id: Mapped[PrimaryKey]
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    month: Mapped[str] = mapped_column(String(7), index=True)
    rates_day: Mapped[date]
    by: Mapped[str]
    created_at: Mapped[Created]

    postings: Mapped[list[MoneyPosting]] = relationship(
        back_populates="transaction", order_by="MoneyPosting.id"
    )


class MoneyPosting(Base):
    """What a transaction adds to one account, in ten-thousandths. Never changed.

    Parameters
    ----------
    per_euro
        The rate at which it is compared with limits in other currencies; None if the
        currency had none.
    """

    __tablename__ = "money_postings"
    __table_args__ = (
        CheckConstraint("account IN ('budget', 'reserved', 'spent')", name="account"),
        CheckConstraint("units <> 0", name="units"),
    )

    id: Mapped[PrimaryKey]
    transaction_id: Mapped[UUID] = mapped_column(ForeignKey("money_transactions.id"), index=True)
    account: Mapped[str] = mapped_column(String(16))
    currency: Mapped[Currency]
    units: Mapped[int] = mapped_column(BigInteger)
    per_euro: Mapped[str | None] = mapped_column(String(32))

    transaction: Mapped[MoneyTransaction] = relationship(back_populates="postings")


class MoneyLimit(Base):
    """The most that may be reserved and spent: on one purchase, in a month, or in all.

    It counts the purchases of its brand, marketplace, case and currency, where these are
    given. The newest of the same terms counts; the older ones stay to be read.

    Parameters
    ----------
    period
        ``purchase``, ``month`` or ``ever``.
    only_currency
        Purchases in that currency only; None: in any, at the rates of their day.
    """

    __tablename__ = "money_limits"
    __table_args__ = (CheckConstraint("period IN ('purchase', 'month', 'ever')", name="period"),)

    id: Mapped[PrimaryKey]
    period: Mapped[str] = mapped_column(String(16))
    brand_id: Mapped[UUID | None] = mapped_column(ForeignKey("brands.id"))
    marketplace_id: Mapped[UUID | None] = mapped_column(ForeignKey("marketplaces.id"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"))
    only_currency: Mapped[Currency | None]
    amount: Mapped[Decimal | None]
    currency: Mapped[Currency]
    set_by: Mapped[str]
    created_at: Mapped[Created]
