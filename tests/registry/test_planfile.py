"""The plan file: many marketplaces, every mistake at once, out and in again the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from console.cli import plans
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Brand, Marketplace, Plan, Product
from registry.planfile import as_file, check_plan, find_plan, read_plan, save_plan
from registry.planparts import PlanFaults, PlanFile

KINDS = {"bazaar": ("pages",), "ebay": ("pages", "api"), "taobao": ("pages",)}
ONE: dict[str, Any] = {
    "name": "p",
    "brand": "velaro",
    "marketplace": {"name": "m", "kind": "bazaar", "url": "http://shop.example/"},
    "queries": ["velaro"],
    "browse": ["/c/bags"],
}
SHOP = {"kind": "bazaar", "url": "http://x.example/"}
MANY: dict[str, Any] = {
    "name": "world",
    "brand": "velaro",
    "products": ["T", 4006381333931, "velaro linea belt"],
    "marketplaces": [
        {"name": "ebay-de", "kind": "ebay", "url": "https://www.ebay.de/", "interface": "api"},
        {
            "name": "taobao",
            "kind": "taobao",
            "url": "https://www.taobao.com/",
            "queries": ["维拉罗 包"],
            "languages": ["zh"],
            "depth": 2,
        },
        {
            "name": "bazaar",
            "kind": "bazaar",
            "url": "http://shop.example/",
            "browse": "/c/bags",
            "robots": {"ignored_by": "Ada Lovelace, bazaar", "why": "they asked us to"},
        },
    ],
    "queries": {"given": ["velaro"], "generate": 40},
    "link_pages": ["https://forum.example/t/17"],
    "depth": 5,
    "schedule": "@daily",
    "time_zone": "Asia/Shanghai",
    "jitter": 60,
    "proxy": "env:EXIT_DE",
    "persona": "anna",
    "user_agent": "Touchstone (+https://velaro.example/bot)",
}

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def house(database: Database) -> Database:
    with database.writing() as session:
        brand = Brand(slug="velaro", name="Velaro", owner="V")
        brand.products = [
            Product(sku="T", name="Velaro Aria Tote", gtin="4006381333931"),
            Product(sku="B", name="Velaro Linea Belt"),
        ]
        session.add(brand)
    return database


def write(tmp_path: Path, said: dict[str, Any]) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return path


def save(database: Database, path: Path) -> dict[str, Any]:
    with database.writing() as session:
        return as_file(save_plan(session, read_plan(path), KINDS))


def test_many_marketplaces_go_in_and_come_out_again(house: Database, tmp_path: Path) -> None:
    said = save(house, write(tmp_path, MANY))
    assert [part["name"] for part in said["marketplaces"]] == ["ebay-de", "taobao", "bazaar"]
    assert said["products"] == ["T", "B"]
    assert said["queries"] == {"given": ["velaro"], "generate": 40}
    assert said["marketplaces"][1] == MANY["marketplaces"][1]
    assert said["marketplaces"][2]["robots"]["ignored_by"] == "Ada Lovelace, bazaar"
    for name in ("depth", "jitter", "proxy", "persona", "user_agent", "time_zone", "link_pages"):
        assert said[name] == MANY[name]
    assert save(house, write(tmp_path, said)) == said
    with house.reading() as session:
        plan = find_plan(session, "world")
        places = {place.marketplace.name: place for place in plan.places}
        assert places["ebay-de"].queries is None
        assert places["taobao"].queries == ["维拉罗 包"]
        assert places["bazaar"].browse == ["/c/bags"]
        assert plan.next_due_at is not None


def test_a_file_for_one_marketplace_goes_on_working(house: Database, tmp_path: Path) -> None:
    said = save(house, write(tmp_path, ONE))
    assert said["marketplaces"] == [ONE["marketplace"]]
    assert save(house, write(tmp_path, said)) == said
    # A marketplace under watch is named by its name alone.
    by_name = {**ONE, "name": "q", "marketplaces": ["m"]}
    del by_name["marketplace"]
    assert save(house, write(tmp_path, by_name))["marketplaces"] == [ONE["marketplace"]]


def test_marketplaces_come_and_go(house: Database, tmp_path: Path) -> None:
    save(house, write(tmp_path, MANY))
    fewer = {**MANY, "marketplaces": [MANY["marketplaces"][2], MANY["marketplaces"][0]]}
    said = save(house, write(tmp_path, fewer))
    assert [part["name"] for part in said["marketplaces"]] == ["bazaar", "ebay-de"]
    with house.reading() as session:
        assert session.query(Marketplace).count() == 3


@on_sqlite
def test_another_address_keeps_nothing_that_was_allowed(house: Database, tmp_path: Path) -> None:
    save(house, write(tmp_path, MANY))
    with house.writing() as session:
        bazaar = session.query(Marketplace).filter_by(name="bazaar").one()
        bazaar.mode, bazaar.mode_by = "automatic", "Ann Admin"
    part = {**MANY["marketplaces"][2], "url": "http://other.example/"}
    del part["robots"]
    save(house, write(tmp_path, {**MANY, "marketplaces": [part]}))
    with house.reading() as session:
        bazaar = session.query(Marketplace).filter_by(name="bazaar").one()
        assert (bazaar.mode, bazaar.mode_by) == ("rehearse", None)
        assert bazaar.robots_ignored_by is None
        assert bazaar.robots_at is None


@on_sqlite
def test_the_word_on_robots_is_taken_back(house: Database, tmp_path: Path) -> None:
    save(house, write(tmp_path, MANY))
    part = {**MANY["marketplaces"][2], "robots": "obey"}
    save(house, write(tmp_path, {**MANY, "marketplaces": [part]}))
    with house.reading() as session:
        bazaar = session.query(Marketplace).filter_by(name="bazaar").one()
        assert bazaar.robots_ignored_by is None


@on_sqlite
def test_every_mistake_is_named_at_once(house: Database, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {
            "name": "No Slug!",
            "brand": "nobody",
            "marketplaces": [
                {"name": "a", "kind": "ebya", "url": "https://a.example/", "quieries": ["x"]},
                {"name": "a", "kind": "bazaar", "url": "not a url", "browse": ["/"]},
                {"name": "b", "kind": "bazaar", "url": "http://b.example/", "interface": "api"},
                {"name": "c", "kind": "bazaar", "queries": ["x"], "robots": {"why": "because"}},
                "unknown-one",
            ],
            "queries": {"generate": 40_000, "gvien": []},
            "threshold": 7,
            "schedule": ["0 25 * * *"],
            "proxy": "http://user:secret@proxy.example:3128",
            "max_pages": "many",
            "colour": "red",
        },
    )
    with house.reading() as session:
        faults = {fault.place: fault.what for fault in check_plan(session, path, KINDS)}
    assert set(faults) == {
        "name", "brand", "marketplaces[0].kind", "marketplaces[0].quieries",
        "marketplaces[1].name", "marketplaces[1].url", "marketplaces[2].interface",
        "marketplaces[3].url", "marketplaces[3].robots.ignored_by", "marketplaces[4]",
        "queries.generate", "queries.gvien", "threshold", "schedule", "proxy", "max_pages",
        "colour",
    }  # fmt: skip
    assert "'touchstone brand add FILE'" in faults["brand"]
    assert faults["marketplaces[0].quieries"] == "there is no such field: did you mean 'queries'?"
    assert faults["queries.gvien"] == "there is no such field: did you mean 'given'?"
    assert faults["schedule"] == "hour: 25 is not in 0–23"
    assert "secret" not in str(faults)
    with pytest.raises(PlanFaults) as caught:
        read_plan(path)
    assert "\n" not in str(caught.value)
    assert len(caught.value.faults) == 13


@on_sqlite
@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"products": ["X", "T"]}, "products[0]", "'X' is no SKU, GTIN or name"),
        ({"marketplace": None}, "marketplaces", "is missing"),
        ({"marketplaces": [{"name": "x", **SHOP}]}, "marketplaces", "no more"),
        ({"queries": [], "browse": []}, "marketplace", "looks at nothing"),
        ({"queries": ["ok", ""]}, "queries[1]", "at least 1 character"),
        ({"jitter": 5}, "jitter", "there is none"),
        ({"user_agent": "a\nb"}, "user_agent", "one line"),
        ({"link_pages": ["file:///etc/passwd"]}, "link_pages[0]", "scheme"),
        ({"marketplace": {"name": "m", "kind": "bazaar"}}, "marketplace.url", "is missing"),
    ],
)
def test_a_mistake_has_its_place(
    house: Database, tmp_path: Path, changes: dict[str, Any], place: str, said: str
) -> None:
    path = write(tmp_path, {**ONE, **changes})
    with house.reading() as session:
        faults = {fault.place: fault.what for fault in check_plan(session, path, KINDS)}
    assert list(faults) == [place]
    assert said in faults[place]


@on_sqlite
def test_a_name_that_stands_for_another_kind(house: Database, tmp_path: Path) -> None:
    save(house, write(tmp_path, ONE))
    path = write(
        tmp_path,
        {**ONE, "marketplace": {"name": "m", "kind": "ebay", "url": "https://www.ebay.de/"}},
    )
    with pytest.raises(TouchstoneError, match="is a bazaar, not a ebay"):
        save(house, path)
    with house.reading() as session:
        assert session.query(Plan).count() == 1


@pytest.mark.parametrize("data", [b"[]", b"a: [", b"\xff\xfe", b"x: !!python/object:os.system {}"])
def test_what_is_no_plan_file(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(data)
    with pytest.raises(TouchstoneError) as caught:
        read_plan(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plan_without_marketplaces_is_none() -> None:
    assert PlanFile.model_validate(ONE).places[0].name == "m"


def test_every_kind_of_marketplace_can_be_named(house: Database, tmp_path: Path) -> None:
    kinds = plans.known_kinds()
    assert "schema.org" in kinds
    for kind in kinds:
        said = {**ONE, "marketplace": {**ONE["marketplace"], "kind": kind}}
        with house.reading() as session:
            assert check_plan(session, write(tmp_path, said), kinds) == []
