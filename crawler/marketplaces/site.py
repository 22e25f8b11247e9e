"""Page objects of shops of the open web, which ask several sources of a page in turn.

A marketplace's class says in `own` what its markup and its state mean; where that leaves a
field open, structured data and Open Graph are asked. What a page shows goes before what it
claims in its data: several shops' data name the shop as brand, or another variant's price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, Literal

from web_poet import field
from zyte_common_items import AdditionalProperty, Brand, Image

from crawler.marketplaces import homes, structured
from crawler.marketplaces.facts import Card, Facts, SellerFacts, SellerRef
from crawler.marketplaces.pages import (
    MAX_IMAGES,
    ListingPage,
    ListPage,
    SellerPage,
    as_date,
    as_number,
    clean,
)
from crawler.marketplaces.reader import Reading
from crawler.marketplaces.values import named_seller, text
from crawler.marketplaces.words import condition_of, says_sponsored, visible_text, without_shop
from registry.money import Money

MAX_CARDS = 400


class SitePage(Reading, ListingPage):
    """A listing, read from several sources in turn."""

    #: Methods that give `Facts`, in the order in which they are believed.
    SOURCES: ClassVar[tuple[str, ...]] = (
        "own",
        "from_json_ld",
        "from_microdata",
        "from_open_graph",
    )
    #: What `brand` says where it is the shop's own name.
    NO_BRANDS: ClassVar[frozenset[str]] = frozenset()
    #: Who sells where the page names nobody; empty where anybody may.
    SOLE_SELLER: ClassVar[str] = ""

    #: What the sources before the one that is asked have said.
    _so_far: Facts = Facts()

    def own(self) -> Facts:
        """What the marketplace's own markup and state say."""
        return Facts()

    def from_json_ld(self) -> Facts:
        """What JSON-LD says."""
        return self._of_product(structured.json_ld(self.html))

    def from_microdata(self) -> Facts:
        """What microdata say."""
        return self._of_product(structured.microdata(self.html, self.address))

    def from_rdfa(self) -> Facts:
        """What RDFa says."""
        return self._of_product(structured.rdfa(self.html, self.address))

    def from_open_graph(self) -> Facts:
        """What Open Graph and its kin say: made for previews, so believed last."""
        said = self._metas
        names = ("product:sale_price", "product:price", "og:price")
        amount, currency = next(
            (
                (said[f"{name}:amount"], said.get(f"{name}:currency"))
                for name in names
                if f"{name}:amount" in said
            ),
            (None, None),
        )
        # A page of results may hold the previews of all its products.
        if len(self._amounts) > 1 and "product:sale_price:amount" not in said:
            amount = currency = None
        title = said.get("og:title") or said.get("twitter:title")
        image = said.get("og:image:secure_url") or said.get("og:image") or said.get("twitter:image")
        is_product = amount or "product" in said.get("og:type", "")
        return Facts(
            name=without_shop(title, said.get("og:site_name")) if is_product else None,
            money=self.priced(amount, currency or said.get("product:price:currency"))
            or self._labelled_price(),
            availability=structured.availability(
                said.get("product:availability") or said.get("og:availability")
            ),
            images=(image,) if image else (),
            brand=said.get("product:brand") or said.get("og:brand"),
            condition=said.get("product:condition"),
            description=said.get("og:description"),
        )

    @cached_property
    def _all_metas(self) -> list[tuple[str, str]]:
        return [
            (name.strip().lower(), content)
            for meta in self.css("meta[property][content], meta[name][content]")[:300]
            if (name := meta.attrib.get("property") or meta.attrib.get("name"))
            if (content := clean(meta.attrib["content"]))
        ]

    @cached_property
    def _metas(self) -> dict[str, str]:
        """What the page's metas say, of each name the first."""
        return dict(reversed(self._all_metas))

    @cached_property
    def _amounts(self) -> frozenset[str]:
        return frozenset(c for n, c in self._all_metas if n == "product:price:amount")

    def _labelled_price(self) -> Money | None:
        """A preview card's ``twitter:data1`` under a label that says price."""
        for number in ("1", "2"):
            if _PRICE_WORD.fullmatch(self._metas.get(f"twitter:label{number}", "")):
                money = homes.read_shown(self._metas.get(f"twitter:data{number}"), self.home)
                if money is not None and money.amount > 0:
                    return money
        return None

    def priced(self, amount: Any, currency: Any) -> Money | None:
        """A price out of data; zero is what shops write where they have none."""
        code = currency if isinstance(currency, str) and currency else self.home.currency or ""
        code = homes.currency_of(code, self.home) or code
        plain = structured.price({"price": amount, "priceCurrency": code})
        money = plain or homes.read_shown(
            str(amount) if isinstance(amount, str | int | float) else None, self.home, code or None
        )
        return money if money is not None and money.amount > 0 else None

    def _of_product(self, found: list[Any]) -> Facts:
        node = structured.main_product(found, self.address, self.titles)
        if not node:
            return Facts()
        offer = structured.offer(node)
        money = structured.price(offer)
        if money is None or money.amount == 0:
            money = next(
                (
                    read
                    for name in ("price", "lowPrice")
                    if (read := self.priced(offer.get(name), offer.get("priceCurrency")))
                ),
                None,
            )
        high = self.priced(offer.get("highPrice"), offer.get("priceCurrency"))
        if money and high and high.currency == money.currency and high.amount > money.amount:
            self._ranges.setdefault(money, high)
        seller = text(structured.name_of(offer.get("seller") or offer.get("offeredBy")))
        return Facts(
            name=text(node.get("name")),
            money=money,
            availability=structured.in_stock(node)
            or structured.availability(offer.get("availability")),
            images=tuple(structured.links(node.get("image")))
            or tuple(structured.links(offer.get("image"))),
            seller=named_seller(seller),
            brand=text(structured.name_of(node.get("brand") or node.get("manufacturer"))),
            condition=text(offer.get("itemCondition") or node.get("itemCondition")),
            description=text(node.get("description")),
        )

    @cached_property
    def facts(self) -> Facts:
        """Everything that the page says, of each field what the first source says."""
        said = Facts()
        for name in self.SOURCES:
            if not (name in _SLOW and said.name and said.money and said.images):
                self._so_far = said
                said = Facts.of((said, self._source(name)))
        if said.brand and said.brand.casefold() in self.NO_BRANDS:
            return Facts.of((_without_brand(said), Facts()))
        return said

    def _source(self, name: str) -> Facts:
        facts = getattr(self, name)()
        assert isinstance(facts, Facts)
        return facts

    # The fields, in the words of zyte-common-items and of `ListingPage`

    @field
    def name(self) -> str | None:
        """The whole title."""
        return clean(self.facts.name)

    @field
    def description(self) -> str | None:
        """The seller's text."""
        return clean(self.facts.description)

    def money(self) -> Money | None:
        """The price that is asked, of a range the lowest."""
        return self.facts.money

    def money_to(self) -> Money | None:
        """The end of the range where the page asks for one; None where there is one price."""
        low = self.facts.money
        return self._ranges.get(low) if low else None

    def shown_money(self) -> Money | None:
        """The price in the page's own markup and state."""
        return self._source("own").money or self.facts.money

    @field
    def price(self) -> str | None:
        """The amount, as zyte-common-items writes it."""
        return str(self.facts.money.amount) if self.facts.money else None

    @field
    def currency(self) -> str | None:
        """ISO 4217."""
        return self.facts.money.currency if self.facts.money else None

    @field
    def availability(self) -> str | None:
        """``InStock``, ``OutOfStock``, ``PreOrder`` or ``BackOrder``."""
        return self.facts.availability

    @field
    def images(self) -> list[Image] | None:
        """Pictures, the main one first."""
        found = dict.fromkeys(self.link(link) for link in self.facts.images[: 4 * MAX_IMAGES])
        return [Image(url=url) for url in found if url][:MAX_IMAGES] or None

    @field
    def brand(self) -> Brand | None:
        """The brand that the listing claims."""
        said = self.facts.brand
        if not said:
            attributes = {k.casefold(): v for k, v in self.facts.attributes}
            said = next((attributes[k] for k in _BRAND_WORDS if k in attributes), None)
        text = clean(said)
        return Brand(name=text[:200]) if text else None

    @field
    def additionalProperties(self) -> list[AdditionalProperty] | None:
        """The table of attributes."""
        return [AdditionalProperty(name=k, value=v) for k, v in self.facts.attributes] or None

    def seller(self) -> SellerRef | None:
        """Who sells it."""
        said = self.facts.seller
        if said is None and self.facts.name:
            return named_seller(self.SOLE_SELLER)
        return said

    def condition(self) -> str | None:
        """``new``, ``used`` or what the page says."""
        word = clean(self.facts.condition)
        if not word:
            attributes = {k.casefold(): v for k, v in self.facts.attributes}
            word = next((attributes[k] for k in _CONDITION_WORDS if k in attributes), None)
        if not word:
            return None
        return condition_of(word)

    def ships_from(self) -> str | None:
        """Where it is sent from."""
        return clean(self.facts.ships_from)

    def _attributes(self) -> list[tuple[str, str]]:
        return list(self.facts.attributes)


