"""Registering a brand from a YAML file: read, check everything, then write at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    ValidationError,
    field_validator,
    model_validator,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.blobs import Blobs
from registry.errors import TouchstoneError
from registry.models import Authorisation, Brand, Mark, Picture, Product, Reference
from registry.money import Money

MAX_FILE_BYTES = 5_000_000
MAX_PICTURE_BYTES = 20_000_000

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
NiceClass = Annotated[int, Field(ge=1, le=45)]


def _money(value: Any) -> Any:
    if value is None or isinstance(value, Money):
        return value
    return Money.parse(str(value))


MoneyText = Annotated[Money, BeforeValidator(_money)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class BrandPart(_Strict):
    slug: Slug
    name: Text
    owner: Text
    website: HttpUrl | None = None


class MarkPart(_Strict):
    text: Text
    office: Annotated[Code, Field(max_length=16)]
    number: Code
    kind: Literal["word", "figurative", "combined", "shape", "other"] = "word"
    nice_classes: list[NiceClass] = Field(min_length=1)
    registered_on: date | None = None
    picture: Text | None = None

    @model_validator(mode="after")
    def _picture(self) -> MarkPart:
        if self.picture is not None and self.kind == "word":
            raise ValueError(
                f"mark {self.office} {self.number}: a word mark has no picture; "
                "say 'kind: figurative' or 'kind: combined'"
            )
        return self


class ProductPart(_Strict):
    sku: Code
    name: Text
    gtin: str | None = None
    nice_class: NiceClass | None = None
    list_price: MoneyText | None = None
    price_floor: MoneyText | None = None
    keywords: list[Text] = []
    references: list[Text] = []

    @field_validator("gtin")
    @classmethod
    def _gtin(cls, value: str | None) -> str | None:
        if value is not None and not gtin_valid(value):
            raise ValueError(f"{value!r} is not a GTIN-8, -12, -13 or -14 with a right check digit")
        return value


class SellerPart(_Strict):
    marketplace: Code
    seller_id: Annotated[Text, Field(max_length=255)]
    name: Text | None = None
    products: Literal["all"] | list[Text] = "all"
    valid_from: date | None = Field(default=None, alias="from")
    valid_until: date | None = Field(default=None, alias="until")

    @model_validator(mode="after")
    def _dates(self) -> SellerPart:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("'until' lies before 'from'")
        return self


class BrandFile(_Strict):
    """The whole file; see docs/brand-file.md."""

    brand: BrandPart
    marks: list[MarkPart] = Field(min_length=1)
    keywords: list[Text] = []
    transliterations: list[Text] = []
    nicknames: list[Text] = []
    product_words: list[Text] = []
    products: list[ProductPart] = Field(min_length=1)
    authorised_sellers: list[SellerPart] = []

    @model_validator(mode="after")
    def _consistent(self) -> BrandFile:
        registrations = [(mark.office, mark.number) for mark in self.marks]
        for office, number in registrations:
            if registrations.count((office, number)) > 1:
                raise ValueError(f"mark {office} {number} stands there twice")
        for name in ("keywords", "transliterations", "nicknames"):
            for word in getattr(self, name):
                if sum(character.isalnum() for character in word) < 2:
                    raise ValueError(
                        f"{name}: {word!r} has fewer than two letters: it would be found everywhere"
                    )
        skus = [product.sku for product in self.products]
        for sku in skus:
            if skus.count(sku) > 1:
                raise ValueError(f"product {sku} stands there twice")
        for seller in self.authorised_sellers:
            if seller.products != "all" and (unknown := set(seller.products) - set(skus)):
                raise ValueError(
                    f"seller {seller.seller_id} is authorised for unknown {sorted(unknown)}"
                )
        return self


def gtin_valid(text: str) -> bool:
    """Whether a text is a GTIN of 8, 12, 13 or 14 digits with its check digit.

    GS1 General Specifications, section 7.9: weights 3 and 1 alternate from the right.
    """
    if len(text) not in (8, 12, 13, 14) or not (text.isascii() and text.isdigit()):
        return False
    digits = [int(character) for character in reversed(text)]
    return sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10 == 0


def load_yaml(path: Path, what: str) -> dict[str, Any]:
    """Load a YAML file that a person wrote.

    Raises
    ------
    TouchstoneError
        One line that names the file and why it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe may never end.
            raise TouchstoneError(f"{path}: cannot read this {what}: it is no regular file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TouchstoneError(f"{path}: larger than {MAX_FILE_BYTES} bytes: no {what}")
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TouchstoneError(f"{path}: cannot read this {what}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TouchstoneError(f"{path}: not UTF-8 at byte {error.start}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be parsed"
        raise TouchstoneError(f"{path}: not YAML:{where} {problem}") from error
    if not isinstance(loaded, dict):
        raise TouchstoneError(f"{path}: a {what} is a mapping of names to values")
    return loaded


def read_yaml(path: Path, model: type[Any], what: str) -> Any:
    """Read a YAML file that a person wrote into a pydantic model.

    Raises
    ------
    TouchstoneError
        One line that names the file, the place in it and what is wrong there.
    """
    loaded = load_yaml(path, what)
    try:
        return model.model_validate(loaded)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        more = error.error_count() - 1
        raise TouchstoneError(
            f"{path}: {place}: {first['msg']}" + (f" (and {more} more)" if more else "")
        ) from error


@dataclass(frozen=True, slots=True)
class Fingerprinted:
    """A registered picture as it goes into the registry.

    Parameters
    ----------
    matcher, traits
        Version of the picture matcher, and what its index needs of the picture.
    """

    data: bytes
    media_type: str
    suffix: str
    sha256: str
    fingerprint: dict[str, Any]
    matcher: str | None = None
    traits: bytes | None = None


def read_pictures(
    file: BrandFile, folder: Path, fingerprint: Callable[[bytes], Fingerprinted]
) -> dict[str, Fingerprinted]:
    """Read every picture that a brand file names, by its name there.

    Parameters
    ----------
    folder
        What the names are relative to.
    fingerprint
        How the matchers see a picture; given by the caller, for they live a floor above.
        Its ValueError says what is wrong with the picture.

    Raises
    ------
    TouchstoneError
        Naming the picture that is missing, too large or not a picture.
    """
    pictures: dict[str, Fingerprinted] = {}
    for name, whose in named_pictures(file):
        if name in pictures:
            continue
        path = folder / name
        try:
            if path.exists() and not path.is_file():
                raise TouchstoneError(f"{path}: it is no regular file")
            if path.stat().st_size > MAX_PICTURE_BYTES:
                raise TouchstoneError(f"{path}: larger than {MAX_PICTURE_BYTES} bytes")
            pictures[name] = fingerprint(path.read_bytes())
        except OSError as error:
            raise TouchstoneError(f"{path}: {whose}: {error.strerror}") from error
        except ValueError as error:
            raise TouchstoneError(f"{path}: {whose}: {error}") from error
    return pictures


def named_pictures(file: BrandFile) -> list[tuple[str, str]]:
    """The pictures that a brand file names, in order, and in words whose each is."""
    marks = [
        (mark.picture, f"picture of the mark {mark.office} {mark.number}")
        for mark in file.marks
        if mark.picture is not None
    ]
    references = [
        (name, f"reference picture of {product.sku}")
        for product in file.products
        for name in product.references
    ]
    return marks + references


def register(
    session: Session, blobs: Blobs, file: BrandFile, pictures: dict[str, Fingerprinted]
) -> tuple[Brand, bool]:
    """Write a brand, or bring a registered one to what the file says.

    Marks, products and authorisations that the file no longer names are taken away unless
    an assessment points at them.

    Returns
    -------
    Brand, bool
        The brand, and whether it is new.
    """
    part = file.brand
    brand = session.scalar(select(Brand).where(Brand.slug == part.slug))
    new = brand is None
    if brand is None:
        brand = Brand(slug=part.slug)
        session.add(brand)
    brand.name, brand.owner = part.name, part.owner
    brand.website = str(part.website) if part.website else None
    brand.keywords = list(file.keywords)
    brand.transliterations, brand.nicknames = list(file.transliterations), list(file.nicknames)
    brand.product_words = list(file.product_words)

    rows = {name: _picture(session, blobs, picture) for name, picture in pictures.items()}
    marks = {(mark.office, mark.number): mark for mark in brand.marks}
    brand.marks = [_mark(marks.get((p.office, p.number)) or Mark(), p, rows) for p in file.marks]
    products = {product.sku: product for product in brand.products}
    kept = [_product(products.get(p.sku) or Product(), p) for p in file.products]
    for product, described in zip(kept, file.products, strict=True):
        _references(product, [rows[name] for name in described.references])
    brand.products = kept
    brand.authorisations = [
        Authorisation(
            marketplace=seller.marketplace,
            seller_id=seller.seller_id,
            seller_name=seller.name,
            skus=None if seller.products == "all" else list(seller.products),
            valid_from=seller.valid_from,
            valid_until=seller.valid_until,
        )
        for seller in file.authorised_sellers
    ]
    session.flush()
    return brand, new


def _mark(mark: Mark, part: MarkPart, pictures: dict[str, Picture]) -> Mark:
    mark.text, mark.office, mark.number = part.text, part.office, part.number
    mark.kind, mark.nice_classes = part.kind, list(part.nice_classes)
    mark.registered_on = part.registered_on
    mark.picture = pictures[part.picture] if part.picture is not None else None
    return mark


def _product(product: Product, part: ProductPart) -> Product:
    product.sku, product.name, product.gtin = part.sku, part.name, part.gtin
    product.nice_class, product.keywords = part.nice_class, list(part.keywords)
    asked, floor = part.list_price, part.price_floor
    product.list_amount = asked.amount if asked else None
    product.list_currency = asked.currency if asked else None
    product.floor_amount = floor.amount if floor else None
    product.floor_currency = floor.currency if floor else None
    return product


def _picture(session: Session, blobs: Blobs, picture: Fingerprinted) -> Picture:
    """The row of a registered picture; one that a listing showed first gets its traits."""
    row = session.get(Picture, picture.sha256)
    if row is None:
        row = Picture(
            sha256=picture.sha256,
            blob=blobs.put_bytes(picture.data, picture.suffix),
            media_type=picture.media_type,
        )
        session.add(row)
    if picture.matcher is None or row.matcher != picture.matcher or row.traits is None:
        row.fingerprint, row.matcher = picture.fingerprint, picture.matcher
        row.traits = picture.traits
    session.flush()
    return row


def _references(product: Product, pictures: list[Picture]) -> None:
    known = {reference.sha256: reference for reference in product.references}
    wanted: dict[str, Reference] = {}
    for picture in pictures:
        reference = wanted.get(picture.sha256) or known.get(picture.sha256) or Reference()
        reference.sha256 = picture.sha256
        wanted[picture.sha256] = reference
    for position, reference in enumerate(wanted.values()):
        reference.position = position
    product.references = list(wanted.values())
