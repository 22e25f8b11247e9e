"""What goes into the matchers and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter

from registry.money import Money

__all__ = [
    "Assessment",
    "Authorisation",
    "Brand",
    "Listing",
    "Money",
    "Picture",
    "PictureMatch",
    "Product",
    "Signal",
    "Span",
    "from_json",
    "to_json",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's fingerprint.

    Parameters
    ----------
    sha256
        Of the file's bytes.
    hashes
        64-bit perceptual hashes as 16 hexadecimal digits, by view; `matchers.pictures`
        names the views.
    width, height
        Pixels, after EXIF orientation.
    """

    sha256: str
    hashes: dict[str, str]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Product:
    """A registered product; `id` is the caller's."""

    id: str
    name: str
    keywords: tuple[str, ...]
    price_floor: Money | None
    list_price: Money | None
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A seller allowed on a marketplace; `product_ids` None means all products."""

    marketplace: str
    seller_id: str
    product_ids: frozenset[str] | None
    valid_from: date | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Brand:
    """A registered brand; `terms` are its marks and keywords, in any script."""

    id: str
    name: str
    terms: tuple[str, ...]
    products: tuple[Product, ...]
    authorisations: tuple[Authorisation, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing said at a time."""

    title: str
    description: str
    price: Money | None
    marketplace: str
    seller_id: str | None
    seller_name: str | None
    brand: str | None
    condition: str | None
    pictures: tuple[Picture, ...]
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the listing's own text: ``text[start:end]`` of `field`.

    `kind` is ``brand``, ``product`` or ``lexicon``; `term` is what was found there.
    """

    field: str
    start: int
    end: int
    term: str
    kind: str


@dataclass(frozen=True, slots=True)
class PictureMatch:
    """A listing's picture beside the reference picture that it is like.

    `distance` is the Hamming distance of 64-bit hashes; `view` says which view matched.
    """

    product_id: str
    listing_sha256: str
    reference_sha256: str
    distance: int
    view: str


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason: `contribution` is what it adds to the log-odds of the score."""

    name: str
    contribution: float
    reason: str
    spans: tuple[Span, ...] = ()
    picture: PictureMatch | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The score, between 0 and 1, and every reason for it.

    It is a priority for review, not a probability of counterfeit.

    Parameters
    ----------
    gate
        ``authorised_seller`` or ``brand_not_claimed`` where a gate is shut: the score is 0
        then, whatever the signals say.
    """

    score: float
    gate: str | None
    product_id: str | None
    signals: tuple[Signal, ...]
    versions: dict[str, str]


#: Building an adapter costs more than using it a thousand times.
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Assessment, Brand, Listing, Picture)
}


def to_json(value: Assessment | Brand | Listing | Picture) -> Any:
    """A value as plain JSON data."""
    return _ADAPTERS[type(value)].dump_python(value, mode="json")


def from_json(kind: type[T], data: Any) -> T:
    """The value that `to_json` wrote."""
    value: T = _ADAPTERS[kind].validate_python(data)
    return value
