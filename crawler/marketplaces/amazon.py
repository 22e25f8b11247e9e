"""Amazon by its pages, of the layouts since about 2015. There is no open interface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from crawler.marketplaces import homes
from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import named_seller, query, seller
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ASIN = re.compile(
    r"/(?:dp|gp/product|gp/aw/d|gp/offer-listing|exec/obidos/ASIN)/(?P<id>[A-Z0-9]{10})(?![A-Z0-9])"
)
#: The item's own price, newest layout first. Never just any price: carousels come before it.
_PRICES = (
    "#corePriceDisplay_desktop_feature_div .priceToPay",
    "#corePriceDisplay_mobile_feature_div .priceToPay",
    "#corePrice_desktop .apexPriceToPay, #corePrice_desktop .priceToPay",
    "#apex_desktop .apexPriceToPay, #apex_desktop .priceToPay",
    "#corePrice_feature_div .a-price",
    "#apex_desktop .a-price:not(.a-text-price)",
    "#corePriceDisplay_desktop_feature_div .a-price:not(.a-text-price)",
    "#tp_price_block_total_price_ww",
    "#usedAccordionRow .a-price",
    "#priceblock_dealprice",
    "#priceblock_saleprice",
    "#priceblock_ourprice",
    "#priceblock_pospromoprice",
    "#price_inside_buybox",
    "#newBuyBoxPrice",
    "#kindle-price",
    "#digital-list-price",
    "#buyNewSection .offer-price, #buyNewSection .a-color-price",
    "#mediaNoAccordion .header-price, #unqualifiedBuyBox .a-color-price",
    "#actualPriceValue",
    "#buyingPriceValue",
    "#soldByThirdParty .a-color-price",
    "#tmmSwatches .swatchElement.selected .a-color-base, #tmmSwatches .selected .slot-price",
    "#buybox .a-price:not(.a-text-price), #buybox .a-color-price",
    "#olp-upd-new .a-color-price, #olp_feature_div .a-color-price, "
    "#olp-upd-new-used .a-color-price",
    "#availability .a-color-price",
    "#usedBuySection .offer-price",
)
_MERCHANT = re.compile(
    r"(?:sold|dispatched from and sold) by:?\s+(?P<en>.{1,80}?)"
    r"(?:\s+(?:and|in|price set|returns?|ships?|fulfilled|this)\s|\.\s|\.$|$)"
    r"|(?:verkauf und versand|verkauft?) durch\s+(?P<de>.{1,80}?)(?:\s+und\s|\.\s|\.$|$)"
    r"|vendu par\s+(?P<fr>.{1,80}?)(?:\s+et\s|\.\s|\.$|$)"
    r"|vendido (?:y enviado )?por\s+(?P<es>.{1,80}?)(?:\s+y\s|\.\s|\.$|$)"
    r"|venduto (?:e spedito )?da\s+(?P<it>.{1,80}?)(?:\s+e\s|\.\s|\.$|$)"
    r"|(?:は、|は)\s*(?P<ja>.{1,80}?)\s*が販売",
    re.IGNORECASE,
)
_SOLD_BY = (
    "Sold by", "Verkäufer", "Verkauf durch", "Vendu par", "Vendeur", "Vendido por", "Vendedor",
    "Venditore", "Venduto da", "Verkocht door", "Verkoper", "販売元", "出品者", "Säljs av",
    "Sprzedawca", "Satıcı", "البائع",
)  # fmt: skip
_BYLINE = re.compile(
    r"^(?:visit the|brand:?|marke:?|besuche den|marque\s?:|visiter la boutique"
    r"|visita (?:la tienda de|lo store di)"
    r"|marca:|merk:|bezoek de|ブランド[:：]|by)\s*(?P<a>.+?)(?:\s*-?\s*(?:store|shop|-winkel))?$"
    r"|^(?P<b>.+?)(?:のストアを表示|\s+store)$",
    re.IGNORECASE,
)
_HIRES = re.compile(r"[\"'](?:hiRes|large)[\"']\s?:\s?\"(https?://[^\"\s]{1,300})\"")


class AmazonListingPage(SitePage):
    """A product's page with the offer in its buy box."""

    CURRENCY = "USD"

    def own(self) -> Facts:
        """Buy box, title block, picture block."""
        return Facts(
            name=self.first_text(
                "span#productTitle, h1#productTitle, div#productTitle",
                "#ebooksProductTitle",
                "#btAsinTitle",
                "#title h1, h1#title, #titleSection h1",
                "#item_name",
                "#gc-asin-title",
            ),
            money=self._money(),
            availability=self._availability(),
            images=tuple(self._pictures()),
            seller=self._seller(),
            brand=self._brand(),
            description=self.first_text(
                "#feature-bullets", "#productDescription", "#bookDescription_feature_div"
            ),
            attributes=self._details(),
        )

    def _money(self) -> Money | None:
        for selector in _PRICES:
            for element in self.css(selector)[:6]:
                money = a_price(element, self)
                if money is not None and money.amount > 0:
                    return money
        amount = self.css("#twister-plus-price-data-price::attr(value)").get()
        unit = self.css("#twister-plus-price-data-price-unit::attr(value)").get()
        if not amount:
            amount = self.css("[data-asin-price]::attr(data-asin-price)").get()
            unit = self.css("[data-asin-currency-code]::attr(data-asin-currency-code)").get()
        code = homes.currency_of(unit, self.home) if unit else self.home.currency
        return self.priced(amount, code or "USD") if amount else None

    def _availability(self) -> str | None:
        if self.css("#outOfStock, #outOfStockBuyBox_feature_div #outOfStock"):
            return "OutOfStock"
        said = self.first_text(
            "#availability > span", "#availability", "#availabilityInsideBuyBox_feature_div"
        )
        if said:
            return availability_of(said[:300])
        return "InStock" if self.css("[id^='add-to-cart-button'], #buy-now-button") else None

    def _seller(self) -> SellerRef | None:
        for link in self.css(
            "#sellerProfileTriggerId, #merchant-info a[href*='seller='], "
            "#tabular-buybox a[href*='seller='], #shipsFromSoldBy_feature_div a[href*='seller=']"
        )[:5]:
            name = visible_text(link)
            if name:
                href = link.attrib.get("href", "")
                return seller(query(href, "seller"), name, self.link(href))
        shown = self.first_text(
            "[offer-display-feature-name='desktop-merchant-info'] "
            ".offer-display-feature-text-message",
            "[offer-display-feature-name='desktop-merchant-info'].offer-display-feature-text",
            "#merchantInfoFeature_feature_div .offer-display-feature-text",
            *(
                f"#tabular-buybox .tabular-buybox-text[tabular-attribute-name='{label}']"
                for label in _SOLD_BY
            ),
            "#tabular-buybox .tabular-buybox-container .tabular-buybox-text:nth-child(4)",
        )
        if shown:
            return named_seller(shown[:100])
        words = self.first_text(
            "#merchant-info",
            "#shipsFromSoldByInsideBuyBox_feature_div",
            "#pantryBuyBox #merchant-info",
            "#soldByThirdParty, #digitalSoldBy, [id*='soldBy'], [id*='sold-by']",
            "#buybox, #buyBox, #rightCol",
        )
        match = _MERCHANT.search(words or "")
        if match:
            return named_seller(next(filter(None, match.groups()), "")[:100])
        short = words if words and len(words) < 300 else ""
        amazon = re.search(r"Amazon(?:\.[a-z.]{2,6})?", short)
        return named_seller(amazon[0].rstrip(".")) if amazon else None

    def _brand(self) -> str | None:
        line = self.first_text(
            "#bylineInfo:not(.author)", "#brand", "#bylineInfo_feature_div a#bylineInfo"
        )
        match = _BYLINE.search(line or "")
        if match:
            return match["a"] or match["b"]
        return line if line and len(line) <= 60 and not self.css("#bylineInfo .author") else None

    def _pictures(self) -> Iterator[str]:
        main = (
            "#landingImage, #imgBlkFront, #ebooksImgBlkFront, #main-image, "
            "#prodImage, #imgTagWrapperId img, #main-image-container img"
        )
        for image in self.css(main)[:3]:
            if image.attrib.get("data-old-hires"):
                yield image.attrib["data-old-hires"]
            try:
                sizes = json.loads(image.attrib.get("data-a-dynamic-image") or "{}")
                ranked = sorted(sizes, key=lambda url: -int(sizes[url][0]) * int(sizes[url][1]))
                yield from ranked[:1] if not image.attrib.get("data-old-hires") else ()
            except (ValueError, TypeError, LookupError, AttributeError):
                pass
            source = image.attrib.get("src", "").strip()
            if source.startswith("http") and not image.attrib.get("data-a-dynamic-image"):
                yield source
        at = self.html.find("'colorImages'")
        if at >= 0:
            block = self.html[at : at + 60_000]
            end = block.find("'colorToAsin'")
            yield from _HIRES.findall(block[: end if end > 0 else None])

    def _details(self) -> tuple[tuple[str, str], ...]:
        found = self.table(
            "#productOverview_feature_div tr, #poExpander tr", "td:first-child", "td:last-child"
        )
        found += self.table(
            "[id^=productDetails_] tr, #prodDetails tr, #technicalSpecifications_section_1 tr",
            "th, td.label",
            "td:not(.label)",
        )
        found += self.table(
            "#detailBullets_feature_div li", ".a-text-bold", ".a-list-item > span:last-child"
        )
        return found[:60]


