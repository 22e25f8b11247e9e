"""Ways to read a page of the open web, shared by all page objects."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Any, ClassVar

from crawler.marketplaces import addresses, homes
from crawler.marketplaces.homes import Home
from crawler.marketplaces.pages import AsHtml, absolute, clean
from crawler.marketplaces.walls import Wall, find_wall
from crawler.marketplaces.words import visible_text
from registry.money import Money

MAX_TEXTS = 200

#: Classes of what stands beside the thing of a page: other products, the basket.
_ASIDE = re.compile(
    r"(?:^|[\s_-])(?:related|upsells?|up-sells?|cross-?sells?|crossselling|slick-slide|owl-item"
    r"|recommend\w*|recently|viewed|mini-?cart|also-?(?:bought|like)\w*|megamenu)(?:$|[\s_-])"
    r"|(?:^|\s)(?:(?:site|page|main)[_-])?footer(?:\s|$)",
    re.IGNORECASE,
)
#: Classes that say what a product is sorted under, in any words.
_SORTED = re.compile(r"(?:^|(?<=\s))(?:product_(?:cat|tag)|category|tag|pa)[-_]\S+", re.IGNORECASE)
#: Pictures that show no product.
_NO_PICTURE = re.compile(
    r"^data:|(?:^|[/_.-])(?:logo|icons?|sprite|placeholder|loading|loader|lazy|blank|pixel|spacer"
    r"|transparent|no-?image|avatar|flag|payment|badge)(?:[/_.-]|$)|\.svg(?:\?|$)",
    re.IGNORECASE,
)
_SOURCES = (
    "data-zoom-image", "data-large_image", "data-image-large-src", "data-full-size-image-url",
    "data-zoom", "data-src", "data-original", "data-lazy-src", "data-lazy", "src",
)  # fmt: skip

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{1,20})", re.IGNORECASE)


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
        # A tree breaks where attributes are named by them.
        return _CONTROLS.sub(" ", self._decoded())

    def _decoded(self) -> str:
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
        url = addresses.original(str(self.response.url))
        if addresses.stands(url):
            return url
        return addresses.said(bytes(self.response.body)) or url

    @cached_property
    def titles(self) -> str:
        """The page's headings and title, in small letters."""
        said = " ".join(self.css("h1 ::text, title::text").getall())
        return " ".join(said[:2000].casefold().split())

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
                money = self._shown_in(text, currency)
                if money is not None:
                    return money
        return None

    def _shown_in(self, text: str | None, currency: str | None) -> Money | None:
        money = homes.read_shown(text, self.home, currency)
        if money is None or money.amount <= 0:
            return None
        self.note_range(text, money)
        return money

    def note_range(self, text: str | None, low: Money) -> None:
        """Keep the end of the range that a text shows from a price on."""
        high = homes.read_high(text, low)
        if high is not None:
            self._ranges[low] = high

    @cached_property
    def _ranges(self) -> dict[Money, Money]:
        return {}

    def picture(self, box: Any) -> str | None:
        """The first picture in an element that is one, also where it is loaded late."""
        images = box.css("img")[:8]
        links = (self.source_of(image) for image in images)
        found = next((link for link in links if link), None)
        # A picture may be named as those that show nothing are.
        plain = (self.link(image.attrib.get("src")) for image in images)
        return found or next((link for link in plain if link), None)

    def source_of(self, image: Any) -> str | None:
        """The address of a picture, the largest that its element names."""
        for name in _SOURCES:
            said = (image.attrib.get(name) or "").strip()
            if said and not _NO_PICTURE.search(said) and (link := self.link(said)):
                return link
        for name in ("data-srcset", "srcset"):
            first = (image.attrib.get(name) or "").split(",")[0].split()
            if first and not _NO_PICTURE.search(first[0]) and (link := self.link(first[0])):
                return link
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


def is_aside(element: Any) -> bool:
    """Whether an element stands in a part of the page that is not about its thing."""
    node, steps = element.root.getparent(), 0
    while node is not None and steps < 60:
        if isinstance(node.tag, str):
            if node.tag in ("body", "html", "main"):
                return False
            if node.tag in ("aside", "footer", "nav") or _ASIDE.search(
                _SORTED.sub("", f"{node.get('class', '')} {node.get('id', '')}")
            ):
                return True
        node, steps = node.getparent(), steps + 1
    return False
