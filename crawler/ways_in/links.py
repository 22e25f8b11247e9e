"""Hidden links: pages elsewhere that say what a listing is which itself shows something harmless.

A post, a review or a shared list says "the bag: https://… item 123". The addresses of listings
on such a page become leads, each with what stands around it.
"""

from __future__ import annotations

import codecs
import html
import logging
import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit
from uuid import UUID

import parsel

from crawler.crawling.store import storing
from crawler.marketplaces.walls import find_wall
from crawler.network.asking import Asker
from crawler.network.conduct import asker_of
from crawler.network.gate import Forbidden
from crawler.ways_in.leads import Added, Told, add
from crawler.ways_in.places import Places
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Plan
from registry.settings import Settings

logger = logging.getLogger(__name__)

#: Listings of one page; links of it that are followed to find out where they lead; steps of one.
MAX_LINKS = 500
MAX_FOLLOWED = 40
MAX_STEPS = 5
#: What a page and all that is followed from it may take, and all link pages before a run.
PAGE_SECONDS = 40.0
PAGES_SECONDS = 600.0
MAX_SEEN = 5_000
#: Letters around a link that are kept.
AROUND = 300

_SHORTENERS = re.compile(
    r"(?:[\w-]+\.)?(?:bit\.ly|t\.co|tinyurl\.com|goo\.gl|ow\.ly|is\.gd|v\.gd|cutt\.ly|rb\.gy|buff\.ly"
    r"|shorturl\.at|s\.id|t\.ly|rebrand\.ly|lnkd\.in|amzn\.(?:to|eu|asia)|a\.co|ebay\.us|ebay\.to"
    r"|s\.click\.aliexpress\.com|a\.aliexpress\.com|[me]\.tb\.cn|tb\.cn|qr\.1688\.com|shope\.ee"
    r"|shp\.ee|s\.shopee\.[\w.]+|s\.lazada\.[\w.]+|c\.lazada\.[\w.]+|etsy\.me|s\.dhgate\.com"
    r"|meli\.la|walmrt\.us|dwz\.cn|t\.cn|url\.cn|suo\.im|clck\.ru|vk\.cc)"
)
#: What a link of a shortener that we do not know looks like.
_SHORT_PATH = re.compile(r"/[A-Za-z0-9_-]{4,12}/?")
_SHORT_HOST = 14
_WRITTEN = re.compile(r"https?://[^\s<>\"'`{}|\\^\[\]（）【】，。、；]+", re.IGNORECASE)
_REFRESH = re.compile(
    rb"<meta[^>]{0,80}http-equiv\s*=\s*[\"']?refresh[\"']?[^>]{0,80}content\s*=\s*[\"']?\s*\d*\s*;"
    rb"\s*url\s*=\s*[\"']?([^\"'>\s]{1,2000})",
    re.IGNORECASE,
)
_SCRIPTED = re.compile(
    rb"(?:location(?:\.href)?\s*=|location\.(?:replace|assign)\()\s*[\"'](https?:[^\"']{1,2000})"
)
_TEXTS = "//body//text()[contains(., '://')][not(ancestor::script|ancestor::style)]"
#: What holds one post, row or entry.
_BLOCKS = frozenset(("p", "li", "tr", "td", "dd", "dt", "article", "blockquote", "section", "div"))


@dataclass(frozen=True, slots=True)
class Link:
    """The address of a listing, the link that led to it, and what stands around that."""

    url: str
    href: str
    context: str


@dataclass(slots=True)
class PageLinks:
    """What a page links to: listings, and links that could not be followed, with the reason."""

    url: str
    links: list[Link] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def keep(
        self, database: Database, brand_id: UUID, plan_id: UUID | None, who: str | None
    ) -> Added:
        """Keep the listings as leads."""
        told = [
            Told(
                link.url,
                "link",
                who=who,
                plan_id=plan_id,
                source=self.url,
                context=link.context or None,
            )
            for link in self.links
        ]
        return storing(
            database, lambda session: add(session, brand_id, told, Places.watched(session))
        )


