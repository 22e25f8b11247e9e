"""Taobao and Tmall by their pages, old (markup, ``g_config``, ``TShop.Setup``) and new (state)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from crawler.marketplaces.definition import Definition, Tested, percent
from crawler.marketplaces.embedded import assigned, dig, find, json_scripts, nodes, read_at
from crawler.marketplaces.facts import Card, Facts, SellerRef
from crawler.marketplaces.homes import read_shown
from crawler.marketplaces.site import CardsPage, ShopPage, SitePage
from crawler.marketplaces.values import seller, strings, text
from crawler.marketplaces.words import availability_of, visible_text
from registry.money import Money

_ITEM = re.compile(r"/item(?:_o)?\.htm\?(?:[^#]*&)?id=(?P<id>\d{6,17})|/i(?P<old>\d{9,15})\.htm")
_SIZE = re.compile(r"_\d{2,4}x\d{2,4}[^/]*$|_(?:sum|b|m|q\d+)\.jpg(?:_\.webp)?$")


class TaobaoListingPage(SitePage):
    """An item's page; prices in yuan unless it says otherwise."""

    CURRENCY = "CNY"
    SOURCES = ("own", "from_json_ld", "from_open_graph")

    @cached_property
    def state(self) -> Any:
        """The new layout's state, or the old one's ``TShop.Setup``."""
        for name in ("__ICE_APP_CONTEXT__", "window.__INITIAL_DATA__", "__INITIAL_STATE__"):
            for value in assigned(self.html, name, most=2):
                res = find(value, "res")
                if isinstance(res, dict):
                    return res
                if find(value, "priceVO") or find(value, "itemDO"):
                    return value
        at = self.html.find("TShop.Setup(")
        if at >= 0:
            start = self.html.find("{", at, at + 200)
            value = read_at(self.html, start) if start >= 0 else None
            if value is not None:
                return value
        return next((v for v in json_scripts(self.html) if find(v, "priceVO", "itemDO")), None)

    def own(self) -> Facts:
        """Markup where there is any, else the state."""
        state = self.state
        return Facts(
            name=self.first_text(
                ".tb-main-title",
                ".tb-detail-hd h1",
                "#J_DetailMeta h1",
                "[class*='ItemHeader--mainTitle'], [class*='ItemTitle--mainTitle'], "
                "[class*='mainTitle--']",
                "[class*='ItemHeader--root'] h1",
                "#J_Title h3",
                "h1[data-spm]",
            )
            or text(dig(state, "itemDO", "title"))
            or text(dig(state, "item", "title"))
            or self._config("title"),
            money=self._money(),
            availability=self._availability(),
            images=tuple(_SIZE.sub("", link) for link in self._pictures()),
            seller=self._seller(),
            brand=text(dig(state, "itemDO", "brand")),
            ships_from=self.first_text(
                "#J_WlAddressDis",
                "#J_deliveryAdd",
                "#J_AddressPlace",
                "[class*='deliveryFromAddr']",
            ),
            attributes=self._attributes_shown(),
        )

    def _money(self) -> Money | None:
        promoted = self.shown(
            "#J_PromoPriceNum",
            "#J_PromoPrice .tb-rmb-num",
            "#J_PromoPrice .tm-price",
            ".tm-promo-price .tm-price",
            "#J_PromoPrice .tm-promo-price",
            ".tm-promo-cur .tm-price",
            currency="CNY",
        )
        if promoted:
            return promoted
        vo = find(self.state, "priceVO")
        for path in (("extraPrice", "priceText"), ("price", "priceText")):
            money = read_shown(text(dig(vo, *path)), self.home, "CNY")
            if money:
                return money
        return (
            self.shown(
                "#J_StrPrice .tb-rmb-num",
                "#J_StrPrice",
                "#J_StrPriceModBox .tm-price",
                ".tm-price-panel .tm-price",
                "#J_PromoPrice strong",
                "[class*='Price--priceText'], "
                "[class*='highlightPrice--'] [class*='text--'], [class*='priceText--']",
                ".tb-rmb-num",
                ".tm-price",
                currency="CNY",
            )
            or self.priced(text(dig(self.state, "detail", "defaultItemPrice")), "CNY")
            or self.priced(dig(self.state, "itemDO", "reservePrice"), "CNY")
            or self.priced(self.css("input[name='current_price']::attr(value)").get(), "CNY")
        )

    def _availability(self) -> str | None:
        if self.css(".tb-key-off-sale, #J_Sold-out, .sold-out-tit, .tb-off-sale"):
            return "OutOfStock"
        stock = self.first_text("#J_SpanStock", "#J_EmStock")
        digits = re.search(r"\d+", stock or "")
        if digits:
            return "InStock" if int(digits[0]) else "OutOfStock"
        return availability_of(self.first_text("[class*='QuantityValue--'] span"))

    def _pictures(self) -> list[str]:
        found: list[str] = []
        for name in ("auctionImages",):
            for value in assigned(self.html, name, most=1):
                found += strings(value)
        found += strings(dig(self.state, "propertyPics", "default"))
        found += strings(dig(self.state, "item", "images"))
        found += self.css(
            "#J_ImgBooth::attr(src), #J_UlThumb img::attr(data-src), #J_UlThumb img::attr(src), "
            "[class*='PicGallery--mainPic']::attr(src), [class*='mainPic--']::attr(src), "
            "[class*='PicGallery--thumbnailPic']::attr(src)"
        ).getall()[:24]
        return [link for link in found if not link.startswith("data:")]

    def _seller(self) -> SellerRef | None:
        state = self.state
        nick = (
            self._config("sellerNick")
            or self.css("input[name='seller_nickname']::attr(value)").get()
            or text(dig(state, "itemDO", "sellerNickName"))
            or self.first_text(".tb-seller-name")
            or text(dig(state, "seller", "sellerNick"))
            or self._config("sellerNickName")
        )
        shop = (
            text(dig(state, "seller", "shopName"))
            or self.first_text(
                ".slogo-shopname",
                ".tb-shop-name",
                ".shop-name-link",
                "a.hd-shop-name",
                "[class*='ShopHeader--title'], [class*='shopName--'], "
                "[class*='ShopHeaderNew--shopName']",
                ".shop-intro .hd-shop-name a",
            )
            or self._config("shopName")
        )
        number = self._config("sellerId") or text(dig(state, "seller", "sellerId"))
        number = number or text(str(dig(state, "itemDO", "userId") or ""))
        link = self.css(
            "a.tb-seller-name::attr(href), a.slogo-shopname::attr(href), "
            ".tb-shop-name a::attr(href)"
        ).get()
        name = unquote(nick) if nick else shop
        return seller(number, name, self.link(link))

    def _config(self, name: str) -> str | None:
        """A text in ``g_config``, which is a script's object and no JSON."""
        match = re.search(
            rf"\b{name}[\"']?\s{{0,30}}:\s{{0,5}}(['\"])((?:(?!\1)[^\\\n]|\\.){{1,400}})\1",
            self.html,
        )
        if match is None:
            return None
        return text(re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), match[2]))

    def _attributes_shown(self) -> tuple[tuple[str, str], ...]:
        found = []
        for item in self.css("#J_AttrUL li, ul.attributes-list li")[:60]:
            key, _, value = (visible_text(item) or "").replace("：", ":").partition(":")
            if key and value.strip():
                found.append((key.strip()[:100], value.strip()[:500]))
        return tuple(found)