_PRICE_WORD = re.compile(
    r"price|preis|prix|precio|preço|prezzo|prijs|cena|fiyat|价格|價格|価格|цена", re.IGNORECASE
)
#: Sources that take a tree of their own: not asked for a condition or a description only.
_SLOW = frozenset(("from_microdata", "from_rdfa", "from_state"))
_BRAND_WORDS = ("brand", "marke", "marque", "marca", "品牌", "ブランド", "brand name", "markenname")
_CONDITION_WORDS = (
    "condition",
    "zustand",
    "artikelzustand",
    "état",
    "condición",
    "商品の状態",
    "成色",
)


def _without_brand(facts: Facts) -> Facts:
    values = {name: getattr(facts, name) for name in Facts.__dataclass_fields__}
    return Facts(**{**values, "brand": None})


Outcome = Literal["listings", "empty", "captcha", "login", "blocked", "gone", "unread"]


class CardsPage(Reading, ListPage):
    """A page of results: its cards, what comes after, and what it is if there are none."""

    #: What says that the search has found nothing.
    EMPTY: ClassVar[str] = ""
    _EMPTY_WORDS: ClassVar[re.Pattern[str]] = re.compile(
        r"\b(?:no (?:exact )?(?:results|matches|items|products)\b|0 results|did not match any"
        r"|couldn't find any|keine (?:ergebnisse|treffer)|aucun (?:résultat|produit)"
        r"|no hay (?:resultados|publicaciones)|sin resultados|nenhum (?:resultado|anúncio)"
        r"|nessun risultato|geen resultaten)|没有找到|没找到|抱歉.{0,12}没有"
        r"|見つかりませんでした|商品がありません|該当する商品|検索結果(?:が|は)(?:ありません|0件)|未找到|暂无(?:商品|结果)"
        r"|ничего не найден|검색\s?결과가 없",
        re.IGNORECASE,
    )

    def own_cards(self) -> Iterable[Card]:
        """The cards: by the page's state where there is one, else by its markup."""
        return list(self._of_state()) or self._of_markup()

    def _of_state(self) -> Iterable[Card]:
        return ()

    def _of_markup(self) -> Iterable[Card]:
        return ()

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """The listings that the page shows, each once, in order."""
        found: dict[str, Card] = {}
        for card in self.own_cards():
            found.setdefault(card.url, card)
            if len(found) >= MAX_CARDS:
                break
        return tuple(found.values())

    def links(self) -> list[str]:
        """Addresses of listings, absolute, in order, each once."""
        return [card.url for card in self.cards]

    def next_page(self) -> str | None:
        """Address of the next page, None on the last one."""
        return self.link(self.css(self.NEXT).get()) if self.NEXT and self.cards else None

    def outcome(self) -> tuple[Outcome, str]:
        """What the page is, and why: listings, none found, a wall, or not understood.

        A page that is not understood has changed its layout, or is of another kind; it is
        not a search without results.
        """
        if self.cards:
            return "listings", f"{len(self.cards)} listings"
        if self.EMPTY and (said := self.first_text(self.EMPTY)):
            return "empty", said[:100]
        wall = self.wall()
        if wall is not None and wall.kind != "gone":
            return wall.kind, wall.why
        titles = " ".join(filter(None, map(visible_text, self.css("h1, h2, h3, title")[:40])))
        words = self._EMPTY_WORDS.search(titles) or self._EMPTY_WORDS.search(
            (visible_text(self.selector) or "")[:50_000]
        )
        if words:
            return "empty", f"it says {words[0]!r}"
        if wall is not None:
            return wall.kind, wall.why
        return "unread", "no listing and no word that there is none: the layout may have changed"

    def is_sponsored(self, element: Any, selector: str = "") -> bool:
        """Whether a card is marked as paid for."""
        if selector and element.css(selector):
            return True
        return says_sponsored(visible_text(element, without="") or "")


class ShopPage(Reading, SellerPage):
    """A seller's page, by selectors in order of trust."""

    NAMES: ClassVar[tuple[str, ...]] = ()
    COUNTRIES: ClassVar[tuple[str, ...]] = ()
    RATINGS: ClassVar[tuple[str, ...]] = ()
    DATES: ClassVar[tuple[str, ...]] = ()

    def facts(self) -> SellerFacts:
        """What it says; None for what it does not."""
        return SellerFacts(
            name=self.first_text(*self.NAMES),
            country=self.first_text(*self.COUNTRIES),
            rating=as_number(self.first_text(*self.RATINGS)),
            joined_on=as_date(self.first_text(*self.DATES)),
        )
