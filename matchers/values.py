"""What goes into the matchers and what comes out.

Every value is plain data: `to_json` writes it, `from_json` reads it back, so that an
assessment can be worked out again from its stored inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from registry.money import Money

__all__ = [
    "Assessment",
    "Authorisation",
    "Brand",
    "Comparables",
    "Context",
    "Kind",
    "Listing",
    "Money",
    "Outcome",
    "Outline",
    "Picture",
    "PictureMatch",
    "Product",
    "Rates",
    "Relisting",
    "Seller",
    "Signal",
    "Span",
    "Term",
    "TermKind",
    "from_json",
    "to_json",
]

T = TypeVar("T")
TermKind = Literal["mark", "transliteration", "nickname", "product"]
#: Only the first two can lead to an accusation.
Kind = Literal["counterfeit", "trademark_use", "grey_import", "price_breach"]
Outcome = Literal["flag", "abstain", "pass"]
#: The corners of a matched area in order, as parts of the picture's width and height (0 to 1,
#: after EXIF orientation).
Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's fingerprint.

    Parameters
    ----------
    sha256
        Of the file's bytes.
    width, height
        Pixels, after EXIF orientation.
    hash
        256-bit perceptual hash of the whole picture as 64 hexadecimal digits
        (`matchers.pictures.whole`); empty for one without detail, which is like every other.
    """

    sha256: str
    width: int
    height: int
    hash: str = ""


@dataclass(frozen=True, slots=True)
class PictureMatch:
    """A listing's picture, or a part of it, that shows a registered picture.

    Parameters
    ----------
    product_id
        The product whose reference picture it is; empty for a logo.
    distance
        Hamming distance of the two 256-bit hashes of the views that matched.
    view
        In words, what was done to the picture: ``as it is``, ``mirrored``, ``a part of it`` …
    kind
        ``reference`` for a product's picture, ``logo`` for a registered figurative mark.
    inliers
        Local features that agree on one geometry; 0 where the hashes alone decided.
    confidence
        0 to 1, how sure the comparison is.
    listing_outline, reference_outline
        The matched area in both; all of both where the hashes alone decided.
    """

    product_id: str
    listing_sha256: str
    reference_sha256: str
    distance: int
    view: str
    kind: Literal["reference", "logo"] = "reference"
    inliers: int = 0
    confidence: float = 1.0
    listing_outline: Outline = ()
    reference_outline: Outline = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A word that the brand claims, in any script.

    Parameters
    ----------
    nice_classes
        Classes of the Nice Classification for which it is registered; empty if not known.
    product_words
        Words that name such goods, which let a short or common word count.
    """

    text: str
    kind: TermKind = "mark"
    nice_classes: frozenset[int] = frozenset()
    product_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A registered product; `id` is the caller's."""

    id: str
    name: str
    keywords: tuple[str, ...]
    price_floor: Money | None
    list_price: Money | None
    pictures: tuple[Picture, ...]
    nice_class: int | None = None


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
    """A registered brand.

    Parameters
    ----------
    terms
        Its marks, transliterations, nicknames and product names.
    logos
        Pictures of its figurative marks.
    """

    id: str
    name: str
    terms: tuple[Term, ...]
    products: tuple[Product, ...]
    authorisations: tuple[Authorisation, ...]
    logos: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing said at a time, and which registered pictures were seen in its own."""

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
    matches: tuple[PictureMatch, ...] = ()
    category: str | None = None
    ships_from: str | None = None
    origin: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Seller:
    """What is known of a seller, on the day of the listing; None where nothing is.

    Parameters
    ----------
    rating
        0 to 1, whatever the marketplace's scale.
    country
        ISO 3166-1 alpha-2, where the seller says it is.
    listings, brand_listings
        The seller's listings known here, and how many of them name the brand.
    counterfeits, genuines
        Earlier verdicts of people on listings of this seller.
    shared_with
        Other sellers who show one of this listing's pictures.
    """

    joined_on: date | None = None
    rating: float | None = None
    country: str | None = None
    listings: int = 0
    brand_listings: int = 0
    counterfeits: int = 0
    genuines: int = 0
    shared_with: int = 0


@dataclass(frozen=True, slots=True)
class Comparables:
    """What others ask on this marketplace for the same product, new and by the piece.

    Parameters
    ----------
    count
        Listings compared, one a seller.
    log_median, log_mad
        Median and median absolute deviation of the natural logarithm of the unit price.
    currency
        Of the prices, ISO 4217.
    """

    product_id: str
    count: int
    log_median: float
    log_mad: float
    currency: str


@dataclass(frozen=True, slots=True)
class Rates:
    """Exchange rates of a day: units of each currency for one euro."""

    day: date
    per_euro: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Relisting:
    """An earlier listing that this one is like, under another seller or id.

    Parameters
    ----------
    listing_id
        The earlier one's, the caller's id.
    likeness
        0 to 1, see `matchers.relisting`.
    verdict
        What people said of the earlier one, if they did: ``counterfeit``, ``genuine`` …
    traits
        What is alike, in words: ``picture``, ``title`` …
    """

    listing_id: str
    likeness: float
    verdict: str | None
    traits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a listing; every part may be missing."""

    seller: Seller | None = None
    comparables: tuple[Comparables, ...] = ()
    rates: Rates | None = None
    relistings: tuple[Relisting, ...] = ()


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
class Signal:
    """One reason: `contribution` is what it adds to the log-odds of the score.

    `value` is what was measured, before the model's weight: 1 where there is only yes or no.
    """

    name: str
    contribution: float
    reason: str
    spans: tuple[Span, ...] = ()
    picture: PictureMatch | None = None
    value: float = 1.0


@dataclass(frozen=True, slots=True)
class Assessment:
    """The score, between 0 and 1, and every reason for it.

    Parameters
    ----------
    score
        The model's probability that the listing is a counterfeit or a misuse of the mark. It
        queues a listing for people; it accuses nobody.
    gate
        ``authorised_seller`` or ``brand_not_claimed`` where a gate is shut: the score is 0
        then, whatever the signals say.
    outcome
        ``flag``, ``abstain`` (a person looks), ``pass``; by the model's own limits.
    kind
        What it seems to be; None where the outcome is ``pass``.
    versions
        Of model, lexicon, word tables, picture matcher, rates.
    """

    score: float
    gate: str | None
    product_id: str | None
    signals: tuple[Signal, ...]
    versions: dict[str, str]
    outcome: Outcome = "pass"
    kind: Kind | None = None


#: Building an adapter costs more than using it a thousand times.
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Assessment, Brand, Context, Listing, Picture, PictureMatch)
}


def to_json(value: Assessment | Brand | Context | Listing | Picture | PictureMatch) -> Any:
    """A value as plain JSON data."""
    return _ADAPTERS[type(value)].dump_python(value, mode="json")


def from_json(kind: type[T], data: Any) -> T:
    """The value that `to_json` wrote."""
    value: T = _ADAPTERS[kind].validate_python(data)
    return value
