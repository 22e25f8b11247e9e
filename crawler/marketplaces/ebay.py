"""eBay: pages of the layouts since about 2015, and the Browse API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from crawler.marketplaces.api import Api, Results, address
from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.embedded import dig
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.structured import listed, price
from crawler.marketplaces.values import query, seller, text
from crawler.marketplaces.words import availability_of, says_sponsored, visible_text

_SIZE = re.compile(r"(?<=/s-l)\d{2,4}(?=\.)")
_SELLER = re.compile(r"/(?:usr|str|sch)/(?P<id>[^/?#]+)")
_ITEM = re.compile(r"/itm/(?:[^/?#]*/)?(?P<id>\d{9,15})(?:[/?#]|$)")
_MORE = re.compile(r"\s*\(?(?:\d[\d.,]*\s*(?:k|mil|tsd)?\)|\(\d.*$)", re.IGNORECASE)


class EbayListingPage(SitePage):
    """An item's page."""

    CURRENCY = "USD"

    def own(self) -> Facts:
        """Title, buy box, seller's card, pictures."""
        return Facts(
            name=self._title(),
            money=self.shown(
                ".x-price-primary",
                "#mm-saleDscPrc",
                "#prcIsum",
                "#prcIsum_bidPrice",
                ".x-bid-price .ux-textspans",
                ".vi-price .notranslate",
                ".display-price",
                "#binPriceDetails .notranslate",
                "[itemprop='price']",
            ),
            availability=self._availability(),
            images=tuple(dict.fromkeys(self._pictures())),
            seller=self._seller(),
            brand=self.first_text(
                ".ux-labels-values--brand .ux-labels-values__values", "h2[itemprop='brand'] span"
            ),
            condition=self.first_text(
                ".x-item-condition-text .ux-textspans", "#vi-itm-cond", "[itemprop='itemCondition']"
            ),
            ships_from=self._from(),
            attributes=self._specifics(),
        )

    def _title(self) -> str | None:
        return self.first_text(
            ".x-item-title__mainTitle",
            "h1.x-item-title",
            "h1[data-testid='x-item-title']",
            "h1.product-title",
        ) or self.first_text("#itemTitle", "h1.it-ttl", without="g-hdn")

    def _availability(self) -> str | None:
        ended = self.first_text(
            ".ux-layout-section__textual-display--statusMessage",
            ".d-statusmessage",
            "#w1-1-_msg, .msgTextAlign",
        )
        if ended and re.search(r"ended|sold|beendet|verkauft|termin|vendu|finaliz", ended, re.I):
            return "OutOfStock"
        words = self.first_text(".x-quantity__availability", "#qtySubTxt")
        return availability_of(words)

    def _seller(self) -> SellerRef | None:
        for link in self.css(
            ".x-sellercard-atf__info__about-seller a, .x-sellercard-atf a[href*='/usr/'], "
            ".x-sellercard-atf a[href*='/str/'], .ux-seller-section__item--seller a, #mbgLink, "
            ".mbg a[href*='/usr/'], .seller-persona a[href*='/usr/'], .si-content a[href*='/usr/']"
        )[:10]:
            href = link.attrib.get("href", "")
            name = visible_text(link)
            match = _SELLER.search(href)
            bare = _MORE.sub("", name or "").strip()
            if bare and not bare.isdigit():
                return seller(unquote(match["id"]) if match else None, bare, self.link(href))
        name = self.first_text(
            ".mbg-nw", ".x-sellercard-atf__info__about-seller .ux-textspans--BOLD"
        )
        return seller(name, name)

    def _from(self) -> str | None:
        shown = self.first_text(
            ".ux-labels-values--itemLocation .ux-labels-values__values",
            ".ux-labels-values--shipping .ux-textspans--SECONDARY",
            "#itemLocation",
            "[itemprop='availableAtOrFrom']",
        )
        return shown.split(":", 1)[-1].strip()[:200] if shown else None

    def _pictures(self) -> Iterator[str]:
        for image in self.css(
            ".ux-image-carousel-item img, .ux-image-carousel img, #icImg, #vi_main_img_fs img, "
            ".app-filmstrip__image img"
        )[:80]:
            said = image.attrib
            link = said.get("data-zoom-src") or said.get("data-src") or said.get("src") or ""
            if "ebayimg." in link:
                yield _SIZE.sub("1600", link)

    def _specifics(self) -> tuple[tuple[str, str], ...]:
        found = self.table(
            ".ux-layout-section-evo__col .ux-labels-values, "
            ".ux-layout-section--features .ux-labels-values",
            ".ux-labels-values__labels",
            ".ux-labels-values__values",
        )
        old = self.css(".itemAttr td.attrLabels")[:60]
        found += tuple(
            (name.rstrip(":"), value)
            for cell in old
            if (name := visible_text(cell))
            if (value := " ".join(cell.xpath("following-sibling::td[1]//text()").getall()).strip())
        )
        return found[:60]


