"""Lists of orders as shops show them, and pages that are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.marketplaces import KINDS
from crawler.marketplaces.checkout import Checkout
from crawler.marketplaces.order_lists import Unreadable, read_page, read_title

ROW = """<tr class=order><td class=number>B-1<td class=title>Tote<td class=total>€ 1.310,00
<td><time datetime="{at}">then</time><td class=status>placed</tr>"""
PLACE = "http://shop.example/account/orders"


def recipe(kind: str) -> Checkout:
    found = KINDS[kind].checkout
    assert found is not None
    assert found.orders is not None
    return found


def bazaar(*rows: str, more: str = "") -> str:
    return f"<table class=orders>{''.join(rows)}</table>{more}"


def test_an_order_of_the_bazaar() -> None:
    page = read_page(bazaar(ROW.format(at="2026-11-26T09:00:00+02:00")), PLACE, recipe("bazaar"))
    (order,) = page.orders
    assert (order.number, order.title, str(order.total)) == ("B-1", "Tote", "1310.00 EUR")
    assert order.at is not None
    assert order.at.astimezone(UTC) == datetime(2026, 11, 26, 7, tzinfo=UTC)
    assert (order.status, page.following) == ("placed", None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("26 Nov 2026, 1:15 a.m.", datetime(2026, 11, 26, 1, 15)),
        ("26 Nov 2026, 1 p.m.", datetime(2026, 11, 26, 13)),
        ("26 Nov 2026, midnight", datetime(2026, 11, 26)),
        ("Sept. 3, 2026, noon", datetime(2026, 9, 3, 12)),
        ("March 3, 2026, 12:30 p.m.", datetime(2026, 3, 3, 12, 30)),
        ("the other day", None),
    ],
)
def test_dates_as_django_writes_them(text: str, at: datetime | None) -> None:
    html = (
        "<table class='table table-striped'><tr><th>Order number</th></tr><tr>"
        f"<td><a href=/accounts/orders/1/>1</a><td>1<td>£2.00<td>{text}</tr></table>"
    )
    (order,) = read_page(html, "http://shop.example/accounts/orders/", recipe("oscar")).orders
    assert order.at == (None if at is None else at.replace(tzinfo=UTC))
    assert order.details == "http://shop.example/accounts/orders/1/"


@pytest.mark.parametrize(
    ("url", "html", "why"),
    [
        ("http://shop.example/account/sign-in", bazaar(ROW), "nobody is signed in"),
        (PLACE, "<h1>Something went wrong</h1>", "has no order"),
        (PLACE, "", "has no order"),
        (PLACE, bazaar(ROW.replace("B-1", " ")), "has no number"),
    ],
)
def test_what_is_not_the_list_is_not_taken_for_an_empty_one(url: str, html: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_page(html, url, recipe("bazaar"))
    assert read_page("<p class=no-orders>none", PLACE, recipe("bazaar")).orders == ()


@pytest.mark.parametrize(
    ("link", "following"),
    [
        ("?page=2", f"{PLACE}?page=2"),
        ("https://elsewhere.example/account/orders", None),
        ("http://[", None),
    ],
)
def test_the_login_goes_to_no_other_host(link: str, following: str | None) -> None:
    html = bazaar(ROW, more=f"<a class=next href='{link}'>older</a>")
    assert read_page(html, PLACE, recipe("bazaar")).following == following


def test_an_order_of_two_things_has_no_title() -> None:
    orders = recipe("oscar").orders
    assert orders is not None
    line = "<tr><td><p><a href='/catalogue/{0}_1/'>{0}</a></p>"
    assert read_title(f"<table>{line.format('a')}</table>", orders) == "a"
    assert read_title(f"<table>{line.format('a')}{line.format('b')}</table>", orders) is None


@given(st.text(max_size=300), st.sampled_from(["bazaar", "oscar"]))
def test_any_page_is_read_or_is_not_the_list(html: str, kind: str) -> None:
    checkout = recipe(kind)
    assert checkout.orders is not None
    anywhere = replace(checkout, orders=replace(checkout.orders, shown="", order="*", number="*"))
    for how in (checkout, anywhere):
        try:
            read_page(html, f"http://shop.example{checkout.orders.path}", how)
        except Unreadable:
            continue
