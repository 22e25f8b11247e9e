"""Mercado Libre (and Livre): pages of the layouts since about 2015, and the items API."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar
from urllib.parse import quote

from crawler.marketplaces.api import Api, Results, address
from crawler.marketplaces.definition import Definition, Tested, dashes
from crawler.marketplaces.embedded import assigned, dig, find
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import currency_of, read_shown
from crawler.marketplaces.reader import Reading
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.structured import listed, price
from crawler.marketplaces.values import pairs, seller, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ITEM = re.compile(
    r"/(?:p|up)/(?P<product>ML[A-Z]U?\d{5,14})|/(?P<id>ML[A-Z]-?\d{6,14})(?:[-_/?#]|$)"
)
_MAIN = ".ui-pdp-price__second-line, .ui-pdp-price__main-container, .ui-pdp-container__row--price"


class MercadoListingPage(SitePage):
    """An item's page, or that of a product of the catalogue with the offer that is chosen."""

    NO_BRANDS = frozenset(("mercado libre", "mercado livre"))

    def own(self) -> Facts:
        """The markup, and the state where that is silent."""
        return Facts(
            name=self.first_text(
                "h1.ui-pdp-title",
                "h1.item-title__primary",
                "h1.vip-title-main",
                "#productInfo h1",
                ".vip-product-info h1",
            ),
            money=self._money(),
            availability=self._availability(),
            images=tuple(self._pictures()),
            seller=self._seller(),
            condition=self._condition(),
            attributes=self.table(
                ".andes-table__row, .ui-vpp-striped-specs__row, .specs-item",
                "th, strong",
                "td, span",
            ),
            description=self.first_text(
                ".ui-pdp-description__content", "#description-includes", ".item-description__text"
            ),
        )

    def _money(self) -> Money | None:
        for box in self.css(_MAIN)[:4]:
            money = amount_in(box, self)
            if money:
                return money
        meta = self.css("meta[itemprop='price']::attr(content)").get()
        code = self.css("meta[itemprop='priceCurrency']::attr(content)").get() or self.home.currency
        money = self.priced(meta, code) if meta and code else None
        if money:
            return money
        for box in self.css(".item-price .price-tag, .vip-price, #productInfo .price, .price-tag")[
            :3
        ]:
            money = amount_in(box, self)
            if money:
                return money
        for value in assigned(self.html, "__PRELOADED_STATE__", most=1):
            node = dig(find(value, "components"), "price", "price")
            return self.priced(dig(node, "value"), dig(node, "currency_id") or self.home.currency)
        return None

    def _availability(self) -> str | None:
        if self.first_text(
            ".ui-pdp-buybox__quantity__available", ".ui-pdp-action--primary, .buy-button"
        ):
            return "InStock"
        return (
            availability_of(
                self.first_text(
                    ".ui-pdp-message--warning",
                    ".item-status-notification__title",
                    ".ui-pdp-shipping-message__text",
                )
            )
            if self.css(".ui-pdp-message, .item-status-notification")
            else None
        )

    def _condition(self) -> str | None:
        line = self.first_text(".ui-pdp-header__subtitle .ui-pdp-subtitle", ".item-conditions")
        return re.split(r"[|·\-–]", line)[0].strip() if line else None

    def _seller(self) -> SellerRef | None:
        for link in self.css(
            ".ui-pdp-seller__header__title a, .ui-pdp-seller__link-trigger, "
            ".ui-seller-data-header__title a, "
            ".ui-box-component__title a[href*='perfil'], "
            "a.ui-pdp-action-modal__link[href*='perfil'], "
            ".official-store-info a, .store-info a"
        )[:5]:
            name = _SOLD_BY.sub("", visible_text(link) or "").strip()
            if name:
                href = link.attrib.get("href", "")
                match = re.search(r"/(?:perfil|tienda|loja|pagina)/([^/?#]+)", href)
                return seller(match[1] if match else None, name, self.link(href))
        shown = self.first_text(
            ".ui-seller-data-header__title",
            ".ui-pdp-seller__header__title",
            ".ui-seller-info .ui-pdp-color--BLACK",
            ".official-store-info .title",
            ".store-info__name",
            "#seller-info .title",
        )
        if shown:
            return seller(None, _SOLD_BY.sub("", shown).strip())
        match = re.search(
            r"\"seller\"\s?:\s?\{[^{}]{0,300}\"nickname\"\s?:\s?\"([^\"]{1,80})\"", self.html
        )
        return seller(None, match[1]) if match else None

    def _pictures(self) -> Iterable[str]:
        for image in self.css(
            ".ui-pdp-gallery__figure__image, .ui-pdp-gallery__figure img, "
            "figure.gallery-image-container img, .gallery-content img"
        )[:30]:
            link = (
                image.attrib.get("data-zoom")
                or image.attrib.get("data-src")
                or image.attrib.get("src", "")
            )
            if link.startswith("http"):
                yield link
        yield from self.css("figure.gallery-image-container a::attr(href)").getall()[:12]


