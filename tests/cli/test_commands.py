"""Commands that need no marketplace: help, init, doctor, lists."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.cli.app import app
from registry.errors import TouchstoneError
from tests.cli.conftest import Touchstone

COMMANDS = [
    (),
    ("init",), ("doctor",), ("watch",), ("queue",), ("work",), ("serve",),
    ("brand", "add"), ("brand", "list"), ("brand", "show"),
    ("plan", "add"), ("plan", "list"),
    ("marketplace", "list"), ("marketplace", "mode"),
    ("evidence", "list"), ("evidence", "export"), ("evidence", "verify"),
    ("purchase", "list"), ("purchase", "approve"), ("purchase", "reject"),
    ("purchase", "settle"), ("purchase", "assign"), ("purchase", "request"), ("purchase", "draw"),
    ("purchase", "estimate"),
    ("purchase", "task"), ("purchase", "file"), ("purchase", "tell"),
    ("purchase", "reconcile"), ("purchase", "mail"), ("purchase", "message"),
    ("purchase", "show"), ("purchase", "deadline"), ("persona", "mailbox"),
    ("people", "add"), ("people", "list"), ("people", "change"), ("people", "code"),
    ("persona", "add"), ("persona", "example"), ("persona", "list"), ("persona", "retire"),
    ("secret", "set"), ("money", "balance"), ("money", "show"), ("money", "limits"),
    ("money", "limit"), ("exam", "list"), ("exam", "confirm"), ("exam", "form"),
    ("exam", "report"), ("exam", "verdict"), ("exam", "feature"), ("exam", "examiners"),
    ("exam", "agreement"),
    ("job", "list"), ("job", "requeue"),
    ("evidence", "stamp"), ("evidence", "delete"),
    ("case", "open"), ("case", "list"), ("case", "show"), ("case", "add"), ("case", "file"),
    ("case", "hold"), ("case", "release"), ("case", "retain"), ("case", "event"),
    ("ledger", "list"), ("ledger", "verify"), ("ledger", "prove"), ("ledger", "checkpoint"),
    ("key", "show"), ("key", "list"), ("key", "rotate"), ("key", "export"),
    ("match", "title"), ("match", "picture"), ("match", "words"), ("match", "replay"),
    ("match", "learn"), ("match", "models"), ("match", "use"), ("match", "index"), ("verdict",),
    ("marketplace", "check"), ("marketplace", "new"), ("watch", "run"), ("watch", "stop"),
    ("schedule", "list"), ("schedule", "preview"), ("schedule", "pause"), ("schedule", "resume"),
    ("scheduler",), ("sample", "freeze"), ("sample", "draw"), ("sample", "verify"),
    ("sample", "show"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_examples(command: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, [*command, "--help"])
    assert said.exit_code == 0, said.output
    assert ("Example" if command else "Start") in said.output


@pytest.mark.parametrize(
    "command",
    [("brand", "list"), ("plan", "list"), ("queue",), ("evidence", "list"), ("purchase", "list")],
    ids=" ".join,
)
def test_an_empty_installation_lists_nothing(
    touchstone: Touchstone, command: tuple[str, ...]
) -> None:
    assert touchstone(*command, "--json").json == []
    assert touchstone(*command).out.strip()


def test_init_then_doctor(touchstone: Touchstone, data_dir: Path) -> None:
    before = touchstone("doctor", "--json")
    assert before.code == 1
    assert {f["part"] for f in before.json if not f["ok"]} >= {"data directory", "database"}
    for _ in range(2):
        assert touchstone("init", "--json").json["data_dir"] == str(data_dir)
    after = touchstone("doctor", "--json")
    assert [f for f in after.json if not f["ok"]] == []
    assert after.code == 0


def test_doctor_says_what_to_do(touchstone: Touchstone, tmp_path: Path) -> None:
    assert touchstone("init").code == 0
    said = touchstone(
        "doctor",
        "--json",
        TOUCHSTONE_BROWSER="/no/such/browser",
        TOUCHSTONE_BROKER_URL="redis://127.0.0.1:1/0",
        TOUCHSTONE_EVIDENCE_STORE_URL="file:///proc/no",
        TOUCHSTONE_EMBEDDING_MODEL=str(tmp_path / "none.onnx"),
    )
    faults = {f["part"]: f["detail"] + f["remedy"] for f in said.json if not f["ok"]}
    assert set(faults) == {"browser", "broker", "evidence store", "picture model"}
    assert "none.onnx" in faults["picture model"]
    assert "TOUCHSTONE_EMBEDDING_MODEL" in faults["picture model"]
    assert "TOUCHSTONE_BROWSER" in faults["browser"]
    assert "TOUCHSTONE_EVIDENCE_STORE_URL" in faults["evidence store"]


def test_the_signing_key(
    touchstone: Touchstone, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = touchstone("init", "--json").json["key_id"]
    monkeypatch.setenv("TOUCHSTONE_DATA_DIR", str(data_dir))

    def key(*arguments: object) -> Any:
        said = CliRunner().invoke(app, ["key", *map(str, arguments), "--json"])
        if said.exception is not None:
            raise said.exception
        return json.loads(said.stdout)

    assert key("show")["key_id"] == first
    second = key("rotate")["key_id"]
    uses = {row["key_id"]: row["current"] for row in key("list")}
    assert uses == {first: False, second: True}
    entry = touchstone("ledger", "list", "--event", "key_rotated", "--json").json[0]
    assert entry["subject"] == f"key:{second}"
    assert entry["details"] == {"replaces": first}
    file = tmp_path / "old.pem"
    key("export", file, "--key", first)
    assert file.read_text() == (data_dir / "keys" / f"{first}.pub.pem").read_text()
    for arguments, says in ((("export", file), "already"), (("export", "x", "--key", "y"), "list")):
        with pytest.raises(TouchstoneError, match=says):
            key(*arguments)
    (data_dir / "keys" / f"{second}.pem").chmod(0o640)
    assert "chmod 600" in touchstone("key", "show").one_clear_line()
    monkeypatch.setenv("TOUCHSTONE_SIGNER", "exec:/no/such/signer")
    for command in ("show", "rotate"):
        with pytest.raises(TouchstoneError, match="signer"):
            key(command)


def test_a_command_starts_without_the_heavy_parts() -> None:
    heavy = ("matchers", "cv2", "faiss", "numpy", "scrapy", "playwright", "dramatiq")
    code = f"import sys, console.cli.app; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
