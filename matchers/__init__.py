"""Whom an investigator looks at: pictures, words, price, seller, and one score with reasons.

Pure code: values in, values out. No database, no network, no clock; thresholds, weights and
lexicon are data with a version, so that an assessment can be worked out again from its
stored inputs to the same figure.
"""

from matchers.assess import assess
from matchers.pictures import PictureError, fingerprint, media_type
from matchers.values import (
    Assessment,
    Authorisation,
    Brand,
    Comparables,
    Context,
    Listing,
    Money,
    Picture,
    PictureMatch,
    Product,
    Rates,
    Relisting,
    Seller,
    Signal,
    Span,
    Term,
    from_json,
    to_json,
)

__all__ = [
    "Assessment",
    "Authorisation",
    "Brand",
    "Comparables",
    "Context",
    "Listing",
    "Money",
    "Picture",
    "PictureError",
    "PictureMatch",
    "Product",
    "Rates",
    "Relisting",
    "Seller",
    "Signal",
    "Span",
    "Term",
    "assess",
    "fingerprint",
    "from_json",
    "media_type",
    "to_json",
]
