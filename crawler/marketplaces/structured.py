"""Structured data: the schema.org Product of a page, in the many forms that shops write it.

JSON-LD is read by a pattern and the standard library, fifty times as fast as by way of a tree;
microdata and RDFa, which few pages need, by extruct, brought into the same form. It is loaded
with the first of these: a crawl that meets none starts a tenth of a second sooner.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urldefrag, urljoin

from lxml.etree import LxmlError  # type: ignore[import-untyped]

from crawler.marketplaces.embedded import scripts
from crawler.marketplaces.prices import data_amount, money
from registry.money import Money

#: Larger ones describe no product.
MAX_SCRIPT = 5_000_000
#: RDFa is read as a graph, which takes a hundred times as long as anything else here.
MAX_RDFA_PAGE = 1_000_000

# Every repetition has a bound: a page may be made to take for ever.
_DECODER = json.JSONDecoder(strict=False)
_LD_JSON = re.compile(r"application/ld\+json\b", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_COMMA = re.compile(r",(?=\s*[}\]])")
_MICRODATA = re.compile(
    r"itemtype\s{0,9}=\s{0,9}[\"']?[^\"'>]{0,200}/(?:Product|IndividualProduct|ProductGroup)\b",
    re.IGNORECASE,
)
_RDFA = re.compile(r"typeof\s{0,9}=\s{0,9}[\"'][^\"'>]{0,200}\bProduct\b", re.IGNORECASE)
_TAG = re.compile(r"<[/a-zA-Z!][^>]*>")
_PRODUCTS = frozenset(
    ("Product", "ProductGroup", "ProductModel", "IndividualProduct", "SomeProducts")
)
#: What is sold as well, and is a product where it says for how much.
_SOLD = frozenset(
    ("Book", "Car", "Vehicle", "Motorcycle", "MusicAlbum", "Movie", "VideoGame", "CreativeWork")
)
_LISTS = frozenset(("ItemList", "CollectionPage", "SearchResultsPage", "OfferCatalog"))
_OFFERS = frozenset(("Offer", "AggregateOffer"))
#: What a price is called that is not asked for.
_CROSSED_OUT = re.compile(r"ListPrice|Strikethrough|SRP|MSRP|RegularPrice", re.IGNORECASE)
_AVAILABILITY = {
    "instock": "InStock",
    "limitedavailability": "InStock",
    "instoreonly": "InStock",
    "onlineonly": "InStock",
    "outofstock": "OutOfStock",
    "soldout": "OutOfStock",
    "discontinued": "OutOfStock",
    "preorder": "PreOrder",
    "presale": "PreOrder",
    "backorder": "BackOrder",
}


def product(page: str, url: str) -> Mapping[str, Any]:
    """The Product that a page is about, empty if it has none.

    Pages name related products as well: the one whose address is the page's own goes first,
    then the one that is the page's main entity, then the first.
    """
    return main_product(json_ld(page), url)


def json_ld(page: str) -> list[Any]:
    """The JSON-LD of a page, as far as it can be read."""
    found = []
    for text in scripts(page, _LD_JSON):
        if len(text) <= MAX_SCRIPT:
            try:
                found += listed(_loads(text))
            except (ValueError, RecursionError):
                continue
    return found


def _loads(text: str) -> Any:
    """JSON as shops write it: with comments, in CDATA, with a comma before the end."""
    try:
        return json.loads(text, strict=False)
    except ValueError:
        text = text.strip().removesuffix(";")
        if text.startswith("/*") and text.endswith("*/"):  # /*<![CDATA[*/ … /*]]>*/
            text = text[text.find("*/") + 2 : text.rfind("/*")].strip()
        for begin, end in (("/*", "*/"), ("//", ""), ("<!--", "-->"), ("<![CDATA[", "]]>")):
            text = text.removeprefix(begin).removesuffix(end).strip()
        text = text.removeprefix("]]>").removesuffix("//").strip()
        text = _COMMENT.sub("", text) if text.count("/*") < 100 else text
        if text[:8].lstrip("[{ \r\n\t").startswith("&quot;"):
            text = html.unescape(text)
        # ``\'`` is an escape in scripts and none in JSON.
        text = re.sub(r"(?<!\\)\\'", "'", _COMMA.sub("", text))
        value, _ = _DECODER.raw_decode(text)  # what stands behind the value is forgiven
        return value


def microdata(page: str, url: str) -> list[Any]:
    """The microdata of a page that has a product, in the form of JSON-LD."""
    if not _MICRODATA.search(page):
        return []
    from extruct.w3cmicrodata import MicrodataExtractor  # see above why not before

    try:
        return [_plain(item, 0) for item in MicrodataExtractor().extract(page, base_url=url)]
    except (ValueError, RecursionError, TypeError, AttributeError, LookupError, LxmlError):
        return []


def rdfa(page: str, url: str) -> list[Any]:
    """The RDFa of a page that has a product, in the form of JSON-LD."""
    if len(page) > MAX_RDFA_PAGE or not _RDFA.search(page):
        return []
    from extruct.rdfa import RDFaExtractor

    try:
        nodes = RDFaExtractor().extract(page, base_url=url)
    except Exception:  # a graph parser on anybody's markup: it fails in every way there is
        return []
    known = {node.get("@id"): node for node in nodes if isinstance(node, dict)}
    return [_unfolded(node, known, 0) for node in nodes if isinstance(node, dict)]


#: data-vocabulary.org, before schema.org.
_OLD_NAMES = {"offerDetails": "offers", "currency": "priceCurrency"}


def _plain(item: Any, depth: int) -> Any:
    """An item of microdata as a node of JSON-LD."""
    if not isinstance(item, dict) or depth > 20:
        return item if isinstance(item, str) else None
    node = {"@type": item.get("type"), "@id": item.get("id")}
    for name, value in (item.get("properties") or {}).items():
        several = [_plain(one, depth + 1) for one in listed(value)]
        node[_OLD_NAMES.get(name, name)] = several[0] if len(several) == 1 else several
    return node


def _unfolded(node: Mapping[str, Any], known: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    """A node of expanded JSON-LD with short names and with what it refers to inside."""
    found: dict[str, Any] = {"@type": node.get("@type"), "@id": node.get("@id")}
    for name, value in node.items():
        if name.startswith("@"):
            continue
        several: list[Any] = []
        for one in listed(value):
            if isinstance(one, dict) and "@id" in one and depth < 5:
                there = known.get(one["@id"])
                several.append(_unfolded(there, known, depth + 1) if there else one["@id"])
            else:
                several.append(one.get("@value") if isinstance(one, dict) else one)
        found[re.split(r"[/#:]", name)[-1]] = several[0] if len(several) == 1 else several
    return found


def main_product(found: list[Any], url: str, titles: str = "") -> Mapping[str, Any]:
    """Of what a page describes the Product that it is about, empty if there is none.

    Parameters
    ----------
    titles
        The page's headings in small letters: of several products the one that they name.
    """
    try:
        nodes = list(_nodes(found, False))
    except RecursionError:
        return {}
    mains = {node["@id"] for node, main in nodes if main and isinstance(node.get("@id"), str)}
    products = [(node, main) for node, main in nodes if _PRODUCTS & _kinds(node)]
    products = products or [
        (node, main) for node, main in nodes if _SOLD & _kinds(node) and _dicts(node.get("offers"))
    ]
    ranked = sorted(
        products,
        key=lambda found: (
            not any(_is_at(one, url) for one in (found[0], *_variants(found[0]))),
            not (found[1] or found[0].get("@id") in tuple(mains)),
            not _is_named(found[0], titles),
        ),
    )
    if not ranked:
        return {}
    found_one = _with_variant(ranked[0][0], url)
    # Where markup is nested wrongly, the only offer of the page stands beside its only product.
    loose = [node for node, _ in nodes if _OFFERS & _kinds(node)]
    if len(products) == len(loose) == 1 and not found_one.get("offers"):
        return {**found_one, "offers": loose[0]}
    return found_one


def is_list(found: list[Any]) -> bool:
    """Whether a page describes itself as a list of things, and no product beside."""
    try:
        nodes = [node for node, _ in _nodes(found, False)]
    except RecursionError:
        return False
    kinds = frozenset().union(*map(_kinds, nodes)) if nodes else frozenset()
    return not kinds & _PRODUCTS and bool(kinds & _LISTS)


def _nodes(found: Any, main: bool) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Every node that may be the page's thing, and whether it is said to be."""
    for node in listed(found):
        if isinstance(node, dict):
            yield node, main
            yield from _nodes(node.get("@graph"), False)
            yield from _nodes(node.get("mainEntity"), True)


