"""Shops on django-oscar with its stock templates; JSON-LD is read where a shop added it."""

import re
from collections.abc import Mapping
from typing import ClassVar

from crawler.marketplaces.checkout import Checkout, Letters, OrderList, Step
from crawler.marketplaces.definition import Definition
from crawler.marketplaces.pages import ListingPage, ListPage, SellerPage

_CURRENCIES = {"£": "GBP", "€": "EUR", "US$": "USD", "$": "USD"}


class OscarListPage(ListPage):
    LINKS = "article.product_pod h3 a::attr(href)"
    NEXT = "ul.pagination a.page-link:contains('next')::attr(href)"


class OscarListingPage(ListingPage):
    TITLE = ".product_main h1::text"
    PRICE = ".product_main > .price_color::text"
    AVAILABILITY = ".product_main > .availability::attr(class)"
    # The stock page nests paragraphs, so the text stands in the second one.
    DESCRIPTION = "#product_description ~ p::text"
    IMAGES = "#product_gallery img::attr(src)"
    ATTRIBUTES = "table.table-striped tr"
    REVIEW = "#reviews article"
    REVIEWS_LINK = "#reviews a[href$='/reviews/']::attr(href)"
    CURRENCIES = _CURRENCIES
    DECIMAL: ClassVar[Mapping[str, str]] = {}


DEFINITION = Definition(
    kind="oscar",
    title="django-oscar",
    search="/search/?q={query}",
    search_in_browser=False,
    listing_path=re.compile(r"^/catalogue/[^/]+_(?P<id>\d+)/$"),
    list_page=OscarListPage,
    listing_page=OscarListingPage,
    seller_page=SellerPage,
    checkout=Checkout(
        add="#add_to_basket_form button[type=submit]",
        basket="/basket/",
        steps=(
            Step("basket", r"^/basket/$", "a[href='/checkout/']"),
            Step(
                "gateway",
                r"^/checkout/$",
                "form:has(#id_username) button[type=submit]",
                fills={"#id_username": "email"},
                checks=("input[name=options][value=anonymous]",),
                guest=True,
            ),
            Step(
                "address",
                r"^/checkout/shipping-address/$",
                "#new_shipping_address button[type=submit]",
                fills={
                    "#id_first_name": "first_name",
                    "#id_last_name": "last_name",
                    "#id_line1": "line1",
                    "#id_line4": "city",
                    "#id_postcode": "postcode",
                },
                selects={"#id_country": "country"},
            ),
            Step("payment", r"^/checkout/payment-details/$", "#view_preview"),
        ),
        review=r"^/checkout/preview/$",
        total="#basket_totals td.total .price_color",
        quantity=".basket-items .col-sm-1",
        title=".basket-items h3 a",
        seller=None,
        order_button="#place-order",
        thanks=r"^/checkout/thank-you/$",
        order_number="p.lead strong",
        currencies=_CURRENCIES,
        orders=OrderList(
            path="/accounts/orders/",
            shown=r"^/accounts/orders/$",
            order="table.table-striped tr:has(td)",
            # The page says so in words of its own, without a class.
            empty="p:contains('placed any orders')",
            number="td:nth-child(1)",
            title=None,
            total="td:nth-child(3)",
            date="td:nth-child(4)",
            # As Django writes it in English, British and American.
            dates=(
                "%d %b %Y, %I:%M %p",
                "%d %b %Y, %I %p",
                "%b %d, %Y, %I:%M %p",
                "%b %d, %Y, %I %p",
                "%B %d, %Y, %I:%M %p",
                "%B %d, %Y, %I %p",
            ),
            following="ul.pagination a.page-link:contains('next')::attr(href)",
            details="td:nth-child(1) a::attr(href)",
            details_title="table tr td p > a[href^='/catalogue/']",
        ),
        letters=Letters(
            senders=(),
            confirmed=r"^confirmation of order \S+$",
            number=r"order (\d{4,})\b",
        ),
    ),
)
