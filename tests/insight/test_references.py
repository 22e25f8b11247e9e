"""The index on disk: made once, shared, made anew when pictures change, safe when torn."""

from __future__ import annotations

import os
import threading
import time
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select

from insight import references
from insight.references import GRACE_SECONDS, key_of, open_index, parts_of
from matchers import pictures
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Brand, Mark, Picture, Product, Reference
from registry.settings import Settings
from tests.insight.shop import picture
from tests.pictures import draw, jpeg


@pytest.fixture(autouse=True)
def _forget() -> None:
    references.forget()


def register(database: Database, blobs: Blobs, *seeds: int, logo: bytes | None = None) -> list[str]:
    """A brand with a product of these pictures; their SHA-256."""
    with database.writing() as session:
        sha256s = [picture(session, blobs, jpeg(seed, 400)) for seed in seeds]
        brand = Brand(slug="v", name="V", owner="V")
        product = Product(sku="T", name="Tote")
        product.references = [Reference(sha256=s, position=n) for n, s in enumerate(sha256s)]
        brand.products = [product]
        if logo is not None:
            mark = Mark(text="x", office="EUIPO", number="1", kind="figurative", nice_classes=[18])
            mark.picture_sha256 = picture(session, blobs, logo)
            brand.marks = [mark]
        session.add(brand)
    return sha256s


def folders(settings: Settings) -> list[Path]:
    return sorted(references.folder_of(settings).iterdir())


def test_without_any_picture_there_is_an_empty_index(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    opened = open_index(database, blobs, settings)
    assert (len(opened.index), opened.pictures) == (0, 0)
    assert opened.index.search(pictures.decode(jpeg(1))) == []


def test_what_is_registered_is_found_and_the_index_made_once(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    one, *_ = register(database, blobs, 1, 2, 3)
    opened = open_index(database, blobs, settings)
    found = opened.index.search(pictures.decode(jpeg(1, 400, quality=50)))
    assert parts_of(found[0].key) == ("reference", one)
    assert open_index(database, blobs, settings) is opened
    references.forget()
    before = opened.folder.stat().st_mtime_ns
    assert open_index(database, blobs, settings).version == opened.version
    assert opened.folder.stat().st_mtime_ns == before
    assert folders(settings) == [opened.folder]


def test_a_registered_logo_is_found_in_a_larger_picture(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    logo = BytesIO()
    draw(77, 200).save(logo, "PNG")
    register(database, blobs, 1, logo=logo.getvalue())
    scene = draw(5, 600)
    scene.paste(draw(77, 200), (250, 200))
    photo = BytesIO()
    scene.save(photo, "JPEG", quality=85)
    found = open_index(database, blobs, settings).index.search(pictures.decode(photo.getvalue()))
    assert [one.kind for one in found] == ["logo"]


def test_a_change_makes_a_new_index_and_takes_the_old_one_away_in_time(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    register(database, blobs, 1, 2)
    first = open_index(database, blobs, settings)
    with database.writing() as session:
        product = session.scalars(select(Product)).one()
        product.references = [
            Reference(sha256=picture(session, blobs, jpeg(9, 400)), position=0),
            product.references[0],
        ]
    second = open_index(database, blobs, settings)
    assert second.version != first.version
    assert len(folders(settings)) == 2, "another process may be about to open it"
    # One that has it open goes on with it.
    assert first.index.search(pictures.decode(jpeg(2, 400)))
    long_ago = time.time() - GRACE_SECONDS - 5
    os.utime(first.folder, (long_ago, long_ago))
    references.forget()
    open_index(database, blobs, settings)
    assert folders(settings) == [second.folder]


def test_a_torn_index_is_made_anew(database: Database, blobs: Blobs, settings: Settings) -> None:
    register(database, blobs, 1, 2)
    opened = open_index(database, blobs, settings)
    references.forget()
    (opened.folder / "index.json").write_text("{", encoding="utf-8")
    again = open_index(database, blobs, settings)
    assert (again.version, len(again.index)) == (opened.version, 2)


def test_many_at_once_make_one(database: Database, blobs: Blobs, settings: Settings) -> None:
    sha256s = register(database, blobs, 1, 2)
    root = references.folder_of(settings)
    made: list[int] = []
    wanted = [("reference", sha256) for sha256 in sorted(sha256s)]

    def build() -> None:
        # Past the lock that keeps the threads of one process apart, as processes are.
        made.append(len(references._open(database, blobs, root, None).index))

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [2] * 4
    assert len(folders(settings)) == 1
    with database.reading() as session:
        assert references.registered(session) == wanted


def test_traits_are_worked_out_from_the_bytes_and_kept(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    kept, gone = register(database, blobs, 1, 2)
    with database.writing() as session:
        for row in session.scalars(select(Picture)):
            row.traits, row.matcher = None, None
        session.get_one(Picture, gone).blob = "00/gone.jpg"
    opened = open_index(database, blobs, settings)
    assert len(opened.index) == 1
    assert opened.left_out.keys() == {gone}
    with database.reading() as session:
        row = session.get_one(Picture, kept)
        assert row.traits
        assert row.matcher == pictures.VERSION


def test_traits_that_are_damaged_leave_the_others(
    database: Database, blobs: Blobs, settings: Settings
) -> None:
    _, damaged = register(database, blobs, 1, 2)
    with database.writing() as session:
        session.get_one(Picture, damaged).traits = b"not these"
    opened = open_index(database, blobs, settings)
    assert len(opened.index) == 1
    assert opened.left_out.keys() == {damaged}


def test_keys_come_back() -> None:
    assert parts_of(key_of("logo", "a" * 64)) == ("logo", "a" * 64)
    assert parts_of(key_of("reference", "b" * 64)) == ("reference", "b" * 64)
