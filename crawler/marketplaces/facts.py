"""What was read of a listing, a card in a list of results, a seller: values, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from registry.money import Money


@dataclass(frozen=True, slots=True)
class SellerRef:
    """A seller as a listing names it.

    `id` is the marketplace's. Without one it is ``name:`` and the name, which proves nothing:
    anybody may take it.
    """

    id: str
    name: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """What a seller's page says."""

    name: str | None
    country: str | None
    rating: float | None
    joined_on: date | None


@dataclass(frozen=True, slots=True)
class Card:
    """A listing as a page of results shows it.

    Parameters
    ----------
    url
        Absolute; of the listing itself, not of the advertisement that leads there.
    sponsored
        Whether the page says that the place was paid for.
    """

    url: str
    name: str | None = None
    money: Money | None = None
    image: str | None = None
    sponsored: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What one source in a page says of its listing: markup, JSON-LD, embedded state …

    Parameters
    ----------
    money
        The price that is asked; of a range the lowest.
    availability
        ``InStock``, ``OutOfStock``, ``PreOrder`` or ``BackOrder``.
    images
        Addresses as the source writes them, the main picture first.
    attributes
        The table of attributes, by name.
    """

    name: str | None = None
    money: Money | None = None
    availability: str | None = None
    images: tuple[str, ...] = ()
    seller: SellerRef | None = None
    brand: str | None = None
    condition: str | None = None
    ships_from: str | None = None
    description: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, sources: Iterable[Facts]) -> Facts:
        """Several sources in one: of each field what the first says that says anything."""
        every = list(sources)
        found: dict[str, Any] = {}
        for field in fields(cls):
            said = (getattr(one, field.name) for one in every)
            found[field.name] = next((value for value in said if value), field.default)
        return cls(**found)
