"""What a listing's words say: the brand as it is written, confessions, parts, imports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2

from matchers.lexicon import LexiconHit, find_lexicon
from matchers.signals import Measured
from matchers.values import Brand, Listing, Span, Term
from matchers.words import Hit, TermFinder, check_term

#: Where words stand, and what that place is called.
PLACES = {
    "title": "title", "brand": "field for the brand", "description": "description",
    "attributes": "attributes",
}  # fmt: skip
_IMPORT = re.compile(
    r"\b(?:(?:parallel|grey|gray|direct) import(?:ed)?|import(?:ed)? version|imported from"
    r"|(?:japan(?:ese)?|us|usa|eu|uk|asia(?:n)?|korean?|overseas|international|global|chinese)"
    r" (?:version|edition|market|model|stock)"
    r"|(?:re|parallel|direkt|grau)import|importware|eu-ware|us-modell|japan-modell"
    r"|параллельный импорт|серый импорт|(?:версия|модель) для (?:японии|сша|азии|европы))\b"
    r"|平行进口|平行進口|水货|水貨|港版|日版|美版|欧版|韩版进口|海外版|国际版",
    re.IGNORECASE,
)
#: Before or after the brand: the look is the brand's, the thing is not said to be.
_STYLE_BEFORE = re.compile(
    r"(?:\b(?:inspired by|in the style of|style of|similar to|looks? like|à la|im stil von|"
    r"ähnlich wie|в стиле|как у)|类似|仿)\s*[\"'«“]?$",
    re.IGNORECASE,
)
_STYLE_AFTER = re.compile(
    r"^[\"'»”]?[\s-]*(?:(?:style|look|inspired|type|stil|art|ähnlich)\b|风格|同款|风|款式)",
    re.IGNORECASE,
)
#: Ways of writing that honest people have too, in a hurry or on another keyboard.
_AMISS = frozenset(
    {
        "a letter dropped",
        "a letter added",
        "a letter changed",
        "letters swapped",
        "repeated letters",
        "accents",
        "full-width or half-width letters",
    }
)
#: Characters of a description that are looked at for what a word of the title means.
_AROUND = 1000
#: How the other half writes Chinese: no disguise at all.
_PLAIN = frozenset({"traditional characters", "simplified characters"})


#: Before a brand: whose the thing is said not to be.
_NOT_OF = re.compile(
    r"(?:\b(?:not (?:made |produced |sold )?(?:by|from)|not an?|unlike|independent of|"
    r"not affiliated with|kein|keine|nicht von|pas de|не от)|不是|并非)\s*[\"'«“]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What was found in the words of a listing.

    Parameters
    ----------
    brand
        The brand's terms, each with the field it stands in; products apart. A short or common
        word that nothing around shows to be the mark is left out: it claims nothing.
    products
        Product names.
    lexicon
        Terms that no negation took back.
    uses
        Of `brand`, where it is named as the thing's own: neither as what it fits, nor as
        whose it is not.
    styled
        Of `uses`, where only the style is said to be the brand's.
    """

    brand: tuple[tuple[str, Hit], ...]
    products: tuple[tuple[str, Hit], ...]
    lexicon: tuple[tuple[str, LexiconHit], ...]
    import_words: tuple[Span, ...]
    uses: tuple[tuple[str, Hit], ...] = ()
    styled: tuple[tuple[str, Hit], ...] = ()

    @property
    def claims(self) -> bool:
        """Whether the brand, or a product of it, is named at all."""
        return bool(self.brand or self.products)

    @property
    def offers(self) -> bool:
        """Whether the thing is said to be the brand's, not only to fit it or to look so."""
        if self.brand:
            return len(self.uses) > len(self.styled)
        return any(not hit.compatible for _, hit in self.products)


def texts(listing: Listing) -> Iterator[tuple[str, str]]:
    """Every text of a listing with the name that a `Span` calls it by.

    An attribute's value is ``attributes.0``, ``attributes.1`` …
    """
    yield "title", listing.title
    yield "description", listing.description
    yield "brand", listing.brand or ""
    for place, (_, value) in enumerate(listing.attributes):
        yield f"attributes.{place}", value


def text_of(listing: Listing, field: str) -> str:
    """The text that a span of that field points into.

    Raises
    ------
    KeyError
        If the listing has no such field.
    """
    return dict(texts(listing))[field]


def read(listing: Listing, brand: Brand) -> Wording:
    """Find everything that the words say."""
    finder = _finder(brand.terms)
    hits = [
        (field, hit)
        for field, text in texts(listing)
        for hit in finder.find(text, category=listing.category, context=_around(listing, field))
        if not hit.weak
    ]
    said = [(field, text) for field, text in texts(listing) if field != "brand"]
    named = tuple((field, hit) for field, hit in hits if hit.term.kind != "product")
    whole = dict(texts(listing))
    uses = tuple((f, h) for f, h in named if not h.compatible and not _denied(whole[f], h))
    return Wording(
        brand=named,
        products=tuple((field, hit) for field, hit in hits if hit.term.kind == "product"),
        lexicon=tuple(
            (field, hit)
            for field, text in said
            for hit in find_lexicon(text, setting=_setting(listing, field))
        ),
        import_words=_spans(said, _IMPORT, "import"),
        uses=uses,
        styled=tuple((f, h) for f, h in uses if _styled(whole[f], h)),
    )


