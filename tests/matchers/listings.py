"""A brand and listings of it, for the tests of assessments."""

from __future__ import annotations

from datetime import UTC, date, datetime

from matchers.values import (
    Authorisation,
    Brand,
    Listing,
    Money,
    Picture,
    PictureMatch,
    Product,
    Seller,
    Term,
)

REFERENCE = Picture("a" * 64, 800, 800, "0f" * 32)
SHOWN = Picture("b" * 64, 640, 640, "0f" * 32)
LOGO = Picture("c" * 64, 200, 80, "33" * 32)
SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
TOTE = Product(
    "tote", "Velaro Aria Tote", (), Money.parse("310.00 EUR"), Money.parse("480.00 EUR"),
    (REFERENCE,), 18,
)  # fmt: skip
BELT = Product("belt", "Velaro Linea Belt", (), Money.parse("90.00 EUR"), None, (), 25)
GOODS = ("bag", "tote", "belt")
BRAND = Brand(
    "velaro",
    "Velaro",
    (
        Term("VELARO", "mark", frozenset({18, 25}), GOODS),
        Term("веларо", "transliteration", frozenset({18, 25}), GOODS),
        Term("维拉罗", "transliteration", frozenset({18, 25}), GOODS),
    ),
    (TOTE, BELT),
    (
        Authorisation("bazaar", "good", None, date(2020, 1, 1), None),
        Authorisation("bazaar", "expired", None, None, date(2025, 12, 31)),
        Authorisation("bazaar", "belts", frozenset({"belt"}), None, None),
    ),
    (LOGO,),
)
OLD = Seller(joined_on=date(2019, 5, 1), rating=0.97, country="DE", listings=40, brand_listings=4)
NEW = Seller(joined_on=date(2026, 2, 1), rating=0.7, country="DE", listings=9, brand_listings=8)


def matched(view: str = "as it is", confidence: float = 0.98) -> PictureMatch:
    """The tote's picture, seen in the listing's."""
    return PictureMatch(
        "tote", SHOWN.sha256, REFERENCE.sha256, 6, view, "reference", 40, confidence, SQUARE, SQUARE
    )


def logo(confidence: float = 0.9) -> PictureMatch:
    """The brand's logo, seen in the listing's picture."""
    return PictureMatch(
        "", SHOWN.sha256, LOGO.sha256, 90, "a part of it", "logo", 25, confidence, SQUARE, SQUARE
    )


def listing(
    title: str = "Velaro Aria Tote", price: str | None = "35.00 EUR", **more: object
) -> Listing:
    """An offer by a seller that nobody knows, with the registered picture as it is."""
    values: dict[str, object] = {
        "description": "",
        "marketplace": "bazaar",
        "seller_id": "s-9",
        "seller_name": "Somebody",
        "brand": None,
        "condition": None,
        "pictures": (SHOWN,),
        "matches": (matched(),),
        "seen_at": datetime(2026, 3, 1, tzinfo=UTC),
        **more,
    }
    return Listing(title=title, price=Money.parse(price) if price else None, **values)  # type: ignore[arg-type]
