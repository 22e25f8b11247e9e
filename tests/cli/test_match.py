"""`touchstone match` and `touchstone verdict`: the matchers by hand, without a marketplace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from tests.cli.conftest import Touchstone
from tests.pictures import draw, jpeg

BRAND: dict[str, Any] = {
    "brand": {"slug": "velaro", "name": "Velaro", "owner": "V"},
    "marks": [
        {"text": "VELARO", "office": "EUIPO", "number": "1", "nice_classes": [18]},
        {
            "text": "A drop",
            "office": "EUIPO",
            "number": "2",
            "kind": "figurative",
            "nice_classes": [18],
            "picture": "logo.png",
        },
    ],
    "transliterations": ["维拉罗"],
    "product_words": ["bag", "tote"],
    "products": [
        {
            "sku": "T",
            "name": "Velaro Aria Tote",
            "price_floor": "310 EUR",
            "references": ["a.jpg"],
        },
        {"sku": "B", "name": "Velaro Linea Belt", "references": ["b.jpg"]},
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A brand's file and pictures, and pictures that show them in part."""
    (tmp_path / "a.jpg").write_bytes(jpeg(1, 500))
    (tmp_path / "b.jpg").write_bytes(jpeg(2, 500))
    draw(77, 200).save(tmp_path / "logo.png")
    draw(1, 500).crop((60, 40, 440, 420)).save(tmp_path / "crop.jpg", quality=70)
    scene = draw(5, 600)
    scene.paste(draw(77, 200), (250, 200))
    scene.save(tmp_path / "scene.jpg", quality=85)
    (tmp_path / "stranger.jpg").write_bytes(jpeg(9, 500))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    text = yaml.safe_dump(BRAND, allow_unicode=True)
    (tmp_path / "brand.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def words(terms: Path, titles: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "console.cli", "match", "words", "--terms", str(terms)]
    return subprocess.run([*command, *arguments], input=titles, capture_output=True, check=False)


def test_a_title_is_judged_with_its_words_marked(touchstone: Touchstone, folder: Path) -> None:
    assert touchstone("brand", "add", folder / "brand.yaml").code == 0
    title = "V3laro Aria tote 1:1 replica"
    judge = ("match", "title", title, "--brand", "velaro", "--price", "39.00 EUR")
    said = touchstone(*judge)
    assert said.code == 0, said.err
    assert "[V3laro] Aria tote" in said.out
    assert "flag, counterfeit" in said.out
    found = touchstone(*judge, "--json").json
    assert (found["outcome"], found["kind"]) == ("flag", "counterfeit")
    spans = [span for signal in found["signals"] for span in signal["spans"]]
    assert "V3laro" in {title[span["start"] : span["end"]] for span in spans}
    assert (
        "there are: velaro"
        in touchstone("match", "title", "x", "--brand", "nobody").one_clear_line()
    )
    assert "--price" in touchstone(*judge[:-1], "39").one_clear_line()


def test_a_picture_says_what_it_shows_and_where(touchstone: Touchstone, folder: Path) -> None:
    assert touchstone("brand", "add", folder / "brand.yaml").code == 0
    made = touchstone("match", "index", "--json").json
    assert (made["indexed"], made["pictures"], made["left_out"]) == (3, 3, {})
    drawn = folder / "drawn.png"
    looked = touchstone(
        "match", "picture", folder / "crop.jpg", folder / "scene.jpg", folder / "stranger.jpg",
        "--brand", "velaro", "--outline", drawn, "--json",
    )  # fmt: skip
    assert looked.code == 0, looked.err
    crop, scene, stranger = looked.json
    assert crop["matches"][0]["shows"] == "Velaro Aria Tote"
    assert crop["matches"][0]["reference_outline"]
    assert scene["matches"][0]["kind"] == "logo"
    assert stranger["matches"] == []
    with Image.open(drawn) as picture:
        assert picture.width > picture.height


def test_a_picture_against_files_needs_no_database(
    touchstone: Touchstone, folder: Path, data_dir: Path
) -> None:
    looked = touchstone(
        "match", "picture", folder / "crop.jpg", "--against", folder / "b.jpg",
        "--against", folder / "a.jpg", "--json",
    )  # fmt: skip
    assert [match["shows"] for match in looked.json[0]["matches"]] == [str(folder / "a.jpg")]
    assert not data_dir.exists()


def test_bad_pictures_are_said_and_the_others_looked_at(
    touchstone: Touchstone, folder: Path
) -> None:
    against = ("--against", folder / "a.jpg")
    both = touchstone(
        "match", "picture", folder / "broken.jpg", folder / "crop.jpg", *against, "--json"
    )
    assert both.code == 1
    assert both.json[0]["fault"]
    assert both.json[1]["matches"]
    one = touchstone("match", "picture", folder / "a.jpg", "--against", folder / "broken.jpg")
    assert "broken.jpg" in one.one_clear_line()
    none = touchstone("match", "picture", folder / "none.jpg", *against)
    assert "none.jpg" in none.one_clear_line()
    assert "--against" in touchstone("match", "picture", folder / "a.jpg").one_clear_line()


def test_words_of_a_file_in_titles(folder: Path) -> None:
    terms = folder / "terms.txt"
    terms.write_text("# terms\nVelaro\t18,25\tbag,tote\n维拉罗\n", encoding="utf-8")
    titles = "V3laro tote bag\nred shoes\n维*拉*罗 高仿\n"
    done = words(terms, titles.encode())
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["line"] for row in rows] == [1, 3]
    for row in rows:
        for hit in row["hits"]:
            assert row["text"][hit["start"] : hit["end"]] == hit["matched"]
            assert hit["disguise"]
    assert len(words(terms, titles.encode(), "--all").stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("terms", "titles", "why"),
    [
        ("", b"x\n", "no term"),
        ("Velaro\tbags\n", b"x\n", "line 1: 'bags' are not Nice classes"),
        ("\t18\n", b"x\n", "line 1: there is no term"),
        ("Velaro\n", b"ok\n\xff\n", "line 2: not UTF-8"),
    ],
)
def test_bad_terms_and_titles_are_one_clear_line(
    folder: Path, terms: str, titles: bytes, why: str
) -> None:
    file = folder / "terms.txt"
    file.write_text(terms, encoding="utf-8")
    done = words(file, titles)
    said = done.stderr.decode()
    assert done.returncode == 1
    assert len(said.strip().splitlines()) == 1
    assert why in said


def test_models_and_learning_before_there_are_verdicts(touchstone: Touchstone) -> None:
    (shipped,) = touchstone("match", "models", "--json").json
    assert (shipped["version"], shipped["active"]) == ("shipped", True)
    report = touchstone("match", "learn", "--json").json
    assert not report["replaces"]
    assert "it takes" in report["reason"]
    assert touchstone("match", "use", "shipped").code == 0
    assert "there are: shipped" in touchstone("match", "use", "x").one_clear_line()


def test_ids_that_are_none(touchstone: Touchstone) -> None:
    nobody = "0197c0de-0000-7000-8000-000000000000"
    assert "is not the id" in touchstone("match", "replay", "x").one_clear_line()
    assert "no assessment" in touchstone("match", "replay", nobody).one_clear_line()
    said = touchstone("verdict", nobody, "genuine", "--by", "Ada")
    assert "no assessment" in said.one_clear_line()
