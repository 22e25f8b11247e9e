"""A purchase by hand from proposal to verdict, by the command alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from console.cli.app import app
from purchases import proposals
from purchases.personas import EXAMPLE
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Assessment
from registry.settings import Settings
from tests.purchases.conftest import flagged
from tests.purchases.staff import STAFF


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TOUCHSTONE_DATA_DIR", str(tmp_path / "data"))
    return Settings(data_dir=tmp_path / "data")


def touchstone(*arguments: object, given: str | None = None) -> Any:
    said = CliRunner().invoke(app, [*map(str, arguments), "--json"], input=given)
    if said.exception is not None:
        raise said.exception
    return json.loads(said.stdout) if said.stdout else None


def text(*arguments: object) -> str:
    said = CliRunner().invoke(app, list(map(str, arguments)))
    if said.exception is not None:
        raise said.exception
    return said.stdout


def test_from_proposal_to_verdict_by_the_command(settings: Settings, tmp_path: Path) -> None:
    touchstone("init")
    database = Database(settings.database)
    assessment_id = flagged(database)
    with database.writing() as session:
        made = proposals.propose(session, session.get_one(Assessment, assessment_id))
        assert made is not None
        number = made.id
    database.close()

    for name, role in STAFF.items():
        touchstone("people", "add", name, "--role", role)
    assert [row["name"] for row in touchstone("people", "list")] == sorted(STAFF)
    with pytest.raises(TouchstoneError, match="no role"):
        touchstone("people", "add", "X", "--role", "king")
    with pytest.raises(TouchstoneError, match="finance"):
        touchstone("secret", "set", "card-7", "--by", "Bea Buyer", given="4929")
    touchstone("secret", "set", "card-7", "--by", "Finn Finance", given="4929 1234\n")
    file = tmp_path / "persona.yaml"
    file.write_text(text("persona", "example"), encoding="utf-8")
    assert yaml.safe_load(file.read_text()) == EXAMPLE.model_dump()
    persona = ("persona", "add", file, "--buyer", "Bea Buyer", "--label", "P-1")
    touchstone(*persona, "--secret", "card-7")
    assert touchstone("persona", "list")[0]["secret"] == "card-7"
    touchstone("money", "limit", "month", "60.00 EUR", "--brand", "velaro", "--by", "Finn Finance")
    touchstone("exam", "feature", "velaro", "tell", "a glued seam", "--by", "Ann Admin")

    ada, bea, eve = (("--by", name) for name in ("Ada Lovelace", "Bea Buyer", "Eve Examiner"))
    with pytest.raises(TouchstoneError, match=r"60\.00 EUR left"):
        touchstone("purchase", "approve", number, *ada, "--limit", "60.01 EUR")
    touchstone("purchase", "approve", number, *ada, "--limit", "50.00 EUR")
    assigned = touchstone("purchase", "assign", number, *ada, "--by-hand")
    assert (assigned["state"], assigned["buyer"]) == ("assigned", "Bea Buyer")
    task = touchstone("purchase", "task", number, *bea)
    assert task["persona"] == EXAMPLE.model_dump()
    assert task["means"] == "4929 1234"
    with pytest.raises(TouchstoneError, match="not Ada Lovelace's"):
        touchstone("purchase", "task", number, *ada)

    def tell(to: str, *said: object, by: tuple[str, str] = bea, **details: str) -> str:
        pairs = [
            part for name, value in details.items() for part in ("--detail", f"{name}={value}")
        ]
        state: str = touchstone("purchase", "tell", number, to, *by, *said, *pairs)["state"]
        return state

    def photograph(kind: str, colour: str) -> None:
        path = tmp_path / f"{colour}.png"
        Image.new("RGB", (9, 9), colour).save(path)
        touchstone("purchase", "file", number, path, *bea, "--kind", kind)

    tell("ordering")
    photograph("order", "red")
    tell("ordered", "--order-number", "B-17", "--total", "49.00 EUR")
    tell("paid", "--paid", "49.00 EUR")
    tell("shipped", carrier="DHL", tracking="17")
    photograph("parcel", "green")
    tell(
        "received_sealed", carrier="DHL", tracking="17", place="Bonn", weight="1 kg", seal="S",
        sender_address="Yiwu", postmark="Yiwu",
    )  # fmt: skip
    photograph("opening", "blue")
    tell("opened", place="Bonn", seal_intact="yes", contents="tote")
    photograph("item", "white")
    sent = tell(
        "sent_to_examiner", "--examiner", "Eve Examiner", method="courier", place="Bonn", seal="2"
    )
    assert sent == "sent_to_examiner"

    (waiting,) = touchstone("exam", "list", *eve)
    assert {"score", "arm", "limit", "seller"}.isdisjoint(waiting)
    touchstone("exam", "confirm", number, *eve, "--place", "Lab 2")
    form = yaml.safe_load(text("exam", "form", number, *eve))
    form |= {"method": "eye", "outcome": "counterfeit", "reasons": "glue"}
    form["answers"][0]["seen"] = "yes"
    (tmp_path / "form.yaml").write_text(yaml.safe_dump(form), encoding="utf-8")
    assert touchstone("exam", "report", number, tmp_path / "form.yaml", *eve)["state"] == "examined"
    judged = touchstone("exam", "verdict", number, "counterfeit", *eve, "--grounds", "glue")
    assert (judged["state"], judged["outcome"]) == ("verdict", "counterfeit")
    assert touchstone("exam", "agreement") == {"items": 0, "agreed": 0, "kappa": None}

    found = touchstone("money", "balance")
    assert found["faults"] == []
    assert found["balance"]["EUR"] == {"budget": "-49.00", "reserved": "0.00", "spent": "49.00"}
    assert [one["kind"] for one in touchstone("money", "show")] == ["settle", "reserve"]
    assert touchstone("money", "limits")[0]["used"] == "49.00"
    for command in (
        ("people", "list"), ("persona", "list"), ("money", "balance"), ("money", "show"),
        ("money", "limits"), ("exam", "list", *eve), ("purchase", "list"), ("exam", "agreement"),
    ):  # fmt: skip
        assert text(*command).strip()
    assert "1 Example Street" not in text("purchase", "list")
