"""The synthetic marketplace: the same from the same seed, mixed as promised, truth apart."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

import matchers
from bazaar.world import FAKES, SHARES, make

LISTINGS = 60


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make(folder, 11, LISTINGS, "http://127.0.0.1:8765/")
    return folder


def truth(folder: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((folder / "truth.json").read_text())
    return found["listings"]  # type: ignore[return-value]


def test_the_same_seed_makes_the_same_world(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(tmp_path / name, 3, 14, "http://127.0.0.1:8765/")
    make(tmp_path / "other", 4, 14, "http://127.0.0.1:8765/")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert digest(tmp_path / "one") != digest(tmp_path / "other")


def test_every_kind_is_there_in_its_share(world: Path) -> None:
    kinds = Counter(row["kind"] for row in truth(world).values())
    assert set(kinds) == set(SHARES)
    assert sum(kinds.values()) == LISTINGS
    for kind, share in SHARES.items():
        assert abs(kinds[kind] - share * LISTINGS) <= 2, kind
    assert all(row["is_fake"] == (row["kind"] in FAKES) for row in truth(world).values())


def test_disguises_are_of_many_sorts_and_scripts(world: Path) -> None:
    rows = {r["id"]: r for r in json.loads((world / "world.json").read_text())["listings"]}
    disguised = {k: v for k, v in truth(world).items() if v["kind"] == "disguised_fake"}
    assert len({row["disguise"] for row in disguised.values()}) >= 4
    for number in disguised:
        # That is what makes it disguised: a plain search for the brand does not find it.
        words = rows[number]["title"].casefold().split()
        assert "velaro" not in words
        assert "kestrix" not in words


def test_pictures_differ_enough_for_hashes_to_mean_something(world: Path) -> None:
    pictures = sorted((world / "images").iterdir())
    assert len(pictures) > LISTINGS
    known = [matchers.fingerprint(path.read_bytes()) for path in pictures[:40]]
    exact = {picture.sha256 for picture in known}
    assert len(exact) > 30


def test_nothing_that_is_served_holds_the_truth(world: Path) -> None:
    shown = json.loads((world / "world.json").read_text())
    text = json.dumps(shown)
    for word in ("truth", "is_fake", "disguise", *SHARES):
        assert f'"{word}"' not in text, word
