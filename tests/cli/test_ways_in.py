"""`touchstone plan`, `leads` and `tips` as people call them."""

from __future__ import annotations

from pathlib import Path

import yaml

from registry.database import Database
from registry.models import Brand, Mark, Product, Tip
from registry.settings import Settings
from tests.cli.conftest import Touchstone

PLAN = """
name: velaro-world
brand: velaro
products: [T]
marketplaces:
  - {name: bazaar, kind: bazaar, url: "http://127.0.0.1:9/", browse: /c/bags}
  - {name: taobao, kind: taobao, url: "https://www.taobao.com/", languages: [zh]}
queries: {given: velaro, generate: 12}
schedule: "@daily"
"""


def installed(data_dir: Path) -> Database:
    data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(Settings(data_dir=data_dir).database)
    database.migrate()
    with database.writing() as session:
        brand = Brand(slug="velaro", name="Velaro", owner="V", transliterations=["维拉罗"])
        brand.marks = [
            Mark(text="VELARO", office="EUIPO", number="1", kind="word", nice_classes=[18])
        ]
        brand.products = [Product(sku="T", name="Velaro Aria Tote")]
        session.add(brand)
    return database


def test_plans(touchstone: Touchstone, data_dir: Path, tmp_path: Path) -> None:
    installed(data_dir).close()
    file, other = tmp_path / "plan.yaml", tmp_path / "other.yaml"
    file.write_text(PLAN, encoding="utf-8")
    bad = tmp_path / "bad.yaml"
    bad.write_text(PLAN.replace("products: [T]", "produts: [T]").replace("@daily", "@dayly"))
    said = touchstone("plan", "check", bad)
    assert "did you mean 'products'?" in said.out
    assert "2 mistakes" in said.one_clear_line()
    assert touchstone("plan", "add", file, "--json").json["name"] == "velaro-world"
    exported = touchstone("plan", "export", "velaro-world")
    other.write_text(exported.out, encoding="utf-8")
    touchstone("plan", "add", other)
    assert touchstone("plan", "export", "velaro-world").out == exported.out
    assert yaml.safe_load(exported.out)["queries"] == {"given": ["velaro"], "generate": 12}
    rows = touchstone("plan", "queries", "velaro-world", "--json").json
    assert {row["marketplace"] for row in rows} == {"bazaar", "taobao"}
    assert len(rows) == 26
    assert "维拉罗 高仿" in {row["text"] for row in rows if row["marketplace"] == "taobao"}


def test_leads_and_tips(touchstone: Touchstone, data_dir: Path, tmp_path: Path) -> None:
    database = installed(data_dir)
    with database.writing() as session:
        session.add_all([Tip(url="https://www.ebay.de/itm/123456789012", text="fake \x1b[2J"),
                         Tip(url="https://spam.example/", text="buy")])  # fmt: skip
    database.close()
    file = tmp_path / "links.csv"
    file.write_bytes(
        "\ufeffurl;note\nhttps://www.amazon.de/dp/B0CXYZ1234;gefälscht\n"
        "http://169.254.169.254/;x\nhttps://www.amazon.de/dp/B0CXYZ1234?ref=a;again\n".encode()
    )
    said = touchstone("leads", "import", file, "--brand", "velaro")
    assert "1 new leads" in said.out
    assert "1 of the new ones are of no marketplace" in said.out
    assert "line 3: 169.254.169.254 is not a public address" in said.err
    again = touchstone("leads", "import", file, "--json").json
    assert (again["new"], again["known"], again["bad"][0]["line"]) == (0, 2, 3)
    file.write_text("http://user:secret@shop.example/\n")
    none = touchstone("leads", "import", file)
    assert (none.code, "secret" in none.err) == (1, False)
    assert "no row of it can be used" in none.err
    assert touchstone("leads", "import", file, "--json").code == 1
    listed = touchstone("leads", "list", "--state", "waiting", "--json").json
    (lead,) = listed["leads"]
    assert (lead["kind"], lead["note"], lead["source"]) == (
        "amazon", "gefälscht", "links.csv, line 2",
    )  # fmt: skip
    assert "not visited" in touchstone("leads", "refuse", lead["id"], "--why", "ours").out
    refusal = touchstone("leads", "from-page", "http://10.0.0.1/", "--brand", "velaro")
    assert "not a public address" in refusal.one_clear_line()
    first, _ = touchstone("tips", "list", "--json").json
    taken = touchstone("tips", "accept", first["id"], "--json").json
    assert (taken["origin"], taken["context"]) == ("tip", "fake \x1b[2J")
    assert "TOUCHSTONE_PUBLIC_TIPS" in touchstone("tips", "serve").one_clear_line()
