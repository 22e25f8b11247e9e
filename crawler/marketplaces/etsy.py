"""Etsy: pages of the layouts since about 2015, and the Open API."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from urllib.parse import quote

from crawler.marketplaces.api import Api, Results, address
from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import dig
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.prices import money as checked
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.structured import listed
from crawler.marketplaces.values import named_seller, seller, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ITEM = re.compile(r"/listing/(?P<id>\d{6,15})(?:[/?#]|$)")
_SHOP = re.compile(r"/shop/(?P<id>[^/?#]+)")


class EtsyListingPage(SitePage):
    """A listing's page. Its data name the shop as the brand."""

    CURRENCY = "USD"

    def own(self) -> Facts:
        """Buy box and shop's box."""
        pictures = self.css(
            "[data-carousel-pane] img, .carousel-pane img, "
            "img[data-perf-group='main-product-image']"
        )[:40]
        images = [
            p.attrib.get("data-src-zoom-image")
            or p.attrib.get("data-src")
            or p.attrib.get("src", "")
            for p in pictures
        ]
        images += self.css("[data-full-image-href]::attr(data-full-image-href)").getall()[:24]
        return Facts(
            name=self.first_text(
                "h1[data-buy-box-listing-title]",
                "h1[data-listing-id]",
                "#listing-page-cart h1",
                "#listing-right-column h1",
                "h1 span[itemprop='name']",
                "h1",
            ),
            money=self._money(),
            availability=self._availability(),
            images=tuple(dict.fromkeys(image for image in images if image.startswith("http"))),
            seller=self._seller(),
            description=self.first_text(
                "[data-product-details-description-text-content]", "#description-text"
            ),
            ships_from=self.first_text(
                "#shipping-variant-div .js-estimated-delivery ~ div", ".js-ships-from"
            ),
        )

    def _money(self) -> Money | None:
        money = self.shown(
            "[data-buy-box-region='price'] [data-selector='price-only'] p",
            "[data-buy-box-region='price'] .wt-text-title-larger",
            "[data-buy-box-region='price'] .wt-text-title-03",
            "[data-buy-box-region='price'] p",
            "#listing-price",
            "#listing-page-cart .text-largest",
        )
        if money:
            return money
        code = self.css("meta[itemprop='currency']::attr(content)").get()
        return (
            self.priced(self.css("meta[itemprop='price']::attr(content)").get(), code)
            if code
            else None
        )

    def _availability(self) -> str | None:
        said = self.css("meta[itemprop='availability']::attr(content)").get()
        if said:
            return availability_of(said.replace("_", " "))
        sold = self.first_text(
            "[data-buy-box-region='price'] .sold-out", "#sold-out", ".listing-page-sold-out"
        )
        return "OutOfStock" if sold else None

    def _seller(self) -> SellerRef | None:
        for link in self.css(
            "#seller .shop-name a, .shop-name a, #shop-info .shop-name, [data-shop-name], "
            "[data-buy-box-region] a[href*='/shop/'], #listing-page-cart a[href*='/shop/'], "
            "[data-seller-cred] a[href*='/shop/'], .shop2-name, a[itemprop='url'][href*='/shop/']"
        )[:10]:
            href = link.attrib.get("href", "")
            match = _SHOP.search(href)
            name = link.attrib.get("data-shop-name") or (
                match["id"] if match else visible_text(link)
            )
            if name and len(name) <= 80:
                return seller(match["id"] if match else None, name, self.link(href))
        # Its JSON-LD calls the shop the brand.
        return named_seller(self.from_json_ld().brand)


class EtsyListPage(CardsPage):
    """Search results."""

    CURRENCY = "USD"
    NEXT = (
        "nav[aria-label*='agination'] a[aria-label*='Next']::attr(href), "
        "a.pagination-next::attr(href), "
        ".wt-action-group__item-container:last-child a::attr(href)"
    )

    def own_cards(self) -> Iterable[Card]:
        """Card by card."""
        for link in self.css(
            "a.listing-link[href*='/listing/'], a[data-listing-id][href*='/listing/']"
        ):
            match = _ITEM.search(link.attrib.get("href", ""))
            address_ = self.link(f"/listing/{match['id']}") if match else None
            if address_ is None:
                continue
            title = link.css("h3, h2")[:1]
            box = link.xpath("ancestor::*[contains(@class,'v2-listing-card') or self::li][1]")[
                :1
            ] or [link]
            prices = box[0].css(
                ".lc-price .currency-value, .n-listing-card__price .currency-value, .currency-value"
            )[:1]
            signs = box[0].css(".currency-symbol")[:1]
            shown = "".join(visible_text(part) or "" for part in (*signs, *prices))
            yield Card(
                url=address_,
                name=(visible_text(title[0]) if title else None) or link.attrib.get("title"),
                money=read_shown(shown, self.home),
                image=self.link(box[0].css("img::attr(data-src), img::attr(src)").get()),
                sponsored=self.is_sponsored(box[0], "[data-ad-label]")
                or "plkey=" in link.attrib.get("href", ""),
            )


