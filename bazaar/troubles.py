"""Troubles on demand in a checkout: what holds up a buyer on a bad day.

A listing that is opened with ``?trouble=NAME`` gives the visitor that trouble, until it is out of
the way:

captcha
    Before the address, a captcha; answered, it does not come back.
price
    From the basket on, the thing costs a third more than the listing says.
stock
    The listing is sold out when it is first looked at, and back when it is loaded anew.
seller
    The basket takes it from another seller; there is a link to the one that was meant.
step
    After the payment, an insurance is offered, of which a recipe knows nothing.
bank
    The bank asks for a code (3-D Secure) before the order is taken: `CODE`.
popup
    The ordering button sends from a window of its own.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bazaar.checkout import Basket

NAMES = ("captcha", "price", "stock", "seller", "step", "bank", "popup")
CODE = "1234"
DEARER = Decimal("1.3")


def begin(request: Request, basket: Basket) -> bool:
    """Give a visitor of a listing the trouble that its address names: whether it is sold out."""
    if basket.trouble == "stock":
        basket.trouble = ""  # it is back
        return False
    wanted = request.query_params.get("trouble", "")
    basket.trouble = wanted if wanted in NAMES else basket.trouble
    return basket.trouble == "stock"


def choose_seller(request: Request, basket: Basket) -> None:
    """Take the thing from the seller that was meant."""
    if basket.trouble == "seller" and request.query_params.get("seller") == "own":
        basket.trouble = ""


def bill(basket: Basket, made: dict[str, Any], sellers: dict[str, dict[str, Any]]) -> None:
    """Change a bill as the trouble would."""
    if basket.trouble == "price":
        made["bill_price"] = (made["bill_price"] * DEARER).quantize(Decimal("0.01"))
        made["total"] = made["bill_price"] + made["shipping"]
    elif basket.trouble == "seller":
        own = made["seller"]["name"]
        made["seller"] = next(one for one in sellers.values() if one["name"] != own)


def page_of(basket: Basket, step: str) -> str | None:
    """The template that stands in a step's place, if one does."""
    if basket.trouble == "captcha" and step == "address":
        return "checkout_captcha.html"
    return "checkout_insurance.html" if basket.trouble == "step" and step == "insurance" else None


def after_payment(basket: Basket) -> str:
    """The step that comes then."""
    return "insurance" if basket.trouble == "step" else "review"


def take(basket: Basket, step: str, form: dict[str, str]) -> Response | None:
    """Take what was answered to a trouble; None if the step is none."""
    if step == "captcha":
        if form.get("human"):
            basket.trouble = ""
        return RedirectResponse("/checkout/address", 303)
    if step == "insurance" and basket.trouble == "step":
        basket.trouble = ""
        return RedirectResponse("/checkout/review", 303)
    return None