class EbayListPage(CardsPage):
    """Search results."""

    CURRENCY = "USD"
    NEXT = (
        "a.pagination__next::attr(href), a[type='next']::attr(href), "
        "td.pagn-next a.next::attr(href)"
    )
    EMPTY = ".srp-save-null-search__heading, .srp-controls__count-heading--null"

    def own_cards(self) -> Iterable[Card]:
        """Result by result; the first of them is a sample that nobody sees."""
        for element in self.css(
            "li.s-item, li.s-card, li.lvresult, li.srp-result, div.s-item__wrapper"
        ):
            link = element.css(
                "a.s-item__link::attr(href), a.su-link::attr(href), a.s-card__link::attr(href), "
                "h3.lvtitle a::attr(href), a[href*='/itm/']::attr(href)"
            ).get()
            match = _ITEM.search(link or "")
            if match is None or match["id"] == "123456":
                continue
            name = element.css(".s-item__title, .s-card__title, .lvtitle, h3")[:1]
            prices = element.css(".s-item__price, .s-card__price, .lvprice, .amt")[:1]
            title = visible_text(name[0], "LIGHT_HIGHLIGHT") if name else None
            address_ = self.link(f"/itm/{match['id']}")
            image = element.css("img")[:1]
            source = (
                (image[0].attrib.get("data-src") or image[0].attrib.get("src")) if image else None
            )
            if address_:
                yield Card(
                    url=address_,
                    name=_CLIPPED.sub("", title) if title else None,
                    money=read_shown(visible_text(prices[0]) if prices else None, self.home),
                    image=self.link(source),
                    sponsored=self._is_paid(element),
                )

    def _is_paid(self, element: Any) -> bool:
        """Whether a card is an advertisement.

        Every card has the word, and style sheets with made-up names hide it in most: what is
        read out (``aria-labelledby``) tells which.
        """
        labels = element.css("[role='text'][aria-labelledby]::attr(aria-labelledby)").getall()
        if labels:
            return any(self._heard.get(name, False) for one in labels[:3] for name in one.split())
        return self.is_sponsored(element, ".s-item__ads, .s-card__sponsored")

    @cached_property
    def _heard(self) -> dict[str, bool]:
        """Names of elements with little in them, and whether they say that a place is paid for."""
        found = self.css("div[id^='s-'], span[id^='s-']")[:200]
        return {one.attrib["id"]: says_sponsored((visible_text(one) or "")[:60]) for one in found}


_CLIPPED = re.compile(
    r"^(?:new listing|neues angebot|nouvelle annonce|sponsored)\s+"
    r"|\s*(?:opens in a new window or tab|wird in neuem fenster oder tab geöffnet"
    r"|新しいウィンドウまたはタブに表示されます)\s*$",
    re.IGNORECASE,
)


class EbaySellerPage(ShopPage):
    """A seller's profile or shop."""

    NAMES = (
        ".str-seller-card__store-name",
        ".user-info .mbg-id",
        "h1.str-seller-card__store-name",
        "h1",
    )
    COUNTRIES = (".str-about-description__seller-info .str-text-span.BOLD", ".mem_loc")
    RATINGS = (".str-seller-card__stats-content div", ".perctg")