_SOLD_BY = re.compile(
    r"^(?:vendido por|tienda oficial(?: de)?|loja oficial(?: de)?|por)\s+", re.IGNORECASE
)


class MercadoListPage(CardsPage):
    """Search results of the layouts ``poly`` and ``ui-search``, and of the old one."""

    NEXT = (
        ".andes-pagination__button--next a[href^='http']::attr(href), "
        "li.andes-pagination__button--next a::attr(href), "
        "li.pagination__next a::attr(href)"
    )
    EMPTY = ".ui-search-rescue, .ui-search-rescue__title, .zrp-message"

    def own_cards(self) -> Iterable[Card]:
        """Result by result; advertisements lead by way of a counter and have no own address."""
        boxes = self.css("li.ui-search-layout__item, li.results-item, .ui-search-result__wrapper")
        for box in boxes:
            links = box.css(
                "a.poly-component__title, .poly-component__title a, a.ui-search-link, "
                "a.item__info-title, a.item__info-link, a[href]"
            )
            href = links[0].attrib.get("href", "") if links else ""
            paid = "click1." in href or "/mclics/" in href
            title = box.css(".poly-component__title, .ui-search-item__title, .main-title, h2, h3")[
                :1
            ]
            own = _ITEM.search(href)
            link = self.link(href)
            if link is None or not (own or paid):
                continue
            prices = box.css(
                ".poly-price__current, .ui-search-price__second-line, .price__container, "
                ".item__price"
            )[:1]
            yield Card(
                url=link.split("#")[0] if own else link,
                name=visible_text(title[0]) if title else None,
                money=amount_in(prices[0], self) if prices else None,
                image=self.link(box.css("img::attr(data-src), img::attr(src)").get()),
                sponsored=paid
                or self.is_sponsored(
                    box, ".poly-component__ads-promotions, .ui-search-item__ad-label"
                ),
            )

    def next_page(self) -> str | None:
        """The link, which in saved pages may be empty."""
        link = self.css(self.NEXT).get()
        return self.link(link) if link and self.cards else None


class MercadoSellerPage(ShopPage):
    """A seller's profile."""

    NAMES = ("#store-info__name", ".store-info__name", ".seller-info__subtitle", "h1")
    COUNTRIES = (".location-subtitle", ".seller-info__location")


