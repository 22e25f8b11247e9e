"""`touchstone case export` and `open-sealed`, as people call them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select, update

from registry.blobs import open_blobs
from registry.database import Database
from registry.models import Persona, Purchase
from registry.settings import Settings
from tests.cli.conftest import Touchstone
from tests.evidence.matter import BUYER, REFERENCE, make_matter


@pytest.fixture(autouse=True)
def matter(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    database = Database(settings.database)
    database.migrate()
    make_matter(database, open_blobs(settings.evidence_store), settings)
    database.close()


def test_a_case_goes_into_a_bag_and_what_is_sealed_comes_out(
    touchstone: Touchstone, data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "persona.yaml").write_text(yaml.safe_dump(BUYER), encoding="utf-8")
    assert touchstone("people", "add", "Bea Buyer", "--role", "buyer").code == 0
    added = touchstone(
        "persona", "add", tmp_path / "persona.yaml", "--buyer", "Bea Buyer", "--label", "P-1"
    )
    assert added.code == 0, added
    database = Database(Settings(data_dir=data_dir).database)
    with database.writing() as session:
        persona = session.scalars(select(Persona.id)).one()
        session.execute(update(Purchase).values(persona_id=persona))
    database.close()

    bag = tmp_path / "case.zip"
    done = touchstone("case", "export", REFERENCE, bag, "--by", "Ada Lovelace", "--json")
    assert done.code == 0, done
    said = done.json
    assert (said["exhibits"], said["sealed"], said["stamps_awaited"]) == (6, 3, 0)
    assert bag.stat().st_size == said["size"]
    assert BUYER["name"].encode() not in bag.read_bytes()
    again = touchstone("case", "export", REFERENCE, bag, "--by", "Ada Lovelace")
    assert again.one_clear_line() == f"touchstone: {bag} is there already: name another file"

    opened = touchstone("case", "open-sealed", bag, "--key", said["key"], "--out", tmp_path / "out")
    assert opened.code == 0, opened
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "003.json", "004.wacz", "006.jpg",
    }  # fmt: skip

    with zipfile.ZipFile(bag) as container:
        container.extractall(tmp_path / "unpacked")
    for number, place in enumerate(("unpacked", f"unpacked/{said['bag']}")):
        there = tmp_path / f"out-{number}"
        again = touchstone(
            "case", "open-sealed", tmp_path / place, "--key", said["key"], "--out", there
        )
        assert again.code == 0, again
        assert {path.read_bytes() for path in there.iterdir()} == {
            path.read_bytes() for path in (tmp_path / "out").iterdir()
        }
    next((tmp_path / "unpacked" / said["bag"] / "data").rglob("*006*")).unlink()
    lacking = touchstone(
        "case", "open-sealed", tmp_path / "unpacked", "--key", said["key"],
        "--out", tmp_path / "out-3",
    )  # fmt: skip
    assert "is missing" in lacking.one_clear_line()


def test_a_full_disk_leaves_no_half_file(touchstone: Touchstone, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    script = (
        f"mount -t tmpfs -o size=4k tmpfs {tmp_path}/stick && "
        f'"$@"; code=$?; ls -A {tmp_path}/stick > {tmp_path}/left; exit $code'
    )
    prefix = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh")
    capture = touchstone("evidence", "list", "--json").json[0]["id"]
    for command in (
        ("evidence", "export", capture, tmp_path / "stick" / "one.wacz"),
        ("case", "export", REFERENCE, tmp_path / "stick" / "case.zip", "--by", "Ada Lovelace"),
    ):
        assert "space" in touchstone(*command, prefix=prefix).one_clear_line()
        assert (tmp_path / "left").read_text() == ""

    bundle = tmp_path / "one.wacz"
    for _ in range(2):
        said = touchstone("evidence", "export", capture, bundle)
        assert bundle.stat().st_size > 4096
    assert "already" in said.one_clear_line()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".part") == []