class AmazonListPage(CardsPage):
    """Search results."""

    CURRENCY = "USD"
    NEXT = (
        "a.s-pagination-next::attr(href), .a-pagination .a-last a::attr(href), "
        "a#pagnNextLink::attr(href)"
    )
    EMPTY = ".s-no-outline ~ .s-no-results-result, [data-cel-widget*='no-results'], #noResultsTitle"

    def own_cards(self) -> Iterable[Card]:
        """Result by result; boxes with recommendations are none."""
        # Around the results stand boxes of the same make that were not searched for.
        found = self.css("[data-component-type='s-search-result']")
        older = "li.s-result-item[data-asin], div.s-result-item[data-asin]"
        for element in found or self.css(older):
            asin = element.attrib.get("data-asin", "")
            title = element.css("h2")[:1]
            if not re.fullmatch(r"[A-Z0-9]{10}", asin) or not title:
                continue
            prices = element.css(".a-price:not(.a-text-price), .s-price, .a-color-price")[:3]
            money = next((m for p in prices if (m := a_price(p, self))), None)
            link = self.link(f"/dp/{asin}")
            if link:
                yield Card(
                    url=link,
                    name=visible_text(title[0]),
                    money=money,
                    image=self.link(
                        element.css("img.s-image::attr(src), img.s-access-image::attr(src)").get()
                    ),
                    sponsored=self.is_sponsored(
                        element,
                        ".puis-sponsored-label-text, .s-sponsored-label-text, "
                        "[data-component-type=sp-sponsored-result], .s-sponsored-header",
                    )
                    or "AdHolder" in element.attrib.get("class", ""),
                )


