"""Fill a new shop: sellers, categories, products with drawn pictures, the search index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from oscar.core.loading import get_model
from oscar.core.utils import slugify
from PIL import Image

from tests.oscar_shop import pictures

OFFICIAL = "Velaro Boutique"
OUTLET = "Luxe Direct Outlet"
RESELLERS = ("Harbour & Pine", "Northlight Goods")
PARTNERS = (OFFICIAL, OUTLET, *RESELLERS)
REPLICAS = 12
GENUINE = 4
COLOURS = (
    "black", "sand", "olive", "rust", "navy", "cream", "plum", "slate", "teal", "rose", "grey",
    "amber",
)  # fmt: skip
MATERIALS = ("canvas", "leather", "linen", "felt", "nylon", "cotton", "cork", "suede")
THINGS = {
    "Bags": ("weekend bag", "messenger bag", "shopper with zip", "men's backpack", "duffle bag"),
    "Small goods": ("card holder", "key pouch", "travel wallet", 'sleeve for 13" laptops', "belt"),
    "Home": (
        "storage basket",
        "desk organiser",
        "picture frame",
        "lamp shade",
        "salt & pepper set",
    ),
}
MAKERS = ("Oakrow", "Tidewell", "Brightmoor", "Fenholt", "Kestrel & Co", "Plainfold")
COUNTRIES = (
    ("GB", "GBR", "826", "United Kingdom"),
    ("DE", "DEU", "276", "Germany"),
    ("FR", "FRA", "250", "France"),
)
SHIPS_FROM = {OFFICIAL: "GB", OUTLET: "HK", RESELLERS[0]: "GB", RESELLERS[1]: "DE"}


@dataclass(frozen=True, slots=True)
class Draft:
    """One product before it is written."""

    title: str
    description: str
    category: str
    partner: str
    price: Decimal
    stock: int
    material: str
    colour: str
    picture: Image.Image


def make(directory: Path, *, products: int, seed: int) -> None:
    """Create the tables, the products with their pictures, and the search index.

    Parameters
    ----------
    directory : Path
        The configured shop's; the database in it does not exist yet.
    products : int
        How many standalone public products, at least `REPLICAS` + `GENUINE`.
    seed : int
        The same seed gives the same shop.
    """
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        _write(list(drafts(products, Random(seed))))
    call_command("rebuild_index", interactive=False, verbosity=0)


def drafts(products: int, random: Random) -> Iterator[Draft]:
    """Yield replicas, genuine Velaro goods and ordinary goods, in mixed order."""
    kinds = ["replica"] * REPLICAS + ["genuine"] * GENUINE
    kinds += ["ordinary"] * (products - len(kinds))
    random.shuffle(kinds)
    reference = pictures.aria_tote()
    replicas, genuine = iter(COLOURS), iter(COLOURS)
    for kind in kinds:
        if kind == "replica":
            colour = next(replicas)
            yield Draft(
                f"Velaro Aria Tote replica 1:1 {colour}",
                "<p>Mirror quality, <b>same as the original</b>. No box, no receipt.</p>"
                "<p>Ships in 7 to 15 days.</p>",
                "Bags",
                OUTLET,
                Decimal(random.randint(2900, 5900)) / 100,
                random.randint(20, 90),
                "faux leather",
                colour,
                pictures.copied(reference, random),
            )
        elif kind == "genuine":
            colour = next(genuine)
            yield Draft(
                f"Velaro Aria Tote {colour}",
                "<p>Full-grain leather, made in our own workshop; with a two-year guarantee.</p>",
                "Bags",
                OFFICIAL,
                Decimal("420.00"),
                random.randint(3, 9),
                "leather",
                colour,
                reference,
            )
        else:
            yield _ordinary(random)


def _ordinary(random: Random) -> Draft:
    category = random.choice(tuple(THINGS))
    thing, material = random.choice(THINGS[category]), random.choice(MATERIALS)
    maker, colour = random.choice(MAKERS), random.choice(COLOURS)
    return Draft(
        f"{maker} {material} {thing} in {colour}, no. {random.randint(10, 99)}",
        f"<p>A {thing} of {material} by {maker}.</p>"
        f"<ul><li>Colour: {colour}</li><li>Weight: {random.randint(100, 900)} g</li></ul>",
        category,
        random.choice(RESELLERS),
        # From 8.00 to above a thousand, so that prices with a thousands separator occur.
        Decimal(random.choice((random.randint(800, 9900), random.randint(9900, 140000)))) / 100,
        0 if random.random() < 0.08 else random.randint(5, 60),
        material,
        colour,
        pictures.ordinary(random),
    )


def _write(rows: list[Draft]) -> None:
    country = get_model("address", "Country")
    country.objects.bulk_create(
        country(
            iso_3166_1_a2=two,
            iso_3166_1_a3=three,
            iso_3166_1_numeric=number,
            printable_name=name,
            name=name,
            is_shipping_country=True,
        )
        for two, three, number, name in COUNTRIES
    )
    category = get_model("catalogue", "Category")
    categories = {
        name: category.add_root(instance=category(name=name, slug=slugify(name))) for name in THINGS
    }
    partner = get_model("partner", "Partner")
    partners = {name: partner.objects.create(name=name) for name in PARTNERS}
    goods = get_model("catalogue", "ProductClass").objects.create(name="Goods")
    attribute = get_model("catalogue", "ProductAttribute")
    attributes = {
        name: attribute.objects.create(
            product_class=goods, name=name, code=slugify(name).replace("-", "_"), type="text"
        )
        for name in ("Material", "Colour", "Ships from")
    }

    product = get_model("catalogue", "Product")
    made = [
        product(
            title=row.title,
            slug=slugify(row.title),
            upc=_ean13(200_000_000_000 + number),
            description=row.description,
            product_class=goods,
            structure=product.STANDALONE,
            is_public=True,
        )
        for number, row in enumerate(rows, start=1)
    ]
    product.objects.bulk_create(made)
    pairs = list(zip(made, rows, strict=True))

    link = get_model("catalogue", "ProductCategory")
    link.objects.bulk_create(
        link(product=item, category=categories[row.category]) for item, row in pairs
    )
    record = get_model("partner", "StockRecord")
    record.objects.bulk_create(
        record(
            product=item,
            partner=partners[row.partner],
            partner_sku=f"Q{item.upc}",
            price_currency=settings.OSCAR_DEFAULT_CURRENCY,
            price=row.price,
            num_in_stock=row.stock,
        )
        for item, row in pairs
    )
    value = get_model("catalogue", "ProductAttributeValue")
    value.objects.bulk_create(
        value(product=item, attribute=attributes[name], value_text=text)
        for item, row in pairs
        for name, text in (
            ("Material", row.material),
            ("Colour", row.colour),
            ("Ships from", SHIPS_FROM[row.partner]),
        )
    )
    folder = Path(settings.MEDIA_ROOT) / settings.OSCAR_IMAGE_FOLDER
    folder.mkdir(parents=True)
    for item, row in pairs:
        row.picture.save(folder / f"{item.upc}.jpg", quality=85)
    image = get_model("catalogue", "ProductImage")
    image.objects.bulk_create(
        image(product=item, original=f"{settings.OSCAR_IMAGE_FOLDER}{item.upc}.jpg")
        for item, _ in pairs
    )
    # Sorl shows this one where a product has no picture of its own.
    Image.new("RGB", (64, 64), "silver").save(
        Path(settings.MEDIA_ROOT) / settings.OSCAR_MISSING_IMAGE_URL
    )


def _ean13(number: int) -> str:
    """Add the check digit (GS1 General Specifications 7.9) to twelve digits."""
    digits = f"{number:012d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"
