"""Any shop with structured data; the base of the kinds that share a platform."""

from __future__ import annotations

import re
from datetime import date
from typing import ClassVar

from crawler.marketplaces import structured
from crawler.marketplaces.definition import Definition, Tested, plus
from crawler.marketplaces.facts import Facts, SellerRef
from crawler.marketplaces.reader import is_aside
from crawler.marketplaces.shop_lists import ShopListPage
from crawler.marketplaces.shop_names import shop_name
from crawler.marketplaces.shop_state import product_in_state
from crawler.marketplaces.site import ShopPage, SitePage
from crawler.marketplaces.values import named_seller, text
from crawler.marketplaces.words import availability_of, visible_text, without_shop
from registry.money import Money

#: Markup that most themes share; the first that shows a price is believed.
_PRICES = (
    "[itemprop='price'][content]::attr(content)",
    "[itemprop='price']",
    ".product-info-main [data-price-type='finalPrice'] .price",
    ".summary .price ins .amount, .summary p.price > .amount, .summary .price .amount",
    ".product__price .price-item--sale, .product__price .price__current, .product-price--sale",
    ".current-price-value, .current-price [content], .current-price",
    "#our_price_display",
    "[class*='product'][class*='price'] ins, .product-price, .product__price, .price--main",
    ".now_price, .now-price, .price-now, .sale-price, .special-price, .price-sale, .offer-price",
    ".price ins, .price .sale, .price .current, .price .special",
    "#product-price, #productPrice, #price, .productprice, .item-price, .item_price, .pd-price",
)
#: Any price: not one that was asked before, a unit's, a month's, or that of sending it.
_ANY_PRICE = "[class*='price'], [class*='Price'], [id*='price'], [id*='Price'], [class*='prix']"
_OTHER_PRICE = re.compile(
    r"old|was(?:[_-]|$)|before|compare|regular|strike|retail|rrp|msrp|list-?price|unit|month|saving"
    r"|save|discount|shipping|delivery|range|filter|slider|label|from-?price|installment",
    re.IGNORECASE,
)
_BUYABLE = (
    "[itemtype$='/Product'], form[action*='cart'], [name='add-to-cart'], [id*='add-to-cart'], "
    "[id*='addToCart'], [id*='AddToCart'], [class*='add-to-cart'], [class*='addtocart'], "
    "[class*='add_to_cart'], [class*='AddToCart'], [class*='buy-now']"
)
_PICTURES = (
    "[itemprop='image']",
    "#zoom, #image-main, #main-image img, #mainImage, .product-image-main img, .main-image img",
    "[class*='gallery'] img, [class*='Gallery'] img",
    "[class*='product'][class*='image'] img, [class*='product'][class*='photo'] img, "
    "[class*='product-media'] img, [class*='product__media'] img, [class*='product-image']",
)