class ItemsApi(Api):
    """Mercado Libre's API (developers.mercadolibre.com)."""

    name = "Mercado Libre API"
    variables = "TOUCHSTONE_MERCADOLIBRE"
    home = "https://api.mercadolibre.com"
    page_size: ClassVar[int] = 50
    last_offset: ClassVar[int] = 950
    #: The site by the country of the market.
    _SITES: ClassVar[dict[str, str]] = {
        "AR": "MLA", "BR": "MLB", "CL": "MLC", "CO": "MCO", "MX": "MLM", "PE": "MPE", "UY": "MLU",
        "VE": "MLV", "EC": "MEC", "CR": "MCR", "DO": "MRD", "PA": "MPA", "BO": "MBO",
    }  # fmt: skip

    def headers(self, token: str, market: str) -> dict[str, str]:
        """A bearer token."""
        return {"Authorization": f"Bearer {token}"}

    def search_url(self, host: str, query: str, page: int, market: str) -> str:
        """`sites/{site}/search`."""
        site = self._SITES.get(market, "MLA")
        return address(
            f"{host}/sites/{site}/search",
            q=query,
            limit=self.page_size,
            offset=(page - 1) * self.page_size,
        )

    def listing_url(self, host: str, external_id: str) -> str:
        """`items/{id}`."""
        return f"{host}/items/{quote(external_id.replace('-', ''), safe='')}"

    def read_search(self, answer: Any) -> Results:
        """`results` of an answer."""
        cards = []
        for item in listed(dig(answer, "results")):
            link = dig(item, "permalink")
            if isinstance(link, str) and link.startswith("http"):
                cards.append(
                    Card(
                        url=link,
                        name=text(dig(item, "title")),
                        money=price(
                            {"price": dig(item, "price"), "priceCurrency": dig(item, "currency_id")}
                        ),
                        image=text(dig(item, "thumbnail")),
                    )
                )
        total = dig(answer, "paging", "total")
        return Results(tuple(cards), total if isinstance(total, int) else None)

    def read_listing(self, answer: Any) -> Facts:
        """An item; who sells it is a number here, the name is at `users/{id}`."""
        images = (
            dig(one, "secure_url") or dig(one, "url") for one in listed(dig(answer, "pictures"))
        )
        status = dig(answer, "status")
        nickname = text(dig(answer, "seller", "nickname"))
        attributes = pairs(dig(answer, "attributes"), "name", "value_name")
        return Facts(
            name=text(dig(answer, "title")),
            money=price(
                {"price": dig(answer, "price"), "priceCurrency": dig(answer, "currency_id")}
            ),
            availability=None
            if status is None
            else "InStock"
            if status == "active"
            else "OutOfStock",
            images=tuple(image for image in images if isinstance(image, str)),
            seller=seller(dig(answer, "seller", "id") or dig(answer, "seller_id"), nickname),
            brand=next((v for k, v in attributes if k.casefold() in ("marca", "brand")), None),
            condition=text(dig(answer, "condition")),
            ships_from=text(dig(answer, "seller_address", "country", "name")),
            attributes=attributes,
        )


def amount_in(box: Any, page: Reading) -> Money | None:
    """A price whose sign, whole and cents stand in elements of their own."""
    whole = box.css(
        ".andes-money-amount:not(.andes-money-amount--previous) .andes-money-amount__fraction, "
        ".price-tag-fraction, .price__fraction"
    )[:1]
    if not whole:
        return read_shown(visible_text(box), page.home)
    sign = box.css(
        ".andes-money-amount__currency-symbol::text, .price-tag-symbol::text, .price__symbol::text"
    ).get("$")
    cents = box.css(
        ".andes-money-amount__cents::text, .price-tag-cents::text, .price__decimals::text"
    ).get("")
    digits = re.sub(r"\D", "", visible_text(whole[0]) or "")
    code = currency_of(sign, page.home) or page.home.currency
    if not digits or code is None:
        return None
    part = re.sub(r"\D", "", cents)[:2]
    return price({"price": f"{digits}.{part}" if part else digits, "priceCurrency": code})


DEFINITION = Definition(
    kind="mercadolibre",
    title="Mercado Libre",
    search="/{query}",
    further="/{query}_Desde_{first}_NoIndex_True",
    page_size=50,
    slug=dashes,
    search_in_browser=False,
    listing_path=_ITEM,
    folding=("-", ""),
    list_page=MercadoListPage,
    listing_page=MercadoListingPage,
    seller_page=MercadoSellerPage,
    hosts=re.compile(
        r"(?:[a-z]+\.)?(?:mercadoli[bv]re|mlstatic)\.(?:com|cl|co\.cr)(?:\.[a-z]{2})?"
    ),
    interfaces=("pages", "api"),
    api=ItemsApi(),
    tested=Tested(date(2026, 11, 25), (2025,)),
)