class EtsySellerPage(ShopPage):
    """A shop's page."""

    NAMES = ("[data-shop-name] h1", "h1.wt-text-heading", ".shop-name-and-title-container h1", "h1")
    COUNTRIES = ("[data-region='location']", ".shop-location", ".location")
    RATINGS = (
        "[data-region='reviews'] input[name='rating']::attr(value)",
        "input[name='rating']::attr(value)",
    )


class OpenApi(Api):
    """Etsy's Open API v3 (developers.etsy.com): a key is enough for what is public."""

    name = "Etsy Open API"
    variables = "TOUCHSTONE_ETSY"
    home = "https://openapi.etsy.com"
    page_size: ClassVar[int] = 100
    last_offset: ClassVar[int] = 12_000
    calls_a_day = 10_000
    _PATH = "/v3/application"

    def headers(self, token: str, market: str) -> dict[str, str]:
        """The application's key."""
        return {"x-api-key": token}

    def search_url(self, host: str, query: str, page: int, market: str) -> str:
        """`listings/active`."""
        return address(
            f"{host}{self._PATH}/listings/active",
            keywords=query,
            limit=self.page_size,
            offset=(page - 1) * self.page_size,
        )

    def listing_url(self, host: str, external_id: str) -> str:
        """`listings/{id}` with its pictures and its shop."""
        number = quote(external_id, safe="")
        return address(f"{host}{self._PATH}/listings/{number}", includes="Images,Shop")

    def read_search(self, answer: Any) -> Results:
        """`results` of an answer."""
        cards = []
        for item in listed(dig(answer, "results")):
            number = dig(item, "listing_id")
            if isinstance(number, int):
                cards.append(
                    Card(
                        url=f"https://www.etsy.com/listing/{number}",
                        name=text(dig(item, "title")),
                        money=_money(dig(item, "price")),
                        image=text(dig(item, "images", 0, "url_fullxfull")),
                    )
                )
        total = dig(answer, "count")
        return Results(tuple(cards), total if isinstance(total, int) else None)

    def read_listing(self, answer: Any) -> Facts:
        """A listing."""
        images = (dig(image, "url_fullxfull") for image in listed(dig(answer, "images")))
        state, left = dig(answer, "state"), dig(answer, "quantity")
        shop = text(dig(answer, "shop", "shop_name"))
        return Facts(
            name=text(dig(answer, "title")),
            money=_money(dig(answer, "price")),
            availability=None
            if state is None
            else "InStock"
            if state == "active" and left != 0
            else "OutOfStock",
            images=tuple(image for image in images if isinstance(image, str)),
            seller=seller(shop or dig(answer, "shop_id"), shop, text(dig(answer, "shop", "url"))),
            description=text(dig(answer, "description")),
        )


def _money(node: Any) -> Money | None:
    """``{"amount": 299, "divisor": 100, "currency_code": "USD"}``."""
    try:
        amount = Decimal(str(dig(node, "amount"))) / Decimal(str(dig(node, "divisor") or 1))
    except (InvalidOperation, ZeroDivisionError):
        return None
    return (
        checked(amount, dig(node, "currency_code")) if amount.is_finite() and amount >= 0 else None
    )


DEFINITION = Definition(
    kind="etsy",
    title="Etsy",
    search="/search?q={query}",
    further="/search?q={query}&page={page}",
    slug=plus,
    search_in_browser=False,
    listing_path=_ITEM,
    list_page=EtsyListPage,
    listing_page=EtsyListingPage,
    seller_page=EtsySellerPage,
    hosts=re.compile(r"(?:www\.)?etsy\.com"),
    interfaces=("pages", "api"),
    api=OpenApi(),
    tested=Tested(date(2026, 11, 25), (2016,)),
)
