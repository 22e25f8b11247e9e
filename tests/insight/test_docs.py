"""The examples of docs/matching.md, run in order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import draw, jpeg

DOCS = Path(__file__).parents[2] / "docs" / "matching.md"


def test_every_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "front.jpg").write_bytes(jpeg(1, 500))
    draw(77, 200).save(tmp_path / "logo.png")
    scene = draw(1, 500).crop((30, 30, 470, 470))
    scene.save(tmp_path / "photo.jpg", quality=80)
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^```python\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.S | re.M)
    assert len(examples) == 4
    names: dict[str, Any] = {}
    said = []
    for number, example in enumerate(examples):
        exec(compile(example, f"{DOCS.name}[{number}]", "exec"), names)
        said.append(capsys.readouterr().out)
    assert said[0].startswith("front.jpg ")
    assert (tmp_path / "match.jpg").stat().st_size > 1000
    assert len(names["again"]) == 2
    assert "V3laro" in said[1]
    assert "维*拉*罗" in said[1]
    assert "mirror" in said[2]
    assert names["assessment"].outcome == "flag"