class AmazonSellerPage(ShopPage):
    """A seller's profile."""

    NAMES = ("#seller-name", "#sellerName", "h1#sellerName-rd", "h1")
    RATINGS = (
        "#seller-info-feedback-summary .feedback-detail-description",
        "#effective-timeperiod-rating-year-description",
    )


def a_price(element: Any, page: SitePage | CardsPage) -> Money | None:
    """A price as Amazon draws it: one text for readers aloud, or sign, whole and fraction."""
    for text in element.css(".a-offscreen::text").getall()[:3]:
        money = homes.read_shown(text, page.home)
        if money is not None:
            return money
    whole = element.css(".a-price-whole")[:1]
    if whole:
        sign = element.css(".a-price-symbol::text").get("")
        digits = "".join(whole[0].css("::text").getall()).strip().rstrip(".,٫")
        part = (element.css(".a-price-fraction::text").get() or "00").strip()
        bare = re.sub(r"[.,\s]", "", digits)
        if bare.isdigit() and part.isdigit():
            code = homes.currency_of(sign, page.home) or page.home.currency or "USD"
            return homes.read_shown(f"{bare}.{part[:2]}", page.home, code)
    text = visible_text(element)
    # ``$ 12 99``: the cents stand apart, above the line.
    text = re.sub(r"(?<=\d) (\d\d)$", r".\1", text) if text else None
    return homes.read_shown(text, page.home)


DEFINITION = Definition(
    kind="amazon",
    title="Amazon",
    search="/s?k={query}",
    further="/s?k={query}&page={page}",
    slug=plus,
    search_in_browser=False,
    listing_path=_ASIN,
    list_page=AmazonListPage,
    listing_page=AmazonListingPage,
    seller_page=AmazonSellerPage,
    hosts=re.compile(r"(?:www\.|smile\.|m\.)?amazon\.(?:[a-z]{2,3}|co\.[a-z]{2}|com\.[a-z]{2})"),
    tested=Tested(date(2026, 11, 25), (2023, 2025)),
)