def read_page(
    settings: Settings,
    database: Database,
    url: str,
    *,
    agent: str | None = None,
    until: float | None = None,
) -> PageLinks:
    """Read a page, as its robots.txt allows, and find the listings that it links to.

    Parameters
    ----------
    agent
        What we call ourselves; None is by our own name.
    until
        By `time.monotonic`, when it must be over; in any case after `PAGE_SECONDS`.

    Raises
    ------
    TouchstoneError
        If it may not be visited, does not come, or is a wall.
    """
    asker = asker_of(settings, database, agent=agent)
    until = min(until or math.inf, time.monotonic() + PAGE_SECONDS)
    asker.obey_robots(url, until=until)
    page = asker.fetch(url, until=until)
    if page.status >= 400:
        raise TouchstoneError(f"{url} answers {page.status}")
    with database.reading() as session:
        places = Places.watched(session)
    text = page.body.decode(_charset(page.content_type), "replace")
    read = listings_in(text, page.url, places, _Follower(asker, places, until))
    if not read.links:
        wall = find_wall(text, page.url, page.status)
        if wall is not None:
            raise TouchstoneError(f"{url}: {wall.kind}: {wall.why}: a person has to look there")
    return read


def visit_link_pages(
    settings: Settings,
    database: Database,
    plan_id: UUID,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Read the link pages of a plan before its crawl; one that cannot be read holds nothing up.

    A plan with a proxy reads none: they are asked for from here, where the plan does not want
    to be seen. `touchstone leads from-page` reads one by a person's word.

    Parameters
    ----------
    look
        Called before each page; ends it by what it raises.
    """
    with database.reading() as session:
        plan = session.get_one(Plan, plan_id)
        brand_id, name, urls = plan.brand_id, plan.name, list(plan.link_pages)
        agent, proxy = plan.user_agent, plan.proxy
    if urls and proxy is not None:
        logger.warning(
            "plan %s: its %d link pages are left out, since it has a proxy, through which they "
            "are not read: touchstone leads from-page ADDRESS reads one without",
            name,
            len(urls),
        )
        return
    until = time.monotonic() + PAGES_SECONDS
    for url in urls:
        look()
        try:
            read = read_page(settings, database, url, agent=agent, until=until)
            added = read.keep(database, brand_id, plan_id, None)
        except TouchstoneError as error:
            logger.warning("plan %s: link page %s", name, error)
        else:
            logger.info("plan %s: link page %s: %d new leads", name, url, added.new)


def listings_in(
    text: str, url: str, places: Places, follow: Callable[[str], str] | None = None
) -> PageLinks:
    """The addresses of listings in a page, by its links and its text.

    Parameters
    ----------
    url
        Of the page.
    follow
        Finds out where a link leads; raises TouchstoneError where that cannot be told. Without
        it no link is followed.
    """
    read = PageLinks(url)
    seen: set[str] = set()
    kept: set[str] = set()
    followed = 0
    for href, around in _hrefs(text, url):
        if href in seen or len(seen) >= MAX_SEEN or len(read.links) >= MAX_LINKS:
            continue
        seen.add(href)
        there = _inner(href, places)
        if there is None and follow is not None and _may_be_short(href):
            if followed >= MAX_FOLLOWED:
                read.left_out.append((href, f"more than {MAX_FOLLOWED} links to follow"))
                continue
            followed += 1
            try:
                there = _inner(follow(href), places)
            except TouchstoneError as error:
                read.left_out.append((href, str(error)))
                continue
        if there is None:
            continue
        key = places.of(there).key
        if key not in kept:
            kept.add(key)
            read.links.append(Link(there, href, around()))
    return read


class _Follower:
    """Follows links step by step, and stops in front of a marketplace."""

    def __init__(self, asker: Asker, places: Places, until: float) -> None:
        self._asker = asker
        self._places = places
        self._until = until
        self._robots: dict[str, TouchstoneError | None] = {}

    def __call__(self, url: str) -> str:
        for _ in range(MAX_STEPS):
            self._ask_robots(url)
            status, headers, body = self._asker.ask(url, until=self._until)
            onward = headers.get("location") if 300 <= status < 400 else _onward(body)
            if not onward:
                return url
            try:
                url = urljoin(url, onward)
                self._asker.gate.check_form(url)
            except (ValueError, Forbidden) as error:
                raise TouchstoneError(f"leads to no address: {str(error)[:200]}") from error
            if _inner(url, self._places) is not None:
                return url
        raise TouchstoneError(f"leads on more than {MAX_STEPS} times")

    def _ask_robots(self, url: str) -> None:
        host = urlsplit(url).netloc
        if host not in self._robots:
            try:
                self._asker.obey_robots(url, until=self._until)
                self._robots[host] = None
            except TouchstoneError as error:
                self._robots[host] = error
        said = self._robots[host]
        if said is not None:
            raise said


def _onward(body: bytes) -> str | None:
    found = _REFRESH.search(body[:200_000]) or _SCRIPTED.search(body[:200_000])
    return html.unescape(found[1].decode("utf-8", "replace")) if found else None


def _inner(href: str, places: Places) -> str | None:
    """The listing that an address is of, or that it carries inside, as agents' links do."""
    for _ in range(3):
        try:
            if places.of(href).external_id is not None:
                return href
            values = [v for _, v in parse_qsl(urlsplit(href).query)[:50]]
        except ValueError:
            return None
        inside = next(
            (v for v in map(unquote, values) if v.startswith(("http://", "https://"))), None
        )
        if inside is None or len(inside) > 2000:
            return None
        href = inside
    return None


def _may_be_short(href: str) -> bool:
    parts = urlsplit(href)
    host = parts.hostname or ""
    if _SHORTENERS.fullmatch(host):
        return True
    return (
        len(host) <= _SHORT_HOST
        and _SHORT_PATH.fullmatch(parts.path) is not None
        and not parts.query
        # A word is a page of a site; a code has digits or capitals in it.
        and not parts.path.strip("/").islower()
    )


def _hrefs(text: str, url: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """Every address in a page, absolute, with how to find out what stands around it."""
    if "<" in text[:2000] and re.search(r"<(?:html|body|a|p|div|table|!doctype)\b", text, re.I):
        tree = parsel.Selector(text=text, type="html")
        for anchor in tree.xpath(f"(//a[@href])[position() <= {4 * MAX_SEEN}]"):
            href = _absolute(url, anchor.attrib["href"])
            if href is not None:
                yield href, partial(_around, anchor)
        for node in tree.xpath(_TEXTS)[: 4 * MAX_SEEN]:
            yield from _written(node.root, url)
        return
    # In JSON a slash may be written with a backslash.
    for line in text.replace("\\/", "/").splitlines():
        yield from _written(line, url)


def _written(text: str, url: str) -> Iterator[tuple[str, Callable[[], str]]]:
    for found in _WRITTEN.finditer(text):
        href = _absolute(url, found[0].rstrip(".,;:!?)"))
        if href is not None:
            first = max(0, found.start() - AROUND)
            yield href, partial(_clean, text[first : found.end() + AROUND])


def _absolute(url: str, href: str) -> str | None:
    try:
        there = urljoin(url, href.strip())
        urlsplit(there).port  # noqa: B018 - raises where it is none
    except ValueError:
        return None
    return there if there.startswith(("http://", "https://")) and len(there) <= 2000 else None


def _around(anchor: parsel.Selector) -> str:
    """The text of the smallest block around a link that says more than the link does."""
    own = _clean(anchor.xpath("string()").get() or "")
    said = own
    for block in reversed(anchor.xpath("ancestor::*")):
        if block.root.tag not in _BLOCKS:
            continue
        whole = _clean(block.xpath("string()").get() or "")
        if len(whole) > 3 * AROUND:
            at = whole.find(own)
            if said != own or not own or at < 0:
                break
            return whole[max(0, at - AROUND) : at + len(own) + AROUND]
        said = whole
        if len(whole) >= len(own) + 20:
            break
    return said[: 2 * AROUND]


def _clean(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())


def _charset(content_type: str | None) -> str:
    found = re.search(r"charset=[\"']?([\w-]{1,20})", content_type or "")
    try:
        return codecs.lookup(found[1]).name if found else "utf-8"
    except LookupError:
        return "utf-8"
