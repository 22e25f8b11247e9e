"""Registering a brand: a good file, a changed one, and every way to break one."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from registry.blobs import Blobs, sha256_of
from registry.brandfile import (
    BrandFile,
    Fingerprinted,
    gtin_valid,
    read_pictures,
    read_yaml,
    register,
)
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Authorisation, Brand, Mark, Picture, Product, Reference
from registry.money import Money

GOOD: dict[str, Any] = {
    "brand": {"slug": "velaro", "name": "Velaro", "owner": "Velaro Maison S.A."},
    "marks": [
        {"text": "VELARO", "office": "EUIPO", "number": "018123456", "nice_classes": [14, 18]}
    ],
    "keywords": ["velaro", "веларо", "维拉罗"],
    "products": [
        {
            "sku": "VEL-1",
            "name": "Aria Tote",
            "gtin": "4006381333931",
            "list_price": "480.00 EUR",
            "price_floor": "310.00 EUR",
            "references": ["a.jpg", "b.jpg"],
        },
        {"sku": "VEL-2", "name": "Aria Mini", "references": ["a.jpg"]},
    ],
    "authorised_sellers": [
        {"marketplace": "bazaar", "seller_id": "s-1", "products": "all", "from": "2020-01-01"},
        {"marketplace": "bazaar", "seller_id": "s-2", "products": ["VEL-2"]},
    ],
}


def fingerprint(data: bytes) -> Fingerprinted:
    if data == b"broken":
        raise ValueError("not a picture")
    import hashlib

    return Fingerprinted(data, "image/jpeg", ".jpeg", hashlib.sha256(data).hexdigest(), {"p": 1})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.jpg").write_bytes(b"picture a")
    (tmp_path / "b.jpg").write_bytes(b"picture b")
    return tmp_path


def write(folder: Path, content: Any) -> Path:
    path = folder / "brand.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def add(database: Database, blobs: Blobs, path: Path) -> tuple[Brand, bool]:
    file: BrandFile = read_yaml(path, BrandFile, "brand file")
    pictures = read_pictures(file, path.parent, fingerprint)
    with database.writing() as session:
        return register(session, blobs, file, pictures)


def counts(database: Database) -> dict[str, int]:
    tables = (Brand, Mark, Product, Reference, Picture, Authorisation)
    with database.reading() as session:
        return {
            t.__tablename__: session.scalar(select(func.count()).select_from(t)) or 0
            for t in tables
        }


def test_a_good_file_is_registered_whole(database: Database, blobs: Blobs, folder: Path) -> None:
    _, new = add(database, blobs, write(folder, GOOD))
    assert new
    assert counts(database) == {
        "brands": 1,
        "marks": 1,
        "products": 2,
        "references": 3,
        "pictures": 2,
        "authorisations": 2,
    }
    with database.reading() as session:
        tote = session.scalars(select(Product).where(Product.sku == "VEL-1")).one()
        assert tote.price_floor == Money.parse("310.00 EUR")
        with blobs.open(tote.references[0].picture.blob) as stream:
            assert stream.read() == b"picture a"


def test_again_changes_nothing(database: Database, blobs: Blobs, folder: Path) -> None:
    path = write(folder, GOOD)
    first, _ = add(database, blobs, path)
    before = counts(database)
    second, new = add(database, blobs, path)
    assert (second.id, new) == (first.id, False)
    assert counts(database) == before


def test_a_changed_file_brings_the_brand_up_to_it(
    database: Database, blobs: Blobs, folder: Path
) -> None:
    add(database, blobs, write(folder, GOOD))
    changed = copy.deepcopy(GOOD)
    changed["products"] = [{"sku": "VEL-1", "name": "Tote II", "references": ["b.jpg"]}]
    changed["authorised_sellers"] = []
    add(database, blobs, write(folder, changed))
    with database.reading() as session:
        product = session.scalars(select(Product)).one()
        assert (product.name, product.price_floor) == ("Tote II", None)
        assert [r.position for r in product.references] == [0]
    assert counts(database)["authorisations"] == 0


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("brand.slug", "Not A Slug", "brand.slug"),
        ("brand.owner", "", "brand.owner"),
        ("marks", [], "marks"),
        ("marks.0.nice_classes", [46], "marks.0.nice_classes.0"),
        ("products", [], "products"),
        ("products.0.gtin", "4006381333932", "check digit"),
        ("products.0.price_floor", "310", "310.00 EUR"),
        ("products.0.price_floor", "-1 EUR", "not money"),
        ("products.1.sku", "VEL-1", "twice"),
        ("products.0.references.0", "missing.jpg", "missing.jpg"),
        ("authorised_sellers.1.products", ["VEL-9"], "VEL-9"),
        ("authorised_sellers.0.until", "2019-01-01", "before"),
        ("surprise", 1, "surprise"),
        ("nicknames", "vel", "nicknames"),
        ("nicknames", ["耐"], "fewer than two letters"),
        ("marks.0.picture", "a.jpg", "a word mark has no picture"),
    ],
)
def test_a_broken_file_is_one_line_and_writes_nothing(
    database: Database, blobs: Blobs, folder: Path, path: str, value: Any, said: str
) -> None:
    broken: Any = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place = broken
    for part in parents:
        place = place[int(part)] if part.isdigit() else place[part]
    place[int(last) if last.isdigit() else last] = value
    with pytest.raises(TouchstoneError) as caught:
        add(database, blobs, write(folder, broken))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert set(counts(database).values()) == {0}


def with_logo() -> Any:
    """A brand with a figurative mark, and words in other scripts."""
    content = copy.deepcopy(GOOD)
    content["marks"].append(
        {
            "text": "A falling drop",
            "office": "EUIPO",
            "number": "2",
            "kind": "figurative",
            "nice_classes": [18],
            "picture": "b.jpg",
        }
    )
    content |= {
        "transliterations": ["вeларо", "维拉罗"],
        "nicknames": ["vel"],
        "product_words": ["bag", "包"],
    }
    return content


def test_a_figurative_mark_has_its_picture_and_the_brand_its_words(
    database: Database, blobs: Blobs, folder: Path
) -> None:
    add(database, blobs, write(folder, with_logo()))
    with database.reading() as session:
        brand = session.scalars(select(Brand)).one()
        logo = next(mark for mark in brand.marks if mark.kind == "figurative")
        assert logo.picture is not None
        with blobs.open(logo.picture.blob) as stream:
            assert stream.read() == b"picture b"
        assert brand.transliterations == ["вeларо", "维拉罗"]
        assert (brand.nicknames, brand.product_words) == (["vel"], ["bag", "包"])
    add(database, blobs, write(folder, GOOD))
    with database.reading() as session:
        brand = session.scalars(select(Brand)).one()
        assert [mark.picture_sha256 for mark in brand.marks] == [None]
        assert brand.transliterations == brand.nicknames == brand.product_words == []


def test_a_mark_whose_picture_is_no_picture_is_named(
    database: Database, blobs: Blobs, folder: Path
) -> None:
    content = with_logo()
    content["products"] = [{"sku": sku, "name": "Tote"} for sku in ("VEL-1", "VEL-2")]
    (folder / "b.jpg").write_bytes(b"broken")
    with pytest.raises(TouchstoneError, match=r"b\.jpg.*mark EUIPO 2.*not a picture"):
        add(database, blobs, write(folder, content))


def test_a_picture_that_a_listing_showed_first_gets_its_traits(
    database: Database, blobs: Blobs, folder: Path
) -> None:
    sha256 = sha256_of(folder / "a.jpg")
    with database.writing() as session:
        session.add(
            Picture(sha256=sha256, blob="b", media_type="image/jpeg", fingerprint={}, matcher="1")
        )

    def print_of(data: bytes) -> Fingerprinted:
        return replace(fingerprint(data), matcher="2", traits=b"traits of " + data)

    file: BrandFile = read_yaml(write(folder, GOOD), BrandFile, "brand file")
    pictures = read_pictures(file, folder, print_of)
    with database.writing() as session:
        register(session, blobs, file, pictures)
    with database.reading() as session:
        row = session.get_one(Picture, sha256)
        assert (row.blob, row.matcher, row.fingerprint) == ("b", "2", {"p": 1})
        assert row.traits == b"traits of picture a"


def test_a_reference_that_is_no_picture_is_named(
    database: Database, blobs: Blobs, folder: Path
) -> None:
    (folder / "b.jpg").write_bytes(b"broken")
    with pytest.raises(TouchstoneError, match=r"b\.jpg.*VEL-1.*not a picture"):
        add(database, blobs, write(folder, GOOD))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        (b"brand: [", "not YAML"),
        (b"- a\n- b", "mapping"),
        (b"", "mapping"),
        (b"&a [*a]", "mapping"),
        (b"!!python/object:os.system {}", "not YAML"),
    ],
)
def test_what_is_no_yaml_mapping_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(TouchstoneError, match=said):
        read_yaml(path, BrandFile, "brand file")


@given(st.text(alphabet="0123456789", min_size=7, max_size=13))
def test_gtin_has_exactly_one_right_check_digit(body: str) -> None:
    right = [digit for digit in "0123456789" if gtin_valid(body + digit)]
    assert len(right) == (1 if len(body) + 1 in (8, 12, 13, 14) else 0)


def test_known_gtins() -> None:
    assert gtin_valid("4006381333931")  # GS1's own example of an EAN-13
    assert gtin_valid("73513537")
    assert not gtin_valid("٤٠٠٦٣٨١٣٣٣٩٣١")


def test_blobs_are_written_once(blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "bundle"
    file.write_bytes(b"x" * 3_000_000)
    key = blobs.put_file(file, ".wacz")
    assert sha256_of(file) in key
    assert blobs.put_bytes(b"x" * 3_000_000, ".wacz") == key
    with blobs.open(key) as stream:
        assert stream.read() == file.read_bytes()
    with pytest.raises(FileNotFoundError):
        blobs.open("../../etc/passwd")