def _setting(listing: Listing, field: str) -> str:
    """What stands around a text: a word that needs or excuses another may be there."""
    return (listing.category or "") if field == "title" else listing.title


def _around(listing: Listing, field: str) -> str:
    """The rest of a listing, as far as it can show what a short or common word means."""
    return listing.description[:_AROUND] if field == "title" else listing.title


@lru_cache(maxsize=64)
def _finder(terms: tuple[Term, ...]) -> TermFinder:
    """The finder of a brand's terms.

    A mark may be a single letter. It is nobody's in a text, so it is left to the logos.
    """
    return TermFinder([term for term in terms if _is_findable(term)])


def _is_findable(term: Term) -> bool:
    try:
        check_term(term.text)
    except ValueError:
        return False
    return True


def _spans(
    said: Sequence[tuple[str, str]], pattern: re.Pattern[str], kind: str
) -> tuple[Span, ...]:
    return tuple(
        Span(field, match.start(), match.end(), match.group(), kind)
        for field, text in said
        for match in pattern.finditer(text)
    )


def measure(brand: Brand, wording: Wording) -> Iterator[Measured]:
    """The signals of a listing's words."""
    yield from _brand(brand, wording)
    yield from _lexicon(wording)
    if wording.import_words:
        words = wording.import_words[0].term
        yield Measured(
            "import_words", 1.0, f"It is offered as an import: {words!r}.", wording.import_words
        )


def _brand(brand: Brand, wording: Wording) -> Iterator[Measured]:
    """One signal for how the brand is written: the worst way counts."""
    uses, styled = wording.uses, wording.styled
    if not uses:
        yield from _no_use(brand, wording)
        return
    joined = [u for u in uses if any("joined" in what for what in u[1].disguise)]
    ways = [(u, set(u[1].disguise) - _PLAIN) for u in uses]
    amiss = [u for u, way in ways if way and way <= _AMISS]
    plain = [u for u, way in ways if not way and u not in styled]
    hidden = [u for u, way in ways if way and u not in joined and u not in amiss]
    spans = tuple(_span(*use) for use in wording.brand)
    if hidden:
        yield Measured("brand_disguised", 1.0, _disguise("in disguise", hidden[0][1]), spans)
    elif joined:
        yield Measured("brand_joined", 1.0, _disguise("within another word", joined[0][1]), spans)
    elif amiss and not plain:
        yield Measured("brand_misspelt", 1.0, _disguise("with a letter amiss", amiss[0][1]), spans)
    elif plain:
        field = next((f for f, _ in plain if f == "title"), plain[0][0])
        name = "brand_in_title" if field == "title" else "brand_in_text"
        place = PLACES[field.partition(".")[0]]
        yield Measured(name, 1.0, f"{brand.name} is named in the {place}.", spans)
    if styled:
        yield Measured(
            "style_of", 1.0, f"It is said to be in the style of {brand.name}, not of {brand.name}.",
            tuple(_span(*use) for use in styled),
        )  # fmt: skip


def _no_use(brand: Brand, wording: Wording) -> Iterator[Measured]:
    if wording.brand:
        yield Measured(
            "brand_compatible", 1.0,
            f"{brand.name} is only named as what the thing fits, or as whose it is not.",
            tuple(_span(*use) for use in wording.brand),
        )  # fmt: skip
    elif wording.products:
        yield Measured(
            "product_named", 1.0,
            f"{wording.products[0][1].matched!r}, a product of {brand.name}, is named.",
            tuple(_span(*use, kind="product") for use in wording.products),
        )  # fmt: skip


def _denied(text: str, hit: Hit) -> bool:
    return _NOT_OF.search(text[max(0, hit.start - 24) : hit.start]) is not None


def _styled(text: str, hit: Hit) -> bool:
    before, after = text[max(0, hit.start - 24) : hit.start], text[hit.end : hit.end + 16]
    return bool(_STYLE_BEFORE.search(before) or _STYLE_AFTER.search(after))


def _disguise(how: str, hit: Hit) -> str:
    undone = ", ".join(hit.disguise)
    return f"The brand is written {how}: {hit.matched!r} for {hit.term.text} ({undone})."


def _span(field: str, hit: Hit, kind: str = "brand") -> Span:
    return Span(field, hit.start, hit.end, hit.term.text, kind)


def _lexicon(wording: Wording) -> Iterator[Measured]:
    """The severest term counts, and a little how many there are."""
    imports = {(s.field, s.start, s.end) for s in wording.import_words}
    found = [(f, h) for f, h in wording.lexicon if not _inside(f, h, imports)]
    if not found:
        return
    spans = tuple(Span(f, h.start, h.end, h.entry.id, "lexicon") for f, h in found)
    worst = max((hit.entry for _, hit in found), key=lambda entry: entry.severity)
    yield Measured(
        f"lexicon_{worst.severity}", 1.0,
        f"{worst.term!r}: {worst.meaning} (severity {worst.severity} of 4).", spans,
    )  # fmt: skip
    different = len({hit.entry.id for _, hit in found})
    if different > 1:
        yield Measured(
            "lexicon_more", round(log2(different), 6),
            f"{different} different terms of the lexicon stand in it.", spans,
        )  # fmt: skip


def _inside(field: str, hit: LexiconHit, places: set[tuple[str, int, int]]) -> bool:
    """Whether it is a word for an import, which is no confession of a fake."""
    return any(f == field and start <= hit.start and hit.end <= end for f, start, end in places)
