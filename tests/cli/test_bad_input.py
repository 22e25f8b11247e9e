"""Bad input: one clear line, a non-zero exit code, the database as it was."""

from __future__ import annotations

import hashlib
import shutil
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest
import yaml
from PIL import Image

from purchases.proposals import approve, propose
from registry.database import Database
from registry.models import Assessment
from registry.settings import Settings
from tests.cli.conftest import Touchstone
from tests.pictures import jpeg
from tests.purchases import staff
from tests.purchases.conftest import flagged

BRAND = {
    "brand": {"slug": "velaro", "name": "Velaro", "owner": "Velaro Maison S.A."},
    "marks": [{"text": "VELARO", "office": "EUIPO", "number": "1", "nice_classes": [18]}],
    "products": [
        {"sku": "V-1", "name": "Tote", "price_floor": "300.00 EUR", "references": ["tote.jpg"]}
    ],
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def plan(port: int, **changes: object) -> dict[str, object]:
    return {
        "name": "p",
        "brand": "velaro",
        "marketplace": {"name": "m", "kind": "bazaar", "url": f"http://127.0.0.1:{port}/"},
        "browse": ["/c/bags"],
        **changes,
    }


def write(path: Path, content: object) -> Path:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def contents(data_dir: Path) -> str:
    """A digest of every row, to see that nothing was written."""
    connection = sqlite3.connect(f"file:{data_dir / 'touchstone.db'}?mode=ro", uri=True)
    try:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()
    finally:
        connection.close()


@pytest.fixture
def brand_file(tmp_path: Path, touchstone: Touchstone) -> Path:
    """A good brand file, registered."""
    (tmp_path / "tote.jpg").write_bytes(jpeg(1))
    path = write(tmp_path / "brand.yaml", BRAND)
    said = touchstone("brand", "add", path, "--json")
    assert said.code == 0, said.err
    assert said.json["new"] is True
    return path


def test_a_broken_brand_file(brand_file: Path, touchstone: Touchstone, data_dir: Path) -> None:
    before = contents(data_dir)
    broken = write(brand_file.with_name("broken.yaml"), {**BRAND, "marks": []})
    assert "marks" in touchstone("brand", "add", broken).one_clear_line()
    brand_file.write_text("brand: [", encoding="utf-8")
    assert "not YAML: line 1" in touchstone("brand", "add", brand_file).one_clear_line()
    brand_file.with_name("tote.jpg").write_bytes(b"not a picture")
    write(brand_file, BRAND)
    assert "tote.jpg" in touchstone("brand", "add", brand_file).one_clear_line()
    assert "no/such" in touchstone("brand", "add", "no/such.yaml").one_clear_line()
    assert contents(data_dir) == before


def test_an_unknown_plan(brand_file: Path, touchstone: Touchstone, data_dir: Path) -> None:
    before = contents(data_dir)
    assert "'nope'" in touchstone("watch", "nope").one_clear_line()
    assert "nope.yaml" in touchstone("watch", "nope.yaml").one_clear_line()
    for changes, said in (
        ({"brand": "other"}, "'other'"),
        ({"threshold": 7}, "threshold"),
        ({"browse": []}, "looks at nothing"),
        ({"marketplace": {"name": "m", "kind": "nosuch", "url": "http://127.0.0.1/"}}, "nosuch"),
    ):
        path = write(brand_file.with_name("plan.yaml"), plan(1, **changes))
        assert said in touchstone("watch", path).one_clear_line()
    assert contents(data_dir) == before


def test_a_dead_marketplace(brand_file: Path, touchstone: Touchstone, data_dir: Path) -> None:
    before = contents(data_dir)
    path = write(brand_file.with_name("plan.yaml"), plan(free_port()))
    assert "refused" in touchstone("watch", path).one_clear_line()
    assert contents(data_dir) == before


def test_a_private_address(brand_file: Path, touchstone: Touchstone, data_dir: Path) -> None:
    before = contents(data_dir)
    path = write(brand_file.with_name("plan.yaml"), plan(free_port()))
    said = touchstone("watch", path, TOUCHSTONE_ALLOWED_PRIVATE_HOSTS="")
    assert "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS" in said.one_clear_line()
    assert contents(data_dir) == before


def test_a_missing_browser(brand_file: Path, touchstone: Touchstone, data_dir: Path) -> None:
    before = contents(data_dir)
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        path = write(
            brand_file.with_name("plan.yaml"),
            plan(listener.getsockname()[1], queries=["velaro"]),
        )
        said = touchstone("watch", path, TOUCHSTONE_BROWSER="/no/such/chromium")
    finally:
        listener.close()
    assert "/no/such/chromium" in said.one_clear_line()
    assert contents(data_dir) == before


def two_megabytes(data_dir: Path) -> tuple[str, ...]:
    """A prefix for a command: its installation is on a real file system of two megabytes.

    What it left there is beside the installation afterwards, in `copy`.
    """
    if shutil.which("unshare") is None:
        pytest.fail("unshare is missing: apt-get install util-linux", pytrace=False)
    copy = data_dir.with_name("copy")
    script = (
        f"cp -r {data_dir} {copy} && mount -t tmpfs -o size=2m tmpfs {data_dir} && "
        f"cp -r {copy}/. {data_dir}/ && "
        f'"$@"; code=$?; rm -rf {copy}; cp -r {data_dir} {copy}; exit $code'
    )
    prefix = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh")
    probe = subprocess.run([*prefix[:4], "true"], capture_output=True, check=False)
    assert probe.returncode == 0, f"user namespaces are needed: {probe.stderr!r}"
    return prefix


def test_a_full_disk_at_registration(
    brand_file: Path, touchstone: Touchstone, data_dir: Path
) -> None:
    before = contents(data_dir)
    many = {
        **BRAND,
        "brand": {**BRAND["brand"], "slug": "large"},  # type: ignore[dict-item]
        "products": [
            {"sku": f"L-{n}", "name": "Large", "references": [f"large-{n}.jpg"]} for n in range(12)
        ],
    }
    for n in range(12):
        # Noise, which no JPEG makes small.
        Image.effect_noise((900, 900), 90 + n).save(brand_file.with_name(f"large-{n}.jpg"))
    path = write(brand_file.with_name("large.yaml"), many)
    said = touchstone("brand", "add", path, prefix=two_megabytes(data_dir))
    assert "space" in said.one_clear_line() or "full" in said.one_clear_line()
    copy = data_dir.with_name("copy")
    assert contents(copy) == before
    assert not list(copy.rglob(".part-*")), "a half-written file was left behind"


def test_a_full_disk_at_a_watch(brand_file: Path, touchstone: Touchstone, data_dir: Path) -> None:
    before = contents(data_dir)
    path = write(brand_file.with_name("plan.yaml"), plan(free_port()))
    said = touchstone("watch", path, prefix=two_megabytes(data_dir))
    assert said.one_clear_line().startswith("touchstone: disk: ")
    assert contents(data_dir.with_name("copy")) == before


def test_a_purchase_that_cannot_begin(
    brand_file: Path, touchstone: Touchstone, data_dir: Path, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'other' / 'touchstone.db'}")
    database.migrate()
    assessment_id = flagged(database, f"http://127.0.0.1:{free_port()}/")
    with database.writing() as session:
        proposed = propose(session, session.get_one(Assessment, assessment_id))
        assert proposed is not None
    staff.enter(database, Settings(data_dir=tmp_path / "other"))
    with database.writing() as session:
        approve(session, proposed.id, "Ada Lovelace")
    database.close()
    there = {"TOUCHSTONE_DATA_DIR": str(tmp_path / "other")}
    assert touchstone("init", **there).code == 0
    before = contents(tmp_path / "other")

    def assign(**env: str) -> str:
        said = touchstone("purchase", "assign", proposed.id, "--by", "Ada Lovelace", **there, **env)
        assert contents(tmp_path / "other") == before
        return said.one_clear_line()

    assert "refused" in assign()
    assert "/no/such" in assign(TOUCHSTONE_BROWSER="/no/such")
    assert "does not start" in assign(TOUCHSTONE_BROWSER="/bin/false")


def test_values_that_nothing_could_keep(brand_file: Path, touchstone: Touchstone) -> None:
    product = {"sku": "V-1", "name": "Tote"}
    for changes, said in (
        ({"products": [{**product, "price_floor": "9" * 30 + ".00 EUR"}]}, "up to"),
        ({"products": [{**product, "price_floor": 310}]}, "write it as"),
        ({"products": [{**product, "price_floor": "310.00 XXQ"}]}, "ISO 4217"),
        ({"products": [{**product, "references": ["/dev/zero"]}]}, "regular file"),
        ({"marks": [*BRAND["marks"], *BRAND["marks"]]}, "twice"),
    ):
        path = write(brand_file.with_name("strange.yaml"), {**BRAND, **changes})
        assert said in touchstone("brand", "add", path).one_clear_line()
    assert "regular file" in touchstone("brand", "add", "/dev/zero").one_clear_line()


def test_what_one_may_ask_for_is_said(touchstone: Touchstone) -> None:
    assert "outcome_unclear" in touchstone("purchase", "list", "--state", "x").one_clear_line()
    assert "dead" in touchstone("job", "list", "--state", "x").one_clear_line()
    assert "'nope'" in touchstone("queue", "--brand", "nope").one_clear_line()


def test_wrong_settings(touchstone: Touchstone) -> None:
    assert "broker_url" in touchstone("queue", TOUCHSTONE_BROKER_URL="smtp://x").one_clear_line()
    assert "TOUCHSTONE_CONFIG" in touchstone("queue", TOUCHSTONE_CONFIG="/no").one_clear_line()
    said = touchstone("queue", TOUCHSTONE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert "cannot use" in said.one_clear_line()
    store = touchstone("queue", TOUCHSTONE_EVIDENCE_STORE_URL="ftp://x/y")
    assert "evidence store" in store.one_clear_line()


@pytest.mark.parametrize(
    "arguments",
    [
        ("purchase", "approve", "xyz", "--by", "Ada"),
        ("purchase", "approve", "01a20a99-155d-70ea-b66c-aa894d04cbad", "--by", "Ada"),
        ("purchase", "reject", "01a20a99-155d-70ea-b66c-aa894d04cbad", "--by", "Ada"),
        ("job", "requeue", "01a20a99-155d-70ea-b66c-aa894d04cbad"),
        ("evidence", "export", "01a20a99-155d-70ea-b66c-aa894d04cbad", "x.wacz"),
        ("evidence", "verify", "no-such.wacz"),
        ("brand", "show", "nope"),
        ("marketplace", "mode", "nope", "rehearse", "--by", "Ada"),
    ],
)
def test_what_is_not_there_is_said(touchstone: Touchstone, arguments: tuple[str, ...]) -> None:
    touchstone(*arguments).one_clear_line()


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "export", "file/x"),
        ("ledger", "verify", "--against", "file/x"),
        ("evidence", "verify", "x" * 300),
        ("case", "open-sealed", "missing.zip", "--key", "file", "--out", "o"),
        ("case", "open-sealed", ".", "--key", "file", "--out", "o"),
        ("ledger", "checkpoint"),
    ],
)
def test_names_that_lead_nowhere(
    touchstone: Touchstone, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(32))
    given = [str(file) + a.removeprefix("file") if a.startswith("file") else a for a in arguments]
    touchstone(*given).one_clear_line()
