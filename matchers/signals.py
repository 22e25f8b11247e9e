"""Every signal there is: what its value means, and whether it is a sign of a fake.

The model weighs exactly these. A *sign* is something that honest trade does not show: without
one, no sum of other things may flag a listing, whatever it comes to. Price alone is no
sign, nor is a new seller, one that the brand does not know, or a picture of the maker's shown
as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from matchers.values import PictureMatch, Span

Group = Literal["words", "picture", "lexicon", "price", "seller", "relisting"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a signal is about.

    Parameters
    ----------
    about
        What the value measures; where it says no more, 1 for yes.
    """

    group: Group
    sign: bool
    about: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A signal before the model weighs it."""

    name: str
    value: float
    reason: str
    spans: tuple[Span, ...] = ()
    picture: PictureMatch | None = None


SIGNALS: dict[str, Meaning] = {
    "brand_in_title": Meaning("words", False, "the brand is named plainly in the title"),
    "brand_in_text": Meaning("words", False, "the brand is named plainly, only further down"),
    "brand_disguised": Meaning("words", True, "the brand is written so that a search misses it"),
    "brand_misspelt": Meaning("words", True, "the brand is written with a letter amiss"),
    "brand_joined": Meaning("words", True, "the brand is joined to another word"),
    "brand_compatible": Meaning("words", False, "the brand is only named as what the thing fits"),
    "product_named": Meaning("words", False, "a product's name stands there without the brand's"),
    "style_of": Meaning("words", False, "said to be in the brand's style, not the brand's"),
    "part_only": Meaning("words", False, "only a part, a spare, or the packaging is offered"),
    "import_words": Meaning("words", False, "offered as an import or another region's version"),
    "picture_match": Meaning("picture", False, "a registered picture; 0 to 1, how surely"),
    "picture_edited": Meaning("picture", True, "and it was edited; 0 to 1, how much that hides"),
    "picture_and_price": Meaning(
        "picture", True, "the maker's own picture beside a price far under the floor, new goods"
    ),
    "logo_seen": Meaning("picture", False, "a registered logo in a picture; 0 to 1, how surely"),
    "own_pictures": Meaning("picture", False, "there are pictures, and none is a registered one"),
    "lexicon_1": Meaning("lexicon", False, "the severest term of the lexicon is of severity 1"),
    "lexicon_2": Meaning("lexicon", True, "… of severity 2"),
    "lexicon_3": Meaning("lexicon", True, "… of severity 3"),
    "lexicon_4": Meaning("lexicon", True, "… of severity 4"),
    "lexicon_more": Meaning("lexicon", False, "log2 of how many different terms there are"),
    "price_under_floor": Meaning("price", False, "log2 of floor over price, new goods, up to 4"),
    "price_under_brand": Meaning(
        "price", False, "log2 of the brand's lowest floor over price, product not recognised"
    ),
    "price_used_under_floor": Meaning("price", False, "log2 of floor over price, used goods"),
    "second_hand": Meaning("price", False, "it is offered as used"),
    "price_fair": Meaning("price", False, "the price is not under the floor"),
    "price_under_others": Meaning(
        "price", False, "how far the price is under what others ask; spreads beyond 2, up to 6"
    ),
    "price_like_others": Meaning("price", False, "the price is within 2 spreads of what is usual"),
    "price_unknown": Meaning("price", False, "there is no price that could be held against one"),
    "not_authorised": Meaning("seller", False, "the brand named sellers here, and not this one"),
    "seller_new": Meaning("seller", False, "1 on the day it joined, 0 after a year"),
    "seller_established": Meaning("seller", False, "on the marketplace for three years or more"),
    "seller_rating_low": Meaning("seller", False, "0 at a rating of 0.9 and above, 1 at 0.6"),
    "seller_unknown": Meaning("seller", False, "nothing is known of the seller"),
    "seller_brand_share": Meaning("seller", False, "the brand's part of the seller's listings"),
    "seller_counterfeits": Meaning(
        "seller",
        True,
        "verdicts against the seller: log of counterfeit over genuine; a sign from three on",
    ),
    "seller_genuines": Meaning("seller", False, "earlier verdicts for the seller, none against"),
    "pictures_shared": Meaning("seller", False, "log2 of 1 + sellers who show the same picture"),
    "ships_elsewhere": Meaning("seller", False, "ships from another country than the seller's"),
    "ships_not_origin": Meaning("seller", False, "ships from another country than said to be made"),
    "relisting_counterfeit": Meaning(
        "relisting", True, "like a listing that was found counterfeit; 0 to 1, how much"
    ),
    "relisting_genuine": Meaning("relisting", False, "like one that was found genuine; 0 to 1"),
    "relisting_unjudged": Meaning("relisting", False, "like an earlier one; 0 to 1, how much"),
}


def named(measured: Iterable[Measured], *names: str) -> bool:
    """Whether one of these signals was measured."""
    return any(one.name in names for one in measured)
