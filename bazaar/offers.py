"""Titles and texts of offers that are neither plain goods nor plain fakes.

The gaps are those of `bazaar.words`; `{q}` is how many pieces there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Texts = Mapping[str, Sequence[str]]

LOTS: Texts = {
    "en": ("Lot of {q}: {b} {l} {n}, {c}, new", "{q} pcs {b} {l} {n} {c}, sealed",
           "{b} {l} {n} – pack of {q}"),
    "de": ("{q} Stück {b} {l} {n}, neu", "{b} {l} {n}, {q}er Pack"),
    "ru": ("{b} {l}: {n}, {q} шт., новые",),
    "zh": ("{b} {l} {n} {q}件装 全新",),
}  # fmt: skip
"""Several pieces for one price."""

PARTS: Texts = {
    "en": ("Strap only for {b} {l}", "Box only – {b} {l}", "Empty box {b} {l} {n}",
           "{b} gift box without contents", "{b} {l} dust bag only"),
    "de": ("Nur Karton: {b} {l}", "Leerer Karton {b} {l} {n}"),
    "ru": ("Только коробка {b} {l}",),
    "zh": ("{b} {l} 空盒 无包", "{b} 空盒"),
}  # fmt: skip
"""A part or the packaging of the real thing."""

IMPORTS: Texts = {
    "en": ("Imported from Japan, sealed. Warranty by us for a year.",
           "US version, the same model as sold here. Invoice included.",
           "Parallel import, genuine, never opened.",
           "International version, manual in English. Ships from our warehouse abroad."),
    "de": ("Parallelimport, originalverpackt, Rechnung liegt bei.", "EU-Ware, neu und versiegelt."),
    "ru": ("Параллельный импорт, оригинал, гарантия продавца.",),
    "zh": ("平行进口，全新未拆，支持验货。", "港版正品，附购物小票。"),
}  # fmt: skip
"""What a grey importer says, who sells the real thing from elsewhere."""

STYLES: Texts = {
    "en": ("{N} in the style of {b} {l}, {c}", "{b}-style {n}, {c}", "{N} inspired by {b}, {c}",
           "{N} similar to {b} {l}"),
    "de": ("{n} im Stil von {b}, {c}", "{n} ähnlich wie {b} {l}"),
    "ru": ("{n} в стиле {b}, {c}",),
    "zh": ("{b}风格 {n} {c}", "类似{b} {n} {c}"),
}  # fmt: skip
"""The mark put to goods that are not said to be the brand's."""

QUIET: Texts = {
    "en": ("Brand new, ships within three days.", "Top seller of this week, limited stock.",
           "New in box. Questions welcome.", "Special offer, last pieces."),
    "de": ("Neu, schneller Versand.", "Sonderangebot, nur wenige da."),
    "ru": ("Новый, быстрая отправка.", "Специальное предложение."),
    "zh": ("全新 现货 快速发货。", "限时特价，数量有限。"),
}  # fmt: skip
"""What says nothing."""

CLEARANCE: Texts = {
    "en": ("End of season sale, original invoice included.", "Shop closing, everything must go."),
    "de": ("Räumungsverkauf, Rechnung liegt bei.",),
    "ru": ("Распродажа, магазин закрывается. Чек прилагается.",),
    "zh": ("清仓特卖，附购物小票。",),
}  # fmt: skip
"""Why an honest price is low."""