def _is_at(node: Mapping[str, Any], url: str) -> bool:
    own = _address(url, url)
    page = node.get("mainEntityOfPage")
    said = (node.get("url"), node.get("@id"), page.get("@id") if isinstance(page, dict) else page)
    return any(
        _address(url, a) == own
        for a in said
        # A mere fragment, such as ``#product``, is on every page.
        if isinstance(a, str) and a and not a.startswith(("#", "_:"))
    )


def _is_named(node: Mapping[str, Any], titles: str) -> bool:
    name = " ".join((text(node.get("name")) or "").casefold().split())
    return len(name) > 2 and name in titles


def _address(base: str, link: str) -> str | None:
    try:
        return urldefrag(urljoin(base, link))[0].split("?")[0].rstrip("/")
    except ValueError:
        return None


def _with_variant(node: Mapping[str, Any], url: str) -> Mapping[str, Any]:
    """A group of variants with what its variant says; the variant at this address goes first."""
    variants = _variants(node)
    if not variants:
        return node
    own = next((v for v in variants if _is_at(v, url)), None)
    return {**node, **own} if own is not None else {**variants[0], **node}


def _variants(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _dicts(node.get("hasVariant"))


def _kinds(node: Mapping[str, Any]) -> frozenset[str]:
    """The types of a node without where they are defined."""
    said = (t for t in listed(node.get("@type")) if isinstance(t, str))
    return frozenset(re.split(r"[/#:]", t.rstrip("/"))[-1] for t in said)


def offer(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The offer of a product: the first with a price, else the first."""
    offers = _dicts(node.get("offers"))
    offers += [inner for outer in offers for inner in _dicts(outer.get("offers"))]
    if not offers:
        # A price without an offer around it.
        names = ("price", "priceCurrency", "availability", "seller")
        return {name: node[name] for name in names if name in node}
    best = next((o for o in offers if price(o) is not None), offers[0])
    # An AggregateOffer leaves to its offers who sells and whether there is any.
    inside = _dicts(best.get("offers"))
    return {**inside[0], **best} if inside else best


def in_stock(node: Mapping[str, Any]) -> str | None:
    """Whether there is any of a product: of several offers or variants one is enough."""
    offers = _dicts(node.get("offers"))
    offers += [inner for outer in offers for inner in _dicts(outer.get("offers"))]
    said = [word for one in offers if (word := availability(one.get("availability")))]
    return "InStock" if "InStock" in said else next(iter(said), None)


def price(said: Mapping[str, Any]) -> Money | None:
    """What an offer asks for; of several the lowest, if it says which that is."""
    currency = said.get("priceCurrency")
    for name in ("price", "lowPrice"):
        amount = data_amount(said.get(name))
        if amount is not None:
            return money(amount, currency)
    for part in listed(said.get("priceSpecification")):
        if isinstance(part, dict) and not _CROSSED_OUT.search(str(part.get("priceType") or "")):
            amount = data_amount(part.get("price"))
            found = money(amount, part.get("priceCurrency") or currency)
            if found is not None:
                return found
    return None


def availability(said: Any) -> str | None:
    """schema.org's word, of those with one meaning; None for any other."""
    word = re.split(r"[/#:]", said.strip())[-1] if isinstance(said, str) else ""
    return _AVAILABILITY.get(re.sub(r"[\W_]", "", word).casefold())


def name_of(said: Any) -> str | None:
    """The name of a thing or a person: itself, its ``name``, or that of the first of several."""
    for one in listed(said):
        name = one.get("name") if isinstance(one, dict) else one
        if isinstance(name, str) and name.strip():
            return name
    return None


def links(said: Any) -> list[str]:
    """Addresses of pictures, plain or as an ImageObject's."""
    found: list[str] = []
    for one in listed(said):
        if isinstance(one, dict):
            one = one.get("contentUrl") or one.get("url")
        found += [link for link in listed(one) if isinstance(link, str)]
    return found


def text(said: Any) -> str | None:
    """Text that may be written as HTML, without tags and entities."""
    if not isinstance(said, str):
        return None
    return html.unescape(_TAG.sub(" ", html.unescape(said)))


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in listed(value) if isinstance(one, dict)]


def listed(value: Any) -> list[Any]:
    """A value as a list: structured data write one thing without one."""
    return value if isinstance(value, list) else [] if value is None else [value]