class Browse(Api):
    """eBay's Browse API (developer.ebay.com, `buy/browse/v1`)."""

    name = "eBay Browse API"
    variables = "TOUCHSTONE_EBAY"
    home = "https://api.ebay.com"
    page_size: ClassVar[int] = 200
    last_offset: ClassVar[int] = 9_800
    calls_a_day = 5_000
    token_path = "/identity/v1/oauth2/token"
    _PATH = "/buy/browse/v1"
    #: The listing has variants, and is to be asked for as a group of them.
    _IS_GROUP = 11006

    def headers(self, token: str, market: str) -> dict[str, str]:
        """A bearer token, and the country's marketplace."""
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "X-EBAY-C-MARKETPLACE-ID": f"EBAY_{market}",
        }

    def search_url(self, host: str, query: str, page: int, market: str) -> str:
        """`item_summary/search`."""
        return address(
            f"{host}{self._PATH}/item_summary/search",
            q=query,
            limit=self.page_size,
            offset=(page - 1) * self.page_size,
        )

    def listing_url(self, host: str, external_id: str) -> str:
        """`item/get_item_by_legacy_id`: by the number that stands in an item's address."""
        return address(f"{host}{self._PATH}/item/get_item_by_legacy_id", legacy_item_id=external_id)

    def instead(self, host: str, url: str, answer: Any) -> str | None:
        """`item/get_items_by_item_group`, for a listing with variants."""
        number = query(url, "legacy_item_id")
        codes = [dig(error, "errorId") for error in listed(dig(answer, "errors"))]
        if number is None or self._IS_GROUP not in codes:
            return None
        return address(f"{host}{self._PATH}/item/get_items_by_item_group", item_group_id=number)

    def read_search(self, answer: Any) -> Results:
        """`itemSummaries` of an answer."""
        cards = []
        for item in listed(dig(answer, "itemSummaries")):
            link = dig(item, "itemWebUrl")
            match = _ITEM.search(link) if isinstance(link, str) else None
            if match is None:
                continue
            cards.append(
                Card(
                    url=link.split("?")[0],
                    name=text(dig(item, "title")),
                    money=_money(dig(item, "price")),
                    image=text(dig(item, "image", "imageUrl")),
                    sponsored=dig(item, "priorityListing") is True,
                )
            )
        total = dig(answer, "total")
        return Results(tuple(cards), total if isinstance(total, int) else None)

    def read_listing(self, answer: Any) -> Facts:
        """An item, or the first of a group's."""
        variants = listed(dig(answer, "items"))
        if variants:
            words = text(dig(answer, "commonDescriptions", 0, "description"))
            return Facts.of((self.read_listing(variants[0]), Facts(description=words)))
        user = text(dig(answer, "seller", "username"))
        images = [dig(answer, "image", "imageUrl")]
        images += [dig(more, "imageUrl") for more in listed(dig(answer, "additionalImages"))]
        status = dig(answer, "estimatedAvailabilities", 0, "estimatedAvailabilityStatus")
        return Facts(
            name=text(dig(answer, "title")),
            money=_money(dig(answer, "price")),
            availability={
                "IN_STOCK": "InStock",
                "LIMITED_STOCK": "InStock",
                "OUT_OF_STOCK": "OutOfStock",
            }.get(str(status)),
            images=tuple(image for image in images if isinstance(image, str)),
            seller=seller(user, user, f"https://www.ebay.com/usr/{quote(user)}" if user else None),
            brand=text(dig(answer, "brand")),
            condition=text(dig(answer, "condition")),
            ships_from=text(dig(answer, "itemLocation", "country")),
            description=text(dig(answer, "description")),
            attributes=tuple(
                (key, words)
                for one in listed(dig(answer, "localizedAspects"))[:60]
                if (key := text(dig(one, "name"))) and (words := text(dig(one, "value")))
            ),
        )


def _money(node: Any) -> Any:
    return price({"price": dig(node, "value"), "priceCurrency": dig(node, "currency")})


DEFINITION = Definition(
    kind="ebay",
    title="eBay",
    search="/sch/i.html?_nkw={query}",
    further="/sch/i.html?_nkw={query}&_pgn={page}",
    slug=plus,
    search_in_browser=False,
    listing_path=_ITEM,
    list_page=EbayListPage,
    listing_page=EbayListingPage,
    seller_page=EbaySellerPage,
    hosts=re.compile(r"(?:[a-z]+\.)?ebay\.(?:[a-z]{2,3}|co\.[a-z]{2}|com\.[a-z]{2})"),
    interfaces=("pages", "api"),
    api=Browse(),
    tested=Tested(date(2026, 11, 25), (2016, 2025, 2026)),
)
