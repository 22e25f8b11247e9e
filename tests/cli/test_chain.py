"""The whole chain by the command, on the bazaar and on a real shop, as a newcomer runs it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Said, Touchstone
from tests.oscar_shop import start
from tests.oscar_shop.pictures import aria_tote
from tests.servers import Bazaar, bazaar

#: Every flagged listing is captured whole, in a browser.
pytestmark = pytest.mark.timeout(900)

PERSONA = {
    "name": "Test Buyer",
    "email": "buyer@example.com",
    "line1": "1 Test Street",
    "city": "London",
    "postcode": "EC1A 1BB",
    "country": "GB",
    "phone": "+442079460000",
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    with bazaar(tmp_path_factory.mktemp("bazaar"), seed=11, listings=60) as served:
        yield served


def count(data_dir: Path, what: str) -> int:
    connection = sqlite3.connect(f"file:{data_dir / 'touchstone.db'}?mode=ro", uri=True)
    try:
        number: int = connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0]
        return number
    finally:
        connection.close()


def tool(*arguments: object) -> str:
    """Run a public tool of this environment; its output, if it is content."""
    command = [str(Path(sys.executable).with_name(str(arguments[0]))), *map(str, arguments[1:])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_from_a_registered_brand_to_sealed_evidence_and_one_order(
    market: Bazaar, touchstone: Touchstone, data_dir: Path, tmp_path: Path
) -> None:
    truth = market.truth()
    assert touchstone("init").code == 0
    for file in sorted((market.folder / "brand").glob("*.yaml")):
        said = touchstone("brand", "add", file)
        assert said.code == 0, said.err
    watched = touchstone("watch", market.plan(), "--json")
    assert watched.code == 0, watched.err
    assert watched.json["assessed"] == watched.json["listings"] > 0

    # Nobody honest is flagged, whatever else; most of the fakes of this brand are.
    flagged = touchstone("queue", "--limit", 1000, "--json").json
    kinds = [truth[row["external_id"]]["kind"] for row in flagged]
    assert "genuine_authorised" not in kinds
    fakes = [kind for kind in kinds if kind.endswith("_fake")]
    assert len(fakes) >= 0.9 * len(kinds)
    assert all(row["reasons"] for row in flagged)
    assert all(row["purchase_state"] == "proposed" for row in flagged)
    assert count(data_dir, "jobs WHERE state <> 'done'") == 0

    # Each flagged listing has its evidence, and public tools agree with ours about it.
    captures = touchstone("evidence", "list", "--json").json
    assert {c["listing_id"] for c in captures} == {row["listing_id"] for row in flagged}
    bundle = tmp_path / "evidence.wacz"
    assert touchstone("evidence", "export", captures[0]["id"], bundle).code == 0
    assert touchstone("evidence", "verify", bundle, "--sha256", captures[0]["sha256"]).code == 0
    tool("wacz", "validate", "-f", bundle)
    tampered = bytearray(bundle.read_bytes())
    tampered[len(tampered) // 2] ^= 1
    bundle.write_bytes(tampered)
    verdict = touchstone("evidence", "verify", bundle, "--json")
    assert verdict.code == 1
    assert [check["part"] for check in verdict.json[0]["checks"] if not check["ok"]]

    # Seen again unchanged: nothing is kept twice, nothing is done twice.
    before = [count(data_dir, t) for t in ("snapshots", "jobs", "captures", "assessments")]
    again = touchstone("watch", watched_plan_name(market), "--json")
    assert again.code == 0, again.err
    after = [count(data_dir, t) for t in ("snapshots", "jobs", "captures", "assessments")]
    assert after == before
    assert count(data_dir, "sightings") == 2 * watched.json["listings"]

    # A purchase stops before the click until an administrator lets it order; then it orders once.
    hire(touchstone, tmp_path)
    first, second = flagged[0], flagged[1]
    rehearsed = buy(touchstone, first["purchase_id"])
    assert rehearsed.code == 0, rehearsed.err
    assert rehearsed.json["state"] == "rehearsed", rehearsed.json
    assert market.orders() == []
    automatic = ("marketplace", "mode", "bazaar", "automatic", "--by")
    assert "takes an administrator" in touchstone(*automatic, "Ada Lovelace").one_clear_line()
    assert touchstone(*automatic, "Ann Admin").code == 0
    bought = buy(touchstone, second["purchase_id"])
    assert bought.json["state"] == "ordered", bought.json
    assert market.orders() == [(bought.json["order_number"], second["external_id"])]
    twice = touchstone("purchase", "approve", second["purchase_id"], "--by", "Ada Lovelace")
    assert "ordered" in twice.one_clear_line()
    assert len(market.orders()) == 1
    assert count(data_dir, "captures WHERE purchase_id IS NOT NULL") == 2


def hire(touchstone: Touchstone, folder: Path) -> None:
    """Enter who approves and who buys, with two personas."""
    for name, role in (
        ("Ada Lovelace", "approver"), ("Bea Buyer", "buyer"), ("Ann Admin", "administrator"),
    ):  # fmt: skip
        assert touchstone("people", "add", name, "--role", role).code == 0
    file = folder / "persona.yaml"
    file.write_text(yaml.safe_dump(PERSONA), encoding="utf-8")
    for label in ("P-1", "P-2"):
        added = touchstone("persona", "add", file, "--buyer", "Bea Buyer", "--label", label)
        assert added.code == 0, added.err


def buy(touchstone: Touchstone, purchase_id: str) -> Said:
    """Approve a purchase and give it to the buyer, whose checkout is run at once."""
    approved = touchstone("purchase", "approve", purchase_id, "--by", "Ada Lovelace")
    assert approved.code == 0, approved.err
    return touchstone("purchase", "assign", purchase_id, "--by", "Ada Lovelace", "--json")


def watched_plan_name(market: Bazaar) -> str:
    name: str = yaml.safe_load(market.plan().read_text(encoding="utf-8"))["name"]
    return name


def test_a_real_shop_is_watched_whole_and_bought_from_once(
    touchstone: Touchstone, data_dir: Path, tmp_path: Path
) -> None:
    aria_tote().save(tmp_path / "tote.jpg", quality=90)
    brand = {
        "brand": {"slug": "velaro", "name": "Velaro", "owner": "Velaro Maison S.A."},
        "marks": [{"text": "VELARO", "office": "EUIPO", "number": "1", "nice_classes": [18]}],
        "products": [
            {
                "sku": "V-1",
                "name": "Velaro Aria Tote",
                "list_price": "420.00 GBP",
                "price_floor": "300.00 GBP",
                "references": ["tote.jpg"],
            }
        ],
    }
    (tmp_path / "brand.yaml").write_text(yaml.safe_dump(brand), encoding="utf-8")
    with start(tmp_path / "shop", products=240) as shop:
        plan = {
            "name": "oscar",
            "brand": "velaro",
            "marketplace": {"name": "quayside", "kind": "oscar", "url": shop.url},
            "queries": ["velaro"],
            "browse": ["/catalogue/"],
        }
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
        assert touchstone("init").code == 0
        hire(touchstone, tmp_path)
        assert touchstone("brand", "add", tmp_path / "brand.yaml").code == 0
        watched = touchstone("watch", tmp_path / "plan.yaml", "--no-work", "--json")
        assert watched.code == 0, watched.err
        assert watched.json["listings"] == count(data_dir, "listings") == shop.product_count()
        assert touchstone("work", "--until-idle").code == 0
        flagged = touchstone("queue", "--limit", 1000, "--json").json
        assert len(flagged) == 12
        assert all("replica" in row["title"] for row in flagged)

        automatic = ("marketplace", "mode", "quayside", "automatic", "--by", "Ann Admin")
        assert touchstone(*automatic).code == 0
        bought = buy(touchstone, flagged[0]["purchase_id"])
        assert bought.json["state"] == "ordered", bought.json
        orders = shop.orders()
        assert [order.number for order in orders] == [bought.json["order_number"]]
        assert orders[0].lines[0].quantity == 1
        assert orders[0].lines[0].title == flagged[0]["title"]