class ShopListingPage(SitePage):
    """A product's page in a shop that is its own seller, unless the data name another."""

    SOURCES = (
        "own",
        "from_json_ld",
        "from_microdata",
        "from_rdfa",
        "from_open_graph",
        "from_state",
        "from_markup",
    )
    #: Words of a body's id or class on pages that are no product's, and on those that are.
    RESULTS: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:^|\s)(?:category|search|catalog-category-view|catalogsearch-\S+|page-category"
        r"|page-search|tax-product_\S+|post-type-archive-product|template-collection"
        r"|template-search|search-results|woocommerce-shop|product-list(?:ing)?-page)(?:\s|$)",
        re.IGNORECASE,
    )
    PRODUCT: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:^|\s)(?:product|n_product|page-product|single-product|catalog-product-view"
        r"|template-product|product-template|product-page|product-detail|pdp)(?:\s|$|-)",
        re.IGNORECASE,
    )

    def about_product(self) -> bool | None:
        """Whether the page says that it is of one product, or of none; None if it is silent."""
        body = self.css("body")[:1]
        said = f"{body.attrib.get('id', '')} {body.attrib.get('class', '')}" if body else ""
        if self.RESULTS.search(said):
            return False
        if self.PRODUCT.search(said):
            return True
        if structured.is_list(data := structured.json_ld(self.html)):
            return False
        if structured.main_product(data, self.address):
            return True
        return True if "product" in self._metas.get("og:type", "") else None

    def shown(self, *selectors: str, currency: str | None = None) -> Money | None:
        """The price by the first selector that shows one, not that of a product beside."""
        for selector in selectors:
            plain, _, attribute = selector.partition("::attr(")
            if "," in plain and attribute:
                raise ValueError(f"{selector}: one attribute of one selector")
            for element in self.css(plain)[:20]:
                if is_aside(element):
                    continue
                words = element.attrib.get(attribute[:-1]) if attribute else visible_text(element)
                money = self._shown_in(words, currency)
                if money is not None:
                    return money
        return None

    def from_state(self) -> Facts:
        """The product in the state of a framework: what has a name and a price, outermost first."""
        return product_in_state(
            self.html,
            self.titles,
            lambda amount, code: self.priced(amount, code or self.home.currency),
        )

    def from_markup(self) -> Facts:
        """What nearly every theme has: a heading, a price beside it, words on the stock."""
        so_far = self._so_far
        heading = self.first_text("h1[itemprop='name']", "h1[class*='product']", "main h1", "h1")
        title = self._metas.get("og:title") or self.first_text("title")
        money = so_far.money or (
            self.shown(*_PRICES, currency=self.home.currency) or self._any_price()
        )
        for_sale = money or self.about_product() or self.css(_BUYABLE)
        return Facts(
            name=(heading or without_shop(title, shop_name(self))) if for_sale else None,
            money=money,
            availability=structured.availability(
                self.css("[itemprop='availability']::attr(href)").get()
                or self.css("[itemprop='availability']::attr(content)").get()
            )
            or availability_of(
                self.first_text(
                    "#product-availability",
                    ".product-availability",
                    ".stock",
                    "[itemprop='availability']",
                )
            ),
            images=self._pictures_shown() if for_sale and not so_far.images else (),
            attributes=self.table(
                "table.shop_attributes tr, table.data.additional-attributes tr, table tr",
                "th",
                "td",
            ),
        )

    def _any_price(self) -> Money | None:
        for element in self.css(_ANY_PRICE)[:80]:
            named = f"{element.attrib.get('class', '')} {element.attrib.get('id', '')}"
            words = visible_text(element)
            if not words or len(words) > 60 or _OTHER_PRICE.search(named) or is_aside(element):
                continue
            if element.root.tag in ("del", "s", "strike", "input", "label"):
                continue
            money = self._shown_in(words, None)
            if money is not None:
                return money
        return None

    def _pictures_shown(self) -> tuple[str, ...]:
        for selector in _PICTURES:
            found = [
                link
                for image in self.css(selector)[:24]
                if not is_aside(image)
                if (link := self.source_of(image))
            ]
            if found:
                return tuple(dict.fromkeys(found))[:12]
        return ()

    def seller(self) -> SellerRef | None:
        """The seller that the data name, else the shop itself."""
        said = self.facts.seller
        if not self.facts.name or self.data is not None:
            return said
        # A shop that names itself as the seller may do so by its slogan.
        if said is None or (said.name and (len(said.name) > 60 or said.name == self._site_name())):
            return named_seller(shop_name(self)) or said
        return said

    def _site_name(self) -> str | None:
        return text(self._metas.get("og:site_name"))


class ShopSellerPage(ShopPage):
    """A seller's page in a shop of several."""

    NAMES = ("[itemprop='name']", ".seller-name", ".vendor-name", ".store-name", "h1")
    COUNTRIES = ("[itemprop='addressCountry']", ".seller-country")
    RATINGS = ("[itemprop='ratingValue']::attr(content)", "[itemprop='ratingValue']", ".rating")
    DATES = ("time[datetime]::attr(datetime)",)


DEFINITION = Definition(
    kind="schema.org",
    title="Any shop with structured data",
    search="/search?q={query}",
    slug=plus,
    search_in_browser=False,
    listing_path=re.compile(r"^/(?P<id>[^?#]*[^/?#])/?$"),
    list_page=ShopListPage,
    listing_page=ShopListingPage,
    seller_page=ShopSellerPage,
    tested=Tested(date(2026, 11, 25), (2025,)),
)
