"""Reading a listing's price: what for, by the piece, and how low."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from matchers.price.condition import part_of, second_hand
from matchers.price.quantity import Quantity, quantity
from matchers.price.rates import convert
from matchers.price.robust import LEAST_COMPARABLES, UnitPrice, robust_z
from matchers.values import Comparables, Context, Listing, Money, Product, Rates

_NOTHING_KNOWN = Context()


@dataclass(frozen=True, slots=True)
class PriceReading:
    """What a listing's price says.

    Parameters
    ----------
    price
        As listed; None where there is none.
    unit_price
        Of one piece, in the listing's currency, unrounded.
    quantity
        How many pieces the price is for.
    second_hand
        The words that say that it is used; None where none do.
    part
        What is sold instead of the whole thing (``its packaging``, ``broken`` …); None where
        it is the thing itself.
    floor_ratio
        Unit price over the product's price floor; None where they do not compare.
    brand_ratio
        Where the product is not known: unit price over the lowest floor of the brand's such goods.
    z
        Standard deviations of the logarithm over (+) or under (-) the median of other sellers;
        None where they do not compare.
    comparables
        The distribution that `z` is of.
    reasons
        All of this in words, for a person.
    """

    price: Money | None
    unit_price: Money | None = None
    quantity: Quantity = field(default_factory=Quantity)
    second_hand: str | None = None
    part: str | None = None
    floor_ratio: float | None = None
    brand_ratio: float | None = None
    z: float | None = None
    comparables: Comparables | None = None
    reasons: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        """Whether the unit price is one of the thing itself."""
        return self.unit_price is not None and self.part is None and self.quantity.counted


def price_reading(
    listing: Listing,
    product: Product | None,
    context: Context = _NOTHING_KNOWN,
    *,
    brand_floor: Money | None = None,
) -> PriceReading:
    """Read a listing's price.

    Parameters
    ----------
    product
        What the listing is thought to sell; None if that cannot be told.
    context
        Gives rates and comparables. A price in another currency than the floor's compares only
        by `Context.rates`; the day is said in the reason.
    brand_floor
        Where the product cannot be told: the lowest floor of what it may be (`lowest_floor`).

    Returns
    -------
    PriceReading
        Any listing has one. A second-hand price is compared too; what that means is the
        caller's.
    """
    used = second_hand(listing)
    part = part_of(listing, product)
    many = _quantity(listing, product)
    price = listing.price
    reasons = []
    if used:
        reasons.append(f"Second-hand by its words: “{used}”.")
    if part:
        reasons.append(f"The price is not for the whole thing but for {part[0]}: “{part[1]}”.")
    if not many.counted:
        reasons.append(f"A lot of an unknown number: “{many.phrase}”.")
    if many.wholesale:
        reasons.append("Offered to resellers: the price is by the piece, at a discount.")
    if price is None or not price.amount:
        reasons.append("No price is named.")
        return PriceReading(
            price, None, many, used, part[0] if part else None, reasons=tuple(reasons)
        )
    unit = Money(price.amount / many.units, price.currency)
    if many.units > 1:
        reasons.append(f"{price} for {many.units} pieces (“{many.phrase}”) is {_shown(unit)} each.")
    ratio = brand_ratio = z = others = None
    if part is None and many.counted:
        floor = product.price_floor if product else None
        ratio, said = _against_floor(unit, floor, "the floor", context.rates)
        reasons += said
        if product is None:
            which = "the lowest floor of the brand's such goods"
            brand_ratio, said = _against_floor(unit, brand_floor, which, context.rates)
            reasons += said
        z, others, said = _against_others(unit, product, context)
        reasons += said
    return PriceReading(
        price, unit, many, used, part[0] if part else None, ratio, brand_ratio, z, others,
        tuple(reasons),
    )  # fmt: skip


def lowest_floor(
    products: Sequence[Product], classes: Collection[int], rates: Rates | None
) -> Money | None:
    """The lowest price floor of those products that are goods of some of these Nice classes.

    Parameters
    ----------
    classes
        Those that a listing's words name; without any, every product counts. Where none of the
        products is such goods there is no floor to hold a price against.
    """
    known = [p for p in products if p.price_floor is not None and p.price_floor.amount]
    if classes:
        known = [p for p in known if p.nice_class is None or p.nice_class in classes]
    floors = [p.price_floor for p in known if p.price_floor is not None]
    same = [(convert(floor, floors[0].currency, rates), floor) for floor in floors]
    return min(
        (pair for pair in same if pair[0] is not None),
        key=lambda pair: pair[0].amount if pair[0] else 0,
        default=(None, None),
    )[1]


def asked(
    listing: Listing, reading: PriceReading, currency: str, rates: Rates | None
) -> UnitPrice | None:
    """A listing as one of the prices of `comparables`; None where its price compares to none."""
    if reading.unit_price is None or not reading.comparable:
        return None
    unit = convert(reading.unit_price, currency, rates)
    if unit is None:
        return None
    # Without a seller's id each listing stands for itself.
    seller = listing.seller_id or f"{listing.seller_name}\0{listing.title}"
    lot = reading.quantity.units > 1 or reading.quantity.wholesale
    return UnitPrice(unit.amount, seller, reading.second_hand is not None, lot)


def _quantity(listing: Listing, product: Product | None) -> Quantity:
    """How many of the product: where it is itself a pack of three, three pieces are one."""
    many = quantity(listing.title, listing.attributes)
    own = quantity(product.name).units if product else 1
    if own == 1 or many.units == 1 or many.units % own:
        return many if own == 1 else Quantity(1, "", many.wholesale, many.counted)
    return Quantity(many.units // own, many.phrase, many.wholesale, many.counted)


def _against_floor(
    unit: Money, floor: Money | None, which: str, rates: Rates | None
) -> tuple[float | None, list[str]]:
    if floor is None or not floor.amount:
        return None, []
    here = convert(unit, floor.currency, rates)
    if here is None:
        return None, [f"There is no rate to compare {unit.currency} with {floor.currency}."]
    ratio = float(here.amount / floor.amount)
    return ratio, [f"{_converted(unit, here, rates)} is {ratio:.2g} of {which} of {floor}."]


def _against_others(
    unit: Money, product: Product | None, context: Context
) -> tuple[float | None, Comparables | None, list[str]]:
    if product is None:
        return None, None, []
    known = [
        c
        for c in context.comparables
        if c.product_id == product.id and c.count >= LEAST_COMPARABLES
    ]
    # In the listing's own currency if there is one; else the most sellers.
    for others in sorted(known, key=lambda c: (c.currency != unit.currency, -c.count)):
        here = convert(unit, others.currency, context.rates)
        if here is None or not here.amount:
            continue
        z = robust_z(here, others)
        middle = _shown(Money(_exp(others.log_median), others.currency))
        way = "under" if z < 0 else "over"
        return (
            z,
            others,
            [
                f"{others.count} sellers ask {middle} in the median; "
                f"{_converted(unit, here, context.rates)} is {abs(z):.1f} deviations {way} that."
            ],
        )
    return None, None, []


def _exp(log: float) -> Decimal:
    return Decimal(log).exp()


def _converted(unit: Money, here: Money, rates: Rates | None) -> str:
    if unit.currency == here.currency or rates is None:
        return _shown(unit)
    return f"{_shown(unit)} ({_shown(here)} at the rates of {rates.day})"


def _shown(money: Money) -> str:
    """To the cent, or to three digits where it is less."""
    amount = money.amount
    if amount >= 1:
        return f"{amount:.2f} {money.currency}"
    return f"{float(amount):.3g} {money.currency}"
