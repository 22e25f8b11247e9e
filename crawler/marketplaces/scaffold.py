"""A new marketplace laid out: a module with its page objects, and a test that runs."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from registry.errors import TouchstoneError

_NAME = re.compile(r"[a-z][a-z0-9]{1,30}")

_MODULE = '''"""{title} by its pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.facts import Card, Facts
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import named_seller
from crawler.marketplaces.words import visible_text


class {title}ListingPage(SitePage):
    """A listing's page; structured data fill in what `own` leaves open."""

    def own(self) -> Facts:
        """What its markup says: newest layout first."""
        return Facts(
            name=self.first_text("h1"),
            money=self.shown(".price"),
            images=tuple(self.css(".gallery img::attr(src)").getall()[:12]),
            seller=named_seller(self.first_text(".seller")),
        )


class {title}ListPage(CardsPage):
    """Search results."""

    NEXT = "a[rel='next']::attr(href)"

    def own_cards(self) -> Iterable[Card]:
        """Card by card."""
        for box in self.css(".card"):
            link = self.link(box.css("a::attr(href)").get())
            if link is None:
                continue
            prices = box.css(".price")[:1]
            yield Card(
                url=link,
                name=visible_text((box.css("h2, h3, a") or [box])[0]),
                money=read_shown(visible_text(prices[0]) if prices else None, self.home),
                image=self.link(box.css("img::attr(src)").get()),
                sponsored=self.is_sponsored(box),
            )


class {title}SellerPage(ShopPage):
    """A seller's page."""

    NAMES = ("h1",)


DEFINITION = Definition(
    kind="{name}",
    title="{title}",
    search="/search?q={{query}}",
    further="/search?q={{query}}&page={{page}}",
    slug=plus,
    search_in_browser=False,
    listing_path=re.compile(r"^/item/(?P<id>\\d+)"),
    list_page={title}ListPage,
    listing_page={title}ListingPage,
    seller_page={title}SellerPage,
    hosts=re.compile(r"(?:www\\.)?{name}\\.example"),
    tested=Tested(date({year}, {month}, {day})),
)
'''

_TEST = '''"""{title}: pages made by us after the structure of its own."""

from __future__ import annotations

from web_poet import HttpResponse

from crawler.marketplaces.{name} import DEFINITION
from crawler.marketplaces.reading import read_listing, read_results

LISTING = """<html><h1>Velaro Aria</h1><p class=price>€ 1.249,00</p>
<p class=seller>Blue Store</p><div class=gallery><img src=/a.jpg></div></html>"""
RESULTS = """<html><div class=card><a href=/item/17><h2>Velaro Aria</h2></a>
<b class=price>$12.50</b></div><div class=card><a href=/item/18>Other</a> <i>Sponsored</i></div>
<a rel=next href=?page=2></html>"""


def page(path: str, html: str) -> HttpResponse:
    return HttpResponse(f"https://www.{name}.example{{path}}", body=html.encode())


def test_a_listing_is_read() -> None:
    read = read_listing(DEFINITION, page("/item/17", LISTING))
    assert (read.outcome, read.title, str(read.money)) == ("listing", "Velaro Aria", "1249.00 EUR")
    assert read.images == ("https://www.{name}.example/a.jpg",)
    assert read.seller is not None
    assert read.seller.name == "Blue Store"


def test_results_are_read() -> None:
    read = read_results(DEFINITION, page("/search?q=aria", RESULTS))
    assert [(c.name, str(c.money), c.sponsored) for c in read.cards] == [
        ("Velaro Aria", "12.50 USD", False),
        ("Other", "None", True),
    ]
    assert read.next_page == "https://www.{name}.example/search?page=2"


def test_addresses() -> None:
    base = "https://www.{name}.example"
    assert DEFINITION.search_url(base, "red bag") == f"{{base}}/search?q=red+bag"
    assert DEFINITION.search_url(base, "bag", 2) == f"{{base}}/search?q=bag&page=2"
    assert DEFINITION.external_id(f"{{base}}/item/17?x=1") == "17"
'''


def lay_out(name: str, checkout: Path, today: date) -> tuple[Path, Path]:
    """Write a module and its test into a checkout.

    Raises
    ------
    TouchstoneError
        If the name is none, it is no checkout, or there is such a file: nothing is written.
    """
    if not _NAME.fullmatch(name):
        raise TouchstoneError(
            f"{name!r} is no name for a module: small letters and digits, such as 'fleamarket'"
        )
    module = checkout / "crawler" / "marketplaces" / f"{name}.py"
    test = checkout / "tests" / "crawler" / "marketplaces" / f"test_{name}.py"
    for path in (module, test):
        if not path.parent.is_dir():
            raise TouchstoneError(
                f"{path.parent} is not there: name a checkout of Touchstone with --into"
            )
        if path.exists():
            raise TouchstoneError(f"{path} is there already: nothing was written")
    values = {
        "name": name,
        "title": name.capitalize(),
        "year": today.year,
        "month": today.month,
        "day": today.day,
    }
    module.write_text(_MODULE.format(**values), encoding="utf-8")
    test.write_text(_TEST.format(**values), encoding="utf-8")
    return module, test
