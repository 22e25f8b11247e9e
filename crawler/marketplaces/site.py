"""Page objects of shops of the open web, which ask several sources of a page in turn.

A marketplace's class says in `own` what its markup and its state mean; where that leaves a
field open, structured data and Open Graph are asked. What a page shows goes before what it
claims in its data: several shops' data name the shop as brand, or another variant's price.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

from web_poet import field
from zyte_common_items import AdditionalProperty, Brand, Image

from crawler.marketplaces import homes, structured
from crawler.marketplaces.embedded import dig
from crawler.marketplaces.facts import Card, Facts, SellerFacts, SellerRef
from crawler.marketplaces.homes import Home
from crawler.marketplaces.pages import (
    MAX_ID,
    MAX_IMAGES,
    MAX_TEXT,
    AsHtml,
    ListingPage,
    ListPage,
    SellerPage,
    absolute,
    as_date,
    as_number,
    clean,
)
from crawler.marketplaces.walls import Wall, find_wall
from registry.money import Money

MAX_CARDS = 400
MAX_TEXTS = 200

_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{1,20})", re.IGNORECASE)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
#: What is written beside something paid for; some write it backwards, or with blanks inside.
_SPONSORED = re.compile(
    r"\b(?:sponsored|promoted|anzeige|gesponsert|sponsoris[ée]e?|patrocinad[oa]|promocionado"
    r"|sponsorizzato|gesponsord|reklam|promovido)\b|広告|スポンサー|プロモーション|赞助|广告|реклама",
    re.IGNORECASE,
)  # fmt: skip


class Reading(AsHtml):
    """Ways to read a page, shared by all page objects of the open web."""

    #: The currency meant by a sign that several countries share, where the host does not tell.
    CURRENCY: ClassVar[str | None] = None

    @property
    def html(self) -> str:
        """The page as text. Saved pages, and some servers, say GBK of what is UTF-8."""
        return self._html

    @cached_property
    def _html(self) -> str:
        body = bytes(self.response.body)
        declared = _DECLARED.search(body[:8192])
        if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
            try:
                return body.decode()
            except UnicodeDecodeError:
                pass
        return self.response.text

    @cached_property
    def data(self) -> Any:
        """The body as JSON, None if it is none: an interface's answer, not a page."""
        text = self.html.lstrip("\ufeff \r\n\t")
        if text[:1] not in ("{", "["):
            return None
        try:
            return json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return None

    @cached_property
    def home(self) -> Home:
        """Where the shop is at home."""
        language = self.css("html::attr(lang)").get()
        return homes.home_of(self.address, language, self.CURRENCY)

    @cached_property
    def address(self) -> str:
        """The address of the page, by the page itself where it was saved to a disk."""
        url = str(self.response.url)
        if urlsplit(url).scheme in ("http", "https"):
            return url
        said = self.css("link[rel=canonical]::attr(href), meta[property='og:url']::attr(content)")
        return next((link for link in said.getall() if link.startswith("http")), url)

    def text_of(self, selector: str, without: str = "") -> str | None:
        """The text of the first element that has any, without scripts and what is named."""
        for element in self.css(selector)[:20]:
            text = visible_text(element, without)
            if text:
                return text
        return None

    def first_text(self, *selectors: str, without: str = "") -> str | None:
        """The text by the first selector that finds any."""
        for selector in selectors:
            if "::" in selector:
                text = next((t for s in self.css(selector).getall()[:20] if (t := clean(s))), None)
            else:
                text = self.text_of(selector, without)
            if text:
                return text
        return None

    def shown(self, *selectors: str, currency: str | None = None) -> Money | None:
        """The price by the first selector whose element shows one."""
        for selector in selectors:
            found = self.css(selector)[:20]
            texts = found.getall() if "::" in selector else map(visible_text, found)
            for text in texts:
                money = homes.read_shown(text, self.home, currency)
                if money is not None and money.amount > 0:
                    return money
        return None

    def table(self, rows: str, name: str, value: str) -> tuple[tuple[str, str], ...]:
        """Attributes out of a table."""
        found = []
        for row in self.css(rows)[:MAX_TEXTS]:
            names, values = row.css(name)[:1], row.css(value)[:1]
            key = visible_text(names[0]) if names else None
            text = visible_text(values[0]) if values else None
            if key and text:
                found.append((re.sub(r"[\s:：]+$", "", key)[:100], text[:500]))
        return tuple(found[:60])

    def wall(self) -> Wall | None:
        """The wall that stands in the place of the page, None if there is none.

        Only to be asked where nothing was read.
        """
        if self.data is not None:
            return None
        return find_wall(self.html, str(self.response.url), self.response.status)

    def link(self, href: Any) -> str | None:
        """An absolute http address, None for anything else."""
        if not isinstance(href, str) or not (text := clean(href)):
            return None
        found = absolute(self, text)
        return found if found and found.startswith(("http://", "https://")) else None


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
        said = {
            key: content
            for meta in reversed(self.css("meta[property][content], meta[name][content]")[:300])
            if (key := (meta.attrib.get("property") or meta.attrib.get("name") or "").lower())
            if (content := clean(meta.attrib["content"]))
        }
        amount = said.get("product:price:amount") or said.get("og:price:amount")
        currency = said.get("product:price:currency") or said.get("og:price:currency")
        title = said.get("og:title") or said.get("twitter:title")
        image = said.get("og:image:secure_url") or said.get("og:image") or said.get("twitter:image")
        is_product = amount or "product" in said.get("og:type", "")
        return Facts(
            name=without_shop(title, said.get("og:site_name")) if is_product else None,
            money=self.priced(amount, currency),
            availability=structured.availability(
                said.get("product:availability") or said.get("og:availability")
            ),
            images=(image,) if image else (),
            brand=said.get("product:brand") or said.get("og:brand"),
            condition=said.get("product:condition"),
            description=said.get("og:description"),
        )

    def priced(self, amount: Any, currency: Any) -> Money | None:
        """A price out of data; zero is what shops write where they have none."""
        code = currency if isinstance(currency, str) else self.home.currency or ""
        plain = structured.price({"price": amount, "priceCurrency": code})
        money = plain or homes.read_shown(
            str(amount) if isinstance(amount, str | int | float) else None, self.home, code or None
        )
        return money if money is not None and money.amount > 0 else None

    def _of_product(self, found: list[Any]) -> Facts:
        node = structured.main_product(found, self.address)
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
        seller = text(structured.name_of(offer.get("seller") or offer.get("offeredBy")))
        return Facts(
            name=text(node.get("name")),
            money=money,
            availability=structured.availability(offer.get("availability")),
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
        word = re.split(r"[/#]", word)[-1].removesuffix("Condition").casefold()[:64]
        for known, pattern in _CONDITIONS.items():
            if pattern.match(word):
                return known
        return word or None

    def ships_from(self) -> str | None:
        """Where it is sent from."""
        return clean(self.facts.ships_from)

    def _attributes(self) -> list[tuple[str, str]]:
        return list(self.facts.attributes)


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


_CONDITIONS = {
    "new": re.compile(
        r"(?:brand )?new\b|neu\b|neuf|nuev[oa]\b|nuovo|novo\b|nieuw|全新|新品|новое|未使用"
    ),
    "used": re.compile(
        r"used\b|pre-?owned|gebraucht|sehr gut|d'occasion|occasion|usad[oa]\b|usato"
        r"|tweedehands|二手|中古"
    ),
    "refurbished": re.compile(
        r"(?:certified |seller )?refurbished|general(?:über)?holt|reconditionn"
    ),
}


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
        r"|見つかりませんでした|ничего не найден",
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


def visible_text(element: Any, without: str = "") -> str | None:
    """The text of an element, without scripts, styles, and elements of a class.

    It is walked and not searched for: a page may be nested ten thousand deep.
    """
    pieces: list[str] = []
    length = 0
    waiting: list[Any] = [element.root]
    while waiting and length <= MAX_TEXT:
        node = waiting.pop()
        if isinstance(node, str):
            if not node.isspace():
                pieces.append(node)
                length += len(node)
            continue
        # The tag of a comment is a function.
        if not isinstance(node.tag, str) or node.tag in _SKIPPED:
            continue
        if without and without in node.get("class", "").split():
            continue
        for child in reversed(node):
            waiting += [child.tail, child] if child.tail else [child]
        if node.text:
            waiting.append(node.text)
    return clean(_INVISIBLE.sub("", " ".join(pieces)))


def says_sponsored(words: str) -> bool:
    """Whether a text says that a place was paid for, also backwards or spread out."""
    plain = _INVISIBLE.sub("", words)
    if _SPONSORED.search(plain) or _SPONSORED.search(plain[::-1]):
        return True
    return bool(re.search(r"\bs\s?p\s?o\s?n\s?s\s?o\s?r\s?e\s?d\b", plain, re.IGNORECASE))


def text(said: Any) -> str | None:
    """Clean text out of data, where anything may stand."""
    return clean(structured.text(said))


def named_seller(name: str | None) -> SellerRef | None:
    """A seller of whom only the name is known."""
    name = clean(name)
    return SellerRef(f"name:{name}"[:MAX_ID], name, None) if name else None


def seller(id_: Any, name: Any, url: str | None = None) -> SellerRef | None:
    """A seller by the marketplace's own id, by the name where there is none."""
    known = clean(str(id_)) if isinstance(id_, str | int) and not isinstance(id_, bool) else None
    called = (
        clean(str(name)) if isinstance(name, str | int) and not isinstance(name, bool) else None
    )
    if known is None:
        found = named_seller(called)
        return SellerRef(found.id, found.name, url) if found else None
    return SellerRef(known[:MAX_ID], called, url)


def without_shop(title: str | None, shop: str | None) -> str | None:
    """A preview's title without what shops put around it: the price, their own name."""
    title = re.sub(r"^\S{0,6}\s?[\d.,]+\S{0,4}\s+\d+% ?OFF ?\|", "", title or "")
    if shop:
        title = re.sub(rf"\s*[-|–—·:]\s*{re.escape(shop)}\s*$", "", title, flags=re.IGNORECASE)
    return clean(title)


def query(url: str, name: str) -> str | None:
    """A parameter of an address."""
    try:
        return parse_qs(urlsplit(url).query).get(name, [None])[0]
    except ValueError:
        return None


def strings(value: Any) -> tuple[str, ...]:
    """The texts in a list out of data."""
    return tuple(one for one in structured.listed(value) if isinstance(one, str))


def pairs(value: Any, name: str, said: str) -> tuple[tuple[str, str], ...]:
    """Attributes out of data: a list of objects with a name and a value each."""
    found = []
    for one in structured.listed(value)[:MAX_TEXTS]:
        key, words = text(dig(one, name)), text(dig(one, said))
        if key and words:
            found.append((key[:100], words[:500]))
    return tuple(found[:60])


_SKIPPED = frozenset(("script", "style", "noscript", "template"))

#: What says that there is none to be had.
_NONE_LEFT = re.compile(
    r"out\W?of\W?stock|sold\W?out|unavailable|not available|discontinued|no longer"
    r"|nicht (?:mehr )?(?:verfügbar|auf lager)|ausverkauft|nicht lieferbar|rupture"
    r"|épuisé|indisponible"
    r"|hors stock|agotado|no disponible|sin stock|esgotado|indisponível|esaurito|non disponibile"
    r"|uitverkocht|niet beschikbaar|brak|нет в наличии|распродано|stokta yok|tükendi|hết hàng|habis"
    r"|無貨|缺货|售罄|已售|下架|売り切れ|在庫切れ|品切れ|現在お取り扱い",
    re.IGNORECASE,
)


def availability_of(words: str | None) -> str | None:
    """What a page's words on its stock mean; None where it has none."""
    if not words:
        return None
    return "OutOfStock" if _NONE_LEFT.search(words) else "InStock"
