"""What a price says: by the piece, in one currency, against floor and against other sellers.

May enter: quantities, conditions and currencies read from a listing's own words, and robust
statistics of prices. May not: what a low price weighs (`matchers.assess`), stored prices
(`insight`), today's rates (the caller's; `shipped_rates` is a dated fallback).
"""

from matchers.price.condition import part_of, second_hand
from matchers.price.quantity import Quantity, quantity
from matchers.price.rates import convert, shipped_rates
from matchers.price.reading import PriceReading, asked, lowest_floor, price_reading
from matchers.price.robust import LEAST_COMPARABLES, LEAST_SPREAD, UnitPrice, comparables

#: Of the rules by which prices are read.
VERSION = "2026-11-25.2"

__all__ = [
    "LEAST_COMPARABLES",
    "LEAST_SPREAD",
    "VERSION",
    "PriceReading",
    "Quantity",
    "UnitPrice",
    "asked",
    "comparables",
    "convert",
    "lowest_floor",
    "part_of",
    "price_reading",
    "quantity",
    "second_hand",
    "shipped_rates",
]
