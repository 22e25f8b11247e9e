"""`touchstone case export` and `open-sealed`, as people call them."""

from __future__ import annotations

from pathlib import Path

import yaml

from registry.blobs import open_blobs
from registry.database import Database
from registry.settings import Settings
from tests.cli.conftest import Touchstone
from tests.evidence.matter import BUYER, REFERENCE, make_matter


def test_a_case_goes_into_a_bag_and_what_is_sealed_comes_out(
    touchstone: Touchstone, data_dir: Path, tmp_path: Path
) -> None:
    settings = Settings(data_dir=data_dir)
    database = Database(settings.database)
    database.migrate()
    make_matter(database, open_blobs(settings.evidence_store), settings)
    database.close()
    (data_dir / "persona.yaml").write_text(yaml.safe_dump(BUYER), encoding="utf-8")

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
