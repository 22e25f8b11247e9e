"""Our own synthetic marketplace: search by JavaScript, JSON-LD on about half of the listings."""

import re

from crawler.marketplaces.checkout import Checkout, Letters, LookUp, OrderList, Step
from crawler.marketplaces.definition import Definition
from crawler.marketplaces.pages import ListingPage, ListPage, SellerPage

_CURRENCIES = {"€": "EUR", "US $": "USD", "¥": "CNY"}
_DECIMAL = {"EUR": ","}


class BazaarListPage(ListPage):
    LINKS = "a.card::attr(href)"


class BazaarListingPage(ListingPage):
    TITLE = "h1.title::text"
    PRICE = ".price::text"
    AVAILABILITY = ".stock::text"
    DESCRIPTION = ".description::text"
    # What the gallery shows is small; what it links to is the picture.
    IMAGES = ".gallery a::attr(href), .gallery > img::attr(src)"
    SELLER = ".seller a"
    SHIPS_FROM = ".ships-from::text"
    ATTRIBUTES = "table.attrs tr"
    VARIANTS = ".variants select, .variants button"
    TERMS = ".terms a::attr(href)"
    REVIEW = ".review"
    REVIEWS_LINK = ".all-reviews::attr(href)"
    CURRENCIES = _CURRENCIES
    DECIMAL = _DECIMAL


class BazaarSellerPage(SellerPage):
    NAME = ".seller-name::text"
    COUNTRY = ".country::text"
    RATING = ".rating::text"
    JOINED = ".joined::attr(datetime)"


DEFINITION = Definition(
    kind="bazaar",
    title="Touchstone's synthetic marketplace",
    search="/search?q={query}",
    search_in_browser=True,
    listing_path=re.compile(r"^/item/(?P<id>\d+)/"),
    list_page=BazaarListPage,
    listing_page=BazaarListingPage,
    seller_page=BazaarSellerPage,
    checkout=Checkout(
        add="#add-to-cart",
        basket=None,
        steps=(
            Step("cart", r"^/cart$", "#to-checkout"),
            Step(
                "address",
                r"^/checkout/address$",
                "#next",
                fills={
                    f"input[name={name}]": name
                    for name in ("name", "email", "line1", "city", "postcode", "country")
                },
            ),
            Step(
                "shipping",
                r"^/checkout/shipping$",
                "#next",
                checks=("input[name=shipping][value=standard]",),
            ),
            Step(
                "payment",
                r"^/checkout/payment$",
                "#next",
                checks=("input[name=payment][value=invoice]",),
            ),
        ),
        review=r"^/checkout/review$",
        total=".bill-total",
        quantity=".bill-quantity",
        title=".bill-title",
        seller=".bill-seller",
        order_button="#place-order",
        thanks=r"^/checkout/done/",
        order_number=".order-number",
        price=".bill-price",
        currencies=_CURRENCIES,
        decimal=_DECIMAL,
        orders=OrderList(
            path="/account/orders",
            shown=r"^/account/orders$",
            order="table.orders tr.order",
            empty=".no-orders",
            number=".number",
            title=".title",
            total=".total",
            date="time::attr(datetime)",
            dates=("iso",),
            status=".status",
            following="a.next::attr(href)",
        ),
        look_up=LookUp(
            path="/orders/find",
            shown=r"^/orders/find$",
            email="main input[name=email]",
            number="main input[name=number]",
            submit="main form button",
        ),
        letters=Letters(
            senders=("bazaar.example",),
            confirmed=r"^your order \S+$",
            number=r"order(?: number:)? (B-\d{8})\b",
            shipped=r"is on its way$",
            tracking=r"^tracking number: (\S{4,64})$",
            carrier=r"^carrier: (.{1,64})$",
        ),
    ),
)