_BOX = (
    "ancestor-or-self::*[contains(concat(' ', @class, ' '), ' product ')"
    " or contains(concat(' ', @class, ' '), ' item ') or contains(@class, 'Card--')][1]"
)


class TaobaoListPage(CardsPage):
    """Search results: ``g_page_config`` of the old layout, markup of Tmall and of the new one."""

    CURRENCY = "CNY"
    NEXT = "a.ui-page-next::attr(href), .ui-page-next::attr(href), li.next a::attr(href)"
    EMPTY = ".m-itemlist .item-not-found, .searchTip, #J_NoResult"

    def _of_state(self) -> Iterable[Card]:
        for value in assigned(self.html, "g_page_config", most=1):
            for node in nodes(value):
                number, name = node.get("nid"), node.get("raw_title") or node.get("title")
                link = self._address(number)
                if link and isinstance(name, str) and node.get("view_price") is not None:
                    yield Card(
                        url=link,
                        name=text(name),
                        money=read_shown(str(node["view_price"]), self.home, "CNY"),
                        image=self.link(node.get("pic_url")),
                        sponsored=node.get("p4p") == 1
                        or "click.simba" in str(node.get("detail_url")),
                    )

    def _of_markup(self) -> Iterable[Card]:
        for link in self.css("a[href*='item.htm'], a[href*='item_o.htm']")[:800]:
            match = _ITEM.search(link.attrib.get("href", ""))
            address = self._address(match["id"]) if match else None
            if address is None:
                continue
            box = link.xpath(_BOX)[:1] or [link]
            title = box[0].css("[class*='title'] , [class*='Title']")[:1]
            shown = box[0].css(
                ".productPrice, .price, [class*='priceWrapper'], [class*='Price--']"
            )[:1]
            words = visible_text(shown[0]) if shown else None
            yield Card(
                url=address,
                name=link.attrib.get("title")
                or (visible_text(title[0]) if title else visible_text(link)),
                money=read_shown(re.sub(r"(?<=\d) (?=\.\d)", "", words or ""), self.home, "CNY"),
                image=self.link(box[0].css("img::attr(data-src), img::attr(src)").get()),
                sponsored=self.is_sponsored(box[0]),
            )

    def _address(self, number: Any) -> str | None:
        if not re.fullmatch(r"\d{6,17}", str(number)):
            return None
        tmall = "tmall" in self.address
        return f"https://{'detail.tmall' if tmall else 'item.taobao'}.com/item.htm?id={number}"


class TaobaoSellerPage(ShopPage):
    """A shop's page."""

    NAMES = (".shop-name", ".slogo-shopname", ".shop-title", "h1")
    RATINGS = (".shop-service-info-item .rateinfo em",)


_HOSTS = re.compile(r"(?:[\w-]+\.)*(?:taobao|tmall)\.(?:com|hk)(?:\.hk)?")

TAOBAO = Definition(
    kind="taobao",
    title="Taobao",
    search="https://s.taobao.com/search?q={query}",
    further="https://s.taobao.com/search?q={query}&s={skip}",
    page_size=44,
    slug=percent,
    search_in_browser=True,
    listing_path=_ITEM,
    list_page=TaobaoListPage,
    listing_page=TaobaoListingPage,
    seller_page=TaobaoSellerPage,
    hosts=_HOSTS,
    tested=Tested(date(2026, 11, 25), (2020,)),
)

TMALL = replace(
    TAOBAO,
    kind="tmall",
    title="Tmall",
    search="https://list.tmall.com/search_product.htm?q={query}",
    further="https://list.tmall.com/search_product.htm?q={query}&s={skip}",
    page_size=60,
    tested=Tested(date(2026, 11, 25)),
)
