"""Why a checkout stops. Words for programs; what is seen is said beside them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Reason = Literal[
    "price_changed",
    "currency_changed",
    "over_limit",
    "out_of_stock",
    "gone",
    "other_seller",
    "other_item",
    "several_items",
    "quantity",
    "captcha",
    "login",
    "blocked",
    "bank",
    "unknown_step",
    "page_changed",
    "shop_error",
    "order_click",
    "declined",
    "mode_changed",
    "tried_before",
    "no_recipe",
]

#: What the buyer is asked to do about it. Of what is not here, nobody is asked.
TO_DO: Mapping[Reason, str] = MappingProxyType(
    {
        "price_changed": "Look at the price. Give it back if it may be bought for that.",
        "currency_changed": "Choose the currency of the limit, if the shop lets you.",
        "over_limit": "Choose a cheaper way of shipping, if there is one.",
        "out_of_stock": "Look whether it can be had after all, of the same seller.",
        "gone": "Look whether the listing is there after all.",
        "other_seller": "Choose the seller that is meant, if the shop lets you.",
        "other_item": "Put the one that is meant into the basket, and nothing else.",
        "several_items": "Take all but the one that is meant out of the basket.",
        "quantity": "Set the quantity to one.",
        "captcha": "Answer it.",
        "login": "Sign in as the persona, if it has an account; else go on as a guest.",
        "blocked": "Look whether the page loads now.",
        "bank": "Answer the bank.",
        "unknown_step": "Bring the checkout to the next step that the recipe knows.",
        "page_changed": "Look what is other than it was, and bring the checkout to its next step.",
        "shop_error": "Load the page anew.",
        "order_click": "Everything was compared. Make the ordering click, once, and wait for "
        "the confirmation.",
    }
)


class Stopped(Exception):
    """Something is not as expected: a person looks before anything goes on.

    Parameters
    ----------
    reason
        For programs.
    text
        What was seen, in a sentence.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason
