"""Titles and descriptions: templates in four languages, filled by chance.

In a template `{b}` is the brand word as this seller writes it, `{l}` the product's line,
`{n}` the noun, `{c}` the colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

LANGUAGES = ("en", "zh", "ru", "de")

NOUNS: Mapping[str, Mapping[str, str]] = {
    "tote": {"en": "tote bag", "de": "Shopper Tasche", "ru": "сумка-тоут", "zh": "托特包"},
    "crossbody": {"en": "crossbody bag", "de": "Umhängetasche", "ru": "сумка через плечо", "zh": "斜挎包"},
    "backpack": {"en": "backpack", "de": "Rucksack", "ru": "рюкзак", "zh": "双肩包"},
    "sneaker": {"en": "sneakers", "de": "Sneaker", "ru": "кроссовки", "zh": "运动鞋"},
    "boot": {"en": "ankle boots", "de": "Stiefeletten", "ru": "ботильоны", "zh": "短靴"},
    "watch": {"en": "watch", "de": "Armbanduhr", "ru": "наручные часы", "zh": "腕表"},
    "headphones": {"en": "wireless headphones", "de": "Funkkopfhörer", "ru": "беспроводные наушники", "zh": "头戴式耳机"},
    "earbuds": {"en": "earbuds", "de": "In-Ear-Kopfhörer", "ru": "наушники-вкладыши", "zh": "蓝牙耳机"},
    "power-bank": {"en": "power bank", "de": "Powerbank", "ru": "внешний аккумулятор", "zh": "充电宝"},
    "speaker": {"en": "portable speaker", "de": "Lautsprecher", "ru": "портативная колонка", "zh": "蓝牙音箱"},
    "strap": {"en": "shoulder strap", "de": "Schulterriemen", "ru": "ремень для сумки", "zh": "包带"},
    "plant": {"en": "potted plant", "de": "Topfpflanze", "ru": "комнатное растение", "zh": "盆栽"},
    "teapot": {"en": "teapot", "de": "Teekanne", "ru": "заварочный чайник", "zh": "茶壶"},
    "guitar": {"en": "ukulele", "de": "Ukulele", "ru": "укулеле", "zh": "尤克里里"},
    "umbrella": {"en": "umbrella", "de": "Regenschirm", "ru": "зонт", "zh": "雨伞"},
    "ball": {"en": "play ball", "de": "Spielball", "ru": "мяч", "zh": "皮球"},
    "mug": {"en": "stoneware mug", "de": "Steingutbecher", "ru": "керамическая кружка", "zh": "陶瓷杯"},
    "lamp": {"en": "table lamp", "de": "Tischlampe", "ru": "настольная лампа", "zh": "台灯"},
    "chair": {"en": "dining chair", "de": "Esszimmerstuhl", "ru": "обеденный стул", "zh": "餐椅"},
    "toy-car": {"en": "model car", "de": "Modellauto", "ru": "модель автомобиля", "zh": "汽车模型"},
}  # fmt: skip
# ruff: noqa: E501 - a table reads better with a row a line

COLOURS: Mapping[str, Mapping[str, str]] = {
    "cognac": {"en": "cognac", "de": "cognacbraun", "ru": "коньячный", "zh": "棕色"},
    "burgundy": {"en": "burgundy", "de": "weinrot", "ru": "бордовый", "zh": "酒红色"},
    "olive": {"en": "olive", "de": "oliv", "ru": "оливковый", "zh": "橄榄绿"},
    "cream": {"en": "cream", "de": "creme", "ru": "кремовый", "zh": "米白色"},
    "black": {"en": "black", "de": "schwarz", "ru": "чёрный", "zh": "黑色"},
    "navy": {"en": "navy", "de": "marineblau", "ru": "тёмно-синий", "zh": "藏青色"},
    "white": {"en": "white", "de": "weiß", "ru": "белый", "zh": "白色"},
    "green": {"en": "green", "de": "grün", "ru": "зелёный", "zh": "绿色"},
    "grey": {"en": "grey", "de": "grau", "ru": "серый", "zh": "灰色"},
    "sand": {"en": "sand", "de": "sandfarben", "ru": "песочный", "zh": "沙色"},
}

TITLES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "honest": {
        "en": (
            "{b} {l} {n}, {c}",
            "{b} {l} {n} in {c} – new with receipt",
            "New {b} {l} {n} ({c}), boxed",
            "{b} {l} {c} {n} | full package",
            "{l} {n} by {b}, {c}, unworn",
        ),
        "de": ("{b} {l} {n} {c}, neu mit Rechnung", "Neu: {b} {l} {n} in {c}, OVP"),
        "ru": ("{b} {l} {n}, {c}, новый с чеком", "Новинка {b} {l}: {n}, цвет {c}"),
        "zh": ("{b} {l} {n} {c} 全新 带小票", "正品 {b} {l} {n} {c} 专柜购入"),
    },
    "used": {
        "en": (
            "{b} {l} {n}, pre-owned, good condition",
            "Used {b} {l} {n} – {c}, some wear",
            "{b} {l} {n} second hand, {c}",
            "My old {b} {l} {n}, light scratches",
        ),
        "de": ("{b} {l} {n}, gebraucht, guter Zustand", "Gebrauchte {b} {l} {n} in {c}"),
        "ru": ("{b} {l} {n}, б/у, хорошее состояние",),
        "zh": ("二手 {b} {l} {n} {c} 九成新", "闲置 {b} {l} {n} 自用转让"),
    },
    "open_fake": {
        "en": (
            "{b} {l} {n} 1:1 mirror quality, {c}",
            "{b} {l} {n} AAA quality replica – {c}",
            "Replica {b} {l} {n} top grade with box",
            "{b} inspired {l} {n} superfake 1:1",
            "{b} {l} {n} high quality copy, same as original",
            "{b} {l} {n} factory surplus AAAA, {c}, logo as original",
        ),
        "de": ("{b} {l} {n} Replika 1:1, {c}", "{b} {l} {n} Top Nachbildung AAA Qualität"),
        "ru": ("{b} {l} {n} реплика люкс 1:1", "Копия {b} {l}: {n}, качество ААА"),
        "zh": (
            "{b} {l} {n} 高仿 {c} 顶级品质",
            "{b} {l} {n} 复刻 1:1 原单",
            "{b} {n} A货 精仿 {c}",
        ),
    },
    "disguised_fake": {
        "en": (
            "{b} {l} {n}, {c}, luxury style",
            "Designer {n} {b} {c} hot sale",
            "{b} {n} {l} new arrival 2026",
            "{b} {n} – fashion {c}, free gift box",
            "2026 {b} {l} {n} women men {c}",
        ),
        "de": ("{b} {l} {n} {c} Designer Neu", "Luxus {n} {b} {c}"),
        "ru": ("{b} {l} {n} люкс, {c}", "Дизайнерский товар {b}: {n}, {c}"),
        "zh": ("{b} {n} {c} 新款 大牌同款", "{b} {l} {n} 厂家直销 {c}"),
    },
    "nameless": {
        "en": (
            "Elegant {n}, {c}, faux leather look",
            "{C} {n} with gold tone details",
            "Minimalist {n} for every day – {c}",
            "Classic {n} {c}, no logo",
            "Handmade {n}, {c}",
        ),
        "de": ("Elegante {n} in {c}", "{n} {c}, schlicht, ohne Logo"),
        "ru": ("Стильный товар: {n}, {c}", "{n} {c}, без логотипа"),
        "zh": ("简约 {n} {c} 百搭", "{c} {n} 无标 日常款"),
    },
}

TEXTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "honest": {
        "en": (
            "Bought from the boutique, unopened. Original invoice included.",
            "100% genuine, not a replica. Serial number on the card matches the one inside.",
            "Comes with dust bag, care card and the {b} box. Returns within 30 days.",
            "We have traded in {b} for nine years; every piece is checked by hand.",
            "No fakes, no copies: you get the invoice with your order.",
        ),
        "de": (
            "Original mit Rechnung, keine Replik. Rückgabe innerhalb von 30 Tagen.",
            "Ungetragen, mit Karton und Pflegekarte von {b}.",
        ),
        "ru": (
            "Оригинал, не реплика. Чек и коробка в комплекте.",
            "Куплено в бутике {b}, без следов носки. Возврат 30 дней.",
        ),
        "zh": ("专柜正品，不是高仿，支持验货。", "全新未拆，{b} 原装盒，附购物小票。"),
    },
    "used": {
        "en": (
            "Carried for two winters, corners are a little worn. Priced to go.",
            "I am clearing my wardrobe. Genuine {b}, bought 2019, receipt long gone.",
            "Small scratch near the edge, see the photos. It is the real thing, not a copy.",
            "Gift that I hardly used. Collection or post.",
        ),
        "de": (
            "Privatverkauf, leichte Gebrauchsspuren, siehe Fotos.",
            "Original {b}, 2019 gekauft.",
        ),
        "ru": ("Носила два сезона, есть потёртости на углах.", "Продаю, потому что не пользуюсь."),
        "zh": ("自用两年，边角有轻微磨损，介意勿拍。", "个人闲置，便宜出。"),
    },
    "open_fake": {
        "en": (
            "Mirror quality {b}, nobody can tell the difference. Stamps and serial included.",
            "AAA grade replica from the same factory. Box and papers on request.",
            "Best 1:1 copy on the market. Discreet packaging, no invoice.",
            "Super clone, real leather, logo engraved. Ask for more models on WhatsApp.",
        ),
        "de": ("Beste 1:1 Replika, kaum zu unterscheiden. Ohne Rechnung.",),
        "ru": ("Точная реплика, качество люкс, логотип как на оригинале. Без документов.",),
        "zh": ("顶级复刻，一比一做工，支持混批，不带小票。", "高仿精品，微信看更多款式。"),
    },
    "disguised_fake": {
        "en": (
            "Same look as in the shop window for a small price. Message us for logo photos.",
            "Factory direct, high grade materials, ships in plain packaging.",
            "You know which house it is. Ask for box and card.",
            "New season model, fast shipping, limited stock.",
        ),
        "de": (
            "Direkt ab Werk, neutrale Verpackung.",
            "Sie wissen, welches Haus. Karton auf Anfrage.",
        ),
        "ru": (
            "Прямо с фабрики, упаковка без надписей.",
            "Вы знаете этот бренд. Коробка по запросу.",
        ),
        "zh": ("懂的来，细节图私聊。", "工厂直发，同款品质，支持代发。"),
    },
    "nameless": {
        "en": (
            "Our own design, carefully finished. Vegan material, wipe clean.",
            "Simple and sturdy. Two years of guarantee.",
            "Made in small batches in our workshop.",
            "Light, practical, goes with everything.",
        ),
        "de": (
            "Eigener Entwurf, sorgfältig gearbeitet.",
            "Schlicht und robust, zwei Jahre Garantie.",
        ),
        "ru": ("Собственный дизайн, аккуратная работа.", "Просто и прочно, гарантия два года."),
        "zh": ("原创设计，做工精细。", "轻便耐用，质保两年。"),
    },
}

OTHER_BRANDS: Mapping[str, Sequence[str]] = {
    "bags": ("Ostrava Lane", "Fjordmark", "Bellwether", ""),
    "shoes": ("Trampelo", "Fjordmark", "Hazelgate", ""),
    "watches": ("Ticksmith", "Orrery", ""),
    "audio": ("Sonoria", "Wavelet", ""),
    "power": ("Amperine", "Joulebox", ""),
    "home": ("Nordstue", "Clayhouse", ""),
    "toys": ("Pipsqueak", "Modelwerk", ""),
}
"""Invented brands that nobody here has registered; the empty one is none."""

EXTRAS: Mapping[str, Sequence[str]] = {
    "toy-car": (
        "1:1 scale dashboard badge, 1:18 scale body.",
        "Detailed 1:43 model, mirror finish.",
    ),
    "lamp": ("AAA batteries included.", "Takes three AAA batteries, 300 lumens."),
    "speaker": ("Remote control with AAA batteries included.",),
    "guitar": ("Tuner with one AAA battery. Replica of an instrument from 1910.",),
    "teapot": ("Museum replica of a Chinese form, made with permission.",),
    "headphones": ("Remote with AAA batteries included.",),
    "umbrella": ("Print copied from our own watercolour.", "1:1 scale print of a fern leaf."),
}
"""Honest sentences with words that a careless lexicon takes for a confession."""

COMPATIBLE: Mapping[str, Sequence[str]] = {
    "en": (
        "{N} compatible with {b} {l}, third party",
        "{N} for {b} {l} – fits, not made by {b}",
        "Replacement {n} fits {b} {l}",
    ),
    "de": ("{n} passend für {b} {l}",),
    "ru": ("{n}, совместим с {b} {l}",),
    "zh": ("{n} 适用于 {b} {l}",),
}

SPECS: Mapping[str, Sequence[str]] = {
    "bags": ("Calf leather", "Canvas", "Polyurethane", "Nylon"),
    "shoes": ("Suede", "Leather", "Mesh", "Synthetic"),
    "watches": ("Stainless steel", "Leather strap", "Alloy"),
    "audio": ("ABS", "Aluminium", "Recycled plastic"),
    "power": ("Aluminium", "ABS"),
    "home": ("Stoneware", "Oak", "Linen", "Steel"),
    "toys": ("Beech", "Die-cast metal", "ABS"),
}
"""What goods of a category are made of."""


def language(random: Random) -> str:
    """Mostly English."""
    return random.choices(LANGUAGES, weights=(64, 14, 11, 11))[0]


def filled(
    template: str, *, brand: str, line: str, sort: str, colour: str, lang: str, pieces: int = 1
) -> str:
    """A template with its gaps filled and its first letter upper case."""
    noun, tint = NOUNS[sort][lang], COLOURS[colour][lang]
    text = template.format(
        b=brand,
        l=line,
        n=noun,
        N=noun[0].upper() + noun[1:],
        c=tint,
        C=tint.capitalize(),
        q=pieces,
    )
    text = " ".join(text.split())
    return text[0].upper() + text[1:]
