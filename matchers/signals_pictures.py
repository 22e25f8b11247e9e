"""What a listing's pictures show: registered pictures, edited or not, and logos."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matchers.signals import Measured
from matchers.values import Brand, Listing, PictureMatch, Product

#: How much what was done to a picture hides it from those who look for it, by words of
#: `PictureMatch.view`. A crop, a border or a slant is what upload forms and honest shops make.
_HIDES = (
    ("mirrored", 1.0),
    ("turned by 90°", 1.0),
    ("turned by -90°", 1.0),
    ("turned by 180°", 1.0),
    ("collage", 0.7),
)
_SLIGHT = 0.3
_ASLANT = re.compile(r"turned by (?!(?:90|-90|180)°)")


def best_match(listing: Listing, brand: Brand) -> PictureMatch | None:
    """The surest match with a picture of one of the brand's products."""
    known = {product.id for product in brand.products}
    matches = [m for m in listing.matches if m.kind == "reference" and m.product_id in known]
    return min(matches, key=_order, default=None)


def best_logo(listing: Listing, brand: Brand) -> PictureMatch | None:
    """The surest sight of one of the brand's logos."""
    known = {picture.sha256 for picture in brand.logos}
    matches = [m for m in listing.matches if m.kind == "logo" and m.reference_sha256 in known]
    return min(matches, key=_order, default=None)


def _order(match: PictureMatch) -> tuple[float, int, int, float, str]:
    # To the last field, so that the order of the matches never decides.
    return (
        -match.confidence, -match.inliers, match.distance, _hides(match.view), repr(match)
    )  # fmt: skip


def _hides(view: str) -> float:
    if view == "as it is":
        return 0.0
    if _ASLANT.search(view):
        return _SLIGHT  # as another photograph of the same thing would lie there
    return max((by for words, by in _HIDES if words in view), default=_SLIGHT)


def measure(
    listing: Listing, brand: Brand, match: PictureMatch | None, product: Product | None
) -> Iterator[Measured]:
    """The signals of a listing's pictures."""
    if match is not None and product is not None:
        how = "" if match.view == "as it is" else f", {match.view}"
        proof = (
            f"{match.inliers} local features agree"
            if match.inliers
            else f"{match.distance} of 256 bits differ"
        )
        yield Measured(
            "picture_match", match.confidence,
            f"A picture is the registered one of {product.name}{how} ({proof}).", picture=match,
        )  # fmt: skip
        hides = round(_hides(match.view) * match.confidence, 6)
        if hides:
            yield Measured(
                "picture_edited",
                hides,
                f"The registered picture was edited: {match.view}.",
                picture=match,
            )
    elif listing.pictures:
        number = len(listing.pictures)
        are = "picture is" if number == 1 else "pictures are"
        yield Measured(
            "own_pictures", 1.0, f"The {are} none of the registered ones ({number} compared)."
        )
    logo = best_logo(listing, brand)
    if logo is not None:
        yield Measured(
            "logo_seen", logo.confidence,
            f"A picture shows a registered logo of {brand.name} "
            f"({logo.inliers} local features agree).",
            picture=logo,
        )  # fmt: skip
