"""Where a saved page came from: what it says of itself, what it links to, what it loads."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit

#: How much of a page is looked at: pages decide how long they are.
MAX_LOOKED = 3_000_000
#: Links to itself by which a shop gives its host away.
MIN_LINKS = 5

#: A page kept by an archive: its own address stands behind the day.
_ARCHIVED = re.compile(
    r"(?:https?:)?(?://(?:web\.)?archive\.org)?/web/\d{4,14}[a-z_]{0,5}/(?P<url>https?:/{1,2}.+)",
    re.IGNORECASE | re.DOTALL,
)
#: What browsers write into a page that they save.
_SAVED = re.compile(rb"<!--\s{0,9}saved from url=\(\d{1,6}\)(https?://[^\s>]{1,2000})")
_TAG = re.compile(rb"<(?:link|meta)\s[^<>]{1,3000}>", re.IGNORECASE)
_HERE = re.compile(
    rb"\brel\s?=\s?[\"']?canonical\b|\b(?:property|name)\s?=\s?[\"']?(?:og:url|al:web:url)\b",
    re.IGNORECASE,
)
_LINK = re.compile(
    rb"\b(?:href|content)\s?=\s?(?:\"([^\"]{1,2000})\"|'([^']{1,2000})'|([^\s\"'>]{1,2000}))",
    re.IGNORECASE,
)
_HOST = re.compile(rb"https?:(?:\\?/){2}([a-zA-Z0-9][a-zA-Z0-9.-]{2,60})[/\"':\\]")
_LINKED = re.compile(
    rb"<(?:a|form)\s[^<>]{0,500}?\b(?:href|action)\s?=\s?[\"']?"
    rb"https?://([a-zA-Z0-9][a-zA-Z0-9.-]{2,60})",
    re.IGNORECASE,
)
#: Whose buttons and services every page links to.
_ELSEWHERE = re.compile(
    r"(?:.+\.)?(?:facebook|fb|twitter|x|instagram|youtube|youtu|google|gstatic|googleapis|apple"
    r"|pinterest|linkedin|tiktok|whatsapp|wa|t|telegram|snapchat|reddit|w3|schema|bing|paypal"
    r"|trustpilot|cloudflare|jsdelivr|gmpg|wordpress|prestashop|magento|shopify|weibo|vk|archive)"
    r"\.[a-z]{2,4}(?:\.[a-z]{2})?"
)
#: Loopback, and names that are kept for documents and tests (RFC 2606).
_NOBODYS = re.compile(
    r"|localhost|127(?:\.\d{1,3}){3}|::1|0\.0\.0\.0"
    r"|(?:.+\.)?(?:example|invalid|test|localhost)|(?:.+\.)?example\.(?:com|net|org)"
)
#: Hosts that serve one marketplace's pictures and scripts, and where that marketplace is.
_LOADED = {
    "mercdn.net": "https://jp.mercari.com/",
    "media-amazon.com": "https://www.amazon.com/",
    "ssl-images-amazon.com": "https://www.amazon.com/",
    "images-amazon.com": "https://www.amazon.com/",
    "ebaystatic.com": "https://www.ebay.com/",
    "ebayimg.com": "https://www.ebay.com/",
    "etsystatic.com": "https://www.etsy.com/",
    "walmartimages.com": "https://www.walmart.com/",
    "mlstatic.com": "https://www.mercadolibre.com/",
    "bbystatic.com": "https://www.bestbuy.com/",
    "dhresource.com": "https://www.dhgate.com/",
    "aestatic.net": "https://aliexpress.ru/",
    "aliexpress-media.com": "https://www.aliexpress.com/",
    "ae01.alicdn.com": "https://www.aliexpress.com/",
    "cbu01.alicdn.com": "https://detail.1688.com/",
    "susercontent.com": "https://shopee.sg/",
}


def stands(url: str) -> bool:
    """Whether an address may be where a page came from: no file's, and on a host that can be."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return True
    return parts.scheme in ("http", "https") and not _NOBODYS.fullmatch(host)


def original(url: str) -> str:
    """An address as it was before an archive kept the page under its own."""
    match = _ARCHIVED.match(url)
    if match is None:
        return url
    found = re.sub(r"^(https?):/{1,2}", r"\1://", match["url"])
    return re.sub(r"^(http://[^/]+):80(?=/|$)|^(https://[^/]+):443(?=/|$)", r"\1\2", found)


def said(body: bytes) -> str | None:
    """The address that a page says it has: the saving browser's word, else its canonical link."""
    saved = _SAVED.search(body[:8192])
    if saved:
        return original(saved[1].decode("utf-8", "replace"))
    for tag in _TAG.finditer(body[:MAX_LOOKED]):
        link = _LINK.search(tag[0]) if _HERE.search(tag[0]) else None
        if link is None:
            continue
        written = next(filter(None, link.groups()))
        url = original(written.decode("utf-8", "replace").strip().replace("&amp;", "&"))
        if url.startswith("//"):
            url = f"https:{url}"
        if url.startswith(("http://", "https://")) and _is_address(url):
            return url
    return None


def marketplace_of(body: bytes, hosts: re.Pattern[str]) -> str | None:
    """The front page of where a page that does not say it is from, by what it names most.

    Parameters
    ----------
    hosts
        Hosts of the marketplaces that are known.
    """
    looked = body[:MAX_LOOKED]
    named = Counter(host.decode().lower() for host in _HOST.findall(looked))
    linked = Counter(host.decode().lower() for host in _LINKED.findall(looked))
    linked = Counter(
        {h: n for h, n in linked.items() if not (_ELSEWHERE.fullmatch(h) or _NOBODYS.fullmatch(h))}
    )
    own, links = next(iter(linked.most_common(1)), ("", 0))
    best, most = "", 1
    for host, times in named.most_common(80):
        if times > most and hosts.fullmatch(host) and not _ELSEWHERE.fullmatch(host):
            best, most = f"https://{host}/", times
            break
    loaded: Counter[str] = Counter()
    for host, times in named.items():
        for ending, front in _LOADED.items():
            if host == ending or host.endswith(f".{ending}"):
                loaded[front] += times
    front, times = next(iter(loaded.most_common(1)), ("", 0))
    if best and (own in best or most >= links or times):
        return best
    if front and times > max(1, links):
        return front
    return f"https://{own}/" if links >= MIN_LINKS else best or None


def _is_address(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False
